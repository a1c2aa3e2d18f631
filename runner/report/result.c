/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names, outcomes and counts of results, and text as all reports show it: on one line, in ASCII,
 * cut to a width.
 */
#include "runner/report/result.h"

#include "common/duration.h"
#include "common/text.h"
#include "common/utf8.h"

const char *result_name(const struct result *result)
{
	const char *name = NULL;

	if (result->scenario)
		name = result->scenario->name;
	else if (result->broken)
		name = result->broken->name;
	return name ? name : "unnamed scenario";
}

bool result_is_failure(const struct result *result)
{
	enum outcome outcome = result_outcome(result);

	return outcome == OUTCOME_FAIL || outcome == OUTCOME_ERROR;
}

void result_title(const struct result *result, struct strbuf *out)
{
	report_line(out, result_name(result));
	if (result->repetition > 0)
		strbuf_printf(out, " (run %u of %u)", result->repetition, result->n_repetitions);
}

const char *result_path(const struct result *result)
{
	const char *path = NULL;

	if (result->file)
		path = result->file->path;
	if (!path && result->scenario)
		path = result->scenario->path;
	return path ? path : "";
}

/* Returns the nearest directory above @path that contains ".git", or the working directory. */
static char *root_of(const char *path)
{
	AUTO_FREE char *directory = xstrdup(path);
	char *slash;

	while ((slash = strrchr(directory, '/'))) {
		AUTO_FREE char *git = NULL;

		*slash = '\0';
		git = xasprintf("%s/.git", directory);
		if (access(git, F_OK) == 0)
			return steal_pointer(&directory);
	}
	return getcwd(NULL, 0);
}

/* Returns @path from the root of its repository. @absolute: its absolute form, or NULL. */
static char *from_root(const char *path, const char *absolute)
{
	AUTO_FREE char *root = absolute ? root_of(absolute) : NULL;
	size_t length = root ? strlen(root) : 0;
	AUTO_STRBUF struct strbuf line = {0};

	if (absolute && root && !strncmp(absolute, root, length) && absolute[length] == '/')
		path = absolute + length + 1;
	else if (absolute)
		path = absolute;
	while (!strncmp(path, "./", 2))
		path += 2;
	report_line(&line, path);
	return strbuf_steal(&line);
}

char *result_repository_path(const struct result *result)
{
	const struct scenario_file *file = result->file;
	const char *path =
		file && file->repository_path ? file->repository_path : result_path(result);
	AUTO_FREE char *absolute = file && file->repository_path ? NULL : realpath(path, NULL);

	return from_root(path, absolute);
}

char *report_repository_path(const char *path)
{
	const char *name = strrchr(path, '/');
	AUTO_FREE char *above = name ? xstrndup(path, (size_t)(name - path + 1)) : xstrdup(".");
	AUTO_FREE char *directory = realpath(above, NULL);
	AUTO_FREE char *absolute = NULL;

	if (directory)
		absolute = xasprintf("%s/%s", strcmp(directory, "/") ? directory : "",
				     name ? name + 1 : path);
	return from_root(path, absolute);
}

unsigned result_line(const struct result *result)
{
	if (result->scenario)
		return result->scenario->place.line;
	return result->broken ? result->broken->line : 0;
}

enum outcome result_outcome(const struct result *result)
{
	enum outcome outcome = result->judgement.outcome;

	if (result->broken)
		return OUTCOME_ERROR;
	if (result_never_ran(result) && result->stop == STOP_FAILURES)
		return OUTCOME_SKIP;
	if (outcome == OUTCOME_PASS && (!result->record || result->interrupted))
		return OUTCOME_ERROR;
	return outcome;
}

bool result_never_ran(const struct result *result)
{
	return result->interrupted && !result->record && !result->broken;
}

static const char *stop_reason(enum stop_cause cause)
{
	switch (cause) {
	case STOP_TIMEOUT:
		return "the run reached its time limit (--global-timeout)";
	case STOP_FAILURES:
		return "the run stopped at its limit of failures (--max-fail)";
	default:
		return "the run was interrupted";
	}
}

/* Adds what was wrong at first with a scenario that passed in the end. */
static void add_flaky_reason(const struct result *result, struct strbuf *out)
{
	size_t first = 0;

	while (first + 1 < result->n_earlier &&
	       (judgement_is_late(&result->earlier[first].judgement) ||
		result->earlier[first].unproven))
		first++;
	strbuf_printf(out, "passed in run %zu; run %zu: ", result->n_earlier + 1, first + 1);
	report_line(out, result->earlier[first].judgement.n_findings > 0
				 ? result->earlier[first].judgement.findings[0].message
				 : "no reason known");
}

void result_reason(const struct result *result, struct strbuf *out)
{
	const struct broken_document *broken = result->broken;

	if (broken && result->file && broken->n_diags > 0 &&
	    broken->first_diag < result->file->diags.n_items)
		report_line(out, result->file->diags.items[broken->first_diag].message);
	else if (broken)
		strbuf_puts(out, "the document is invalid");
	else if (result->interrupted &&
		 (result->judgement.n_findings == 0 || result->stop == STOP_TIMEOUT))
		strbuf_printf(out, "%s%s",
			      result->record ? "" : "not run: ", stop_reason(result->stop));
	else if (result->judgement.n_findings > 0)
		report_line(out, result->judgement.findings[0].message);
	else if (result_outcome(result) == OUTCOME_PASS && result->flaky && result->n_earlier > 0)
		add_flaky_reason(result, out);
	else if (result_outcome(result) == OUTCOME_PASS)
		strbuf_puts(out, "all expectations were met");
	else
		strbuf_puts(out, result->record ? "no reason known" : "it never ran");
}

void result_outcome_line(const struct result *result, struct strbuf *out)
{
	strbuf_puts(out, outcome_name(result_outcome(result)));
	if (result_outcome(result) == OUTCOME_PASS)
		return;
	strbuf_puts(out, ": ");
	result_reason(result, out);
}

size_t result_count_late(const struct result *result)
{
	size_t n = 0;

	for (size_t i = 0; i < result->n_earlier; i++)
		n += !result->earlier[i].unproven &&
		     judgement_is_late(&result->earlier[i].judgement);
	return n;
}

size_t result_count_unproven(const struct result *result)
{
	size_t n = 0;

	for (size_t i = 0; i < result->n_earlier; i++)
		n += result->earlier[i].unproven;
	return n;
}

struct outcome_counts results_count(const struct run_results *results)
{
	struct outcome_counts counts = {0};

	for (size_t i = 0; i < results->n_items; i++) {
		counts.by_outcome[result_outcome(&results->items[i])]++;
		counts.n_flaky += results->items[i].flaky;
		counts.n_late += result_count_late(&results->items[i]) > 0;
		counts.n_unproven += result_count_unproven(&results->items[i]) > 0;
	}
	return counts;
}

enum exit_status results_status(const struct run_results *results)
{
	struct outcome_counts counts = results_count(results);
	bool broken = false;

	for (size_t i = 0; i < results->n_items; i++)
		broken = broken || results->items[i].broken;
	if (results->interrupted)
		return STATUS_INTERRUPTED;
	if (counts.by_outcome[OUTCOME_FAIL])
		return STATUS_FAILED;
	if (broken)
		return STATUS_USAGE;
	if (counts.by_outcome[OUTCOME_ERROR])
		return STATUS_UNJUDGED;
	return counts.by_outcome[OUTCOME_PASS] ? STATUS_PASSED : STATUS_NOTHING_RAN;
}

static void free_earlier(struct result *result)
{
	for (size_t i = 0; i < result->n_earlier; i++) {
		record_free(result->earlier[i].record);
		judgement_free(&result->earlier[i].judgement);
		free(result->earlier[i].capture);
	}
	free(result->earlier);
	free(result->repeat);
	free(result->no_virtual);
	free(result->capture);
	free(result->no_capture);
}

void results_free(struct run_results *results)
{
	for (size_t i = 0; i < results->n_items; i++) {
		record_free(results->items[i].record);
		judgement_free(&results->items[i].judgement);
		free_earlier(&results->items[i]);
	}
	free(results->items);
	free(results->shard);
	free(results->records);
	run_metadata_free(&results->facts);
	*results = (struct run_results){0};
}

void report_headline(struct strbuf *out, const struct finding *finding)
{
	AUTO_STRBUF struct strbuf joined = {0};
	bool plain;

	/* Without a subject, the message says everything. */
	if (finding->subject)
		strbuf_printf(&joined, "%s:", finding->subject);
	if (finding->expected)
		strbuf_printf(&joined, " expected %s", finding->expected);
	if (finding->actual)
		strbuf_printf(&joined, "%s got %s", finding->expected ? "," : "", finding->actual);
	if (finding->miss)
		strbuf_printf(&joined, ", %s", finding->miss);
	plain = !finding->message || !strcmp(finding->message, strbuf_text(&joined));
	report_line(out, plain && finding->subject ? finding->subject : finding->message);
}

void report_finding(struct strbuf *out, const struct finding *finding, size_t indent, size_t limit)
{
	const struct {
		const char *label, *value;
	} fields[] = {
		{"expected", finding->expected},
		{"actual", finding->actual},
		{"miss", finding->miss},
		{"seen", finding->looks_like},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		AUTO_STRBUF struct strbuf safe = {0};
		size_t length = fields[i].value ? strlen(fields[i].value) : 0;

		if (!fields[i].value)
			continue;
		text_sanitize(&safe, fields[i].value, MIN(length, limit));
		if (length > limit)
			strbuf_printf(&safe, "… (%zu bytes)", length);
		strbuf_pad(out, ' ', indent);
		strbuf_printf(out, "%-10s", fields[i].label);
		for (const char *text = strbuf_text(&safe); *text; text++) {
			strbuf_putc(out, *text);
			if (*text == '\n')
				strbuf_pad(out, ' ', indent + 10);
		}
		strbuf_putc(out, '\n');
	}
}

void report_clock(struct strbuf *out, const struct record *record)
{
	char buffer[DURATION_TEXT_SIZE];
	int64_t sum_ns = 0;

	if (!record->virtual_time) {
		strbuf_puts(out, "real time");
		return;
	}
	for (size_t i = 0; i < record->n_jumps; i++)
		sum_ns += record->jumps[i].by_ns;
	strbuf_puts(out, "virtual time");
	if (record->n_jumps > 0)
		strbuf_printf(out, ", %zu jump%s over %s", record->n_jumps, PLURAL(record->n_jumps),
			      duration_format(sum_ns, buffer));
}

void report_line(struct strbuf *out, const char *text)
{
	size_t start = out->length;

	if (!text)
		return;
	text_sanitize(out, text, strlen(text));
	for (size_t i = start; i < out->length; i++) {
		if (out->data[i] == '\n' || out->data[i] == '\t')
			out->data[i] = ' ';
	}
}

/* Returns how many bytes the character at @text takes; 0 at the end. */
static size_t character_size(const char *text)
{
	size_t length = 1;

	if (*text == '\0')
		return 0;
	while (!utf8_is_start(text[length]))
		length++;
	return length;
}

void report_ascii(struct strbuf *out, const char *text)
{
	/* Characters of our own messages, and those that editors insert into names. */
	static const struct {
		const char *character, *ascii;
	} replacements[] = {
		{"…", "..."}, {"±", "+-"}, {"×", "x"}, {"✗", "x"}, {"✓", "+"}, {"≤", "<="},
		{"≥", ">="},  {"—", "-"},  {"–", "-"}, {"−", "-"}, {"·", "-"}, {"→", "->"},
		{"“", "\""},  {"”", "\""}, {"‘", "'"}, {"’", "'"}, {"µ", "u"}, {"\u00a0", " "},
	};
	size_t length;

	for (; (length = character_size(text)) > 0; text += length) {
		const char *ascii = "?";

		if (length == 1) {
			strbuf_putc(out, (signed char)*text < 0 ? '?' : *text);
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(replacements); i++) {
			if (strlen(replacements[i].character) == length &&
			    memcmp(replacements[i].character, text, length) == 0)
				ascii = replacements[i].ascii;
		}
		strbuf_puts(out, ascii);
	}
}

/* Returns how many bytes of @text take at most @columns; adds up character by character. */
static size_t prefix_of(const char *text, size_t columns, size_t *ret_columns)
{
	size_t offset = 0, taken = 0, length;

	for (; (length = character_size(text + offset)) > 0; offset += length) {
		char character[32];
		size_t width = 1;

		/* Stray continuation bytes are not a character: hide them. */
		if (length >= sizeof(character))
			break;
		if (length > 1 || text[offset] < ' ' || text[offset] > '~') {
			memcpy(character, text + offset, length);
			character[length] = '\0';
			width = text_width(character);
		}
		if (taken + width > columns)
			break;
		taken += width;
	}
	*ret_columns = taken;
	return offset;
}

size_t report_fit(struct strbuf *out, const char *text, size_t columns, bool ascii)
{
	const char *ellipsis = ascii ? "..." : "…";
	size_t width = ascii ? 3 : 1, taken, length;

	length = prefix_of(text, columns, &taken);
	if (text[length] == '\0') {
		strbuf_add(out, text, length);
		return taken;
	}
	if (columns < width) {
		strbuf_pad(out, '.', columns);
		return columns;
	}
	length = prefix_of(text, columns - width, &taken);
	strbuf_add(out, text, length);
	strbuf_puts(out, ellipsis);
	return taken + width;
}

char *report_seconds(int64_t duration_ns, char buffer[static REPORT_SECONDS_SIZE])
{
	uint64_t ms = 0;
	char *at;

	if (duration_ns > 0)
		ms = (uint64_t)(duration_ns / NS_PER_MS +
				(duration_ns % NS_PER_MS >= NS_PER_MS / 2));
	/* Not %.3f, which writes the locale's decimal point. */
	at = decimal_write(buffer, ms / 1000, 1);
	*at++ = '.';
	decimal_write(at, ms % 1000, 3);
	return buffer;
}
