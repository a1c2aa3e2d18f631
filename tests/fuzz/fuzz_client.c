/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes libsynfault with a hostile synfault: each line of the input is the reply to one request,
 * in order, on any connection. After the last one all connections end. No
 * reply harms the library; what it returns can be read to its end.
 */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/synfault.h"
#include "tests/fuzz/fuzz.h"

/* The session's connection, that of a pollable wait, and that of one more request. */
#define MAX_CONNECTIONS 3

struct server {
	int listener;
	int stop; /* readable: the client is done */
	const char *replies, *end;
};

/* Sends the next reply; returns whether there was one. */
static bool answer(struct server *server, int fd)
{
	const char *newline =
		memchr(server->replies, '\n', (size_t)(server->end - server->replies));
	const char *after = newline ? newline + 1 : server->end;

	if (server->replies == server->end)
		return false;
	(void)!send(fd, server->replies, (size_t)(after - server->replies), MSG_NOSIGNAL);
	server->replies = after;
	return newline;
}

static void *serve(void *userdata)
{
	struct server *server = userdata;
	struct pollfd fds[2 + MAX_CONNECTIONS] = {{.fd = server->stop, .events = POLLIN},
						  {.fd = server->listener, .events = POLLIN}};
	nfds_t n = 2;
	bool more = true;
	char request[65536];

	while (more && poll(fds, n, -1) > 0 && !fds[0].revents) {
		if (fds[1].revents && n < ARRAY_SIZE(fds))
			fds[n++] = (struct pollfd){accept(server->listener, NULL, NULL), POLLIN, 0};
		for (nfds_t i = 2; i < n; i++) {
			ssize_t length;

			if (!fds[i].revents)
				continue;
			length = recv(fds[i].fd, request, sizeof(request), MSG_DONTWAIT);
			if (length > 0 && request[length - 1] == '\n')
				more = answer(server, fds[i].fd) && more;
			if (length != 0)
				continue;
			close(fds[i].fd);
			fds[i--] = fds[--n];
		}
	}
	/* Later connections find no process that listens. */
	close(server->listener);
	while (n > 2)
		close(fds[--n].fd);
	return NULL;
}

static void read_judgement(const struct synfault_judgement *judgement)
{
	const struct synfault_finding *finding;

	REQUIRE(synfault_outcome(judgement) <= SYNFAULT_SKIP);
	REQUIRE(strlen(synfault_text(judgement)) > 0);
	for (size_t i = 0; (finding = synfault_finding(judgement, i)); i++)
		REQUIRE(strstr(synfault_text(judgement), finding->message) && finding->type);
}

static void use(struct synfault_session *session)
{
	const struct synfault_judgement *judgement;
	const struct synfault_artefacts *artefacts;
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
	if (synfault_wait(session, NULL, 1, "syn", 1, &error))
		REQUIRE(strlen(error.text) < sizeof(error.text));
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
		REQUIRE(strlen(artefacts->record) < (size_t)4 << 20);
	synfault_expect_pass(session, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server server = {.replies = (const char *)data, .end = (const char *)data + size};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char directory[] = "/tmp/fuzz-client-XXXXXX";
	struct synfault_session *session;
	pthread_t thread;
	int stop[2];

	REQUIRE(mkdtemp(directory) && pipe(stop) == 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	setenv("SYNFAULT_CONTROL", address.sun_path, 1);
	server.stop = stop[0];
	server.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	REQUIRE(bind(server.listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	REQUIRE(listen(server.listener, MAX_CONNECTIONS) == 0);
	REQUIRE(pthread_create(&thread, NULL, serve, &server) == 0);
	if (synfault_open("n", SYNFAULT_ENDPOINTS("a=drop"), &session, NULL) == SYNFAULT_OK) {
		use(session);
		synfault_free(session);
	}
	close(stop[1]);
	pthread_join(thread, NULL);
	close(stop[0]);
	unlink(address.sun_path);
	rmdir(directory);
	return 0;
}
