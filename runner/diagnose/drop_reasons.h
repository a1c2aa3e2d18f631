/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel why it drops packets of the trials (drop monitor, NET_DM by generic netlink, in
 * packet mode, Linux 5.4; reasons since 6.0). The monitor is one for the whole machine: it is only
 * started if no other program uses it, sees all drops, and is stopped and set back
 * afterwards. Needs CAP_NET_ADMIN, CONFIG_NET_DROP_MONITOR, and the initial network namespace.
 * Source: net/core/drop_monitor.c.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_DROP_REASONS_H
#define SYNFAULT_RUNNER_DIAGNOSE_DROP_REASONS_H

#include "runner/diagnose/evidence.h"

struct drop_reasons;

/**
 * drop_reasons_start() - start the monitor
 * @ret: on success; end it with drop_reasons_stop()
 *
 * Return: 0; -ENOENT if this kernel or network namespace has none, -EBUSY if another program uses
 * it, -EPERM, or another negative errno.
 */
int drop_reasons_start(struct drop_reasons **ret);

/**
 * drop_reasons_stop() - stop the monitor, and find the trials' packets among the drops
 * @reasons: freed; NULL is allowed
 * @evidence: with its trials; gets kernel_drop
 */
void drop_reasons_stop(struct drop_reasons *reasons, struct evidence *evidence);

/**
 * drop_reasons_parse() - read one alert; pure
 * @message: NET_DM_CMD_PACKET_ALERT, with its netlink header
 * @evidence: kernel_drop is filled if the packet is one of a trial
 */
void drop_reasons_parse(const void *message, struct evidence *evidence);

#endif
