/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's schedule of SYNs. tcp_retransmit_timer() doubles the time-out after each expiry but
 * the first tcp_syn_linear_timeouts ones; tcp_write_timeout() allows for tcp_syn_retries and these
 * together, so that as many doublings take place as without them.
 */
#include "runner/doctor/syn_schedule.h"

#include "common/duration.h"

#define RTO_INITIAL_NS (1 * NS_PER_S) /* TCP_TIMEOUT_INIT (RFC 6298, section 2.1) */

void syn_schedule_compute(uint32_t retries, uint32_t linear, int64_t rto_max_ns,
			  struct syn_schedule *ret)
{
	uint64_t most = MIN((uint64_t)retries + linear, (uint64_t)MOST_SYN_RETRANSMISSIONS);
	struct syn_schedule schedule = {0};
	int64_t at_ns = 0, rto_ns = RTO_INITIAL_NS;

	for (uint64_t expiry = 1; expiry <= most; expiry++) {
		at_ns += rto_ns;
		schedule.retransmissions_ns[schedule.n_retransmissions++] = at_ns;
		if (expiry > linear)
			rto_ns = MIN(rto_ns * 2, rto_max_ns);
	}
	schedule.timeout_ns = at_ns + rto_ns;
	*ret = schedule;
}
