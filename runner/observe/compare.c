/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares two runs: see compare.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "runner/observe/compare.h"

#include <inttypes.h>
#include <math.h>
#include <pcre2.h>

#include "common/text.h"
#include "runner/observe/observe.h"
#include "runner/report/attempt_view.h"

/* Up to this many times are listed one by one. */
#define MAX_LISTED 6
#define MIN_DRAWS  8
/* Times that differ by less are the same, even if one is twice the other. */
#define NEXT_TO_NOTHING_NS (20.0 * NS_PER_MS)

struct comparison {
	const struct record *before_record, *after_record;
	struct observed before, after;
	double scale;
	bool random_backoff;
	int64_t lag_ns; /* of both runs together */
	struct change_list *list;
};

void change_add(struct change_list *list, const char *what, char *before, char *after, char *note)
{
	array_append(list->items, list->n_items, list->capacity,
		     (struct change){what, before, after, note});
}

void change_list_free(struct change_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		free(list->items[i].before);
		free(list->items[i].after);
		free(list->items[i].note);
	}
	free(list->items);
	*list = (struct change_list){0};
}

static void add(struct comparison *self, const char *what, char *before, char *after)
{
	change_add(self->list, what, before, after, NULL);
}

/* ---- times ---- */

static char *time_words(int64_t time_ns)
{
	char text[DURATION_TEXT_SIZE];

	return xstrdup(duration_format(time_ns, text));
}

/*
 * Allows the default tolerance of @n times together plus the lag of both runs. Half the time is a
 * difference unless both are next to nothing.
 */
static bool times_differ(const struct comparison *self, int64_t before_ns, int64_t after_ns,
			 size_t n)
{
	const struct tolerance tolerance = TOLERANCE_DEFAULT;
	double longer = (double)MAX(before_ns, after_ns);
	double allowed = (double)n * (double)tolerance.absolute_ns + tolerance.relative * longer;

	allowed = MIN(allowed, MAX(longer / 2, (double)n * NEXT_TO_NOTHING_NS));
	return fabs((double)(after_ns - before_ns)) > allowed * self->scale + (double)self->lag_ns;
}

/* ---- backoff ---- */

static char *backoff_text(const struct observed *observed, const struct fit *fit)
{
	AUTO_STRBUF struct strbuf text = {0};

	if (observed->n_backoff == 0)
		return xstrdup("none");
	if (fit->found)
		return xstrdup(fit->text);
	for (size_t i = 0; i < MIN(observed->n_backoff, (size_t)MAX_LISTED); i++) {
		AUTO_FREE char *wait = time_words(observed->backoff_ns[i]);

		strbuf_printf(&text, "%s%s", i > 0 ? ", " : "", wait);
	}
	if (observed->n_backoff > MAX_LISTED)
		strbuf_printf(&text, ", … (%zu)", observed->n_backoff);
	return xstrdup(strbuf_text(&text));
}

/*
 * Returns whether one policy with jitter can have produced the backoff of both runs: together they
 * deviate from it no more than chance allows (Kolmogorov-Smirnov test at the 5 % level).
 */
static bool same_jitter(const struct comparison *self)
{
	const struct observed both[] = {self->before, self->after};
	struct fit fit = observed_fit(both, 2);
	size_t n = self->before.n_backoff + self->after.n_backoff;
	/* A few draws fit almost any policy. */
	bool same = n >= MIN_DRAWS && fit.found && fit.policy.jitter != JITTER_NONE &&
		    fit.misfit <= 1.36 / sqrt((double)n);

	fit_free(&fit);
	return same;
}

static bool is_plain(const struct fit *fit)
{
	return fit->found && fit->policy.jitter == JITTER_NONE;
}

/* Describes each backoff that differs between the runs; NULL: none does. */
static char *differing_backoff(const struct comparison *self)
{
	size_t n = MIN(self->before.n_backoff, self->after.n_backoff), found = 0;
	AUTO_STRBUF struct strbuf text = {0};

	for (size_t i = 0; i < n; i++) {
		int64_t before_ns = self->before.backoff_ns[i],
			after_ns = self->after.backoff_ns[i];
		AUTO_FREE char *before = time_words(before_ns), *after = time_words(after_ns);

		if (!times_differ(self, before_ns, after_ns, 1) || ++found > MAX_LISTED)
			continue;
		strbuf_printf(&text, "%sbackoff %zu: %s, now %s", found > 1 ? "; " : "", i + 1,
			      before, after);
	}
	if (found > MAX_LISTED)
		strbuf_printf(&text, "; %zu more", found - MAX_LISTED);
	return found > 0 ? xstrdup(strbuf_text(&text)) : NULL;
}

/* Returns whether backoff is random, so that differences which follow from it mean nothing. */
static bool compare_backoff(struct comparison *self)
{
	AUTO_FREE char *note = differing_backoff(self);
	struct fit before, after;
	bool same;

	if (!note)
		return false;
	if (self->random_backoff)
		return true;
	before = observed_fit(&self->before, 1);
	after = observed_fit(&self->after, 1);
	/* Two runs that fit the same policy agree, jitter included. */
	same = before.found && after.found && strcmp(before.text, after.text) == 0;
	same = same || (!is_plain(&before) && !is_plain(&after) && same_jitter(self));
	if (!same)
		change_add(self->list, "backoff", backoff_text(&self->before, &before),
			   backoff_text(&self->after, &after), steal_pointer(&note));
	fit_free(&before);
	fit_free(&after);
	return same;
}

/* ---- messages ---- */

/* Replaces each match by "#"; the caller owns the text. */
static char *mask(const pcre2_code *code, const char *message)
{
	PCRE2_SIZE length = strlen(message) * 2 + 1;
	char *masked = xmalloc(length);

	if (pcre2_substitute(code, (PCRE2_SPTR)message, PCRE2_ZERO_TERMINATED, 0,
			     PCRE2_SUBSTITUTE_GLOBAL, NULL, NULL, (PCRE2_SPTR) "#", 1,
			     (PCRE2_UCHAR *)masked, &length) >= 0)
		return masked;
	free(masked);
	return xstrdup(message);
}

bool messages_equal(const char *left, const char *right)
{
	/* Times with a unit, clock times, ports, process ids, hexadecimal and long numbers. */
	static const char pattern[] = "\\b0x[0-9a-fA-F]+\\b"
				      "|\\b\\d+(?:\\.\\d+)?\\s*(?:ns|us|µs|ms|s|(?:nano|micro|"
				      "milli)s\\w*|secs?|seconds?|min|minutes?|h)\\b"
				      "|\\b\\d+:\\d+:\\d+(?:[.,]\\d+)?\\b"
				      "|(?<=[:\\[#])\\d+|(?<=port )\\d+|(?<=pid )\\d+|\\d{5,}";
	PCRE2_SIZE offset;
	int error;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF,
					 &error, &offset, NULL);
	AUTO_FREE char *masked_left = NULL, *masked_right = NULL;

	if (!code)
		abort();
	masked_left = mask(code, left);
	masked_right = mask(code, right);
	pcre2_code_free(code);
	return strcmp(masked_left, masked_right) == 0;
}

/* ---- the rest ---- */

static char *number_text(size_t number)
{
	return xasprintf("%zu", number);
}

static void compare_numbers(struct comparison *self, const char *what, size_t before, size_t after)
{
	if (before != after)
		add(self, what, number_text(before), number_text(after));
}

static char *exit_text(const struct observed *observed)
{
	struct strbuf text = {0};

	if (!observed->ended)
		return xstrdup("still running when its time ran out");
	attempt_add_wait_status(observed->wait_status, &text);
	return strbuf_steal(&text);
}

/* Returns how long the client gave unanswered attempts. */
static char *connect_timeout_text(const struct observed *observed)
{
	AUTO_FREE char *shortest = time_words(observed->shortest_ns);
	AUTO_FREE char *longest = time_words(observed->longest_ns);

	if (observed->n_abandoned == 0)
		return xstrdup(observed->n_timed_out ? "none: the kernel ended the attempt"
			       : observed->n_open    ? "none: it never gave up"
						     : "none");
	return strcmp(shortest, longest) == 0 ? steal_pointer(&shortest)
					      : xasprintf("%s to %s", shortest, longest);
}

static void compare_connect_timeout(struct comparison *self)
{
	const struct observed *before = &self->before, *after = &self->after;
	bool both = before->n_abandoned > 0 && after->n_abandoned > 0;

	if (before->n_abandoned + after->n_abandoned == 0)
		return;
	if (!both || times_differ(self, before->shortest_ns, after->shortest_ns, 1) ||
	    times_differ(self, before->longest_ns, after->longest_ns, 1))
		add(self, "connect-timeout", connect_timeout_text(before),
		    connect_timeout_text(after));
}

static size_t attempts_at(const struct record *record, size_t endpoint)
{
	size_t n = 0;

	for (size_t i = 0; i < record->n_attempts; i++)
		n += record->attempts[i].endpoint == endpoint;
	return n;
}

/* Formats attempts: "api 3, standby 2"; with a single endpoint just the number. */
static char *attempts_text(const struct record *record)
{
	struct strbuf text = {0};

	if (record->n_endpoints <= 1)
		return number_text(record->n_attempts);
	for (size_t i = 0; i < record->n_endpoints; i++)
		strbuf_printf(&text, "%s%s %zu", i > 0 ? ", " : "", record->endpoints[i].name,
			      attempts_at(record, i));
	return strbuf_steal(&text);
}

static void compare_attempts(struct comparison *self)
{
	const struct record *before = self->before_record, *after = self->after_record;
	bool differ = before->n_attempts != after->n_attempts;

	for (size_t i = 0; i < MIN(before->n_endpoints, after->n_endpoints); i++)
		differ = differ || attempts_at(before, i) != attempts_at(after, i);
	if (differ)
		add(self, "attempts", attempts_text(before), attempts_text(after));
}

static char *faults_text(const struct record *record)
{
	struct strbuf text = {0};

	for (size_t i = 0; i < record->n_endpoints; i++)
		strbuf_printf(&text, "%s%s: %s", i > 0 ? "; " : "", record->endpoints[i].name,
			      record->endpoints[i].script);
	return strbuf_steal(&text);
}

/* Returns whether both clients met the same faults; adds a difference if not. */
static bool same_faults(struct comparison *self)
{
	const struct record *before = self->before_record, *after = self->after_record;
	char *before_text = faults_text(before), *after_text = faults_text(after);

	if (strcmp(before_text, after_text) == 0) {
		free(before_text);
		free(after_text);
		return true;
	}
	change_add(self->list, "faults", before_text, after_text,
		   xstrdup("the scenarios differ, so the rest is not compared"));
	return false;
}

/* Returns the client's duration without the random delays of the fault script. */
static int64_t own_time(const struct observed *observed, const struct record *record)
{
	int64_t time_ns = observed->duration_ns;

	for (size_t i = 0; i < record->n_attempts; i++)
		time_ns -= MIN(record->attempts[i].delay_ns, time_ns);
	return time_ns;
}

static void compare_end(struct comparison *self, bool jitter)
{
	const struct observed *before = &self->before, *after = &self->after;
	size_t n_times = MAX(before->n_backoff, after->n_backoff) + 1;
	char *before_end = exit_text(before), *after_end = exit_text(after);

	if (strcmp(before_end, after_end) != 0) {
		add(self, "end", before_end, after_end);
	} else {
		free(before_end);
		free(after_end);
	}
	if (!before->said != !after->said ||
	    (before->said && !messages_equal(before->said, after->said)))
		add(self, "last line", xstrdup(before->said ? before->said : "nothing"),
		    xstrdup(after->said ? after->said : "nothing"));
	if (!jitter && before->ended && after->ended &&
	    times_differ(self, own_time(before, self->before_record),
			 own_time(after, self->after_record), n_times))
		add(self, "duration", time_words(before->duration_ns),
		    time_words(after->duration_ns));
}

void compare_records(const struct record *before, const struct record *after,
		     const struct compare_options *options, struct change_list *list)
{
	struct comparison self = {
		.before_record = before,
		.after_record = after,
		.scale = options->timing_scale,
		.random_backoff = options->random_backoff,
		.list = list,
	};
	bool jitter;

	self.lag_ns = MAX(before->harness_lag_ns, 0) + MAX(before->client_lag_ns, 0) +
		      MAX(after->harness_lag_ns, 0) + MAX(after->client_lag_ns, 0);
	if (!same_faults(&self))
		return;
	self.before = observe(before);
	self.after = observe(after);
	compare_attempts(&self);
	jitter = compare_backoff(&self);
	compare_connect_timeout(&self);
	compare_numbers(&self, "connections", self.before.n_connected, self.after.n_connected);
	compare_numbers(&self, "attempts left open", self.before.n_open, self.after.n_open);
	if (self.before.n_by_family[FAMILY_IPV6] != self.after.n_by_family[FAMILY_IPV6] &&
	    before->n_attempts == after->n_attempts)
		compare_numbers(&self, "attempts over IPv6", self.before.n_by_family[FAMILY_IPV6],
				self.after.n_by_family[FAMILY_IPV6]);
	compare_end(&self, jitter);
	observed_free(&self.before);
	observed_free(&self.after);
}
