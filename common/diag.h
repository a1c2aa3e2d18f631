/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that a user reads. Code that can't go on returns a negative errno. If a person must know
 * why, it also adds a diagnostic: the place (file, line, column), one sentence that says what is
 * wrong, and a remedy if there is one. Only the program prints them.
 */
#ifndef SYNFAULT_COMMON_DIAG_H
#define SYNFAULT_COMMON_DIAG_H

#include "common/strbuf.h"

/* A place in a file. Lines and columns count from 1; line 0 means "no line". */
struct place {
	const char *path; /* borrowed; NULL if not in a file */
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

/**
 * diag_add() - add an error
 * @place: copied; may be NULL
 *
 * Return: always -EINVAL, for callers to return.
 */
int diag_add(struct diag_list *list, const struct place *place, const char *format, ...)
	PRINTF(3, 4);
/** diag_hint() - set the remedy of the last diagnostic */
void diag_hint(struct diag_list *list, const char *format, ...) PRINTF(2, 3);
/** diag_move() - move everything from @from to the end of @list */
void diag_move(struct diag_list *list, struct diag_list *from);
/**
 * diag_sort() - sort by path, line and column
 *
 * Equal places keep their order.
 */
void diag_sort(struct diag_list *list);
/**
 * diag_list_print() - print each message on a line of its own
 * @program: what the lines begin with, for example "synfault exec"
 */
void diag_list_print(const struct diag_list *list, const char *program, FILE *out);
/** diag_list_free() - free all diagnostics; the list is empty afterwards */
void diag_list_free(struct diag_list *list);
#define AUTO_DIAG CLEANUP(diag_list_free)

/* A place in a line: the bytes, characters and terminal columns before it. */
struct diag_position {
	size_t offset, number, column;
};

/*
 * The text of a file, for diagnostics about it. It remembers the last place shown: so the time to
 * show many sorted diagnostics is proportional to the file's size, not to its size times their
 * number, even if all are on one line.
 */
struct diag_source {
	const char *text; /* borrowed; NULL: nothing to show */
	size_t length;
	unsigned line; /* from .offset to .end, without its line break; 0: none found yet */
	size_t offset, end;
	struct diag_position mark,
		before; /* in that line: the mark, and where an excerpt of a long line begins */
};

/**
 * diag_format() - add a diagnostic as compilers print it
 * @source: the file of the place, or NULL
 * @color: use ANSI colors
 *
 *     api.yaml:7:13: error: unknown key "faluts"
 *        7 |     faluts: [refuse]
 *          |     ^~~~~~
 *      help: did you mean "faults"?
 */
void diag_format(const struct diag *diag, struct diag_source *source, bool color,
		 struct strbuf *out);

#endif
