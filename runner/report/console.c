/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal. Each block of output is made in memory and written at once by emit(). Only emit()
 * writes: it first erases the progress line, and writes ASCII if the locale is not UTF-8.
 */
#include "runner/report/console.h"

#include <langinfo.h>
#include <sys/ioctl.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/report/assessment_text.h"
#include "runner/report/attempt_table.h"

#define DEFAULT_COLUMNS   80
#define MINIMUM_COLUMNS   40
#define MAXIMUM_COLUMNS   120 /* longer table lines are hard to follow */
#define MAXIMUM_LANES     200
#define LIVE_NAME_COLUMNS ((size_t)28)
#define STDERR_LINES      10
#define STDERR_BYTES      ((size_t)16384) /* searched for these lines */
#define STDERR_COLUMNS    300             /* of one line, which a terminal wraps */
#define VALUE_BYTES       ((size_t)2000)  /* of an expected or actual value */

/* A reason of this length or more is not repeated for the next scenario. */
enum { LONG_REASON = 80 };

struct console {
	FILE *out;
	struct console_options options;
	bool tty;
	bool redraws; /* the terminal can erase a line */
	bool color, ascii;
	bool progress_shown;
	bool spaced; /* the last written line was empty */
	size_t n_scenarios;
	char *reason;           /* the last one shown, or NULL */
	struct strbuf failures; /* in full, for the end */
};

enum paint {
	PAINT_NONE,
	PAINT_PASS,
	PAINT_FAIL,
	PAINT_ERROR,
	PAINT_SKIP,
	PAINT_DIM,
	PAINT_BOLD,
	N_PAINTS,
};

static const char *const paint_codes[] = {
	[PAINT_NONE] = "",           [PAINT_PASS] = "\033[32m",
	[PAINT_FAIL] = "\033[31;1m", [PAINT_ERROR] = "\033[35;1m",
	[PAINT_SKIP] = "\033[33m",   [PAINT_DIM] = "\033[2m",
	[PAINT_BOLD] = "\033[1m",
};
_Static_assert(ARRAY_SIZE(paint_codes) == N_PAINTS, "one code per paint");

/* How each outcome is shown. */
static const struct {
	const char *word;
	enum paint paint;
} outcome_looks[] = {
	[OUTCOME_PASS] = {"PASS", PAINT_PASS},
	[OUTCOME_FAIL] = {"FAIL", PAINT_FAIL},
	[OUTCOME_ERROR] = {"ERROR", PAINT_ERROR},
	[OUTCOME_SKIP] = {"SKIP", PAINT_SKIP},
};
_Static_assert(ARRAY_SIZE(outcome_looks) == OUTCOME_N_KINDS, "one look per outcome");

static const char *paint(const struct console *console, enum paint paint)
{
	return console->color ? paint_codes[paint] : "";
}

static const char *unpaint(const struct console *console)
{
	return console->color ? "\033[0m" : "";
}

static bool environment_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* Returns whether the terminal can redraw a line. */
static bool can_redraw(FILE *out)
{
	const char *terminal = getenv("TERM");
	int fd = fileno(out); /* -1 for a stream in memory */

	return fd >= 0 && isatty(fd) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

bool color_is_wanted(enum color_mode mode, FILE *out)
{
	switch (mode) {
	case COLOR_ALWAYS:
		return true;
	case COLOR_NEVER:
		return false;
	case COLOR_AUTO:
		break;
	}
	/* no-color.org: set to anything but the empty string */
	return can_redraw(out) && !environment_set("NO_COLOR");
}

struct console *console_new(FILE *out, const struct console_options *options)
{
	struct console *console = xzalloc(sizeof(*console));
	int fd = fileno(out); /* -1 for a stream in memory */

	console->out = out;
	console->options = *options;
	console->tty = fd >= 0 && isatty(fd);
	console->redraws = can_redraw(out);
	console->color = color_is_wanted(options->color, out);
	console->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	return console;
}

void console_free(struct console *console)
{
	if (!console)
		return;
	console_clear(console);
	strbuf_free(&console->failures);
	free(console->reason);
	free(console);
}

/* Asks the terminal each time, since windows are resized. */
static size_t terminal_columns(const struct console *console)
{
	struct winsize size;

	if (!console->tty || ioctl(fileno(console->out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return DEFAULT_COLUMNS;
	return size.ws_col;
}

void console_clear(struct console *console)
{
	if (!console->progress_shown)
		return;
	fputs("\r\033[K", console->out);
	fflush(console->out);
	console->progress_shown = false;
}

static void emit(struct console *console, const struct strbuf *text)
{
	AUTO_STRBUF struct strbuf ascii = {0};

	console_clear(console);
	if (console->ascii) {
		report_ascii(&ascii, strbuf_text(text));
		text = &ascii;
	}
	fwrite(strbuf_text(text), 1, text->length, console->out);
	fflush(console->out);
	console->spaced = text->length > 1 && !strcmp(text->data + text->length - 2, "\n\n");
}

void console_start(struct console *console, size_t n_scenarios, size_t jobs, uint64_t seed,
		   const char *isolation)
{
	AUTO_STRBUF struct strbuf out = {0};

	console->n_scenarios = n_scenarios;
	if (console->options.quiet)
		return;
	strbuf_printf(&out, "%zu %s", n_scenarios, n_scenarios == 1 ? "scenario" : "scenarios");
	if (jobs > 1 && n_scenarios > 1)
		strbuf_printf(&out, ", %zu at a time", MIN(jobs, n_scenarios));
	if (console->options.note)
		strbuf_printf(&out, ", %s", console->options.note);
	strbuf_printf(&out, ", seed %llu", (unsigned long long)seed);
	if (isolation)
		strbuf_printf(&out, ", %s", isolation);
	strbuf_putc(&out, '\n');
	emit(console, &out);
}

static void add_diags(const struct console *console, const struct diag *diags, size_t n_diags,
		      const char *text, size_t length, struct strbuf *out)
{
	struct diag_source source = {.text = text, .length = length};

	for (size_t i = 0; i < n_diags; i++)
		diag_format(&diags[i], &source, console->color, out);
}

static void add_place(struct strbuf *out, const struct place *place)
{
	if (!place->path || place->line == 0)
		return;
	strbuf_printf(out, "    %-10s", "at");
	report_line(out, place->path);
	strbuf_printf(out, ":%u", place->line);
	if (place->column > 0)
		strbuf_printf(out, ":%u", place->column);
	strbuf_putc(out, '\n');
}

static void add_findings(const struct console *console, const struct result *result,
			 struct strbuf *out)
{
	const struct judgement *judgement = &result->judgement;

	bool out_of_time = result->interrupted && result->stop == STOP_TIMEOUT;

	for (size_t i = 0; !out_of_time && i < judgement->n_findings; i++) {
		const struct finding *finding = &judgement->findings[i];

		strbuf_puts(out, "  ");
		strbuf_puts(out, paint(console, PAINT_BOLD));
		report_headline(out, finding);
		strbuf_puts(out, unpaint(console));
		strbuf_putc(out, '\n');
		report_finding(out, finding, 4, VALUE_BYTES);
		if (!result->file || !result->file->generated)
			add_place(out, &finding->place);
	}
	if (judgement->n_findings == 0 || out_of_time) {
		strbuf_puts(out, "  ");
		result_reason(result, out);
		strbuf_putc(out, '\n');
	}
}

/* Returns the width of tables. */
static size_t table_columns(const struct console *console)
{
	return MAX(MIN(terminal_columns(console), MAXIMUM_COLUMNS), MINIMUM_COLUMNS);
}

static void add_timeline(const struct console *console, const struct result *result,
			 struct strbuf *out)
{
	size_t columns = terminal_columns(console);
	struct attempt_table_style style = {
		.color = console->color,
		.ascii = console->ascii,
		.columns = table_columns(console),
		.untitled = true,
		.timeline = MAX(MIN(columns, MAXIMUM_LANES), MINIMUM_COLUMNS),
	};

	if (!result->record)
		return;
	attempt_table_format(result->scenario, result->record, &result->judgement, &style, out);
	if (console->options.verbose)
		assessments_format(&result->judgement, table_columns(console), console->ascii, out);
}

/* Returns where the last @n lines of @text start. */
static const char *last_lines(const char *text, size_t n)
{
	const char *start = text + strlen(text);

	if (start > text && start[-1] == '\n')
		start--;
	while (start > text) {
		if (start[-1] == '\n' && --n == 0)
			break;
		start--;
	}
	return start;
}

/* Adds the end of the client's stderr, which often says why it gave up. */
static void add_stderr(const struct console *console, const struct record *record,
		       struct strbuf *out)
{
	AUTO_STRBUF struct strbuf kept = {0}, safe = {0};
	const struct stream *stream;
	const char *line;
	size_t skipped, length;

	if (!record || record->n_streams <= STREAM_STDERR)
		return;
	stream = &record->streams[STREAM_STDERR];
	if (stream->total == 0)
		return;
	/* Head and tail are one text if nothing between them was cut. */
	if (stream->total <= stream->head_length + stream->tail_length)
		strbuf_add(&kept, stream->head, stream->head_length);
	strbuf_add(&kept, stream->tail, stream->tail_length);
	skipped = kept.length - MIN(kept.length, STDERR_BYTES);
	text_sanitize(&safe, strbuf_text(&kept) + skipped, kept.length - skipped);
	line = last_lines(strbuf_text(&safe), STDERR_LINES);
	strbuf_printf(out, "\n  %sclient's stderr%s%s\n", paint(console, PAINT_BOLD),
		      line > strbuf_text(&safe) || skipped > 0 ? " (end)" : "", unpaint(console));
	for (; *line; line += length) {
		AUTO_STRBUF struct strbuf one = {0};

		length = strcspn(line, "\n");
		strbuf_add(&one, line, length);
		strbuf_puts(out, "    ");
		report_fit(out, strbuf_text(&one), STDERR_COLUMNS, console->ascii);
		strbuf_putc(out, '\n');
		length += line[length] == '\n';
	}
}

static void add_headline(const struct console *console, const struct result *result,
			 struct strbuf *out)
{
	enum outcome outcome = result_outcome(result);
	char seconds[REPORT_SECONDS_SIZE];
	bool flaky = result->flaky && outcome == OUTCOME_PASS;

	strbuf_printf(out, "%s%-5s%s",
		      paint(console, flaky ? PAINT_SKIP : outcome_looks[outcome].paint),
		      flaky ? "FLAKY" : outcome_looks[outcome].word, unpaint(console));
	strbuf_printf(out, " %6s s  ", report_seconds(result->duration_ns, seconds));
	report_line(out, result_path(result));
	strbuf_puts(out, ": ");
	result_title(result, out);
}

/*
 * Adds the earlier runs. @in_full: the last run follows in full; otherwise it gets a line here,
 * too.
 */
static void add_earlier(const struct console *console, const struct result *result, bool in_full,
			struct strbuf *out)
{
	if (result->n_earlier == 0)
		return;
	for (size_t i = 0; i < result->n_earlier; i++) {
		const struct judgement *judgement = &result->earlier[i].judgement;

		strbuf_printf(out, "  run %zu: %s: ", i + 1, outcome_name(judgement->outcome));
		report_line(out, judgement->n_findings > 0 ? judgement->findings[0].message
							   : "no reason known");
		strbuf_putc(out, '\n');
		if (in_full || result->flaky)
			add_stderr(console, result->earlier[i].record, out);
	}
	if (result_outcome(result) == OUTCOME_PASS || result->flaky)
		return;
	if (in_full) {
		strbuf_printf(out, "  run %zu, the last:\n", result->n_earlier + 1);
		return;
	}
	strbuf_printf(out, "  run %zu: %s: ", result->n_earlier + 1,
		      outcome_name(result_outcome(result)));
	result_reason(result, out);
	strbuf_putc(out, '\n');
}

static void add_failure(const struct console *console, const struct result *result,
			const char *repeat, struct strbuf *out)
{
	const struct scenario_file *file = result->file;
	const struct broken_document *broken = result->broken;

	if (broken && file) {
		size_t first = MIN(broken->first_diag, file->diags.n_items);
		size_t n = MIN(broken->n_diags, file->diags.n_items - first);

		add_diags(console, file->diags.items + first, n, file->source, file->source_length,
			  out);
	} else {
		add_findings(console, result, out);
		if (result->record)
			strbuf_putc(out, '\n');
		add_timeline(console, result, out);
		add_stderr(console, result->record, out);
	}
	if (result->capture || result->no_capture) {
		strbuf_puts(out, result->capture ? "\n  capture: " : "\n  no capture: ");
		report_line(out, result->capture ? result->capture : result->no_capture);
		strbuf_putc(out, '\n');
	}
	if (repeat && !broken) {
		strbuf_puts(out, "\n  reproduce: ");
		report_line(out, repeat);
		strbuf_putc(out, '\n');
	}
	strbuf_putc(out, '\n');
}

/* Adds the reason; a long one that successive scenarios share is shown once. */
static void add_reason(struct console *console, const struct result *result, struct strbuf *out)
{
	AUTO_STRBUF struct strbuf reason = {0};

	result_reason(result, &reason);
	if (reason.length >= LONG_REASON && console->reason &&
	    !strcmp(console->reason, strbuf_text(&reason))) {
		strbuf_puts(out, " (as above)");
		return;
	}
	strbuf_printf(out, " (%s)", strbuf_text(&reason));
	free(console->reason);
	console->reason = strbuf_steal(&reason);
}

/* Adds the result's line, with the earlier runs below it. */
static void add_line(struct console *console, const struct result *result, bool in_full,
		     struct strbuf *out)
{
	add_headline(console, result, out);
	if (result_outcome(result) == OUTCOME_SKIP || result_never_ran(result))
		add_reason(console, result, out);
	strbuf_putc(out, '\n');
	add_earlier(console, result, in_full, out);
}

void console_result(struct console *console, const struct result *result, const char *repeat)
{
	enum failure_output mode = console->options.failures;
	enum outcome outcome = result_outcome(result);
	bool failed = result_is_failure(result) && !result_never_ran(result);
	bool now; /* show it in full now */
	AUTO_STRBUF struct strbuf out = {0}, failure = {0};

	if (failed && mode != FAILURES_NEVER)
		add_failure(console, result, repeat, &failure);
	if (failed && (mode == FAILURES_FINAL || mode == FAILURES_IMMEDIATE_FINAL)) {
		add_line(console, result, true, &console->failures);
		strbuf_add(&console->failures, strbuf_text(&failure), failure.length);
	}
	/* If quiet, don't print now what the end shows. */
	if (console->options.quiet &&
	    (result_never_ran(result) || (failed ? mode == FAILURES_FINAL : !result->flaky)))
		return;
	now = failed && (mode == FAILURES_IMMEDIATE || mode == FAILURES_IMMEDIATE_FINAL);
	add_line(console, result, now, &out);
	if (now)
		strbuf_add(&out, strbuf_text(&failure), failure.length);
	else if (outcome == OUTCOME_PASS && console->options.verbose)
		add_timeline(console, result, &out);
	emit(console, &out);
}

void console_live(struct console *console, const struct result *result, const char *line)
{
	AUTO_STRBUF struct strbuf title = {0}, name = {0}, out = {0};
	size_t columns;

	result_title(result, &title);
	columns = report_fit(&name, strbuf_text(&title), LIVE_NAME_COLUMNS, console->ascii);
	strbuf_printf(&out, "%s  %s", paint(console, PAINT_DIM), strbuf_text(&name));
	strbuf_pad(&out, ' ', LIVE_NAME_COLUMNS - columns);
	report_line(&out, line);
	strbuf_printf(&out, "%s\n", unpaint(console));
	emit(console, &out);
}

void console_progress(struct console *console, size_t n_done, const char *const *running,
		      size_t n_running, int64_t elapsed_ns)
{
	size_t columns = terminal_columns(console);
	AUTO_STRBUF struct strbuf line = {0}, ascii = {0}, fitted = {0};
	int64_t seconds = MAX(elapsed_ns, 0) / NS_PER_S;

	if (!console->redraws || console->options.quiet)
		return;
	strbuf_printf(&line, "[%zu/%zu] %lld:%02lld ", n_done, console->n_scenarios,
		      (long long)(seconds / 60), (long long)(seconds % 60));
	for (size_t i = 0; i < n_running; i++) {
		strbuf_puts(&line, i ? ", " : " ");
		report_line(&line, running[i]);
	}
	if (console->ascii)
		report_ascii(&ascii, strbuf_text(&line));
	/* Not in the last column: some terminals wrap there, and can't erase a wrapped line. */
	report_fit(&fitted, strbuf_text(console->ascii ? &ascii : &line), columns - 1,
		   console->ascii);
	fprintf(console->out, "\r%s%s%s\033[K", paint(console, PAINT_DIM), strbuf_text(&fitted),
		unpaint(console));
	fflush(console->out);
	console->progress_shown = true;
}

/* Repeats the names of failures, since the first may have scrolled away. */
static void add_failed_names(const struct console *console, const struct run_results *results,
			     struct strbuf *out)
{
	struct outcome_counts counts = results_count(results);
	size_t n_failed = counts.by_outcome[OUTCOME_FAIL] + counts.by_outcome[OUTCOME_ERROR];
	static const char *const causes[] = {
		[STOP_NONE] = "interrupted",
		[STOP_SIGNAL] = "interrupted",
		[STOP_TIMEOUT] = "stopped at --global-timeout",
		[STOP_FAILURES] = "stopped at --max-fail",
	};
	size_t n_not_run = 0, n_skipped = 0;

	for (size_t i = 0; i < results->n_items; i++) {
		const struct result *result = &results->items[i];

		n_not_run += result_never_ran(result);
		n_skipped += result_never_ran(result) && result_outcome(result) == OUTCOME_SKIP;
	}
	if (n_failed - (n_not_run - n_skipped) > 1) {
		for (size_t i = 0; i < results->n_items; i++) {
			const struct result *result = &results->items[i];

			if (!result_is_failure(result) || result_never_ran(result))
				continue;
			add_headline(console, result, out);
			strbuf_putc(out, '\n');
		}
		strbuf_putc(out, '\n');
	}
	if (n_not_run > 0)
		strbuf_printf(out, "%s: %zu %s not run\n", causes[results->stop], n_not_run,
			      n_not_run == 1 ? "was" : "were");
	else if (results->interrupted || results->stop == STOP_TIMEOUT)
		strbuf_printf(out, "%s\n", causes[results->stop]);
}

void console_failures(struct console *console, const struct run_results *results)
{
	AUTO_STRBUF struct strbuf out = {0};

	if (!console->spaced)
		strbuf_putc(&out, '\n');
	if (console->failures.length)
		strbuf_printf(&out, "%sfailures%s\n\n%s", paint(console, PAINT_BOLD),
			      unpaint(console), strbuf_text(&console->failures));
	add_failed_names(console, results, &out);
	emit(console, &out);
}

void console_summary(struct console *console, const struct run_results *results)
{
	struct outcome_counts counts = results_count(results);
	size_t n_passed = counts.by_outcome[OUTCOME_PASS];
	size_t n_errors = counts.by_outcome[OUTCOME_ERROR];
	size_t n_failed = counts.by_outcome[OUTCOME_FAIL] + n_errors;
	size_t n_skipped = counts.by_outcome[OUTCOME_SKIP];
	enum paint color = PAINT_PASS;
	AUTO_STRBUF struct strbuf out = {0};
	char duration[DURATION_TEXT_SIZE];

	/* Repeat it here, where people look when something is missing. */
	if (results->shard)
		strbuf_printf(&out, "shard %s, ", results->shard);
	strbuf_printf(&out, "seed %llu, %s\n", (unsigned long long)results->seed,
		      duration_format(results->duration_ns, duration));
	if (counts.n_flaky > 0)
		strbuf_printf(&out, "%s%zu flaky%s: did not pass in every run\n",
			      paint(console, PAINT_SKIP), counts.n_flaky, unpaint(console));
	if (counts.n_late > 0)
		strbuf_printf(&out, "%zu run again alone: the machine was too slow at first\n",
			      counts.n_late);
	if (counts.n_unproven > 0)
		strbuf_printf(&out, "%zu run again in real time\n", counts.n_unproven);
	if (n_errors > 0)
		strbuf_printf(&out, "%s%zu %s%s: not judged, counted as failed\n",
			      paint(console, PAINT_ERROR), n_errors,
			      n_errors == 1 ? "error" : "errors", unpaint(console));
	if (n_failed > 0)
		color = PAINT_FAIL;
	else if (n_passed == 0)
		color = PAINT_SKIP;
	strbuf_printf(&out, "%s%zu passed, %zu failed, %zu skipped%s\n", paint(console, color),
		      n_passed, n_failed, n_skipped, unpaint(console));
	emit(console, &out);
}
