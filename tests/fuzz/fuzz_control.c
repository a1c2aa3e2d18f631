/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the commands that a daemon takes on its control socket. Every line gets one reply, in the
 * order of lines and with its own id, and a peer that disconnects does no harm.
 *
 * The first byte of the input says how the rest is sent and answered.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runner/session/control.h"
#include "runner/session/protocol.h"
#include "tests/fuzz/fuzz.h"

enum manner {
	LATE = 1,      /* requests are answered some turns of the loop later */
	REFUSED = 2,   /* requests are refused */
	LEAVES = 4,    /* the peer closes when it has sent everything */
	CUT = 8,       /* the input is sent in two parts */
	STRANGER = 16, /* the peer has to say the token first */
};

#define TOKEN "sesame"

/* Far more turns of the loop than there are lines. */
#define MAX_TURNS 100000

struct bed {
	uint8_t manner;
	struct event_base *base;
	struct control *control;
	int listener, unused, peer;
	struct control_request *request; /* not answered yet */
	char *replies;
	size_t n_replies, capacity;
};

static void answer(struct bed *bed, struct control_request *request)
{
	REQUIRE(control_command(request));
	if (bed->manner & REFUSED)
		control_refuse(request, CONTROL_ENDED, "none", "%s: no", control_command(request));
	else
		control_reply(request, json_string(control_command(request)));
}

static void on_request(void *userdata, struct control_request *request, const void *arguments)
{
	struct bed *bed = userdata;

	REQUIRE(!bed->request);
	REQUIRE(arguments == control_arguments(request));
	if (bed->manner & LATE)
		bed->request = request;
	else
		answer(bed, request);
}

/* Those of `synfault exec`, and more without arguments. */
static const struct control_command bed_commands[] = {
	{"hello", &control_hello_arguments, on_request},
	{"open", &open_type, on_request},
	{"status", &status_type, on_request},
	{"wait", &wait_type, on_request},
	{"events", &events_type, on_request},
	{"check", &session_type, on_request},
	{"close", &session_type, on_request},
	{"reset", &control_no_arguments, on_request},
	{"faults", &faults_type, on_request},
	{"hold", &hold_type, on_request},
	{"release", &release_type, on_request},
	{"restart", &restart_type, on_request},
	{"artefacts", &artefacts_type, on_request},
	{"stop", &control_no_arguments, on_request},
};

static int listen_anywhere(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* The kernel chooses a name in the abstract namespace. */
	REQUIRE(bind(fd, (const struct sockaddr *)&address,
		     offsetof(struct sockaddr_un, sun_path)) == 0);
	REQUIRE(listen(fd, 1) == 0);
	return fd;
}

static void bed_start(struct bed *bed)
{
	struct sockaddr_un address;
	socklen_t length = sizeof(address);
	struct control_config config = {
		.commands = {bed_commands, ARRAY_SIZE(bed_commands)},
		.max_peers = 1,
		.userdata = bed,
	};

	bed->base = event_base_new();
	bed->listener = listen_anywhere();
	bed->peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	REQUIRE(getsockname(bed->listener, (struct sockaddr *)&address, &length) == 0);
	REQUIRE(connect(bed->peer, (struct sockaddr *)&address, length) == 0);
	config.base = bed->base;
	config.fd = bed->listener;
	bed->unused = -1;
	if (bed->manner & STRANGER) {
		bed->unused = config.fd = listen_anywhere();
		config.tcp_fd = bed->listener;
		config.token = TOKEN;
	}
	bed->control = control_new(&config);
}

static void bed_end(struct bed *bed)
{
	control_free(bed->control);
	event_base_free(bed->base);
	close(bed->listener);
	if (bed->unused >= 0)
		close(bed->unused);
	if (bed->peer >= 0)
		close(bed->peer);
	free(bed->replies);
}

static void turn(struct bed *bed)
{
	struct control_request *request;

	(void)event_base_loop(bed->base, EVLOOP_NONBLOCK);
	request = steal_pointer(&bed->request);
	if (request)
		answer(bed, request);
}

static void send_all(struct bed *bed, const uint8_t *data, size_t size)
{
	size_t first = bed->manner & CUT ? size / 2 : size;

	REQUIRE(send(bed->peer, data, first, MSG_NOSIGNAL) == (ssize_t)first);
	if (first < size)
		turn(bed);
	/* A stranger's connection may have ended already. */
	REQUIRE(send(bed->peer, data + first, size - first, MSG_NOSIGNAL) ==
			(ssize_t)(size - first) ||
		(bed->manner & STRANGER));
	shutdown(bed->peer, SHUT_WR);
}

static void read_replies(struct bed *bed)
{
	char buffer[4096];

	for (int i = 0; i < MAX_TURNS; i++) {
		ssize_t n = recv(bed->peer, buffer, sizeof(buffer), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno == ECONNRESET && (bed->manner & STRANGER)))
			return;
		for (ssize_t k = 0; k < n; k++)
			array_append(bed->replies, bed->n_replies, bed->capacity, buffer[k]);
		if (n < 0)
			turn(bed);
	}
	REQUIRE(!"the loop ends");
}

/* Returns the next line that is not empty; false: there is none. */
static bool next_line(const char **text, const char *end, const char **ret, size_t *ret_length)
{
	const char *newline;

	while ((newline = memchr(*text, '\n', (size_t)(end - *text)))) {
		*ret = *text;
		*ret_length = (size_t)(newline - *text);
		*text = newline + 1;
		if (*ret_length > 0)
			return true;
	}
	return false;
}

static void check_reply(const char *line, size_t length, const char *answered,
			size_t answered_length)
{
	json_t *reply = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *request = json_loadb(answered, answered_length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *id = json_object_get(request, "id"), *ok = json_object_get(reply, "ok");

	REQUIRE(reply);
	REQUIRE(json_is_boolean(ok));
	REQUIRE(json_object_get(reply, json_is_true(ok) ? "result" : "error"));
	REQUIRE(request || json_is_false(ok));
	if (json_is_string(id) || json_is_integer(id))
		REQUIRE(json_equal(id, json_object_get(reply, "id")));
	else
		REQUIRE(json_is_null(json_object_get(reply, "id")));
	json_decref(request);
	json_decref(reply);
}

static void check_replies(const struct bed *bed, const char *sent, size_t size)
{
	const char *reply = bed->replies ? bed->replies : "", *end = reply + bed->n_replies;
	const char *sent_end = sent + size, *line, *answered;
	size_t length, answered_length;

	while (next_line(&sent, sent_end, &answered, &answered_length)) {
		REQUIRE(next_line(&reply, end, &line, &length));
		check_reply(line, length, answered, answered_length);
	}
	REQUIRE(reply == end);
}

/* Whoever does not know the token gets one error, and nothing is carried out. */
static void check_stranger(const struct bed *bed, const char *sent, size_t size)
{
	static const char denied[] = "{\"id\":null,\"ok\":false,\"error\":{\"code\":\"denied\"";

	/* Its letters can be escaped. */
	if (bed->n_replies == 0 || size > CONTROL_MAX_LINE || memchr(sent, '\\', size) ||
	    memmem(sent, size, TOKEN, strlen(TOKEN)))
		return;
	REQUIRE(bed->n_replies > strlen(denied));
	REQUIRE(memcmp(bed->replies, denied, strlen(denied)) == 0);
	REQUIRE(memchr(bed->replies, '\n', bed->n_replies) == bed->replies + bed->n_replies - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bed bed = {.manner = size > 0 ? data[0] : 0};
	const uint8_t *rest = size > 0 ? data + 1 : data;
	size_t length = size > 0 ? size - 1 : 0;

	/* As the program does. */
	(void)signal(SIGPIPE, SIG_IGN);
	bed_start(&bed);
	send_all(&bed, rest, length);
	if (bed.manner & LEAVES) {
		turn(&bed);
		close(bed.peer);
		bed.peer = -1;
		for (int i = 0; i < 8; i++)
			turn(&bed);
	} else {
		read_replies(&bed);
		if (bed.manner & STRANGER)
			check_stranger(&bed, (const char *)rest, length);
		else
			check_replies(&bed, (const char *)rest, length);
	}
	bed_end(&bed);
	return 0;
}
