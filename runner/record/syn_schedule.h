/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the kernel retransmits an unanswered SYN, and when it gives up. */
#ifndef SYNFAULT_RUNNER_RECORD_SYN_SCHEDULE_H
#define SYNFAULT_RUNNER_RECORD_SYN_SCHEDULE_H

#include "common/duration.h"
#include "common/util.h"

/* As long as net.ipv4.tcp_rto_max_ms was fixed, and its default since. */
#define SYN_RTO_MAX_NS (120 * NS_PER_S)
/* How late the kernel's timers can end it (measured: 3 s: 3.08 s; 131 s: 133.3 to 134.9 s). */
#define SYN_SCHEDULE_SLACK_NS(schedule) SYN_TIMER_SLACK_NS((schedule)->timeout_ns)

/* How late a timer of this length can be. */
#define SYN_TIMER_SLACK_NS(length_ns) ((length_ns) / 32 + 50 * NS_PER_MS)

enum { MAX_SYN_RETRANSMISSIONS = 255 };

struct syn_schedule {
	int64_t retransmissions_ns[MAX_SYN_RETRANSMISSIONS]; /* from the first SYN */
	size_t n_retransmissions;
	int64_t timeout_ns; /* from the first SYN until connect() fails with ETIMEDOUT */
};

/**
 * syn_schedule_compute() - compute the schedule as the kernel does (net/ipv4/tcp_timer.c)
 * @retries: net.ipv4.tcp_syn_retries
 * @linear: net.ipv4.tcp_syn_linear_timeouts; 0 before Linux 6.5
 * @rto_max_ns: net.ipv4.tcp_rto_max_ms; always 120 s before Linux 6.15
 */
void syn_schedule_compute(uint32_t retries, uint32_t linear, int64_t rto_max_ns,
			  struct syn_schedule *ret);

#endif
