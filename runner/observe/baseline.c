/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes baselines: see baseline.h.
 *
 * A draft starts with every possible expectation. It is written as text, loaded like a file, and
 * used to judge every record. While one does not pass, the least certain expectation is dropped. So
 * every observed run passes the written file.
 */
#include "runner/observe/baseline.h"

#include "runner/record/history.h"

#include <inttypes.h>
#include <sys/wait.h>

#include "common/signal_names.h"
#include "common/text.h"
#include "runner/judge/judge.h"
#include "runner/observe/outliers.h"
#include "runner/report/result.h"
#include "runner/scenario/step_list.h"

/* Possible expectations, the least certain last. */
enum part {
	PART_EXIT,
	PART_ATTEMPTS,
	PART_STDERR,
	PART_FALLBACK,
	PART_CONNECT_TIMEOUT,
	PART_BACKOFF,
	N_PARTS,
};

/* Covers the time that processes wait for each other on a machine with other work. */
#define TOLERANCE_TEXT "{absolute: 250ms, relative: 10%}"
/* A few draws say little about the range of random backoff: multiply the longest. */
enum { RANGE_FACTOR = 10 };
/* If the number of attempts depends on time, allow one sixth more or fewer, plus one. */
enum { SLACK_PART = 6 };
/* Shorter times may be none: the client learns of an attempt's end a moment before we do. */
#define SHORTEST_NS (10 * NS_PER_MS)
/* How much later than observed a fallback may be. */
#define FALLBACK_SLACK_NS (250 * NS_PER_MS)
/* An expected pause this short is none at all: only its upper bound is expected. */
#define NEXT_TO_NOTHING_NS (20 * NS_PER_MS)
#define NOTHING_TEXT       "0s..100ms"
/* An attempt this close to the end of an outage may come before or after it. */
#define NEAR_NS (300 * NS_PER_MS)

/* Common texts for errors from the kernel; the first that occurs in all runs is expected. */
static const char *const phrases[] = {
	"Connection refused",
	"connection refused",
	"ECONNREFUSED",
	"Connection timed out",
	"connection timed out",
	"Operation timed out",
	"timed out",
	"timeout",
	"Timeout",
	"No route to host",
	"no route to host",
	"EHOSTUNREACH",
	"Network is unreachable",
	"Connection reset",
	"connection reset",
	"ECONNRESET",
	"Failed to connect",
	"Couldn't connect",
};

struct draft {
	const struct baseline *baseline;
	const struct standard_fault *item;
	struct record *const *records;
	const struct observed *runs;
	size_t n_runs;
	bool endless;  /* a run's time ran out */
	bool followed; /* processes that the client left behind went on connecting */
	size_t fewest, most;
	bool wanted[N_PARTS];
	char *objection; /* owned; the last reason why a run does not pass */
};

static bool contains(const struct stream *stream, const char *text)
{
	return memmem(stream->head, stream->head_length, text, strlen(text)) ||
	       memmem(stream->tail, stream->tail_length, text, strlen(text));
}

static const char *find_phrase(const struct draft *draft)
{
	for (size_t p = 0; p < ARRAY_SIZE(phrases); p++) {
		size_t n = 0;

		while (n < draft->n_runs &&
		       contains(&draft->records[n]->streams[STREAM_STDERR], phrases[p]))
			n++;
		if (n == draft->n_runs)
			return phrases[p];
	}
	return NULL;
}

/* ---- the parts of an expectation ---- */

static void write_exit(const struct draft *draft, struct yaml_writer *writer)
{
	int status = draft->runs[0].wait_status;

	yaml_text(writer, "exit");
	if (WIFSIGNALED(status)) {
		yaml_mapping(writer, true);
		yaml_pair(writer, "signal", "%s", signal_name(WTERMSIG(status)));
		yaml_end(writer);
		return;
	}
	yaml_printf(writer, "%d", WEXITSTATUS(status));
}

/* Returns whether an attempt came so close to the end of the outage that it hangs on timing. */
static bool hangs_on_timing(const struct draft *draft, const struct record *record)
{
	struct history history = history_make(record);
	bool near = false;

	for (size_t i = 1; draft->item->timed && i < history.n_attempts; i++)
		near |= llabs(history.attempts[i].started_ns - history.attempts[0].started_ns -
			      STANDARD_OUTAGE_NS) < NEAR_NS;
	history_free(&history);
	return near;
}

/* Returns whether all runs ended the same way, and the language can say it. */
static bool exit_is_known(const struct draft *draft)
{
	int status = draft->runs[0].wait_status;

	for (size_t i = 0; i < draft->n_runs; i++)
		if (draft->runs[i].wait_status != status ||
		    hangs_on_timing(draft, draft->records[i]))
			return false;
	return !draft->endless && (!WIFSIGNALED(status) || signal_name(WTERMSIG(status)));
}

/* The client's end, or its timeout, can cut off or add an attempt. */
static struct range attempts_range(const struct draft *draft)
{
	bool exact = !draft->endless && !draft->item->timed && draft->fewest == draft->most;
	int64_t slack = exact ? 0 : 1 + (int64_t)(draft->most / SLACK_PART);

	/* Of processes that were ended, the end decided how many there were. */
	if (draft->endless || draft->followed)
		return (struct range){
			.low = MAX((int64_t)draft->fewest / 2, (int64_t)1),
			.high = 2 * (int64_t)draft->most + 1,
		};
	return (struct range){
		.low = MAX((int64_t)draft->fewest - slack, 1),
		.high = (int64_t)draft->most + slack,
	};
}

static void write_attempts(const struct draft *draft, struct yaml_writer *writer)
{
	struct range range = attempts_range(draft);

	if (draft->most == 0)
		yaml_pair(writer, "attempts", "0");
	else if (range.low == range.high)
		yaml_pair(writer, "attempts", "%" PRId64, range.low);
	else
		yaml_pair(writer, "attempts", "%" PRId64 "..%" PRId64, range.low, range.high);
}

/* Finds the k-th backoff of all runs; returns false if it differs too much between them. */
static bool same_backoff(const struct draft *draft, size_t k, int64_t *ret_ns)
{
	int64_t low_ns = INT64_MAX, high_ns = 0;

	for (size_t i = 0; i < draft->n_runs; i++) {
		int64_t backoff_ns = draft->runs[i].backoff_ns[k];

		low_ns = MIN(low_ns, backoff_ns);
		high_ns = MAX(high_ns, backoff_ns);
	}
	/* A busy machine makes pauses longer, not shorter. */
	*ret_ns = low_ns;
	return times_are_alike(low_ns, high_ns);
}

static size_t n_common_backoff(const struct draft *draft)
{
	return draft->fewest > 0 ? draft->fewest - 1 : 0;
}

static bool backoff_is_planned(const struct draft *draft)
{
	int64_t backoff_ns;

	if (draft->baseline->draws)
		return false;
	for (size_t k = 0; k < n_common_backoff(draft); k++)
		if (!same_backoff(draft, k, &backoff_ns))
			return false;
	return true;
}

static int64_t round_to(int64_t value_ns, int64_t unit_ns)
{
	return (value_ns + unit_ns / 2) / unit_ns * unit_ns;
}

/* Rounds to a figure that a person would have configured: 1.004 s is 1 s. */
static int64_t rounded(int64_t value_ns)
{
	int64_t unit_ns = NS_PER_MS;

	for (int64_t coarse = 10 * NS_PER_MS; coarse <= NS_PER_S; coarse *= 10) {
		int64_t off_ns = llabs(round_to(value_ns, coarse) - value_ns);

		if (off_ns <= 5 * NS_PER_MS + value_ns / 100 && round_to(value_ns, coarse) > 0)
			unit_ns = coarse;
	}
	return round_to(value_ns, unit_ns);
}

static void write_list(const struct draft *draft, struct yaml_writer *writer)
{
	yaml_list(writer, true);
	for (size_t k = 0; k < n_common_backoff(draft); k++) {
		char text[DURATION_TEXT_SIZE];
		int64_t backoff_ns;

		same_backoff(draft, k, &backoff_ns);
		if (backoff_ns < NEXT_TO_NOTHING_NS)
			yaml_text(writer, NOTHING_TEXT);
		else
			yaml_text(writer, duration_format_exact(rounded(backoff_ns), text));
	}
	yaml_end(writer);
}

/* Random backoff: no lower bound, and an upper bound far above the longest draw. */
static void write_range(const struct draft *draft, struct yaml_writer *writer)
{
	struct policy policy = policy_plain(POLICY_RANGE, 0);
	AUTO_STRBUF struct strbuf text = {0};

	policy.cap_ns = 0;
	for (size_t i = 0; i < draft->n_runs; i++)
		for (size_t k = 0; k < draft->runs[i].n_backoff; k++)
			policy.cap_ns = MAX(policy.cap_ns, draft->runs[i].backoff_ns[k]);
	policy.cap_ns = rounded(policy.cap_ns * RANGE_FACTOR);
	policy_write(&policy, &text);
	yaml_snippet(writer, strbuf_text(&text));
}

static void write_backoff(const struct draft *draft, struct yaml_writer *writer)
{
	struct fit fit = observed_fit(draft->runs, draft->n_runs);
	bool exact = attempts_range(draft).low == attempts_range(draft).high;
	bool planned = backoff_is_planned(draft), single = n_common_backoff(draft) == 1;
	AUTO_STRBUF struct strbuf text = {0};

	yaml_text(writer, "backoff");
	policy_write(&fit.policy, &text);
	if (planned && fit.found && fit.expressible && fit.policy.jitter == JITTER_NONE &&
	    !(single && exact))
		yaml_snippet(writer, strbuf_text(&text));
	else if (planned && exact)
		write_list(draft, writer);
	else
		write_range(draft, writer);
	fit_free(&fit);
}

/*
 * Finds how long at least and at most the client gave unanswered attempts. If its time ran out, the
 * last attempt ended with the process, which looks like giving up: then it is unknown.
 */
static bool find_given_up(const struct draft *draft, int64_t *ret_low_ns, int64_t *ret_high_ns)
{
	int64_t low_ns = INT64_MAX, high_ns = 0;

	for (size_t i = 0; i < draft->n_runs; i++) {
		const struct observed *run = &draft->runs[i];

		if (run->n_abandoned == 0 || run->n_open > 0 || run->n_timed_out > 0)
			return false;
		low_ns = MIN(low_ns, run->shortest_ns);
		high_ns = MAX(high_ns, run->longest_ns);
	}
	*ret_low_ns = low_ns;
	*ret_high_ns = high_ns;
	return !draft->endless && !draft->followed && low_ns >= SHORTEST_NS;
}

static bool connect_timeout_is_known(const struct draft *draft, int64_t *ret_ns)
{
	int64_t low_ns, high_ns;

	if (!find_given_up(draft, &low_ns, &high_ns) || !times_are_alike(low_ns, high_ns))
		return false;
	*ret_ns = rounded(low_ns);
	return true;
}

static void write_connect_timeout(const struct draft *draft, struct yaml_writer *writer)
{
	char text[DURATION_TEXT_SIZE];
	int64_t timeout_ns = 0;

	if (connect_timeout_is_known(draft, &timeout_ns))
		yaml_pair(writer, "connect-timeout", "%s", duration_format_exact(timeout_ns, text));
}

/* Finds the longest time of the fallback to IPv4; returns false unless every run fell back. */
static bool fallback_is_known(const struct draft *draft, int64_t *ret_ns)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < draft->n_runs; i++) {
		if (draft->runs[i].fallback_ns < 0)
			return false;
		longest_ns = MAX(longest_ns, draft->runs[i].fallback_ns);
	}
	*ret_ns = longest_ns;
	return draft->item->dual;
}

static void write_fallback(const struct draft *draft, struct yaml_writer *writer)
{
	char text[DURATION_TEXT_SIZE];
	int64_t longest_ns = 0;

	if (!fallback_is_known(draft, &longest_ns))
		return;
	yaml_text(writer, "fallback");
	yaml_mapping(writer, true);
	yaml_pair(writer, "from", "ipv6");
	yaml_pair(writer, "to", "ipv4");
	longest_ns = rounded(longest_ns + longest_ns / 4 + FALLBACK_SLACK_NS);
	yaml_pair(writer, "within", "%s", duration_format_exact(longest_ns, text));
	yaml_end(writer);
}

static bool backoff_is_known(const struct draft *draft)
{
	for (size_t i = 0; i < draft->n_runs; i++) {
		if (draft->runs[i].overlaps)
			return false;
		/* On a busy machine the end of an unanswered attempt is not exact. */
		for (size_t k = 0; k < draft->runs[i].n_backoff; k++)
			if (draft->runs[i].n_abandoned > 0 &&
			    draft->runs[i].backoff_ns[k] < NEXT_TO_NOTHING_NS)
				return false;
	}
	/* With one attempt fewer there may be no backoff to judge. */
	return attempts_range(draft).low > 1;
}

/* ---- the document ---- */

/* Pins the settings that decide when the kernel ends an attempt, if it ended one. */
static void write_kernel(const struct draft *draft, struct yaml_writer *writer)
{
	const struct observed *run = &draft->runs[0];

	if (observed_longest_timed_out(draft->runs, draft->n_runs) < 0)
		return;
	yaml_text(writer, "kernel");
	yaml_mapping(writer, true);
	yaml_pair(writer, "tcp_syn_retries", "%" PRIu32, run->syn_retries);
	/* Before Linux 6.5 there is no such setting. */
	if (run->syn_linear_timeouts > 0)
		yaml_pair(writer, "tcp_syn_linear_timeouts", "%" PRIu32, run->syn_linear_timeouts);
	yaml_end(writer);
}

static void write_document(const struct draft *draft, struct strbuf *out)
{
	static const char *const dual[] = {"ipv6", "ipv4", NULL};
	const struct baseline *baseline = draft->baseline;
	AUTO_STRV char **faults = step_list_split(draft->item->faults);
	struct yaml_writer *writer = yaml_writer_new(out);
	char text[DURATION_TEXT_SIZE];

	adhoc_scenario_write(
		&(struct adhoc_scenario){
			.name = draft->item->name,
			.faults = (const char *const *)faults,
			.families = draft->item->dual ? dual : NULL,
			.hostname = draft->item->dual ? "server.test" : NULL,
			.serve = baseline->serve,
			.port = baseline->port,
			.timeout_ns = 2 * baseline->timeout_ns + 10 * NS_PER_S,
			.leftover_timeout_ns = draft->followed ? baseline->timeout_ns : 0,
		},
		writer);
	if (draft->endless)
		yaml_pair(writer, "run-for", "%s",
			  duration_format_exact(baseline->timeout_ns, text));
	write_kernel(draft, writer);
	yaml_text(writer, "expect");
	yaml_mapping(writer, false);
	yaml_text(writer, "tolerance");
	yaml_snippet(writer, TOLERANCE_TEXT);
	if (draft->wanted[PART_EXIT])
		write_exit(draft, writer);
	if (draft->wanted[PART_ATTEMPTS])
		write_attempts(draft, writer);
	if (draft->wanted[PART_BACKOFF])
		write_backoff(draft, writer);
	if (draft->wanted[PART_CONNECT_TIMEOUT])
		write_connect_timeout(draft, writer);
	if (draft->wanted[PART_FALLBACK])
		write_fallback(draft, writer);
	if (draft->wanted[PART_STDERR]) {
		yaml_text(writer, "stderr");
		yaml_mapping(writer, true);
		yaml_pair(writer, "contains", "%s", find_phrase(draft));
		yaml_end(writer);
	}
	yaml_writer_finish(writer);
}

/*
 * Changes the record as if "run-for" had ended a client whose time ran out. Returns the original
 * events, owned by the caller.
 */
static struct event *pretend_stop(struct record *record)
{
	struct event *before = xmemdup(record->events, record->n_events * sizeof(*before));

	for (size_t i = 0; i < record->n_events; i++) {
		struct event *event = &record->events[i];

		if (event->kind == EVENT_TIMEOUT)
			*event = (struct event){.kind = EVENT_STOP, .at_ns = event->at_ns};
	}
	return before;
}

static bool record_passes(struct draft *draft, const struct scenario *scenario,
			  struct record *record)
{
	struct event *before = draft->endless ? pretend_stop(record) : NULL;
	struct judgement judgement = judge(scenario, record, NULL);
	/* A late run was not judged, which does not contradict the draft. */
	bool passes = judgement.outcome == OUTCOME_PASS || judgement_is_late(&judgement);

	if (!passes && judgement.n_findings > 0) {
		struct strbuf line = {0};

		report_line(&line, judgement.findings[0].message);
		free(draft->objection);
		draft->objection = strbuf_steal(&line);
	}
	judgement_free(&judgement);
	if (before) {
		memcpy(record->events, before, record->n_events * sizeof(*before));
		free(before);
	}
	return passes;
}

/* Returns whether every run passes the draft as written. */
static bool all_pass(struct draft *draft)
{
	AUTO_STRBUF struct strbuf text = {0};
	struct scenario_file *file;
	bool good;

	baseline_begin(draft->baseline, &text);
	strbuf_puts(&text, "---\n");
	write_document(draft, &text);
	file = scenario_file_parse("", strbuf_text(&text), text.length);
	good = file->n_scenarios == 1;
	for (size_t i = 0; good && i < draft->n_runs; i++)
		good = record_passes(draft, file->scenarios[0], draft->records[i]);
	scenario_file_free(file);
	return good;
}

static struct draft make_draft(const struct baseline *baseline, const struct standard_fault *item,
			       struct record *const *records, const struct observed *runs,
			       size_t n_runs)
{
	struct draft draft = {
		.baseline = baseline,
		.item = item,
		.records = records,
		.runs = runs,
		.n_runs = n_runs,
		.fewest = SIZE_MAX,
	};
	bool off = times_are_off(runs, n_runs);
	int64_t known_ns;

	for (size_t i = 0; i < n_runs; i++) {
		draft.fewest = MIN(draft.fewest, runs[i].n_attempts);
		draft.most = MAX(draft.most, runs[i].n_attempts);
		draft.endless |= !runs[i].ended;
		draft.followed |= runs[i].n_after_exit > 0;
	}
	draft.wanted[PART_EXIT] = exit_is_known(&draft);
	draft.wanted[PART_ATTEMPTS] = true;
	/* What a client wrote before it was ended may be cut off. */
	draft.wanted[PART_STDERR] = !draft.endless && find_phrase(&draft) != NULL;
	draft.wanted[PART_BACKOFF] = !off && backoff_is_known(&draft);
	draft.wanted[PART_CONNECT_TIMEOUT] = !off && connect_timeout_is_known(&draft, &known_ns);
	draft.wanted[PART_FALLBACK] = fallback_is_known(&draft, &known_ns);
	return draft;
}

void baseline_begin(const struct baseline *baseline, struct strbuf *out)
{
	struct yaml_writer *writer;

	strbuf_puts(out, "# SPDX-License-Identifier: MIT OR CC0-1.0\n"
			 "# Observed behaviour of a client, written by `synfault record`.\n"
			 "# Each scenario expects the client to behave the same again.\n");
	if (baseline->doubtful)
		strbuf_printf(out,
			      "# The machine was too slow to tell %s:\n"
			      "# values in doubt are not expected, or only bounded. Record "
			      "again on an idle machine.\n",
			      baseline->single
				      ? "which times are the client's own"
				      : "which differences between runs the client caused");
	writer = yaml_writer_new(out);
	yaml_mapping(writer, false);
	yaml_text(writer, "defaults");
	yaml_mapping(writer, false);
	yaml_text(writer, "client");
	yaml_mapping(writer, false);
	yaml_texts(writer, "command", (const char *const *)baseline->command);
	yaml_writer_finish(writer);
}

/* Drops expectations until every run passes. Returns false if none is left. */
static bool weaken(struct draft *draft)
{
	size_t part = N_PARTS;

	if (all_pass(draft))
		return true;
	/* Often a single expectation is to blame. */
	for (size_t one = N_PARTS; one-- > 0;) {
		if (!draft->wanted[one])
			continue;
		draft->wanted[one] = false;
		if (all_pass(draft))
			return true;
		draft->wanted[one] = true;
	}
	while (!all_pass(draft)) {
		while (part > 0 && !draft->wanted[part - 1])
			part--;
		if (part == 0)
			return false;
		draft->wanted[--part] = false;
	}
	return true;
}

bool baseline_draws_backoff(const struct observed *runs, size_t n_runs, const bool *seen)
{
	bool more = true;

	for (size_t k = 0; more; k++) {
		int64_t low_ns = INT64_MAX, high_ns = 0;

		more = false;
		for (size_t i = 0; i < n_standard_faults * n_runs; i++) {
			const struct standard_fault *item = &standard_faults[i / n_runs];

			if (!seen[i / n_runs] || !standard_faults_begins_with_refusal(item) ||
			    k >= runs[i].n_backoff)
				continue;
			low_ns = MIN(low_ns, runs[i].backoff_ns[k]);
			high_ns = MAX(high_ns, runs[i].backoff_ns[k]);
			more = true;
		}
		if (more && !times_are_alike(low_ns, high_ns))
			return true;
	}
	return false;
}

bool baseline_is_silent(struct record *const *records, size_t n_records)
{
	bool silent = true;

	for (size_t i = 0; silent && i < n_records; i++) {
		struct history history = history_make(records[i]);

		/* A FIN can count as one byte of the connection. */
		for (size_t k = 0; k < history.n_attempts; k++)
			silent &= history.details[k].bytes_sent <= 1 &&
				  history.details[k].bytes_received <= 1;
		history_free(&history);
	}
	return silent;
}

static void begin_item(const struct standard_fault *item, struct strbuf *out)
{
	strbuf_printf(out, "---\n# %s: %s\n", item->name, item->asks);
}

void baseline_add_unseen(const struct standard_fault *item, const char *obstacle,
			 struct strbuf *out)
{
	begin_item(item, out);
	strbuf_puts(out, "# Nothing expected, because this fault was not observed: ");
	report_line(out, obstacle);
	strbuf_putc(out, '\n');
}

/* Returns whether the client, which may wait for a greeting, outlived the reset in every run. */
static bool meets_reset(const struct draft *draft)
{
	bool meets = true;

	for (size_t i = 0; i < draft->n_runs; i++) {
		struct history history = history_make(draft->records[i]);
		const struct event *exit = history_exit(&history);
		int64_t reset_ns = history.n_attempts > 0
					   ? attempt_fault_ns(&history.attempts[0], FAULT_RESET)
					   : INT64_MAX;

		meets = meets && exit && reset_ns < event_earliest_ns(exit) - SHORTEST_NS;
		history_free(&history);
	}
	return meets;
}

bool baseline_add(const struct baseline *baseline, const struct standard_fault *item,
		  struct record *const *records, const struct observed *runs, size_t n_runs,
		  struct strbuf *out)
{
	struct draft draft = make_draft(baseline, item, records, runs, n_runs);
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];
	int64_t low_ns, high_ns;
	bool good;

	begin_item(item, out);
	if (draft.most == 0) {
		strbuf_puts(out, "# Nothing expected: the client never tried to connect.\n");
		return false;
	}
	if (item->needs_talk && baseline->silent && !meets_reset(&draft)) {
		strbuf_puts(out, "# Nothing expected: the client neither sends nor reads, so "
				 "whether it meets this fault is chance.\n");
		return false;
	}
	good = weaken(&draft);
	if (!good)
		strbuf_printf(out, "# Nothing expected: %s\n",
			      draft.objection ? draft.objection : "the runs agree on nothing");
	free(draft.objection);
	if (!good)
		return false;
	if (draft.endless)
		strbuf_puts(
			out,
			"# The client did not stop in time: it is ended after \"run-for\". Whether "
			"it would give up is unknown.\n");
	if (times_are_off(runs, n_runs)) {
		strbuf_puts(out, "# Times are not expected: the machine was too slow to tell.\n");
	} else {
		if (!draft.wanted[PART_BACKOFF] && draft.fewest > 2)
			strbuf_puts(out,
				    "# Backoff is not expected: it differs from run to run.\n");
		if (find_given_up(&draft, &low_ns, &high_ns) && !times_are_alike(low_ns, high_ns))
			strbuf_printf(out,
				      "# A connect timeout is not expected: the client gave up "
				      "after %s to %s.\n",
				      duration_format(low_ns, low), duration_format(high_ns, high));
	}
	write_document(&draft, out);
	return true;
}
