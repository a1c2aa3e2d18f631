/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record must contain for an expectation to be judged. */
#ifndef SYNFAULT_RUNNER_JUDGE_NEEDS_H
#define SYNFAULT_RUNNER_JUDGE_NEEDS_H

#include "runner/scenario/scenario.h"

enum expectation_need {
	NEEDS_SOCKETS = 1u << 0,     /* cookies and looks at sockets: record.has_sockets */
	NEEDS_CLIENT_ENDS = 1u << 1, /* record.has_client_ends */
	NEEDS_STARVATION = 1u << 2,  /* record.has_starvation */
	NEEDS_CLIENT = 1u << 3,      /* the client's own process, unknown if attached */
	NEEDS_ALL = NEEDS_SOCKETS | NEEDS_CLIENT_ENDS | NEEDS_STARVATION | NEEDS_CLIENT,
};

/**
 * expectation_needs() - say what a kind of expectation needs from the record
 * @kind: not EXPECT_N_KINDS
 *
 * Return: bits of enum expectation_need.
 */
unsigned expectation_needs(enum expectation_kind kind);

/**
 * scenario_needs() - say what all expectations of a scenario together need
 *
 * Return: bits of enum expectation_need.
 */
unsigned scenario_needs(const struct scenario *scenario);

#endif
