/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See github.h. */
#include "runner/report/github.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/report/attempt_table.h"

#define MESSAGE_COLUMNS 1000 /* of one annotation */
#define TIMELINE_WIDTH  100

bool github_is_wanted(enum github_mode mode)
{
	const char *variable = getenv("GITHUB_ACTIONS");

	return mode == GITHUB_ALWAYS ||
	       (mode == GITHUB_AUTO && variable && !strcmp(variable, "true"));
}

void github_stop_commands(uint64_t token, struct strbuf *out)
{
	strbuf_printf(out, "::stop-commands::synfault-%016llx\n", (unsigned long long)token);
}

void github_resume_commands(uint64_t token, struct strbuf *out)
{
	strbuf_printf(out, "::synfault-%016llx::\n", (unsigned long long)token);
}

/* ---- annotations ---- */

/* Escapes a command's data. @property: ":" and "," would end it, too. */
static void add_escaped(struct strbuf *out, const char *text, bool property)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
			strbuf_printf(out, "%%%02X", c);
		else
			strbuf_putc(out, *text);
	}
}

/* Returns the finding that decided, or NULL; its place is the most precise. */
static const struct finding *deciding(const struct result *result)
{
	return result->judgement.n_findings > 0 && !result_never_ran(result)
		       ? &result->judgement.findings[0]
		       : NULL;
}

static const struct diag *first_diag(const struct result *result)
{
	const struct broken_document *broken = result->broken;

	return broken && result->file && broken->n_diags > 0 &&
			       broken->first_diag < result->file->diags.n_items
		       ? &result->file->diags.items[broken->first_diag]
		       : NULL;
}

static void add_message(const struct result *result, struct strbuf *out)
{
	const struct diag *diag = first_diag(result);
	const struct judgement *judgement = &result->judgement;

	if (diag) {
		report_line(out, diag->message);
	} else if (deciding(result)) {
		for (size_t i = 0; i < judgement->n_findings; i++) {
			strbuf_puts(out, i ? "\n" : "");
			report_line(out, judgement->findings[i].message);
		}
	} else {
		result_reason(result, out);
	}
}

/* Returns the place of the broken expectation, of the error in the file, or of the document. */
static struct place annotated_place(const struct result *result)
{
	const struct finding *finding = deciding(result);
	const struct diag *diag = first_diag(result);
	struct place place = {.line = result_line(result)};

	if (diag && diag->line > 0)
		place = (struct place){.line = diag->line, .column = diag->column};
	else if (finding && finding->place.line > 0)
		place = finding->place;
	return place;
}

static bool is_flaky_pass(const struct result *result)
{
	return result->flaky && !result_is_failure(result);
}

static void add_annotation(struct strbuf *out, const char *level, const struct result *result)
{
	AUTO_FREE char *file = result_repository_path(result);
	AUTO_STRBUF struct strbuf title = {0}, message = {0}, cut = {0};
	struct place place = annotated_place(result);

	result_title(result, &title);
	if (is_flaky_pass(result))
		strbuf_puts(&message, "flaky: ");
	add_message(result, &message);
	/* Cuts between characters. */
	report_fit(&cut, strbuf_text(&message), MESSAGE_COLUMNS, false);
	strbuf_printf(out, "::%s file=", level);
	add_escaped(out, file, true);
	if (place.line > 0)
		strbuf_printf(out, ",line=%u", place.line);
	if (place.line > 0 && place.column > 0)
		strbuf_printf(out, ",col=%u", place.column);
	strbuf_puts(out, ",title=");
	add_escaped(out, strbuf_text(&title), true);
	strbuf_puts(out, "::");
	add_escaped(out, strbuf_text(&cut), false);
	strbuf_putc(out, '\n');
}

static void add_level(const struct run_results *results, const char *level, const char *what,
		      bool (*belongs)(const struct result *result), struct strbuf *out)
{
	size_t n = 0, shown = 0, most;

	for (size_t i = 0; i < results->n_items; i++)
		n += belongs(&results->items[i]);
	/* The last annotation says how many more there are. */
	most = n > GITHUB_MAX_ANNOTATIONS ? GITHUB_MAX_ANNOTATIONS - 1 : n;
	for (size_t i = 0; i < results->n_items && shown < most; i++) {
		if (!belongs(&results->items[i]))
			continue;
		add_annotation(out, level, &results->items[i]);
		shown++;
	}
	if (n > most)
		strbuf_printf(out,
			      "::%s title=%zu more %s::%zu %s in all: see the job's log and "
			      "summary\n",
			      level, n - most, what, n, what);
}

void github_annotations(const struct run_results *results, struct strbuf *out)
{
	add_level(results, "error", "failures", result_is_failure, out);
	add_level(results, "warning", "flaky results", is_flaky_pass, out);
}

/* ---- the summary ---- */

/* Adds text in HTML, which Markdown passes through unchanged. */
static void add_html(struct strbuf *out, const char *text)
{
	AUTO_STRBUF struct strbuf safe = {0};

	text_sanitize(&safe, text, strlen(text));
	for (const char *c = strbuf_text(&safe); *c; c++) {
		if (isalnum((unsigned char)*c) || *c == ' ' || *c == '\n' || (*c & 0x80))
			strbuf_putc(out, *c);
		else
			strbuf_printf(out, "&#%d;", *c);
	}
}

/* Adds it on one line. */
static void add_html_line(struct strbuf *out, const char *text)
{
	AUTO_STRBUF struct strbuf line = {0};

	report_line(&line, text);
	add_html(out, strbuf_text(&line));
}

static void add_case(struct strbuf *out, const struct result *result)
{
	AUTO_STRBUF struct strbuf title = {0}, message = {0}, timeline = {0};
	AUTO_FREE char *file = result_repository_path(result);
	struct place place = annotated_place(result);
	struct attempt_table_style style = {
		.columns = TIMELINE_WIDTH, .untitled = true, .timeline = TIMELINE_WIDTH};

	result_title(result, &title);
	add_message(result, &message);
	strbuf_printf(out, "<details><summary>%s <b>", outcome_name(result_outcome(result)));
	add_html_line(out, strbuf_text(&title));
	strbuf_puts(out, "</b> <code>");
	add_html_line(out, file);
	if (place.line > 0)
		strbuf_printf(out, "&#58;%u", place.line);
	strbuf_puts(out, "</code></summary>\n\n<pre>");
	add_html(out, strbuf_text(&message));
	if (result->record) {
		attempt_table_format(result->scenario, result->record, &result->judgement, &style,
				     &timeline);
		strbuf_puts(out, "\n\n");
		add_html(out, strbuf_text(&timeline));
	}
	/* For Markdown a blank line ends HTML, except after <pre> (CommonMark, 4.6). */
	strbuf_puts(out, "</pre>\n\n</details>\n\n");
}

static void add_totals(const struct run_results *results, struct strbuf *out)
{
	struct outcome_counts counts = results_count(results);
	size_t n_errors = counts.by_outcome[OUTCOME_ERROR];
	char duration[DURATION_TEXT_SIZE];

	strbuf_puts(out, "### synfault");
	if (results->shard)
		strbuf_printf(out, ", shard %s", results->shard);
	strbuf_printf(out, "\n\n**%zu passed, %zu failed, %zu skipped**",
		      counts.by_outcome[OUTCOME_PASS], counts.by_outcome[OUTCOME_FAIL] + n_errors,
		      counts.by_outcome[OUTCOME_SKIP]);
	if (n_errors > 0)
		strbuf_printf(out, " (%zu of the failed not judged)", n_errors);
	if (counts.n_flaky > 0)
		strbuf_printf(out, ", %zu flaky", counts.n_flaky);
	strbuf_printf(out, " in %s, seed %llu\n\n", duration_format(results->duration_ns, duration),
		      (unsigned long long)results->seed);
}

/* Adds the line of a skipped or flaky scenario. */
static void add_note(struct strbuf *out, const struct result *result)
{
	AUTO_STRBUF struct strbuf title = {0}, reason = {0};

	result_title(result, &title);
	strbuf_printf(out, "- %s ", result->flaky ? "flaky" : "skipped");
	add_html_line(out, strbuf_text(&title));
	result_reason(result, &reason);
	strbuf_puts(out, "&#58; ");
	add_html_line(out, strbuf_text(&reason));
	strbuf_putc(out, '\n');
}

void github_summary(const struct run_results *results, size_t limit, struct strbuf *out)
{
	static const char left_out[] = "\n%zu more did not fit; see the job's log\n";
	const size_t reserve = sizeof(left_out) + 20;
	AUTO_STRBUF struct strbuf text = {0};
	size_t n_left_out = 0;

	add_totals(results, &text);
	if (text.length + reserve > limit)
		return;
	/* Failures first, since readers look for them. */
	for (int notes = 0; notes <= 1; notes++)
		for (size_t i = 0; i < results->n_items; i++) {
			const struct result *result = &results->items[i];
			AUTO_STRBUF struct strbuf one = {0};

			if (result_is_failure(result) == (notes == 1))
				continue;
			if (notes == 0)
				add_case(&one, result);
			else if (result->flaky || result_outcome(result) == OUTCOME_SKIP)
				add_note(&one, result);
			if (text.length + one.length + reserve > limit)
				n_left_out++;
			else
				strbuf_add(&text, strbuf_text(&one), one.length);
		}
	if (n_left_out > 0)
		strbuf_printf(&text, left_out, n_left_out);
	strbuf_add(out, strbuf_text(&text), text.length);
}

int github_write_summary(const struct run_results *results, struct diag_list *diags)
{
	const char *path = getenv("GITHUB_STEP_SUMMARY");
	AUTO_STRBUF struct strbuf text = {0};
	AUTO_CLOSE int fd = -1;
	struct stat status;
	int error = 0;
	size_t used;

	if (!path || !*path)
		return 0;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || fstat(fd, &status) < 0) {
		error = -errno;
	} else {
		used = status.st_size > 0 ? (size_t)status.st_size : 0;
		github_summary(results, GITHUB_SUMMARY_LIMIT - MIN(used, GITHUB_SUMMARY_LIMIT),
			       &text);
		error = write_all(fd, strbuf_text(&text), text.length);
	}
	if (error < 0)
		diag_add(diags, NULL, "can't write the summary to %s (GITHUB_STEP_SUMMARY): %s",
			 path, strerror(-error));
	return error;
}
