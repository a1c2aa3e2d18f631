/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attempt table: a title and a row for each attempt, between the lines of attempt_facts.h.
 *
 * Theory of operation
 * -------------------
 * The cells come first, as plain text, and only for the rows that are shown: a client that retries
 * in a tight loop makes a hundred thousand attempts. The widths follow. If the table does not fit,
 * first the wording becomes shorter, then wide columns are cut, then columns are left out. Colour
 * is added when a row is written, so that it never counts as width.
 */
#include "runner/report/attempt_table.h"
#include "runner/report/attempt_view.h"

#include <inttypes.h>

#include "common/text.h"
#include "runner/report/ascii_timeline.h"
#include "runner/report/attempt_facts.h"
#include "runner/report/backoff_view.h"
#include "runner/report/result.h"

#define DEFAULT_COLUMNS 80
#define MINIMUM_COLUMNS 40
#define TABLE_INDENT    2 /* of the table below the title */
#define COLUMN_GAP      2
#define SHOWN_FIRST     10
#define SHOWN_LAST      5
#define SHOWN_AROUND    1 /* on either side of a blamed attempt */
#define MAX_BLAMED      3 /* attempts whose surroundings are shown; all are marked */

enum column {
	COLUMN_NUMBER,
	COLUMN_AT,
	COLUMN_INSTANCE, /* of the client, if there are several */
	COLUMN_ENDPOINT,
	COLUMN_ADDRESS, /* if an endpoint has several */
	COLUMN_STEP,
	COLUMN_FAULT,
	COLUMN_SYNS,
	COLUMN_ENDED,
	COLUMN_BACKOFF,
	N_COLUMNS,
};

/* How one column is laid out. */
static const struct {
	bool right;
	size_t minimum; /* width it may be cut to; 0: never cut */
} layouts[] = {
	[COLUMN_NUMBER] = {.right = true},   [COLUMN_AT] = {.right = true},
	[COLUMN_INSTANCE] = {.right = true}, [COLUMN_ENDPOINT] = {.minimum = 8},
	[COLUMN_ADDRESS] = {.minimum = 9},   [COLUMN_STEP] = {.right = true},
	[COLUMN_FAULT] = {.minimum = 12},    [COLUMN_SYNS] = {0},
	[COLUMN_ENDED] = {.minimum = 14},    [COLUMN_BACKOFF] = {.right = true},
};
_Static_assert(ARRAY_SIZE(layouts) == N_COLUMNS, "one layout per column");

/* A part of the table's cell texts. */
struct cell {
	size_t offset, length; /* bytes */
	size_t width;          /* columns */
};

struct row {
	size_t skipped; /* > 0: the row replaces this many attempts */
	bool blamed;
	struct cell cells[N_COLUMNS]; /* of the wanted columns */
};

struct table {
	const struct scenario *scenario;
	const struct record *record;
	const struct judgement *judgement;
	const struct history *history;
	struct backoff_view *backoffs; /* by attempt */
	const struct attempt_table_style *style;
	const char *indent;
	size_t columns; /* for text, without the indent */
	bool brief;     /* shorter wordings, to save columns */
	bool wanted[N_COLUMNS];
	struct row *rows;
	size_t n_rows, rows_capacity;
	struct strbuf cells;      /* the texts of all rows, safe to show as they are */
	size_t widths[N_COLUMNS]; /* 0: the column is left out */
	struct strbuf *out;
};

static const char *color(const struct table *table, const char *code)
{
	return table->style->color ? code : "";
}

/* Adds one line of text, cut to the width. */
static void add_line(const struct table *table, size_t indent, const char *text)
{
	AUTO_STRBUF struct strbuf line = {0}, ascii = {0};

	report_line(&line, text);
	if (table->style->ascii) {
		report_ascii(&ascii, strbuf_text(&line));
		text = strbuf_text(&ascii);
	} else {
		text = strbuf_text(&line);
	}
	strbuf_puts(table->out, table->indent);
	strbuf_pad(table->out, ' ', indent);
	report_fit(table->out, text, table->columns - indent, table->style->ascii);
	strbuf_putc(table->out, '\n');
}

static bool is_blamed(const struct table *table, uint32_t id)
{
	for (size_t i = 0; table->judgement && i < table->judgement->n_findings; i++) {
		if (table->judgement->findings[i].attempt == id)
			return true;
	}
	return false;
}

/* Returns whether all rows have attempt delays in the last column, so that its heading says so. */
static bool shows_delays(const struct table *table)
{
	size_t n_delays = 0;

	for (size_t i = 0; i < table->history->n_attempts; i++) {
		if (table->backoffs[i].there && !table->backoffs[i].start_to_start)
			return false;
		n_delays += table->backoffs[i].there;
	}
	return n_delays > 0;
}

static void add_number(struct strbuf *out, uint64_t number)
{
	char digits[24];

	decimal_write(digits, number, 1);
	strbuf_puts(out, digits);
}

/* Adds the backoff or attempt delay before an attempt. */
static void add_before(const struct table *table, uint32_t id, struct strbuf *out)
{
	const struct backoff_view *wait = &table->backoffs[id];
	char buffer[DURATION_TEXT_SIZE];

	if (!wait->there)
		return;
	/* The previous attempt had not ended: no backoff. */
	strbuf_puts(out, wait->open ? "-" : duration_format(wait->length_ns, buffer));
}

static void add_syns(const struct attempt_history *attempt, struct strbuf *out)
{
	add_number(out, MIN(attempt->syns, 1));
	if (attempt->syns > 1)
		strbuf_printf(out, "+%u rtx", attempt->syns - 1);
}

static void add_text(const struct table *table, uint32_t id, enum column column, struct strbuf *out)
{
	const struct record_attempt *attempt = &table->record->attempts[id];
	const struct attempt_history *history = &table->history->attempts[id];
	char seconds[REPORT_SECONDS_SIZE];

	switch (column) {
	case COLUMN_NUMBER:
		add_number(out, (uint64_t)id + 1);
		break;
	case COLUMN_AT:
		strbuf_puts(out, report_seconds(history->started_ns, seconds));
		strbuf_puts(out, " s");
		break;
	case COLUMN_INSTANCE:
		attempt_add_instance(attempt, out);
		break;
	case COLUMN_ENDPOINT:
		report_line(out, attempt_endpoint_name(table->record, attempt->endpoint));
		strbuf_putc(out, ' ');
		add_number(out, attempt->number);
		break;
	case COLUMN_ADDRESS:
		attempt_add_target(table->record, id, out);
		break;
	case COLUMN_STEP:
		add_number(out, (uint64_t)attempt->step + 1);
		break;
	case COLUMN_FAULT:
		attempt_add_fault(table->scenario, table->record, id, out);
		break;
	case COLUMN_SYNS:
		add_syns(history, out);
		break;
	case COLUMN_ENDED:
		attempt_add_end(history, table->brief, out);
		break;
	case COLUMN_BACKOFF:
		add_before(table, id, out);
		break;
	case N_COLUMNS:
		break;
	}
}

/* Makes a cell of the text added to the table's cells from @offset on. */
static struct cell make_cell(struct table *table, size_t offset)
{
	struct strbuf *texts = &table->cells;

	if (table->style->ascii) {
		AUTO_STRBUF struct strbuf ascii = {0};

		strbuf_add(texts, "", 1);
		report_ascii(&ascii, texts->data + offset);
		texts->length = offset;
		strbuf_add(texts, strbuf_text(&ascii), ascii.length);
	}
	/* The terminating NUL belongs to the cell. */
	strbuf_add(texts, "", 1);
	return (struct cell){
		.offset = offset,
		.length = texts->length - 1 - offset,
		.width = text_width(texts->data + offset),
	};
}

static void add_attempt_row(struct table *table, uint32_t id)
{
	struct row row = {.blamed = is_blamed(table, id)};

	for (enum column column = 0; column < N_COLUMNS; column++) {
		size_t offset = table->cells.length;

		if (!table->wanted[column])
			continue;
		add_text(table, id, column, &table->cells);
		row.cells[column] = make_cell(table, offset);
	}
	array_append(table->rows, table->n_rows, table->rows_capacity, row);
}

static void free_rows(struct table *table)
{
	strbuf_free(&table->cells);
	free(table->rows);
	table->rows = NULL;
	table->n_rows = table->rows_capacity = 0;
}

/* Returns whether a row shows attempt @id; @blamed: the first blamed attempts. */
static bool is_shown(const struct table *table, uint32_t id, const uint32_t *blamed,
		     size_t n_blamed)
{
	size_t n = table->history->n_attempts;

	if (id < SHOWN_FIRST || (size_t)id + SHOWN_LAST >= n)
		return true;
	for (size_t i = 0; i < n_blamed; i++) {
		if (id + SHOWN_AROUND >= blamed[i] && id <= blamed[i] + SHOWN_AROUND)
			return true;
	}
	return false;
}

static bool column_wanted(const struct table *table, enum column column)
{
	if (column == COLUMN_ENDPOINT)
		return table->record->n_endpoints > 1;
	if (column == COLUMN_ADDRESS)
		return attempt_has_choice(table->record);
	if (column == COLUMN_INSTANCE)
		return table->record->n_instances > 1;
	if (column != COLUMN_STEP || !table->scenario)
		return true;
	for (size_t i = 0; i < table->scenario->n_endpoints; i++) {
		if (table->scenario->endpoints[i].script.n_steps > 1)
			return true;
	}
	return false;
}

static void make_rows(struct table *table)
{
	const struct judgement *judgement = table->judgement;
	size_t n = table->history->n_attempts, n_blamed = 0, hidden;
	uint32_t blamed[MAX_BLAMED];

	for (size_t i = 0; judgement && i < judgement->n_findings && n_blamed < MAX_BLAMED; i++) {
		if (judgement->findings[i].attempt < n)
			blamed[n_blamed++] = judgement->findings[i].attempt;
	}
	for (uint32_t id = 0; id < n; id++) {
		for (hidden = 0; !is_shown(table, id, blamed, n_blamed); id++)
			hidden++;
		/* Replacing one row by "1 more" would save nothing. */
		if (hidden == 1)
			add_attempt_row(table, id - 1);
		else if (hidden > 1)
			array_append(table->rows, table->n_rows, table->rows_capacity,
				     (struct row){.skipped = hidden});
		add_attempt_row(table, id);
	}
}

static const char *heading(const struct table *table, enum column column)
{
	static const char *const headings[] = {
		[COLUMN_NUMBER] = "#",          [COLUMN_AT] = "at",
		[COLUMN_INSTANCE] = "instance", [COLUMN_ENDPOINT] = "endpoint",
		[COLUMN_ADDRESS] = "address",   [COLUMN_STEP] = "step",
		[COLUMN_FAULT] = "fault",       [COLUMN_SYNS] = "SYNs",
		[COLUMN_ENDED] = "ended",       [COLUMN_BACKOFF] = "backoff",
	};

	_Static_assert(ARRAY_SIZE(headings) == N_COLUMNS, "one heading per column");
	if (column == COLUMN_BACKOFF && shows_delays(table))
		return table->brief ? "delay" : "attempt delay";
	return headings[column];
}

static size_t total_width(const struct table *table)
{
	size_t total = TABLE_INDENT + COLUMN_GAP; /* the final mark: a blank and a cross */

	for (size_t column = 0; column < N_COLUMNS; column++) {
		if (table->widths[column] > 0)
			total += table->widths[column] + COLUMN_GAP;
	}
	return total - COLUMN_GAP;
}

static void natural_widths(struct table *table)
{
	for (enum column column = 0; column < N_COLUMNS; column++) {
		size_t width = text_width(heading(table, column));

		for (size_t i = 0; i < table->n_rows; i++)
			width = MAX(width, table->rows[i].cells[column].width);
		table->widths[column] = table->wanted[column] ? width : 0;
	}
}

/* Cuts and drops columns until the table fits; addresses, which differ in their ends, come last. */
static void shrink_widths(struct table *table)
{
	static const struct {
		enum column column;
		bool cut;
	} steps[] = {
		{COLUMN_ENDPOINT, true},  {COLUMN_FAULT, true},     {COLUMN_ENDED, true},
		{COLUMN_STEP, false},     {COLUMN_SYNS, false},     {COLUMN_ADDRESS, true},
		{COLUMN_INSTANCE, false}, {COLUMN_ENDPOINT, false}, {COLUMN_FAULT, false},
		{COLUMN_ADDRESS, false},  {COLUMN_AT, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		size_t *width = &table->widths[steps[i].column], total = total_width(table);
		size_t spare = *width - MIN(*width, layouts[steps[i].column].minimum);

		if (total <= table->columns)
			return;
		*width = steps[i].cut ? *width - MIN(spare, total - table->columns) : 0;
	}
}

/* Adds @text, which is @width columns wide, in a column. */
static void add_cell(const struct table *table, enum column column, const char *text, size_t length,
		     size_t width)
{
	size_t room = table->widths[column];
	AUTO_STRBUF struct strbuf fitted = {0};

	if (width > room) {
		width = report_fit(&fitted, text, room, table->style->ascii);
		text = strbuf_text(&fitted);
		length = fitted.length;
	}
	if (layouts[column].right)
		strbuf_pad(table->out, ' ', room - width);
	strbuf_add(table->out, text, length);
	if (!layouts[column].right)
		strbuf_pad(table->out, ' ', room - width);
}

static void add_heading(const struct table *table, enum column column)
{
	const char *text = heading(table, column);

	add_cell(table, column, text, strlen(text), text_width(text));
}

/* Adds one row, or the headings if @row is NULL. */
static void add_row(const struct table *table, const struct row *row)
{
	const char *mark = table->style->ascii ? " x" : " ✗";
	struct strbuf *out = table->out;
	bool blamed = row && row->blamed;

	strbuf_puts(out, table->indent);
	if (!row || blamed)
		strbuf_puts(out, color(table, blamed ? "\033[31;1m" : "\033[2m"));
	strbuf_pad(out, ' ', TABLE_INDENT);
	for (enum column column = 0; column < N_COLUMNS; column++) {
		if (table->widths[column] == 0)
			continue;
		if (column > COLUMN_NUMBER)
			strbuf_pad(out, ' ', COLUMN_GAP);
		if (row)
			add_cell(table, column, table->cells.data + row->cells[column].offset,
				 row->cells[column].length, row->cells[column].width);
		else
			add_heading(table, column);
	}
	if (blamed)
		strbuf_puts(out, mark);
	while (out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
	if (blamed || !row)
		strbuf_puts(out, color(table, "\033[0m"));
	strbuf_putc(out, '\n');
}

static void add_table(struct table *table)
{
	if (table->history->n_attempts == 0) {
		if (table->record->client_started)
			add_line(table, TABLE_INDENT, "no attempts: no SYN reached any endpoint");
		return;
	}
	for (enum column column = 0; column < N_COLUMNS; column++)
		table->wanted[column] = column_wanted(table, column);
	make_rows(table);
	natural_widths(table);
	if (total_width(table) > table->columns) {
		free_rows(table);
		table->brief = true;
		make_rows(table);
		natural_widths(table);
		shrink_widths(table);
	}
	add_row(table, NULL);
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct row *row = &table->rows[i];
		AUTO_FREE char *more = NULL;

		if (row->skipped == 0) {
			add_row(table, row);
			continue;
		}
		more = xasprintf("… %zu more …", row->skipped);
		add_line(table, TABLE_INDENT, more);
	}
	free_rows(table);
}

static void add_timeline(const struct table *table)
{
	AUTO_FREE char *indent = xasprintf("%s%*s", table->indent, TABLE_INDENT, "");
	const struct ascii_timeline_style style = {
		.ascii = table->style->ascii,
		.columns = MAX(table->style->timeline, (size_t)MINIMUM_COLUMNS),
		.indent = indent,
	};

	if (table->style->timeline == 0 || table->history->n_attempts == 0)
		return;
	strbuf_putc(table->out, '\n');
	ascii_timeline_format(table->history, table->backoffs, &style, table->out);
	strbuf_putc(table->out, '\n');
}

/* Adds the scenario's name and, at the right edge, how long the client ran. */
static void add_title(const struct table *table)
{
	const struct event *exit = record_exit(table->record);
	const char *name = table->scenario ? table->scenario->name : table->record->scenario;
	AUTO_STRBUF struct strbuf line = {0}, ascii = {0};
	char duration[DURATION_TEXT_SIZE] = "";
	size_t room, taken;

	if (exit)
		duration_format(exit->at_ns, duration);
	report_line(&line, name ? name : "");
	if (table->style->ascii)
		report_ascii(&ascii, strbuf_text(&line));
	room = table->columns - strlen(duration) - (exit ? COLUMN_GAP : 0);
	strbuf_puts(table->out, table->indent);
	strbuf_puts(table->out, color(table, "\033[1m"));
	taken = report_fit(table->out, strbuf_text(table->style->ascii ? &ascii : &line), room,
			   table->style->ascii);
	strbuf_puts(table->out, color(table, "\033[0m"));
	if (exit) {
		strbuf_pad(table->out, ' ', table->columns - taken - strlen(duration));
		strbuf_puts(table->out, duration);
	}
	strbuf_putc(table->out, '\n');
}

static void add_fact(void *userdata, size_t indent, const char *text)
{
	add_line(userdata, TABLE_INDENT + indent, text);
}

void attempt_table_format(const struct scenario *scenario, const struct record *record,
			  const struct judgement *judgement,
			  const struct attempt_table_style *style, struct strbuf *out)
{
	size_t columns = MAX(style->columns ? style->columns : DEFAULT_COLUMNS, MINIMUM_COLUMNS);
	struct history history = history_make(record);
	struct table table = {
		.scenario = scenario,
		.record = record,
		.judgement = judgement,
		.history = &history,
		.backoffs = backoff_views_make(scenario, &history, 1),
		.style = style,
		.indent = style->indent ? style->indent : "",
		.out = out,
	};
	struct attempt_facts facts = {
		.scenario = scenario,
		.record = record,
		.history = &history,
		.add_line = add_fact,
		.userdata = &table,
	};
	size_t indent = text_width(table.indent);

	table.columns = MAX(columns - MIN(columns, indent), (size_t)MINIMUM_COLUMNS / 2);
	facts.columns = table.columns - TABLE_INDENT;
	if (!style->untitled)
		add_title(&table);
	attempt_facts_scripts(&facts);
	add_table(&table);
	add_timeline(&table);
	attempt_facts_end(&facts);
	free(table.backoffs);
	history_free(&history);
}
