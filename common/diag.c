/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collects and formats diagnostics: see diag.h. Columns count characters, as the YAML parser does.
 * Printed text is counted in terminal columns, so a place in a line has both.
 */
#include <errno.h>

#include "common/diag.h"
#include "common/text.h"
#include "common/utf8.h"

/* The most terminal columns of source to show, and how many of them before a mark far right. */
#define SHOWN_COLUMNS  100
#define COLUMNS_BEFORE 40
#define TAB_COLUMNS    8
/* The most characters per column: combining characters take none. */
#define MAX_EACH 4

int diag_add(struct diag_list *list, const struct place *place, const char *format, ...)
{
	struct diag diag = {0};

	if (place) {
		diag.path = place->path ? xstrdup(place->path) : NULL;
		diag.line = place->line;
		diag.column = place->column;
		diag.length = place->length;
	}
	diag.message = FORMAT_REST(format);
	array_append(list->items, list->n_items, list->capacity, diag);
	return -EINVAL;
}

void diag_hint(struct diag_list *list, const char *format, ...)
{
	struct diag *last;

	if (list->n_items == 0)
		return;
	last = &list->items[list->n_items - 1];
	free(last->hint);
	last->hint = FORMAT_REST(format);
}

void diag_move(struct diag_list *list, struct diag_list *from)
{
	for (size_t i = 0; i < from->n_items; i++)
		array_append(list->items, list->n_items, list->capacity, from->items[i]);
	free(from->items);
	*from = (struct diag_list){0};
}

/* qsort() is not stable, so the index decides between equal places. */
struct sortable {
	struct diag diag;
	size_t index;
};

static int compare(const void *left, const void *right)
{
	const struct sortable *a = left, *b = right;

	return strcmp(a->diag.path ? a->diag.path : "", b->diag.path ? b->diag.path : "")
		       ?: COMPARE(a->diag.line, b->diag.line)
		       ?: COMPARE(a->diag.column, b->diag.column) ?: COMPARE(a->index, b->index);
}

void diag_sort(struct diag_list *list)
{
	AUTO_FREE struct sortable *sorted = xzalloc(list->n_items * sizeof(*sorted));

	for (size_t i = 0; i < list->n_items; i++)
		sorted[i] = (struct sortable){.diag = list->items[i], .index = i};
	qsort(sorted, list->n_items, sizeof(*sorted), compare);
	for (size_t i = 0; i < list->n_items; i++)
		list->items[i] = sorted[i].diag;
}

void diag_list_print(const struct diag_list *list, const char *program, FILE *out)
{
	for (size_t i = 0; i < list->n_items; i++)
		fprintf(out, "%s: %s\n", program, list->items[i].message);
}

void diag_list_free(struct diag_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		free(list->items[i].path);
		free(list->items[i].message);
		free(list->items[i].hint);
	}
	free(list->items);
	*list = (struct diag_list){0};
}

/*
 * Returns the length of the line break at @text (YAML 1.1, section 4.2, as libyaml counts them); 0
 * if there is none.
 */
static size_t break_length(const char *text, size_t length)
{
	if (text[0] == '\n')
		return 1;
	if (text[0] == '\r')
		return length > 1 && text[1] == '\n' ? 2 : 1;
	if (length >= 2 && !memcmp(text, "\xc2\x85", 2)) /* next line */
		return 2;
	if (length >= 3 && (!memcmp(text, "\xe2\x80\xa8", 3) || !memcmp(text, "\xe2\x80\xa9", 3)))
		return 3; /* line and paragraph separator */
	return 0;
}

/* Returns the offset of the next line break from @offset on, or of the end. */
static size_t find_break(const struct diag_source *source, size_t offset)
{
	while (offset < source->length &&
	       break_length(source->text + offset, source->length - offset) == 0)
		offset++;
	return offset;
}

static void set_line(struct diag_source *source, unsigned number, size_t offset)
{
	source->line = number;
	source->offset = offset;
	source->end = find_break(source, offset);
	source->mark = source->before = (struct diag_position){0};
}

/* Goes to line @number. Returns false if the text has fewer lines. */
static bool find_line(struct diag_source *source, unsigned number)
{
	/* A byte order mark takes no column. */
	if (source->line == 0 || source->line > number)
		set_line(source, 1,
			 source->length >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3) ? 3 : 0);
	while (source->line < number && source->end < source->length)
		set_line(source, source->line + 1,
			 source->end + break_length(source->text + source->end,
						    source->length - source->end));
	return source->line == number;
}

/* The line to show. */
struct line {
	const char *text;
	size_t length;
};

/* Returns the length of the character at @text in bytes; at least 1 if it is not UTF-8. */
static size_t character_length(const char *text, size_t length)
{
	size_t size = 1;

	while (size < MIN(length, (size_t)4) && !utf8_is_start(text[size]))
		size++;
	return size;
}

/* Adds the character at @at to @out as it is shown, and returns the place after it. */
static struct diag_position pass(const struct line *line, struct diag_position at,
				 struct strbuf *out)
{
	const char *text = line->text + at.offset;
	size_t size = character_length(text, line->length - at.offset), shown = out->length;

	if (*text == '\t')
		strbuf_pad(out, ' ', TAB_COLUMNS - at.column % TAB_COLUMNS);
	else
		text_sanitize(out, text, size);
	return (struct diag_position){
		.offset = at.offset + size,
		.number = at.number + 1,
		.column = at.column + text_width(strbuf_text(out) + shown),
	};
}

/* Returns the position after the character at @at, and shows nothing. */
static struct diag_position skip(const struct line *line, struct diag_position at)
{
	unsigned char byte = (unsigned char)line->text[at.offset];
	AUTO_STRBUF struct strbuf unused = {0};

	/* Nearly all characters. */
	if (byte >= ' ' && byte <= '~' &&
	    character_length(line->text + at.offset, line->length - at.offset) == 1)
		return (struct diag_position){at.offset + 1, at.number + 1, at.column + 1};
	return pass(line, at, &unused);
}

static bool is_further(struct diag_position at, struct diag_position than, size_t columns)
{
	return at.column > than.column + columns || at.number > than.number + columns * MAX_EACH;
}

/* The part of a line that is shown, and the part that is marked; ends excluded. */
struct excerpt {
	struct diag_position first, mark, mark_end;
};

/* Continues from the previous mark, unless this one is further left. */
static struct excerpt choose_excerpt(struct diag_source *source, const struct line *line,
				     const struct diag *diag)
{
	size_t number = diag->column > 0 ? diag->column - 1 : 0;
	size_t mark_end = number + MAX(diag->length, 1U);
	struct excerpt excerpt = {0};

	if (source->mark.number > number)
		source->mark = source->before = (struct diag_position){0};
	while (source->mark.number < number && source->mark.offset < line->length)
		source->mark = skip(line, source->mark);
	while (is_further(source->mark, source->before, COLUMNS_BEFORE))
		source->before = skip(line, source->before);
	excerpt.mark = excerpt.mark_end = source->mark;
	while (excerpt.mark_end.number < mark_end && excerpt.mark_end.offset < line->length &&
	       !is_further(excerpt.mark_end, excerpt.mark, SHOWN_COLUMNS))
		excerpt.mark_end = skip(line, excerpt.mark_end);
	if (is_further(excerpt.mark_end, excerpt.first, SHOWN_COLUMNS))
		excerpt.first = source->before;
	return excerpt;
}

struct colors {
	const char *bold, *error, *gutter, *help, *off;
};

static void format_excerpt(const struct diag *diag, struct diag_source *source,
			   const struct colors *colors, struct strbuf *out)
{
	const struct line line = {source->text + source->offset, source->end - source->offset};
	const struct excerpt excerpt = choose_excerpt(source, &line, diag);
	const bool cut_left = excerpt.first.offset > 0;
	struct diag_position at = excerpt.first, mark_end = excerpt.mark_end;
	int number = snprintf(NULL, 0, "%4u", diag->line);
	AUTO_STRBUF struct strbuf shown = {0};
	size_t before, marked;

	while (at.offset < line.length) {
		size_t length = shown.length;
		struct diag_position next = pass(&line, at, &shown);

		if (is_further(next, excerpt.first, SHOWN_COLUMNS)) {
			shown.length = length;
			break;
		}
		at = next;
	}
	strbuf_printf(out, "%s%4u |%s", colors->gutter, diag->line, colors->off);
	if (at.offset > excerpt.first.offset) {
		strbuf_puts(out, cut_left ? " …" : " ");
		strbuf_add(out, strbuf_text(&shown), shown.length);
		strbuf_puts(out, at.offset < line.length ? "…" : "");
	}
	if (mark_end.offset > at.offset)
		mark_end = at;
	before = excerpt.mark.column - excerpt.first.column + cut_left;
	marked = mark_end.column - excerpt.mark.column;
	strbuf_printf(out, "\n%s%*s |%s ", colors->gutter, number, "", colors->off);
	strbuf_pad(out, ' ', before);
	strbuf_printf(out, "%s^", colors->error);
	strbuf_pad(out, '~', marked > 1 ? marked - 1 : 0);
	strbuf_printf(out, "%s\n", colors->off);
}

static void add_sanitized(struct strbuf *out, const char *text)
{
	text_sanitize(out, text, strlen(text));
}

void diag_format(const struct diag *diag, struct diag_source *source, bool color,
		 struct strbuf *out)
{
	static const struct colors plain = {"", "", "", "", ""};
	static const struct colors ansi = {"\033[1m", "\033[1;31m", "\033[34m", "\033[1;36m",
					   "\033[0m"};
	const struct colors *colors = color ? &ansi : &plain;

	strbuf_puts(out, colors->bold);
	add_sanitized(out, diag->path ? diag->path : "synfault");
	if (diag->path && diag->line > 0) {
		strbuf_printf(out, ":%u", diag->line);
		if (diag->column > 0)
			strbuf_printf(out, ":%u", diag->column);
	}
	strbuf_printf(out, ":%s %serror:%s ", colors->off, colors->error, colors->off);
	add_sanitized(out, diag->message);
	strbuf_putc(out, '\n');
	if (source && source->text && diag->line > 0 && find_line(source, diag->line))
		format_excerpt(diag, source, colors, out);
	if (diag->hint) {
		strbuf_printf(out, "%s  help:%s ", colors->help, colors->off);
		add_sanitized(out, diag->hint);
		strbuf_putc(out, '\n');
	}
}
