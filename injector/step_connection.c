/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes the steps that break or slow a connection: see step_connection.h. */
#include "injector/step_connection.h"

#include <errno.h>

#include "common/duration.h"

#define BURST_MAX 1000

static const char *const way_names[] = {
	[STALL_FROM_SERVER] = "from-server",
	[STALL_TO_SERVER] = "to-server",
};

/*
 * Reads a number of bytes with its unit, which may be a separate word; @suffix must follow it
 * directly. Returns 1, without an error, if the text is something else.
 */
static int parse_bytes(struct step_parser *parser, const char *suffix, uint64_t *ret)
{
	struct step_parser ahead = *parser;
	struct step_token token = parser_peek(&ahead), unit;
	const struct byte_unit *found;
	char buffer[WORD_SIZE];
	uint64_t number = 0;
	size_t digits = 0, suffix_length = strlen(suffix);

	while (digits < token.length && token.text[digits] >= '0' && token.text[digits] <= '9') {
		if (number <= SCRIPT_MAX_BYTES)
			number = number * 10 + (uint64_t)(token.text[digits] - '0');
		digits++;
	}
	parser_take(&ahead, &token);
	unit = (struct step_token){token.text + digits, token.offset + digits,
				   token.length - digits};
	if (digits > 0 && unit.length == 0) {
		unit = parser_peek(&ahead);
		parser_take(&ahead, &unit);
	}
	if (digits == 0 || unit.length < suffix_length ||
	    memcmp(unit.text + unit.length - suffix_length, suffix, suffix_length) != 0)
		return 1;
	found = byte_unit_find(unit.text, unit.length - suffix_length);
	if (!found)
		return 1;
	if (number > SCRIPT_MAX_BYTES / found->bytes) {
		parser_fail(parser, &token, "\"%s\" is too many bytes",
			    token_shown(&token, buffer));
		return parser_hint(parser, "1000000 GB is the most");
	}
	*ret = number * found->bytes;
	*parser = ahead;
	return 0;
}

static void parse_direction(struct step_parser *parser, bool *ret_to_server)
{
	struct step_token token = parser_peek(parser);

	if (!token_is(&token, "to-client") && !token_is(&token, "to-server"))
		return;
	*ret_to_server = token_is(&token, "to-server");
	parser_take(parser, &token);
}

/* Explains a token that is neither bytes nor a duration. */
static int fail_after(struct step_parser *parser, const struct step_token *token, const char *name)
{
	char buffer[WORD_SIZE];

	parser_fail(parser, token, "\"%s\" is not a number of bytes, a duration, or \"accept\"",
		    token_shown(token, buffer));
	if (is_digits(token->text, token->length))
		return parser_hint(parser, "did you mean \"%s after %s bytes\"?", name, buffer);
	return parser_hint(parser, "for example \"%s after 1000 bytes\" or \"%s after 2s\"", name,
			   name);
}

static int fail_at_once(struct step_parser *parser, const struct step_token *token,
			const char *name)
{
	parser_fail(parser, token, "nothing is slow before a fault at once");
	return parser_hint(parser, "write only \"%s after accept\", or a time: \"%s after 5s\"",
			   name, name);
}

/* On a slow line, bytes that were sent have not arrived; a time says the same. */
static int fail_bytes_of_slow(struct step_parser *parser, const struct step_token *token,
			      const struct step *step)
{
	double seconds = (double)step->bytes / (double)step->rate;
	int64_t ns = (int64_t)(MIN(seconds, 24.0 * 60 * 60) * 1000) * NS_PER_MS;
	char time[DURATION_TEXT_SIZE];

	parser_fail(parser, token, "after \"slow\" a fault comes after a time, not after bytes");
	return parser_hint(parser, "did you mean \"%s after %s\"? That long these bytes take",
			   step_action_name(step_break(step)),
			   duration_format_exact(MAX(ns, NS_PER_MS), time));
}

static int read_amount(struct step_parser *parser, const struct step_token *action,
		       struct step *step)
{
	const char *name = step_action_name(step_break(step));
	struct step_token token = parser_peek(parser), after = token;
	int r;

	if (!token_is(&token, "after")) {
		parser_fail(parser, action, "\"%s\" must say after what", name);
		return parser_hint(
			parser,
			"for example \"%s after accept\", \"%s after 1000 bytes\" or \"%s "
			"after 2s\"%s",
			name, name, name,
			step_break(step) == STEP_RESET ? "; to answer the SYN with RST, \"refuse\""
						       : "");
	}
	parser_take(parser, &token);
	token = parser_peek(parser);
	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, &after,
			    "\"after\" needs bytes, a duration, or \"accept\" after it");
		return parser_hint(parser, "for example \"%s after 1000 bytes\"", name);
	}
	if (token_is(&token, "accept")) {
		if (step_slows(step))
			return fail_at_once(parser, &token, name);
		parser_take(parser, &token);
		return 0;
	}
	r = parse_bytes(parser, "", &step->bytes);
	if (r < 0)
		return r;
	if (r == 0 && step_slows(step))
		return fail_bytes_of_slow(parser, &token, step);
	if (r == 0) {
		step->after = AFTER_BYTES;
		parse_direction(parser, &step->to_server);
		return 0;
	}
	if (token.text[0] < '0' || token.text[0] > '9' || is_digits(token.text, token.length))
		return fail_after(parser, &token, name);
	step->after = AFTER_TIME;
	return parser_duration(parser, &token, &step->after_ns);
}

/* Reads which direction a step is about. */
static int read_way(struct step_parser *parser, struct step *step)
{
	struct step_token token = parser_peek(parser);
	char buffer[WORD_SIZE];

	if (token_is(&token, "to-client") || token_is(&token, "from-client")) {
		parser_fail(parser, &token, "\"%s\" is not a direction here",
			    token_shown(&token, buffer));
		return parser_hint(parser, "did you mean \"%s\"?",
				   token_is(&token, "to-client") ? "from-server" : "to-server");
	}
	if (!token_is(&token, way_names[STALL_FROM_SERVER]) &&
	    !token_is(&token, way_names[STALL_TO_SERVER]))
		return 0;
	step->way =
		token_is(&token, way_names[STALL_TO_SERVER]) ? STALL_TO_SERVER : STALL_FROM_SERVER;
	parser_take(parser, &token);
	return 0;
}

/* Reads how long a stall lasts. */
static int read_for(struct step_parser *parser, struct step *step)
{
	struct step_token word = parser_peek(parser), token;

	if (!token_is(&word, "for"))
		return 0;
	if (step_break(step) != STEP_STALL) {
		parser_fail(parser, &word,
			    "only a stall lasts for a time: \"%s\" ends the connection",
			    step_action_name(step_break(step)));
		return parser_hint(parser, "for silence that ends write \"stall after 2s for 5s\"");
	}
	parser_take(parser, &word);
	token = parser_peek(parser);
	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, &word, "\"for\" needs a duration after it");
		return parser_hint(parser, "for example \"stall after 2s for 5s\"");
	}
	if (parser_duration(parser, &token, &step->for_ns) < 0)
		return -EINVAL;
	if (step->for_ns == 0) {
		parser_fail(parser, &token, "a stall for 0s stops nothing");
		return parser_hint(parser, "give it a duration, or use \"accept\"");
	}
	return 0;
}

bool step_read_late_way(struct step_parser *parser, struct step *step)
{
	struct step_token token = parser_peek(parser);

	if (step_break(step) != STEP_STALL || step->way != STALL_BOTH_WAYS)
		return false;
	step->way = token_is(&token, way_names[STALL_FROM_SERVER]) ? STALL_FROM_SERVER
		    : token_is(&token, way_names[STALL_TO_SERVER]) ? STALL_TO_SERVER
								   : STALL_BOTH_WAYS;
	if (step->way == STALL_BOTH_WAYS)
		return false;
	parser_take(parser, &token);
	token = parser_peek(parser);
	if (token_is(&token, "for") && step->for_ns == 0)
		(void)read_for(parser, step);
	return true;
}

int step_read_after(struct step_parser *parser, const struct step_token *action, struct step *step)
{
	int error = step_break(step) == STEP_STALL ? read_way(parser, step) : 0;

	if (error == 0)
		error = read_amount(parser, action, step);
	return error == 0 ? read_for(parser, step) : error;
}

int step_read_slow(struct step_parser *parser, const struct step_token *action, struct step *step)
{
	struct step_token token = parser_peek(parser);
	char buffer[WORD_SIZE];
	const char *reason;
	int64_t ns;
	int r;

	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, action, "\"slow\" needs a rate");
		return parser_hint(parser, "for example \"slow 10 KB/s\"");
	}
	r = parse_bytes(parser, "/s", &step->rate);
	if (r < 0)
		return r;
	if (r > 0) {
		parser_fail(parser, &token, "\"%s\" is not a rate", token_shown(&token, buffer));
		if (duration_parse(buffer, &ns, &reason) == 0)
			return parser_hint(parser, "did you mean \"delay %s\"?", buffer);
		if (is_digits(token.text, token.length))
			return parser_hint(parser, "did you mean \"slow %s bytes/s\"?", buffer);
		return parser_hint(parser, "for example \"slow 10 KB/s\" or \"slow 500 bytes/s\"");
	}
	if (step->rate == 0) {
		parser_fail(parser, &token, "at 0 bytes/s nothing ever arrives");
		return parser_hint(parser, "use \"stall after accept\"");
	}
	parse_direction(parser, &step->slow_to_server);
	return 0;
}

void step_format_slow(const struct step *step, struct strbuf *out)
{
	byte_count_format(step->rate, out);
	strbuf_puts(out, step->slow_to_server ? "/s to-server" : "/s");
}

void step_format_after(const struct step *step, struct strbuf *out)
{
	char time[DURATION_TEXT_SIZE];

	if (step->way != STALL_BOTH_WAYS)
		strbuf_printf(out, " %s", way_names[step->way]);
	strbuf_puts(out, " after");
	if (step->after == AFTER_ACCEPT)
		strbuf_puts(out, " accept");
	else if (step->after == AFTER_BYTES)
		byte_count_format(step->bytes, out);
	else
		strbuf_printf(out, " %s", duration_format_exact(step->after_ns, time));
	if (step->to_server)
		strbuf_puts(out, " to-server");
	if (step->for_ns)
		strbuf_printf(out, " for %s", duration_format_exact(step->for_ns, time));
}

/* Reads a percentage with at most four digits after the point. Returns whether it is one. */
static bool read_percent(const struct step_token *token, uint32_t *ret)
{
	const uint32_t most = CHANCE_ALWAYS * 10;
	uint32_t value = 0, n_decimals = 0;
	bool point = false;
	size_t i;

	for (i = 0; i + 1 < token->length; i++) {
		if (token->text[i] == '.' && !point && i > 0) {
			point = true;
			continue;
		}
		if (!is_digits(token->text + i, 1) || (point && ++n_decimals > 4))
			return false;
		value = MIN(value * 10 + (uint32_t)(token->text[i] - '0'), most);
	}
	if (i == 0 || token->text[i] != '%' || token->text[i - 1] == '.')
		return false;
	for (; n_decimals < 4; n_decimals++)
		value = MIN(value * 10, most);
	*ret = value;
	return true;
}

static int read_burst(struct step_parser *parser, struct step *step)
{
	struct step_token word = parser_peek(parser), token;
	double least;

	if (!token_is(&word, "burst"))
		return 0;
	parser_take(parser, &word);
	token = parser_peek(parser);
	if (is_digits(token.text, token.length))
		step->burst = count_value(token.text, token.length);
	if (step->burst < 2 || step->burst > BURST_MAX) {
		parser_fail(
			parser, token.length ? &token : &word,
			"\"burst\" needs how many packets are lost in a row on average: 2 to %d",
			BURST_MAX);
		return parser_hint(parser, "for example \"packet-loss 2%% burst 5\"");
	}
	least = (double)step->loss / (CHANCE_ALWAYS - step->loss);
	if (step->burst < least) {
		parser_fail(parser, &token, "bursts this short can't lose that share of packets");
		return parser_hint(parser, "give it a burst of at least %.0f", least + 0.5);
	}
	parser_take(parser, &token);
	return 0;
}

int step_read_loss(struct step_parser *parser, const struct step_token *action, struct step *step)
{
	struct step_token token = parser_peek(parser);
	char buffer[WORD_SIZE];
	int error;

	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, action, "\"packet-loss\" needs the share of packets to lose");
		return parser_hint(parser, "for example \"packet-loss 2%%\"");
	}
	if (!read_percent(&token, &step->loss)) {
		parser_fail(parser, &token, "\"%s\" is not a percentage",
			    token_shown(&token, buffer));
		if (is_digits(token.text, token.length))
			return parser_hint(parser, "did you mean \"packet-loss %s%%\"?", buffer);
		return parser_hint(parser,
				   "for example \"packet-loss 2%%\" or \"packet-loss 0.1%%\"");
	}
	if (step->loss == 0 || step->loss >= CHANCE_ALWAYS) {
		parser_fail(parser, &token,
			    "the share of lost packets is more than 0%% and less than "
			    "100%%");
		if (step->loss > CHANCE_ALWAYS)
			return parser_hint(parser, "for example \"packet-loss 2%%\"");
		return parser_hint(parser, step->loss ? "to lose all, use \"stall after accept\""
						      : "to lose none, use \"accept\"");
	}
	parser_take(parser, &token);
	error = read_burst(parser, step);
	return error == 0 ? read_way(parser, step) : error;
}

void step_format_loss(const struct step *step, struct strbuf *out)
{
	strbuf_putc(out, ' ');
	chance_format(step->loss, out);
	if (step->burst)
		strbuf_printf(out, " burst %u", step->burst);
	if (step->way != STALL_BOTH_WAYS)
		strbuf_printf(out, " %s", way_names[step->way]);
}

static int read_jitter(struct step_parser *parser, struct step *step)
{
	struct step_token word = parser_peek(parser), token;

	if (!token_is(&word, "jitter"))
		return 0;
	parser_take(parser, &word);
	token = parser_peek(parser);
	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, &word, "\"jitter\" needs a duration after it");
		return parser_hint(parser, "for example \"latency 50ms jitter 10ms\"");
	}
	if (parser_duration(parser, &token, &step->jitter_ns) < 0)
		return -EINVAL;
	if (step->jitter_ns > step->latency_ns) {
		parser_fail(parser, &token, "with this jitter packets would come too early");
		return parser_hint(parser, "jitter is added or subtracted: it is at most the "
					   "latency");
	}
	return 0;
}

int step_read_latency(struct step_parser *parser, const struct step_token *action,
		      struct step *step)
{
	struct step_token token = parser_peek(parser);
	int error;

	if (token.length == 0 || token_is_repeat(&token)) {
		parser_fail(parser, action, "\"latency\" needs a duration");
		return parser_hint(parser, "for example \"latency 50ms\" or \"latency 50ms jitter "
					   "10ms\"");
	}
	if (parser_duration(parser, &token, &step->latency_ns) < 0)
		return -EINVAL;
	if (step->latency_ns == 0) {
		parser_fail(parser, &token, "with a latency of 0s nothing comes late");
		return parser_hint(parser, "give it a duration, or use \"accept\"");
	}
	error = read_jitter(parser, step);
	return error == 0 ? read_way(parser, step) : error;
}

void step_format_latency(const struct step *step, struct strbuf *out)
{
	char time[DURATION_TEXT_SIZE];

	strbuf_printf(out, " %s", duration_format_exact(step->latency_ns, time));
	if (step->jitter_ns)
		strbuf_printf(out, " jitter %s", duration_format_exact(step->jitter_ns, time));
	if (step->way != STALL_BOTH_WAYS)
		strbuf_printf(out, " %s", way_names[step->way]);
}
