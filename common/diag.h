/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors a user reads. Code that can't go on returns a negative errno; when a person has to know
 * why, it also adds a diagnostic, which carries the place (file, line, column), one sentence that
 * says what is wrong, and where there is one a remedy. Only the program prints them.
 */
#ifndef SYNFAULT_COMMON_DIAG_H
#define SYNFAULT_COMMON_DIAG_H

#include "common/strbuf.h"

/* A place in a file. Lines and columns count from 1; line 0 means "no line". */
struct place {
	const char *path; /* borrowed; NULL when not in a file */
	unsigned line;
	unsigned column;
	unsigned length; /* of the marked text in columns; 0 marks one column */
};

struct diag {
	char *path; /* owned copy, or NULL */
	unsigned line, column, length;
	char *message;
	char *hint; /* the remedy ("did you mean …"), or NULL */
};

/* A list of diagnostics in the order in which they were found. Zero-initialise it. */
struct diag_list {
	struct diag *items;
	size_t n_items, capacity;
};

/* Adds an error; @place may be NULL. Always returns -EINVAL, so that callers can return it. */
int diag_add(struct diag_list *list, const struct place *place, const char *format, ...)
	PRINTF(3, 4);
/* Gives the diagnostic that was added last its remedy. */
void diag_hint(struct diag_list *list, const char *format, ...) PRINTF(2, 3);
/* Moves everything from @from to the end of @list. */
void diag_move(struct diag_list *list, struct diag_list *from);
/* Sorts by path, line and column; equal places keep their order. */
void diag_sort(struct diag_list *list);
void diag_list_free(struct diag_list *list);
#define AUTO_DIAG CLEANUP(diag_list_free)

/* A place in a line: how many bytes, characters and terminal columns come before it. */
struct diag_position {
	size_t offset, number, column;
};

/*
 * The text of a file, for diagnostics about it. What was shown last is remembered, so that showing
 * many of them, sorted, takes time in the file's size and not in that times their number, be they
 * in many lines or all in one.
 */
struct diag_source {
	const char *text; /* borrowed; NULL when there is none to show */
	size_t length;
	unsigned line; /* from @offset to @end, without its break; 0: not looked for yet */
	size_t offset, end;
	struct diag_position mark,
		before; /* in that line: the mark, and where to begin far right */
};

/*
 * Writes one diagnostic as compilers do:
 *
 *     api.yaml:7:13: error: unknown key "faluts"
 *        7 |     faluts: [refuse]
 *          |     ^~~~~~
 *      help: did you mean "faults"?
 *
 * @source is the file that the place is in, or NULL. @color: with ANSI colours.
 */
void diag_format(const struct diag *diag, struct diag_source *source, bool color,
		 struct strbuf *out);

#endif
