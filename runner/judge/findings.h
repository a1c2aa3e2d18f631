/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings: how each part of judgement reports what is wrong, and the names it uses. */
#ifndef SYNFAULT_RUNNER_JUDGE_FINDINGS_H
#define SYNFAULT_RUNNER_JUDGE_FINDINGS_H

#include "runner/judge/judge_ctx.h"

/* A client in an endless loop breaks a rule a million times: show no more than this. */
#define MAX_ALIKE_FINDINGS 10

/*
 * The parts of a finding, which takes over the texts; each may be NULL. Without a message one is
 * composed: "SUBJECT: expected EXPECTED, got ACTUAL, MISS", leaving out what is NULL.
 */
struct finding_parts {
	const char *type;                      /* copied; NULL: use the expectation's key */
	const struct expectation *expectation; /* gives the finding its place; or NULL */
	struct place place;                    /* used without an expectation */
	char *subject;                         /* NULL: the expectation's key, and its endpoint */
	char *expected, *actual, *miss, *message;
	char *looks_like;                      /* see struct finding */
	const struct attempt_history *attempt; /* the first that broke the rule, or NULL */
};

/**
 * findings_add() - add a finding
 * @weight: WEIGHT_FAILED becomes WEIGHT_LAG if it is about something after the disturbance
 *
 * The arguments that follow are the parts: .expectation = expectation, .actual = text.
 */
#define findings_add(ctx, weight, ...)                                                             \
	findings_add_parts(ctx, weight, &(struct finding_parts){__VA_ARGS__})
/** findings_add_parts() - add a finding, which takes over the texts */
void findings_add_parts(struct judge_ctx *ctx, enum weight weight,
			const struct finding_parts *parts);

/**
 * findings_add_late() - add a finding that delays may explain; its message says so
 */
void findings_add_late(struct judge_ctx *ctx, enum weight weight,
		       const struct finding_parts *parts);

/**
 * findings_add_truth() - add a finding for an expectation that is broken or unknown
 * @truth: TRUTH_BROKEN or TRUTH_UNKNOWN; if unknown, the message says why
 * @known: what a time may have been without delays, for the message if unknown; or NULL
 */
#define findings_add_truth(ctx, truth, known, ...)                                                 \
	findings_add_truth_parts(ctx, truth, known, &(struct finding_parts){__VA_ARGS__})
/** findings_add_truth_parts() - add a finding as findings_add_truth() does */
void findings_add_truth_parts(struct judge_ctx *ctx, enum truth truth, const struct range *known,
			      const struct finding_parts *parts);

/** finding_parts_free() - free the texts of parts that did not become a finding */
void finding_parts_free(struct finding_parts *parts);

/**
 * subject_of_instance() - name something of one instance of the client
 * @instance: from 0
 *
 * Return: "exit status", or if there are several instances "exit status of instance 3"; owned by
 * the caller.
 */
char *subject_of_instance(const struct judge_ctx *ctx, const char *what, uint32_t instance);
/**
 * subject_at() - name something at an endpoint
 * @endpoint: index, or ALL_ENDPOINTS
 *
 * Return: "attempts at api", or "attempts" for all endpoints; owned by the caller.
 */
char *subject_at(const struct judge_ctx *ctx, const char *what, size_t endpoint);
/**
 * count_miss_text() - say by how much a count is out of range
 *
 * Return: "3 too many", "1 too few", or NULL; owned by the caller.
 */
char *count_miss_text(struct range count, struct range allowed);
/**
 * count_range_text() - format a range of counts
 *
 * Return: "5", "3 .. 5", "at least 3" or "at most 5"; owned by the caller.
 */
char *count_range_text(struct range range);

#endif
