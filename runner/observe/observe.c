/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client did: see observe.h. */
#include "runner/observe/observe.h"

#include <ctype.h>
#include <inttypes.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/judge/delays.h"
#include "runner/judge/fit.h"
#include "runner/judge/per_instance.h"
#include "runner/record/syn_schedule.h"
#include "runner/report/attempt_view.h"
#include "runner/report/result.h"

/* At most this many times are listed one by one. */
enum { MAX_LISTED = 8, SAID_COLUMNS = 100 };
/* Times that differ by more than this between runs are random, not planned. */
#define SAME_NS       (60 * NS_PER_MS)
#define SAME_RELATIVE 0.05

bool times_are_alike(int64_t low_ns, int64_t high_ns)
{
	return high_ns - low_ns <= SAME_NS + (int64_t)(SAME_RELATIVE * (double)high_ns);
}

/* Returns how much longer or shorter delays may have made the time between two attempts. */
static int64_t backoff_lag(const struct history *history, const struct delays *delays,
			   const struct attempt_history *before,
			   const struct attempt_history *after)
{
	int64_t lag_ns = before->details->max_lag_ns;

	if (delays->known && history->record->client_lag_ns >= 0)
		lag_ns += MIN(delays_of_client(delays, before->over_ns, after->started_ns),
			      history->record->client_lag_ns);
	return lag_ns;
}

static void take_backoff(struct observed *observed, const struct history *history)
{
	struct delays delays = delays_make(history->record);

	observed->n_backoff = history->n_attempts > 0 ? history->n_attempts - 1 : 0;
	observed->backoff_ns = xzalloc((observed->n_backoff + 1) * sizeof(*observed->backoff_ns));
	observed->backoff_lags_ns =
		xzalloc((observed->n_backoff + 1) * sizeof(*observed->backoff_lags_ns));
	observed->anew = xzalloc((observed->n_backoff + 1) * sizeof(*observed->anew));
	for (size_t i = 0; i < observed->n_backoff; i++) {
		const struct attempt_history *before = &history->attempts[i];
		const struct attempt_history *after = &history->attempts[i + 1];
		/* The client learns of an RST a moment before we do. */
		int64_t backoff_ns = before->over_ns == INT64_MAX
					     ? -NS_PER_S
					     : after->started_ns - before->over_ns;

		if (backoff_ns < -NS_PER_MS)
			observed->overlaps = true;
		observed->backoff_ns[i] = MAX(backoff_ns, 0);
		observed->anew[i] = before->end == END_ESTABLISHED;
		if (before->over_ns < after->started_ns)
			observed->backoff_lags_ns[i] = backoff_lag(history, &delays, before, after);
	}
	delays_free(&delays);
}

/* Takes an unanswered attempt that was open when the client ended, or was ended, at @end_ns. */
static void take_open(struct observed *observed, const struct attempt_history *attempt,
		      int64_t end_ns)
{
	observed->n_open++;
	observed->longest_open_ns = MAX(observed->longest_open_ns, end_ns - attempt->started_ns);
}

/* Takes how an attempt ended. What the end of the client at @end_ns closed was not given up. */
static void take_attempt(struct observed *observed, const struct attempt_history *attempt,
			 int64_t end_ns)
{
	int64_t lasted_ns = attempt->ended_ns - attempt->started_ns;

	if (attempt->end == END_ESTABLISHED) {
		observed->n_connected++;
	} else if (attempt->end == END_TIMED_OUT) {
		observed->n_timed_out++;
		observed->timed_out_ns = MAX(observed->timed_out_ns, lasted_ns);
	} else if (attempt->end == END_OPEN ||
		   (attempt->end == END_ABANDONED && attempt->ended_ns >= end_ns &&
		    (!observed->ended || observed->n_after_exit > 0))) {
		take_open(observed, attempt, end_ns);
	} else if (attempt->end == END_ABANDONED) {
		observed->shortest_ns =
			observed->n_abandoned ? MIN(observed->shortest_ns, lasted_ns) : lasted_ns;
		observed->longest_ns = MAX(observed->longest_ns, lasted_ns);
		observed->n_abandoned++;
	}
}

/* Takes the kernel's own schedule of SYNs. */
static void take_schedule(struct observed *observed, const struct record *record)
{
	struct syn_schedule schedule;

	syn_schedule_compute(record->syn_retries, record->syn_linear_timeouts, SYN_RTO_MAX_NS,
			     &schedule);
	observed->schedule_ns = schedule.timeout_ns;
	observed->syn_retries = record->syn_retries;
	observed->syn_linear_timeouts = record->syn_linear_timeouts;
}

/* Counts the different addresses that attempts were made to. */
static size_t count_addresses(const struct history *history)
{
	size_t n_indices = record_n_addresses(history->record), n = 0;
	AUTO_FREE bool *tried = xzalloc((n_indices + 1) * sizeof(*tried));

	for (size_t i = 0; i < history->n_attempts; i++) {
		size_t index = record_address_index(history->record, (uint32_t)i);

		n += !tried[index];
		tried[index] = true;
	}
	return n;
}

static void take_families(struct observed *observed, const struct history *history)
{
	const struct record_attempt *attempts = history->record->attempts;

	observed->fallback_ns = -1;
	observed->n_addresses = count_addresses(history);
	for (size_t i = 0; i < history->n_attempts; i++) {
		bool ipv6 = attempts[i].server.family == AF_INET6;

		observed->n_by_family[ipv6 ? FAMILY_IPV6 : FAMILY_IPV4]++;
		if (observed->fallback_ns < 0 &&
		    attempts[i].server.family != attempts[0].server.family)
			observed->fallback_ns =
				history->attempts[i].started_ns - history->attempts[0].started_ns;
	}
}

struct line {
	const char *text;
	size_t length;
};

/* Finds the line before *@at, which moves to its start, without blanks at its end. */
static bool line_before(const char *data, size_t *at, struct line *ret)
{
	size_t end = *at, start;

	while (end > 0 && strchr(" \t\r\n", data[end - 1]))
		end--;
	start = end;
	while (start > 0 && data[start - 1] != '\n')
		start--;
	*ret = (struct line){data + start, end - start};
	*at = start;
	return end > start;
}

/* Returns whether a line is more than a frame of a stack, a property of an error, or a bracket. */
static bool says_something(const struct line *line)
{
	static const char *const noise[] = {"at ", "Node.js v", "Emitted ", "goroutine ",
					    "exit status "};
	size_t n_letters = 0;

	for (size_t i = 0; i < line->length; i++)
		n_letters += isalpha((unsigned char)line->text[i]) || (line->text[i] & 0x80);
	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		if (line->length >= strlen(noise[i]) &&
		    strncmp(line->text, noise[i], strlen(noise[i])) == 0)
			return false;
	return n_letters >= 3 && !isspace((unsigned char)line->text[0]);
}

/* Returns the last line that says something, otherwise the last that is not blank, or NULL. */
static char *last_line(const struct stream *stream)
{
	const char *data = stream->tail_length ? stream->tail : stream->head;
	size_t at = stream->tail_length ? stream->tail_length : stream->head_length;
	AUTO_STRBUF struct strbuf safe = {0}, text = {0};
	struct strbuf fitted = {0};
	struct line last, line;

	if (!line_before(data, &at, &last))
		return NULL;
	line = last;
	while (!says_something(&line) && line_before(data, &at, &line))
		;
	if (!says_something(&line))
		line = last;
	text_sanitize(&safe, line.text, line.length);
	report_line(&text, strbuf_text(&safe));
	report_fit(&fitted, strbuf_text(&text), SAID_COLUMNS, false);
	return strbuf_steal(&fitted);
}

struct observed observe(const struct record *record)
{
	return observe_followed(record, 0);
}

struct observed observe_followed(const struct record *record, int64_t leftover_timeout_ns)
{
	struct history history = history_make(record);
	const struct event *exit = record_exit(record);
	struct observed observed = {
		.ended = exit && !record_timed_out(record),
		.wait_status = exit ? exit->u.exit.wait_status : 0,
		.duration_ns = exit ? exit->at_ns : 0,
		.harness_lag_ns = MAX(record->harness_lag_ns, 0),
		.client_lag_ns = MAX(record->client_lag_ns, 0),
	};
	int64_t end_ns = MIN(exit ? exit->at_ns : INT64_MAX, history.stopped_ns);

	for (size_t i = 0; i < record->n_events; i++)
		if (record->events[i].kind == EVENT_TIMEOUT)
			end_ns = MIN(end_ns, record->events[i].at_ns);
	/* What comes after synfault has ended the client is not its behaviour. */
	while (!observed.ended && history.n_attempts > 0 &&
	       history.attempts[history.n_attempts - 1].started_ns > end_ns)
		history.n_attempts--;
	observed.n_attempts = history.n_attempts;
	if (end_ns == INT64_MAX)
		end_ns = record->n_events > 0 ? record->events[record->n_events - 1].at_ns : 0;
	for (size_t i = 0; observed.ended && i < history.n_attempts; i++)
		observed.n_after_exit += history.attempts[i].started_ns > exit->at_ns;
	if (observed.n_after_exit > 0)
		end_ns = leftover_timeout_ns > 0 ? exit->at_ns + leftover_timeout_ns : INT64_MAX;
	take_schedule(&observed, record);
	take_backoff(&observed, &history);
	for (size_t i = 0; i < history.n_attempts; i++)
		take_attempt(&observed, &history.attempts[i], end_ns);
	take_families(&observed, &history);
	if (record->n_streams > STREAM_STDERR)
		observed.said = last_line(&record->streams[STREAM_STDERR]);
	if (!observed.said && record->n_streams > STREAM_STDOUT)
		observed.said = last_line(&record->streams[STREAM_STDOUT]);
	history_free(&history);
	return observed;
}

void observed_free(struct observed *observed)
{
	free(observed->backoff_ns);
	free(observed->anew);
	free(observed->backoff_lags_ns);
	free(observed->said);
	*observed = (struct observed){0};
}

/* ---- description ---- */

static void add_label(struct strbuf *out, const char *label)
{
	strbuf_printf(out, "  %-14s", label);
}

/* Adds a range of times: "1.00 s", "1.00 s .. 1.20 s". */
static void add_time(struct strbuf *out, int64_t low_ns, int64_t high_ns)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	duration_format(low_ns, low);
	duration_format(high_ns, high);
	strbuf_puts(out, low);
	if (strcmp(low, high) != 0)
		strbuf_printf(out, " .. %s", high);
}

static void add_attempts(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	size_t low = SIZE_MAX, high = 0;
	bool endless = false;

	for (size_t i = 0; i < n_runs; i++) {
		low = MIN(low, runs[i].n_attempts);
		high = MAX(high, runs[i].n_attempts);
		endless |= !runs[i].ended;
	}
	add_label(out, "attempts");
	strbuf_printf(out, low == high ? "%zu" : "%zu .. %zu", low, high);
	if (endless)
		strbuf_puts(out, " until its time ran out");
	for (size_t i = 0; i < 1 && n_runs > 0; i++)
		if (runs[0].n_by_family[FAMILY_IPV4] && runs[0].n_by_family[FAMILY_IPV6])
			strbuf_printf(out, " (%zu by IPv4, %zu by IPv6)",
				      runs[0].n_by_family[FAMILY_IPV4],
				      runs[0].n_by_family[FAMILY_IPV6]);
	strbuf_putc(out, '\n');
}

static bool any_overlaps(const struct observed *runs, size_t n_runs)
{
	for (size_t i = 0; i < n_runs; i++)
		if (runs[i].overlaps)
			return true;
	return false;
}

struct fit observed_fit(const struct observed *runs, size_t n_runs)
{
	AUTO_FREE struct fit_sequence *sequences = xzalloc((n_runs + 1) * sizeof(*sequences));

	/* Where attempts overlap, there is no time between one and the next. */
	if (any_overlaps(runs, n_runs))
		return (struct fit){.text = xstrdup("attempts overlap")};
	for (size_t i = 0; i < n_runs; i++)
		sequences[i] = (struct fit_sequence){
			.waits_ns = runs[i].backoff_ns,
			.n_waits = runs[i].n_backoff,
			.anew = runs[i].anew,
			.lags_ns = runs[i].backoff_lags_ns,
			.n_addresses = runs[i].n_addresses,
		};
	return fit_waits(sequences, n_runs);
}

static size_t longest_backoff(const struct observed *runs, size_t n_runs)
{
	size_t n = 0;

	for (size_t i = 0; i < n_runs; i++)
		n = MAX(n, runs[i].n_backoff);
	return n;
}

static void add_policy(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	struct fit fit = observed_fit(runs, n_runs);

	/* With a single wait there is nothing to say. */
	if (fit.found || fit.n_fitting > 0 || longest_backoff(runs, n_runs) > 2) {
		add_label(out, fit.found ? "looks like" : "policy");
		strbuf_printf(out, "%s\n", fit.text);
	}
	fit_free(&fit);
}

static void add_backoff(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	size_t n = SIZE_MAX;

	for (size_t i = 0; i < n_runs; i++)
		n = MIN(n, runs[i].n_backoff);
	if (n == 0)
		return;
	add_label(out, "backoff");
	if (any_overlaps(runs, n_runs)) {
		strbuf_puts(out, "none: attempts overlap\n");
		return;
	}
	for (size_t k = 0; k < MIN(n, (size_t)MAX_LISTED); k++) {
		int64_t low_ns = INT64_MAX, high_ns = 0;

		for (size_t i = 0; i < n_runs; i++) {
			low_ns = MIN(low_ns, runs[i].backoff_ns[k]);
			high_ns = MAX(high_ns, runs[i].backoff_ns[k]);
		}
		strbuf_puts(out, k ? ", " : "");
		/* A range this narrow says nothing. */
		if (high_ns - low_ns <= 20 * NS_PER_MS + high_ns / 50)
			low_ns = high_ns;
		add_time(out, low_ns, high_ns);
	}
	strbuf_puts(out, n > MAX_LISTED ? ", …\n" : "\n");
	add_policy(runs, n_runs, out);
}

int64_t observed_longest_open(const struct observed *runs, size_t n_runs)
{
	int64_t longest_ns = -1;

	for (size_t i = 0; i < n_runs; i++)
		if (runs[i].n_open > 0)
			longest_ns = MAX(longest_ns, runs[i].longest_open_ns);
	return longest_ns;
}

int64_t observed_longest_timed_out(const struct observed *runs, size_t n_runs)
{
	int64_t longest_ns = -1;

	for (size_t i = 0; i < n_runs; i++)
		if (runs[i].n_timed_out > 0)
			longest_ns = MAX(longest_ns, runs[i].timed_out_ns);
	return longest_ns;
}

/* Adds how long the client waits at least, where it was not watched until it gave up. */
static void add_waited(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	int64_t open_ns = observed_longest_open(runs, n_runs);
	char text[DURATION_TEXT_SIZE];

	if (open_ns < 0 || observed_longest_timed_out(runs, n_runs) >= 0)
		return;
	add_label(out, "waits");
	strbuf_printf(out, "more than %s for an answer", duration_format(open_ns, text));
	if (open_ns < runs[0].schedule_ns)
		strbuf_printf(out, "; the kernel would end it after %s",
			      duration_format(runs[0].schedule_ns, text));
	strbuf_putc(out, '\n');
}

static void add_left_open(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	size_t n_open = 0;
	bool ended = true;

	for (size_t i = 0; i < n_runs; i++) {
		n_open = MAX(n_open, runs[i].n_open);
		ended &= runs[i].ended && runs[i].n_after_exit == 0;
	}
	add_label(out, "left open");
	if (n_open > 0)
		strbuf_printf(out, "%zu unanswered attempt%s until %s\n", n_open, PLURAL(n_open),
			      ended ? "the client's end" : "synfault ended the client");
	else
		strbuf_puts(out, "none\n");
}

/* Adds how unanswered attempts ended: by the client, by the kernel, or with the client. */
static void add_connect_timeout(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	int64_t low_ns = INT64_MAX, high_ns = 0, kernel_ns;
	char text[DURATION_TEXT_SIZE];
	size_t n_unanswered = 0;

	for (size_t i = 0; i < n_runs; i++) {
		n_unanswered += runs[i].n_abandoned + runs[i].n_timed_out + runs[i].n_open;
		if (runs[i].n_abandoned == 0)
			continue;
		low_ns = MIN(low_ns, runs[i].shortest_ns);
		high_ns = MAX(high_ns, runs[i].longest_ns);
	}
	if (n_unanswered == 0)
		return;
	if (high_ns > 0) {
		add_label(out, "gave up");
		strbuf_puts(out, "on an unanswered attempt after ");
		add_time(out, low_ns, high_ns);
		strbuf_putc(out, '\n');
	} else {
		add_waited(runs, n_runs, out);
	}
	kernel_ns = observed_longest_timed_out(runs, n_runs);
	if (kernel_ns >= 0) {
		add_label(out, "timed out");
		strbuf_printf(out,
			      "by the kernel after %s (tcp_syn_retries %" PRIu32
			      ", tcp_syn_linear_timeouts %" PRIu32 ")\n",
			      duration_format(kernel_ns, text), runs[0].syn_retries,
			      runs[0].syn_linear_timeouts);
	}
	add_left_open(runs, n_runs, out);
}

static void add_fallback(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	int64_t low_ns = INT64_MAX, high_ns = -1;

	for (size_t i = 0; i < n_runs; i++) {
		if (runs[i].fallback_ns < 0)
			continue;
		low_ns = MIN(low_ns, runs[i].fallback_ns);
		high_ns = MAX(high_ns, runs[i].fallback_ns);
	}
	if (high_ns < 0)
		return;
	add_label(out, "fallback");
	strbuf_puts(out, "to the other family after ");
	add_time(out, low_ns, high_ns);
	strbuf_putc(out, '\n');
}

static void add_end(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	int64_t low_ns = INT64_MAX, high_ns = 0;
	const char *before = "";

	add_label(out, "end");
	for (size_t i = 0; i < n_runs; i++) {
		AUTO_STRBUF struct strbuf text = {0};
		bool said = false;

		if (runs[i].ended) {
			low_ns = MIN(low_ns, runs[i].duration_ns);
			high_ns = MAX(high_ns, runs[i].duration_ns);
		}
		for (size_t k = 0; k < i; k++)
			said |= runs[k].ended == runs[i].ended &&
				(!runs[i].ended || runs[k].wait_status == runs[i].wait_status);
		if (said)
			continue;
		if (runs[i].ended)
			attempt_add_wait_status(runs[i].wait_status, &text);
		strbuf_printf(out, "%s%s", before,
			      runs[i].ended ? strbuf_text(&text)
					    : "still running when its time ran out");
		before = ", or ";
	}
	if (high_ns > 0) {
		strbuf_puts(out, " after ");
		add_time(out, low_ns, high_ns);
	}
	strbuf_putc(out, '\n');
}

static void add_left_behind(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < n_runs; i++)
		n = MAX(n, runs[i].n_after_exit);
	if (n == 0)
		return;
	add_label(out, "left behind");
	strbuf_printf(out, "processes that made %zu attempt%s after the client's end\n", n,
		      PLURAL(n));
}

void observed_format(const struct observed *runs, size_t n_runs, struct strbuf *out)
{
	add_attempts(runs, n_runs, out);
	add_backoff(runs, n_runs, out);
	add_connect_timeout(runs, n_runs, out);
	add_fallback(runs, n_runs, out);
	add_end(runs, n_runs, out);
	add_left_behind(runs, n_runs, out);
	if (n_runs > 0 && runs[0].said) {
		add_label(out, "said");
		strbuf_printf(out, "%s\n", runs[0].said);
	}
}
