/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fits policies to waits (see fit.h). These are looked at in several ways: as they are, without a
 * first one that is next to nothing, in rounds, in pairs. For each of these views
 * fit_candidates.c finds the policies that can have produced the waits. Two more explanations are
 * always there: that the client has a list, and that there is no pattern. If the runs together show
 * none, each may still show one on its own, with a base that the client drew when it started.
 */
#include "runner/judge/fit.h"

#include <math.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/judge/fit_jitter.h"
#include "runner/judge/fit_plain.h"

/* A policy is named if all that differ from it are less probable by this factor. */
#define ODDS 1000.0
/* Fewer waits than this don't show how they grow. */
enum { MIN_POSITIONS = 3 };
enum { MAX_ROUND = 8, MAX_FAMILIES = 3 };
/* Any wait from 1 ms to 100 s is as likely as any other, on a logarithmic scale. */
#define LOG_RANGE 11.5

/* A wait this late is still one of whole seconds. */
#define WHOLE_LATE_NS 50e6

/* What looking at the waits in such a way costs. */
#define PRICE_AT_ONCE 4
#define PRICE_ROUND   5
#define PRICE_TWICE   5

struct fit_range {
	double low, high;
};

struct waits {
	const struct fit_sequence *sequences;
	size_t n_sequences;
	size_t n, n_positions;
	bool anew;    /* one follows a success */
	bool nothing; /* all are next to nothing */
};

static double wait_of(const struct fit_sequence *sequence, size_t k)
{
	return (double)MAX(sequence->waits_ns[k], 0);
}

static double lag_of(const struct fit_sequence *sequence, size_t k)
{
	return sequence->lags_ns ? (double)MAX(sequence->lags_ns[k], 0) : 0;
}

static size_t n_waits_of(const struct fit_sequence *sequence)
{
	return MIN(sequence->n_waits, (size_t)FIT_MAX_POSITIONS);
}

static struct waits gather(const struct fit_sequence *sequences, size_t n_sequences)
{
	struct waits waits = {sequences, n_sequences, .nothing = true};

	for (size_t i = 0; i < n_sequences; i++) {
		size_t n = n_waits_of(&sequences[i]);

		waits.n += n;
		waits.n_positions = MAX(waits.n_positions, n);
		for (size_t k = 0; k < n; k++) {
			waits.nothing &= fit_is_nothing(wait_of(&sequences[i], k));
			waits.anew |= sequences[i].anew && sequences[i].anew[k];
		}
	}
	return waits;
}

/* ---- views ---- */

/* What a view does with a wait that has this number in its sequence. */
enum keeping { PLACE_KEPT, PLACE_NOTHING };

static enum keeping place_of(const struct fit_view *view, size_t k, size_t *ret_position)
{
	if (view->first_at_once) {
		*ret_position = k > 0 ? k - 1 : 0;
		return k > 0 ? PLACE_KEPT : PLACE_NOTHING;
	}
	*ret_position = view->twice ? k / 2 : k / view->round;
	return (k + 1) % view->round == 0 ? PLACE_KEPT : PLACE_NOTHING;
}

/* Fills in the view. Returns whether the waits can be looked at like this. */
static bool fill_view(const struct waits *waits, struct fit_view *view)
{
	for (size_t i = 0; i < waits->n_sequences; i++) {
		const struct fit_sequence *sequence = &waits->sequences[i];
		double before = -1;
		size_t start = 0;

		for (size_t k = 0; k < n_waits_of(sequence); k++) {
			double wait = wait_of(sequence, k), lag = lag_of(sequence, k);
			size_t position;

			if (view->resets && sequence->anew && sequence->anew[k]) {
				start = k;
				before = -1;
			}
			if (place_of(view, k - start, &position) == PLACE_NOTHING) {
				if (!fit_is_nothing(wait))
					return false;
				view->cost += 2 * log(fit_width(0, lag));
				continue;
			}
			if ((view->first_at_once || view->round > 1) && fit_is_nothing(wait))
				return false;
			fit_view_add(view, (struct fit_sample){wait, before, lag, position});
			before = wait;
		}
	}
	return view->n > 0;
}

static void add_view(const struct waits *waits, struct fit_view view, struct fit_candidates *list)
{
	if (view.round == 0)
		view.round = 1;
	for (size_t i = 0; i < waits->n_sequences; i++)
		view.by_address |= view.round > 1 && waits->sequences[i].n_addresses == view.round;
	if (fill_view(waits, &view)) {
		fit_plain_add(&view, list);
		fit_jitter_add(&view, list);
	}
	free(view.samples);
}

static struct fit_candidates all_candidates(const struct waits *waits)
{
	struct fit_candidates list = {0};

	for (int resets = 0; resets <= (waits->anew ? 1 : 0); resets++) {
		add_view(waits, (struct fit_view){.resets = resets}, &list);
		add_view(waits,
			 (struct fit_view){
				 .resets = resets, .first_at_once = true, .cost = PRICE_AT_ONCE},
			 &list);
		for (size_t round = 2; round <= MAX_ROUND; round++)
			add_view(waits,
				 (struct fit_view){
					 .resets = resets, .round = round, .cost = PRICE_ROUND},
				 &list);
		if (waits->n_positions >= 2)
			add_view(waits,
				 (struct fit_view){
					 .resets = resets, .twice = true, .cost = PRICE_TWICE},
				 &list);
	}
	return list;
}

/* What it costs that there is no pattern: a list in each sequence alike, or chance. */
static double cost_without_pattern(const struct waits *waits)
{
	double chance = 0, list = 0, low[FIT_MAX_POSITIONS], high[FIT_MAX_POSITIONS];

	for (size_t k = 0; k < FIT_MAX_POSITIONS; k++) {
		low[k] = INFINITY;
		high[k] = 0;
	}
	for (size_t i = 0; i < waits->n_sequences; i++)
		for (size_t k = 0; k < n_waits_of(&waits->sequences[i]); k++) {
			double wait = wait_of(&waits->sequences[i], k);
			double lag = lag_of(&waits->sequences[i], k);

			chance += 2 * log(LOG_RANGE * fmax(wait, fit_width(0, lag)));
			list += 2 * log(fit_width(wait, lag));
			low[k] = fmin(low[k], wait + fit_width(wait, lag));
			high[k] = fmax(high[k], wait);
		}
	for (size_t k = 0; k < waits->n_positions; k++) {
		double width = fit_width(high[k], 0);

		if (high[k] > low[k])
			return chance;
		list += 2 * log(LOG_RANGE * fmax(high[k], width) / width);
	}
	return fmin(chance, list);
}

/* ---- the decision ---- */

static bool times_alike(int64_t a, int64_t b)
{
	double larger = (double)MAX(a, b), off = fabs((double)a - (double)b);

	return a == b || off <= 10e6 + 0.05 * larger;
}

/* Returns whether both say the same within what can be measured. */
static bool same_policy(const struct fit_candidate *a, const struct fit_candidate *b)
{
	const struct policy *p = &a->policy, *q = &b->policy;

	return a->round == b->round && a->twice == b->twice &&
	       p->first_at_once == q->first_at_once &&
	       p->resets_on_success == q->resets_on_success && p->kind == q->kind &&
	       p->jitter == q->jitter && times_alike(p->base_ns, q->base_ns) &&
	       (p->kind != POLICY_LINEAR || times_alike(p->step_ns, q->step_ns)) &&
	       (p->kind != POLICY_EXPONENTIAL || fabs(p->factor - q->factor) <= 0.06 * p->factor) &&
	       (p->kind == POLICY_FIXED || times_alike(p->cap_ns, q->cap_ns)) &&
	       fabs(p->jitter_percent - q->jitter_percent) <= 10;
}

static void add_family(const struct fit_candidate *candidate, struct strbuf *out)
{
	const struct policy *policy = &candidate->policy;

	if (policy->first_at_once)
		strbuf_puts(out, "at once, then ");
	if (candidate->round > 1)
		strbuf_printf(out, "rounds of %zu, then ", candidate->round);
	strbuf_puts(out, policy_kind_name(policy->kind));
	if (candidate->twice)
		strbuf_puts(out, " in pairs");
	if (policy->kind != POLICY_FIXED && policy->cap_ns != INT64_MAX)
		strbuf_puts(out, " with a cap");
	if (policy->jitter != JITTER_NONE)
		strbuf_printf(out, " with %s jitter",
			      policy->jitter == JITTER_PERCENT ? "±"
			      : policy->jitter == JITTER_PLUS  ? "additive"
							       : jitter_kind_name(policy->jitter));
}

/* Adds "maybe exponential or linear (3 waits)". Returns how many families fit. */
static size_t describe_fitting(const struct fit_candidates *list, double limit, size_t n_waits,
			       struct strbuf *out)
{
	char *families[MAX_FAMILIES + 1] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < list->n_items; i++) {
		struct strbuf family = {0};
		bool known = false;

		if (list->items[i].cost > limit || list->items[i].unlikely)
			continue;
		add_family(&list->items[i], &family);
		for (size_t k = 0; k < MIN(n, (size_t)MAX_FAMILIES); k++)
			known |= strcmp(families[k], strbuf_text(&family)) == 0;
		if (known || n > MAX_FAMILIES) {
			strbuf_free(&family);
			continue;
		}
		families[n++] = strbuf_steal(&family);
	}
	/* Some lie in their bands, but not as draws do. */
	if (n == 0) {
		strbuf_puts(out, "no policy identified");
		return 0;
	}
	strbuf_puts(out, "maybe ");
	for (size_t k = 0; k < n && n <= MAX_FAMILIES; k++)
		strbuf_printf(out, "%s%s", k == 0 ? "" : k + 1 < n ? ", " : " or ", families[k]);
	if (n > MAX_FAMILIES)
		strbuf_puts(out, "one of several");
	strbuf_printf(out, " (%zu wait%s)", n_waits, PLURAL(n_waits));
	for (size_t k = 0; k < n; k++)
		free(families[k]);
	return n;
}

/* The public policy whose parameters these are; NULL: none. */
static const char *public_name(const struct policy *policy)
{
	for (size_t i = 0; i < n_named_policies; i++) {
		const struct policy *named = &named_policies[i].policy;

		if (named_policies[i].attempt_delay || named->kind != POLICY_EXPONENTIAL ||
		    policy->kind != named->kind || policy->jitter != named->jitter ||
		    policy->per_round != named->per_round || policy->first_at_once ||
		    fabs(policy->factor - named->factor) > 0.04 * named->factor)
			continue;
		if (named->base_ns && !times_alike(named->base_ns, policy->base_ns))
			continue;
		if (policy->cap_ns == INT64_MAX || named->cap_ns == INT64_MAX ||
		    times_alike(policy->cap_ns, named->cap_ns))
			return named_policies[i].name;
	}
	return NULL;
}

/*
 * Narrows @base to what a client means that sleeps for whole seconds, and so cuts off the rest.
 * Returns whether this can be such a wait.
 */
static bool narrow_whole_base(const struct policy *policy, double wait, double lag, size_t k,
			      struct fit_range *base)
{
	double grown = pow(policy->factor, (double)k);
	/* We learn of an attempt's end after the client does. */
	double whole = NS_PER_S * floor((wait + FIT_LATE_NS) / NS_PER_S);

	if (whole < NS_PER_S || wait - whole > WHOLE_LATE_NS + lag)
		return false;
	if ((double)policy->base_ns * grown >= (double)policy->cap_ns)
		return true;
	base->low = fmax(base->low, whole / grown);
	base->high = fmin(base->high, (whole + NS_PER_S - NS_PER_MS) / grown);
	return base->low <= base->high;
}

/*
 * Waits of 15 s, 22 s, 33 s, 50 s are 15 s, growing by 1.5, without their fractions of seconds: no
 * client has a base of 14.8 s. Returns whether there is such a base, rounder than the one found.
 */
static bool cut_to_seconds(const struct waits *waits, struct fit_candidate *found)
{
	struct policy *policy = &found->policy;
	struct fit_range range = {0, INFINITY};
	struct fit_number base;

	if (policy->kind != POLICY_EXPONENTIAL || policy->jitter != JITTER_NONE || found->twice ||
	    found->round > 1 || policy->first_at_once || policy->resets_on_success)
		return false;
	for (size_t i = 0; i < waits->n_sequences; i++)
		for (size_t k = 0; k < n_waits_of(&waits->sequences[i]); k++)
			if (!narrow_whole_base(policy, wait_of(&waits->sequences[i], k),
					       lag_of(&waits->sequences[i], k), k, &range))
				return false;
	base = fit_round_number(range.low, range.high);
	if (base.value >= (double)policy->cap_ns ||
	    base.price >= fit_round_number((double)policy->base_ns, (double)policy->base_ns).price)
		return false;
	policy->base_ns = (int64_t)base.value;
	return true;
}

static void describe_found(const struct fit_candidate *found, struct strbuf *out)
{
	const char *name = public_name(&found->policy);
	struct policy policy = found->policy;

	policy.per_round = false;
	if (found->round > 1)
		strbuf_printf(out,
			      found->expressible ? "rounds of %zu addresses, then "
						 : "rounds of %zu attempts, then ",
			      found->round);
	if (found->twice)
		strbuf_puts(out, "each wait twice: ");
	policy_describe(&policy, out);
	if (policy.kind != POLICY_FIXED && policy.cap_ns == INT64_MAX) {
		AUTO_FREE char *text = xstrdup(strbuf_text(out));
		const char *cap = strstr(text, ", no cap");

		/* Waits show no more than that there was none so far. */
		strbuf_free(out);
		if (cap)
			strbuf_printf(out, "%.*s, no cap seen%s", (int)(cap - text), text,
				      cap + strlen(", no cap"));
		else
			strbuf_puts(out, text);
	}
	if (name)
		strbuf_printf(out, ", as %s", name);
}

static void decide(const struct waits *waits, struct fit *fit, struct strbuf *text)
{
	struct fit_candidates list = all_candidates(waits);
	double without = cost_without_pattern(waits), limit;
	struct fit_candidate *best = NULL;
	bool clear, cut = false;

	for (size_t i = 0; i < list.n_items; i++)
		if (!best || list.items[i].cost < best->cost ||
		    (best->vague && !list.items[i].vague && list.items[i].cost <= best->cost))
			best = &list.items[i];
	if (best && best->cost < without) {
		limit = MIN(best->cost + 2 * log(ODDS), without);
		clear = !best->vague && waits->n_positions >= MIN_POSITIONS &&
			without > best->cost + 2 * log(ODDS);
		for (size_t i = 0; i < list.n_items; i++)
			clear = clear &&
				(list.items[i].cost > limit || same_policy(best, &list.items[i]));
		if (clear)
			cut = cut_to_seconds(waits, best);
		fit->found = clear;
		fit->expressible = clear && best->expressible;
		fit->policy = best->policy;
		fit->misfit = best->misfit;
		if (clear)
			describe_found(best, text);
		if (cut)
			strbuf_puts(text, ", cut to whole seconds");
		if (!clear)
			fit->n_fitting = describe_fitting(&list, limit, waits->n_positions, text);
	}
	free(list.items);
}

/* The lowest and the highest base of several runs whose policies are alike but for it. */
struct alike {
	struct policy policy; /* of the first run */
	struct fit_range base;
};

/* Finds what all runs have in common if each of them, on its own, is exponential without jitter. */
static bool runs_are_alike(const struct waits *waits, struct alike *ret)
{
	bool alike = waits->n_sequences > 1;

	*ret = (struct alike){.base = {INFINITY, 0}};
	for (size_t i = 0; alike && i < waits->n_sequences; i++) {
		struct fit fit = fit_waits(&waits->sequences[i], 1);
		const struct policy *policy = &fit.policy;

		if (i == 0)
			ret->policy = *policy;
		ret->base.low = fmin(ret->base.low, (double)policy->base_ns);
		ret->base.high = fmax(ret->base.high, (double)policy->base_ns);
		alike = fit.found && fit.expressible && policy->kind == POLICY_EXPONENTIAL &&
			policy->jitter == JITTER_NONE && !policy->first_at_once &&
			!policy->resets_on_success &&
			fabs(policy->factor - ret->policy.factor) <= 0.06 * ret->policy.factor &&
			times_alike(policy->cap_ns, ret->policy.cap_ns);
		fit_free(&fit);
	}
	return alike;
}

/* A client may draw its base once, when it starts. Says so if the runs show it. */
static void describe_drawn_base(const struct waits *waits, struct fit *fit, struct strbuf *out)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE], cap[DURATION_TEXT_SIZE];
	struct alike alike;

	if ((fit->found && fit->policy.jitter == JITTER_NONE) || !runs_are_alike(waits, &alike))
		return;
	strbuf_free(out);
	strbuf_printf(out, "exponential, differing base (%s .. %s), factor %g, ",
		      duration_format((int64_t)alike.base.low, low),
		      duration_format((int64_t)alike.base.high, high), alike.policy.factor);
	if (alike.policy.cap_ns == INT64_MAX)
		strbuf_puts(out, "no cap seen");
	else
		strbuf_printf(out, "cap %s", duration_format(alike.policy.cap_ns, cap));
	*fit = (struct fit){.found = true, .policy = alike.policy};
}

struct fit fit_waits(const struct fit_sequence *sequences, size_t n_sequences)
{
	struct waits waits = gather(sequences, n_sequences);
	struct strbuf text = {0};
	struct fit fit = {0};

	if (waits.n_positions >= 2 && waits.nothing) {
		fit.found = fit.expressible = true;
		fit.policy = policy_plain(POLICY_FIXED, 0);
		strbuf_puts(&text, "no wait at all");
	} else if (waits.n_positions >= 2) {
		decide(&waits, &fit, &text);
		describe_drawn_base(&waits, &fit, &text);
	}
	if (text.length == 0)
		strbuf_puts(&text, waits.n_positions < MIN_POSITIONS ? "too few waits to tell"
								     : "no pattern");
	fit.text = strbuf_steal(&text);
	return fit;
}

void fit_free(struct fit *fit)
{
	free(fit->text);
	fit->text = NULL;
}
