/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes XML that is HTML as well, with SVG in it: each element gets an end tag, except the void
 * elements of HTML. All text is made safe (text_sanitize()) and escaped. Never fails.
 */
#ifndef SYNFAULT_RUNNER_REPORT_MARKUP_H
#define SYNFAULT_RUNNER_REPORT_MARKUP_H

#include "common/util.h"

struct markup;

struct markup *markup_new(void);
void markup_free(struct markup *markup);
void markup_freep(struct markup **markup);
#define AUTO_MARKUP CLEANUP(markup_freep)

void markup_open(struct markup *markup, const char *element);
/* Ends the innermost element that is open. */
void markup_close(struct markup *markup);
/* The same for one that HTML has no end tag for (<meta>, <link>, <br>), and for shapes in SVG. */
void markup_close_void(struct markup *markup);

/* Attributes come between markup_open() and the first text or element in it. */
void markup_attr(struct markup *markup, const char *name, const char *value);
void markup_attrf(struct markup *markup, const char *name, const char *format, ...) PRINTF(3, 4);
/* A number with at most one decimal, and a point in any locale. */
void markup_number(struct markup *markup, const char *name, double value);

void markup_text(struct markup *markup, const char *text);
void markup_bytes(struct markup *markup, const char *text, size_t length);
void markup_textf(struct markup *markup, const char *format, ...) PRINTF(2, 3);
/* What is markup already: from markup_steal(), or a text of the program's own. */
void markup_raw(struct markup *markup, const char *text);

/* <element class="class">text</element>; @class_name may be NULL. */
void markup_element(struct markup *markup, const char *element, const char *class_name,
		    const char *text);
void markup_elementf(struct markup *markup, const char *element, const char *class_name,
		     const char *format, ...) PRINTF(4, 5);

/* All that was written, owned by the caller; elements that are open are closed. */
char *markup_steal(struct markup *markup, size_t *ret_length);

#endif
