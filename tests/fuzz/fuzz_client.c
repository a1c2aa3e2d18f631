/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes libsynfault with a hostile synfault: each line of the input is the reply to one request,
 * in order, on any connection. It comes in pieces. After the last one all connections end. No reply
 * harms the library; what it returns can be read to its end.
 *
 * The linker replaces the library's system calls on sockets by those below (--wrap).
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/synfault.h"
#include "tests/fuzz/fuzz.h"

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
ssize_t __wrap_send(int fd, const void *data, size_t length, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t length, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

/* What is left of the input, and where the reply to the last request ends. */
static const char *next, *reply_end, *input_end;

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return 0;
}

ssize_t __wrap_send(int fd, const void *data, size_t length, int flags)
{
	const char *newline = memchr(reply_end, '\n', (size_t)(input_end - reply_end));

	REQUIRE(length > 1 && ((const char *)data)[length - 1] == '\n');
	next = reply_end;
	reply_end = newline ? newline + 1 : input_end;
	return (ssize_t)length;
}

/* The first half of what is left of a reply, so that its end comes alone. */
ssize_t __wrap_recv(int fd, void *data, size_t length, int flags)
{
	const size_t left = (size_t)(reply_end - next), n = (left + 1) / 2;

	REQUIRE(length > 0);
	memcpy(data, next, n < length ? n : length);
	next += n < length ? n : length;
	return (ssize_t)(n < length ? n : length);
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	fds[0].revents = POLLIN;
	return 1;
}

static void read_judgement(const struct synfault_judgement *judgement)
{
	const struct synfault_finding *finding;

	REQUIRE(synfault_outcome(judgement) <= SYNFAULT_SKIP);
	REQUIRE(strlen(synfault_text(judgement)) > 0);
	for (size_t i = 0; (finding = synfault_finding(judgement, i)); i++)
		REQUIRE(finding->type && strstr(synfault_text(judgement), finding->message));
}

static void use(struct synfault_session *session)
{
	const struct synfault_judgement *judgement;
	const struct synfault_artefacts *artefacts;
	const struct synfault_status *status;
	struct sockaddr_storage address;
	struct synfault_error error;
	unsigned long number;
	socklen_t length;

	if (synfault_address(session, NULL)) {
		REQUIRE(strstr(synfault_address(session, NULL), synfault_host(session, NULL)));
		REQUIRE(synfault_port(session, NULL) >= 1 && synfault_port(session, NULL) <= 65535);
		if (synfault_sockaddr(session, NULL, &address, &length) == SYNFAULT_OK)
			REQUIRE(length <= sizeof(address));
	}
	synfault_attempts(session, NULL, &number, &error);
	if (synfault_status(session, NULL, &status, &error) == SYNFAULT_OK)
		REQUIRE(status->name && status->script && status->next);
	if (synfault_wait(session, NULL, 1, "syn", 1, &error))
		REQUIRE(memchr(error.text, '\0', sizeof(error.text)));
	if (synfault_begin_wait(session, NULL, 1, "syn", 1, &error) == SYNFAULT_OK)
		synfault_end_wait(session, &error);
	synfault_hold(session, NULL, 0, 1, &number, &error);
	synfault_release(session, NULL, 1, "accept", &error);
	if (synfault_check(session, &judgement, &error) == SYNFAULT_OK)
		read_judgement(judgement);
	if (synfault_close(session, &judgement, &error) == SYNFAULT_OK)
		read_judgement(judgement);
	if (synfault_artefacts(session, "d", &artefacts, &error) == SYNFAULT_OK &&
	    artefacts->record)
		REQUIRE(strlen(artefacts->record) < (size_t)1 << 20);
	synfault_expect_pass(session, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct synfault_session *session;

	next = reply_end = (const char *)data;
	input_end = reply_end + size;
	setenv("SYNFAULT_CONTROL", size % 2 ? "tcp:127.0.0.1:1" : "/socket", 1);
	if (synfault_open("n", SYNFAULT_ENDPOINTS("a=drop"), &session, NULL) == SYNFAULT_OK) {
		use(session);
		synfault_free(session);
	}
	return 0;
}
