/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the timeline picture: see svg_lane.h.
 *
 * Text above the row's middle, where it fits, gives the time before a retransmission and the
 * backoff before the attempt. The middle has the backoff (over what was allowed), the attempt from
 * its first SYN to its end, its SYNs, what was done to them, and its socket until it closes. Below
 * the middle, synfault's lag is drawn to scale.
 */
#include "runner/report/svg_lane.h"
#include "runner/report/svg_axis.h"

#include "runner/report/attempt_view.h"

#define LANE_HEIGHT 32.0
#define LANE_TEXT   9.0  /* base line of the text above the middle */
#define LANE_MIDDLE 20.0 /* as the next two, from the row's top */
#define LANE_LAG    28.0
#define GLYPH       4.0

/* Text in the plot of one row, from left to right; texts never overlap. */
struct row_text {
	double end; /* of the last text */
};

/* Draws text in the middle between two places, if there is room. */
static void put_text(struct picture *picture, struct row_text *row, enum svg_paint paint,
		     double left, double right, const char *text)
{
	double width = svg_text_width(text, SVG_SMALL_SIZE), x = (left + right - width) / 2;

	left = MAX(left, row->end + 4);
	if (x < left || x + width > MIN(right, PLOT_END))
		return;
	svg_text(picture->markup, paint, x, picture->y + LANE_TEXT, SVG_SMALL_SIZE, SVG_START, 0,
		 text);
	row->end = x + width;
}

static void draw_backoff(struct picture *picture, const struct backoff_view *backoff,
			 struct row_text *row)
{
	struct markup *markup = picture->markup;
	double middle = picture->y + LANE_MIDDLE, from, to;
	char length[DURATION_TEXT_SIZE];

	if (!backoff->there || backoff->open)
		return;
	from = picture_x(picture, backoff->from_ns);
	to = picture_x(picture, backoff->from_ns + backoff->length_ns);
	if (backoff->judged) {
		double low = picture_x(picture, backoff->from_ns + backoff->allowed.low);
		int64_t high_ns = backoff->allowed.high < INT64_MAX / 2
					  ? backoff->from_ns + backoff->allowed.high
					  : picture->to_ns;
		double high = picture_x(picture, high_ns);

		svg_rect(markup, SVG_ALLOWED, low, middle - 9, MAX(high - low, 1.5), 18);
		picture->used[SVG_ALLOWED] = true;
	}
	svg_rect(markup, SVG_BACKOFF, MIN(from, to), middle - 1.5, MAX(to - from, from - to), 3);
	picture->used[SVG_BACKOFF] = true;
	if (backoff->miss_ns) {
		double bound = picture_x(picture,
					 backoff->from_ns + backoff->length_ns - backoff->miss_ns);

		svg_rect(markup, SVG_MISS, MIN(to, bound), middle + 4,
			 MAX(MAX(to - bound, bound - to), 1.5), 4);
		picture->used[SVG_MISS] = true;
	}
	put_text(picture, row, backoff->miss_ns ? SVG_MISS : SVG_DIM, from, to,
		 duration_format(backoff->length_ns, length));
}

/* Draws an attempt from its first SYN to its end, and its socket until it dies. */
static void draw_life(struct picture *picture, const struct attempt_history *attempt)
{
	struct markup *markup = picture->markup;
	double middle = picture->y + LANE_MIDDLE;
	bool closed = attempt->closed_ns != INT64_MAX;
	int64_t ended_ns = attempt->end == END_OPEN ? picture->to_ns : attempt->ended_ns;
	double from = picture_x(picture, attempt->started_ns), to = picture_x(picture, ended_ns),
	       dead = picture_x(picture, closed ? attempt->closed_ns : picture->to_ns);

	if (to > from) {
		svg_rect(markup, SVG_LIFE, from, middle - 4, to - from, 8);
		picture->used[SVG_LIFE] = true;
	}
	if (dead <= to)
		return;
	/* How long a refused socket stays open does not matter; for a connection it does. */
	if (attempt->end != END_ESTABLISHED && attempt->end != END_ABANDONED)
		return;
	svg_line(markup, SVG_OPEN, to, middle, dead, middle, 1.5, !closed);
	if (closed)
		svg_line(markup, SVG_OPEN, dead, middle - 5, dead, middle + 5, 1.5, false);
	picture->used[SVG_OPEN] = true;
}

static void draw_syn(struct picture *picture, const struct event *event, double x, double before,
		     int64_t before_ns, struct row_text *row)
{
	double middle = picture->y + LANE_MIDDLE, half = event->u.net.ordinal > 1 ? 5 : 7;
	char rto[DURATION_TEXT_SIZE];

	svg_line(picture->markup, SVG_INK, x, middle - half, x, middle + half,
		 event->u.net.ordinal > 1 ? 1 : 2, false);
	picture->used[SVG_INK] = true;
	if (event->u.net.ordinal > 1)
		put_text(picture, row, SVG_DIM, before, x,
			 duration_format(event->at_ns - before_ns, rto));
}

static void draw_verdict(struct picture *picture, const struct event *event, double x, double syn_x,
			 const struct attempt_history *attempt)
{
	struct markup *markup = picture->markup;
	double middle = picture->y + LANE_MIDDLE, lag_x;

	if (picture->record->attempts[event->u.net.attempt].delay_ns > 0) {
		svg_rect(markup, SVG_DELAYED, syn_x, middle - 4, MAX(x - syn_x, 1), 8);
		picture->used[SVG_DELAYED] = true;
	}
	lag_x = picture_x(picture, event->at_ns - MAX(event->u.net.lag_ns, 0));
	if (x - lag_x >= 0.5)
		svg_rect(markup, SVG_LAG, lag_x, picture->y + LANE_LAG, x - lag_x, 3);
	switch (event->u.net.verdict) {
	case VERDICT_REFUSE:
		svg_cross(markup, SVG_REFUSED, x, middle, GLYPH);
		picture->used[SVG_REFUSED] = true;
		break;
	case VERDICT_DROP:
		svg_circle(markup, SVG_DROPPED, x, middle, GLYPH, false);
		picture->used[SVG_DROPPED] = true;
		break;
	case VERDICT_UNREACHABLE:
		svg_diamond(markup, SVG_UNREACHABLE, x, middle, GLYPH + 1);
		picture->used[SVG_UNREACHABLE] = true;
		break;
	case VERDICT_ACCEPT:
		/* An established connection is drawn elsewhere. */
		if (attempt->end == END_REJECTED)
			svg_circle(markup, SVG_ACCEPTED, x, middle, GLYPH, false);
		break;
	default:
		break;
	}
}

/* Draws what was done to the connection, with words above it if they fit. */
static void draw_fault(struct picture *picture, const struct event *event, double x,
		       struct row_text *row)
{
	const char *words = attempt_fault_words(event->u.net.fault);
	double half = svg_text_width(words, SVG_SMALL_SIZE) / 2;

	svg_diamond(picture->markup, SVG_FAULT, x, picture->y + LANE_MIDDLE, GLYPH + 1);
	picture->used[SVG_FAULT] = true;
	put_text(picture, row, SVG_FAULT, x - half - 1, x + half + 1, words);
}

static void draw_events(struct picture *picture, uint32_t id, struct row_text *row)
{
	const struct attempt_history *attempt = &picture->history.attempts[id];
	double middle = picture->y + LANE_MIDDLE, syn_x = PLOT_X;
	int64_t syn_ns = 0;

	for (size_t i = picture->first_event[id]; i < picture->first_event[id + 1]; i++) {
		const struct event *event = &picture->record->events[picture->event_order[i]];
		double x = picture_x(picture, event->at_ns);

		switch (event->kind) {
		case EVENT_SYN:
			draw_syn(picture, event, x, syn_x, syn_ns, row);
			syn_x = x;
			syn_ns = event->at_ns;
			break;
		case EVENT_VERDICT:
			draw_verdict(picture, event, x, syn_x, attempt);
			break;
		case EVENT_ESTABLISHED:
			svg_circle(picture->markup, SVG_ACCEPTED, x, middle, GLYPH, true);
			picture->used[SVG_ACCEPTED] = true;
			break;
		case EVENT_FAULT:
			draw_fault(picture, event, x, row);
			break;
		default:
			break;
		}
	}
}

/* Returns the row in words, shown under the pointer. */
static char *lane_title(const struct picture *picture, uint32_t id, const char *end,
			const char *wait)
{
	const struct record_attempt *attempt = &picture->record->attempts[id];
	const struct attempt_history *history = &picture->history.attempts[id];
	char at[DURATION_TEXT_SIZE], lag[DURATION_TEXT_SIZE], from[ADDRESS_TEXT_SIZE],
		to[ADDRESS_TEXT_SIZE];
	struct strbuf text = {0};

	strbuf_printf(&text, "attempt %u", id + 1);
	if (picture->record->n_instances > 1 && attempt->instance != INSTANCE_UNKNOWN)
		strbuf_printf(&text, " of instance %u", attempt->instance + 1);
	strbuf_printf(&text, " from %s to %s at %s: %s", address_format(&attempt->client, from),
		      address_format(&attempt->server, to),
		      duration_format(history->started_ns, at), end);
	if (history->syns > 1)
		strbuf_printf(&text, "; %u SYNs", history->syns);
	if (wait)
		strbuf_printf(&text, "; %s", wait);
	if (history->details->max_lag_ns > 0)
		strbuf_printf(&text, "; synfault's lag %s",
			      duration_format(history->details->max_lag_ns, lag));
	return strbuf_steal(&text);
}

/* Draws the name of the fault and, if there are several, the instance of the client. */
static void draw_fault_name(struct picture *picture, uint32_t id, const char *fault)
{
	uint32_t instance = picture->record->attempts[id].instance;
	double x = PICTURE_MARGIN + 44, y = picture->y + LANE_MIDDLE + 4, room = NAME_WIDTH - 44;
	AUTO_FREE char *text = NULL;

	if (picture->record->n_instances <= 1) {
		svg_text(picture->markup, SVG_DIM, x, y, SVG_FONT_SIZE, SVG_START, room, fault);
		return;
	}
	text = instance == INSTANCE_UNKNOWN ? xstrdup("instance not known")
					    : xasprintf("instance %u", instance + 1);
	svg_text(picture->markup, SVG_DIM, x, picture->y + 13, SVG_FONT_SIZE, SVG_START, room,
		 fault);
	svg_text(picture->markup, SVG_INK, x, picture->y + 26, SVG_SMALL_SIZE, SVG_START, room,
		 text);
}

void picture_lane(struct picture *picture, uint32_t id)
{
	const struct attempt_history *attempt = &picture->history.attempts[id];
	const struct backoff_view *backoff = &picture->backoffs[id];
	AUTO_STRBUF struct strbuf fault = {0}, end = {0};
	AUTO_FREE char *waited = attempt_backoff_text(backoff), *title = NULL,
		       *name = xasprintf("%u", id + 1);
	enum svg_paint paint = picture->blamed[id] ? SVG_MISS : SVG_INK;
	struct markup *markup = picture->markup;
	struct row_text row = {.end = PLOT_X - 4};
	double middle = picture->y + LANE_MIDDLE;

	attempt_add_fault(picture->scenario, picture->record, id, &fault);
	attempt_add_end(attempt, false, &end);
	title = lane_title(picture, id, strbuf_text(&end), waited);
	svg_group(markup, title);
	svg_text(markup, paint, PICTURE_MARGIN + 34, middle + 4, SVG_FONT_SIZE, SVG_END, 40, name);
	draw_fault_name(picture, id, strbuf_text(&fault));
	draw_backoff(picture, backoff, &row);
	draw_life(picture, attempt);
	draw_events(picture, id, &row);
	svg_text(markup, paint, NOTE_X, picture->y + (waited ? 13 : 24), SVG_FONT_SIZE, SVG_START,
		 NOTE_WIDTH, strbuf_text(&end));
	if (waited)
		svg_text(markup, backoff->miss_ns || backoff->open ? SVG_MISS : SVG_DIM, NOTE_X,
			 picture->y + 26, SVG_SMALL_SIZE, SVG_START, NOTE_WIDTH, waited);
	markup_close(markup);
	picture->y += LANE_HEIGHT;
}
