/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See needs.h. */
#include "runner/judge/needs.h"

unsigned expectation_needs(enum expectation_kind kind)
{
	switch (kind) {
	case EXPECT_EXIT:
	case EXPECT_DURATION:
	case EXPECT_STDOUT:
	case EXPECT_STDERR:
		return NEEDS_STARVATION | NEEDS_CLIENT;
	case EXPECT_RECEIVED:
	case EXPECT_SENT:
	case EXPECT_READ_TIMEOUT:
		return NEEDS_STARVATION | NEEDS_CLIENT_ENDS;
	case EXPECT_LEAKS:
	case EXPECT_ENDED:
		return NEEDS_STARVATION | NEEDS_SOCKETS | NEEDS_CLIENT_ENDS;
	case EXPECT_BACKOFF:
	case EXPECT_TOTAL_BACKOFF:
	case EXPECT_CONNECT_TIMEOUT:
	case EXPECT_ORDER:
	case EXPECT_CONCURRENT_ATTEMPTS:
	case EXPECT_RETRY_ON:
	case EXPECT_CONNECTING:
		return NEEDS_STARVATION | NEEDS_SOCKETS;
	case EXPECT_ATTEMPTS:
	case EXPECT_RETRANSMISSIONS:
	case EXPECT_ATTEMPT_DELAY:
	case EXPECT_HERD:
	case EXPECT_GIVES_UP:
	case EXPECT_FALLBACK:
	case EXPECT_CONNECTED:
		return NEEDS_STARVATION;
	case EXPECT_N_KINDS:
		break;
	}
	return 0;
}

unsigned scenario_needs(const struct scenario *scenario)
{
	unsigned needs = 0;

	for (size_t i = 0; i < scenario->n_expectations; i++)
		needs |= expectation_needs(scenario->expectations[i].kind);
	return needs;
}
