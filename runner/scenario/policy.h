/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named retry policies, and policies as text: for people, and for scenario files. docs/policies.md
 * says where each name and its values come from.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_POLICY_H
#define SYNFAULT_RUNNER_SCENARIO_POLICY_H

#include "common/strbuf.h"
#include "runner/scenario/scenario.h"

struct named_policy {
	const char *name;        /* "grpc" */
	const char *description; /* one sentence */
	struct policy policy;    /* base_ns 0: the base must be given */
	bool attempt_delay;      /* for "attempt-delay", from start to start; else for "backoff" */
	bool has_factor, has_cap, has_jitter; /* the parameters that it takes beside the base */
};
extern const struct named_policy named_policies[];
extern const size_t n_named_policies;
extern const char *const named_policy_names[]; /* the same names; ends with NULL */

/** named_policy_find() - find the policy with this name; return NULL if there is none */
const struct named_policy *named_policy_find(const char *name);

/**
 * policy_kind_name() - return the kind as a word: "fixed", "linear", "exponential", "list", "range"
 */
const char *policy_kind_name(enum policy_kind kind);
/**
 * jitter_kind_name() - return the kind as a word: "none", "full", "equal", "percent",
 * "decorrelated", "plus"
 */
const char *jitter_kind_name(enum jitter_kind kind);

/** policy_plain() - make a policy without jitter, cap or limit */
struct policy policy_plain(enum policy_kind kind, int64_t base_ns);

/**
 * policy_describe() - add the policy in words: "exponential, base 500 ms, factor 2, no cap, full
 * jitter"
 */
void policy_describe(const struct policy *policy, struct strbuf *out);
/**
 * policy_write() - add the policy as the value of "backoff" or "attempt-delay", on one line:
 * "{exponential: {base: 500ms}}"
 *
 * A list is "[1s, 2s]". The loader reads it back, except for fractions of a microsecond.
 */
void policy_write(const struct policy *policy, struct strbuf *out);

#endif
