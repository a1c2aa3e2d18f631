/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing in SVG with presentation attributes only: no style element, no style attribute, no
 * script. So a page with the strictest content security policy shows it. Every shape also has a
 * class, with which a page's style sheet gives it other colours in dark mode (html_style.c).
 *
 * All text is monospaced: its width is known, so that texts can be kept from overlapping. Its box
 * is svg_text_width() wide, SVG_ASCENT above and SVG_DESCENT below the line.
 */
#ifndef SYNFAULT_RUNNER_REPORT_SVG_H
#define SYNFAULT_RUNNER_REPORT_SVG_H

#include "runner/report/markup.h"

/* The meaning of a shape or text; each has a class and a colour. */
enum svg_paint {
	SVG_SHEET,
	SVG_INK,
	SVG_DIM,
	SVG_GRID,
	SVG_BAND,    /* behind the name of a group */
	SVG_ALLOWED, /* where the backoff may end */
	SVG_BACKOFF,
	SVG_MISS,
	SVG_LIFE, /* an attempt without an answer so far */
	SVG_OPEN, /* its socket after that */
	SVG_REFUSED,
	SVG_DROPPED,
	SVG_DELAYED,
	SVG_UNREACHABLE,
	SVG_ACCEPTED,
	SVG_FAULT, /* something done to an established connection */
	SVG_LAG,   /* of synfault */
	SVG_OUTPUT,
	SVG_HERD, /* the fullest window */
	SVG_N_PAINTS,
};

enum svg_anchor {
	SVG_START,
	SVG_MIDDLE,
	SVG_END,
};

#define SVG_FONT_SIZE  11.0
#define SVG_SMALL_SIZE 9.5

/** svg_text_width() - return the width of well-formed UTF-8; wide characters count twice */
double svg_text_width(const char *text, double size);
/** svg_columns() - return how many columns fit */
size_t svg_columns(double width, double size);

/** svg_begin() - open the picture's outermost element, with title and description */
void svg_begin(struct markup *markup, const char *id, double width, double height,
	       const char *title, const char *description);
/** svg_end() - close it */
void svg_end(struct markup *markup);

/**
 * svg_text() - add text on one line
 * @room: maximum width, to which the text is cut; 0: not cut
 * @text: any bytes
 */
void svg_text(struct markup *markup, enum svg_paint paint, double x, double y, double size,
	      enum svg_anchor anchor, double room, const char *text);
/** svg_strong() - add bold text that begins at @x; likewise */
void svg_strong(struct markup *markup, enum svg_paint paint, double x, double y, double size,
		double room, const char *text);
void svg_rect(struct markup *markup, enum svg_paint paint, double x, double y, double width,
	      double height);
void svg_line(struct markup *markup, enum svg_paint paint, double x1, double y1, double x2,
	      double y2, double width, bool dashed);
void svg_circle(struct markup *markup, enum svg_paint paint, double x, double y, double radius,
		bool filled);
void svg_cross(struct markup *markup, enum svg_paint paint, double x, double y, double radius);
void svg_diamond(struct markup *markup, enum svg_paint paint, double x, double y, double radius);

/** svg_group() - open a group with a title that is shown under the pointer; use markup_close() */
void svg_group(struct markup *markup, const char *title);

#endif
