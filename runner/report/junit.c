/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JUnit report. Its readers differ, so it contains only what all of them accept: no nesting,
 * one result element for each case, escaped text without CDATA, unique names, paths from the
 * repository's root. All text passes text_sanitize(): output can be any bytes, and one forbidden
 * character makes a reader refuse the whole file.
 */
#include "runner/report/junit.h"

#include <limits.h>
#include <time.h>

#include "common/duration.h"
#include "common/text.h"
#include "common/utf8.h"
#include "runner/report/assessment_text.h"
#include "runner/report/attempt_table.h"
#include "runner/report/file.h"
#include "runner/report/stream_text.h"
#include "runner/report/xml.h"

#define REPORT_KIND "JUnit report"

/* libxml2's readers give up on a text node of 10,000,000 bytes (XML_MAX_TEXT_LENGTH). */
#define ELEMENT_LIMIT   ((size_t)4 * 1024 * 1024)
#define ATTRIBUTE_LIMIT ((size_t)2048)
#define NAME_COLUMNS    500

/* One testcase, in the order of the report. */
struct testcase {
	const struct result *result;
	size_t index;    /* in results->items */
	char *file;      /* owned: path relative to the repository's root */
	char *classname; /* owned */
	char *name;      /* owned; unique under its classname */
};

struct report {
	const struct run_results *results;
	struct junit_options options;
	struct testcase *cases;
	size_t n_cases;
	xmlTextWriterPtr writer;
};

/* ---- Names ---- */

/* Turns "scenarios/refuse/basic.yaml" into "scenarios.refuse.basic": readers split it at dots. */
static char *class_of(const char *file)
{
	size_t length = strlen(file);
	struct strbuf name = {0};

	if (length > 5 && !strcmp(file + length - 5, ".yaml"))
		length -= 5;
	else if (length > 4 && !strcmp(file + length - 4, ".yml"))
		length -= 4;
	while (length > 0 && (*file == '/' || *file == '.'))
		file++, length--;
	for (size_t i = 0; i < length; i++)
		strbuf_putc(&name, file[i] == '/' ? '.' : file[i] == '.' ? '_' : file[i]);
	if (name.length == 0)
		strbuf_puts(&name, "scenarios");
	return strbuf_steal(&name);
}

static int compare_cases(const void *left, const void *right)
{
	const struct testcase *a = left, *b = right;
	int order =
		strcmp(a->file, b->file) ?: COMPARE(result_line(a->result), result_line(b->result));

	if (!order && a->result->scenario && b->result->scenario)
		order = COMPARE(a->result->scenario->index, b->result->scenario->index);
	return order ?: COMPARE(a->index, b->index);
}

static int compare_names(const void *left, const void *right)
{
	const struct testcase *const *a = left, *const *b = right;

	return strcmp((*a)->classname, (*b)->classname) ?: strcmp((*a)->name, (*b)->name)
		       ?: COMPARE(*a, *b);
}

/*
 * Readers drop or merge cases of the same name. Names are unique within a file, but a file can be
 * given twice, and names can become equal when they are made safe.
 */
static void make_names_unique(struct report *report)
{
	AUTO_FREE struct testcase **sorted = xmalloc(report->n_cases * sizeof(*sorted));
	bool changed = true;

	for (size_t i = 0; i < report->n_cases; i++)
		sorted[i] = &report->cases[i];
	/* "a (2)" may be taken, too: repeat until nothing changes. */
	while (changed) {
		size_t first = 0;

		changed = false;
		qsort(sorted, report->n_cases, sizeof(struct testcase *), compare_names);
		for (size_t i = 1; i < report->n_cases; i++) {
			char *numbered;

			if (strcmp(sorted[first]->classname, sorted[i]->classname) != 0 ||
			    strcmp(sorted[first]->name, sorted[i]->name) != 0) {
				first = i;
				continue;
			}
			numbered = xasprintf("%s (%zu)", sorted[i]->name, i - first + 1);
			free(sorted[i]->name);
			sorted[i]->name = numbered;
			changed = true;
		}
	}
}

static char *report_name(const struct result *result)
{
	AUTO_STRBUF struct strbuf line = {0};
	struct strbuf name = {0};

	result_title(result, &line);
	report_fit(&name, strbuf_text(&line), NAME_COLUMNS, false);
	return strbuf_steal(&name);
}

char *junit_key(const struct result *result)
{
	AUTO_FREE char *file = result_repository_path(result), *name = report_name(result);

	return xasprintf("%s\t%s", file, name);
}

static void make_cases(struct report *report)
{
	const struct run_results *results = report->results;

	report->n_cases = results->n_items;
	report->cases = xzalloc(report->n_cases * sizeof(*report->cases));
	for (size_t i = 0; i < report->n_cases; i++) {
		struct testcase *testcase = &report->cases[i];
		*testcase = (struct testcase){
			.result = &results->items[i],
			.index = i,
			.file = result_repository_path(&results->items[i]),
			.name = report_name(&results->items[i]),
		};
		testcase->classname = class_of(testcase->file);
	}
	qsort(report->cases, report->n_cases, sizeof(*report->cases), compare_cases);
	make_names_unique(report);
}

static void free_cases(struct report *report)
{
	for (size_t i = 0; i < report->n_cases; i++) {
		free(report->cases[i].file);
		free(report->cases[i].classname);
		free(report->cases[i].name);
	}
	free(report->cases);
}

/* ---- XML ---- */

static void start_element(struct report *report, const char *name)
{
	xml_check(xmlTextWriterStartElement(report->writer, xml(name)));
}

static void end_element(struct report *report)
{
	xml_check(xmlTextWriterEndElement(report->writer));
}

/* Writes @text (already safe) as an attribute. */
static void add_attribute(struct report *report, const char *name, const char *text)
{
	AUTO_STRBUF struct strbuf cut = {0};

	if (strlen(text) > ATTRIBUTE_LIMIT) {
		report_fit(&cut, text, ATTRIBUTE_LIMIT / 4, false);
		text = strbuf_text(&cut);
	}
	xml_check(xmlTextWriterStartAttribute(report->writer, xml(name)));
	xml_write(report->writer, text);
	xml_check(xmlTextWriterEndAttribute(report->writer));
}

static void add_count(struct report *report, const char *name, size_t count)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", count);
	add_attribute(report, name, text);
}

static void add_time(struct report *report, int64_t duration_ns)
{
	char seconds[REPORT_SECONDS_SIZE];

	add_attribute(report, "time", report_seconds(duration_ns, seconds));
}

static void add_timestamp(struct report *report, int64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / NS_PER_S);
	char text[48] = "";
	struct tm utc;

	if (!gmtime_r(&seconds, &utc))
		return;
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", utc.tm_year + 1900,
		 utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
	add_attribute(report, "timestamp", text);
}

static void add_text(struct report *report, const struct strbuf *text)
{
	AUTO_STRBUF struct strbuf cut = {0};
	const char *whole = strbuf_text(text);

	if (text->length > ELEMENT_LIMIT) {
		size_t length = utf8_boundary(whole, text->length, ELEMENT_LIMIT, false);

		strbuf_add(&cut, whole, length);
		strbuf_printf(&cut, "\n[%zu byte%s left out]\n", text->length - length,
			      PLURAL(text->length - length));
		whole = strbuf_text(&cut);
	}
	xml_write(report->writer, whole);
}

static void add_text_element(struct report *report, const char *name, const struct strbuf *text)
{
	if (text->length == 0)
		return;
	start_element(report, name);
	add_text(report, text);
	end_element(report);
}

/* ---- Testcases ---- */

static void end_line(struct strbuf *out)
{
	if (out->length > 0 && out->data[out->length - 1] != '\n')
		strbuf_putc(out, '\n');
}

static void add_place(struct strbuf *out, const struct testcase *testcase, unsigned line)
{
	const struct scenario_file *file = testcase->result->file;

	/* Readers make " path:line" a link. */
	if (line > 0 && !(file && file->generated))
		strbuf_printf(out, "   at        %s:%u\n", testcase->file, line);
}

static void add_findings(const struct testcase *testcase, struct strbuf *out)
{
	const struct judgement *judgement = &testcase->result->judgement;

	for (size_t i = 0; i < judgement->n_findings; i++) {
		const struct finding *finding = &judgement->findings[i];

		strbuf_printf(out, "\n%zu. ", i + 1);
		report_headline(out, finding);
		strbuf_putc(out, '\n');
		report_finding(out, finding, 3, SIZE_MAX);
		add_place(out, testcase, finding->place.line);
	}
}

static void add_broken(const struct testcase *testcase, struct strbuf *out)
{
	const struct scenario_file *file = testcase->result->file;
	const struct broken_document *broken = testcase->result->broken;
	struct diag_source source = {0};
	size_t end;

	if (!file)
		return;
	source.text = file->source;
	source.length = file->source_length;
	end = MIN(broken->first_diag + broken->n_diags, file->diags.n_items);
	for (size_t i = broken->first_diag; i < end; i++) {
		AUTO_STRBUF struct strbuf text = {0};

		diag_format(&file->diags.items[i], &source, false, &text);
		strbuf_putc(out, '\n');
		text_sanitize(out, strbuf_text(&text), text.length);
		end_line(out);
		add_place(out, testcase, file->diags.items[i].line);
	}
}

/* Adds the failure, error or skipped element. */
static void add_result_element(struct report *report, const struct testcase *testcase)
{
	static const char *const names[] = {
		[OUTCOME_FAIL] = "failure",
		[OUTCOME_ERROR] = "error",
		[OUTCOME_SKIP] = "skipped",
	};
	const struct result *result = testcase->result;
	enum outcome outcome = result_outcome(result);
	AUTO_STRBUF struct strbuf message = {0}, body = {0}, type = {0};
	size_t n_more = result->judgement.n_findings;

	if (outcome == OUTCOME_PASS)
		return;
	if (result->broken)
		n_more = result->broken->n_diags;
	result_reason(result, &message);
	if (n_more > 1)
		strbuf_printf(&message, " (and %zu more)", n_more - 1);
	start_element(report, names[outcome]);
	add_attribute(report, "message", strbuf_text(&message));
	if (outcome != OUTCOME_SKIP) {
		if (result->broken)
			strbuf_puts(&type, "scenario");
		else if (result->judgement.n_findings > 0)
			report_line(&type, result->judgement.findings[0].type);
		add_attribute(report, "type", type.length ? strbuf_text(&type) : "harness");
	}
	strbuf_printf(&body, "%s\n", strbuf_text(&message));
	if (result->broken)
		add_broken(testcase, &body);
	else
		add_findings(testcase, &body);
	add_text(report, &body);
	end_element(report);
}

/* ---- Runs of a case ---- */

/* Returns one run of a case as a result of its own; the last one is the result itself. */
static struct result run_of(const struct result *result, size_t run)
{
	struct result one = *result;

	if (run == result->n_earlier)
		return one;
	one = (struct result){
		.file = result->file,
		.scenario = result->scenario,
		.record = result->earlier[run].record,
		.judgement = result->earlier[run].judgement,
	};
	return one;
}

/*
 * Returns the run that the result element is about. Surefire reports the first run that failed, and
 * calls later ones reruns. A run with another outcome, such as one for which the machine was too
 * slow, can come before it. If the last run passed, the element is about it, even if that counts as
 * a failure.
 */
static size_t main_run(const struct result *result)
{
	size_t run = 0;

	if (result->flaky || result->interrupted || result_outcome(result) == OUTCOME_PASS)
		return result->n_earlier;
	while (run < result->n_earlier &&
	       result->earlier[run].judgement.outcome != result_outcome(result))
		run++;
	return run;
}

/* Adds the attempt table and the result of each expectation. */
static void add_story(const struct result *result, struct strbuf *out)
{
	static const struct attempt_table_style style = {.columns = 100};
	AUTO_STRBUF struct strbuf table = {0};

	attempt_table_format(result->scenario, result->record, &result->judgement, &style, &table);
	text_sanitize(out, strbuf_text(&table), table.length);
	assessments_format(&result->judgement, style.columns, false, out);
}

/* Adds output of the client and the servers; a single client's stderr goes to @err. */
static void add_streams(const struct record *record, struct strbuf *out, struct strbuf *err)
{
	for (size_t i = 0; i < record->n_streams; i++) {
		const struct stream *stream = &record->streams[i];
		bool is_err = i < (size_t)STREAMS_EACH * record->n_instances &&
			      i % STREAMS_EACH == STREAM_STDERR;

		if (is_err && record->n_instances == 1 && err != out)
			stream_text_add(err, stream);
		else
			stream_text_add_named(is_err ? err : out, stream,
					      i == STREAM_STDOUT   ? "client stdout"
					      : i == STREAM_STDERR ? "client stderr"
								   : stream->name);
	}
}

/* Adds a run that is not the main one, in Surefire's form. */
static void add_other_run(struct report *report, const struct testcase *testcase, size_t run)
{
	struct result one = run_of(testcase->result, run);
	const struct testcase as_case = {.result = &one, .file = testcase->file};
	bool flaky = testcase->result->flaky || result_outcome(testcase->result) == OUTCOME_PASS;
	bool failed = result_outcome(&one) == OUTCOME_FAIL;
	AUTO_STRBUF struct strbuf message = {0}, body = {0}, type = {0}, out = {0}, err = {0};

	result_reason(&one, &message);
	if (one.judgement.n_findings > 0)
		report_line(&type, one.judgement.findings[0].type);
	strbuf_printf(&body, "run %zu: %s\n", run + 1, strbuf_text(&message));
	add_findings(&as_case, &body);
	start_element(report, flaky && failed ? "flakyFailure"
			      : flaky         ? "flakyError"
			      : failed        ? "rerunFailure"
					      : "rerunError");
	add_attribute(report, "message", strbuf_text(&message));
	add_attribute(report, "type", type.length ? strbuf_text(&type) : "harness");
	add_text_element(report, "stackTrace", &body);
	if (one.record) {
		add_story(&one, &out);
		add_streams(one.record, &out, &err);
		add_text_element(report, "system-out", &out);
		add_text_element(report, "system-err", &err);
	}
	end_element(report);
}

/* Adds failures before errors, as Surefire's schema demands. */
static void add_other_runs(struct report *report, const struct testcase *testcase, size_t main)
{
	const struct result *result = testcase->result;
	size_t first = main == result->n_earlier ? 0 : main + 1;
	size_t end = main == result->n_earlier ? main : result->n_earlier + 1;

	/* If the last run failed, the runs before it are in system-out. */
	if (main == result->n_earlier && !result->flaky && result_outcome(result) != OUTCOME_PASS)
		return;
	for (int errors = 0; errors <= 1; errors++)
		for (size_t run = first; run < end; run++) {
			struct result one = run_of(result, run);

			if ((result_outcome(&one) != OUTCOME_FAIL) == errors)
				add_other_run(report, testcase, run);
		}
}

/* Adds the runs before the main one, which have no element. */
static void add_replaced_runs(const struct result *result, size_t main, struct strbuf *out)
{
	if (result->flaky || result_outcome(result) == OUTCOME_PASS)
		return;
	for (size_t run = 0; run < main; run++) {
		struct result one = run_of(result, run);

		strbuf_printf(out, "\n---- run %zu, replaced by a retry: ", run + 1);
		result_outcome_line(&one, out);
		strbuf_puts(out, " ----\n");
		if (!one.record)
			continue;
		add_story(&one, out);
		add_streams(one.record, out, out);
	}
}

static void add_output(struct report *report, const struct testcase *testcase, size_t main)
{
	const struct result *result = testcase->result;
	struct result one = run_of(result, main);
	const struct record *record = one.record;
	AUTO_STRBUF struct strbuf out = {0}, err = {0};

	if (result->record)
		attachments_add(&out, &report->options.attachments, report->results,
				testcase->index);
	if (record) {
		add_story(&one, &out);
		/* The run's seed, for --seed; the scenario's own is drawn from it. */
		strbuf_printf(&out, "  seed %llu", (unsigned long long)report->results->seed);
		if (record->kernel) {
			strbuf_puts(&out, ", Linux ");
			report_line(&out, record->kernel);
		}
		if (record->isolation) {
			strbuf_puts(&out, ", network namespace: ");
			report_line(&out, record->isolation);
		}
		if (record->virtual_time) {
			strbuf_puts(&out, ", ");
			report_clock(&out, record);
		}
		if (result->no_virtual) {
			strbuf_puts(&out, ", real time: ");
			report_line(&out, result->no_virtual);
		}
		strbuf_putc(&out, '\n');
		add_streams(record, &out, &err);
	}
	add_replaced_runs(result, main, &out);
	add_text_element(report, "system-out", &out);
	add_text_element(report, "system-err", &err);
}

static void add_testcase(struct report *report, const struct testcase *testcase)
{
	size_t main = main_run(testcase->result);
	struct result one = run_of(testcase->result, main);
	struct testcase as_case = *testcase;

	start_element(report, "testcase");
	add_attribute(report, "name", testcase->name);
	add_attribute(report, "classname", testcase->classname);
	add_time(report, testcase->result->duration_ns);
	if (!report->options.strict)
		add_attribute(report, "file", testcase->file);
	if (!report->options.strict && result_line(testcase->result) > 0)
		add_count(report, "line", result_line(testcase->result));
	as_case.result = &one;
	add_result_element(report, &as_case);
	add_other_runs(report, testcase, main);
	add_output(report, testcase, main);
	end_element(report);
}

/* ---- Suites ---- */

static void add_counts(struct report *report, const struct testcase *cases, size_t n_cases,
		       bool with_skipped)
{
	size_t counts[OUTCOME_N_KINDS] = {0};

	for (size_t i = 0; i < n_cases; i++)
		counts[result_outcome(cases[i].result)]++;
	add_count(report, "tests", n_cases);
	add_count(report, "failures", counts[OUTCOME_FAIL]);
	add_count(report, "errors", counts[OUTCOME_ERROR]);
	if (with_skipped)
		add_count(report, "skipped", counts[OUTCOME_SKIP]);
}

static void add_property(struct report *report, const char *name, const char *value)
{
	start_element(report, "property");
	add_attribute(report, "name", name);
	add_attribute(report, "value", value);
	end_element(report);
}

static void add_properties(struct report *report)
{
	char seed[24];

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)report->results->seed);
	start_element(report, "properties");
	if (report->results->facts.program)
		add_property(report, "synfault.version", report->results->facts.program);
	add_property(report, "synfault.seed", seed);
	if (report->results->facts.time)
		add_property(report, "synfault.time", report->results->facts.time);
	if (report->results->shard)
		add_property(report, "synfault.shard", report->results->shard);
	end_element(report);
}

/* Adds an empty suite, which shows that a shard without scenarios ran. */
static void add_empty_suite(struct report *report)
{
	start_element(report, "testsuite");
	add_attribute(report, "name", "synfault");
	add_counts(report, NULL, 0, true);
	add_time(report, 0);
	add_timestamp(report, report->results->started_realtime_ns);
	add_properties(report);
	end_element(report);
}

static void add_suite(struct report *report, const struct testcase *cases, size_t n_cases)
{
	int64_t duration_ns = 0, started_ns = INT64_MAX;
	AUTO_STRBUF struct strbuf host = {0};
	const char *hostname = report->results->facts.hostname;

	for (size_t i = 0; i < n_cases; i++) {
		const struct record *record = cases[i].result->record;

		duration_ns += MAX(cases[i].result->duration_ns, 0);
		if (record && record->started_realtime_ns > 0)
			started_ns = MIN(started_ns, record->started_realtime_ns);
	}
	if (started_ns == INT64_MAX)
		started_ns = report->results->started_realtime_ns;
	report_line(&host, hostname ? hostname : "localhost");
	start_element(report, "testsuite");
	add_attribute(report, "name", cases[0].file);
	add_counts(report, cases, n_cases, true);
	add_time(report, duration_ns);
	add_timestamp(report, started_ns);
	add_attribute(report, "hostname", strbuf_text(&host));
	add_attribute(report, "file", cases[0].file);
	add_properties(report);
	for (size_t i = 0; i < n_cases; i++)
		add_testcase(report, &cases[i]);
	end_element(report);
}

static void add_document(struct report *report)
{
	size_t start = 0;

	xml_check(xmlTextWriterStartDocument(report->writer, NULL, "UTF-8", NULL));
	start_element(report, "testsuites");
	add_attribute(report, "name", "synfault");
	add_counts(report, report->cases, report->n_cases, !report->options.strict);
	add_time(report, report->results->duration_ns);
	while (start < report->n_cases) {
		size_t end = start + 1;

		while (end < report->n_cases &&
		       !strcmp(report->cases[start].file, report->cases[end].file))
			end++;
		add_suite(report, report->cases + start, end - start);
		start = end;
	}
	if (report->n_cases == 0 && report->results->shard)
		add_empty_suite(report);
	end_element(report);
	xml_check(xmlTextWriterEndDocument(report->writer));
}

char *junit_format(const struct run_results *results, const struct junit_options *options,
		   size_t *ret_length)
{
	struct report report = {.results = results};
	xmlBufferPtr buffer = xml_buffer_new();

	if (options)
		report.options = *options;
	report.writer = ALLOCATED(xmlNewTextWriterMemory(buffer, 0));
	xml_check(xmlTextWriterSetIndent(report.writer, 1));
	xml_check(xmlTextWriterSetIndentString(report.writer, xml("  ")));
	make_cases(&report);
	add_document(&report);
	free_cases(&report);
	xmlFreeTextWriter(report.writer);
	return xml_buffer_steal(buffer, ret_length);
}

/* ---- The file ---- */

int junit_check_path(const char *path, struct diag_list *diags)
{
	return report_file_check(REPORT_KIND, path, diags);
}

int junit_write(const struct run_results *results, const struct junit_options *options,
		const char *path, struct diag_list *diags)
{
	size_t length;
	AUTO_FREE char *text = junit_format(results, options, &length);

	return junit_write_text(text, length, path, diags);
}

int junit_write_text(const char *text, size_t length, const char *path, struct diag_list *diags)
{
	return report_file_write(REPORT_KIND, path, text, length, diags);
}
