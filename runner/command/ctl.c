/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault ctl`: sends a command to a running synfault inject or exec. */
#include "runner/command/command.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/text.h"
#include "runner/report/result.h"
#include "runner/scenario/utf8.h"
#include "runner/session/control_socket.h"

/* `next` and `stop` are answered only when servers have ended and started. */
#define PATIENCE_NS (60 * NS_PER_S)
#define MAX_REPLY   (64 << 20)

struct ctl_options {
	const char *control;
	bool json;
};

struct ctl {
	const struct ctl_options *options;
	const char *command, *scenario;
	const char *endpoint; /* of restart */
	int64_t for_ns;
	FILE *out, *err;
};

/* ---- requests ---- */

static json_t *make_request(const struct ctl *ctl)
{
	return json_pack("{s:i, s:s, s:s*, s:s*, s:o*}", "id", 1, "command", ctl->command,
			 "scenario", ctl->scenario, "endpoint", ctl->endpoint, "for_ns",
			 ctl->for_ns ? json_integer(ctl->for_ns) : NULL);
}

/* Sends a request and frees it. */
static int send_request(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	AUTO_FREE char *line = NULL;
	size_t length;

	json_decref(request);
	if (!text)
		return -EINVAL;
	line = xasprintf("%s\n", text);
	length = strlen(line);
	free(text);
	return send(fd, line, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -errno;
}

/* Reads one line. Returns 0 or a negative errno; -EPIPE: the other end has closed. */
static int receive_line(int fd, struct strbuf *line)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	char buffer[4096];

	while (line->length < MAX_REPLY) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		int64_t left_ns = until_ns - clock_monotonic_ns();
		ssize_t length;

		if (left_ns <= 0 || poll(&readable, 1, (int)(left_ns / NS_PER_MS) + 1) == 0)
			return -ETIMEDOUT;
		length = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (length < 0)
			return -errno;
		if (length == 0)
			return -EPIPE;
		strbuf_add(line, buffer, (size_t)length);
		if (memchr(buffer, '\n', (size_t)length))
			return 0;
	}
	return -EMSGSIZE;
}

/* Returns the reply, or NULL with *@ret_message, owned by the caller. */
static json_t *ask(int fd, json_t *request, char **ret_message)
{
	AUTO_STRBUF struct strbuf line = {0};
	int status = send_request(fd, request);
	json_t *reply = NULL;
	json_error_t error;

	/*
	 * If the daemon sent an error before it closed, that explains more than the closed
	 * connection.
	 */
	if (status == 0 || status == -EPIPE)
		status = receive_line(fd, &line);
	if (status == 0)
		reply = json_loadb(strbuf_text(&line), line.length, 0, &error);
	if (reply)
		return reply;
	*ret_message = status == -EPIPE ? xstrdup("it ended before it answered")
		       : status == -ETIMEDOUT
			       ? xstrdup("it did not answer within a minute")
			       : xasprintf("no answer: %s",
					   status < 0 ? strerror(-status) : "it is not JSON");
	return NULL;
}

/* Says the token to a daemon that is connected over TCP. Returns false with *@ret_message. */
static bool introduce(int fd, char **ret_message)
{
	const char *token = getenv("SYNFAULT_TOKEN"), *text;
	json_t *reply;
	bool good;

	if (!token || !*token) {
		*ret_message = xstrdup("SYNFAULT_TOKEN is not set or empty; it has to be the token "
				       "that synfault was started with");
		return false;
	}
	reply = ask(fd, json_pack("{s:i, s:s, s:s}", "id", 0, "command", "hello", "token", token),
		    ret_message);
	good = json_is_true(json_object_get(reply, "ok"));
	text = json_string_value(json_object_get(json_object_get(reply, "error"), "text"));
	if (reply && !good)
		*ret_message = xstrdup(text ? text : "no answer to hello");
	json_decref(reply);
	return good;
}

/* ---- the daemon to ask ---- */

static void print_running(const struct ctl *ctl, char *const *paths)
{
	for (; *paths; paths++) {
		AUTO_CLOSE int fd = control_socket_connect(*paths, PATIENCE_NS);
		AUTO_FREE char *message = NULL;
		json_t *reply =
			fd < 0 ? NULL
			       : ask(fd, json_pack("{s:i,s:s}", "id", 1, "command", "status"),
				     &message);
		json_t *result = json_object_get(reply, "result");
		const char *scenario = json_string_value(json_object_get(result, "scenario"));
		const char *path = json_string_value(json_object_get(result, "path"));

		fprintf(ctl->err, "  --control %s  %s%s%s\n", *paths, path ? path : "",
			path ? ": " : "", scenario ? scenario : "");
		json_decref(reply);
	}
}

/* Connects to the daemon. Returns a descriptor, or a negative exit status. */
static int connect_to_one(const struct ctl *ctl)
{
	AUTO_STRV char **found = ctl->options->control ? NULL : control_socket_find();
	const char *path = ctl->options->control;
	int fd;

	if (!path && !found[0]) {
		AUTO_FREE char *places = control_socket_describe();

		fprintf(ctl->err,
			"synfault ctl: no synfault inject or exec is running (looked in %s); if "
			"it was started with --control PATH, give the same here\n",
			places);
		return -STATUS_UNJUDGED;
	}
	if (!path && found[1]) {
		fprintf(ctl->err, "synfault ctl: several are running; say which:\n");
		print_running(ctl, found);
		return -STATUS_USAGE;
	}
	if (!path)
		path = found[0];
	fd = control_socket_connect(path, PATIENCE_NS);
	if (fd >= 0)
		return fd;
	fprintf(ctl->err, "synfault ctl: %s: %s\n", path,
		fd == -ENOENT         ? "no such socket: no synfault listens there"
		: fd == -EDESTADDRREQ ? "tcp:HOST:PORT is expected, with an address"
		: fd == -ECONNREFUSED ? "no synfault listens there"
		: fd == -ETIMEDOUT    ? "it did not take the connection within a minute"
		: fd == -EACCES       ? "no permission: only the user who runs it, and root, may "
					"send commands"
				      : strerror(-fd));
	return -STATUS_UNJUDGED;
}

/* ---- the answer ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_endpoint(const struct ctl *ctl, const json_t *endpoint)
{
	AUTO_STRBUF struct strbuf line = {0};
	json_t *addresses = json_object_get(endpoint, "addresses"), *address;
	size_t index;

	strbuf_printf(&line, "  %s", text_of(endpoint, "name"));
	json_array_foreach(addresses, index, address)
		strbuf_printf(&line, "%s%s", index ? ", " : "  ", json_string_value(address));
	strbuf_printf(&line, "  %lld attempt%s", number_of(endpoint, "attempts"),
		      PLURAL(number_of(endpoint, "attempts")));
	for (int i = 0; i < END_N_KINDS; i++) {
		const char *end = attempt_end_name((enum attempt_end)i);

		if (number_of(endpoint, end))
			strbuf_printf(&line, ", %lld %s", number_of(endpoint, end), end);
	}
	strbuf_printf(&line, "; next: step %lld, ", number_of(endpoint, "next_step"));
	report_line(&line, text_of(endpoint, "next"));
	fprintf(ctl->out, "%s\n", strbuf_text(&line));
}

static void print_status(const struct ctl *ctl, const json_t *status)
{
	json_t *endpoints = json_object_get(status, "endpoints"), *item;
	json_t *problems = json_object_get(status, "problems");
	AUTO_STRBUF struct strbuf line = {0};
	char seconds[REPORT_SECONDS_SIZE];
	size_t index;

	report_line(&line, text_of(status, "path"));
	strbuf_puts(&line, ": ");
	report_line(&line, text_of(status, "scenario"));
	fprintf(ctl->out, "%s: %s (%lld of %lld), for %s s, pid %lld\n", text_of(status, "state"),
		strbuf_text(&line), number_of(status, "number"), number_of(status, "scenarios"),
		report_seconds(number_of(status, "elapsed_ns"), seconds), number_of(status, "pid"));
	json_array_foreach(endpoints, index, item) print_endpoint(ctl, item);
	json_array_foreach(problems, index, item)
		fprintf(ctl->out, "  problem: %s\n", json_string_value(item));
}

static void print_result(const struct ctl *ctl, const json_t *result)
{
	json_t *findings = json_object_get(result, "findings"), *finding;
	AUTO_STRBUF struct strbuf text = {0};
	size_t index;

	strbuf_printf(&text, "%s: ", text_of(result, "outcome"));
	report_line(&text, text_of(result, "scenario"));
	strbuf_putc(&text, '\n');
	json_array_foreach(findings, index, finding)
	{
		strbuf_puts(&text, "  ");
		report_line(&text, json_string_value(finding));
		strbuf_putc(&text, '\n');
	}
	fputs(strbuf_text(&text), ctl->out);
}

static void print_sessions(const struct ctl *ctl, const json_t *sessions)
{
	json_t *session;
	size_t index;

	if (json_array_size(sessions) == 0)
		fprintf(ctl->out, "no session is open\n");
	json_array_foreach(sessions, index, session)
	{
		AUTO_STRBUF struct strbuf name = {0};

		report_line(&name, text_of(session, "name"));
		fprintf(ctl->out, "%lld  %s  %s\n", number_of(session, "session"),
			text_of(session, "state"), strbuf_text(&name));
	}
}

/* Fails if the daemon is not armed, and so injects nothing: health checks rely on it. */
static enum exit_status show(const struct ctl *ctl, const json_t *result)
{
	bool armed = strcmp(text_of(result, "state"), "armed") == 0;
	char *text = NULL;

	if (ctl->options->json) {
		text = json_dumps(result, JSON_INDENT(2));
		fprintf(ctl->out, "%s\n", text ? text : "");
		free(text);
	} else if (json_object_get(result, "sessions")) {
		print_sessions(ctl, json_object_get(result, "sessions"));
	} else if (json_object_get(result, "state")) {
		if (json_object_get(result, "previous"))
			print_result(ctl, json_object_get(result, "previous"));
		if (json_object_get(result, "ended"))
			fprintf(ctl->out, "ended %lld connection%s\n", number_of(result, "ended"),
				PLURAL(number_of(result, "ended")));
		print_status(ctl, result);
	} else {
		print_result(ctl, result);
	}
	armed = armed || json_object_get(result, "sessions");
	return armed || json_object_get(result, "outcome") ? STATUS_PASSED : STATUS_UNJUDGED;
}

/* @message: why there is no reply; NULL: the reply is an error. */
static void print_error(const struct ctl *ctl, const json_t *error, const char *message)
{
	const char *remedy = text_of(error, "remedy");

	fprintf(ctl->err, "synfault ctl: %s%s%s\n", message ? message : text_of(error, "text"),
		*remedy ? "; " : "", remedy);
}

static enum exit_status send_command(const struct ctl *ctl)
{
	AUTO_CLOSE int fd = connect_to_one(ctl);
	AUTO_FREE char *message = NULL;
	enum exit_status status = STATUS_UNJUDGED;
	json_t *reply;

	if (fd < 0)
		return (enum exit_status) - fd;
	if (ctl->options->control && control_socket_is_tcp(ctl->options->control) &&
	    !introduce(fd, &message)) {
		print_error(ctl, NULL, message);
		return STATUS_UNJUDGED;
	}
	reply = ask(fd, make_request(ctl), &message);
	if (reply && json_is_true(json_object_get(reply, "ok")))
		status = show(ctl, json_object_get(reply, "result"));
	else
		print_error(ctl, json_object_get(reply, "error"), message);
	json_decref(reply);
	return status;
}

/* Reads what follows "restart": an endpoint's name, a duration, or both. */
static char *read_restart(struct ctl *ctl, const struct operands *operands)
{
	for (int i = 1; i < operands->n; i++) {
		const char *word = operands->items[i], *reason;

		if (i == 1 && (*word < '0' || *word > '9')) {
			ctl->endpoint = word;
			continue;
		}
		if (ctl->for_ns || duration_parse(word, &ctl->for_ns, &reason) < 0)
			return xasprintf("\"%s\" is not a duration: restart takes an endpoint and "
					 "a duration, such as api 5s",
					 word);
		if (ctl->for_ns == 0)
			return xstrdup("a restart takes more than 0s");
	}
	return NULL;
}

/* Returns what is wrong with the operands, owned by the caller, or NULL. */
static char *read_operands(struct ctl *ctl, const struct operands *operands)
{
	const char *word = operands->items[0];
	AUTO_FREE char *expected = NULL;
	struct utf8_error error;

	if (option_choice(word, "status next reset restart stop", &expected) < 0)
		return xasprintf("unknown command \"%s\": %s", word, expected);
	ctl->command = word;
	/* A request is JSON. */
	for (int i = 1; i < operands->n; i++)
		if (utf8_check(operands->items[i], strlen(operands->items[i]), &error) < 0)
			return xasprintf("a name after %s is not UTF-8", word);
	if (strcmp(word, "restart") == 0)
		return read_restart(ctl, operands);
	if (operands->n > 2 || (operands->n == 2 && strcmp(word, "next") != 0))
		return xasprintf("%s takes no %sargument", word,
				 strcmp(word, "next") == 0 ? "second " : "");
	ctl->scenario = operands->n > 1 ? operands->items[1] : NULL;
	return NULL;
}

static int run_ctl(void *parsed, const struct operands *operands,
		   const struct command_context *context)
{
	struct ctl ctl = {.options = parsed, .out = context->out, .err = context->err};
	AUTO_FREE char *message = read_operands(&ctl, operands);

	if (message)
		return command_usage_error(&command_ctl, context->err, message);
	return (int)send_command(&ctl);
}

static const struct option_spec ctl_options[] = {
	{"control", 0, "PATH",
	 "use this control socket, or tcp:HOST:PORT (default: that of the only daemon)",
	 OPTION_STRING, OPTION_FIELD(struct ctl_options, control)},
	OPTION_ROW_FORMAT(struct ctl_options, json, "print the answer as text or json"),
	OPTION_ROW_HELP,
};

const struct command command_ctl = {
	.name = "ctl",
	.arguments = "[OPTION...] COMMAND [ARGUMENT...]",
	.summary = "send a command to a running synfault inject or exec",
	.description =
		"Sends a command to a running synfault inject; or to synfault exec, which takes\n"
		"only status:\n"
		"\n"
		"  status                 shows its progress, or which sessions are open\n"
		"  reset                  begins the scenario again\n"
		"  next [SCENARIO]        goes on to the next scenario, or to SCENARIO, and\n"
		"                         prints the verdict of the last one\n"
		"  restart [NAME] [TIME]  begins the outages that wait for a command, such as\n"
		"                         \"restart 5s from command\", at the endpoint NAME,\n"
		"                         for TIME\n"
		"  stop                   ends it and prints its verdict\n",
	.options = OPTION_TABLE(ctl_options, .size = sizeof(struct ctl_options)),
	.min_operands = 1,
	.max_operands = 3,
	.needs = "one command is needed: status, next, reset, restart or stop",
	.run = run_ctl,
};
