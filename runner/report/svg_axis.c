/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See svg_axis.h. */
#include "runner/report/svg_axis.h"

#include <math.h>

#define TICK_DISTANCE 76.0 /* minimum, in pixels */

double picture_x(const struct picture *picture, int64_t at_ns)
{
	double share =
		(double)(at_ns - picture->from_ns) / (double)(picture->to_ns - picture->from_ns);

	return PLOT_X + PLOT_WIDTH * (share < 0 ? 0 : share > 1 ? 1 : share);
}

/* Returns the distance of two ticks. */
static int64_t tick_step(int64_t span_ns)
{
	static const int64_t minutes[] = {60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000};
	static const double factors[] = {1, 2, 5};
	double least_ns = (double)span_ns * TICK_DISTANCE / PLOT_WIDTH, power;

	if (least_ns > 30e9) {
		for (size_t i = 0; i < ARRAY_SIZE(minutes); i++)
			if ((double)minutes[i] * 1e9 >= least_ns)
				return minutes[i] * NS_PER_S;
		return (int64_t)(ceil(least_ns / 36e12) * 36e12);
	}
	if (least_ns > 20e9)
		return 30 * NS_PER_S;
	power = pow(10, floor(log10(MAX(least_ns, 1))));
	for (size_t i = 0; i < ARRAY_SIZE(factors); i++)
		if (factors[i] * power >= least_ns)
			return llround(factors[i] * power);
	return llround(10 * power);
}

/* Writes a tick's time with no more digits than the distance of ticks needs. */
static void format_tick(int64_t at_ns, int64_t step_ns, char *text, size_t size)
{
	static const struct {
		int64_t unit_ns;
		const char *name;
	} units[] = {{NS_PER_S, "s"}, {NS_PER_MS, "ms"}, {NS_PER_US, "us"}, {1, "ns"}};
	int64_t size_ns = at_ns < 0 ? -at_ns : at_ns;
	const char *sign = at_ns < 0 ? "−" : "";
	size_t unit = 0;
	long long whole, tenths;

	if (at_ns == 0) {
		snprintf(text, size, "0");
		return;
	}
	if (step_ns >= 30 * NS_PER_S) {
		long long seconds = size_ns / NS_PER_S;

		if (seconds >= 3600)
			snprintf(text, size, "%s%lld:%02lld:%02lld h", sign, seconds / 3600,
				 seconds / 60 % 60, seconds % 60);
		else
			snprintf(text, size, "%s%lld:%02lld min", sign, seconds / 60, seconds % 60);
		return;
	}
	/* One decimal is enough: the smallest step in seconds is 200 ms, and so on. */
	while (unit + 1 < ARRAY_SIZE(units) && step_ns * 10 < units[unit].unit_ns)
		unit++;
	whole = size_ns / units[unit].unit_ns;
	tenths = size_ns % units[unit].unit_ns * 10 / units[unit].unit_ns;
	if (step_ns % units[unit].unit_ns)
		snprintf(text, size, "%s%lld.%lld %s", sign, whole, tenths, units[unit].name);
	else
		snprintf(text, size, "%s%lld %s", sign, whole, units[unit].name);
}

void picture_axis(const struct picture *picture, struct markup *markup, double top, double bottom)
{
	int64_t step_ns = tick_step(picture->to_ns - picture->from_ns);
	int64_t first = picture->from_ns / step_ns;
	char text[48];

	svg_text(markup, SVG_DIM, PICTURE_MARGIN + 6, top + 14, SVG_FONT_SIZE, SVG_START,
		 NAME_WIDTH - 20, "since the start");
	for (int64_t k = first; k * step_ns <= picture->to_ns; k++) {
		double x = picture_x(picture, k * step_ns);

		if (k * step_ns < picture->from_ns)
			continue;
		format_tick(k * step_ns, step_ns, text, sizeof(text));
		svg_line(markup, SVG_GRID, x, top + 20, x, bottom, 1, false);
		svg_text(markup, SVG_DIM, x, top + 14, SVG_FONT_SIZE, SVG_MIDDLE, 0, text);
	}
}
