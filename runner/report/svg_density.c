/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many attempts in two strips of the timeline picture. The plot is divided into bins of a few
 * pixels. In the upper strip each bin has a column as high as the number of attempts that started
 * in it, in the colours of how they ended. In the lower strip each bin has a column from the
 * shortest to the longest backoff before these attempts, drawn over what was allowed.
 */
#include "runner/report/svg_density.h"
#include "common/text.h"
#include "runner/report/attempt_view.h"
#include "runner/report/svg_axis.h"

#define STRIP_HEIGHT 54.0
#define BIN_WIDTH    4.0
enum { N_BINS = (int)(PLOT_WIDTH / BIN_WIDTH) };

struct bin {
	size_t counts[END_N_KINDS], total;
	size_t n_backoffs, n_missed;
	int64_t shortest_ns, longest_ns;
	size_t n_judged;
	int64_t low_ns, high_ns; /* allowed to all of them */
};

static const enum svg_paint end_paints[END_N_KINDS] = {
	[END_REFUSED] = SVG_REFUSED,
	[END_ESTABLISHED] = SVG_ACCEPTED,
	[END_ABANDONED] = SVG_DROPPED,
	[END_REJECTED] = SVG_DELAYED,
	[END_UNREACHABLE] = SVG_UNREACHABLE,
	[END_TIMED_OUT] = SVG_DROPPED,
	[END_OPEN] = SVG_OPEN,
};

static void take_backoff(struct bin *bin, const struct backoff_view *backoff)
{
	if (!backoff->there || backoff->open)
		return;
	if (bin->n_backoffs == 0 || backoff->length_ns < bin->shortest_ns)
		bin->shortest_ns = backoff->length_ns;
	if (bin->n_backoffs == 0 || backoff->length_ns > bin->longest_ns)
		bin->longest_ns = backoff->length_ns;
	bin->n_backoffs++;
	bin->n_missed += backoff->miss_ns != 0;
	if (!backoff->judged)
		return;
	if (bin->n_judged == 0 || backoff->allowed.low < bin->low_ns)
		bin->low_ns = backoff->allowed.low;
	if (bin->n_judged == 0 || backoff->allowed.high > bin->high_ns)
		bin->high_ns = backoff->allowed.high;
	bin->n_judged++;
}

static void fill_bins(const struct picture *picture, const uint32_t *ids, size_t n_ids,
		      struct bin *bins)
{
	for (size_t i = 0; i < n_ids; i++) {
		const struct attempt_history *attempt = &picture->history.attempts[ids[i]];
		int at = (int)((picture_x(picture, attempt->started_ns) - PLOT_X) / BIN_WIDTH);
		struct bin *bin = &bins[MIN(MAX(at, 0), N_BINS - 1)];

		bin->counts[attempt->end]++;
		bin->total++;
		take_backoff(bin, &picture->backoffs[ids[i]]);
	}
}

static char *bin_title(const struct bin *bin, const struct picture *picture, int at)
{
	int64_t width_ns = (picture->to_ns - picture->from_ns) / N_BINS;
	char from[DURATION_TEXT_SIZE], shortest[DURATION_TEXT_SIZE], longest[DURATION_TEXT_SIZE];
	struct strbuf text = {0};

	strbuf_printf(&text, "%zu attempt%s from %s on:", bin->total, PLURAL(bin->total),
		      duration_format(picture->from_ns + at * width_ns, from));
	for (enum attempt_end end = 0; end < END_N_KINDS; end++)
		if (bin->counts[end] > 0)
			strbuf_printf(&text, " %zu %s", bin->counts[end], attempt_end_words(end));
	if (bin->n_backoffs > 0)
		strbuf_printf(&text, "; backoff of %s to %s",
			      duration_format(bin->shortest_ns, shortest),
			      duration_format(bin->longest_ns, longest));
	if (bin->n_missed > 0)
		strbuf_printf(&text, ", %zu not as expected", bin->n_missed);
	return strbuf_steal(&text);
}

static void draw_counts(struct picture *picture, const struct bin *bins, size_t most, int at)
{
	double base = picture->y + STRIP_HEIGHT, x = PLOT_X + at * BIN_WIDTH;

	for (enum attempt_end end = 0; end < END_N_KINDS; end++) {
		double height = (STRIP_HEIGHT - 6) * (double)bins[at].counts[end] / (double)most;

		if (height <= 0)
			continue;
		base -= height;
		svg_rect(picture->markup, end_paints[end], x, base, BIN_WIDTH - 0.5, height);
		picture->used[end_paints[end]] = true;
	}
}

static void draw_backoffs(struct picture *picture, const struct bin *bin, int64_t longest_ns,
			  int at)
{
	double top = picture->y + STRIP_HEIGHT + 10, height = STRIP_HEIGHT - 6,
	       x = PLOT_X + at * BIN_WIDTH, scale = height / (double)MAX(longest_ns, 1), low, high;

	if (bin->n_judged > 0) {
		low = (double)MIN(bin->low_ns, longest_ns) * scale;
		high = (double)MIN(bin->high_ns, longest_ns) * scale;
		svg_rect(picture->markup, SVG_ALLOWED, x, top + height - high, BIN_WIDTH,
			 MAX(high - low, 1));
		picture->used[SVG_ALLOWED] = true;
	}
	if (bin->n_backoffs == 0)
		return;
	low = (double)MAX(bin->shortest_ns, 0) * scale;
	high = (double)MAX(bin->longest_ns, 0) * scale;
	svg_rect(picture->markup, bin->n_missed ? SVG_MISS : SVG_BACKOFF, x + 0.5,
		 top + height - high - 1, BIN_WIDTH - 1, MAX(high - low, 2));
	picture->used[bin->n_missed ? SVG_MISS : SVG_BACKOFF] = true;
}

/* Draws the text beside the strips. */
static void draw_words(struct picture *picture, const uint32_t *ids, size_t n_ids,
		       const struct bin *sums, size_t most, int64_t scale_ns)
{
	struct markup *markup = picture->markup;
	double x = PICTURE_MARGIN + 6, y = picture->y, line = y + 14;
	char shortest[DURATION_TEXT_SIZE], longest[DURATION_TEXT_SIZE], scale[DURATION_TEXT_SIZE];
	AUTO_FREE char *count = xasprintf("%zu attempts", n_ids), *at_most = NULL, *lengths = NULL,
		       *missed = NULL, *axis = NULL;

	at_most = xasprintf("column: up to %zu", most);
	svg_text(markup, SVG_INK, x, y + 20, SVG_FONT_SIZE, SVG_START, NAME_WIDTH, count);
	svg_text(markup, SVG_DIM, x, y + 36, SVG_SMALL_SIZE, SVG_START, NAME_WIDTH, at_most);
	for (enum attempt_end end = 0; end < END_N_KINDS; end++) {
		AUTO_FREE char *text = NULL;

		if (sums->counts[end] == 0)
			continue;
		text = xasprintf("%zu %s", sums->counts[end], attempt_end_words(end));
		svg_text(markup, SVG_INK, NOTE_X, line, SVG_SMALL_SIZE, SVG_START, NOTE_WIDTH,
			 text);
		line += 12;
	}
	if (sums->n_backoffs == 0)
		return;
	y += STRIP_HEIGHT + 10;
	axis = xasprintf("column: up to %s", duration_format(scale_ns, scale));
	lengths = xasprintf("backoff of %s to %s", duration_format(sums->shortest_ns, shortest),
			    duration_format(sums->longest_ns, longest));
	svg_text(markup, SVG_INK, x, y + 20, SVG_FONT_SIZE, SVG_START, NAME_WIDTH,
		 picture->backoffs[ids[n_ids - 1]].start_to_start ? "attempt-delay" : "backoff");
	svg_text(markup, SVG_DIM, x, y + 36, SVG_SMALL_SIZE, SVG_START, NAME_WIDTH, axis);
	svg_text(markup, SVG_INK, NOTE_X, y + 20, SVG_SMALL_SIZE, SVG_START, NOTE_WIDTH, lengths);
	if (sums->n_missed > 0) {
		missed = xasprintf("%zu of %zu not as expected", sums->n_missed, sums->n_backoffs);
		svg_text(markup, SVG_MISS, NOTE_X, y + 34, SVG_SMALL_SIZE, SVG_START, NOTE_WIDTH,
			 missed);
	}
}

void picture_density(struct picture *picture, const uint32_t *ids, size_t n_ids)
{
	AUTO_FREE struct bin *bins = xzalloc(N_BINS * sizeof(*bins));
	struct bin sums = {0};
	int64_t scale_ns, high_ns = 0;
	size_t most = 1;

	fill_bins(picture, ids, n_ids, bins);
	for (size_t i = 0; i < n_ids; i++) {
		sums.counts[picture->history.attempts[ids[i]].end]++;
		take_backoff(&sums, &picture->backoffs[ids[i]]);
	}
	for (int i = 0; i < N_BINS; i++) {
		most = MAX(most, bins[i].total);
		if (bins[i].n_judged > 0)
			high_ns = MAX(high_ns, bins[i].high_ns);
	}
	/* What is allowed may be far longer than any backoff: then its upper end is not shown. */
	scale_ns = MAX(sums.longest_ns, 1);
	scale_ns = MAX(scale_ns, MIN(high_ns, 2 * scale_ns));
	draw_words(picture, ids, n_ids, &sums, most, scale_ns);
	for (int i = 0; i < N_BINS; i++) {
		AUTO_FREE char *title = NULL;

		if (bins[i].total == 0)
			continue;
		title = bin_title(&bins[i], picture, i);
		svg_group(picture->markup, title);
		draw_counts(picture, bins, most, i);
		draw_backoffs(picture, &bins[i], scale_ns, i);
		markup_close(picture->markup);
	}
	svg_line(picture->markup, SVG_OPEN, PLOT_X, picture->y + STRIP_HEIGHT, PLOT_END,
		 picture->y + STRIP_HEIGHT, 1, false);
	picture->y += STRIP_HEIGHT + 10;
	if (sums.n_backoffs > 0) {
		svg_line(picture->markup, SVG_OPEN, PLOT_X, picture->y + STRIP_HEIGHT - 6, PLOT_END,
			 picture->y + STRIP_HEIGHT - 6, 1, false);
		picture->y += STRIP_HEIGHT + 6;
	}
}
