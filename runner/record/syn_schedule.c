/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's schedule of SYNs. tcp_retransmit_timer() doubles the timeout after each expiry
 * except the first tcp_syn_linear_timeouts ones. tcp_write_timeout() gives up at an expiry after
 * tcp_syn_retries plus tcp_syn_linear_timeouts retransmissions, or once tcp_syn_retries doublings
 * would have taken that long (retransmits_timed_out(), tcp_model_timeout()). With few retries the
 * latter comes first.
 */
#include "runner/record/syn_schedule.h"

#include "common/duration.h"

#define RTO_INITIAL_NS (1 * NS_PER_S) /* TCP_TIMEOUT_INIT (RFC 6298, section 2.1) */

/*
 * Returns how long @retries retransmissions and the last timeout take if each doubles the timeout.
 */
static int64_t patience_ns(uint32_t retries, int64_t rto_max_ns)
{
	int64_t sum_ns = 0, rto_ns = RTO_INITIAL_NS;

	for (uint32_t i = 0; i <= MIN(retries, (uint32_t)MAX_SYN_RETRANSMISSIONS); i++) {
		sum_ns += rto_ns;
		rto_ns = MIN(rto_ns * 2, rto_max_ns);
	}
	return sum_ns;
}

void syn_schedule_compute(uint32_t retries, uint32_t linear, int64_t rto_max_ns,
			  struct syn_schedule *ret)
{
	uint64_t most = MIN((uint64_t)retries + linear, (uint64_t)MAX_SYN_RETRANSMISSIONS);
	int64_t patience = patience_ns(retries, rto_max_ns);
	struct syn_schedule schedule = {0};
	int64_t at_ns = RTO_INITIAL_NS, rto_ns = RTO_INITIAL_NS;
	size_t n = 0;

	/* retransmits_timed_out() ignores the first expiry: nothing was retransmitted before it. */
	while (n < most && (n == 0 || at_ns < patience)) {
		schedule.retransmissions_ns[n++] = at_ns;
		if (n > linear)
			rto_ns = MIN(rto_ns * 2, rto_max_ns);
		at_ns += rto_ns;
	}
	schedule.n_retransmissions = n;
	schedule.timeout_ns = at_ns;
	*ret = schedule;
}
