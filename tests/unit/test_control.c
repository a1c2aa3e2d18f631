/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the control socket's requests: which are read, and what is answered to the others. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/duration.h"
#include "runner/session/control.h"
#include "runner/session/control_socket.h"

struct arguments {
	char *scenario;
	uint32_t session;
};
static const struct json_field argument_fields[] = {
	{"scenario", JSON_TEXT(struct arguments, scenario), .optional = true},
	{"session", JSON_U32(struct arguments, session), .min = 1, .max = 9, .optional = true},
};
static const struct json_type arguments_type = {
	JSON_TYPE(struct arguments, argument_fields),
	.is_closed = true,
};

/* Requests that are only parsed are freed by an answer to no peer. */
static void never(void *userdata, struct control_request *request, const void *arguments)
{
	cr_assert_fail("nothing is carried out");
}

static const struct control_command items[] = {
	{"status", &control_no_arguments, never},
	{"next", &arguments_type, never},
};
static const struct control_commands commands = {items, ARRAY_SIZE(items)};

Test(control, requests_are_parsed)
{
	static const struct {
		const char *line, *command, *scenario;
	} cases[] = {
		{"{\"command\": \"status\"}", "status", NULL},
		{"{\"id\": 7, \"command\": \"next\", \"scenario\": \"a\"}", "next", "a"},
		{"{\"id\": null, \"command\": \"next\", \"session\": 9}", "next", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *error = NULL;
		struct control_request *request =
			control_parse(&commands, cases[i].line, strlen(cases[i].line), &error);

		cr_assert_not_null(request, "%s", cases[i].line);
		cr_expect_null(error, "%s", cases[i].line);
		cr_expect_str_eq(control_command(request), cases[i].command);
		if (cases[i].scenario) {
			const struct arguments *arguments = control_arguments(request);

			cr_expect_str_eq(arguments->scenario, cases[i].scenario);
		}
		cr_expect_null(control_peer(request));
		control_reply(request, json_null());
	}
}

Test(control, invalid_requests_are_answered_with_an_error)
{
#define REPLY(id, code, text)                                                                      \
	"{\"id\":" id ",\"ok\":false,\"error\":{\"code\":\"" code "\",\"text\":\"" text
	static const struct {
		const char *line, *reply; /* of the error: its start */
	} cases[] = {
		{"", REPLY("null", "bad-request", "not JSON: ")},
		{"{", REPLY("null", "bad-request", "not JSON: ")},
		{"{\"command\": \"stop\", \"command\": \"next\"}",
		 REPLY("null", "bad-request", "not JSON: duplicate object key")},
		{"[]", REPLY("null", "bad-request", "a request is an object\"}}")},
		{"{}", REPLY("null", "bad-request",
			     "\\\"command\\\" is missing; commands are status and next\"}}")},
		{"{\"id\": 7}", REPLY("7", "bad-request", "\\\"command\\\" is missing")},
		{"{\"id\": [], \"command\": \"next\"}",
		 REPLY("null", "bad-request", "\\\"id\\\" has to be a text or a whole number\"}}")},
		{"{\"id\": 1.5, \"command\": \"next\"}", REPLY("null", "bad-request", "")},
		{"{\"id\": 1, \"command\": 2}",
		 REPLY("1", "bad-request", "\\\"command\\\" has to be a text\"}}")},
		{"{\"id\": 2, \"command\": \"dance\"}",
		 REPLY("2", "unknown-command",
		       "unknown command \\\"dance\\\"; commands are status and next\"}}")},
		/* It is cut, but no character is. */
		{"{\"id\": 3, \"command\": \"123456789 123456789 123456789 123456789é9\"}",
		 REPLY("3", "unknown-command",
		       "unknown command \\\"123456789 123456789 123456789 123456789\\\"; commands "
		       "are status and next\"}}")},
		{"{\"id\": 1, \"command\": \"next\", \"scenario\": null}",
		 REPLY("1", "bad-request", "the request: \\\"scenario\\\" is not")},
		{"{\"id\": 1, \"command\": \"next\", \"session\": 10}",
		 REPLY("1", "bad-request",
		       "the request: \\\"session\\\" is out of range: 10 is not from 1 to 9")},
		{"{\"id\": \"x\", \"command\": \"next\", \"when\": \"now\"}",
		 REPLY("\"x\"", "bad-request", "the request: \\\"when\\\" is not a known key\"}}")},
		{"{\"command\": \"status\", \"scenario\": \"a\"}",
		 REPLY("null", "bad-request",
		       "the request: \\\"scenario\\\" is not a known key\"}}")},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *error = NULL;
		struct control_request *request =
			control_parse(&commands, cases[i].line, strlen(cases[i].line), &error);
		char *text = error ? json_dumps(error, JSON_COMPACT) : NULL;

		cr_expect_null(request, "%s", cases[i].line);
		cr_assert_not_null(text, "%s", cases[i].line);
		cr_expect_eq(strncmp(text, cases[i].reply, strlen(cases[i].reply)), 0, "%s: %s",
			     cases[i].line, text);
		free(text);
		json_decref(error);
	}
}

Test(control, a_line_may_hold_any_bytes)
{
	static const char line[] = "{\"command\": \"a\0b\"}";
	json_t *error = NULL;

	cr_expect_null(control_parse(&commands, line, sizeof(line) - 1, &error));
	cr_expect_not_null(error);
	json_decref(error);
}

Test(control, a_token_fits_only_itself)
{
	static const char secret[] = "0123456789abcdef";

	cr_expect(control_token_fits(secret, secret));
	cr_expect_not(control_token_fits("", secret));
	cr_expect_not(control_token_fits("0123456789abcde", secret));
	cr_expect_not(control_token_fits("0123456789abcdef0", secret));
	cr_expect_not(control_token_fits("0123456789abcdeF", secret));
	cr_expect_not(control_token_fits("1123456789abcdef", secret));
}

/* ---- over TCP ---- */

#define TOKEN "open sesame, please"
#define GOOD  "{\"command\": \"hello\", \"token\": \"" TOKEN "\"}\n"

struct bed {
	struct event_base *base;
	struct control *control;
	int listener, local;
	char *address;
};

static void on_hello(void *userdata, struct control_request *request, const void *arguments)
{
	control_reply(request, control_hello(((struct bed *)userdata)->control));
}

static const struct control_command tcp_items[] = {
	{"hello", &control_hello_arguments, on_hello},
};

static void bed_start(struct bed *bed, size_t max_peers)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
	struct control_config config = {
		.commands = {tcp_items, ARRAY_SIZE(tcp_items)},
		.token = TOKEN,
		.max_peers = max_peers,
		.stranger_ns = 300 * NS_PER_MS,
		.userdata = bed,
	};

	bed->base = config.base = event_base_new();
	bed->listener = config.tcp_fd = control_socket_listen_tcp("0", &diags, &bed->address);
	cr_assert_geq(bed->listener, 0);
	/* The kernel chooses a name. */
	bed->local = config.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(bed->local, (struct sockaddr *)&nowhere, sizeof(sa_family_t)), 0);
	cr_assert_eq(listen(bed->local, 10), 0);
	bed->control = control_new(&config);
}

static void bed_end(struct bed *bed)
{
	control_free(bed->control);
	event_base_free(bed->base);
	close(bed->listener);
	close(bed->local);
	free(bed->address);
}

static int bed_connect(const struct bed *bed)
{
	int fd = control_socket_connect(bed->address, 60 * NS_PER_S);

	cr_assert_geq(fd, 0);
	return fd;
}

/* Returns what comes until the next newline, or until the end; the caller's. */
static char *bed_read_line(const struct bed *bed, int fd)
{
	struct strbuf line = {0};
	char byte = 0;

	while (byte != '\n') {
		ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

		if (n == 0)
			break;
		if (n == 1)
			strbuf_putc(&line, byte);
		else
			cr_assert_eq(errno, EAGAIN);
		(void)event_base_loop(bed->base, EVLOOP_NONBLOCK);
	}
	return strbuf_steal(&line);
}

static void bed_expects(const struct bed *bed, int fd, const char *text)
{
	AUTO_FREE char *line = bed_read_line(bed, fd);

	cr_expect(line && strstr(line, text), "\"%s\", expected \"%s\"", line ? line : "", text);
}

static void bed_expects_end(const struct bed *bed, int fd)
{
	AUTO_FREE char *line = bed_read_line(bed, fd);

	cr_expect(!line || !*line, "\"%s\"", line);
}

Test(control, over_tcp_the_first_request_has_to_know_the_token)
{
	static const struct {
		const char *request, *complaint;
	} strangers[] = {
		{"{\"command\": \"hello\"}\n", "the first request has to be hello"},
		{"{\"command\": \"hello\", \"token\": \"\"}\n", "the token is wrong"},
		{"{\"command\": \"hello\", \"token\": \"open sesame, pleasE\"}\n", "is wrong"},
		{"{\"command\": \"hello\", \"token\": 7}\n", "the first request has to be hello"},
		{"{\"command\": \"stop\"}\n", "the first request has to be hello"},
		{"GET / HTTP/1.1\r\n", "the first request has to be hello"},
		{"\n", "the first request has to be hello"},
	};
	struct bed bed = {0};
	int fd;

	bed_start(&bed, 100);
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		fd = bed_connect(&bed);
		cr_assert_gt(send(fd, strangers[i].request, strlen(strangers[i].request), 0), 0);
		bed_expects(&bed, fd, strangers[i].complaint);
		bed_expects_end(&bed, fd);
		close(fd);
	}
	fd = bed_connect(&bed);
	cr_assert_gt(send(fd, GOOD, strlen(GOOD), 0), 0);
	bed_expects(&bed, fd, "\"ok\":true");
	/* From now on it is like any other. */
	cr_assert_gt(send(fd, "{}\n", 3, 0), 0);
	bed_expects(&bed, fd, "\"command\\\" is missing");
	close(fd);
	bed_end(&bed);
}

Test(control, few_connections_may_be_without_the_token)
{
	enum { STRANGERS = 32 };
	struct bed bed = {0};
	int fds[STRANGERS], late;

	bed_start(&bed, 100);
	for (size_t i = 0; i < STRANGERS; i++) {
		fds[i] = bed_connect(&bed);
		(void)event_base_loop(bed.base, EVLOOP_NONBLOCK);
	}
	late = bed_connect(&bed);
	bed_expects(&bed, late, "too many connections");
	bed_expects_end(&bed, late);
	close(late);
	for (size_t i = 0; i < STRANGERS; i++)
		close(fds[i]);
	bed_end(&bed);
}

static int bed_connect_local(const struct bed *bed)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address;
	socklen_t length = sizeof(address);

	cr_assert_eq(getsockname(bed->local, (struct sockaddr *)&address, &length), 0);
	cr_assert_eq(connect(fd, (const struct sockaddr *)&address, length), 0);
	return fd;
}

Test(control, connections_without_the_token_keep_none_away_that_may_send_commands)
{
	enum { STRANGERS = 3 };
	struct bed bed = {0};
	int fds[STRANGERS], local, known;

	bed_start(&bed, 1);
	for (size_t i = 0; i < STRANGERS; i++) {
		fds[i] = bed_connect(&bed);
		(void)event_base_loop(bed.base, EVLOOP_NONBLOCK);
	}
	local = bed_connect_local(&bed);
	cr_assert_gt(send(local, "{}\n", 3, 0), 0);
	bed_expects(&bed, local, "\"command\\\" is missing");
	known = bed_connect(&bed);
	cr_assert_gt(send(known, GOOD, strlen(GOOD), 0), 0);
	bed_expects(&bed, known, "too many connections");
	bed_expects_end(&bed, known);
	close(known);
	close(local);
	(void)event_base_loop(bed.base, EVLOOP_NONBLOCK);
	known = bed_connect(&bed);
	cr_assert_gt(send(known, GOOD, strlen(GOOD), 0), 0);
	bed_expects(&bed, known, "\"ok\":true");
	close(known);
	for (size_t i = 0; i < STRANGERS; i++)
		close(fds[i]);
	bed_end(&bed);
}

Test(control, a_connection_that_takes_long_to_say_the_token_ends)
{
	const int64_t until_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	struct bed bed = {0};
	char byte;
	int fd;

	bed_start(&bed, 100);
	fd = bed_connect(&bed);
	/* A byte now and then gains no time. */
	while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN &&
	       clock_monotonic_ns() < until_ns) {
		(void)send(fd, "x", 1, MSG_NOSIGNAL);
		(void)event_base_loop(bed.base, EVLOOP_NONBLOCK);
		usleep(20000);
	}
	cr_expect_lt(clock_monotonic_ns(), until_ns);
	close(fd);
	bed_end(&bed);
}

/* ---- peers that lag ---- */

static void on_gone(void *userdata, const struct control_peer *peer)
{
	*(bool *)userdata = true;
}

/* Answers with more than a socket holds. */
static void on_follow(void *userdata, struct control_request *request, const void *arguments)
{
	enum { LENGTH = 4 << 20 };
	AUTO_FREE char *text = xzalloc(LENGTH);

	memset(text, 'x', LENGTH - 1);
	control_peer_may_lag(control_peer(request));
	control_reply(request, json_string(text));
}

/* Finds an event that waits for more than half an hour to write. */
static int waits_long(const struct event_base *base, const struct event *event, void *userdata)
{
	struct timeval now, end;

	gettimeofday(&now, NULL);
	return event_pending(event, EV_WRITE, NULL) && event_pending(event, EV_TIMEOUT, &end) &&
	       end.tv_sec - now.tv_sec > 1800;
}

/* Returns whether a peer that may lag ends when it reads nothing, which is not awaited if that
 * takes long. */
static bool lagging_ends(int64_t lag_ns)
{
	static const struct control_command follow[] = {
		{"follow", &control_no_arguments, on_follow},
	};
	static const char request[] = "{\"command\": \"follow\"}\n";
	const int64_t until_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	bool gone = false;
	const struct control_config config = {
		.base = event_base_new(),
		.fd = -1,
		.commands = {follow, ARRAY_SIZE(follow)},
		.max_peers = 1,
		.lag_ns = lag_ns,
		.patient = true,
		/* It does not matter for this how much is unread. */
		.pipelined = true,
		.on_gone = on_gone,
		.userdata = &gone,
	};
	struct control *control = control_new(&config);
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	control_add_peer(control, pair[0]);
	cr_assert_eq(send(pair[1], request, strlen(request), 0), (ssize_t)strlen(request));
	while (!gone && clock_monotonic_ns() < until_ns) {
		(void)event_base_loop(config.base, EVLOOP_NONBLOCK);
		if (event_base_foreach_event(config.base, waits_long, NULL))
			break;
		usleep(20000);
	}
	control_free(control);
	event_base_free(config.base);
	close(pair[1]);
	return gone;
}

Test(control, a_peer_that_may_lag_and_reads_nothing_ends)
{
	cr_expect(lagging_ends(300 * NS_PER_MS));
	cr_expect_not(lagging_ends(3600 * NS_PER_S));
}

Test(control, addresses_to_listen_at_are_read)
{
	static const char *const wrong[] = {
		"",      "x",         "127.0.0.1:",      ":80",           "::1",
		"[::1]", "a.test:80", "127.0.0.1:65536", "127.0.0.1:80:1"};
	AUTO_FREE char *bound = NULL;
	AUTO_DIAG struct diag_list none = {0};
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO_DIAG struct diag_list diags = {0};

		cr_expect_eq(control_socket_listen_tcp(wrong[i], &diags, &bound), -EINVAL, "%s",
			     wrong[i]);
		cr_expect_eq(diags.n_items, 1, "%s", wrong[i]);
	}
	fd = control_socket_listen_tcp("localhost:0", &none, &bound);
	cr_assert_geq(fd, 0);
	cr_expect_eq(strncmp(bound, "tcp:127.0.0.1:", 14), 0, "%s", bound);
	close(fd);
}

Test(control, only_sockets_of_dead_daemons_are_removed)
{
	char template[] = "/tmp/synfault-control-XXXXXX";
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *path = NULL, *given = NULL;
	int fd, lock;

	cr_assert(mkdtemp(template));
	path = xasprintf("%s/c.sock", template);
	fd = control_socket_listen(path, &diags, &given);
	cr_assert_geq(fd, 0);
	control_socket_remove(path);
	cr_expect_eq(access(path, F_OK), 0, "a daemon listens there");
	close(fd);
	/* One that begins to listen looks dead, too. */
	lock = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(flock(lock, LOCK_EX), 0);
	control_socket_remove(path);
	cr_expect_eq(access(path, F_OK), 0, "another process may begin to listen");
	close(lock);
	control_socket_remove(path);
	cr_expect_lt(access(path, F_OK), 0, "a dead daemon's socket stays");
	cr_expect_eq(rmdir(template), 0);
}

/* Connects to a socket that takes no connection until none fits any more. Returns how many do. */
static size_t fill(const char *path, int *fds, size_t n)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t i;

	strcpy(address.sun_path, path);
	for (i = 0; i < n; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) < 0)
			break;
	}
	cr_assert_lt(i, n);
	cr_assert_eq(errno, EAGAIN);
	close(fds[i]);
	return i;
}

Test(control, a_daemon_that_hangs_keeps_no_one_waiting)
{
	char template[] = "/tmp/synfault-control-XXXXXX";
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *path = NULL;
	AUTO_STRV char **found = NULL;
	int fds[64], fd;
	size_t n;

	cr_assert(mkdtemp(template));
	setenv("XDG_RUNTIME_DIR", template, 1);
	fd = control_socket_listen(NULL, &diags, &path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(strncmp(path, template, strlen(template)), 0, "%s", path);
	n = fill(path, fds, ARRAY_SIZE(fds));
	found = control_socket_find();
	cr_assert_not_null(found[0]);
	cr_expect_str_eq(found[0], path, "it exists all the same");
	cr_expect_eq(control_socket_connect(path, NS_PER_MS), -ETIMEDOUT);
	while (n > 0)
		close(fds[--n]);
	close(fd);
	control_socket_remove(path);
	*strrchr(path, '/') = '\0';
	cr_expect_eq(rmdir(path), 0);
	cr_expect_eq(rmdir(template), 0);
}
