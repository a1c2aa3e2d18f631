/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel why its TCP resets connections of the trials: the trace event tcp_send_reset,
 * which has a reason since Linux 6.10. A trace instance of its own takes it, in a tracefs that is
 * mounted nowhere, so that nothing of other tracers changes. The event covers all network
 * namespaces, which may have the same addresses and ports: so the time has to fit, too.
 * An RST of a firewall (reject) is not TCP's, and makes no event. Needs CAP_SYS_ADMIN
 * in the initial user namespace. Source: include/trace/events/tcp.h, include/net/rstreason.h.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_RESET_REASONS_H
#define SYNFAULT_RUNNER_DIAGNOSE_RESET_REASONS_H

#include "runner/diagnose/evidence.h"

struct reset_reasons;

/**
 * reset_reasons_start() - start to trace
 * @ret: on success; end it with reset_reasons_stop()
 *
 * Return: 0; -ENOENT if this kernel gives no reasons, -EPERM, or another negative errno.
 */
int reset_reasons_start(struct reset_reasons **ret);

/**
 * reset_reasons_stop() - stop tracing, and find the trials among the resets
 * @reasons: freed; NULL is allowed
 * @evidence: with its trials; gets kernel_reset
 */
void reset_reasons_stop(struct reset_reasons *reasons, struct evidence *evidence);

/** reset_reasons_parse() - read one line of the trace; fill kernel_reset if it is about a trial */
void reset_reasons_parse(const char *line, struct evidence *evidence);

#endif
