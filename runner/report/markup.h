/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes XML that is also HTML, with SVG in it: each element gets an end tag, except the void
 * elements of HTML. All text is made safe (text_sanitize()) and escaped. Never fails.
 */
#ifndef SYNFAULT_RUNNER_REPORT_MARKUP_H
#define SYNFAULT_RUNNER_REPORT_MARKUP_H

#include "common/util.h"

struct markup;

/** markup_new() - begin with an empty text; free it with markup_free() */
struct markup *markup_new(void);
void markup_free(struct markup *markup);
void markup_freep(struct markup **markup);
#define AUTO_MARKUP CLEANUP(markup_freep)

/** markup_open() - begin an element */
void markup_open(struct markup *markup, const char *element);
/** markup_begin() - begin an element with an attribute class */
void markup_begin(struct markup *markup, const char *element, const char *class_name);
/** markup_close() - end the innermost open element */
void markup_close(struct markup *markup);
/** markup_close_void() - end one that HTML has no end tag for (<meta>, <br>), or a shape in SVG */
void markup_close_void(struct markup *markup);

/** markup_attr() - add an attribute, before the first text or element in the open one */
void markup_attr(struct markup *markup, const char *name, const char *value);
/** markup_attrf() - likewise */
void markup_attrf(struct markup *markup, const char *name, const char *format, ...) PRINTF(3, 4);
/** markup_number() - add an attribute with at most one decimal, and a point in any locale */
void markup_number(struct markup *markup, const char *name, double value);

/** markup_text() - add text */
void markup_text(struct markup *markup, const char *text);
/** markup_bytes() - add text of any bytes */
void markup_bytes(struct markup *markup, const char *text, size_t length);
/** markup_textf() - add formatted text */
void markup_textf(struct markup *markup, const char *format, ...) PRINTF(2, 3);
/** markup_raw() - add what is markup already: from markup_steal(), or a constant */
void markup_raw(struct markup *markup, const char *text);

/**
 * markup_element() - add <element class="class">text</element>
 * @class_name: or NULL
 */
void markup_element(struct markup *markup, const char *element, const char *class_name,
		    const char *text);
/** markup_elementf() - write an element as markup_element() does, with formatted text */
void markup_elementf(struct markup *markup, const char *element, const char *class_name,
		     const char *format, ...) PRINTF(4, 5);

/** markup_steal() - close all open elements and return the text; owned by the caller */
char *markup_steal(struct markup *markup, size_t *ret_length);

#endif
