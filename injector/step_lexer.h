/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a step's text, and errors that point at them. */
#ifndef SYNFAULT_INJECTOR_STEP_LEXER_H
#define SYNFAULT_INJECTOR_STEP_LEXER_H

#include "injector/step.h"

/* Words of the user that are repeated in a message are cut to this many bytes. */
#define WORD_SHOWN 32
#define WORD_SIZE  (WORD_SHOWN + sizeof("…"))

/* A word of the step's text. */
struct step_token {
	const char *text; /* not terminated */
	size_t offset, length;
};

struct step_parser {
	const char *text;
	size_t at;
	struct step_error error;
};

bool is_blank(char character);
bool is_digits(const char *text, size_t length);
bool token_is(const struct step_token *token, const char *word);
/* Whether it is "x3" or the like. */
bool token_is_repeat(const struct step_token *token);
/* Where the text goes on after it. */
size_t token_end(const struct step_token *token);
/* A word as a message shows it: terminated, not too long, no half of a character at its end. */
const char *token_shown(const struct step_token *token, char buffer[static WORD_SIZE]);
/* The value of digits; saturates above SCRIPT_MAX_REPEAT. */
uint32_t count_value(const char *text, size_t length);

/* The next word, without taking it. At the end its length is 0. */
struct step_token parser_peek(const struct step_parser *parser);
void parser_take(struct step_parser *parser, const struct step_token *token);
/* Notes an error at a word. Returns -EINVAL. */
int parser_fail(struct step_parser *parser, const struct step_token *where, const char *format, ...)
	PRINTF(3, 4);
/* Adds the remedy to the error just made. Returns -EINVAL. */
int parser_hint(struct step_parser *parser, const char *format, ...) PRINTF(2, 3);

struct byte_unit {
	const char *name;
	uint64_t bytes;
};
/* The unit with this name; NULL: unknown. */
const struct byte_unit *byte_unit_find(const char *text, size_t length);
/* Adds a number of bytes with the largest unit that divides it. */
void byte_count_format(uint64_t bytes, struct strbuf *out);

#endif
