/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Retry policies that have a name, and policies as text: for people, and as a scenario file takes
 * them. docs/policies.md says where each name and its figures come from.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_POLICY_H
#define SYNFAULT_RUNNER_SCENARIO_POLICY_H

#include "common/strbuf.h"
#include "runner/scenario/scenario.h"

struct named_policy {
	const char *name;        /* "grpc" */
	const char *description; /* one sentence */
	struct policy policy;    /* base_ns 0: the base has to be given */
	bool attempt_delay; /* counted from start to start: below "attempt-delay", not "backoff"
			     */
	bool has_factor, has_cap, has_jitter; /* which figures can be given, apart from the base */
};
extern const struct named_policy named_policies[];
extern const size_t n_named_policies;
extern const char *const named_policy_names[]; /* the same names; ends with NULL */

/* The policy with this name, or NULL. */
const struct named_policy *named_policy_find(const char *name);

/* "fixed", "linear", "exponential", "list", "range" */
const char *policy_kind_name(enum policy_kind kind);
/* "none", "full", "equal", "percent", "decorrelated" */
const char *jitter_kind_name(enum jitter_kind kind);

/* A policy without jitter, cap and limit. */
struct policy policy_plain(enum policy_kind kind, int64_t base_ns);

/* Adds it in words: "exponential, base 500 ms, factor 2, no cap, full jitter". */
void policy_describe(const struct policy *policy, struct strbuf *out);
/*
 * Adds it as the value of "backoff" or "attempt-delay", on one line: "{exponential: {base:
 * 500ms}}". A list is "[1s, 2s]". Read back it is equal, but for fractions of a microsecond.
 */
void policy_write(const struct policy *policy, struct strbuf *out);

#endif
