/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines around the attempt table: see attempt_facts.h. */
#include "runner/report/attempt_facts.h"

#include <inttypes.h>

#include "common/text.h"
#include "runner/judge/herd.h"
#include "runner/report/attempt_view.h"
#include "runner/report/result.h"

#define MAX_SCRIPTS    8 /* endpoints whose scripts are shown */
#define MAX_ADDRESSES  8 /* of each of them */
#define MAX_STILL_OPEN 3 /* sockets that outlive the client */

static void add_line(const struct attempt_facts *facts, size_t indent, const char *text)
{
	facts->add_line(facts->userdata, indent, text);
}

/* Returns the first @n addresses, and how many more there are. */
static char *addresses_text(const struct record_endpoint *endpoint, size_t n)
{
	struct strbuf text = {0};
	char address[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&text, "%s%s", i > 0 ? ", " : "",
			      address_format(&endpoint->addresses[i], address));
	if (endpoint->n_addresses == 0)
		strbuf_puts(&text, "no address");
	else if (n < endpoint->n_addresses)
		strbuf_printf(&text, " and %zu more", endpoint->n_addresses - n);
	return strbuf_steal(&text);
}

/* Returns "api at 127.0.0.1:8080, [::1]:8080: refuse, accept", with @n of the addresses. */
static char *script_text(const struct record_endpoint *endpoint, size_t n)
{
	AUTO_FREE char *where = addresses_text(endpoint, n);
	const char *script = endpoint->script ? endpoint->script : "";

	/* The name that was looked up, if it was one. */
	if (endpoint->remote && strcmp(endpoint->remote, where) != 0)
		return xasprintf("%s at %s (%s): %s", endpoint->name, endpoint->remote, where,
				 script);
	return xasprintf("%s at %s: %s", endpoint->name, where, script);
}

/* Adds a script with as many addresses as fit beside it, at least one. */
static void add_script(const struct attempt_facts *facts, const struct record_endpoint *endpoint)
{
	size_t n = MIN(endpoint->n_addresses, (size_t)MAX_ADDRESSES);
	AUTO_FREE char *line = script_text(endpoint, n);

	while (n > 1 && text_width(line) > facts->columns) {
		free(line);
		line = script_text(endpoint, --n);
	}
	add_line(facts, 0, line);
}

/* Adds what was changed at an endpoint while it was armed. */
static void add_changes(const struct attempt_facts *facts, size_t endpoint)
{
	for (size_t i = 0; i < facts->record->n_changes; i++) {
		const struct record_change *change = &facts->record->changes[i];
		AUTO_STRBUF struct strbuf line = {0};

		if (change->endpoint != endpoint)
			continue;
		if (change->limit_ns > 0)
			strbuf_printf(&line, "attempt %" PRIu32 " held, %s", change->attempt,
				      change->steps ? "then " : "not released");
		else
			strbuf_printf(&line, "from attempt %" PRIu32 " on: ", change->attempt);
		strbuf_puts(&line, change->steps ? change->steps : "");
		add_line(facts, 2, strbuf_text(&line));
	}
}

/* Adds the scripts, since readers of a report may not have the scenario file. */
void attempt_facts_scripts(const struct attempt_facts *facts)
{
	const struct record *record = facts->record;

	for (size_t i = 0; i < MIN(record->n_endpoints, (size_t)MAX_SCRIPTS); i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		add_script(facts, endpoint);
		add_changes(facts, i);
		if (endpoint->delays)
			add_line(
				facts, 2,
				strcmp(endpoint->delays, "held") == 0
					? "delayed SYNs were held in place, and the kernel did not "
					  "retransmit them: CAP_NET_RAW is missing"
					: "synfault sent delayed SYNs again after their delay");
	}
	if (record->n_endpoints > MAX_SCRIPTS) {
		const size_t n_more = record->n_endpoints - MAX_SCRIPTS;
		AUTO_FREE char *more = xasprintf("… %zu more endpoint%s …", n_more, PLURAL(n_more));

		add_line(facts, 0, more);
	}
}

static void add_server_exits(const struct attempt_facts *facts)
{
	for (size_t i = 0; i < facts->record->n_events; i++) {
		const struct event *event = &facts->record->events[i];
		AUTO_STRBUF struct strbuf line = {0};
		char at[DURATION_TEXT_SIZE];

		if (event->kind != EVENT_SERVER_EXIT)
			continue;
		strbuf_printf(&line, "server of %s ended: ",
			      attempt_endpoint_name(facts->record, event->u.server.endpoint));
		attempt_add_wait_status(event->u.server.wait_status, &line);
		strbuf_printf(&line, " at %s", duration_format(event->at_ns, at));
		add_line(facts, 0, strbuf_text(&line));
	}
}

/* Adds "12 instances: 10 exited with status 0, 2 did not". */
static void add_instances_end(const struct record *record, struct strbuf *out)
{
	uint32_t n_ends = 0, n_zero = 0;

	for (size_t i = 0; i < record->n_events; i++) {
		if (record->events[i].kind != EVENT_EXIT)
			continue;
		n_ends++;
		n_zero += record->events[i].u.exit.wait_status == 0;
	}
	strbuf_printf(out, "%" PRIu32 " instances: ", record->n_instances);
	if (n_zero == n_ends)
		strbuf_printf(out, "%" PRIu32 " exited with status 0", n_zero);
	else
		strbuf_printf(out, "%" PRIu32 " exited with status 0, %" PRIu32 " did not", n_zero,
			      n_ends - n_zero);
}

/* Adds the fullest window of each limited herd, even if it is within the limit. */
static void add_herds(const struct attempt_facts *facts)
{
	const struct scenario *scenario = facts->scenario;

	for (size_t i = 0; scenario && i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];
		AUTO_FREE const struct attempt_history **attempts = NULL;
		AUTO_FREE char *line = NULL;
		char within[DURATION_TEXT_SIZE], from[DURATION_TEXT_SIZE];
		struct herd herd;
		bool named;
		size_t n;

		if (expectation->kind != EXPECT_HERD)
			continue;
		n = herd_attempts(facts->history, expectation, &attempts);
		herd = herd_measure(attempts, n, expectation->value.herd.within_ns);
		duration_format(expectation->value.herd.within_ns, within);
		named = expectation->endpoint < scenario->n_endpoints;
		line = xasprintf("herd%s%s: most %s within %s: %zu, from %s on (%lld allowed)",
				 named ? " at " : "",
				 named ? scenario->endpoints[expectation->endpoint].name : "",
				 herd_counted(expectation), within, herd.peak,
				 duration_format(herd.from_ns, from),
				 (long long)expectation->value.herd.max);
		add_line(facts, 0, line);
	}
}

/* Adds the sockets that outlived the client. */
static void add_still_open(const struct attempt_facts *facts)
{
	const struct history *history = facts->history;
	AUTO_FREE int64_t *late_ns = xzalloc((history->n_attempts + 1) * sizeof(*late_ns));
	size_t n_shown = 0;

	for (size_t i = 0; i < history->n_still_open; i++) {
		uint32_t id = history->still_open[i]->u.net.attempt;
		const struct event *exit =
			history_instance_exit(history, facts->record->attempts[id].instance);

		if (exit)
			late_ns[id] = history->still_open[i]->at_ns - exit->at_ns;
	}
	for (uint32_t id = 0; id < history->n_attempts && history->n_still_open > 0; id++) {
		AUTO_FREE char *line = NULL;
		char late[DURATION_TEXT_SIZE];

		if (late_ns[id] <= 0 || ++n_shown > MAX_STILL_OPEN)
			continue;
		line = xasprintf("the socket of attempt %" PRIu32 " was still open %s after the "
				 "client's end",
				 id + 1, duration_format(late_ns[id], late));
		add_line(facts, 0, line);
	}
	if (n_shown > MAX_STILL_OPEN) {
		AUTO_FREE char *more = xasprintf("and %zu more", n_shown - MAX_STILL_OPEN);

		add_line(facts, 0, more);
	}
}

static void add_end(const struct attempt_facts *facts)
{
	const struct record *record = facts->record;
	const struct event *exit = record_exit(record);
	AUTO_STRBUF struct strbuf line = {0}, lag = {0};
	char buffer[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < record->n_events; i++) {
		if (record->events[i].kind == EVENT_TIMEOUT) {
			strbuf_printf(&line, "timeout at %s: ",
				      duration_format(record->events[i].at_ns, buffer));
			break;
		}
	}
	if (exit && record->n_instances > 1) {
		add_instances_end(record, &line);
		strbuf_printf(&line, "; the last at %s", duration_format(exit->at_ns, buffer));
	} else if (exit) {
		attempt_add_wait_status(exit->u.exit.wait_status, &line);
		strbuf_printf(&line, " at %s", duration_format(exit->at_ns, buffer));
	} else if (record->attached) {
		strbuf_puts(&line, "synfault did not start the client");
	} else {
		strbuf_puts(&line, record->client_started ? "the client's end was not seen"
							  : "no start of the client is on record");
	}
	if (record->harness_lag_ns > 0)
		strbuf_printf(&lag, "synfault's lag: at most %s",
			      duration_format(record->harness_lag_ns, buffer));
	/* On one line if it fits. */
	if (lag.length > 0 &&
	    text_width(strbuf_text(&line)) + 2 + text_width(strbuf_text(&lag)) <= facts->columns) {
		strbuf_printf(&line, "; %s", strbuf_text(&lag));
		strbuf_free(&lag);
	}
	add_line(facts, 0, strbuf_text(&line));
	if (lag.length > 0)
		add_line(facts, 0, strbuf_text(&lag));
	if (record->virtual_time) {
		AUTO_STRBUF struct strbuf clock = {0};

		report_clock(&clock, record);
		add_line(facts, 0, strbuf_text(&clock));
	}
}

void attempt_facts_end(const struct attempt_facts *facts)
{
	add_server_exits(facts);
	add_herds(facts);
	add_end(facts);
	add_still_open(facts);
}
