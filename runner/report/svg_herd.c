/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thundering herds in the timeline picture, if the scenario limits them: the fullest window of time
 * as a band behind all attempts, and a row that says how many attempts it contains.
 */
#include "runner/report/svg_herd.h"
#include "runner/judge/herd.h"
#include "runner/report/svg_axis.h"

#define ROW_HEIGHT 32.0

/* Finds the fullest window of an expectation. Returns false if it is empty, or none is expected. */
static bool find_herd(const struct picture *picture, size_t index, struct herd *ret)
{
	const struct expectation *expectation = &picture->scenario->expectations[index];
	AUTO_FREE const struct attempt_history **attempts = NULL;
	size_t n;

	if (expectation->kind != EXPECT_HERD)
		return false;
	n = herd_attempts(&picture->history, expectation, &attempts);
	*ret = herd_measure(attempts, n, expectation->value.herd.within_ns);
	return ret->peak > 0;
}

static void draw_window(const struct picture *picture, struct markup *markup,
			const struct expectation *expectation, const struct herd *herd, double top,
			double bottom)
{
	double from = picture_x(picture, herd->from_ns),
	       to = picture_x(picture, herd->from_ns + expectation->value.herd.within_ns);

	svg_rect(markup, SVG_HERD, from, top, MAX(to - from, 1.5), bottom - top);
}

void picture_herd_bands(const struct picture *picture, struct markup *markup, double top,
			double bottom)
{
	struct herd herd;

	for (size_t i = 0; picture->scenario && i < picture->scenario->n_expectations; i++)
		if (find_herd(picture, i, &herd))
			draw_window(picture, markup, &picture->scenario->expectations[i], &herd,
				    top, bottom);
}

static void draw_row(struct picture *picture, const struct expectation *expectation,
		     const struct herd *herd)
{
	const struct scenario *scenario = picture->scenario;
	struct markup *markup = picture->markup;
	bool named = expectation->endpoint < scenario->n_endpoints;
	bool many = herd->peak > (uint64_t)expectation->value.herd.max;
	char within[DURATION_TEXT_SIZE], from[DURATION_TEXT_SIZE];
	AUTO_FREE char *name =
		xasprintf("herd%s%s", named ? " at " : "",
			  named ? scenario->endpoints[expectation->endpoint].name : "");
	AUTO_FREE char *peak =
		xasprintf("%zu %s within %s", herd->peak, herd_counted(expectation),
			  duration_format(expectation->value.herd.within_ns, within));
	AUTO_FREE char *limit =
		xasprintf("from %s on, %lld allowed", duration_format(herd->from_ns, from),
			  (long long)expectation->value.herd.max);

	svg_text(markup, SVG_INK, PICTURE_MARGIN + 6, picture->y + 20, SVG_FONT_SIZE, SVG_START,
		 NAME_WIDTH, name);
	svg_text(markup, many ? SVG_MISS : SVG_INK, NOTE_X, picture->y + 13, SVG_FONT_SIZE,
		 SVG_START, NOTE_WIDTH, peak);
	svg_text(markup, many ? SVG_MISS : SVG_DIM, NOTE_X, picture->y + 26, SVG_SMALL_SIZE,
		 SVG_START, NOTE_WIDTH, limit);
	draw_window(picture, markup, expectation, herd, picture->y + 6, picture->y + 26);
	svg_rect(markup, many ? SVG_MISS : SVG_OPEN, picture_x(picture, herd->from_ns),
		 picture->y + 14,
		 MAX(picture_x(picture, herd->until_ns) - picture_x(picture, herd->from_ns), 1.5),
		 4);
	picture->used[SVG_HERD] = true;
	picture->y += ROW_HEIGHT;
}

void picture_herds(struct picture *picture)
{
	struct herd herd;

	for (size_t i = 0; picture->scenario && i < picture->scenario->n_expectations; i++)
		if (find_herd(picture, i, &herd))
			draw_row(picture, &picture->scenario->expectations[i], &herd);
}
