/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The expectation "herd": see herd.h. */
#include "runner/judge/herd.h"

#include <inttypes.h>

#include "runner/judge/judging.h"

struct herd herd_measure(const struct attempt_history *const *attempts, size_t n_attempts,
			 int64_t within_ns)
{
	struct herd herd = {0};
	size_t first = 0;

	for (size_t last = 0; last < n_attempts; last++) {
		while (attempts[last]->started_ns - attempts[first]->started_ns >= within_ns)
			first++;
		if (last - first + 1 <= herd.peak)
			continue;
		herd = (struct herd){
			.peak = last - first + 1,
			.first = first,
			.from_ns = attempts[first]->started_ns,
			.until_ns = attempts[last]->started_ns,
		};
	}
	return herd;
}

const char *herd_counted(const struct expectation *expectation)
{
	return expectation->value.herd.retries ? "retries" : "attempts";
}

size_t herd_attempts(const struct history *history, const struct expectation *expectation,
		     const struct attempt_history ***ret)
{
	const struct record *record = history->record;
	const struct attempt_history **attempts;
	size_t n = history_of(history, expectation->endpoint, &attempts), kept = 0;
	AUTO_FREE bool *tried = xzalloc(record->n_instances * sizeof(*tried));

	for (size_t i = 0; i < n; i++) {
		uint32_t instance = record->attempts[attempts[i]->id].instance;
		bool first = instance < record->n_instances && !tried[instance];

		if (first)
			tried[instance] = true;
		if (!first || !expectation->value.herd.retries)
			attempts[kept++] = attempts[i];
	}
	*ret = attempts;
	return kept;
}

static char *limit_text(const struct expectation *expectation)
{
	char within[DURATION_TEXT_SIZE];

	return xasprintf("at most %" PRId64 " %s within %s", expectation->value.herd.max,
			 herd_counted(expectation),
			 duration_format(expectation->value.herd.within_ns, within));
}

static char *peak_text(const struct herd *herd)
{
	char length[DURATION_TEXT_SIZE], from[DURATION_TEXT_SIZE];

	if (herd->peak == 0)
		return xstrdup("none");
	return xasprintf("%zu in %s, from %s on", herd->peak,
			 duration_format(herd->until_ns - herd->from_ns, length),
			 duration_format(herd->from_ns, from));
}

void judge_herd(struct judging *judging, const struct expectation *expectation)
{
	const int64_t max = expectation->value.herd.max;
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n = herd_attempts(&judging->history, expectation, &attempts);
	struct herd herd = herd_measure(attempts, n, expectation->value.herd.within_ns);

	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = limit_text(expectation),
				 .actual = peak_text(&herd),
				 .attempt = herd.peak > 0 ? attempts[herd.first] : NULL,
			 });
	if (herd.peak <= (uint64_t)max)
		return;
	judging_add(judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = expectation,
			    .subject = judging_subject(judging, "herd", expectation->endpoint),
			    .expected = limit_text(expectation),
			    .actual = peak_text(&herd),
			    .miss = xasprintf("%zu too many", herd.peak - (size_t)max),
			    .has_attempt = true,
			    .attempt = attempts[herd.first + (size_t)max]->id,
		    });
}
