/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes a step: see step_text.h. The parser knows common mistakes, and suggests what
 * was meant.
 */
#include "injector/step_text.h"

#include <errno.h>

#include "common/duration.h"
#include "common/text.h"
#include "injector/step_connection.h"
#include "injector/step_lexer.h"
#include "injector/step_outage.h"

#define KNOWN_STEPS                                                                                \
	"the steps are accept, refuse, drop, lose N, delay D, unreachable KIND, lose-synack N, "   \
	"half-open, backlog-full, reset, stall or close after …, slow RATE, packet-loss P, "     \
	"latency D, down D, flap, restart D, pause D"

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
	{"lag", "latency D"},
	{"jitter", "latency D jitter D"},
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
	{"reboot", "restart D"},
	{"bounce", "restart D"},
	{"partition", "pause D"},
	{"suspend", "pause D"},
};

static const char *const unreachable_names[] = {
	[UNREACHABLE_NET] = "net",           [UNREACHABLE_HOST] = "host",
	[UNREACHABLE_PORT] = "port",         [UNREACHABLE_ADMIN] = "admin",
	[UNREACHABLE_PROTOCOL] = "protocol", [UNREACHABLE_N_KINDS] = NULL,
};
_Static_assert(ARRAY_SIZE(unreachable_names) == UNREACHABLE_N_KINDS + 1, "one name per kind");

/* Finds the number if a user wrote "3", "3x", "*3", "×3" or "x 3" for "x3" after an action. */
static struct step_token meant_repeat(const struct step_parser *parser,
				      const struct step_token *token)
{
	struct step_token digits = *token;
	const char *end = digits.text + digits.length;

	if (token_is(token, "x") || token_is(token, "*") || token_is(token, "×")) {
		struct step_parser ahead = *parser;

		parser_take(&ahead, token);
		digits = parser_peek(&ahead);
	} else if (digits.length > 2 && !memcmp(digits.text, "×", 2)) {
		digits.text += 2;
		digits.length -= 2;
	} else if (digits.length > 1 && strchr("*X", digits.text[0])) {
		digits.text++;
		digits.length--;
	} else if (digits.length > 1 && strchr("xX*", end[-1])) {
		digits.length--;
	}
	if (!is_digits(digits.text, digits.length))
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

/* Returns whether the step is complete without an argument. */
static bool is_complete(enum step_action action)
{
	return action == STEP_ACCEPT || action == STEP_REFUSE || action == STEP_DROP ||
	       action == STEP_HALF_OPEN || action == STEP_BACKLOG_FULL;
}

/*
 * Suggests a name if it was written in two words ("packet loss"), or together with a number of
 * attempts ("refuse*3"). Returns -EINVAL if so.
 */
static int hint_name(struct step_parser *parser, const struct step_token *token,
		     const struct step_token *next)
{
	char buffer[WORD_SIZE];

	for (size_t i = 0; i < STEP_N_ACTIONS; i++) {
		const char *name = step_action_names[i];
		size_t length = strlen(name), n = token->length;
		struct step_token rest, digits;

		if (next->length > 0 && length == n + 1 + next->length && name[n] == '-' &&
		    !memcmp(name, token->text, n) &&
		    !memcmp(name + n + 1, next->text, next->length)) {
			rest = (struct step_token){.text = next->text + next->length};
			rest.length = strcspn(rest.text, "\r\n");
			return parser_hint(parser, "did you mean \"%s%s\"?", name,
					   token_shown(&rest, buffer));
		}
		if (!is_complete((enum step_action)i) || n <= length ||
		    memcmp(name, token->text, length) != 0)
			continue;
		rest = (struct step_token){token->text + length, token->offset + length,
					   n - length};
		digits = meant_repeat(parser, &rest);
		if (token_is_repeat(&rest))
			digits = (struct step_token){.text = rest.text + 1,
						     .length = rest.length - 1};
		if (digits.length > 0)
			return parser_hint(parser, "did you mean \"%s x%s\"?", name,
					   token_shown(&digits, buffer));
	}
	return 0;
}

/* Returns whether a word ends with a comma or the like, as if another step followed. */
static bool ends_item(const struct step_token *token)
{
	return token->length > 1 && strchr(",;", token->text[token->length - 1]);
}

/* Suggests a list if the text is several steps. */
static int hint_items(struct step_parser *parser)
{
	const char *text = parser->text;

	if (strlen(text) <= 2 * (size_t)WORD_SHOWN && !strpbrk(text, ";\r\n"))
		return parser_hint(parser, "write each step as a separate item: [%s]", text);
	return parser_hint(parser, "write each step as a separate item");
}

/* Explains a token that is not a known action. */
static int fail_action(struct step_parser *parser, const struct step_token *token)
{
	char buffer[WORD_SIZE], next_buffer[WORD_SIZE];
	const char *word = token_shown(token, buffer), *meant;
	struct step_token digits = meant_repeat(parser, token), next;

	if (token_is_repeat(token))
		digits = (struct step_token){.text = token->text + 1, .length = token->length - 1};
	parser_take(parser, token);
	next = parser_peek(parser);
	if (digits.length > 0 && next.length > 0 && !next.text[next.length]) {
		char digits_buffer[WORD_SIZE];

		parser_fail(parser, token, "\"%s\" comes before the step", word);
		return parser_hint(parser, "did you mean \"%s x%s\"?",
				   token_shown(&next, next_buffer),
				   token_shown(&digits, digits_buffer));
	}
	parser_fail(parser, token, "unknown step \"%s\"", word);
	if (ends_item(token))
		return hint_items(parser);
	if (hint_name(parser, token, &next) < 0)
		return -EINVAL;
	meant = synonym_of(word);
	if (!meant)
		meant = text_nearest(word, step_action_names);
	return meant ? parser_hint(parser, "did you mean \"%s\"?", meant)
		     : parser_hint(parser, KNOWN_STEPS);
}

static int parse_action(struct step_parser *parser, struct step *step)
{
	struct step_token token = parser_peek(parser);

	if (token.length == 0) {
		parser_fail(parser, &token, "the step is empty");
		return parser_hint(parser, KNOWN_STEPS);
	}
	for (size_t i = 0; i < STEP_N_ACTIONS; i++) {
		if (token_is(&token, step_action_names[i])) {
			step->action = (enum step_action)i;
			parser_take(parser, &token);
			return 0;
		}
	}
	return fail_action(parser, &token);
}

static int parse_lose(struct step_parser *parser, const struct step_token *action,
		      struct step *step)
{
	struct step_token token = parser_peek(parser);
	char buffer[WORD_SIZE];
	uint32_t count;

	const char *name = step_action_names[step->action];
	const char *what = step->action == STEP_LOSE ? "SYN" : "SYN-ACK";

	if (token.length == 0) {
		parser_fail(parser, action, "\"%s\" needs the number of %ss to lose", name, what);
		return parser_hint(parser, "for example \"%s 2\"", name);
	}
	if (!is_digits(token.text, token.length)) {
		struct step_token digits = meant_repeat(parser, &token);

		parser_fail(parser, &token, "\"%s\" is not a number of %ss",
			    token_shown(&token, buffer), what);
		if (token_is_repeat(&token))
			digits = (struct step_token){.text = token.text + 1,
						     .length = token.length - 1};
		if (digits.length > 0)
			return parser_hint(parser, "did you mean \"%s %s\"?", name,
					   token_shown(&digits, buffer));
		return parser_hint(parser, "for example \"%s 2\"", name);
	}
	count = count_value(token.text, token.length);
	if (count == 0) {
		parser_fail(parser, &token, "\"%s 0\" loses nothing: the number is 1 to %d", name,
			    SCRIPT_MAX_REPEAT);
		return parser_hint(parser, "use \"accept\"");
	}
	if (count > SCRIPT_MAX_REPEAT) {
		parser_fail(parser, &token, "\"%s\" takes a number from 1 to %d", name,
			    SCRIPT_MAX_REPEAT);
		return parser_hint(parser, "to lose every SYN, use \"drop\"");
	}
	step->lose = count;
	parser_take(parser, &token);
	return 0;
}

static void format_lose(const struct step *step, struct strbuf *out)
{
	strbuf_printf(out, " %u", step->lose);
}

static int parse_unreachable(struct step_parser *parser, const struct step_token *before,
			     struct step *step)
{
	struct step_token token = parser_peek(parser);
	char buffer[WORD_SIZE];
	const char *word, *meant;

	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, before, "\"unreachable\" needs what can't be reached");
		return parser_hint(parser, "one of net, host, port, admin and protocol");
	}
	for (size_t i = 0; i < UNREACHABLE_N_KINDS; i++) {
		if (token_is(&token, unreachable_names[i])) {
			step->unreachable = (enum unreachable_kind)i;
			parser_take(parser, &token);
			return 0;
		}
	}
	word = token_shown(&token, buffer);
	parser_fail(parser, &token, "\"%s\" is not a kind of \"unreachable\"", word);
	if (strcmp(word, "network") == 0)
		return parser_hint(parser, "did you mean \"net\"?");
	meant = text_nearest(word, unreachable_names);
	return meant ? parser_hint(parser, "did you mean \"%s\"?", meant)
		     : parser_hint(parser, "one of net, host, port, admin and protocol");
}

static void format_unreachable(const struct step *step, struct strbuf *out)
{
	strbuf_printf(out, " %s", unreachable_names[step->unreachable]);
}

static int parse_delay(struct step_parser *parser, const struct step_token *action,
		       struct step *step)
{
	struct step_token token = parser_peek(parser), low, high;

	if (token.length == 0) {
		parser_fail(parser, action, "\"delay\" needs a duration");
		return parser_hint(parser, "for example \"delay 300ms\" or \"delay 100ms..2s\"");
	}
	if (parser_duration(parser, &low, &step->delay_min_ns) < 0)
		return -EINVAL;
	step->delay_max_ns = step->delay_min_ns;
	token = parser_peek(parser);
	if (token.length >= 2 && !memcmp(token.text, "..", 2)) {
		parser->at = token.offset + 2;
		if (parser_peek(parser).length == 0) {
			token.offset = low.offset;
			token.length = parser->at - low.offset;
			parser_fail(parser, &token, "the range has no end");
			return parser_hint(parser, "for example \"delay 100ms..2s\"");
		}
		if (parser_duration(parser, &high, &step->delay_max_ns) < 0)
			return -EINVAL;
		if (step->delay_max_ns < step->delay_min_ns) {
			char low_buffer[WORD_SIZE], high_buffer[WORD_SIZE];

			token.offset = low.offset;
			token.length = parser->at - low.offset;
			parser_fail(parser, &token, "the range ends before it begins");
			return parser_hint(parser, "did you mean \"%s..%s\"?",
					   token_shown(&high, high_buffer),
					   token_shown(&low, low_buffer));
		}
	}
	return 0;
}

static void format_delay(const struct step *step, struct strbuf *out)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	strbuf_printf(out, " %s", duration_format_exact(step->delay_min_ns, low));
	if (step->delay_max_ns != step->delay_min_ns)
		strbuf_printf(out, "..%s", duration_format_exact(step->delay_max_ns, high));
}

static int parse_backlog_full(struct step_parser *parser, const struct step_token *action,
			      struct step *step)
{
	struct step_token token = parser_peek(parser);

	(void)action;
	if (token_is(&token, "abort")) {
		step->abort = true;
		parser_take(parser, &token);
	}
	return 0;
}

static void format_backlog_full(const struct step *step, struct strbuf *out)
{
	strbuf_puts(out, step->abort ? " abort" : "");
}

/* What follows an action's name; those that are not here stand alone. */
static const struct {
	int (*read)(struct step_parser *parser, const struct step_token *action, struct step *step);
	void (*format)(const struct step *step, struct strbuf *out);
} arguments[STEP_N_ACTIONS] = {
	[STEP_LOSE] = {parse_lose, format_lose},
	[STEP_DELAY] = {parse_delay, format_delay},
	[STEP_UNREACHABLE] = {parse_unreachable, format_unreachable},
	[STEP_LOSE_SYN_ACK] = {parse_lose, format_lose},
	[STEP_BACKLOG_FULL] = {parse_backlog_full, format_backlog_full},
	[STEP_RESET] = {step_read_after, step_format_after},
	[STEP_STALL] = {step_read_after, step_format_after},
	[STEP_CLOSE] = {step_read_after, step_format_after},
	[STEP_SLOW] = {step_read_slow, step_format_slow},
	[STEP_PACKET_LOSS] = {step_read_loss, step_format_loss},
	[STEP_LATENCY] = {step_read_latency, step_format_latency},
};

/* Returns whether @action can follow @first on the same attempt. */
static bool can_follow(enum step_action first, enum step_action action)
{
	return step_action_breaks(action) ||
	       (first != STEP_SLOW &&
		(action == STEP_SLOW || action == STEP_PACKET_LOSS || action == STEP_LATENCY));
}

static bool has_then(enum step_action action)
{
	return action == STEP_DELAY || action == STEP_LOSE || action == STEP_LOSE_SYN_ACK ||
	       action == STEP_SLOW;
}

/* Explains a token that can't follow "then". */
static int fail_then(struct step_parser *parser, const struct step_token *token,
		     const struct step *step)
{
	static const char *const choices[] = {"accept",      "refuse",  "unreachable", "slow",
					      "packet-loss", "latency", "reset",       "stall",
					      "close",       NULL};
	const char *name = step_action_names[step->action], *meant;
	char buffer[WORD_SIZE];
	const char *word = token_shown(token, buffer);

	if (step->action == STEP_SLOW)
		parser_fail(parser, token,
			    "only \"reset\", \"stall\" or \"close\" can follow \"%s\", not \"%s\"",
			    name, word);
	else
		parser_fail(parser, token,
			    "only %s\"reset\", \"stall\", \"close\", \"slow\", \"packet-loss\" or "
			    "\"latency\" can follow \"%s\", not \"%s\"",
			    step->action == STEP_DELAY ? "\"accept\", \"refuse\", \"unreachable\", "
						       : "",
			    name, word);
	if (token_is(token, "drop") && step->action == STEP_DELAY)
		return parser_hint(parser, "use \"drop\": what never arrives can't be late");
	if (token_is(token, "accept"))
		return parser_hint(parser, "leave out \"then accept\"");
	meant = text_nearest(word, step->action == STEP_DELAY  ? choices
				   : step->action == STEP_SLOW ? choices + 6
							       : choices + 3);
	return meant ? parser_hint(parser, "did you mean \"%s\"?", meant)
		     : parser_hint(parser, "for example \"%s\"",
				   step->action == STEP_SLOW
					   ? "slow 10 KB/s then close after 5s"
					   : "delay 300ms then reset after 10 KB");
}

/* Reads "then" and what follows it, if anything does. */
static int parse_then(struct step_parser *parser, struct step *step)
{
	struct step_token then = parser_peek(parser), token;

	if (!token_is(&then, "then") || !has_then(step->action))
		return 0;
	parser_take(parser, &then);
	token = parser_peek(parser);
	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, &then, "\"then\" needs what happens next after it");
		return parser_hint(parser, "for example \"delay 300ms then refuse\" or \"slow 10 "
					   "KB/s then close after 5s\"");
	}
	if (step->action == STEP_DELAY && token_is(&token, "unreachable")) {
		step->then_unreachable = true;
		parser_take(parser, &token);
		return parse_unreachable(parser, &token, step);
	}
	if (step->action == STEP_DELAY &&
	    (token_is(&token, "refuse") || token_is(&token, "accept"))) {
		step->then_refuse = token_is(&token, "refuse");
		parser_take(parser, &token);
		return 0;
	}
	for (size_t i = 0; i < STEP_N_ACTIONS; i++) {
		if (!can_follow(step->action, (enum step_action)i) ||
		    !token_is(&token, step_action_names[i]))
			continue;
		step->then = (enum step_action)i;
		parser_take(parser, &token);
		return arguments[i].read(parser, &token, step);
	}
	return fail_then(parser, &token, step);
}

/*
 * Says, after @first, that what is at @rest is a step of its own, if it is one, with @before in
 * front of it.
 */
static int hint_separate(struct step_parser *parser, const char *first,
			 const struct step_token *before, const char *rest)
{
	struct step_error error;
	struct step step;

	while (is_blank(*rest))
		rest++;
	/* Short, since a wrong step comes back here, and so that both fit the hint. */
	if (strlen(rest) <= WORD_SHOWN && before->length <= WORD_SHOWN && !strpbrk(rest, "\r\n") &&
	    step_parse(rest, &step, &error) == 0)
		return parser_hint(parser, "%swrite the next step as a separate item: [%.*s, %s]",
				   first, (int)before->length, before->text, rest);
	return parser_hint(parser, "%swrite the next step as a separate item", first);
}

/* Explains a "then" that can't be, after @before. */
static int hint_then(struct step_parser *parser, const struct step_token *then,
		     const struct step_token *before, const struct step *step)
{
	const char *name = step_action_names[step->action], *rest = then->text + then->length;
	AUTO_FREE char *first = NULL;

	if (has_then(step->action))
		return hint_separate(parser, "a step has one \"then\" at most; ", before, rest);
	switch (step->action) {
	case STEP_ACCEPT:
		return hint_separate(parser, "leave out \"accept then\", or ", before, rest);
	case STEP_RESET:
	case STEP_STALL:
	case STEP_CLOSE:
	case STEP_PACKET_LOSS:
	case STEP_LATENCY:
		first = xasprintf("\"%s\" is the last that happens to a connection; ", name);
		break;
	default:
		first = xasprintf("\"%s\" allows no connection to which more could happen; ", name);
	}
	return hint_separate(parser, first, before, rest);
}

/* Explains a word after the end of a step. */
static int fail_rest(struct step_parser *parser, const struct step_token *token,
		     const struct step *step)
{
	struct step_token before = {.text = parser->text, .length = parser->at};
	char buffer[WORD_SIZE], before_buffer[WORD_SIZE], digits_buffer[WORD_SIZE];
	struct step_token digits = meant_repeat(parser, token);

	while (before.length > 0 && is_blank(before.text[0])) {
		before.text++;
		before.length--;
	}
	parser_fail(parser, token, "unexpected \"%s\" after \"%s\"", token_shown(token, buffer),
		    token_shown(&before, before_buffer));
	if (step->repeat_explicit)
		return parser_hint(parser, "\"xN\" ends a step; write the next as a separate item");
	if (digits.length > 0)
		return parser_hint(parser, "did you mean \"%s x%s\"?", before_buffer,
				   token_shown(&digits, digits_buffer));
	if (ends_item(token))
		return hint_items(parser);
	if (token_is(token, "then"))
		return hint_then(parser, token, &before, step);
	if (step->action == STEP_DELAY && step->delay_min_ns == step->delay_max_ns &&
	    token->text[0] >= '0' && token->text[0] <= '9')
		return parser_hint(parser, "did you mean \"%s..%s\"?", before_buffer, buffer);
	if (step->action == STEP_DELAY && (token_is(token, "refuse") || token_is(token, "accept")))
		return parser_hint(parser, "did you mean \"%s then %s\"?", before_buffer, buffer);
	return hint_separate(parser, "", &before, token->text);
}

static int parse_repeat(struct step_parser *parser, struct step *step)
{
	struct step_token token = parser_peek(parser);

	if (token.length == 0)
		return 0;
	if (!token_is_repeat(&token))
		return fail_rest(parser, &token, step);
	step->repeat = count_value(token.text + 1, token.length - 1);
	step->repeat_explicit = true;
	if (step->repeat == 0) {
		parser_fail(parser, &token, "a step with \"x0\" would serve no attempt");
		return parser_hint(parser, "leave the step out");
	}
	if (step->repeat > SCRIPT_MAX_REPEAT) {
		parser_fail(parser, &token, "a step can be repeated at most %d times",
			    SCRIPT_MAX_REPEAT);
		return parser_hint(parser, "the last step serves all attempts that follow");
	}
	parser_take(parser, &token);
	token = parser_peek(parser);
	return token.length == 0 ? 0 : fail_rest(parser, &token, step);
}

/* Explains the direction of a stall in the wrong place. */
static int check_way(struct step_parser *parser, const struct step *step)
{
	struct step_token token = parser_peek(parser);
	AUTO_STRBUF struct strbuf meant = {0};
	struct step_parser ahead = *parser;
	struct step right = *step;

	if (!step_read_late_way(&ahead, &right))
		return 0;
	step_format(&right, &meant);
	parser_fail(parser, &token, "what a stall stops comes before \"after\"");
	return parser_hint(parser, "did you mean \"%s\"?", strbuf_text(&meant));
}

static int parse(struct step_parser *parser, struct step *step)
{
	struct step_token action = parser_peek(parser);
	int error;

	error = parse_action(parser, step);
	if (error == 0 && arguments[step->action].read)
		error = arguments[step->action].read(parser, &action, step);
	if (error == 0)
		error = parse_then(parser, step);
	if (error == 0)
		error = check_way(parser, step);
	if (error == 0)
		error = parse_repeat(parser, step);
	return error;
}

int step_parse(const char *text, struct step *ret, struct step_error *ret_error)
{
	struct step_parser parser = {.text = text};
	struct step step = {.repeat = 1};
	int error;

	if (outage_is_meant(text))
		return outage_parse(text, step_parse, ret, ret_error);
	error = parse(&parser, &step);
	if (error < 0)
		*ret_error = parser.error;
	else
		*ret = step;
	return error;
}

void step_format_then(const struct step *step, struct strbuf *out)
{
	if (step->then_refuse)
		strbuf_puts(out, " then refuse");
	if (step->then_unreachable)
		strbuf_printf(out, " then unreachable %s", unreachable_names[step->unreachable]);
	if (step->then == STEP_ACCEPT)
		return;
	strbuf_printf(out, " then %s", step_action_names[step->then]);
	arguments[step->then].format(step, out);
}

static void format_plain(const struct step *step, struct strbuf *out)
{
	strbuf_puts(out, step_action_names[step->action]);
	if (arguments[step->action].format)
		arguments[step->action].format(step, out);
	step_format_then(step, out);
	if (step->repeat_explicit || step->repeat > 1)
		strbuf_printf(out, " x%u", step->repeat);
	if (step->when.given) {
		strbuf_puts(out, " when ");
		condition_format(&step->when, out);
	}
	if (step->ending && step->ending != STEP_ENDS_PAUSE)
		strbuf_printf(out, " ending %s", step_ending_name(step->ending));
}

void step_format(const struct step *step, struct strbuf *out)
{
	struct step with = *step;

	if (!outage_can_say(step)) {
		format_plain(step, out);
		return;
	}
	outage_format(step, out);
	if (!outage_has_with(step))
		return;
	with.when = (struct condition){0};
	with.ending = STEP_ENDS_NONE;
	strbuf_puts(out, " with ");
	format_plain(&with, out);
}
