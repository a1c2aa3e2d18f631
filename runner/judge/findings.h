/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings: how a part of judgement says what is wrong, and what it calls things. */
#ifndef SYNFAULT_RUNNER_JUDGE_FINDINGS_H
#define SYNFAULT_RUNNER_JUDGE_FINDINGS_H

#include "runner/judge/judge_ctx.h"

/* A client in an endless loop breaks a rule a million times: no more than this are shown. */
#define MAX_ALIKE_FINDINGS 10

/*
 * What a finding is made of; the texts are owned by it (each may be NULL). Without a message it
 * becomes "SUBJECT: expected EXPECTED, got ACTUAL, MISS"; what is NULL is left out.
 */
struct finding_parts {
	const char *type;                      /* copied; NULL: the expectation's key */
	const struct expectation *expectation; /* gives the place, too; or NULL */
	struct place place;                    /* without an expectation */
	char *subject, *expected, *actual, *miss, *message;
	char *looks_like; /* see struct finding */
	bool has_attempt;
	uint32_t attempt; /* id of the first attempt that broke the rule */
};

/**
 * findings_add() - add a finding
 * @weight: WEIGHT_FAILED becomes WEIGHT_LAG for what happened after a disturbance
 */
void findings_add(struct judge_ctx *ctx, enum weight weight, const struct finding_parts *parts);

/**
 * findings_add_truth() - add a finding for what is not met
 * @truth: TRUTH_BROKEN, or TRUTH_UNKNOWN: then the message says why it can't be told
 * @known: what the quantity can be without delays, for the message of an unknown time; or NULL
 */
void findings_add_truth(struct judge_ctx *ctx, enum truth truth, const struct range *known,
			const struct finding_parts *parts);

/* Frees the texts of parts that are not needed. */
void finding_parts_free(struct finding_parts *parts);

/* These texts are owned by the caller. "exit status", "exit status of instance 3" */
char *subject_of_instance(const struct judge_ctx *ctx, const char *what, uint32_t instance);
/* "attempts at api", or "attempts" for all endpoints */
char *subject_at(const struct judge_ctx *ctx, const char *what, size_t endpoint);
/* "5", "3 .. 5", "at least 3", "at most 5" */
char *count_range_text(struct range range);

#endif
