/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the words of a step: see step_lexer.h. */
#include "injector/step_lexer.h"

#include <errno.h>

#include "common/duration.h"
#include "common/utf8.h"

bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

bool is_digits(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return length > 0;
}

bool token_is(const struct step_token *token, const char *word)
{
	return token->length == strlen(word) && !memcmp(token->text, word, token->length);
}

bool token_is_repeat(const struct step_token *token)
{
	return token->length > 1 && token->text[0] == 'x' &&
	       is_digits(token->text + 1, token->length - 1);
}

struct step_token parser_peek(const struct step_parser *parser)
{
	struct step_token token = {.offset = parser->at};

	while (is_blank(parser->text[token.offset]))
		token.offset++;
	token.text = parser->text + token.offset;
	while (token.text[token.length] && !is_blank(token.text[token.length]))
		token.length++;
	return token;
}

size_t token_end(const struct step_token *token)
{
	return token->offset + token->length;
}

void parser_take(struct step_parser *parser, const struct step_token *token)
{
	parser->at = token_end(token);
}

const char *token_shown(const struct step_token *token, char buffer[static WORD_SIZE])
{
	size_t length = utf8_cut(token->text, token->length, WORD_SHOWN);

	memcpy(buffer, token->text, length);
	snprintf(buffer + length, WORD_SIZE - length, "%s", length < token->length ? "…" : "");
	return buffer;
}

int parser_fail(struct step_parser *parser, const struct step_token *where, const char *format, ...)
{
	va_list arguments;

	parser->error = (struct step_error){.offset = where->offset, .length = where->length};
	va_start(arguments, format);
	vsnprintf(parser->error.message, sizeof(parser->error.message), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int parser_hint(struct step_parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error.hint, sizeof(parser->error.hint), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

uint32_t count_value(const char *text, size_t length)
{
	uint32_t value = 0;

	for (size_t i = 0; i < length && value <= SCRIPT_MAX_REPEAT; i++)
		value = value * 10 + (uint32_t)(text[i] - '0');
	return value;
}

/* Explains why @token is not a duration. */
static int fail_duration(struct step_parser *parser, const struct step_token *token,
			 const char *reason)
{
	char buffer[WORD_SIZE], unit_buffer[WORD_SIZE];
	struct step_token unit;

	parser_fail(parser, token, "the duration \"%s\" %s", token_shown(token, buffer), reason);
	if (token_is_repeat(token))
		return parser_hint(parser, "for example \"delay 300ms %s\"", buffer);
	if (!is_digits(token->text, token->length))
		return -EINVAL;
	parser_take(parser, token);
	unit = parser_peek(parser);
	token_shown(&unit, unit_buffer);
	for (size_t i = 0; i < 5; i++) {
		static const char *const units[] = {"us", "ms", "s", "m", "h"};

		if (!strcmp(unit_buffer, units[i]))
			return parser_hint(parser, "did you mean \"%s%s\"?", buffer, unit_buffer);
	}
	return parser_hint(parser, "did you mean \"%sms\"?", buffer);
}

int parser_duration(struct step_parser *parser, struct step_token *ret_token, int64_t *ret_ns)
{
	struct step_token token = parser_peek(parser);
	AUTO_FREE char *text = NULL;
	const char *reason;

	for (size_t i = 0; i + 1 < token.length; i++) {
		if (token.text[i] == '.' && token.text[i + 1] == '.') {
			token.length = i;
			break;
		}
	}
	text = xstrndup(token.text, token.length);
	if (duration_parse(text, ret_ns, &reason) < 0)
		return fail_duration(parser, &token, reason);
	*ret_ns = (*ret_ns + NS_PER_US / 2) / NS_PER_US * NS_PER_US;
	*ret_token = token;
	parser_take(parser, &token);
	return 0;
}

/* A number is written in the first of these units that divides it. */
static const struct byte_unit byte_units[] = {
	{"GB", 1000000000}, {"GiB", 1 << 30}, {"MB", 1000000}, {"MiB", 1 << 20}, {"KB", 1000},
	{"KiB", 1 << 10},   {"bytes", 1},     {"byte", 1},     {"B", 1},         {"kB", 1000},
};

const struct byte_unit *byte_unit_find(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(byte_units); i++)
		if (strlen(byte_units[i].name) == length &&
		    !memcmp(byte_units[i].name, text, length))
			return &byte_units[i];
	return NULL;
}

void byte_count_format(uint64_t bytes, struct strbuf *out)
{
	size_t i = 0;

	while (byte_units[i].bytes > 1 && (bytes % byte_units[i].bytes != 0 || bytes == 0))
		i++;
	strbuf_printf(out, " %llu %s", (unsigned long long)(bytes / byte_units[i].bytes),
		      bytes == 1 ? "byte" : byte_units[i].name);
}
