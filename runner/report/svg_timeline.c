/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timeline picture as a whole: see svg_timeline.h.
 *
 * Theory of operation
 * -------------------
 * The rows come first, in markup of their own, each below the previous one. Then the height is
 * known. So the outermost element, the sheet, the axis and its grid are written, and the rows
 * follow. Time is drawn to scale from the client's start to its end. The axis has ticks at 1, 2 or
 * 5 times a power of ten; minutes and hours have ticks as on a clock.
 */
#include "runner/report/svg_timeline.h"

#include <math.h>

#include "common/text.h"
#include "runner/report/attempt_view.h"
#include "runner/report/result.h"
#include "runner/report/svg_axis.h"
#include "runner/report/svg_density.h"
#include "runner/report/svg_herd.h"
#include "runner/report/svg_lane.h"

#define AXIS_HEIGHT     26.0
#define GROUP_HEIGHT    24.0
#define STREAM_HEIGHT   20.0
#define TITLE_HEIGHT    26.0
#define MAX_LANES       40 /* with more attempts, not all get a row */
#define SHOWN_FIRST     6
#define SHOWN_LAST      3
#define SHOWN_BLAMED    5 /* blamed attempts whose surroundings are shown */
#define MAX_GROUPS      24
#define MAX_STREAMS     8
#define SHOWN_INSTANCES 8
#define MIN_JUMP        4.0 /* narrower ones are not marked */
#define JUMP_Y          22.0

/* Attempts at one address of one endpoint. */
struct group {
	uint32_t endpoint;
	const struct address *server; /* NULL: all remaining ones */
	uint32_t *ids;
	size_t n_ids, capacity;
};

struct groups {
	struct group *items;
	size_t n_items, capacity;
};

/* ---- what to draw ---- */

static bool is_of_attempt(const struct event *event)
{
	return event->kind <= EVENT_CLOSED;
}

/* Sorts events by attempt; stable, so that each attempt's events stay in the order of time. */
static void sort_events(struct picture *picture)
{
	const struct record *record = picture->record;
	size_t n = record->n_attempts;
	AUTO_FREE size_t *next = xzalloc((n + 1) * sizeof(*next));

	picture->first_event = xzalloc((n + 1) * sizeof(*picture->first_event));
	picture->event_order = xzalloc((record->n_events + 1) * sizeof(*picture->event_order));
	for (size_t i = 0; i < record->n_events; i++)
		if (is_of_attempt(&record->events[i]) && record->events[i].u.net.attempt < n)
			picture->first_event[record->events[i].u.net.attempt + 1]++;
	for (size_t i = 0; i < n; i++)
		picture->first_event[i + 1] += picture->first_event[i];
	memcpy(next, picture->first_event, (n + 1) * sizeof(*next));
	for (size_t i = 0; i < record->n_events; i++)
		if (is_of_attempt(&record->events[i]) && record->events[i].u.net.attempt < n)
			picture->event_order[next[record->events[i].u.net.attempt]++] = i;
}

/* Sets the span: from the client's start or an earlier event to a little after the last event. */
static void find_span(struct picture *picture)
{
	const struct record *record = picture->record;
	int64_t from_ns = 0, to_ns = 0;

	if (record->n_events > 0) {
		from_ns = MIN(0, record->events[0].at_ns);
		to_ns = MAX(0, record->events[record->n_events - 1].at_ns);
	}
	picture->from_ns = from_ns;
	picture->to_ns = MAX(to_ns + (to_ns - from_ns) / 50, from_ns + NS_PER_US);
}

static void picture_init(struct picture *picture, const struct svg_timeline_style *style)
{
	const struct record *record = picture->record;

	picture->markup = markup_new();
	picture->history = history_make(record);
	picture->backoffs =
		backoff_views_make(picture->scenario, &picture->history, style->timing_scale);
	picture->blamed = xzalloc(record->n_attempts + 1);
	for (size_t i = 0; picture->judgement && i < picture->judgement->n_findings; i++)
		if (picture->judgement->findings[i].attempt < record->n_attempts)
			picture->blamed[picture->judgement->findings[i].attempt] = true;
	sort_events(picture);
	find_span(picture);
}

static void picture_clear(struct picture *picture)
{
	free(picture->backoffs);
	history_free(&picture->history);
	free(picture->blamed);
	free(picture->first_event);
	free(picture->event_order);
	markup_free(picture->markup);
}

static int compare_groups(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	return COMPARE(a->endpoint, b->endpoint) ?: COMPARE(a->ids[0], b->ids[0]);
}

static struct group *find_group(struct groups *groups, const struct record_attempt *attempt)
{
	/* The last group takes all that are left. */
	struct group group = {.endpoint = UINT32_MAX};

	for (size_t i = 0; i < groups->n_items; i++) {
		struct group *known = &groups->items[i];

		if (!known->server || (known->endpoint == attempt->endpoint &&
				       address_equal(known->server, &attempt->server)))
			return known;
	}
	if (groups->n_items + 1 < MAX_GROUPS) {
		group.endpoint = attempt->endpoint;
		group.server = &attempt->server;
	}
	array_append(groups->items, groups->n_items, groups->capacity, group);
	return &groups->items[groups->n_items - 1];
}

static struct groups make_groups(const struct record *record)
{
	struct groups groups = {0};

	for (uint32_t id = 0; id < record->n_attempts; id++) {
		struct group *group = find_group(&groups, &record->attempts[id]);

		array_append(group->ids, group->n_ids, group->capacity, id);
	}
	if (groups.n_items > 1)
		qsort(groups.items, groups.n_items, sizeof(*groups.items), compare_groups);
	return groups;
}

static void free_groups(struct groups *groups)
{
	for (size_t i = 0; i < groups->n_items; i++)
		free(groups->items[i].ids);
	free(groups->items);
}

/* ---- rows ---- */

static void draw_group_name(struct picture *picture, const char *name, const char *address,
			    const char *note)
{
	struct markup *markup = picture->markup;
	double line = picture->y + 16, x = PICTURE_MARGIN + 6,
	       room = PICTURE_WIDTH - 2 * PICTURE_MARGIN - 12, width;
	AUTO_STRBUF struct strbuf safe = {0}, fitted = {0};

	svg_rect(markup, SVG_BAND, PICTURE_MARGIN, picture->y, PICTURE_WIDTH - 2 * PICTURE_MARGIN,
		 GROUP_HEIGHT - 2);
	report_line(&safe, name);
	report_fit(&fitted, strbuf_text(&safe), svg_columns(room / 3, SVG_FONT_SIZE), false);
	svg_strong(markup, SVG_INK, x, line, SVG_FONT_SIZE, 0, strbuf_text(&fitted));
	width = svg_text_width(strbuf_text(&fitted), SVG_FONT_SIZE) + 14;
	if (address) {
		svg_text(markup, SVG_INK, x + width, line, SVG_FONT_SIZE, SVG_START, 0, address);
		width += svg_text_width(address, SVG_FONT_SIZE) + 14;
	}
	if (note)
		svg_text(markup, SVG_DIM, x + width, line, SVG_FONT_SIZE, SVG_START, room - width,
			 note);
	picture->y += GROUP_HEIGHT;
}

/* Returns whether an attempt of a large group gets a row; @blamed: the first blamed attempts. */
static bool is_shown(const struct group *group, size_t at, const size_t *blamed, size_t n_blamed)
{
	if (at < SHOWN_FIRST || at + SHOWN_LAST >= group->n_ids)
		return true;
	for (size_t i = 0; i < n_blamed; i++)
		if (at + 1 >= blamed[i] && at <= blamed[i] + 1)
			return true;
	return false;
}

static void draw_more(struct picture *picture, size_t n_more)
{
	AUTO_FREE char *text =
		xasprintf("%zu more attempt%s: only in the strips above", n_more, PLURAL(n_more));

	svg_text(picture->markup, SVG_DIM, PLOT_X, picture->y + 13, SVG_FONT_SIZE, SVG_START,
		 PLOT_WIDTH, text);
	picture->y += 20;
}

static void draw_large_group(struct picture *picture, const struct group *group)
{
	size_t blamed[SHOWN_BLAMED], n_blamed = 0, n_hidden = 0;

	picture_density(picture, group->ids, group->n_ids);
	if (!group->server)
		return;
	for (size_t i = 0; i < group->n_ids && n_blamed < ARRAY_SIZE(blamed); i++)
		if (picture->blamed[group->ids[i]])
			blamed[n_blamed++] = i;
	for (size_t i = 0; i < group->n_ids; i++) {
		if (!is_shown(group, i, blamed, n_blamed)) {
			n_hidden++;
			continue;
		}
		/* Replacing one row by "1 more" would save nothing. */
		if (n_hidden == 1)
			picture_lane(picture, group->ids[i - 1]);
		else if (n_hidden > 1)
			draw_more(picture, n_hidden);
		n_hidden = 0;
		picture_lane(picture, group->ids[i]);
	}
}

static void draw_groups(struct picture *picture)
{
	const struct record *record = picture->record;
	struct groups groups = make_groups(record);

	for (size_t i = 0; i < groups.n_items; i++) {
		const struct group *group = &groups.items[i];
		char address[ADDRESS_TEXT_SIZE];
		bool large = !group->server || (record->n_attempts > MAX_LANES &&
						group->n_ids > SHOWN_FIRST + SHOWN_LAST + 1);

		if (group->server)
			draw_group_name(picture,
					group->endpoint < record->n_endpoints
						? record->endpoints[group->endpoint].name
						: "?",
					address_format(group->server, address),
					group->endpoint < record->n_endpoints
						? record->endpoints[group->endpoint].script
						: NULL);
		else
			draw_group_name(picture, "all other addresses", NULL, NULL);
		if (large)
			draw_large_group(picture, group);
		for (size_t k = 0; !large && k < group->n_ids; k++)
			picture_lane(picture, group->ids[k]);
		picture->y += 4;
	}
	if (groups.n_items == 0) {
		svg_text(picture->markup, SVG_DIM, PLOT_X, picture->y + 16, SVG_FONT_SIZE,
			 SVG_START, PLOT_WIDTH,
			 record->client_started ? "no SYN reached any endpoint"
						: "no start of the client is on record");
		picture->y += 26;
	}
	free_groups(&groups);
}

/* Returns the bytes of a stream from @offset on, or NULL if they were not kept. */
static const char *stream_at(const struct stream *stream, uint64_t offset, size_t *ret_length)
{
	uint64_t tail_start = stream->total - stream->tail_length;

	if (offset < stream->head_length) {
		*ret_length = stream->head_length - (size_t)offset;
		return stream->head + offset;
	}
	if (offset >= tail_start && offset < stream->total) {
		*ret_length = (size_t)(stream->total - offset);
		return stream->tail + (offset - tail_start);
	}
	return NULL;
}

/* Draws the first line of output, as far as it fits up to @right. */
static void draw_output_text(struct picture *picture, const char *data, size_t length, double x,
			     double right)
{
	const char *newline = memchr(data, '\n', length);
	AUTO_STRBUF struct strbuf line = {0}, safe = {0};

	if (right - x < 40)
		return;
	strbuf_add(&line, data, MIN(newline ? (size_t)(newline - data) : length, (size_t)400));
	text_sanitize(&safe, strbuf_text(&line), line.length);
	svg_text(picture->markup, SVG_DIM, x, picture->y + 14, SVG_SMALL_SIZE, SVG_START, right - x,
		 strbuf_text(&safe));
}

static void draw_stream(struct picture *picture, uint32_t index)
{
	const struct record *record = picture->record;
	const struct stream *stream = &record->streams[index];
	const char *data = NULL;
	double drawn = -10, x = 0;
	uint64_t offset = 0;
	size_t length = 0;
	AUTO_FREE char *note =
		xasprintf("%llu byte%s", (unsigned long long)stream->total, PLURAL(stream->total));

	svg_text(picture->markup, SVG_INK, PICTURE_MARGIN + 6, picture->y + 14, SVG_FONT_SIZE,
		 SVG_START, NAME_WIDTH, stream->name);
	svg_text(picture->markup, SVG_DIM, NOTE_X, picture->y + 14, SVG_FONT_SIZE, SVG_START,
		 NOTE_WIDTH, note);
	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];

		if (event->kind != EVENT_OUTPUT || event->u.output.stream != index)
			continue;
		x = picture_x(picture, event->at_ns);
		if (x - drawn >= 3) {
			if (data)
				draw_output_text(picture, data, length, drawn + 6, x - 4);
			svg_rect(picture->markup, SVG_OUTPUT, x - 1, picture->y + 4, 2.5, 12);
			drawn = x;
			data = stream_at(stream, offset, &length);
		}
		offset += event->u.output.length;
	}
	if (data)
		draw_output_text(picture, data, length, drawn + 6, PLOT_END);
	picture->used[SVG_OUTPUT] = true;
	picture->y += STREAM_HEIGHT;
}

static void draw_streams(struct picture *picture)
{
	size_t n_drawn = 0;

	for (uint32_t i = 0; i < picture->record->n_streams && n_drawn < MAX_STREAMS; i++)
		if (picture->record->streams[i].total > 0) {
			draw_stream(picture, i);
			n_drawn++;
		}
}

/* Draws a process from its start to its end, with its exit. */
static void draw_process(struct picture *picture, const char *name, int64_t from_ns, int64_t to_ns,
			 const char *end, bool good)
{
	double from = picture_x(picture, from_ns), to = picture_x(picture, to_ns),
	       middle = picture->y + 10;

	svg_text(picture->markup, SVG_INK, PICTURE_MARGIN + 6, picture->y + 14, SVG_FONT_SIZE,
		 SVG_START, NAME_WIDTH, name);
	svg_rect(picture->markup, SVG_LIFE, from, middle - 3, to - from, 6);
	svg_rect(picture->markup, good ? SVG_ACCEPTED : SVG_REFUSED, to - 2, middle - 7, 4, 14);
	svg_text(picture->markup, good ? SVG_INK : SVG_MISS, NOTE_X, picture->y + 14, SVG_FONT_SIZE,
		 SVG_START, NOTE_WIDTH, end);
	picture->y += STREAM_HEIGHT;
}

/* Returns whether the client ended as expected; without an expectation, with status 0. */
static bool is_good_end(const struct picture *picture, int wait_status)
{
	const struct scenario *scenario = picture->scenario;

	for (size_t i = 0; scenario && i < scenario->n_expectations; i++)
		if (scenario->expectations[i].kind == EXPECT_EXIT)
			return expectation_exit_matches(&scenario->expectations[i], wait_status);
	return wait_status == 0;
}

/* Draws an instance of the client. */
static void draw_instance(struct picture *picture, uint32_t instance, const char *name)
{
	const struct record *record = picture->record;
	const struct event *start = record_instance_start(record, instance),
			   *exit = record_instance_exit(record, instance);
	bool timed_out = record_timed_out(record);
	AUTO_STRBUF struct strbuf end = {0};
	char buffer[DURATION_TEXT_SIZE];

	if (timed_out)
		strbuf_puts(&end, "timeout, then ");
	if (exit) {
		attempt_add_wait_status(exit->u.exit.wait_status, &end);
		strbuf_printf(&end, " at %s", duration_format(exit->at_ns, buffer));
	} else {
		strbuf_puts(&end, "end not seen");
	}
	draw_process(picture, name, start ? start->at_ns : 0, exit ? exit->at_ns : picture->to_ns,
		     strbuf_text(&end),
		     exit && !timed_out && is_good_end(picture, exit->u.exit.wait_status));
}

static void draw_client(struct picture *picture)
{
	const struct record *record = picture->record;
	uint32_t n_shown = MIN(record->n_instances, SHOWN_INSTANCES);

	/* The start and end of an attached client are unknown. */
	if (!record->client_started || record->attached)
		return;
	if (record->n_instances <= 1)
		draw_instance(picture, 0, "client");
	for (uint32_t instance = 0; record->n_instances > 1 && instance < n_shown; instance++) {
		AUTO_FREE char *name = xasprintf("instance %u", instance + 1);

		draw_instance(picture, instance, name);
	}
	if (record->n_instances > n_shown && n_shown > 1) {
		const uint32_t n_more = record->n_instances - n_shown;
		AUTO_FREE char *text = xasprintf("%u more instance%s", n_more, PLURAL(n_more));

		svg_text(picture->markup, SVG_DIM, PLOT_X, picture->y + 14, SVG_FONT_SIZE,
			 SVG_START, PLOT_WIDTH, text);
		picture->y += STREAM_HEIGHT;
	}
}

static void draw_server_exits(struct picture *picture)
{
	const struct record *record = picture->record;

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];
		AUTO_STRBUF struct strbuf end = {0};
		AUTO_FREE char *name = NULL;
		char buffer[DURATION_TEXT_SIZE];

		if (event->kind != EVENT_SERVER_EXIT)
			continue;
		name = xasprintf("server of %s",
				 event->u.server.endpoint < record->n_endpoints
					 ? record->endpoints[event->u.server.endpoint].name
					 : "?");
		attempt_add_wait_status(event->u.server.wait_status, &end);
		strbuf_printf(&end, " at %s", duration_format(event->at_ns, buffer));
		draw_process(picture, name, picture->from_ns, event->at_ns, strbuf_text(&end),
			     false);
	}
}

/* ---- around the rows ---- */

/* Draws the end of the last client and of its time, down through all rows. */
static void draw_ends(const struct picture *picture, struct markup *markup, double top,
		      double bottom)
{
	const struct event *last = record_exit(picture->record);

	for (size_t i = 0; i < picture->record->n_events; i++) {
		const struct event *event = &picture->record->events[i];
		double x = picture_x(picture, event->at_ns);

		if (event->kind == EVENT_EXIT && picture->record->n_instances > SHOWN_INSTANCES &&
		    event != last)
			continue;
		if (event->kind == EVENT_TIMEOUT)
			svg_line(markup, SVG_MISS, x, top + 20, x, bottom, 1, true);
		else if (event->kind == EVENT_EXIT)
			svg_line(markup, SVG_OPEN, x, top + 20, x, bottom, 1, true);
	}
}

/* Marks on the axis over which times the clock jumped, where that is wide enough to be seen. */
static void draw_jumps(const struct picture *picture, struct markup *markup, double top)
{
	const struct record *record = picture->record;
	char buffer[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < record->n_jumps; i++) {
		const struct clock_jump *jump = &record->jumps[i];
		double from = picture_x(picture, jump->at_ns);
		double to = picture_x(picture, jump->at_ns + jump->by_ns);
		AUTO_FREE char *title = NULL;

		if (to - from < MIN_JUMP)
			continue;
		title = xasprintf("the clock jumped by %s", duration_format(jump->by_ns, buffer));
		svg_group(markup, title);
		svg_line(markup, SVG_DIM, from + 1, top + JUMP_Y, to - 1, top + JUMP_Y, 2, true);
		markup_close(markup);
	}
}

/* ---- the legend ---- */

static void draw_sample(struct markup *markup, enum svg_paint paint, double x, double y)
{
	double middle = y - 4;

	switch (paint) {
	case SVG_INK:
		svg_line(markup, paint, x + 8, middle - 6, x + 8, middle + 6, 2, false);
		break;
	case SVG_REFUSED:
		svg_cross(markup, paint, x + 8, middle, 4);
		break;
	case SVG_DROPPED:
		svg_circle(markup, paint, x + 8, middle, 4, false);
		break;
	case SVG_ACCEPTED:
		svg_circle(markup, paint, x + 8, middle, 4, true);
		break;
	case SVG_UNREACHABLE:
	case SVG_FAULT:
		svg_diamond(markup, paint, x + 8, middle, 5);
		break;
	case SVG_BACKOFF:
	case SVG_LAG:
		svg_rect(markup, paint, x, middle - 1.5, 16, 3);
		break;
	case SVG_OPEN:
		svg_line(markup, paint, x, middle, x + 16, middle, 1.5, false);
		svg_line(markup, paint, x + 16, middle - 4, x + 16, middle + 4, 1.5, false);
		break;
	default:
		svg_rect(markup, paint, x, middle - 4, 16, 8);
		break;
	}
}

static void draw_legend(struct picture *picture)
{
	static const struct {
		enum svg_paint paint;
		const char *text;
	} items[] = {
		{SVG_INK, "SYN; thin: retransmission"},
		{SVG_LIFE, "no answer yet"},
		{SVG_REFUSED, "refused"},
		{SVG_DROPPED, "dropped"},
		{SVG_DELAYED, "delayed"},
		{SVG_UNREACHABLE, "unreachable"},
		{SVG_ACCEPTED, "connected"},
		{SVG_FAULT, "fault after the SYN"},
		{SVG_OPEN, "socket until it closes"},
		{SVG_BACKOFF, "backoff"},
		{SVG_ALLOWED, "allowed backoff"},
		{SVG_MISS, "miss"},
		{SVG_HERD, "peak of the herd"},
	};
	double x = PICTURE_MARGIN + 6, right = PICTURE_WIDTH - PICTURE_MARGIN;
	AUTO_FREE char *lag = NULL;
	char buffer[DURATION_TEXT_SIZE];

	picture->y += 18;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		double width = 24 + svg_text_width(items[i].text, SVG_SMALL_SIZE) + 20;

		if (!picture->used[items[i].paint])
			continue;
		if (x + width > right) {
			x = PICTURE_MARGIN + 6;
			picture->y += 18;
		}
		draw_sample(picture->markup, items[i].paint, x, picture->y);
		svg_text(picture->markup, SVG_DIM, x + 24, picture->y, SVG_SMALL_SIZE, SVG_START, 0,
			 items[i].text);
		x += width;
	}
	lag = xasprintf("synfault's lag: at most %s; drawn to scale below a row where visible",
			duration_format(MAX(picture->record->harness_lag_ns, 0), buffer));
	picture->y += 18;
	draw_sample(picture->markup, SVG_LAG, PICTURE_MARGIN + 6, picture->y);
	svg_text(picture->markup, SVG_DIM, PICTURE_MARGIN + 30, picture->y, SVG_SMALL_SIZE,
		 SVG_START, 0, lag);
	if (picture->record->n_jumps > 0) {
		picture->y += 18;
		svg_line(picture->markup, SVG_DIM, PICTURE_MARGIN + 6, picture->y - 4,
			 PICTURE_MARGIN + 22, picture->y - 4, 2, true);
		svg_text(picture->markup, SVG_DIM, PICTURE_MARGIN + 30, picture->y, SVG_SMALL_SIZE,
			 SVG_START, 0, "on the axis: the clock jumped, nothing happened");
	}
	picture->y += 10;
}

/* ---- everything ---- */

/* Returns a description for screen readers. */
static char *describe(const struct picture *picture)
{
	size_t counts[END_N_KINDS] = {0}, n = picture->history.n_attempts;
	const struct event *exit = record_exit(picture->record);
	char buffer[DURATION_TEXT_SIZE];
	struct strbuf text = {0};

	for (size_t i = 0; i < n; i++)
		counts[picture->history.attempts[i].end]++;
	strbuf_printf(&text, "%zu connection attempt%s", n, PLURAL(n));
	for (enum attempt_end end = 0; end < END_N_KINDS; end++)
		if (counts[end] > 0)
			strbuf_printf(&text, ", %zu %s", counts[end], attempt_end_words(end));
	if (exit) {
		strbuf_puts(&text, "; the client ended with ");
		attempt_add_wait_status(exit->u.exit.wait_status, &text);
		strbuf_printf(&text, " after %s", duration_format(exit->at_ns, buffer));
	}
	strbuf_putc(&text, '.');
	return strbuf_steal(&text);
}

static void draw_rows(struct picture *picture)
{
	draw_groups(picture);
	picture_herds(picture);
	draw_group_name(picture, "processes", NULL, NULL);
	draw_server_exits(picture);
	draw_client(picture);
	draw_streams(picture);
}

char *svg_timeline_format(const struct scenario *scenario, const struct record *record,
			  const struct judgement *judgement, const struct svg_timeline_style *style,
			  size_t *ret_length)
{
	struct picture picture = {.scenario = scenario, .record = record, .judgement = judgement};
	const char *name = scenario ? scenario->name : record->scenario;
	double top = style->standalone ? TITLE_HEIGHT : 0, bottom;
	AUTO_MARKUP struct markup *markup = markup_new();
	AUTO_FREE char *rows = NULL, *title = NULL, *description = NULL;
	size_t length;

	picture_init(&picture, style);
	picture.y = top + AXIS_HEIGHT;
	draw_rows(&picture);
	bottom = picture.y;
	draw_legend(&picture);
	rows = markup_steal(picture.markup, &length);
	description = describe(&picture);
	title = xasprintf("Timeline of %s", name ? name : "a scenario");
	if (style->standalone)
		markup_raw(markup, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	svg_begin(markup, style->id ? style->id : "timeline", PICTURE_WIDTH, ceil(picture.y), title,
		  description);
	svg_rect(markup, SVG_SHEET, 0, 0, PICTURE_WIDTH, ceil(picture.y));
	if (style->standalone)
		svg_strong(markup, SVG_INK, PICTURE_MARGIN + 6, 19, 13,
			   PICTURE_WIDTH - 2 * PICTURE_MARGIN - 12, name ? name : "");
	picture_herd_bands(&picture, markup, top + AXIS_HEIGHT - 4, bottom);
	picture_axis(&picture, markup, top, bottom);
	draw_ends(&picture, markup, top, bottom);
	draw_jumps(&picture, markup, top);
	markup_raw(markup, rows);
	svg_end(markup);
	picture_clear(&picture);
	return markup_steal(markup, ret_length);
}
