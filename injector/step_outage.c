/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes outages: see step_outage.h. */
#include "injector/step_outage.h"

#include <ctype.h>
#include <errno.h>

#include "common/duration.h"

#define DOWN_EXAMPLE "for example \"down 5s\", \"down 5s every 20s\" or \"down 2s..7s with drop\""
#define FLAP_EXAMPLE "for example \"flap up 2s down 1s\""
#define RESTART_EXAMPLE                                                                            \
	"for example \"restart 5s\", \"restart 1s at 3s\" or \"restart 1s at 3s every 10s\""

#define PAUSE_EXAMPLE "for example \"pause 5s\", \"pause 1s at 3s\" or \"pause 1s at 3s every 10s\""

/* When a restart or pause comes, unless it says so: long enough for a client to have connected. */
#define RESTART_AT_NS (1 * NS_PER_S)

/* Sets the parser's error and remedy. Returns -EINVAL. */
static int fail(struct step_parser *parser, const struct step_token *where, const char *message,
		const char *remedy)
{
	parser_fail(parser, where, "%s", message);
	return parser_hint(parser, "%s", remedy);
}

/* Consumes @token, and returns the next word. */
static struct step_token word_after(struct step_parser *parser, const struct step_token *token)
{
	parser_take(parser, token);
	return parser_peek(parser);
}

bool outage_is_meant(const char *text)
{
	const struct step_parser parser = {.text = text};
	struct step_token word = parser_peek(&parser);

	return token_is(&word, "down") || token_is(&word, "flap") || token_is(&word, "restart") ||
	       token_is(&word, "pause");
}

/* Returns whether it is what an attempt can meet while a server is down. */
static bool is_absence(const struct step *step)
{
	return step->action == STEP_REFUSE || step->action == STEP_DROP ||
	       step->action == STEP_UNREACHABLE;
}

/* Reads what follows "ending", and returns the word after it in @ret_word. */
static int parse_ending(struct step_parser *parser, const struct step_token *ending,
			struct step *step, struct step_token *ret_word)
{
	struct step_token word = word_after(parser, ending);

	for (int i = STEP_ENDS_NONE + 1; i < STEP_ENDS_PAUSE; i++) {
		if (!token_is(&word, step_ending_name((enum step_ending)i)))
			continue;
		step->ending = (enum step_ending)i;
		*ret_word = word_after(parser, &word);
		return 0;
	}
	return fail(parser, word.length ? &word : ending,
		    "\"ending\" says how established connections end",
		    "write \"ending reset\", \"ending close\" or \"ending stall\"");
}

/* Returns how much of the text is before the word "ending". */
static size_t before_ending(const char *text)
{
	struct step_parser parser = {.text = text};
	struct step_token word = parser_peek(&parser);

	while (word.length && !token_is(&word, "ending"))
		word = word_after(&parser, &word);
	return word.length ? word.offset : strlen(text);
}

/* Reads the step after "with" into @step, which already has its window. */
static int parse_with(struct step_parser *parser, const struct step_token *with, struct step *step)
{
	struct step_token rest = word_after(parser, with), word;
	struct condition when = step->when;
	enum step_ending ending = step->ending;
	const bool each = step->each;
	AUTO_FREE char *text = NULL;
	int status;

	if (rest.length == 0 || token_is(&rest, "ending"))
		return fail(parser, with, "\"with\" needs a step after it",
			    "for example \"down 5s with drop\"");
	text = xstrndup(rest.text, before_ending(rest.text));
	status = parser->parse_step(text, step, &parser->error);
	if (status < 0) {
		parser->error.offset += rest.offset;
		return status;
	}
	rest.length = strlen(text);
	while (rest.length > 0 && is_blank(rest.text[rest.length - 1]))
		rest.length--;
	if (step->when.given || !is_absence(step))
		return fail(parser, &rest,
			    "a server that is down refuses, drops, or is unreachable",
			    "write \"with drop\" or the like, or use the long form: {when: {time: "
			    "0s..5s}, do: ...}");
	step->when = when;
	step->ending = ending;
	step->each = each;
	word = word_after(parser, &rest);
	if (word.length == 0)
		return 0;
	if (parse_ending(parser, &word, step, &word) < 0)
		return -EINVAL;
	return word.length == 0 ? 0
				: fail(parser, &word, "unexpected word after the end of an outage",
				       "put \"ending\" before \"with\"");
}

/* Reads what can follow an outage's times, from @word on: an origin, an ending, then "with". */
static int parse_rest(struct step_parser *parser, struct step_token word, struct step *step)
{
	if (token_is(&word, "from")) {
		struct step_token origin = word_after(parser, &word);
		size_t i = 0;

		while (time_origin_names[i] && !token_is(&origin, time_origin_names[i]))
			i++;
		if (!time_origin_names[i])
			return fail(
				parser, origin.length ? &origin : &word,
				"\"from\" names the instant that the times count from",
				"write \"from first-attempt\", \"from start\" (the client's) or "
				"\"from command\"");
		step->when.window.from = (enum time_origin)i;
		word = word_after(parser, &origin);
	}
	if (token_is(&word, "ending") && parse_ending(parser, &word, step, &word) < 0)
		return -EINVAL;
	if (word.length == 0)
		return 0;
	if (token_is(&word, "each"))
		return fail(parser, &word, "\"each\" comes after the first duration",
			    "for example \"restart 2s each at 3s\"");
	if (token_is(&word, "with"))
		return parse_with(parser, &word, step);
	return fail(parser, &word, "unexpected word after the times of an outage",
		    "for example \"down 5s from first-attempt with drop\"");
}

static int parse_down(struct step_parser *parser, const struct step_token *down, struct step *step)
{
	struct step_token word = word_after(parser, down), window = {.offset = word.offset};
	AUTO_FREE char *copy = NULL;
	struct condition_error error;

	if (word.length == 0)
		return fail(parser, down, "\"down\" needs a duration", DOWN_EXAMPLE);
	while (word.length && !token_is(&word, "with") && !token_is(&word, "from") &&
	       !token_is(&word, "ending")) {
		if (word.length > 1 && word.text[0] == 'x' && isdigit((unsigned char)word.text[1]))
			return fail(parser, &word,
				    "an outage lasts for a time, not for a number of attempts",
				    "leave it out; for a number of attempts write \"refuse x3\"");
		window.length = token_end(&word) - window.offset;
		word = word_after(parser, &word);
	}
	window.text = parser->text + window.offset;
	copy = xstrndup(window.text, window.length);
	if (time_window_parse(copy, true, &step->when.window, &error) < 0)
		return fail(parser, &window, error.message, DOWN_EXAMPLE);
	return parse_rest(parser, word, step);
}

/* Explains that @value, which follows @at, is not a duration, for @reason. */
static int fail_duration(struct step_parser *parser, const struct step_token *value,
			 const struct step_token *at, const char *reason, const char *example)
{
	char buffer[WORD_SIZE];

	if (!is_digits(value->text, value->length))
		return fail(parser, value->length ? value : at, "a duration is missing here",
			    example);
	parser_fail(parser, value, "the duration \"%s\" %s", token_shown(value, buffer), reason);
	return parser_hint(parser, "did you mean \"%ss\"?", buffer);
}

/* Reads "up D" or "down D". */
static int take_phase(struct step_parser *parser, struct step_token *at, bool *ret_up,
		      int64_t *ret_ns)
{
	struct step_token name = word_after(parser, at), value;
	AUTO_FREE char *copy = NULL;
	const char *reason = NULL;

	if (!token_is(&name, "up") && !token_is(&name, "down"))
		return fail(parser, name.length ? &name : at,
			    "\"flap\" needs how long the server is up and how long it is down",
			    FLAP_EXAMPLE);
	value = word_after(parser, &name);
	copy = xstrndup(value.text, value.length);
	if (value.length == 0 || duration_parse(copy, ret_ns, &reason) < 0)
		return fail_duration(parser, &value, &name, reason, FLAP_EXAMPLE);
	*ret_ns = (*ret_ns + NS_PER_US / 2) / NS_PER_US * NS_PER_US;
	if (*ret_ns == 0)
		return fail(parser, &value, "this duration must be more than 0", FLAP_EXAMPLE);
	*ret_up = token_is(&name, "up");
	*at = value;
	return 0;
}

static int parse_flap(struct step_parser *parser, const struct step_token *flap, struct step *step)
{
	struct step_token at = *flap;
	struct time_window *window = &step->when.window;
	bool up_first = false, up_second = false;
	int64_t first_ns = 0, second_ns = 0;

	if (take_phase(parser, &at, &up_first, &first_ns) < 0 ||
	    take_phase(parser, &at, &up_second, &second_ns) < 0)
		return -EINVAL;
	if (up_first == up_second)
		return fail(parser, flap, "a server that flaps is up for a time, then down",
			    FLAP_EXAMPLE);
	if (first_ns + second_ns > DURATION_MAX_NS)
		return fail(parser, flap, "the period is longer than 24h", FLAP_EXAMPLE);
	*window = (struct time_window){
		.from_ns = up_first ? first_ns : 0,
		.to_ns = up_first ? first_ns + second_ns : first_ns,
		.every_ns = first_ns + second_ns,
	};
	return parse_rest(parser, word_after(parser, &at), step);
}

/* Reads the duration after @at, which it moves there. */
static int take_duration(struct step_parser *parser, struct step_token *at, const char *example,
			 int64_t *ret_ns)
{
	struct step_token value = word_after(parser, at);
	AUTO_FREE char *copy = xstrndup(value.text, value.length);
	const char *reason = NULL;

	if (value.length == 0 || duration_parse(copy, ret_ns, &reason) < 0)
		return fail_duration(parser, &value, at, reason, example);
	*at = value;
	return 0;
}

/* Reads what follows the times of a pause, from @word on: nothing but an origin. */
static int parse_pause_rest(struct step_parser *parser, struct step_token word, struct step *step)
{
	struct step_token rest = word;

	if (token_is(&word, "with") || token_is(&word, "ending"))
		return fail(
			parser, &word,
			"in a pause all packets get lost: it has no \"with\" and no \"ending\"",
			"write \"down 2s..5s ending reset\" or \"restart 5s\" for a server that "
			"is down");
	step->action = STEP_PAUSE;
	step->ending = STEP_ENDS_PAUSE;
	if (parse_rest(parser, word, step) < 0)
		return -EINVAL;
	if (step->action != STEP_PAUSE || step->ending != STEP_ENDS_PAUSE)
		return fail(parser, &rest, "in a pause all packets get lost", PAUSE_EXAMPLE);
	if (step->when.window.from == TIME_FROM_COMMAND)
		return fail(parser, &rest, "no command begins a pause",
			    "let it begin at a time, for example \"pause 5s at 3s\"");
	return 0;
}

/* Reads a restart, or a pause: both have the same times. */
static int parse_restart(struct step_parser *parser, const struct step_token *restart,
			 struct step *step)
{
	const bool pause = token_is(restart, "pause");
	const char *example = pause ? PAUSE_EXAMPLE : RESTART_EXAMPLE;
	int64_t down_ns = 0, at_ns = RESTART_AT_NS, every_ns = 0;
	struct step_token at = *restart, word, whole = {.offset = restart->offset};
	char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE], every[DURATION_TEXT_SIZE];
	AUTO_FREE char *window = NULL;
	struct condition_error error;
	enum time_origin origin = TIME_FROM_FIRST_ATTEMPT;

	if (take_duration(parser, &at, example, &down_ns) < 0)
		return -EINVAL;
	word = word_after(parser, &at);
	if (token_is(&word, "each")) {
		step->each = true;
		at = word;
		word = word_after(parser, &at);
	}
	if (token_is(&word, "at")) {
		at = word;
		if (take_duration(parser, &at, example, &at_ns) < 0)
			return -EINVAL;
		origin = TIME_FROM_START;
		word = word_after(parser, &at);
	}
	if (token_is(&word, "every")) {
		at = word;
		if (take_duration(parser, &at, example, &every_ns) < 0)
			return -EINVAL;
		word = word_after(parser, &at);
	}
	whole.length = token_end(&at) - whole.offset;
	whole.text = parser->text + whole.offset;
	if (down_ns == 0)
		return fail(parser, &whole, pause ? "a pause takes time" : "a restart takes time",
			    example);
	window = xasprintf("%s..%s%s%s", duration_format_exact(at_ns, from),
			   duration_format_exact(at_ns + down_ns, to), every_ns ? " every " : "",
			   every_ns ? duration_format_exact(every_ns, every) : "");
	if (time_window_parse(window, false, &step->when.window, &error) < 0)
		return fail(parser, &whole, error.message, example);
	step->when.window.from = origin;
	if (pause)
		return parse_pause_rest(parser, word, step);
	step->ending = STEP_ENDS_RESET;
	if (parse_rest(parser, word, step) < 0)
		return -EINVAL;
	if (step->when.window.from == TIME_FROM_COMMAND && origin != TIME_FROM_START) {
		step->when.window.from_ns = 0;
		step->when.window.to_ns = down_ns;
	}
	return 0;
}

int outage_parse(const char *text, step_parse_fn *parse_step, struct step *ret,
		 struct step_error *ret_error)
{
	struct step_parser parser = {.text = text, .parse_step = parse_step};
	struct step_token word = parser_peek(&parser);
	struct step step = {
		.action = STEP_REFUSE,
		.repeat = 1,
		.when = {.given = true, .has_window = true, .chance = CHANCE_ALWAYS},
	};
	int status = token_is(&word, "down")   ? parse_down(&parser, &word, &step)
		     : token_is(&word, "flap") ? parse_flap(&parser, &word, &step)
					       : parse_restart(&parser, &word, &step);

	if (status < 0)
		*ret_error = parser.error;
	else
		*ret = step;
	return status;
}

static bool has_only_window(const struct condition *when)
{
	return when->given && when->has_window && !when->n_ranges && !when->family &&
	       when->chance == CHANCE_ALWAYS;
}

bool outage_can_say(const struct step *step)
{
	return (is_absence(step) || step->action == STEP_PAUSE) && has_only_window(&step->when);
}

bool outage_has_with(const struct step *step)
{
	return step->action != STEP_PAUSE &&
	       (step->action != STEP_REFUSE || step->repeat_explicit || step->repeat > 1);
}

/* Writes a restart or a pause as parse_restart() reads it. */
static void format_restart(const char *name, const struct step *step, struct strbuf *out)
{
	const struct time_window *window = &step->when.window;
	const bool usual =
		window->from == TIME_FROM_FIRST_ATTEMPT && window->from_ns == RESTART_AT_NS;
	const bool commanded = window->from == TIME_FROM_COMMAND && window->from_ns == 0;
	char text[DURATION_TEXT_SIZE];

	strbuf_printf(out, "%s %s", name,
		      duration_format_exact(window->to_ns - window->from_ns, text));
	if (step->each)
		strbuf_puts(out, " each");
	if (!usual && !commanded)
		strbuf_printf(out, " at %s", duration_format_exact(window->from_ns, text));
	if (window->every_ns)
		strbuf_printf(out, " every %s", duration_format_exact(window->every_ns, text));
	if (window->from != TIME_FROM_START && !usual)
		strbuf_printf(out, " from %s", time_origin_names[window->from]);
	if (step->ending != STEP_ENDS_PAUSE && step->ending != STEP_ENDS_RESET)
		strbuf_printf(out, " ending %s", step_ending_name(step->ending));
}

void outage_format(const struct step *step, struct strbuf *out)
{
	if (step->action == STEP_PAUSE) {
		format_restart("pause", step, out);
		return;
	}
	if (step->each ||
	    (!outage_has_with(step) && step->ending && step->when.window.to_ns != INT64_MAX)) {
		format_restart("restart", step, out);
		return;
	}
	strbuf_puts(out, "down ");
	time_window_format(&step->when.window, true, out);
	if (step->ending)
		strbuf_printf(out, " ending %s", step_ending_name(step->ending));
}
