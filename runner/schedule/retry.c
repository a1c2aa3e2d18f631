/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs scenarios again that did not pass: see retry.h. */
#include "runner/schedule/retry.h"

/* An error says that the run proves nothing; a late one may pass on a quieter machine. */
static bool has_to_be_confirmed(const struct result *result)
{
	enum outcome outcome = result_outcome(result);

	return outcome == OUTCOME_FAIL ||
	       (outcome == OUTCOME_ERROR && !judgement_is_late(&result->judgement));
}

bool retry_is_unproven(const struct result *result)
{
	const struct record *record = result->record;

	return record && record->virtual_time && !result->real_time &&
	       (record->clock_failure || (result->confirm && has_to_be_confirmed(result)));
}

enum retry_kind retry_due(const struct retry_policy *policy, const struct result *result)
{
	size_t n_late = result_count_late(result);

	if (!result->scenario || result->interrupted || !result_is_failure(result))
		return RETRY_NONE;
	if (retry_is_unproven(result))
		return RETRY_SOON;
	if (judgement_is_late(&result->judgement) && n_late < policy->late_retries)
		return RETRY_ALONE;
	return result->n_earlier - n_late - result_count_unproven(result) < policy->retries
		       ? RETRY_SOON
		       : RETRY_NONE;
}

void retry_begin(struct result *result)
{
	const bool unproven = retry_is_unproven(result);
	struct record *record = steal_pointer(&result->record);
	char *capture = steal_pointer(&result->capture);
	struct earlier_run earlier = {
		.record = record,
		.judgement = result->judgement,
		.duration_ns = result->duration_ns,
		.capture = capture,
		.unproven = unproven,
	};

	result->real_time = result->real_time || unproven;
	result->judgement = (struct judgement){0};
	free(result->no_capture);
	result->no_capture = NULL;
	array_append(result->earlier, result->n_earlier, result->earlier_capacity, earlier);
}

/* Returns the index of the first earlier run that says something about the client. */
static size_t first_that_counts(const struct result *result)
{
	size_t i = 0;

	while (i + 1 < result->n_earlier &&
	       (judgement_is_late(&result->earlier[i].judgement) || result->earlier[i].unproven))
		i++;
	return i;
}

/* Returns why that run did not pass. */
static const char *complaint(const struct result *result, size_t i)
{
	const struct judgement *judgement = &result->earlier[i].judgement;

	return judgement->n_findings > 0 ? judgement->findings[0].message : "no reason is known";
}

void retry_settle(const struct retry_policy *policy, struct result *result)
{
	struct judgement *judgement = &result->judgement;
	struct finding finding = {.attempt = UINT32_MAX, .assessment = UINT32_MAX};
	size_t first;

	result->flaky =
		result->n_earlier > result_count_late(result) + result_count_unproven(result) &&
		result_outcome(result) == OUTCOME_PASS;
	if (!result->flaky || !policy->flaky_fails)
		return;
	first = first_that_counts(result);
	finding.type = xstrdup("flaky");
	finding.message = xasprintf("flaky: passed in run %zu; run %zu: %s", result->n_earlier + 1,
				    first + 1, complaint(result, first));
	judgement->outcome = OUTCOME_FAIL;
	array_append(judgement->findings, judgement->n_findings, judgement->capacity, finding);
}
