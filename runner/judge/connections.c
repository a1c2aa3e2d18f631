/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on connections: how many there were, what they carried, and how they ended as the
 * client saw it.
 *
 * Bytes are those of the kernel's own account, which comes when a socket dies. In what was received
 * the FIN counts as a byte. After a reset there was none, after a fault that closed there was one;
 * of a connection that ended by itself it can't be told, as its client may have closed first: then
 * the count and one less are both good.
 */
#include <inttypes.h>

#include "runner/judge/judging.h"

enum connection_end connection_end_of(const struct attempt_history *attempt)
{
	switch (attempt->end) {
	case END_REFUSED:
	case END_REJECTED:
		return ENDED_REFUSED;
	case END_UNREACHABLE:
		return ENDED_UNREACHABLE;
	case END_ABANDONED:
		return ENDED_UNANSWERED;
	case END_ESTABLISHED:
		break;
	case END_OPEN:
	case END_N_KINDS:
		return ENDED_OPEN;
	}
	if (attempt_fault_ns(attempt, FAULT_RESET) <= attempt->closed_ns &&
	    attempt_had_fault(attempt, FAULT_RESET))
		return ENDED_RESET;
	if (attempt_fault_ns(attempt, FAULT_STALLED) <= attempt->closed_ns &&
	    attempt_had_fault(attempt, FAULT_STALLED))
		return ENDED_STALLED;
	return attempt->closed_ns != INT64_MAX || attempt_had_fault(attempt, FAULT_CLOSED)
		       ? ENDED_CLOSED
		       : ENDED_OPEN;
}

void judge_connected(struct judging *judging, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&judging->history, expectation->endpoint, &attempts);
	int64_t high = expectation->value.range.range.high, count = 0;
	const struct attempt_history *last = NULL;
	uint32_t beyond = 0;

	for (size_t i = 0; i < n_attempts; i++) {
		if (attempts[i]->end != END_ESTABLISHED)
			continue;
		last = attempts[i];
		if (++count == high + 1)
			beyond = last->id;
	}
	judge_count(judging, expectation, count, beyond, last, 0);
}

/* What one attempt received or sent. Returns false when that can't be told. */
static bool carried(const struct judging *judging, const struct attempt_history *attempt,
		    bool received, struct range *ret)
{
	const struct record_attempt *made = &judging->record->attempts[attempt->id];
	const struct step *step =
		&judging->scenario->endpoints[made->endpoint].script.steps[made->step];
	int64_t bytes = (int64_t)(received ? attempt->details->bytes_received
					   : attempt->details->bytes_sent);
	bool stalled = attempt_had_fault(attempt, FAULT_STALLED);

	*ret = (struct range){0, 0};
	if (attempt->end != END_ESTABLISHED)
		return true;
	/* its socket lives on, but nothing came after that */
	if (received && stalled && !step->to_server) {
		ret->low = ret->high = (int64_t)attempt_fault_bytes(attempt, FAULT_STALLED);
		return true;
	}
	if (!attempt->details->bytes_told)
		return false;
	*ret = (struct range){bytes, bytes};
	if (!received || bytes == 0 || attempt_had_fault(attempt, FAULT_RESET))
		return true;
	ret->low--;
	if (attempt_had_fault(attempt, FAULT_CLOSED))
		ret->high--;
	return true;
}

static void add_untold(struct judging *judging, const struct expectation *expectation,
		       const struct attempt_history *attempt)
{
	judging_add(judging, WEIGHT_UNDECIDED,
		    &(struct finding_parts){
			    .expectation = expectation,
			    .subject = judging_subject(judging, "bytes", expectation->endpoint),
			    .message = xasprintf("bytes %s: a connection was still open at the "
						 "end, so that what it carried is not known",
						 expectation_kind_name(expectation->kind)),
			    .has_attempt = true,
			    .attempt = attempt->id,
		    });
}

void judge_bytes(struct judging *judging, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&judging->history, expectation->endpoint, &attempts);
	bool received = expectation->kind == EXPECT_RECEIVED;
	struct range range = expectation->value.range.range, sum = {0, 0};
	AUTO_FREE char *what = NULL;
	bool many;

	for (size_t i = 0; i < n_attempts; i++) {
		struct range one;

		if (!carried(judging, attempts[i], received, &one)) {
			add_untold(judging, expectation, attempts[i]);
			return;
		}
		sum.low += one.low;
		sum.high += one.high;
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = count_range_text(range),
				 .actual = count_range_text(sum),
				 .attempt = n_attempts > 0 ? attempts[n_attempts - 1] : NULL,
			 });
	if (sum.high >= range.low && sum.low <= range.high)
		return;
	many = sum.low > range.high;
	what = xasprintf("bytes %s", expectation_kind_name(expectation->kind));
	judging_add(judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = expectation,
			    .subject = judging_subject(judging, what, expectation->endpoint),
			    .expected = count_range_text(range),
			    .actual = xasprintf("%" PRId64, sum.low),
			    .miss = many ? xasprintf("%" PRId64 " too many", sum.low - range.high)
					 : xasprintf("%" PRId64 " too few", range.low - sum.high),
		    });
}

/* "refused, refused, closed"; of many, what is the same is said once: "refused x12, closed". */
static char *ends_text(const enum connection_end *ends, size_t n_ends)
{
	struct strbuf text = {0};
	size_t n_same;

	for (size_t i = 0; i < n_ends; i += n_same) {
		n_same = 1;
		while (n_ends > MAX_ALIKE_FINDINGS && i + n_same < n_ends &&
		       ends[i + n_same] == ends[i])
			n_same++;
		strbuf_printf(&text, "%s%s", i > 0 ? ", " : "", connection_end_name(ends[i]));
		if (n_same > 1)
			strbuf_printf(&text, " x%zu", n_same);
	}
	return n_ends > 0 ? strbuf_steal(&text) : xstrdup("no attempt");
}

static char *ended_text(const struct expectation *expectation)
{
	const enum connection_end *ends = expectation->value.ended.ends;

	return expectation->value.ended.each ? xasprintf("each %s", connection_end_name(ends[0]))
					     : ends_text(ends, expectation->value.ended.n_ends);
}

void judge_ended(struct judging *judging, const struct expectation *expectation)
{
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n_attempts = history_of(&judging->history, expectation->endpoint, &attempts);
	AUTO_FREE enum connection_end *ends = xzalloc((n_attempts + 1) * sizeof(*ends));
	const enum connection_end *expected = expectation->value.ended.ends;
	size_t n_expected = expectation->value.ended.n_ends, wrong = SIZE_MAX;
	bool each = expectation->value.ended.each;

	for (size_t i = 0; i < n_attempts; i++) {
		ends[i] = connection_end_of(attempts[i]);
		if (wrong == SIZE_MAX &&
		    (each ? ends[i] != expected[0] : i >= n_expected || ends[i] != expected[i]))
			wrong = i;
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = ended_text(expectation),
				 .actual = ends_text(ends, n_attempts),
				 .attempt = n_attempts > 0 ? attempts[n_attempts - 1] : NULL,
			 });
	if (wrong == SIZE_MAX && (each ? n_attempts > 0 : n_attempts == n_expected))
		return;
	judging_add(judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = expectation,
			    .subject = judging_subject(judging, "ended", expectation->endpoint),
			    .expected = ended_text(expectation),
			    .actual = ends_text(ends, n_attempts),
			    .has_attempt = wrong != SIZE_MAX,
			    .attempt = wrong != SIZE_MAX ? attempts[wrong]->id : 0,
		    });
}
