/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads, writes and evaluates conditions of fault steps: see condition.h. */
#include "injector/condition.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "common/utf8.h"

/* The most bytes of the user's text that a message repeats. */
enum { SHOWN = 32 };

PRINTF(2, 3)
static int fail(struct condition_error *error, const char *format, ...)
{
	va_list arguments;

	*error = (struct condition_error){0};
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Adds the remedy to the error just made; returns what fail() did. */
PRINTF(2, 3)
static int hint(struct condition_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->hint, sizeof(error->hint), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* Returns how many bytes of a text a message repeats, without cutting a character. */
static int shown(const char *text)
{
	return (int)utf8_cut(text, strlen(text), SHOWN);
}

/* ---- sets of attempts ---- */

/* Reads digits, if there are any. Returns 0, or -ERANGE if the number is too large. */
static int take_number(const char **text, uint32_t *ret)
{
	const char *at = *text;
	uint32_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (uint32_t)(*at - '0');
		if (value > ATTEMPT_RANGE_HIGHEST)
			return -ERANGE;
	}
	*ret = value;
	*text = at;
	return 0;
}

static bool take_word(const char **text, const char *word)
{
	const char *at = skip_blanks(*text);

	if (strncmp(at, word, strlen(word)) != 0)
		return false;
	*text = skip_blanks(at + strlen(word));
	return true;
}

static int fail_range(struct condition_error *error, const char *text)
{
	const char *digits;

	/* Must precede strspn(): with UBSan's check of its argument, gcc takes the text for NULL
	 * afterwards. */
	fail(error, "\"%.*s\" is not a set of attempts", shown(text), text);
	digits = text + strspn(text, "0123456789");
	if (strchr(text, ','))
		return hint(error, "give several as a list: [1, 3, 7+]");
	if (digits > text && *digits == '-' && digits[1])
		return hint(error, "did you mean \"%.*s..%.*s\"?", (int)MIN(digits - text, 8), text,
			    MIN(shown(digits + 1), 8), digits + 1);
	return hint(error, "write 2, 1..3, 2+ (2 and all after it), or 1..9+2 (every second)");
}

int attempt_range_parse(const char *text, struct attempt_range *ret,
			struct condition_error *ret_error)
{
	struct attempt_range range = {.step = 1};
	const char *at = skip_blanks(text), *number = at;
	bool has_first, has_last = false, dots, plus;

	if (take_number(&at, &range.first) < 0)
		goto too_large;
	has_first = at > number;
	dots = take_word(&at, "..");
	number = at;
	if (dots && take_number(&at, &range.last) < 0)
		goto too_large;
	has_last = dots && at > number;
	plus = take_word(&at, "+");
	number = at;
	if (plus && take_number(&at, &range.step) < 0)
		goto too_large;
	/* "2+" needs no number after it, but "1..9+" and "2..+" do */
	if (plus && at == number) {
		if (dots)
			return fail_range(ret_error, text);
		range.step = 1;
	}
	if (*skip_blanks(at) || (!has_first && !has_last))
		return fail_range(ret_error, text);
	if (!has_first)
		range.first = 1;
	if (!has_last)
		range.last = dots || plus ? ATTEMPT_RANGE_OPEN : range.first;
	if (range.first == 0 || range.last == 0) {
		fail(ret_error, "attempts are counted from 1");
		return hint(ret_error, "the first is 1");
	}
	if (range.step == 0) {
		fail(ret_error, "the step of a set must be at least 1");
		return hint(ret_error, "for every second write 1..9+2");
	}
	if (range.last < range.first) {
		fail(ret_error, "the set ends before it begins");
		return hint(ret_error, "did you mean \"%u..%u\"?", range.last, range.first);
	}
	/* Normalise: .last is in the set, and a set of one number has step 1. */
	if (range.last != ATTEMPT_RANGE_OPEN)
		range.last -= (range.last - range.first) % range.step;
	if (range.last == range.first)
		range.step = 1;
	*ret = range;
	return 0;

too_large:
	fail(ret_error, "an attempt's number is at most %d", ATTEMPT_RANGE_HIGHEST);
	return hint(ret_error, "write a set without end as 2+");
}

void attempt_range_format(const struct attempt_range *range, struct strbuf *out)
{
	strbuf_printf(out, "%" PRIu32, range->first);
	if (range->last == ATTEMPT_RANGE_OPEN)
		strbuf_puts(out, "+");
	else if (range->last != range->first)
		strbuf_printf(out, "..%" PRIu32 "%s", range->last, range->step > 1 ? "+" : "");
	if (range->step > 1)
		strbuf_printf(out, "%" PRIu32, range->step);
}

bool attempt_range_holds(const struct attempt_range *range, uint32_t number)
{
	return number >= range->first && number <= range->last &&
	       (number - range->first) % range->step == 0;
}

/* ---- windows of time ---- */

const char *const time_origin_names[] = {
	[TIME_FROM_START] = "start",
	[TIME_FROM_FIRST_ATTEMPT] = "first-attempt",
	[TIME_FROM_COMMAND] = "command",
	[TIME_N_ORIGINS] = NULL,
};
_Static_assert(ARRAY_SIZE(time_origin_names) == TIME_N_ORIGINS + 1, "a name for each origin");

/* Reads a duration up to @end, without blanks around it, in whole microseconds. */
static int read_duration(const char *text, const char *end, int64_t *ret_ns,
			 struct condition_error *ret_error)
{
	AUTO_FREE char *word = NULL;
	const char *reason = NULL;
	int64_t ns;

	text = skip_blanks(text);
	while (end > text && strchr(" \t\r\n", end[-1]))
		end--;
	word = xstrndup(text, (size_t)MAX(end - text, 0));
	if (duration_parse(word, &ns, &reason) < 0) {
		fail(ret_error, "the duration \"%.*s\" %s", shown(word), word, reason);
		if (*word && !word[strspn(word, "0123456789.")])
			return hint(ret_error, "did you mean \"%.*ss\"?", shown(word), word);
		return hint(ret_error, "a window is written 0s..5s, 2s.., or 0s..5s every 20s");
	}
	*ret_ns = (ns + NS_PER_US / 2) / NS_PER_US * NS_PER_US;
	return 0;
}

static bool is_all_blank(const char *from, const char *to)
{
	return skip_blanks(from) >= to;
}

static int check_window(const struct time_window *window, struct condition_error *ret_error)
{
	char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE];

	if (window->to_ns < window->from_ns) {
		fail(ret_error, "the window ends before it begins");
		return hint(ret_error, "did you mean \"%s..%s\"?",
			    duration_format_exact(window->to_ns, to),
			    duration_format_exact(window->from_ns, from));
	}
	if (window->to_ns == window->from_ns) {
		fail(ret_error, "the window is empty: it ends when it begins");
		return hint(ret_error, "for example 0s..5s");
	}
	if (window->from_ns == 0 && window->to_ns == INT64_MAX) {
		fail(ret_error, "this window includes all times");
		return hint(ret_error, "leave it out, or give it an end");
	}
	if (!window->every_ns)
		return 0;
	if (window->to_ns == INT64_MAX || window->to_ns > window->every_ns) {
		fail(ret_error, "the window does not end within its period");
		return hint(ret_error, "for example 0s..5s every 20s");
	}
	if (window->from_ns == 0 && window->to_ns == window->every_ns) {
		fail(ret_error, "this window includes all times: it is as long as its period");
		return hint(ret_error, "for example 0s..5s every 20s");
	}
	return 0;
}

int time_window_parse(const char *text, bool lone_end, struct time_window *ret,
		      struct condition_error *ret_error)
{
	struct time_window window = {.to_ns = INT64_MAX};
	const char *every = strstr(text, "every"), *dots = strstr(text, "..");
	const char *end = every ? every : text + strlen(text);
	int status = 0;

	if (strstr(text, "from ")) {
		fail(ret_error, "the origin of a window is a separate key");
		return hint(ret_error, "write {time: 0s..5s, from: first-attempt}");
	}
	if (dots && dots > end)
		dots = NULL;
	if (!dots && (!lone_end || is_all_blank(text, end))) {
		fail(ret_error, "\"%.*s\" is not a window of time", shown(text), text);
		return hint(ret_error, "a window is written 0s..5s, 2s.., or 0s..5s every 20s");
	}
	if (dots && is_all_blank(text, dots) && is_all_blank(dots + 2, end)) {
		fail(ret_error, "a window needs at least one end");
		return hint(ret_error, "a window is written 0s..5s, 2s.., or 0s..5s every 20s");
	}
	if (!dots)
		status = read_duration(text, end, &window.to_ns, ret_error);
	if (!status && dots && !is_all_blank(text, dots))
		status = read_duration(text, dots, &window.from_ns, ret_error);
	if (!status && dots && !is_all_blank(dots + 2, end))
		status = read_duration(dots + 2, end, &window.to_ns, ret_error);
	if (!status && every)
		status = read_duration(every + strlen("every"), text + strlen(text),
				       &window.every_ns, ret_error);
	if (!status && every && window.every_ns == 0) {
		fail(ret_error, "a period can't be 0");
		status = hint(ret_error, "for example 0s..5s every 20s");
	}
	if (!status)
		status = check_window(&window, ret_error);
	if (!status)
		*ret = window;
	return status;
}

void time_window_format(const struct time_window *window, bool lone_end, struct strbuf *out)
{
	char text[DURATION_TEXT_SIZE];

	if (!lone_end || window->from_ns > 0 || window->to_ns == INT64_MAX) {
		strbuf_puts(out, duration_format_exact(window->from_ns, text));
		strbuf_puts(out, "..");
	}
	if (window->to_ns != INT64_MAX)
		strbuf_puts(out, duration_format_exact(window->to_ns, text));
	if (window->every_ns)
		strbuf_printf(out, " every %s", duration_format_exact(window->every_ns, text));
	if (window->from != TIME_FROM_START)
		strbuf_printf(out, " from %s", time_origin_names[window->from]);
}

bool time_window_holds(const struct time_window *window, int64_t since_ns)
{
	if (since_ns < 0)
		return false;
	if (window->every_ns)
		since_ns %= window->every_ns;
	return since_ns >= window->from_ns && since_ns < window->to_ns;
}

int64_t time_window_next(const struct time_window *window, int64_t since_ns)
{
	int64_t periods;

	if (since_ns <= window->from_ns)
		return window->from_ns;
	if (!window->every_ns)
		return INT64_MAX;
	periods = (since_ns - window->from_ns + window->every_ns - 1) / window->every_ns;
	return window->from_ns + periods * window->every_ns;
}

struct time_window time_window_commanded(const struct time_window *window, int64_t lasts_ns)
{
	struct time_window commanded = *window;
	int64_t n_before;

	if (!lasts_ns)
		return commanded;
	n_before = window->from_ns / (window->to_ns - window->from_ns);
	commanded.from_ns =
		n_before > COMMANDED_MAX_NS / lasts_ns ? COMMANDED_MAX_NS : n_before * lasts_ns;
	commanded.to_ns = commanded.from_ns + lasts_ns;
	return commanded;
}

/* ---- conditions ---- */

static bool window_is_open(const struct time_window *window, const struct condition_facts *facts)
{
	struct time_window commanded;

	switch (window->from) {
	case TIME_FROM_FIRST_ATTEMPT:
		return time_window_holds(window, facts->since_first_ns);
	case TIME_FROM_COMMAND:
		commanded = time_window_commanded(window, facts->command_lasts_ns);
		return time_window_holds(&commanded, facts->since_command_ns);
	case TIME_FROM_START:
	case TIME_N_ORIGINS:
		break;
	}
	return time_window_holds(window, facts->since_start_ns);
}

bool condition_is_due(const struct condition *condition, const struct condition_facts *facts)
{
	bool in_set = condition->n_ranges == 0;

	if (!condition->given)
		return true;
	for (uint32_t i = 0; i < condition->n_ranges; i++)
		in_set = in_set || attempt_range_holds(&condition->ranges[i], facts->number);
	return in_set && (!condition->family || condition->family == facts->family) &&
	       (!condition->has_window || window_is_open(&condition->window, facts));
}

bool condition_is_hit(const struct condition *condition, uint64_t draw)
{
	if (!condition->given || condition->chance >= CHANCE_ALWAYS)
		return true;
	/* 2^32 is much more than CHANCE_ALWAYS, so that all values are equally likely. */
	return ((draw >> 32) * CHANCE_ALWAYS) >> 32 < condition->chance;
}

uint32_t condition_first_attempt(const struct condition *condition)
{
	uint32_t first = condition->n_ranges ? UINT32_MAX : 1;

	for (uint32_t i = 0; i < condition->n_ranges; i++)
		first = MIN(first, condition->ranges[i].first);
	return first;
}

static bool range_covers(const struct attempt_range *outer, const struct attempt_range *inner)
{
	return attempt_range_holds(outer, inner->first) && inner->last <= outer->last &&
	       (inner->first == inner->last || inner->step % outer->step == 0);
}

static bool ranges_cover(const struct condition *outer, const struct condition *inner)
{
	static const struct attempt_range all = {1, ATTEMPT_RANGE_OPEN, 1};
	uint32_t n_inner = MAX(inner->n_ranges, 1u);

	for (uint32_t i = 0; i < n_inner; i++) {
		const struct attempt_range *range = inner->n_ranges ? &inner->ranges[i] : &all;
		bool covered = outer->n_ranges == 0;

		for (uint32_t k = 0; k < outer->n_ranges && !covered; k++)
			covered = range_covers(&outer->ranges[k], range);
		if (!covered)
			return false;
	}
	return true;
}

static bool window_covers(const struct time_window *outer, const struct time_window *inner)
{
	/* Nothing is known of the time between the origins. */
	if (outer->from != inner->from)
		return false;
	if (outer->every_ns && outer->every_ns != inner->every_ns)
		return false;
	/* Only a window without end or with a period can contain all repetitions. */
	if (!outer->every_ns && inner->every_ns && outer->to_ns != INT64_MAX)
		return false;
	return outer->from_ns <= inner->from_ns && outer->to_ns >= inner->to_ns;
}

bool condition_covers(const struct condition *outer, const struct condition *inner)
{
	if (!outer->given)
		return true;
	if (outer->chance < CHANCE_ALWAYS)
		return false;
	if (outer->family && outer->family != inner->family)
		return false;
	if (outer->has_window &&
	    (!inner->has_window || !window_covers(&outer->window, &inner->window)))
		return false;
	return ranges_cover(outer, inner);
}

void chance_format(uint32_t chance, struct strbuf *out)
{
	uint32_t whole = chance / (CHANCE_ALWAYS / 100), rest = chance % (CHANCE_ALWAYS / 100);
	int digits = 4;

	strbuf_printf(out, "%" PRIu32, whole);
	for (; rest && rest % 10 == 0; rest /= 10)
		digits--;
	if (rest)
		strbuf_printf(out, ".%0*" PRIu32, digits, rest);
	strbuf_putc(out, '%');
}

void condition_format(const struct condition *condition, struct strbuf *out)
{
	const char *separator = "";

	if (condition->n_ranges) {
		strbuf_puts(out, "attempt ");
		for (uint32_t i = 0; i < condition->n_ranges; i++) {
			strbuf_puts(out, i ? " or " : "");
			attempt_range_format(&condition->ranges[i], out);
		}
		separator = " and ";
	}
	if (condition->has_window) {
		strbuf_printf(out, "%stime ", separator);
		time_window_format(&condition->window, false, out);
		separator = " and ";
	}
	if (condition->family) {
		strbuf_printf(out, "%s%s", separator,
			      condition->family == AF_INET ? "ipv4" : "ipv6");
		separator = " and ";
	}
	if (condition->given && condition->chance < CHANCE_ALWAYS) {
		strbuf_puts(out, separator);
		strbuf_puts(out, "chance ");
		chance_format(condition->chance, out);
	}
}
