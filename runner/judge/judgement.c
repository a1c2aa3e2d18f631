/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and memory of judgements: see judgement.h. */
#include "runner/judge/judgement.h"

static const char *const outcome_names[] = {
	[OUTCOME_PASS] = "pass",
	[OUTCOME_FAIL] = "fail",
	[OUTCOME_ERROR] = "error",
	[OUTCOME_SKIP] = "skip",
};
_Static_assert(ARRAY_SIZE(outcome_names) == OUTCOME_N_KINDS, "a name for each outcome");

const char *outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

static const char *const result_names[] = {
	[ASSESSED_MET] = "met",
	[ASSESSED_NOT_MET] = "not met",
	[ASSESSED_UNDECIDED] = "undecided",
	[ASSESSED_NOT_JUDGED] = "not judged",
};
_Static_assert(ARRAY_SIZE(result_names) == ASSESSED_N_RESULTS, "a name for each result");

const char *assessed_name(enum assessed result)
{
	return result_names[result];
}

bool judgement_is_late(const struct judgement *judgement)
{
	return judgement->outcome == OUTCOME_ERROR && judgement->n_findings > 0 &&
	       judgement->findings[0].caused_by_lag;
}

void judgement_free(struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->n_findings; i++) {
		struct finding *finding = &judgement->findings[i];

		free(finding->type);
		free(finding->subject);
		free(finding->expected);
		free(finding->actual);
		free(finding->miss);
		free(finding->message);
		free(finding->looks_like);
	}
	free(judgement->findings);
	for (size_t i = 0; i < judgement->n_assessments; i++) {
		struct assessment *assessment = &judgement->assessments[i];

		free(assessment->type);
		free(assessment->subject);
		free(assessment->expected);
		free(assessment->actual);
	}
	free(judgement->assessments);
	*judgement = (struct judgement){0};
}
