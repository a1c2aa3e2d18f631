/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shapes and text in SVG: see svg.h. */
#include "runner/report/svg.h"

#include "common/text.h"
#include "runner/report/result.h"

/* The width of a character in all usual monospaced fonts is 0.55 to 0.602 of their size. */
#define ADVANCE 0.602
#define FONTS   "ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"

/* Colours on a light sheet: text has a contrast of at least 4.5, glyphs of at least 3. */
static const struct {
	const char *class_name, *color;
} paints[] = {
	[SVG_SHEET] = {"tl-sheet", "#ffffff"},
	[SVG_INK] = {"tl-ink", "#1c2530"},
	[SVG_DIM] = {"tl-dim", "#586471"},
	[SVG_GRID] = {"tl-grid", "#e2e7ec"},
	[SVG_BAND] = {"tl-band", "#f1f4f7"},
	[SVG_ALLOWED] = {"tl-allowed", "#cfe3f6"},
	[SVG_BACKOFF] = {"tl-backoff", "#5f7f9e"},
	[SVG_MISS] = {"tl-miss", "#c8202f"},
	[SVG_LIFE] = {"tl-life", "#b9c3cd"},
	[SVG_OPEN] = {"tl-open", "#7d8995"},
	[SVG_REFUSED] = {"tl-refused", "#c8202f"},
	[SVG_DROPPED] = {"tl-dropped", "#9a5b00"},
	[SVG_DELAYED] = {"tl-delayed", "#e0a100"},
	[SVG_UNREACHABLE] = {"tl-unreachable", "#6f42c1"},
	[SVG_ACCEPTED] = {"tl-accepted", "#19794a"},
	[SVG_FAULT] = {"tl-fault", "#0b6aa8"},
	[SVG_LAG] = {"tl-lag", "#b5179e"},
	[SVG_OUTPUT] = {"tl-output", "#3c5a78"},
	[SVG_HERD] = {"tl-herd", "#fdeccb"},
};
_Static_assert(ARRAY_SIZE(paints) == SVG_N_PAINTS, "a colour for each");

double svg_text_width(const char *text, double size)
{
	return (double)text_width(text) * ADVANCE * size;
}

size_t svg_columns(double width, double size)
{
	return width > 0 ? (size_t)(width / (ADVANCE * size)) : 0;
}

void svg_begin(struct markup *markup, const char *id, double width, double height,
	       const char *title, const char *description)
{
	markup_open(markup, "svg");
	markup_attr(markup, "xmlns", "http://www.w3.org/2000/svg");
	markup_attr(markup, "class", "timeline");
	markup_attrf(markup, "viewBox", "0 0 %d %d", (int)width, (int)height);
	markup_number(markup, "width", width);
	markup_number(markup, "height", height);
	markup_attr(markup, "role", "img");
	markup_attrf(markup, "aria-labelledby", "%s-title %s-desc", id, id);
	markup_attr(markup, "font-family", FONTS);
	markup_number(markup, "font-size", SVG_FONT_SIZE);
	markup_open(markup, "title");
	markup_attrf(markup, "id", "%s-title", id);
	markup_text(markup, title);
	markup_close(markup);
	markup_open(markup, "desc");
	markup_attrf(markup, "id", "%s-desc", id);
	markup_text(markup, description);
	markup_close(markup);
}

void svg_end(struct markup *markup)
{
	markup_close(markup);
}

static void fill(struct markup *markup, enum svg_paint paint)
{
	markup_attr(markup, "class", paints[paint].class_name);
	markup_attr(markup, "fill", paints[paint].color);
}

/* Outlines get a class that ends in "-line": style sheets set another property for them. */
static void stroke(struct markup *markup, enum svg_paint paint, double width)
{
	markup_attrf(markup, "class", "%s-line", paints[paint].class_name);
	markup_attr(markup, "stroke", paints[paint].color);
	markup_number(markup, "stroke-width", width);
	markup_attr(markup, "fill", "none");
}

static void text_element(struct markup *markup, enum svg_paint paint, double x, double y,
			 double size, enum svg_anchor anchor, bool bold, double room,
			 const char *text)
{
	static const char *const anchors[] = {
		[SVG_START] = "start", [SVG_MIDDLE] = "middle", [SVG_END] = "end"};
	AUTO_STRBUF struct strbuf line = {0}, fitted = {0};

	report_line(&line, text);
	if (room > 0)
		report_fit(&fitted, strbuf_text(&line), svg_columns(room, size), false);
	else
		strbuf_puts(&fitted, strbuf_text(&line));
	if (fitted.length == 0)
		return;
	markup_open(markup, "text");
	fill(markup, paint);
	markup_number(markup, "x", x);
	markup_number(markup, "y", y);
	if (anchor != SVG_START)
		markup_attr(markup, "text-anchor", anchors[anchor]);
	if (size != SVG_FONT_SIZE)
		markup_number(markup, "font-size", size);
	if (bold)
		markup_attr(markup, "font-weight", "bold");
	markup_text(markup, strbuf_text(&fitted));
	markup_close(markup);
}

void svg_text(struct markup *markup, enum svg_paint paint, double x, double y, double size,
	      enum svg_anchor anchor, double room, const char *text)
{
	text_element(markup, paint, x, y, size, anchor, false, room, text);
}

void svg_strong(struct markup *markup, enum svg_paint paint, double x, double y, double size,
		double room, const char *text)
{
	text_element(markup, paint, x, y, size, SVG_START, true, room, text);
}

static void box(struct markup *markup, double x, double y, double width, double height)
{
	markup_number(markup, "x", x);
	markup_number(markup, "y", y);
	markup_number(markup, "width", MAX(width, 0));
	markup_number(markup, "height", MAX(height, 0));
}

void svg_rect(struct markup *markup, enum svg_paint paint, double x, double y, double width,
	      double height)
{
	markup_open(markup, "rect");
	fill(markup, paint);
	box(markup, x, y, width, height);
	markup_close_void(markup);
}

void svg_line(struct markup *markup, enum svg_paint paint, double x1, double y1, double x2,
	      double y2, double width, bool dashed)
{
	markup_open(markup, "line");
	stroke(markup, paint, width);
	markup_number(markup, "x1", x1);
	markup_number(markup, "y1", y1);
	markup_number(markup, "x2", x2);
	markup_number(markup, "y2", y2);
	if (dashed)
		markup_attr(markup, "stroke-dasharray", "3 3");
	markup_close_void(markup);
}

void svg_circle(struct markup *markup, enum svg_paint paint, double x, double y, double radius,
		bool filled)
{
	markup_open(markup, "circle");
	if (filled)
		fill(markup, paint);
	else
		stroke(markup, paint, 1.6);
	markup_number(markup, "cx", x);
	markup_number(markup, "cy", y);
	markup_number(markup, "r", radius);
	markup_close_void(markup);
}

/* Adds a point to path data, in pixels with one decimal. */
static void point(struct strbuf *out, char verb, double x, double y)
{
	long long tenths_x = (long long)(x * 10 + 0.5), tenths_y = (long long)(y * 10 + 0.5);

	strbuf_printf(out, "%c%lld.%lld %lld.%lld", verb, tenths_x / 10, tenths_x % 10,
		      tenths_y / 10, tenths_y % 10);
}

void svg_cross(struct markup *markup, enum svg_paint paint, double x, double y, double radius)
{
	AUTO_STRBUF struct strbuf path = {0};

	point(&path, 'M', x - radius, y - radius);
	point(&path, 'L', x + radius, y + radius);
	point(&path, 'M', x - radius, y + radius);
	point(&path, 'L', x + radius, y - radius);
	markup_open(markup, "path");
	stroke(markup, paint, 2);
	markup_attr(markup, "d", strbuf_text(&path));
	markup_close_void(markup);
}

void svg_diamond(struct markup *markup, enum svg_paint paint, double x, double y, double radius)
{
	AUTO_STRBUF struct strbuf path = {0};

	point(&path, 'M', x, y - radius);
	point(&path, 'L', x + radius, y);
	point(&path, 'L', x, y + radius);
	point(&path, 'L', x - radius, y);
	strbuf_putc(&path, 'Z');
	markup_open(markup, "path");
	fill(markup, paint);
	markup_attr(markup, "d", strbuf_text(&path));
	markup_close_void(markup);
}

void svg_group(struct markup *markup, const char *title)
{
	markup_open(markup, "g");
	markup_element(markup, "title", NULL, title);
}
