/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts in words: see attempt_text.h. */
#include "runner/report/attempt_text.h"

static const struct step *step_of(const struct scenario *scenario,
				  const struct record_attempt *attempt)
{
	const struct script *script;

	if (!scenario || attempt->endpoint >= scenario->n_endpoints)
		return NULL;
	script = &scenario->endpoints[attempt->endpoint].script;
	return attempt->step < script->n_steps ? &script->steps[attempt->step] : NULL;
}

char *attempt_fault_text(const struct scenario *scenario, const struct record *record, uint32_t id)
{
	const struct record_attempt *attempt = &record->attempts[id];
	const struct step *step = step_of(scenario, attempt);
	char buffer[DURATION_TEXT_SIZE];
	struct strbuf text = {0};
	struct step once;

	if (!step)
		return xasprintf("step %u", attempt->step + 1);
	once = *step;
	once.repeat = 1;
	once.repeat_explicit = false;
	once.when = (struct condition){0}; /* why it was chosen: that is in the script */
	/* The delay that was drawn, rather than the range it was drawn from. */
	if (step->action == STEP_DELAY) {
		strbuf_printf(&text, "delay %s", duration_format(attempt->delay_ns, buffer));
		step_format_then(step, &text);
	} else {
		step_format(&once, &text);
	}
	return strbuf_steal(&text);
}

const char *attempt_end_words(enum attempt_end end)
{
	static const char *const words[] = {
		[END_REFUSED] = "refused",          [END_ESTABLISHED] = "connected",
		[END_ABANDONED] = "client gave up", [END_REJECTED] = "let through, nobody listens",
		[END_UNREACHABLE] = "unreachable",  [END_OPEN] = "still open at the end",
	};

	_Static_assert(ARRAY_SIZE(words) == END_N_KINDS, "one wording per end");
	return words[end];
}

const char *attempt_broken_word(const struct attempt_history *attempt)
{
	static const struct {
		enum fault_kind fault;
		const char *word;
	} words[] = {{FAULT_RESET, "reset"}, {FAULT_STALLED, "stalled"}, {FAULT_CLOSED, "closed"}};

	for (size_t i = 0; attempt->end == END_ESTABLISHED && i < ARRAY_SIZE(words); i++)
		if (attempt_had_fault(attempt, words[i].fault))
			return words[i].word;
	return NULL;
}

char *attempt_end_text(const struct attempt_history *attempt)
{
	const char *broken = attempt_broken_word(attempt);
	char buffer[DURATION_TEXT_SIZE];

	if (attempt->end == END_OPEN || attempt->end == END_REJECTED)
		return xstrdup(attempt_end_words(attempt->end));
	duration_format(attempt->ended_ns - attempt->started_ns, buffer);
	return xasprintf("%s after %s%s%s", attempt_end_words(attempt->end), buffer,
			 broken ? ", then " : "", broken ? broken : "");
}

char *attempt_wait_text(const struct backoff_view *wait)
{
	const char *what = wait->interval ? "attempt delay" : "backoff";
	char length[DURATION_TEXT_SIZE], low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	if (!wait->there)
		return NULL;
	if (wait->open)
		return xasprintf("no wait: attempt %u was still open", wait->previous + 1);
	duration_format(wait->length_ns, length);
	if (!wait->judged)
		return xasprintf("%s %s", what, length);
	if (wait->miss_ns)
		return xasprintf(
			"%s %s, %s too %s", what, length,
			duration_format(wait->miss_ns < 0 ? -wait->miss_ns : wait->miss_ns, low),
			wait->miss_ns < 0 ? "short" : "long");
	if (wait->allowed.high >= INT64_MAX / 2)
		return xasprintf("%s %s, allowed from %s", what, length,
				 duration_format(wait->allowed.low, low));
	return xasprintf("%s %s, allowed %s .. %s", what, length,
			 duration_format(wait->allowed.low, low),
			 duration_format(wait->allowed.high, high));
}
