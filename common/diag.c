/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics and how they are shown: see diag.h. Columns count characters, as the YAML parser
 * does; what is printed is counted in terminal columns, so each character of the source line
 * becomes a cell with a width of its own.
 */
#include <errno.h>

#include "common/diag.h"
#include "common/text.h"

/* Terminal columns of source that are shown at most, and those of them before a mark far right. */
#define SHOWN_COLUMNS  100
#define COLUMNS_BEFORE 40
#define TAB_COLUMNS    8

int diag_add(struct diag_list *list, const struct place *place, const char *format, ...)
{
	struct diag diag = {0};
	va_list arguments;

	if (place) {
		diag.path = place->path ? xstrdup(place->path) : NULL;
		diag.line = place->line;
		diag.column = place->column;
		diag.length = place->length;
	}
	va_start(arguments, format);
	diag.message = xvasprintf(format, arguments);
	va_end(arguments);
	array_append(list->items, list->n_items, list->capacity, diag);
	return -EINVAL;
}

void diag_hint(struct diag_list *list, const char *format, ...)
{
	va_list arguments;
	struct diag *last;

	if (list->n_items == 0)
		return;
	last = &list->items[list->n_items - 1];
	free(last->hint);
	va_start(arguments, format);
	last->hint = xvasprintf(format, arguments);
	va_end(arguments);
}

void diag_move(struct diag_list *list, struct diag_list *from)
{
	for (size_t i = 0; i < from->n_items; i++)
		array_append(list->items, list->n_items, list->capacity, from->items[i]);
	free(from->items);
	*from = (struct diag_list){0};
}

/* qsort() need not be stable: the index decides between equal places. */
struct sortable {
	struct diag diag;
	size_t index;
};

static int compare(const void *left, const void *right)
{
	const struct sortable *a = left, *b = right;
	int order = strcmp(a->diag.path ? a->diag.path : "", b->diag.path ? b->diag.path : "");

	if (order)
		return order;
	if (a->diag.line != b->diag.line)
		return a->diag.line < b->diag.line ? -1 : 1;
	if (a->diag.column != b->diag.column)
		return a->diag.column < b->diag.column ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
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
 * The length of the line break at @text (YAML 1.1, section 4.2: what libyaml counts as one), 0 when
 * there is none.
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

/* The offset of the line break at or after @offset, or of the end. */
static size_t find_break(const struct diag_source *source, size_t offset)
{
	while (offset < source->length &&
	       break_length(source->text + offset, source->length - offset) == 0)
		offset++;
	return offset;
}

/* Finds line @number, without its end. False when the text has fewer lines. */
static bool find_line(struct diag_source *source, unsigned number, const char **ret_line,
		      size_t *ret_length)
{
	size_t end;

	if (source->line == 0 || source->line > number) {
		source->line = 1;
		/* a byte order mark takes no column */
		source->offset =
			source->length >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3) ? 3 : 0;
	}
	end = find_break(source, source->offset);
	for (; source->line < number && end < source->length; source->line++) {
		source->offset = end + break_length(source->text + end, source->length - end);
		end = find_break(source, source->offset);
	}
	if (source->line < number)
		return false;
	*ret_line = source->text + source->offset;
	*ret_length = end - source->offset;
	return true;
}

/* One character of a source line as it is shown. */
struct cell {
	size_t offset; /* of its text in line_view.text */
	size_t column; /* terminal columns before it */
};

struct line_view {
	struct strbuf text;
	struct cell *cells; /* one per character, and one for the end */
	size_t n_cells, capacity;
};

static void line_view_free(struct line_view *view)
{
	strbuf_free(&view->text);
	free(view->cells);
}

/* Bytes of the character at @text; of anything that is not UTF-8, some. */
static size_t character_length(const char *text, size_t length)
{
	size_t size = 1;

	while (size < MIN(length, (size_t)4) && ((unsigned char)text[size] & 0xc0) == 0x80)
		size++;
	return size;
}

static void line_view_make(struct line_view *view, const char *line, size_t length)
{
	struct cell cell = {0};

	for (size_t at = 0; at < length;) {
		size_t size = character_length(line + at, length - at);

		array_append(view->cells, view->n_cells, view->capacity, cell);
		if (line[at] == '\t') {
			size_t spaces = TAB_COLUMNS - cell.column % TAB_COLUMNS;

			strbuf_pad(&view->text, ' ', spaces);
			cell.column += spaces;
		} else {
			text_sanitize(&view->text, line + at, size);
			cell.column += text_width(strbuf_text(&view->text) + cell.offset);
		}
		cell.offset = view->text.length;
		at += size;
	}
	array_append(view->cells, view->n_cells, view->capacity, cell);
}

/* The first cell at or after a terminal column; the last one when there is none. */
static size_t cell_at_column(const struct line_view *view, size_t column)
{
	size_t index = 0;

	while (index + 1 < view->n_cells && view->cells[index].column < column)
		index++;
	return index;
}

/* What of a line is shown, and what of it is marked: cell indexes, ends excluded. */
struct excerpt {
	size_t first, end;
	size_t mark, mark_end;
};

static struct excerpt choose_excerpt(const struct line_view *view, const struct diag *diag)
{
	size_t last = view->n_cells - 1;
	size_t mark = diag->column > 0 ? MIN((size_t)diag->column - 1, last) : 0;
	size_t length = MAX(diag->length, 1U);
	struct excerpt excerpt = {
		.end = last,
		.mark = mark,
		.mark_end = length < last - mark ? mark + length : last,
	};
	size_t mark_column = view->cells[mark].column;

	if (view->cells[last].column <= SHOWN_COLUMNS)
		return excerpt;
	if (view->cells[excerpt.mark_end].column > SHOWN_COLUMNS && mark_column > COLUMNS_BEFORE)
		excerpt.first = cell_at_column(view, mark_column - COLUMNS_BEFORE);
	excerpt.end = cell_at_column(view, view->cells[excerpt.first].column + SHOWN_COLUMNS);
	excerpt.mark_end = MIN(excerpt.mark_end, excerpt.end);
	return excerpt;
}

struct colors {
	const char *bold, *error, *gutter, *help, *off;
};

static void format_excerpt(const struct diag *diag, const char *line, size_t length,
			   const struct colors *colors, struct strbuf *out)
{
	CLEANUP(line_view_free) struct line_view view = {0};
	struct excerpt excerpt;
	size_t before, marked;
	const struct cell *cells;
	bool cut_left, cut_right;
	int number;

	line_view_make(&view, line, length);
	excerpt = choose_excerpt(&view, diag);
	cells = view.cells;
	cut_left = excerpt.first > 0;
	cut_right = excerpt.end + 1 < view.n_cells;

	number = snprintf(NULL, 0, "%4u", diag->line);
	strbuf_printf(out, "%s%4u |%s", colors->gutter, diag->line, colors->off);
	if (excerpt.end > excerpt.first) {
		strbuf_puts(out, cut_left ? " …" : " ");
		strbuf_add(out, strbuf_text(&view.text) + cells[excerpt.first].offset,
			   cells[excerpt.end].offset - cells[excerpt.first].offset);
		strbuf_puts(out, cut_right ? "…" : "");
	}
	before = cells[excerpt.mark].column - cells[excerpt.first].column + cut_left;
	marked = cells[excerpt.mark_end].column - cells[excerpt.mark].column;
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
	const char *line;
	size_t length;

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
	if (source && source->text && diag->line > 0 &&
	    find_line(source, diag->line, &line, &length))
		format_excerpt(diag, line, length, colors, out);
	if (diag->hint) {
		strbuf_printf(out, "%s  help:%s ", colors->help, colors->off);
		add_sanitized(out, diag->hint);
		strbuf_putc(out, '\n');
	}
}
