/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the words of a step's text, and makes errors that point at them. */
#ifndef SYNFAULT_INJECTOR_STEP_LEXER_H
#define SYNFAULT_INJECTOR_STEP_LEXER_H

#include "injector/step.h"

/* Messages cut the user's words to this many bytes. */
#define WORD_SHOWN 32
#define WORD_SIZE  (WORD_SHOWN + sizeof("…"))

/* A word of the step's text. */
struct step_token {
	const char *text; /* not terminated */
	size_t offset, length;
};

typedef int step_parse_fn(const char *text, struct step *ret, struct step_error *ret_error);

struct step_parser {
	const char *text;
	size_t at;
	step_parse_fn *parse_step; /* for a step within an outage */
	struct step_error error;
};

/** is_blank() - return whether the character separates words */
bool is_blank(char character);
/** is_digits() - return whether the text consists of decimal digits, at least one */
bool is_digits(const char *text, size_t length);
/** token_is() - return whether the token is this word */
bool token_is(const struct step_token *token, const char *word);
/** token_is_repeat() - return whether the token has the form "x3" */
bool token_is_repeat(const struct step_token *token);
/** token_end() - return the offset of the text after the token */
size_t token_end(const struct step_token *token);
/**
 * token_shown() - write a word as a message shows it: terminated, and shortened between characters
 */
const char *token_shown(const struct step_token *token, char buffer[static WORD_SIZE]);
/**
 * count_value() - return the value of digits
 *
 * Saturates above SCRIPT_MAX_REPEAT.
 */
uint32_t count_value(const char *text, size_t length);

/**
 * parser_peek() - return the next word without consuming it
 *
 * At the end its length is 0.
 */
struct step_token parser_peek(const struct step_parser *parser);
/** parser_take() - consume the word that parser_peek() returned */
void parser_take(struct step_parser *parser, const struct step_token *token);
/** parser_fail() - set the error, at a word; return -EINVAL */
int parser_fail(struct step_parser *parser, const struct step_token *where, const char *format, ...)
	PRINTF(3, 4);
/** parser_hint() - set the remedy of the error; return -EINVAL */
int parser_hint(struct step_parser *parser, const char *format, ...) PRINTF(2, 3);

/**
 * parser_duration() - consume a duration, which ends at a blank or ".."
 *
 * Times are whole microseconds: held SYNs are not released more precisely, and a step can be
 * written without loss.
 *
 * Return: 0, or -EINVAL and sets the error.
 */
int parser_duration(struct step_parser *parser, struct step_token *ret_token, int64_t *ret_ns);

struct byte_unit {
	const char *name;
	uint64_t bytes;
};
/** byte_unit_find() - find a unit of bytes by name; return NULL if there is none */
const struct byte_unit *byte_unit_find(const char *text, size_t length);
/** byte_count_format() - add a number of bytes in the largest unit that divides it */
void byte_count_format(uint64_t bytes, struct strbuf *out);

#endif
