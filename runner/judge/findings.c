/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See findings.h. */
#include "runner/judge/findings.h"

#include <inttypes.h>

#include "runner/judge/time_bounds.h"

static char *compose_message(const struct finding *finding)
{
	struct strbuf text = {0};

	strbuf_printf(&text, "%s:", finding->subject);
	if (finding->expected)
		strbuf_printf(&text, " expected %s", finding->expected);
	if (finding->actual)
		strbuf_printf(&text, "%s got %s", finding->expected ? "," : "", finding->actual);
	if (finding->miss)
		strbuf_printf(&text, ", %s", finding->miss);
	return strbuf_steal(&text);
}

/* Adds that the machine was too slow; takes ownership of @why. */
static void blame(struct finding *finding, char *why)
{
	char *message =
		xasprintf("%s; but the machine was too slow to tell: %s", finding->message, why);

	free(finding->message);
	free(why);
	finding->message = message;
	finding->caused_by_lag = true;
}

/* Returns whether a finding may be about something after the disturbance. */
static bool is_disturbed(const struct judge_ctx *ctx, const struct finding_parts *parts)
{
	if (ctx->disturbed_ns == INT64_MAX)
		return false;
	return !parts->attempt || parts->attempt->started_ns >= ctx->disturbed_ns;
}

static struct finding *add(struct judge_ctx *ctx, enum weight weight,
			   const struct finding_parts *parts)
{
	bool disturbed = weight == WEIGHT_FAILED && is_disturbed(ctx, parts);
	struct finding_list *list = &ctx->findings[disturbed ? WEIGHT_LAG : weight];
	const struct expectation *expectation = parts->expectation;
	const char *type = parts->type;
	struct finding finding = {
		.subject = parts->subject,
		.expected = parts->expected,
		.actual = parts->actual,
		.miss = parts->miss,
		.message = parts->message,
		.looks_like = parts->looks_like,
		.place = expectation ? expectation->place : parts->place,
		.attempt = parts->attempt ? parts->attempt->id : UINT32_MAX,
		.assessment = expectation ? (uint32_t)(expectation - ctx->scenario->expectations)
					  : UINT32_MAX,
	};

	if (!type)
		type = expectation ? expectation_kind_name(expectation->kind) : "harness";
	finding.type = xstrdup(type);
	if (!finding.subject)
		finding.subject = subject_at(ctx, type, expectation->endpoint);
	if (!finding.message)
		finding.message = compose_message(&finding);
	if (disturbed)
		blame(&finding, xstrdup(ctx->disturbance));
	finding.unknown = disturbed || weight == WEIGHT_LAG || weight == WEIGHT_UNDECIDED;
	array_append(list->items, list->n_items, list->capacity, finding);
	return &list->items[list->n_items - 1];
}

void findings_add_parts(struct judge_ctx *ctx, enum weight weight,
			const struct finding_parts *parts)
{
	add(ctx, weight, parts);
}

static char *why_unknown(const struct judge_ctx *ctx, const struct range *known)
{
	char harness[DURATION_TEXT_SIZE], client[DURATION_TEXT_SIZE];
	int64_t starved_ns = delays_of_client(&ctx->delays, -(INT64_MAX / 4), INT64_MAX / 4);

	if (known) {
		AUTO_FREE char *least = time_text(known->low), *greatest = time_text(known->high);

		return xasprintf("without delays it would have been %s .. %s", least, greatest);
	}
	if (ctx->disturbance)
		return xstrdup(ctx->disturbance);
	return xasprintf("synfault's own lag was up to %s, and the client waited %s for a "
			 "processor",
			 duration_format(MAX(ctx->record->harness_lag_ns, 0), harness),
			 duration_format(starved_ns, client));
}

void findings_add_late(struct judge_ctx *ctx, enum weight weight, const struct finding_parts *parts)
{
	blame(add(ctx, weight, parts), why_unknown(ctx, NULL));
}

void findings_add_truth_parts(struct judge_ctx *ctx, enum truth truth, const struct range *known,
			      const struct finding_parts *parts)
{
	struct finding *finding;

	if (truth == TRUTH_BROKEN) {
		add(ctx, WEIGHT_FAILED, parts);
		return;
	}
	finding = add(ctx, WEIGHT_LAG, parts);
	blame(finding, why_unknown(ctx, known));
}

void finding_parts_free(struct finding_parts *parts)
{
	free(parts->subject);
	free(parts->expected);
	free(parts->actual);
	free(parts->miss);
	free(parts->message);
	free(parts->looks_like);
}

char *subject_at(const struct judge_ctx *ctx, const char *what, size_t endpoint)
{
	if (endpoint >= ctx->scenario->n_endpoints)
		return xstrdup(what);
	return xasprintf("%s at %s", what, ctx->scenario->endpoints[endpoint].name);
}

char *subject_of_instance(const struct judge_ctx *ctx, const char *what, uint32_t instance)
{
	if (ctx->record->n_instances == 1)
		return xstrdup(what);
	return xasprintf("%s of instance %" PRIu32, what, instance + 1);
}

char *count_miss_text(struct range count, struct range allowed)
{
	if (count.low > allowed.high)
		return xasprintf("%" PRId64 " too many", count.low - allowed.high);
	if (count.high < allowed.low)
		return xasprintf("%" PRId64 " too few", allowed.low - count.high);
	return NULL;
}

char *count_range_text(struct range range)
{
	if (range.low == range.high)
		return xasprintf("%" PRId64, range.low);
	if (range.high == INT64_MAX)
		return xasprintf("at least %" PRId64, range.low);
	if (range.low <= 0)
		return xasprintf("at most %" PRId64, range.high);
	return xasprintf("%" PRId64 " .. %" PRId64, range.low, range.high);
}
