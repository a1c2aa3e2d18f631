/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges without having started the client: see attached_judge.h. */
#include "runner/session/attached_judge.h"

#include "common/strbuf.h"

char *attached_obstacle(const struct isolation *isolation, const struct scenario *scenario)
{
	/* "auto" is real time where virtual time is impossible. */
	if (scenario->time == TIME_VIRTUAL)
		return xstrdup("time: virtual is impossible, since only the clock of a client that "
			       "synfault itself starts can jump; use synfault run");
	return isolation_obstacle(isolation, scenario);
}

char *attached_judge_leaves_out(const struct scenario *scenario, bool *ret_judged)
{
	bool listed[EXPECT_N_KINDS] = {0};
	struct strbuf text = {0};
	bool judged = false;

	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		if (!expectation_needs_client(expectation)) {
			judged = true;
		} else if (!listed[expectation->kind]) {
			listed[expectation->kind] = true;
			strbuf_printf(&text, "%s%s", text.length ? ", " : "",
				      expectation_kind_name(expectation->kind));
		}
	}
	*ret_judged = judged;
	return text.length ? strbuf_steal(&text) : NULL;
}

struct judgement attached_judge(const struct scenario *scenario, const struct record *record,
				const struct judge_options *options)
{
	bool judged;
	AUTO_FREE char *left_out = attached_judge_leaves_out(scenario, &judged);
	struct judgement judgement = judge(scenario, record, options);
	struct finding finding = {.attempt = UINT32_MAX, .assessment = UINT32_MAX};

	if (judged || judgement.outcome != OUTCOME_PASS)
		return judgement;
	finding.type = xstrdup("unjudged");
	finding.message =
		left_out
			? xasprintf("no expectation can be judged without the client: %s", left_out)
			: xstrdup("the scenario expects nothing");
	judgement.outcome = OUTCOME_SKIP;
	array_append(judgement.findings, judgement.n_findings, judgement.capacity, finding);
	return judgement;
}
