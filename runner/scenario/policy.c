/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named policies, and policies as text: see policy.h. */
#include "runner/scenario/policy.h"

#include <inttypes.h>
#include <math.h>

const struct named_policy named_policies[] = {
	{
		.name = "grpc",
		.description = "gRPC's connection backoff, counted from the start of each "
			       "attempt.",
		.policy = {.kind = POLICY_EXPONENTIAL,
			   .base_ns = NS_PER_S,
			   .factor = 1.6,
			   .cap_ns = 120 * NS_PER_S,
			   .jitter = JITTER_PERCENT,
			   .jitter_percent = 20,
			   .first_plain = true,
			   .waits_for_end = true},
		.attempt_delay = true,
		.has_factor = true,
		.has_cap = true,
		.has_jitter = true,
	},
	{
		.name = "aws-full-jitter",
		.description = "Anywhere from 0 to min(cap, base * 2^(k-1)).",
		.policy = {.kind = POLICY_EXPONENTIAL,
			   .factor = 2,
			   .cap_ns = INT64_MAX,
			   .jitter = JITTER_FULL},
		.has_cap = true,
	},
	{
		.name = "aws-decorrelated-jitter",
		.description = "Anywhere from the base to three times the previous wait, cap at "
			       "most.",
		.policy = {.kind = POLICY_EXPONENTIAL,
			   .factor = 3,
			   .cap_ns = INT64_MAX,
			   .jitter = JITTER_DECORRELATED},
		.has_cap = true,
	},
	{
		.name = "curl-retry",
		.description = "What curl does with --retry: all addresses, then 1 s, doubled each "
			       "time, 10 min at most.",
		.policy = {.kind = POLICY_EXPONENTIAL,
			   .base_ns = NS_PER_S,
			   .factor = 2,
			   .cap_ns = 600 * NS_PER_S,
			   .per_round = true},
		.has_cap = true,
	},
	{
		.name = "rfc8305",
		.description = "Happy Eyeballs: 100 ms to 2 s from start to start; with a base "
			       "that delay. After a failed attempt the next may come at once.",
		.policy = {.kind = POLICY_RANGE,
			   .base_ns = 100 * NS_PER_MS,
			   .cap_ns = 2 * NS_PER_S,
			   .ends_early = true},
		.attempt_delay = true,
	},
	{
		.name = "fixed-loop",
		.description = "The loop in a shell script: try, sleep 1 s (the base), try again.",
		.policy = {.kind = POLICY_FIXED, .base_ns = NS_PER_S, .cap_ns = INT64_MAX},
	},
};
const size_t n_named_policies = ARRAY_SIZE(named_policies);

const char *const named_policy_names[] = {
	"grpc", "aws-full-jitter", "aws-decorrelated-jitter", "curl-retry", "rfc8305", "fixed-loop",
	NULL,
};
_Static_assert(ARRAY_SIZE(named_policy_names) == ARRAY_SIZE(named_policies) + 1,
	       "each name is in both");

const struct named_policy *named_policy_find(const char *name)
{
	for (size_t i = 0; i < n_named_policies; i++)
		if (strcmp(named_policies[i].name, name) == 0)
			return &named_policies[i];
	return NULL;
}

static const char *const policy_kind_names[] = {
	[POLICY_FIXED] = "fixed",   [POLICY_LIST] = "list",   [POLICY_EXPONENTIAL] = "exponential",
	[POLICY_LINEAR] = "linear", [POLICY_RANGE] = "range",
};
_Static_assert(ARRAY_SIZE(policy_kind_names) == POLICY_N_KINDS, "a name for each kind");

const char *policy_kind_name(enum policy_kind kind)
{
	return policy_kind_names[kind];
}

static const char *const jitter_kind_names[] = {
	[JITTER_NONE] = "none",
	[JITTER_FULL] = "full",
	[JITTER_EQUAL] = "equal",
	[JITTER_PERCENT] = "percent",
	[JITTER_DECORRELATED] = "decorrelated",
	[JITTER_PLUS] = "plus",
};
_Static_assert(ARRAY_SIZE(jitter_kind_names) == JITTER_N_KINDS, "a name for each kind");

const char *jitter_kind_name(enum jitter_kind kind)
{
	return jitter_kind_names[kind];
}

struct policy policy_plain(enum policy_kind kind, int64_t base_ns)
{
	return (struct policy){.kind = kind, .base_ns = base_ns, .factor = 2, .cap_ns = INT64_MAX};
}

/* Adds "2" or "1.6", in any locale alike. */
static void add_number(struct strbuf *out, double number)
{
	int64_t thousandths = llround(number * 1000);
	char text[32];
	size_t length;

	snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64, thousandths / 1000,
		 thousandths % 1000);
	length = strlen(text);
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	strbuf_add(out, text, length);
}

static void describe_jitter(const struct policy *policy, struct strbuf *out)
{
	char text[DURATION_TEXT_SIZE];

	if (policy->jitter == JITTER_NONE)
		return;
	strbuf_puts(out, ", ");
	if (policy->jitter == JITTER_PERCENT) {
		strbuf_puts(out, "jitter ");
		add_number(out, policy->jitter_percent);
		strbuf_puts(out, " %");
	} else if (policy->jitter == JITTER_PLUS) {
		strbuf_printf(out, "jitter plus %s", duration_format(policy->jitter_plus_ns, text));
	} else {
		strbuf_printf(out, "%s jitter", jitter_kind_name(policy->jitter));
	}
}

static void describe_times(const struct policy *policy, struct strbuf *out)
{
	char text[DURATION_TEXT_SIZE];

	strbuf_puts(out, policy_kind_name(policy->kind));
	switch (policy->kind) {
	case POLICY_LIST:
		strbuf_printf(out, " of %zu", policy->n_list);
		return;
	case POLICY_RANGE:
		strbuf_printf(out, ", %s", duration_format(policy->base_ns, text));
		strbuf_printf(out, " to %s", duration_format(policy->cap_ns, text));
		return;
	case POLICY_FIXED:
		strbuf_printf(out, ", %s", duration_format(policy->base_ns, text));
		break;
	case POLICY_LINEAR:
	case POLICY_EXPONENTIAL:
	case POLICY_N_KINDS:
		strbuf_printf(out, ", base %s", duration_format(policy->base_ns, text));
		if (policy->kind == POLICY_LINEAR) {
			strbuf_printf(out, ", step %s", duration_format(policy->step_ns, text));
		} else if (policy->jitter != JITTER_DECORRELATED) {
			strbuf_puts(out, ", factor ");
			add_number(out, policy->factor);
		}
		if (policy->cap_ns == INT64_MAX)
			strbuf_puts(out, ", no cap");
		else
			strbuf_printf(out, ", cap %s", duration_format(policy->cap_ns, text));
		break;
	}
	describe_jitter(policy, out);
}

void policy_describe(const struct policy *policy, struct strbuf *out)
{
	if (policy->name)
		strbuf_printf(out, "%s: ", policy->name);
	if (policy->first_at_once)
		strbuf_puts(out, "at once, then ");
	describe_times(policy, out);
	if (policy->per_round)
		strbuf_puts(out, ", per round");
	if (policy->resets_on_success)
		strbuf_puts(out, ", starting again after a success");
}

static void write_list(const struct policy *policy, struct strbuf *out)
{
	char text[DURATION_TEXT_SIZE];

	strbuf_putc(out, '[');
	for (size_t i = 0; i < policy->n_list; i++) {
		strbuf_printf(out, "%s%s", i > 0 ? ", " : "",
			      duration_format_exact(policy->list[i].low, text));
		if (policy->list[i].high == INT64_MAX)
			strbuf_puts(out, "..");
		else if (policy->list[i].high > policy->list[i].low)
			strbuf_printf(out, "..%s",
				      duration_format_exact(policy->list[i].high, text));
	}
	strbuf_putc(out, ']');
}

static void write_jitter(const struct policy *policy, struct strbuf *out)
{
	char text[DURATION_TEXT_SIZE];

	if (policy->jitter == JITTER_NONE)
		return;
	strbuf_puts(out, ", jitter: ");
	if (policy->jitter == JITTER_PERCENT) {
		add_number(out, policy->jitter_percent);
		strbuf_putc(out, '%');
	} else if (policy->jitter == JITTER_PLUS) {
		strbuf_printf(out, "{plus: %s}",
			      duration_format_exact(policy->jitter_plus_ns, text));
	} else {
		strbuf_puts(out, jitter_kind_name(policy->jitter));
	}
}

void policy_write(const struct policy *policy, struct strbuf *out)
{
	char text[DURATION_TEXT_SIZE];
	bool modified = policy->first_at_once || policy->per_round || policy->resets_on_success;

	if (policy->kind == POLICY_LIST && !modified) {
		write_list(policy, out);
		return;
	}
	strbuf_puts(out, policy->first_at_once ? "{first: at-once, " : "{");
	if (policy->kind == POLICY_LIST) {
		strbuf_puts(out, "list: ");
		write_list(policy, out);
	} else if (policy->kind == POLICY_FIXED || policy->kind == POLICY_RANGE) {
		strbuf_printf(out, "fixed: %s", duration_format_exact(policy->base_ns, text));
		if (policy->kind == POLICY_RANGE)
			strbuf_printf(out, "..%s", duration_format_exact(policy->cap_ns, text));
		write_jitter(policy, out);
	} else {
		strbuf_printf(out, "%s: {base: %s", policy_kind_name(policy->kind),
			      duration_format_exact(policy->base_ns, text));
		if (policy->kind == POLICY_LINEAR) {
			strbuf_printf(out, ", step: %s",
				      duration_format_exact(policy->step_ns, text));
		} else {
			strbuf_puts(out, ", factor: ");
			add_number(out, policy->factor);
		}
		if (policy->cap_ns != INT64_MAX)
			strbuf_printf(out, ", cap: %s",
				      duration_format_exact(policy->cap_ns, text));
		write_jitter(policy, out);
		strbuf_putc(out, '}');
	}
	if (policy->max_attempts > 0)
		strbuf_printf(out, ", max-attempts: %" PRId64, policy->max_attempts);
	if (policy->per_round)
		strbuf_puts(out, ", per: round");
	if (policy->resets_on_success)
		strbuf_puts(out, ", resets-on: success");
	strbuf_putc(out, '}');
}
