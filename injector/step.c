/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outages: see step.h. */
#include "injector/step.h"

#include <ctype.h>
#include <errno.h>

#include "common/duration.h"

#define DOWN_EXAMPLE "for example \"down 5s\", \"down 5s every 20s\" or \"down 2s..7s with drop\""
#define FLAP_EXAMPLE "for example \"flap up 2s down 1s\""

/* A part of the step's text. */
struct piece {
	const char *text;
	size_t offset, length;
};

static int fail(struct step_error *error, const struct piece *where, const char *message,
		const char *hint)
{
	*error = (struct step_error){.offset = where->offset, .length = where->length};
	snprintf(error->message, sizeof(error->message), "%s", message);
	snprintf(error->hint, sizeof(error->hint), "%s", hint);
	return -EINVAL;
}

/* The next word from @at on; at the end its length is 0. */
static struct piece word_at(const char *text, size_t at)
{
	struct piece word = {.offset = at};

	while (text[word.offset] && isspace((unsigned char)text[word.offset]))
		word.offset++;
	word.text = text + word.offset;
	while (word.text[word.length] && !isspace((unsigned char)word.text[word.length]))
		word.length++;
	return word;
}

static bool is_word(const struct piece *piece, const char *word)
{
	return piece->length == strlen(word) && !memcmp(piece->text, word, piece->length);
}

static size_t end_of(const struct piece *piece)
{
	return piece->offset + piece->length;
}

bool outage_is_meant(const char *text)
{
	struct piece word = word_at(text, 0);

	return is_word(&word, "down") || is_word(&word, "flap");
}

/* What an attempt can meet while nobody is there. */
static bool is_absence(const struct step *step)
{
	return step->action == STEP_REFUSE || step->action == STEP_DROP ||
	       step->action == STEP_UNREACHABLE;
}

/* Reads what stands after "with" into @step, which has a window. */
static int parse_with(const char *text, const struct piece *with, struct step *step,
		      struct step_error *ret_error)
{
	struct piece rest = word_at(text, end_of(with));
	struct condition when = step->when;
	int status;

	if (rest.length == 0)
		return fail(ret_error, with, "\"with\" needs a step after it",
			    "for example \"down 5s with drop\"");
	status = step_parse(text + rest.offset, step, ret_error);
	if (status < 0) {
		ret_error->offset += rest.offset;
		return status;
	}
	rest.length = strlen(rest.text);
	if (step->when.given || !is_absence(step))
		return fail(ret_error, &rest,
			    "a server that is down refuses, drops, or is unreachable",
			    "write \"with drop\" or the like, or use the long form: {when: {time: "
			    "0s..5s}, do: ...}");
	step->when = when;
	return 0;
}

/* Reads what may follow the times of an outage, from @word on: an origin, then "with". */
static int parse_rest(const char *text, struct piece word, struct step *step,
		      struct step_error *ret_error)
{
	if (is_word(&word, "from")) {
		struct piece origin = word_at(text, end_of(&word));
		size_t i = 0;

		while (time_origin_names[i] && !is_word(&origin, time_origin_names[i]))
			i++;
		if (!time_origin_names[i])
			return fail(ret_error, origin.length ? &origin : &word,
				    "\"from\" names the instant that the times count from",
				    "write \"from first-attempt\"; without it they count from the "
				    "client's start");
		step->when.window.from = (enum time_origin)i;
		word = word_at(text, end_of(&origin));
	}
	if (word.length == 0)
		return 0;
	if (is_word(&word, "with"))
		return parse_with(text, &word, step, ret_error);
	return fail(ret_error, &word, "unexpected word after the times of an outage",
		    "for example \"down 5s from first-attempt with drop\"");
}

static int parse_down(const char *text, const struct piece *down, struct step *step,
		      struct step_error *ret_error)
{
	struct piece word = word_at(text, end_of(down)), window = {.offset = word.offset};
	AUTO_FREE char *copy = NULL;
	struct condition_error error;

	if (word.length == 0)
		return fail(ret_error, down, "\"down\" needs a duration", DOWN_EXAMPLE);
	while (word.length && !is_word(&word, "with") && !is_word(&word, "from")) {
		if (word.length > 1 && word.text[0] == 'x' && isdigit((unsigned char)word.text[1]))
			return fail(ret_error, &word,
				    "an outage lasts for a time, not for a number of attempts",
				    "leave it out; for a number of attempts write \"refuse x3\"");
		window.length = end_of(&word) - window.offset;
		word = word_at(text, end_of(&word));
	}
	window.text = text + window.offset;
	copy = xstrndup(window.text, window.length);
	if (time_window_parse(copy, true, &step->when.window, &error) < 0)
		return fail(ret_error, &window, error.message, DOWN_EXAMPLE);
	return parse_rest(text, word, step, ret_error);
}

/* Takes "up D" or "down D". */
static int take_phase(const char *text, struct piece *at, bool *ret_up, int64_t *ret_ns,
		      struct step_error *ret_error)
{
	struct piece name = word_at(text, end_of(at)), value;
	AUTO_FREE char *copy = NULL;
	const char *reason;

	if (!is_word(&name, "up") && !is_word(&name, "down"))
		return fail(ret_error, name.length ? &name : at,
			    "\"flap\" needs how long the server is up and how long it is down",
			    FLAP_EXAMPLE);
	value = word_at(text, end_of(&name));
	copy = xstrndup(value.text, value.length);
	if (value.length == 0 || duration_parse(copy, ret_ns, &reason) < 0)
		return fail(ret_error, value.length ? &value : &name, "a duration is missing here",
			    FLAP_EXAMPLE);
	*ret_ns = (*ret_ns + NS_PER_US / 2) / NS_PER_US * NS_PER_US;
	if (*ret_ns == 0)
		return fail(ret_error, &value, "this duration has to be more than 0", FLAP_EXAMPLE);
	*ret_up = is_word(&name, "up");
	*at = value;
	return 0;
}

static int parse_flap(const char *text, const struct piece *flap, struct step *step,
		      struct step_error *ret_error)
{
	struct piece at = *flap;
	struct time_window *window = &step->when.window;
	bool up_first, up_second;
	int64_t first_ns, second_ns;

	if (take_phase(text, &at, &up_first, &first_ns, ret_error) < 0 ||
	    take_phase(text, &at, &up_second, &second_ns, ret_error) < 0)
		return -EINVAL;
	if (up_first == up_second)
		return fail(ret_error, flap, "a server that flaps is up for a time, then down",
			    FLAP_EXAMPLE);
	if (first_ns + second_ns > DURATION_MAX_NS)
		return fail(ret_error, flap, "the period is longer than 24h", FLAP_EXAMPLE);
	*window = (struct time_window){
		.from_ns = up_first ? first_ns : 0,
		.to_ns = up_first ? first_ns + second_ns : first_ns,
		.every_ns = first_ns + second_ns,
	};
	return parse_rest(text, word_at(text, end_of(&at)), step, ret_error);
}

int outage_parse(const char *text, struct step *ret, struct step_error *ret_error)
{
	struct piece word = word_at(text, 0);
	struct step step = {
		.action = STEP_REFUSE,
		.repeat = 1,
		.when = {.given = true, .has_window = true, .chance = CHANCE_ALWAYS},
	};
	int status = is_word(&word, "down") ? parse_down(text, &word, &step, ret_error)
					    : parse_flap(text, &word, &step, ret_error);

	if (!status)
		*ret = step;
	return status;
}

bool outage_can_say(const struct step *step)
{
	const struct condition *when = &step->when;

	return is_absence(step) && when->given && when->has_window && !when->n_ranges &&
	       !when->family && when->chance == CHANCE_ALWAYS;
}

void outage_format(const struct step *step, struct strbuf *out)
{
	struct step with = *step;

	strbuf_puts(out, "down ");
	time_window_format(&step->when.window, true, out);
	if (step->action == STEP_REFUSE && !step->repeat_explicit && step->repeat == 1)
		return;
	with.when = (struct condition){0};
	strbuf_puts(out, " with ");
	step_format(&with, out);
}
