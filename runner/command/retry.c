/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a scenario again that did not pass: see retry.h. */
#include "runner/command/retry.h"

bool retry_is_due(const struct retry_policy *policy, const struct result *result)
{
	enum outcome outcome = result_outcome(result);

	if (!result->scenario || result->interrupted || result->n_earlier >= policy->retries)
		return false;
	return outcome == OUTCOME_FAIL || outcome == OUTCOME_ERROR;
}

void retry_begin(struct result *result)
{
	struct record *record = steal_pointer(&result->record);
	char *capture = steal_pointer(&result->capture);
	struct earlier_run earlier = {
		.record = record,
		.judgement = result->judgement,
		.duration_ns = result->duration_ns,
		.capture = capture,
	};

	result->judgement = (struct judgement){0};
	free(result->no_capture);
	result->no_capture = NULL;
	array_append(result->earlier, result->n_earlier, result->earlier_capacity, earlier);
}

/* What the first of the earlier runs had against the client. */
static const char *first_complaint(const struct result *result)
{
	const struct judgement *judgement = &result->earlier[0].judgement;

	return judgement->n_findings > 0 ? judgement->findings[0].message : "no reason is known";
}

void retry_settle(const struct retry_policy *policy, struct result *result)
{
	struct judgement *judgement = &result->judgement;
	struct finding finding = {.attempt = UINT32_MAX};

	result->flaky = result->n_earlier > 0 && result_outcome(result) == OUTCOME_PASS;
	if (!result->flaky || !policy->flaky_fails)
		return;
	finding.type = xstrdup("flaky");
	finding.message = xasprintf("flaky: passed in run %zu; run 1: %s", result->n_earlier + 1,
				    first_complaint(result));
	judgement->outcome = OUTCOME_FAIL;
	array_append(judgement->findings, judgement->n_findings, judgement->capacity, finding);
}
