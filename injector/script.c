/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault scripts: the parser of one step, which knows what people write instead of the grammar and
 * tells them what they meant, and the arithmetic of which step serves which attempt. See script.h.
 */
#include <errno.h>

#include "common/duration.h"
#include "common/text.h"
#include "injector/script.h"
#include "injector/step.h"

/* Words of the user that are repeated in a message are cut to this many bytes. */
#define WORD_SHOWN 32
#define WORD_SIZE  (WORD_SHOWN + sizeof("…"))

#define KNOWN_STEPS                                                                                \
	"the steps are accept, refuse, drop, lose N, delay D, unreachable KIND, lose-synack N, "   \
	"half-open, backlog-full, reset, stall or close after …, slow RATE, down D, flap"

static const char *const action_names[] = {
	[STEP_ACCEPT] = "accept",
	[STEP_REFUSE] = "refuse",
	[STEP_DROP] = "drop",
	[STEP_LOSE] = "lose",
	[STEP_DELAY] = "delay",
	[STEP_UNREACHABLE] = "unreachable",
	[STEP_LOSE_SYN_ACK] = "lose-synack",
	[STEP_HALF_OPEN] = "half-open",
	[STEP_BACKLOG_FULL] = "backlog-full",
	[STEP_RESET] = "reset",
	[STEP_STALL] = "stall",
	[STEP_CLOSE] = "close",
	[STEP_SLOW] = "slow",
	[STEP_N_ACTIONS] = NULL,
};
_Static_assert(ARRAY_SIZE(action_names) == STEP_N_ACTIONS + 1, "one name per action");

/* What other tools call the same thing. */
static const struct {
	const char *word, *action;
} synonyms[] = {
	{"pass", "accept"},
	{"allow", "accept"},
	{"ok", "accept"},
	{"reject", "refuse"},
	{"rst", "refuse"},
	{"deny", "refuse"},
	{"timeout", "drop"},
	{"ignore", "drop"},
	{"blackhole", "drop"},
	{"wait", "delay D"},
	{"sleep", "delay D"},
	{"hold", "delay D"},
	{"loss", "lose N"},
	{"icmp", "unreachable KIND"},
	{"abort", "reset after accept"},
	{"hang", "stall after 1000 bytes"},
	{"freeze", "stall after 1000 bytes"},
	{"fin", "close after 1000 bytes"},
	{"disconnect", "close after 1000 bytes"},
	{"truncate", "close after 1000 bytes"},
	{"throttle", "slow 10 KB/s"},
	{"limit", "slow 10 KB/s"},
	{"outage", "down D"},
	{"flapping", "flap up D down D"},
};

/* Exact multiples are written with the first of these that divides them. */
static const struct unit {
	const char *name;
	uint64_t bytes;
} byte_units[] = {
	{"GB", 1000000000}, {"GiB", 1 << 30}, {"MB", 1000000}, {"MiB", 1 << 20}, {"KB", 1000},
	{"KiB", 1 << 10},   {"bytes", 1},     {"byte", 1},     {"B", 1},         {"kB", 1000},
};

static const char *const unreachable_names[] = {
	[UNREACHABLE_NET] = "net",           [UNREACHABLE_HOST] = "host",
	[UNREACHABLE_PORT] = "port",         [UNREACHABLE_ADMIN] = "admin",
	[UNREACHABLE_PROTOCOL] = "protocol", [UNREACHABLE_N_KINDS] = NULL,
};
_Static_assert(ARRAY_SIZE(unreachable_names) == UNREACHABLE_N_KINDS + 1, "one name per kind");

const char *unreachable_kind_name(enum unreachable_kind kind)
{
	return unreachable_names[kind];
}

const char *step_action_name(enum step_action action)
{
	return action_names[action];
}

/* A word of the step's text. */
struct token {
	const char *text; /* not terminated */
	size_t offset, length;
};

struct parser {
	const char *text;
	size_t at;
	struct step_error error;
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

static bool is_number(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return length > 0;
}

static bool is_word(const struct token *token, const char *word)
{
	return token->length == strlen(word) && !memcmp(token->text, word, token->length);
}

/* "x3" */
static bool is_repeat(const struct token *token)
{
	return token->length > 1 && token->text[0] == 'x' &&
	       is_number(token->text + 1, token->length - 1);
}

/* The next word, without taking it. At the end its length is 0. */
static struct token peek(const struct parser *parser)
{
	struct token token = {.offset = parser->at};

	while (is_blank(parser->text[token.offset]))
		token.offset++;
	token.text = parser->text + token.offset;
	while (token.text[token.length] && !is_blank(token.text[token.length]))
		token.length++;
	return token;
}

static void take(struct parser *parser, const struct token *token)
{
	parser->at = token->offset + token->length;
}

/* A word as a message shows it: terminated, not too long, no half of a character at its end. */
static const char *shown(const struct token *token, char buffer[static WORD_SIZE])
{
	size_t length = MIN(token->length, (size_t)WORD_SHOWN);

	while (length < token->length && length > 0 &&
	       ((unsigned char)token->text[length] & 0xc0) == 0x80)
		length--;
	memcpy(buffer, token->text, length);
	snprintf(buffer + length, WORD_SIZE - length, "%s", length < token->length ? "…" : "");
	return buffer;
}

PRINTF(3, 4)
static int fail(struct parser *parser, const struct token *where, const char *format, ...)
{
	va_list arguments;

	parser->error = (struct step_error){.offset = where->offset, .length = where->length};
	va_start(arguments, format);
	vsnprintf(parser->error.message, sizeof(parser->error.message), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Adds the remedy to the error just made; returns what fail() did. */
PRINTF(2, 3)
static int hint(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error.hint, sizeof(parser->error.hint), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Digits only; saturates above SCRIPT_MAX_REPEAT. */
static uint32_t count_value(const char *text, size_t length)
{
	uint32_t value = 0;

	for (size_t i = 0; i < length && value <= SCRIPT_MAX_REPEAT; i++)
		value = value * 10 + (uint32_t)(text[i] - '0');
	return value;
}

/* "3", "3x", "*3", "×3" and "x 3" after an action are meant to be "x3". */
static struct token meant_repeat(const struct parser *parser, const struct token *token)
{
	struct token digits = *token;
	const char *end = digits.text + digits.length;

	if (is_word(token, "x") || is_word(token, "*") || is_word(token, "×")) {
		struct parser ahead = *parser;

		take(&ahead, token);
		digits = peek(&ahead);
	} else if (digits.length > 2 && !memcmp(digits.text, "×", 2)) {
		digits.text += 2;
		digits.length -= 2;
	} else if (digits.length > 1 && strchr("*X", digits.text[0])) {
		digits.text++;
		digits.length--;
	} else if (digits.length > 1 && strchr("xX*", end[-1])) {
		digits.length--;
	}
	if (!is_number(digits.text, digits.length))
		digits.length = 0;
	return digits;
}

static const char *synonym_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++) {
		if (!strcmp(synonyms[i].word, word))
			return synonyms[i].action;
	}
	return NULL;
}

/* What stands where an action has to be is none. */
static int fail_action(struct parser *parser, const struct token *token)
{
	char buffer[WORD_SIZE], next_buffer[WORD_SIZE];
	const char *word = shown(token, buffer), *meant;
	struct token digits = meant_repeat(parser, token), next;

	if (is_repeat(token))
		digits = (struct token){.text = token->text + 1, .length = token->length - 1};
	take(parser, token);
	next = peek(parser);
	if (digits.length > 0 && next.length > 0 && !next.text[next.length]) {
		char digits_buffer[WORD_SIZE];

		fail(parser, token, "\"%s\" stands before the step", word);
		return hint(parser, "did you mean \"%s x%s\"?", shown(&next, next_buffer),
			    shown(&digits, digits_buffer));
	}
	fail(parser, token, "unknown step \"%s\"", word);
	if (token->length > 1 && strchr(",;", token->text[token->length - 1]))
		return hint(parser, "give each step as an item of its own: [refuse, accept]");
	meant = synonym_of(word);
	if (!meant)
		meant = text_nearest(word, action_names);
	return meant ? hint(parser, "did you mean \"%s\"?", meant) : hint(parser, KNOWN_STEPS);
}

static int parse_action(struct parser *parser, struct step *step)
{
	struct token token = peek(parser);

	if (token.length == 0) {
		fail(parser, &token, "the step is empty");
		return hint(parser, KNOWN_STEPS);
	}
	for (size_t i = 0; i < STEP_N_ACTIONS; i++) {
		if (is_word(&token, action_names[i])) {
			step->action = (enum step_action)i;
			take(parser, &token);
			return 0;
		}
	}
	return fail_action(parser, &token);
}

static int parse_lose(struct parser *parser, const struct token *action, struct step *step)
{
	struct token token = peek(parser);
	char buffer[WORD_SIZE];
	uint32_t count;

	const char *name = action_names[step->action];
	const char *what = step->action == STEP_LOSE ? "SYN" : "SYN-ACK";

	if (token.length == 0) {
		fail(parser, action, "\"%s\" needs the number of %ss to lose", name, what);
		return hint(parser, "for example \"%s 2\"", name);
	}
	if (!is_number(token.text, token.length)) {
		struct token digits = meant_repeat(parser, &token);

		fail(parser, &token, "\"%s\" is not a number of %ss", shown(&token, buffer), what);
		if (is_repeat(&token))
			digits = (struct token){.text = token.text + 1, .length = token.length - 1};
		if (digits.length > 0)
			return hint(parser, "did you mean \"%s %s\"?", name,
				    shown(&digits, buffer));
		return hint(parser, "for example \"%s 2\"", name);
	}
	count = count_value(token.text, token.length);
	if (count == 0) {
		fail(parser, &token, "\"%s 0\" loses nothing: the number is 1 to %d", name,
		     SCRIPT_MAX_REPEAT);
		return hint(parser, "use \"accept\"");
	}
	if (count > SCRIPT_MAX_REPEAT) {
		fail(parser, &token, "\"%s\" takes a number from 1 to %d", name, SCRIPT_MAX_REPEAT);
		return hint(parser, "to lose every SYN, use \"drop\"");
	}
	step->lose = count;
	take(parser, &token);
	return 0;
}

/* Explains why @token is not a duration. */
static int fail_duration(struct parser *parser, const struct token *token, const char *reason)
{
	char buffer[WORD_SIZE], unit_buffer[WORD_SIZE];
	struct token unit;

	fail(parser, token, "the duration \"%s\" %s", shown(token, buffer), reason);
	if (is_repeat(token))
		return hint(parser, "for example \"delay 300ms %s\"", buffer);
	if (!is_number(token->text, token->length))
		return -EINVAL;
	take(parser, token);
	unit = peek(parser);
	shown(&unit, unit_buffer);
	for (size_t i = 0; i < 5; i++) {
		static const char *const units[] = {"us", "ms", "s", "m", "h"};

		if (!strcmp(unit_buffer, units[i]))
			return hint(parser, "did you mean \"%s%s\"?", buffer, unit_buffer);
	}
	return hint(parser, "did you mean \"%sms\"?", buffer);
}

/*
 * Reads D up to a blank or "..". Times are kept in whole microseconds: held SYNs are not let go
 * more precisely than that, and so a step can be written without loss.
 */
static int parse_duration(struct parser *parser, struct token *ret_token, int64_t *ret_ns)
{
	struct token token = peek(parser);
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
	take(parser, &token);
	return 0;
}

static int parse_unreachable(struct parser *parser, const struct token *before, struct step *step)
{
	struct token token = peek(parser);
	char buffer[WORD_SIZE];
	const char *word, *meant;

	if (token.length == 0 || is_repeat(&token)) {
		fail(parser, before, "\"unreachable\" needs what can't be reached");
		return hint(parser, "one of net, host, port, admin and protocol");
	}
	for (size_t i = 0; i < UNREACHABLE_N_KINDS; i++) {
		if (is_word(&token, unreachable_names[i])) {
			step->unreachable = (enum unreachable_kind)i;
			take(parser, &token);
			return 0;
		}
	}
	word = shown(&token, buffer);
	fail(parser, &token, "\"%s\" is nothing that can be unreachable", word);
	if (strcmp(word, "network") == 0)
		return hint(parser, "did you mean \"net\"?");
	meant = text_nearest(word, unreachable_names);
	return meant ? hint(parser, "did you mean \"%s\"?", meant)
		     : hint(parser, "one of net, host, port, admin and protocol");
}

/* What follows "then". */
static int parse_then(struct parser *parser, const struct token *then, struct step *step)
{
	static const char *const choices[] = {"accept", "refuse", "unreachable", NULL};
	struct token token = peek(parser);
	char buffer[WORD_SIZE];
	const char *word, *meant;

	if (token.length == 0 || is_repeat(&token)) {
		fail(parser, then, "\"then\" needs \"accept\" or \"refuse\" after it");
		return hint(parser, "for example \"delay 300ms then refuse\"");
	}
	if (is_word(&token, "unreachable")) {
		step->then_unreachable = true;
		take(parser, &token);
		return parse_unreachable(parser, &token, step);
	}
	if (is_word(&token, "refuse") || is_word(&token, "accept")) {
		step->then_refuse = is_word(&token, "refuse");
		take(parser, &token);
		return 0;
	}
	word = shown(&token, buffer);
	fail(parser, &token,
	     "only \"accept\", \"refuse\" or \"unreachable\" can follow \"then\", not \"%s\"",
	     word);
	if (is_word(&token, "drop"))
		return hint(parser, "use \"drop\": what never arrives can't be late");
	meant = text_nearest(word, choices);
	return meant ? hint(parser, "did you mean \"%s\"?", meant) : -EINVAL;
}

static int parse_delay(struct parser *parser, const struct token *action, struct step *step)
{
	struct token token = peek(parser), low, high;

	if (token.length == 0) {
		fail(parser, action, "\"delay\" needs a duration");
		return hint(parser, "for example \"delay 300ms\" or \"delay 100ms..2s\"");
	}
	if (parse_duration(parser, &low, &step->delay_min_ns) < 0)
		return -EINVAL;
	step->delay_max_ns = step->delay_min_ns;
	token = peek(parser);
	if (token.length >= 2 && !memcmp(token.text, "..", 2)) {
		parser->at = token.offset + 2;
		if (peek(parser).length == 0) {
			token.offset = low.offset;
			token.length = parser->at - low.offset;
			fail(parser, &token, "the range has no end");
			return hint(parser, "for example \"delay 100ms..2s\"");
		}
		if (parse_duration(parser, &high, &step->delay_max_ns) < 0)
			return -EINVAL;
		if (step->delay_max_ns < step->delay_min_ns) {
			char low_buffer[WORD_SIZE], high_buffer[WORD_SIZE];

			token.offset = low.offset;
			token.length = parser->at - low.offset;
			fail(parser, &token, "the range ends before it begins");
			return hint(parser, "did you mean \"%s..%s\"?", shown(&high, high_buffer),
				    shown(&low, low_buffer));
		}
		token = peek(parser);
	}
	if (!is_word(&token, "then"))
		return 0;
	take(parser, &token);
	return parse_then(parser, &token, step);
}

static int parse_backlog_full(struct parser *parser, const struct token *action, struct step *step)
{
	struct token token = peek(parser);

	(void)action;
	if (is_word(&token, "abort")) {
		step->abort = true;
		take(parser, &token);
	}
	return 0;
}

static const struct unit *find_unit(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(byte_units); i++)
		if (strlen(byte_units[i].name) == length &&
		    !memcmp(byte_units[i].name, text, length))
			return &byte_units[i];
	return NULL;
}

/*
 * Reads a number of bytes with its unit, which may be a word of its own; @suffix has to follow it
 * at once. Returns 1 when there is none, without an error: it may be something else.
 */
static int parse_bytes(struct parser *parser, const char *suffix, uint64_t *ret)
{
	struct parser ahead = *parser;
	struct token token = peek(&ahead), unit;
	const struct unit *found;
	char buffer[WORD_SIZE];
	uint64_t number = 0;
	size_t digits = 0, suffix_length = strlen(suffix);

	while (digits < token.length && token.text[digits] >= '0' && token.text[digits] <= '9') {
		if (number <= SCRIPT_MAX_BYTES)
			number = number * 10 + (uint64_t)(token.text[digits] - '0');
		digits++;
	}
	take(&ahead, &token);
	unit = (struct token){token.text + digits, token.offset + digits, token.length - digits};
	if (digits > 0 && unit.length == 0) {
		unit = peek(&ahead);
		take(&ahead, &unit);
	}
	if (digits == 0 || unit.length < suffix_length ||
	    memcmp(unit.text + unit.length - suffix_length, suffix, suffix_length) != 0)
		return 1;
	found = find_unit(unit.text, unit.length - suffix_length);
	if (!found)
		return 1;
	if (number > SCRIPT_MAX_BYTES / found->bytes) {
		fail(parser, &token, "\"%s\" is too many bytes", shown(&token, buffer));
		return hint(parser, "1000000 GB is the most");
	}
	*ret = number * found->bytes;
	*parser = ahead;
	return 0;
}

static void parse_direction(struct parser *parser, struct step *step)
{
	struct token token = peek(parser);

	if (!is_word(&token, "to-client") && !is_word(&token, "to-server"))
		return;
	step->to_server = is_word(&token, "to-server");
	take(parser, &token);
}

/* The number, or whatever stands there, is neither bytes nor a duration. */
static int fail_after(struct parser *parser, const struct token *token, const char *name)
{
	char buffer[WORD_SIZE];

	fail(parser, token, "\"%s\" is no number of bytes, duration, or \"accept\"",
	     shown(token, buffer));
	if (is_number(token->text, token->length))
		return hint(parser, "did you mean \"%s after %s bytes\"?", name, buffer);
	return hint(parser, "for example \"%s after 1000 bytes\" or \"%s after 2s\"", name, name);
}

/* What follows "reset", "stall" and "close". */
static int parse_after(struct parser *parser, const struct token *action, struct step *step)
{
	const char *name = action_names[step->action];
	struct token token = peek(parser), after = token;
	int r;

	if (!is_word(&token, "after")) {
		fail(parser, action, "\"%s\" has to say after what", name);
		return hint(parser,
			    "for example \"%s after accept\", \"%s after 1000 bytes\" or \"%s "
			    "after 2s\"%s",
			    name, name, name,
			    step->action == STEP_RESET ? "; to answer the SYN with RST, \"refuse\""
						       : "");
	}
	take(parser, &token);
	token = peek(parser);
	if (token.length == 0 || is_repeat(&token)) {
		fail(parser, &after, "\"after\" needs bytes, a duration, or \"accept\" after it");
		return hint(parser, "for example \"%s after 1000 bytes\"", name);
	}
	if (is_word(&token, "accept")) {
		take(parser, &token);
		return 0;
	}
	r = parse_bytes(parser, "", &step->bytes);
	if (r < 0)
		return r;
	if (r == 0) {
		step->after = AFTER_BYTES;
		parse_direction(parser, step);
		return 0;
	}
	if (token.text[0] < '0' || token.text[0] > '9' || is_number(token.text, token.length))
		return fail_after(parser, &token, name);
	step->after = AFTER_TIME;
	return parse_duration(parser, &token, &step->after_ns);
}

static int parse_slow(struct parser *parser, const struct token *action, struct step *step)
{
	struct token token = peek(parser);
	char buffer[WORD_SIZE];
	const char *reason;
	int64_t ns;
	int r;

	if (token.length == 0 || is_repeat(&token)) {
		fail(parser, action, "\"slow\" needs a rate");
		return hint(parser, "for example \"slow 10 KB/s\"");
	}
	r = parse_bytes(parser, "/s", &step->bytes);
	if (r < 0)
		return r;
	if (r > 0) {
		fail(parser, &token, "\"%s\" is no rate", shown(&token, buffer));
		if (duration_parse(buffer, &ns, &reason) == 0)
			return hint(parser, "did you mean \"delay %s\"?", buffer);
		if (is_number(token.text, token.length))
			return hint(parser, "did you mean \"slow %s bytes/s\"?", buffer);
		return hint(parser, "for example \"slow 10 KB/s\" or \"slow 500 bytes/s\"");
	}
	if (step->bytes == 0) {
		fail(parser, &token, "at 0 bytes/s nothing ever arrives");
		return hint(parser, "use \"stall after accept\"");
	}
	parse_direction(parser, step);
	return 0;
}

/* A word after everything that belongs to the step, "xN" perhaps excepted. */
static int fail_rest(struct parser *parser, const struct token *token, const struct step *step)
{
	struct token before = {.text = parser->text, .length = parser->at};
	char buffer[WORD_SIZE], before_buffer[WORD_SIZE], digits_buffer[WORD_SIZE];
	struct token digits = meant_repeat(parser, token);

	while (before.length > 0 && is_blank(before.text[0])) {
		before.text++;
		before.length--;
	}
	fail(parser, token, "unexpected \"%s\" after \"%s\"", shown(token, buffer),
	     shown(&before, before_buffer));
	if (step->repeat_explicit)
		return hint(parser, "\"xN\" ends a step; give the next as an item of its own");
	if (digits.length > 0)
		return hint(parser, "did you mean \"%s x%s\"?", before_buffer,
			    shown(&digits, digits_buffer));
	if (is_word(token, "then"))
		return hint(parser,
			    "only \"delay\" has a \"then\"; give the next step as an item of "
			    "its own: [refuse, accept]");
	if (step->action == STEP_DELAY && step->delay_min_ns == step->delay_max_ns &&
	    token->text[0] >= '0' && token->text[0] <= '9')
		return hint(parser, "did you mean \"%s..%s\"?", before_buffer, buffer);
	if (step->action == STEP_DELAY && (is_word(token, "refuse") || is_word(token, "accept")))
		return hint(parser, "did you mean \"%s then %s\"?", before_buffer, buffer);
	return hint(parser, "give the next step as an item of its own: [refuse, accept]");
}

static int parse_repeat(struct parser *parser, struct step *step)
{
	struct token token = peek(parser);

	if (token.length == 0)
		return 0;
	if (!is_repeat(&token))
		return fail_rest(parser, &token, step);
	step->repeat = count_value(token.text + 1, token.length - 1);
	step->repeat_explicit = true;
	if (step->repeat == 0) {
		fail(parser, &token, "a step with \"x0\" would serve no attempt");
		return hint(parser, "leave the step out");
	}
	if (step->repeat > SCRIPT_MAX_REPEAT) {
		fail(parser, &token, "a step can be repeated %d times at most", SCRIPT_MAX_REPEAT);
		return hint(parser, "the last step serves all attempts that follow");
	}
	take(parser, &token);
	token = peek(parser);
	return token.length == 0 ? 0 : fail_rest(parser, &token, step);
}

static int parse(struct parser *parser, struct step *step)
{
	static int (*const arguments[STEP_N_ACTIONS])(struct parser *, const struct token *,
						      struct step *) = {
		[STEP_LOSE] = parse_lose,
		[STEP_DELAY] = parse_delay,
		[STEP_UNREACHABLE] = parse_unreachable,
		[STEP_LOSE_SYN_ACK] = parse_lose,
		[STEP_BACKLOG_FULL] = parse_backlog_full,
		[STEP_RESET] = parse_after,
		[STEP_STALL] = parse_after,
		[STEP_CLOSE] = parse_after,
		[STEP_SLOW] = parse_slow,
	};
	struct token action = peek(parser);
	int error;

	error = parse_action(parser, step);
	if (error == 0 && arguments[step->action])
		error = arguments[step->action](parser, &action, step);
	if (error == 0)
		error = parse_repeat(parser, step);
	return error;
}

int step_parse(const char *text, struct step *ret, struct step_error *ret_error)
{
	struct parser parser = {.text = text};
	struct step step = {.repeat = 1};
	int error;

	if (outage_is_meant(text))
		return outage_parse(text, ret, ret_error);
	error = parse(&parser, &step);
	if (error < 0)
		*ret_error = parser.error;
	else
		*ret = step;
	return error;
}

static void format_bytes(uint64_t bytes, struct strbuf *out)
{
	size_t i = 0;

	while (byte_units[i].bytes > 1 && (bytes % byte_units[i].bytes != 0 || bytes == 0))
		i++;
	strbuf_printf(out, " %llu %s", (unsigned long long)(bytes / byte_units[i].bytes),
		      bytes == 1 ? "byte" : byte_units[i].name);
}

void step_format_then(const struct step *step, struct strbuf *out)
{
	if (step->then_refuse)
		strbuf_puts(out, " then refuse");
	if (step->then_unreachable)
		strbuf_printf(out, " then unreachable %s", unreachable_names[step->unreachable]);
}

static void format_delay(const struct step *step, struct strbuf *out)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	strbuf_printf(out, " %s", duration_format_exact(step->delay_min_ns, low));
	if (step->delay_max_ns != step->delay_min_ns)
		strbuf_printf(out, "..%s", duration_format_exact(step->delay_max_ns, high));
	step_format_then(step, out);
}

static void format_after(const struct step *step, struct strbuf *out)
{
	char time[DURATION_TEXT_SIZE];

	strbuf_puts(out, " after");
	if (step->after == AFTER_ACCEPT)
		strbuf_puts(out, " accept");
	else if (step->after == AFTER_BYTES)
		format_bytes(step->bytes, out);
	else
		strbuf_printf(out, " %s", duration_format_exact(step->after_ns, time));
}

void step_format(const struct step *step, struct strbuf *out)
{
	if (outage_can_say(step)) {
		outage_format(step, out);
		return;
	}
	strbuf_puts(out, action_names[step->action]);
	switch (step->action) {
	case STEP_LOSE:
	case STEP_LOSE_SYN_ACK:
		strbuf_printf(out, " %u", step->lose);
		break;
	case STEP_DELAY:
		format_delay(step, out);
		break;
	case STEP_UNREACHABLE:
		strbuf_printf(out, " %s", unreachable_names[step->unreachable]);
		break;
	case STEP_BACKLOG_FULL:
		strbuf_puts(out, step->abort ? " abort" : "");
		break;
	case STEP_RESET:
	case STEP_STALL:
	case STEP_CLOSE:
		format_after(step, out);
		break;
	case STEP_SLOW:
		format_bytes(step->bytes, out);
		strbuf_puts(out, "/s");
		break;
	case STEP_ACCEPT:
	case STEP_REFUSE:
	case STEP_DROP:
	case STEP_HALF_OPEN:
	case STEP_N_ACTIONS:
		break;
	}
	if (step->to_server)
		strbuf_puts(out, " to-server");
	if (step->repeat_explicit || step->repeat > 1)
		strbuf_printf(out, " x%u", step->repeat);
	if (step->when.given) {
		strbuf_puts(out, " when ");
		condition_format(&step->when, out);
	}
}

void script_append(struct script *script, const struct step *step)
{
	array_append(script->steps, script->n_steps, script->capacity, *step);
}

void script_format(const struct script *script, struct strbuf *out)
{
	for (size_t i = 0; i < script->n_steps; i++) {
		uint32_t list = script->steps[i].list;

		if (i > 0)
			strbuf_puts(out, list == script->steps[i - 1].list ? ", " : "; ");
		if (script->list_names && (i == 0 || list != script->steps[i - 1].list))
			strbuf_printf(out, "%s: ", script->list_names[list]);
		step_format(&script->steps[i], out);
	}
}

uint32_t script_n_lists(const struct script *script)
{
	uint32_t n = 1;

	for (size_t i = 0; i < script->n_steps; i++)
		n = MAX(n, script->steps[i].list + 1);
	return n;
}

size_t script_step_index(const struct script *script, uint64_t attempt_number)
{
	uint64_t served = 0;

	for (size_t i = 0; i + 1 < script->n_steps; i++) {
		served += script->steps[i].repeat;
		if (attempt_number <= served)
			return i;
	}
	return script->n_steps - 1;
}

uint64_t script_first_attempt(const struct script *script, size_t index)
{
	uint64_t first = 1;

	for (size_t i = 0; i < index; i++)
		if (script->steps[i].list == script->steps[index].list &&
		    !script->steps[i].when.given)
			first += script->steps[i].repeat;
	return first;
}

void script_free(struct script *script)
{
	free(script->steps);
	strv_free(script->list_names);
	*script = (struct script){0};
}
