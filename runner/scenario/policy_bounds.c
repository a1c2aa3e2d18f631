/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arithmetic of retry policies: see policy_bounds.h. */
#include <math.h>

#include "common/strbuf.h"
#include "runner/scenario/policy_bounds.h"

/*
 * The longest wait (some 70 years): jitter and tolerance can be added without overflow, however
 * often an exponential policy has doubled.
 */
#define WAIT_MAX_NS (INT64_MAX / 4)

static int64_t clamp_wait(double wait_ns)
{
	if (!(wait_ns > 0)) /* NaN too: 0 times infinity */
		return 0;
	if (wait_ns >= (double)WAIT_MAX_NS)
		return WAIT_MAX_NS;
	return llround(wait_ns);
}

static struct range jitter_apply(int64_t wait_ns, const struct policy *policy)
{
	double share = policy->jitter_percent / 100;

	switch (policy->jitter) {
	case JITTER_FULL:
		return (struct range){0, wait_ns};
	case JITTER_EQUAL:
		return (struct range){wait_ns / 2, wait_ns};
	case JITTER_PERCENT:
		return (struct range){clamp_wait((double)wait_ns * (1 - share)),
				      clamp_wait((double)wait_ns * (1 + share))};
	case JITTER_PLUS:
		return (struct range){wait_ns, MIN(wait_ns, WAIT_MAX_NS) + policy->jitter_plus_ns};
	case JITTER_DECORRELATED:
	case JITTER_NONE:
	case JITTER_N_KINDS:
		break;
	}
	return (struct range){wait_ns, wait_ns};
}

/* Ranges from the base to a multiple of the previous wait, both at most the cap. */
static struct range decorrelated(const struct policy *policy, int64_t before_ns)
{
	int64_t high_ns = clamp_wait((double)MAX(before_ns, 0) * policy->factor);

	high_ns = MIN(MAX(high_ns, policy->base_ns), policy->cap_ns);
	return (struct range){MIN(policy->base_ns, policy->cap_ns), high_ns};
}

struct range policy_wait(const struct policy *policy, size_t k)
{
	return policy_wait_after(policy, k, policy->base_ns);
}

struct range policy_wait_after(const struct policy *policy, size_t k, int64_t before_ns)
{
	int64_t wait_ns = MIN(policy->base_ns, WAIT_MAX_NS);
	double steps;

	if (policy->first_at_once && k-- <= 1)
		return (struct range){0, 0};
	steps = k > 0 ? (double)(k - 1) : 0;
	switch (policy->kind) {
	case POLICY_LIST:
		if (k < 1 || k > policy->n_list)
			return (struct range){-1, -1};
		return policy->list[k - 1];
	case POLICY_RANGE:
		return (struct range){policy->base_ns, policy->cap_ns};
	case POLICY_EXPONENTIAL:
		if (policy->jitter == JITTER_DECORRELATED)
			return decorrelated(policy, k <= 1 ? policy->base_ns : before_ns);
		wait_ns = clamp_wait((double)policy->base_ns * pow(policy->factor, steps));
		wait_ns = MIN(wait_ns, policy->cap_ns);
		break;
	case POLICY_LINEAR:
		wait_ns = clamp_wait((double)policy->base_ns + (double)policy->step_ns * steps);
		wait_ns = MIN(wait_ns, policy->cap_ns);
		break;
	case POLICY_FIXED:
	case POLICY_N_KINDS:
		break;
	}
	return jitter_apply(wait_ns, policy);
}

/* A product that is too large for a time means no limit. */
int64_t tolerance_slack(int64_t time_ns, const struct tolerance *tolerance, double scale)
{
	return clamp_wait(((double)tolerance->absolute_ns + tolerance->relative * (double)time_ns) *
			  scale);
}

struct range tolerance_apply(struct range bounds, const struct tolerance *tolerance, double scale)
{
	struct range wide = bounds;

	if (bounds.low > 0)
		wide.low -= MIN(tolerance_slack(bounds.low, tolerance, scale), bounds.low / 2);
	if (bounds.high >= 0 && bounds.high < INT64_MAX) {
		int64_t late = tolerance_slack(bounds.high, tolerance, scale);

		wide.high = bounds.high < INT64_MAX - late ? bounds.high + late : INT64_MAX;
	}
	return wide;
}

static void add_range(struct strbuf *out, struct range range)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	duration_format(range.low, low);
	duration_format(range.high, high);
	if (range.low == range.high)
		strbuf_puts(out, low);
	else if (range.high == INT64_MAX)
		strbuf_printf(out, "at least %s", low);
	else if (range.low <= 0)
		strbuf_printf(out, "at most %s", high);
	else
		strbuf_printf(out, "%s .. %s", low, high);
}

char *policy_wait_text(struct range bounds, const struct tolerance *tolerance, double scale)
{
	struct range wide = tolerance_apply(bounds, tolerance, scale);
	struct strbuf text = {0};

	add_range(&text, bounds);
	if (wide.low == bounds.low && wide.high == bounds.high)
		return strbuf_steal(&text);
	if (bounds.low == bounds.high && bounds.low - wide.low == wide.high - bounds.high) {
		char slack_text[DURATION_TEXT_SIZE];

		strbuf_printf(&text, " ± %s", duration_format(wide.high - bounds.high, slack_text));
	} else {
		/* Early and late differ: the bounds themselves are easier to check than "+a −b". */
		strbuf_puts(&text, " (with tolerance ");
		add_range(&text, wide);
		strbuf_putc(&text, ')');
	}
	return strbuf_steal(&text);
}
