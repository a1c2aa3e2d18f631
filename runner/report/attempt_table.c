/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timeline: a title, the fault scripts, a table with one row per attempt, and how the client
 * ended.
 *
 * Theory of operation
 * -------------------
 * First all cells are made as plain text, for the rows that are to be shown only: a client that
 * retries in a tight loop makes a hundred thousand attempts. Then the widths are found: wordings
 * become shorter, wide columns are cut, and at last columns are left out, until the table fits.
 * Colour is added only when a row is put together, so that it never counts as width.
 */
#include "runner/report/attempt_table.h"
#include "runner/report/attempt_text.h"

#include <inttypes.h>
#include <sys/wait.h>

#include "common/signal_names.h"
#include "common/text.h"
#include "runner/judge/herd.h"
#include "runner/report/ascii_timeline.h"
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
#define MAX_SCRIPTS     8 /* endpoints whose scripts are shown */
#define MAX_ADDRESSES   8 /* of each of them */
#define MAX_STANDING    3 /* sockets that outlive the client */

enum column {
	COLUMN_NUMBER,
	COLUMN_AT,
	COLUMN_COPY, /* of the client, where there are several */
	COLUMN_ENDPOINT,
	COLUMN_STEP,
	COLUMN_FAULT,
	COLUMN_SYNS,
	COLUMN_ENDED,
	COLUMN_BEFORE,
	N_COLUMNS,
};

/* How one column is laid out. */
static const struct {
	bool right;
	size_t minimum; /* width it may be cut to; 0: never cut */
} layouts[] = {
	[COLUMN_NUMBER] = {.right = true},
	[COLUMN_AT] = {.right = true},
	[COLUMN_COPY] = {.right = true},
	[COLUMN_ENDPOINT] = {.minimum = 8},
	[COLUMN_STEP] = {.right = true},
	[COLUMN_FAULT] = {.minimum = 12},
	[COLUMN_SYNS] = {0},
	[COLUMN_ENDED] = {.minimum = 14},
	[COLUMN_BEFORE] = {.right = true},
};
_Static_assert(ARRAY_SIZE(layouts) == N_COLUMNS, "one layout per column");

/* A part of the timeline's cell texts. */
struct cell {
	size_t offset, length; /* bytes */
	size_t width;          /* columns */
};

struct row {
	size_t skipped; /* > 0: stands for this many attempts that are not shown */
	bool blamed;
	struct cell cells[N_COLUMNS]; /* of the columns that are wanted */
};

struct timeline {
	const struct scenario *scenario;
	const struct record *record;
	const struct judgement *judgement;
	const struct history *history;
	struct backoff_view *waits; /* by attempt */
	const struct attempt_table_style *style;
	const char *indent;
	size_t columns; /* for text, indent taken off */
	bool brief;     /* shorter wordings, to save columns */
	bool wanted[N_COLUMNS];
	struct row *rows;
	size_t n_rows, rows_capacity;
	struct strbuf cells;      /* the texts of all rows, safe to show as they are */
	size_t widths[N_COLUMNS]; /* 0: the column is left out */
	struct strbuf *out;
};

static const char *color(const struct timeline *timeline, const char *code)
{
	return timeline->style->color ? code : "";
}

/* One line of text, cut to the width. */
static void add_line(const struct timeline *timeline, size_t indent, const char *text)
{
	AUTO_STRBUF struct strbuf line = {0}, ascii = {0};

	report_line(&line, text);
	if (timeline->style->ascii) {
		report_ascii(&ascii, strbuf_text(&line));
		text = strbuf_text(&ascii);
	} else {
		text = strbuf_text(&line);
	}
	strbuf_puts(timeline->out, timeline->indent);
	strbuf_pad(timeline->out, ' ', indent);
	report_fit(timeline->out, text, timeline->columns - indent, timeline->style->ascii);
	strbuf_putc(timeline->out, '\n');
}

void attempt_table_wait_status(int wait_status, struct strbuf *out)
{
	const char *name;
	int number;

	if (!WIFSIGNALED(wait_status)) {
		strbuf_printf(out, "exit %d", WEXITSTATUS(wait_status));
		return;
	}
	number = WTERMSIG(wait_status);
	name = signal_name(number);
	if (name)
		strbuf_printf(out, "killed by SIG%s", name);
	else
		strbuf_printf(out, "killed by signal %d", number);
}

static const char *endpoint_name(const struct timeline *timeline, uint32_t endpoint)
{
	if (endpoint < timeline->record->n_endpoints)
		return timeline->record->endpoints[endpoint].name;
	return "?";
}

/* The step that served an attempt, or NULL when the record does not fit the scenario. */
static const struct step *step_of(const struct timeline *timeline, uint32_t id)
{
	const struct record_attempt *attempt = &timeline->record->attempts[id];
	const struct script *script;

	if (!timeline->scenario || attempt->endpoint >= timeline->scenario->n_endpoints)
		return NULL;
	script = &timeline->scenario->endpoints[attempt->endpoint].script;
	return attempt->step < script->n_steps ? &script->steps[attempt->step] : NULL;
}

static bool is_blamed(const struct timeline *timeline, uint32_t id)
{
	for (size_t i = 0; timeline->judgement && i < timeline->judgement->n_findings; i++) {
		if (timeline->judgement->findings[i].attempt == id)
			return true;
	}
	return false;
}

/* Whether the last column holds intervals in all rows: then that is its heading. */
static bool shows_intervals(const struct timeline *timeline)
{
	size_t n_intervals = 0;

	for (size_t i = 0; i < timeline->history->n_attempts; i++) {
		if (timeline->waits[i].there && !timeline->waits[i].interval)
			return false;
		n_intervals += timeline->waits[i].there;
	}
	return n_intervals > 0;
}

static void add_number(struct strbuf *out, uint64_t number)
{
	char digits[24];

	decimal_write(digits, number, 1);
	strbuf_puts(out, digits);
}

/* The column shows what was judged. */
static void add_before(const struct timeline *timeline, uint32_t id, struct strbuf *out)
{
	const struct backoff_view *wait = &timeline->waits[id];
	char buffer[DURATION_TEXT_SIZE];

	if (!wait->there)
		return;
	/* The attempt before had not ended: there was no wait. */
	strbuf_puts(out, wait->open ? "-" : duration_format(wait->length_ns, buffer));
}

static void add_instance(const struct record_attempt *attempt, struct strbuf *out)
{
	if (attempt->instance == INSTANCE_UNKNOWN)
		strbuf_putc(out, '?');
	else
		add_number(out, (uint64_t)attempt->instance + 1);
}

static void add_fault(const struct timeline *timeline, uint32_t id, struct strbuf *out)
{
	const struct record_attempt *attempt = &timeline->record->attempts[id];
	const struct step *step = step_of(timeline, id);
	char buffer[DURATION_TEXT_SIZE];
	struct step once;

	if (!step) {
		strbuf_printf(out, "step %u", attempt->step + 1);
		return;
	}
	once = *step;
	once.repeat = 1;
	once.repeat_explicit = false;
	once.when = (struct condition){0}; /* why it was chosen: that is in the script, too */
	/* The delay that was drawn, rather than the range it was drawn from: that is in the script.
	 */
	if (step->action == STEP_DELAY) {
		strbuf_printf(out, "delay %s", duration_format(attempt->delay_ns, buffer));
		step_format_then(step, out);
	} else {
		step_format(&once, out);
	}
}

static void add_ended(const struct timeline *timeline, const struct attempt_history *attempt,
		      struct strbuf *out)
{
	static const char *const words[] = {
		[END_REFUSED] = "refused",         [END_ESTABLISHED] = "connected",
		[END_ABANDONED] = "gave up",       [END_REJECTED] = "nobody listens",
		[END_UNREACHABLE] = "unreachable", [END_OPEN] = "still open",
	};
	const char *broken = attempt_broken_word(attempt);
	char buffer[DURATION_TEXT_SIZE];

	_Static_assert(ARRAY_SIZE(words) == END_N_KINDS, "one wording per end");
	strbuf_puts(out, words[attempt->end]);
	if (attempt->end == END_OPEN || attempt->end == END_REJECTED)
		return;
	/* Where there is little room, what became of it is more than how soon it was there. */
	if (broken && timeline->brief) {
		strbuf_printf(out, ", %s", broken);
		return;
	}
	strbuf_puts(out, timeline->brief ? " +" : " after ");
	strbuf_puts(out, duration_format(attempt->ended_ns - attempt->started_ns, buffer));
	if (broken)
		strbuf_printf(out, ", then %s", broken);
}

static void add_syns(const struct attempt_history *attempt, struct strbuf *out)
{
	add_number(out, MIN(attempt->syns, 1));
	if (attempt->syns > 1)
		strbuf_printf(out, "+%u rtx", attempt->syns - 1);
}

static void add_text(const struct timeline *timeline, uint32_t id, enum column column,
		     struct strbuf *out)
{
	const struct record_attempt *attempt = &timeline->record->attempts[id];
	const struct attempt_history *history = &timeline->history->attempts[id];
	char seconds[REPORT_SECONDS_SIZE];

	switch (column) {
	case COLUMN_NUMBER:
		add_number(out, (uint64_t)id + 1);
		break;
	case COLUMN_AT:
		strbuf_puts(out, report_seconds(history->started_ns, seconds));
		strbuf_puts(out, " s");
		break;
	case COLUMN_COPY:
		add_instance(attempt, out);
		break;
	case COLUMN_ENDPOINT:
		report_line(out, endpoint_name(timeline, attempt->endpoint));
		strbuf_putc(out, ' ');
		add_number(out, attempt->number);
		break;
	case COLUMN_STEP:
		add_number(out, (uint64_t)attempt->step + 1);
		break;
	case COLUMN_FAULT:
		add_fault(timeline, id, out);
		break;
	case COLUMN_SYNS:
		add_syns(history, out);
		break;
	case COLUMN_ENDED:
		add_ended(timeline, history, out);
		break;
	case COLUMN_BEFORE:
		add_before(timeline, id, out);
		break;
	case N_COLUMNS:
		break;
	}
}

/* Makes a cell of the text that was added to the timeline's cells from @offset on. */
static struct cell make_cell(struct timeline *timeline, size_t offset)
{
	struct strbuf *texts = &timeline->cells;

	if (timeline->style->ascii) {
		AUTO_STRBUF struct strbuf ascii = {0};

		strbuf_add(texts, "", 1);
		report_ascii(&ascii, texts->data + offset);
		texts->length = offset;
		strbuf_add(texts, strbuf_text(&ascii), ascii.length);
	}
	/* The terminating NUL is the cell's. */
	strbuf_add(texts, "", 1);
	return (struct cell){
		.offset = offset,
		.length = texts->length - 1 - offset,
		.width = text_width(texts->data + offset),
	};
}

static void add_attempt_row(struct timeline *timeline, uint32_t id)
{
	struct row row = {.blamed = is_blamed(timeline, id)};

	for (enum column column = 0; column < N_COLUMNS; column++) {
		size_t offset = timeline->cells.length;

		if (!timeline->wanted[column])
			continue;
		add_text(timeline, id, column, &timeline->cells);
		row.cells[column] = make_cell(timeline, offset);
	}
	array_append(timeline->rows, timeline->n_rows, timeline->rows_capacity, row);
}

static void free_rows(struct timeline *timeline)
{
	strbuf_free(&timeline->cells);
	free(timeline->rows);
	timeline->rows = NULL;
	timeline->n_rows = timeline->rows_capacity = 0;
}

/* Whether attempt @id is among those that are shown; @blamed holds the first of the blamed ones. */
static bool is_shown(const struct timeline *timeline, uint32_t id, const uint32_t *blamed,
		     size_t n_blamed)
{
	size_t n = timeline->history->n_attempts;

	if (id < SHOWN_FIRST || (size_t)id + SHOWN_LAST >= n)
		return true;
	for (size_t i = 0; i < n_blamed; i++) {
		if (id + SHOWN_AROUND >= blamed[i] && id <= blamed[i] + SHOWN_AROUND)
			return true;
	}
	return false;
}

static bool column_wanted(const struct timeline *timeline, enum column column)
{
	if (column == COLUMN_ENDPOINT)
		return timeline->record->n_endpoints > 1;
	if (column == COLUMN_COPY)
		return timeline->record->n_instances > 1;
	if (column != COLUMN_STEP || !timeline->scenario)
		return true;
	for (size_t i = 0; i < timeline->scenario->n_endpoints; i++) {
		if (timeline->scenario->endpoints[i].script.n_steps > 1)
			return true;
	}
	return false;
}

static void make_rows(struct timeline *timeline)
{
	const struct judgement *judgement = timeline->judgement;
	size_t n = timeline->history->n_attempts, n_blamed = 0, hidden;
	uint32_t blamed[MAX_BLAMED];

	for (size_t i = 0; judgement && i < judgement->n_findings && n_blamed < MAX_BLAMED; i++) {
		if (judgement->findings[i].attempt < n)
			blamed[n_blamed++] = judgement->findings[i].attempt;
	}
	for (uint32_t id = 0; id < n; id++) {
		for (hidden = 0; !is_shown(timeline, id, blamed, n_blamed); id++)
			hidden++;
		/* A line that says "1 more" is no shorter than the line it stands for. */
		if (hidden == 1)
			add_attempt_row(timeline, id - 1);
		else if (hidden > 1)
			array_append(timeline->rows, timeline->n_rows, timeline->rows_capacity,
				     (struct row){.skipped = hidden});
		add_attempt_row(timeline, id);
	}
}

static const char *heading(const struct timeline *timeline, enum column column)
{
	static const char *const headings[] = {
		[COLUMN_NUMBER] = "#",       [COLUMN_AT] = "at",
		[COLUMN_COPY] = "instance",  [COLUMN_ENDPOINT] = "endpoint",
		[COLUMN_STEP] = "step",      [COLUMN_FAULT] = "fault",
		[COLUMN_SYNS] = "SYNs",      [COLUMN_ENDED] = "ended",
		[COLUMN_BEFORE] = "backoff",
	};

	_Static_assert(ARRAY_SIZE(headings) == N_COLUMNS, "one heading per column");
	if (column == COLUMN_BEFORE && shows_intervals(timeline))
		return timeline->brief ? "interval" : "since start";
	if (column == COLUMN_BEFORE && timeline->brief)
		return "wait";
	return headings[column];
}

static size_t total_width(const struct timeline *timeline)
{
	size_t total = TABLE_INDENT + COLUMN_GAP; /* the mark at the end: a blank and a cross */

	for (size_t column = 0; column < N_COLUMNS; column++) {
		if (timeline->widths[column] > 0)
			total += timeline->widths[column] + COLUMN_GAP;
	}
	return total - COLUMN_GAP;
}

static void natural_widths(struct timeline *timeline)
{
	for (enum column column = 0; column < N_COLUMNS; column++) {
		size_t width = text_width(heading(timeline, column));

		for (size_t i = 0; i < timeline->n_rows; i++)
			width = MAX(width, timeline->rows[i].cells[column].width);
		timeline->widths[column] = timeline->wanted[column] ? width : 0;
	}
}

/* Cuts columns, then leaves some out, until the table fits. */
static void shrink_widths(struct timeline *timeline)
{
	static const enum column cut[] = {COLUMN_ENDPOINT, COLUMN_FAULT, COLUMN_ENDED};
	static const enum column leave_out[] = {COLUMN_STEP,     COLUMN_SYNS,  COLUMN_COPY,
						COLUMN_ENDPOINT, COLUMN_FAULT, COLUMN_AT};
	size_t total;

	for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
		size_t *width = &timeline->widths[cut[i]];
		size_t spare = *width - MIN(*width, layouts[cut[i]].minimum);

		total = total_width(timeline);
		if (total > timeline->columns)
			*width -= MIN(spare, total - timeline->columns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(leave_out); i++) {
		if (total_width(timeline) > timeline->columns)
			timeline->widths[leave_out[i]] = 0;
	}
}

/* Adds @text, which is @width columns wide, in the columns that are there for it. */
static void add_cell(const struct timeline *timeline, enum column column, const char *text,
		     size_t length, size_t width)
{
	size_t room = timeline->widths[column];
	AUTO_STRBUF struct strbuf fitted = {0};

	if (width > room) {
		width = report_fit(&fitted, text, room, timeline->style->ascii);
		text = strbuf_text(&fitted);
		length = fitted.length;
	}
	if (layouts[column].right)
		strbuf_pad(timeline->out, ' ', room - width);
	strbuf_add(timeline->out, text, length);
	if (!layouts[column].right)
		strbuf_pad(timeline->out, ' ', room - width);
}

static void add_heading(const struct timeline *timeline, enum column column)
{
	const char *text = heading(timeline, column);

	add_cell(timeline, column, text, strlen(text), text_width(text));
}

/* One row, or with @row NULL the headings. */
static void add_row(const struct timeline *timeline, const struct row *row)
{
	const char *mark = timeline->style->ascii ? " x" : " ✗";
	struct strbuf *out = timeline->out;
	bool blamed = row && row->blamed;

	strbuf_puts(out, timeline->indent);
	if (!row || blamed)
		strbuf_puts(out, color(timeline, blamed ? "\033[31;1m" : "\033[2m"));
	strbuf_pad(out, ' ', TABLE_INDENT);
	for (enum column column = 0; column < N_COLUMNS; column++) {
		if (timeline->widths[column] == 0)
			continue;
		if (column > COLUMN_NUMBER)
			strbuf_pad(out, ' ', COLUMN_GAP);
		if (row)
			add_cell(timeline, column, timeline->cells.data + row->cells[column].offset,
				 row->cells[column].length, row->cells[column].width);
		else
			add_heading(timeline, column);
	}
	if (blamed)
		strbuf_puts(out, mark);
	while (out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
	if (blamed || !row)
		strbuf_puts(out, color(timeline, "\033[0m"));
	strbuf_putc(out, '\n');
}

static void add_table(struct timeline *timeline)
{
	if (timeline->history->n_attempts == 0) {
		if (timeline->record->client_started)
			add_line(timeline, TABLE_INDENT,
				 "no attempts: no SYN came to any endpoint");
		return;
	}
	for (enum column column = 0; column < N_COLUMNS; column++)
		timeline->wanted[column] = column_wanted(timeline, column);
	make_rows(timeline);
	natural_widths(timeline);
	if (total_width(timeline) > timeline->columns) {
		free_rows(timeline);
		timeline->brief = true;
		make_rows(timeline);
		natural_widths(timeline);
		shrink_widths(timeline);
	}
	add_row(timeline, NULL);
	for (size_t i = 0; i < timeline->n_rows; i++) {
		const struct row *row = &timeline->rows[i];
		AUTO_FREE char *more = NULL;

		if (row->skipped == 0) {
			add_row(timeline, row);
			continue;
		}
		more = xasprintf("… %zu more …", row->skipped);
		add_line(timeline, TABLE_INDENT, more);
	}
	free_rows(timeline);
}

static void add_lanes(const struct timeline *timeline)
{
	AUTO_FREE char *indent = xasprintf("%s%*s", timeline->indent, TABLE_INDENT, "");
	const struct ascii_timeline_style style = {
		.ascii = timeline->style->ascii,
		.columns = MAX(timeline->style->lanes, (size_t)MINIMUM_COLUMNS),
		.indent = indent,
	};

	if (timeline->style->lanes == 0 || timeline->history->n_attempts == 0)
		return;
	strbuf_putc(timeline->out, '\n');
	ascii_timeline_format(timeline->history, &style, timeline->out);
	strbuf_putc(timeline->out, '\n');
}

/* The scenario's name, and at the right edge how long the client ran. */
static void add_title(const struct timeline *timeline)
{
	const struct event *exit = record_exit(timeline->record);
	const char *name =
		timeline->scenario ? timeline->scenario->name : timeline->record->scenario;
	AUTO_STRBUF struct strbuf line = {0}, ascii = {0};
	char duration[DURATION_TEXT_SIZE] = "";
	size_t room, taken;

	if (exit)
		duration_format(exit->at_ns, duration);
	report_line(&line, name ? name : "");
	if (timeline->style->ascii)
		report_ascii(&ascii, strbuf_text(&line));
	room = timeline->columns - strlen(duration) - (exit ? COLUMN_GAP : 0);
	strbuf_puts(timeline->out, timeline->indent);
	strbuf_puts(timeline->out, color(timeline, "\033[1m"));
	taken = report_fit(timeline->out, strbuf_text(timeline->style->ascii ? &ascii : &line),
			   room, timeline->style->ascii);
	strbuf_puts(timeline->out, color(timeline, "\033[0m"));
	if (exit) {
		strbuf_pad(timeline->out, ' ', timeline->columns - taken - strlen(duration));
		strbuf_puts(timeline->out, duration);
	}
	strbuf_putc(timeline->out, '\n');
}

/* Its first @n addresses, and how many more there are. */
static char *addresses_text(const struct record_endpoint *endpoint, size_t n)
{
	struct strbuf text = {0};
	char address[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&text, "%s%s", i > 0 ? ", " : "",
			      address_format(&endpoint->addresses[i], address));
	if (endpoint->n_addresses == 0)
		strbuf_puts(&text, "no address");
	else if (n < endpoint->n_addresses)
		strbuf_printf(&text, " and %zu more", endpoint->n_addresses - n);
	return strbuf_steal(&text);
}

/* "api at 127.0.0.1:8080, [::1]:8080: refuse, accept", with @n of the addresses. */
static char *script_text(const struct record_endpoint *endpoint, size_t n)
{
	AUTO_FREE char *where = addresses_text(endpoint, n);
	const char *script = endpoint->script ? endpoint->script : "";

	/* The name that was looked up, where there is one. */
	if (endpoint->remote && strcmp(endpoint->remote, where) != 0)
		return xasprintf("%s at %s (%s): %s", endpoint->name, endpoint->remote, where,
				 script);
	return xasprintf("%s at %s: %s", endpoint->name, where, script);
}

/* With as many addresses as there is room for beside the script, one at least. */
static void add_script(const struct timeline *timeline, const struct record_endpoint *endpoint)
{
	size_t n = MIN(endpoint->n_addresses, (size_t)MAX_ADDRESSES);
	AUTO_FREE char *line = script_text(endpoint, n);

	while (n > 1 && text_width(line) > timeline->columns - TABLE_INDENT) {
		free(line);
		line = script_text(endpoint, --n);
	}
	add_line(timeline, TABLE_INDENT, line);
}

/* What was to happen at each endpoint: the reader may not have the scenario file at hand. */
static void add_scripts(const struct timeline *timeline)
{
	const struct record *record = timeline->record;

	for (size_t i = 0; i < MIN(record->n_endpoints, (size_t)MAX_SCRIPTS); i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		add_script(timeline, endpoint);
		if (endpoint->delays)
			add_line(timeline, TABLE_INDENT + 2,
				 strcmp(endpoint->delays, "held") == 0
					 ? "delayed SYNs were held in place, and not repeated by "
					   "the kernel: CAP_NET_RAW is missing"
					 : "delayed SYNs were sent by synfault when their time had "
					   "come");
	}
	if (record->n_endpoints > MAX_SCRIPTS) {
		AUTO_FREE char *more =
			xasprintf("… %zu more endpoints …", record->n_endpoints - MAX_SCRIPTS);

		add_line(timeline, TABLE_INDENT, more);
	}
}

static void add_server_exits(const struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->record->n_events; i++) {
		const struct event *event = &timeline->record->events[i];
		AUTO_STRBUF struct strbuf line = {0};
		char at[DURATION_TEXT_SIZE];

		if (event->kind != EVENT_SERVER_EXIT)
			continue;
		strbuf_printf(&line, "server of %s ended: ",
			      endpoint_name(timeline, event->u.server.endpoint));
		attempt_table_wait_status(event->u.server.wait_status, &line);
		strbuf_printf(&line, " at %s", duration_format(event->at_ns, at));
		add_line(timeline, TABLE_INDENT, strbuf_text(&line));
	}
}

/* "12 clients: 10 ended with status 0, 2 in another way" */
static void add_copies_end(const struct record *record, struct strbuf *out)
{
	uint32_t n_ends = 0, n_zero = 0;

	for (size_t i = 0; i < record->n_events; i++) {
		if (record->events[i].kind != EVENT_EXIT)
			continue;
		n_ends++;
		n_zero += record->events[i].u.exit.wait_status == 0;
	}
	strbuf_printf(out, "%" PRIu32 " clients: ", record->n_instances);
	if (n_zero == n_ends)
		strbuf_printf(out, "%" PRIu32 " ended with status 0", n_zero);
	else
		strbuf_printf(out, "%" PRIu32 " ended with status 0, %" PRIu32 " in another way",
			      n_zero, n_ends - n_zero);
}

/* The fullest windows, where the scenario limits them: how near it came is worth knowing. */
static void add_herds(const struct timeline *timeline)
{
	const struct scenario *scenario = timeline->scenario;

	for (size_t i = 0; scenario && i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];
		AUTO_FREE const struct attempt_history **attempts = NULL;
		AUTO_FREE char *line = NULL;
		char within[DURATION_TEXT_SIZE], from[DURATION_TEXT_SIZE];
		struct herd herd;
		bool named;
		size_t n;

		if (expectation->kind != EXPECT_HERD)
			continue;
		n = herd_attempts(timeline->history, expectation, &attempts);
		herd = herd_measure(attempts, n, expectation->value.herd.within_ns);
		duration_format(expectation->value.herd.within_ns, within);
		named = expectation->endpoint < scenario->n_endpoints;
		line = xasprintf("herd%s%s: most %s within %s: %zu, from %s on (%lld allowed)",
				 named ? " at " : "",
				 named ? scenario->endpoints[expectation->endpoint].name : "",
				 herd_counted(expectation), within, herd.peak,
				 duration_format(herd.from_ns, from),
				 (long long)expectation->value.herd.max);
		add_line(timeline, TABLE_INDENT, line);
	}
}

/* Sockets that were open when the client had ended. */
static void add_standing(const struct timeline *timeline)
{
	const struct history *history = timeline->history;
	AUTO_FREE int64_t *late_ns = xzalloc((history->n_attempts + 1) * sizeof(*late_ns));
	size_t n_shown = 0;

	for (size_t i = 0; i < history->n_standing; i++) {
		uint32_t id = history->standing[i]->u.net.attempt;
		const struct event *exit =
			history_instance_exit(history, timeline->record->attempts[id].instance);

		if (exit)
			late_ns[id] = history->standing[i]->at_ns - exit->at_ns;
	}
	for (uint32_t id = 0; id < history->n_attempts && history->n_standing > 0; id++) {
		AUTO_FREE char *line = NULL;
		char late[DURATION_TEXT_SIZE];

		if (late_ns[id] <= 0 || ++n_shown > MAX_STANDING)
			continue;
		line = xasprintf("the socket of attempt %" PRIu32 " was open still, %s after the "
				 "client's end",
				 id + 1, duration_format(late_ns[id], late));
		add_line(timeline, TABLE_INDENT, line);
	}
	if (n_shown > MAX_STANDING) {
		AUTO_FREE char *more = xasprintf("and %zu more", n_shown - MAX_STANDING);

		add_line(timeline, TABLE_INDENT, more);
	}
}

static void add_end(const struct timeline *timeline)
{
	const struct record *record = timeline->record;
	const struct event *exit = record_exit(record);
	AUTO_STRBUF struct strbuf line = {0}, lag = {0};
	char buffer[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < record->n_events; i++) {
		if (record->events[i].kind == EVENT_TIMEOUT) {
			strbuf_printf(&line, "timeout at %s: ",
				      duration_format(record->events[i].at_ns, buffer));
			break;
		}
	}
	if (exit && record->n_instances > 1) {
		add_copies_end(record, &line);
		strbuf_printf(&line, "; the last at %s", duration_format(exit->at_ns, buffer));
	} else if (exit) {
		attempt_table_wait_status(exit->u.exit.wait_status, &line);
		strbuf_printf(&line, " at %s", duration_format(exit->at_ns, buffer));
	} else if (record->attached) {
		strbuf_puts(&line, "the client was somebody else's");
	} else {
		strbuf_puts(&line, record->client_started ? "the client's end was not seen"
							  : "the client was not started");
	}
	if (record->harness_lag_ns > 0)
		strbuf_printf(&lag, "the harness was late by %s at most",
			      duration_format(record->harness_lag_ns, buffer));
	/* In one line as far as there is room. */
	if (lag.length > 0 &&
	    TABLE_INDENT + text_width(strbuf_text(&line)) + 2 + text_width(strbuf_text(&lag)) <=
		    timeline->columns) {
		strbuf_printf(&line, "; %s", strbuf_text(&lag));
		strbuf_free(&lag);
	}
	add_line(timeline, TABLE_INDENT, strbuf_text(&line));
	if (lag.length > 0)
		add_line(timeline, TABLE_INDENT, strbuf_text(&lag));
}

void attempt_table_format(const struct scenario *scenario, const struct record *record,
			  const struct judgement *judgement,
			  const struct attempt_table_style *style, struct strbuf *out)
{
	size_t columns = MAX(style->columns ? style->columns : DEFAULT_COLUMNS, MINIMUM_COLUMNS);
	struct history history = history_make(record);
	struct timeline timeline = {
		.scenario = scenario,
		.record = record,
		.judgement = judgement,
		.history = &history,
		.waits = backoff_views_make(scenario, &history, 1),
		.style = style,
		.indent = style->indent ? style->indent : "",
		.out = out,
	};
	size_t indent = text_width(timeline.indent);

	timeline.columns = MAX(columns - MIN(columns, indent), (size_t)MINIMUM_COLUMNS / 2);
	if (!style->untitled)
		add_title(&timeline);
	add_scripts(&timeline);
	add_table(&timeline);
	add_lanes(&timeline);
	add_server_exits(&timeline);
	add_herds(&timeline);
	add_end(&timeline);
	add_standing(&timeline);
	free(timeline.waits);
	history_free(&history);
}
