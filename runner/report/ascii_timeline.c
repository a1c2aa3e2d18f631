/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ascii_timeline.h. */
#include "runner/report/ascii_timeline.h"

#include "common/duration.h"
#include "common/text.h"
#include "runner/report/attempt_view.h"
#include "runner/report/result.h"

#define SHOWN_FIRST   12
#define SHOWN_LAST    6
#define LABEL_COLUMNS ((size_t)16)
#define TICK_COLUMNS  ((size_t)12) /* minimum distance of two labelled ticks */

/* What a column of a lane can hold; later ones are drawn over earlier ones. */
enum mark {
	MARK_NONE,
	MARK_BACKOFF,   /* since the end of the previous attempt */
	MARK_CONNECTED, /* the connection is open */
	MARK_PENDING,   /* no answer yet */
	MARK_SYN,
	MARK_RETRANSMISSION,
	MARK_GAVE_UP,
	MARK_ESTABLISHED,
	MARK_FAILED, /* refused, or answered with another error */
	N_MARKS,
};

static const struct {
	const char *drawn, *ascii, *meaning;
} marks[] = {
	[MARK_NONE] = {" ", " ", NULL},
	[MARK_BACKOFF] = {"·", ".", "backoff"},
	[MARK_CONNECTED] = {"─", "-", "connection"},
	[MARK_PENDING] = {"━", "=", "no answer yet"},
	[MARK_SYN] = {"●", "S", "SYN"},
	[MARK_RETRANSMISSION] = {"○", "s", "SYN retransmission"},
	[MARK_GAVE_UP] = {"◁", "<", "gave up"},
	[MARK_ESTABLISHED] = {"✓", "+", "connected"},
	[MARK_FAILED] = {"✗", "x", "refused"},
};
_Static_assert(ARRAY_SIZE(marks) == N_MARKS, "one look per mark");

struct lanes {
	const struct history *history;
	const struct backoff_view *backoffs;
	const struct ascii_timeline_style *style;
	size_t label_columns, columns; /* of the labels, of the drawing */
	int64_t end_ns;                /* of the axis, which starts at 0 */
	bool used[N_MARKS];
	struct strbuf *out;
};

static const char *drawn(const struct lanes *lanes, enum mark mark)
{
	return lanes->style->ascii ? marks[mark].ascii : marks[mark].drawn;
}

static size_t column_of(const struct lanes *lanes, int64_t at_ns)
{
	double place = (double)MAX(at_ns, 0) / (double)lanes->end_ns;

	return MIN((size_t)(place * (double)(lanes->columns - 1)), lanes->columns - 1);
}

static void put(const struct lanes *lanes, enum mark *lane, int64_t from_ns, int64_t to_ns,
		enum mark mark)
{
	size_t last = column_of(lanes, to_ns);

	for (size_t i = column_of(lanes, from_ns); i <= last; i++)
		lane[i] = MAX(lane[i], mark);
}

static enum mark end_mark(enum attempt_end end)
{
	switch (end) {
	case END_ESTABLISHED:
		return MARK_ESTABLISHED;
	case END_ABANDONED:
	case END_TIMED_OUT:
		return MARK_GAVE_UP;
	case END_OPEN:
		return MARK_PENDING;
	default:
		return MARK_FAILED;
	}
}

static void fill_lane(const struct lanes *lanes, uint32_t id, enum mark *lane)
{
	const struct history *history = lanes->history;
	const struct attempt_history *attempt = &history->attempts[id];
	int64_t ended_ns = attempt->end == END_OPEN ? lanes->end_ns : attempt->ended_ns;
	const struct backoff_view *backoff = &lanes->backoffs[id];

	if (backoff->there && !backoff->open && backoff->length_ns > 0)
		put(lanes, lane, backoff->from_ns, backoff->from_ns + backoff->length_ns,
		    MARK_BACKOFF);
	if (attempt->end == END_ESTABLISHED)
		put(lanes, lane, ended_ns, MIN(attempt->closed_ns, lanes->end_ns), MARK_CONNECTED);
	put(lanes, lane, attempt->started_ns, ended_ns, MARK_PENDING);
	for (size_t i = 0; i < history->record->n_events; i++) {
		const struct event *event = &history->record->events[i];

		if (event->kind == EVENT_SYN && event->u.net.attempt == id)
			put(lanes, lane, event->at_ns, event->at_ns,
			    event->u.net.ordinal > 1 ? MARK_RETRANSMISSION : MARK_SYN);
	}
	put(lanes, lane, ended_ns, ended_ns, end_mark(attempt->end));
}

/* Returns "api 2", with the client's instance and the address if there are several. */
static char *label_of(const struct lanes *lanes, uint32_t id)
{
	const struct record *record = lanes->history->record;
	const struct record_attempt *attempt = &record->attempts[id];
	AUTO_STRBUF struct strbuf name = {0}, ascii = {0};
	AUTO_FREE char *number = xasprintf(" %u", attempt->number);
	struct strbuf label = {0};

	report_line(&name, attempt_endpoint_name(record, attempt->endpoint));
	if (lanes->style->ascii)
		report_ascii(&ascii, strbuf_text(&name));
	report_fit(&label, strbuf_text(lanes->style->ascii ? &ascii : &name),
		   LABEL_COLUMNS - strlen(number), lanes->style->ascii);
	strbuf_puts(&label, number);
	if (record->n_instances > 1) {
		strbuf_puts(&label, " instance ");
		attempt_add_instance(attempt, &label);
	}
	strbuf_putc(&label, ' ');
	attempt_add_target(record, id, &label);
	if (label.data[label.length - 1] == ' ')
		label.data[--label.length] = '\0';
	return strbuf_steal(&label);
}

static void add_lane(struct lanes *lanes, uint32_t id)
{
	AUTO_FREE enum mark *lane = xzalloc(lanes->columns * sizeof(*lane));
	AUTO_FREE char *label = label_of(lanes, id);
	size_t last = 0;

	fill_lane(lanes, id, lane);
	strbuf_puts(lanes->out, lanes->style->indent);
	strbuf_puts(lanes->out, label);
	strbuf_pad(lanes->out, ' ', lanes->label_columns - text_width(label));
	for (size_t i = 0; i < lanes->columns; i++)
		if (lane[i] != MARK_NONE)
			last = i;
	for (size_t i = 0; i <= last; i++) {
		strbuf_puts(lanes->out, drawn(lanes, lane[i]));
		lanes->used[lane[i]] = true;
	}
	strbuf_putc(lanes->out, '\n');
}

/* Returns the shortest step of 1, 2 or 5 times a power of ten that leaves room for labels. */
static int64_t tick_step(const struct lanes *lanes)
{
	static const int factors[] = {1, 2, 5};
	int64_t least = lanes->end_ns / (int64_t)MAX(lanes->columns / TICK_COLUMNS, (size_t)1);

	for (int64_t unit = NS_PER_US; unit < DURATION_MAX_NS; unit *= 10)
		for (size_t i = 0; i < ARRAY_SIZE(factors); i++)
			if (factors[i] * unit >= least)
				return factors[i] * unit;
	return DURATION_MAX_NS;
}

static void add_axis(const struct lanes *lanes)
{
	int64_t step_ns = tick_step(lanes);
	size_t at = 0;

	strbuf_puts(lanes->out, lanes->style->indent);
	strbuf_pad(lanes->out, ' ', lanes->label_columns);
	for (int64_t tick_ns = 0; tick_ns <= lanes->end_ns; tick_ns += step_ns) {
		size_t column = column_of(lanes, tick_ns);
		char label[DURATION_TEXT_SIZE];

		duration_format_exact(tick_ns, label);
		if (column < at || column + 1 + strlen(label) > lanes->columns)
			continue;
		strbuf_pad(lanes->out, ' ', column - at);
		strbuf_puts(lanes->out, lanes->style->ascii ? "|" : "╷");
		strbuf_puts(lanes->out, label);
		at = column + 1 + strlen(label);
	}
	strbuf_putc(lanes->out, '\n');
}

/* Explains the characters that occur, in lines that fit. */
static void add_key(const struct lanes *lanes)
{
	size_t room = lanes->style->columns - strlen(lanes->style->indent), at = 0;

	for (enum mark mark = MARK_BACKOFF; mark < N_MARKS; mark++) {
		AUTO_FREE char *entry = NULL;
		size_t width;

		if (!lanes->used[mark])
			continue;
		entry = xasprintf("%s %s", drawn(lanes, mark), marks[mark].meaning);
		width = text_width(entry);
		if (at > 0 && at + 2 + width > room) {
			strbuf_putc(lanes->out, '\n');
			at = 0;
		}
		strbuf_puts(lanes->out, at == 0 ? lanes->style->indent : "  ");
		strbuf_puts(lanes->out, entry);
		at += width + (at == 0 ? 0 : 2);
	}
	strbuf_putc(lanes->out, '\n');
}

static void find_extent(struct lanes *lanes)
{
	const struct record *record = lanes->history->record;
	size_t n = lanes->history->n_attempts;

	lanes->end_ns = NS_PER_MS;
	for (size_t i = 0; i < record->n_events; i++)
		lanes->end_ns = MAX(lanes->end_ns, record->events[i].at_ns);
	for (uint32_t id = 0; id < n; id++) {
		AUTO_FREE char *label = NULL;

		if (id == SHOWN_FIRST && n > SHOWN_FIRST + SHOWN_LAST + 2)
			id = (uint32_t)n - SHOWN_LAST;
		label = label_of(lanes, id);
		lanes->label_columns = MAX(lanes->label_columns, text_width(label) + 2);
	}
	lanes->columns =
		lanes->style->columns - strlen(lanes->style->indent) - lanes->label_columns;
}

void ascii_timeline_format(const struct history *history, const struct backoff_view *backoffs,
			   const struct ascii_timeline_style *style, struct strbuf *out)
{
	struct lanes lanes = {.history = history, .backoffs = backoffs, .style = style, .out = out};
	size_t n = history->n_attempts;

	if (n == 0)
		return;
	find_extent(&lanes);
	add_axis(&lanes);
	for (uint32_t id = 0; id < n; id++) {
		/* Replacing two lines by "2 more" would save next to nothing. */
		if (id == SHOWN_FIRST && n > SHOWN_FIRST + SHOWN_LAST + 2) {
			id = (uint32_t)n - SHOWN_LAST;
			strbuf_printf(out, "%s%s %zu more\n", style->indent,
				      style->ascii ? "..." : "…", n - SHOWN_FIRST - SHOWN_LAST);
		}
		add_lane(&lanes, id);
	}
	add_key(&lanes);
}
