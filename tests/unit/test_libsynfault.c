/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libsynfault against a control socket that plays a conversation: what it asks, and what it makes
 * of replies. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/synfault.h"

#define OPENED                                                                                     \
	"{\"ok\":true,\"result\":{\"session\":7,\"name\":\"n\",\"endpoints\":["                    \
	"{\"name\":\"api\",\"addresses\":[\"127.0.0.1:8080\",\"[::1]:8080\"]},"                    \
	"{\"name\":\"db\",\"addresses\":[\"[::1]:5432\"]}]}}"
#define OPEN_REQUEST                                                                               \
	"{\"command\":\"open\",\"name\":\"n\",\"endpoints\":[{\"name\":\"api\",\"faults\":"        \
	"\"drop\"},"                                                                               \
	"{\"name\":\"db\",\"faults\":\"accept\"}]}"

/* A request, and the reply to it; without a reply the connection ends. */
struct turn {
	const char *request;
	const char *reply;
};

/* One connection of the server plays all turns; each further one plays the last turn. */
struct server {
	const struct turn *turns;
	char directory[32];
	char path[64];
	int listener;
	pthread_t thread;
};

static void serve(int fd, const struct turn *turns)
{
	FILE *requests = fdopen(fd, "r+");
	char line[4096];

	setvbuf(requests, NULL, _IONBF, 0);
	while (turns->request && fgets(line, sizeof(line), requests)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, turns->request) != 0 || !turns->reply) {
			fprintf(stderr, "request %s\n", line);
			break;
		}
		dprintf(fd, "%s\n", turns->reply);
		turns++;
	}
	fclose(requests);
}

static void *run_server(void *userdata)
{
	const struct server *server = userdata;
	const struct turn *turns = server->turns;
	int fd;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		serve(fd, turns);
		for (; turns->request && turns[1].request; turns++)
			;
	}
	return NULL;
}

static void start(struct server *server, const struct turn *turns)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*server = (struct server){.turns = turns, .directory = "/tmp/libsynfault-XXXXXX"};
	cr_assert(mkdtemp(server->directory));
	snprintf(server->path, sizeof(server->path), "%s/socket", server->directory);
	strcpy(address.sun_path, server->path);
	server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(server->listener, 5), 0);
	setenv("SYNFAULT_CONTROL", server->path, 1);
	cr_assert_eq(pthread_create(&server->thread, NULL, run_server, server), 0);
}

static void stop(struct server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
	unlink(server->path);
	rmdir(server->directory);
}

static struct synfault_session *open_session(void)
{
	struct synfault_session *session;
	struct synfault_error error;

	cr_assert_eq(
		synfault_open("n", SYNFAULT_ENDPOINTS("api=drop", "db=accept"), &session, &error),
		SYNFAULT_OK, "%s", error.text);
	return session;
}

Test(libsynfault, endpoints_have_addresses)
{
	const struct turn turns[] = {{OPEN_REQUEST, OPENED}, {0}};
	struct synfault_session *session;
	struct sockaddr_storage address;
	struct server server;
	socklen_t length;

	start(&server, turns);
	session = open_session();
	cr_assert_str_eq(synfault_address(session, "api"), "127.0.0.1:8080");
	cr_assert_str_eq(synfault_address(session, NULL), "127.0.0.1:8080");
	cr_assert_str_eq(synfault_host(session, "db"), "::1");
	cr_assert_eq(synfault_port(session, "db"), 5432);
	cr_assert_eq(synfault_sockaddr(session, "api", &address, &length), SYNFAULT_OK);
	cr_assert_eq(length, sizeof(struct sockaddr_in));
	cr_assert_eq(ntohs(((struct sockaddr_in *)&address)->sin_port), 8080);
	cr_assert_eq(synfault_sockaddr(session, "db", &address, &length), SYNFAULT_OK);
	cr_assert_eq(address.ss_family, AF_INET6);

	cr_assert_null(synfault_address(session, "cache"));
	cr_assert_null(synfault_host(session, "cache"));
	cr_assert_eq(synfault_port(session, "cache"), 0);
	cr_assert_eq(synfault_sockaddr(session, "cache", &address, &length), SYNFAULT_NOT_FOUND);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, attempts_are_counted_at_one_endpoint_or_at_all)
{
	const char *status = "{\"command\":\"status\",\"session\":7}";
	const char *reply =
		"{\"ok\":true,\"result\":{\"endpoints\":[{\"name\":\"api\",\"attempts\":3},"
		"{\"name\":\"db\",\"attempts\":2}]}}";
	const struct turn turns[] = {{OPEN_REQUEST, OPENED}, {status, reply}, {status, reply}, {0}};
	struct synfault_session *session;
	struct synfault_error error;
	struct server server;
	unsigned long n;

	start(&server, turns);
	session = open_session();
	cr_assert_eq(synfault_attempts(session, "api", &n, &error), SYNFAULT_OK);
	cr_assert_eq(n, 3);
	cr_assert_eq(synfault_attempts(session, NULL, &n, &error), SYNFAULT_OK);
	cr_assert_eq(n, 5);
	cr_assert_eq(synfault_attempts(session, "cache", &n, &error), SYNFAULT_NOT_FOUND);
	cr_assert_eq(synfault_attempts(session, NULL, &n, &error), SYNFAULT_ENDED);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, a_status_says_how_attempts_ended_and_what_comes_next)
{
	const char *ask = "{\"command\":\"status\",\"session\":7}";
	const char *full =
		"{\"ok\":true,\"result\":{\"endpoints\":[{\"name\":\"api\",\"attempts\":1},"
		"{\"name\":\"db\",\"script\":\"refuse x2, accept\",\"attempts\":28,\"refused\":1,"
		"\"established\":2,\"abandoned\":3,\"rejected\":4,\"unreachable\":5,\"timed-out\":"
		"6,"
		"\"open\":7,\"next_step\":2,\"next\":\"accept\"}]}}";
	const char *empty = "{\"ok\":true,\"result\":{\"endpoints\":[]}}";
	const struct turn turns[] = {
		{OPEN_REQUEST, OPENED}, {ask, full}, {ask, full}, {ask, empty}, {0}};
	const struct synfault_status *first, *db, *none;
	struct synfault_session *session;
	struct synfault_error error;
	struct server server;

	start(&server, turns);
	session = open_session();
	cr_assert_eq(synfault_status(session, NULL, &first, &error), SYNFAULT_OK);
	cr_assert_eq(synfault_status(session, "db", &db, &error), SYNFAULT_OK);
	/* What another synfault may leave out. */
	cr_assert_eq(synfault_status(session, "db", &none, &error), SYNFAULT_OK);
	cr_assert_str_eq(first->name, "api");
	cr_assert_eq(first->attempts, 1);
	cr_assert_str_eq(first->next, "");
	cr_assert_str_eq(db->name, "db");
	cr_assert_str_eq(db->script, "refuse x2, accept");
	cr_assert_str_eq(db->next, "accept");
	cr_assert_eq(db->next_step, 2);
	cr_assert_eq(db->attempts, 28);
	cr_assert_eq(db->refused, 1);
	cr_assert_eq(db->established, 2);
	cr_assert_eq(db->abandoned, 3);
	cr_assert_eq(db->rejected, 4);
	cr_assert_eq(db->unreachable, 5);
	cr_assert_eq(db->timed_out, 6);
	cr_assert_eq(db->open, 7);
	cr_assert_str_eq(none->name, "db");
	cr_assert_str_eq(none->script, "");
	cr_assert_eq(none->attempts, 0);
	cr_assert_eq(synfault_status(session, "cache", &none, &error), SYNFAULT_NOT_FOUND);
	cr_assert_eq(synfault_status(session, "db", &none, &error), SYNFAULT_ENDED);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, a_judgement_has_the_outcome_and_findings)
{
	const struct turn turns[] = {
		{OPEN_REQUEST, OPENED},
		{"{\"command\":\"check\",\"session\":7}",
		 "{\"ok\":true,\"result\":{\"outcome\":\"pass\",\"findings\":[],\"expectations\":[]"
		 "}}"},
		{"{\"command\":\"close\",\"session\":7}",
		 "{\"ok\":true,\"result\":{\"outcome\":\"fail\",\"findings\":[{\"type\":"
		 "\"attempts\","
		 "\"expected\":\"3\",\"actual\":\"1\",\"message\":\"attempts: expected 3, got 1\"},"
		 "{\"type\":\"backoff\",\"attempt\":2,\"message\":\"too short\"}]}}"},
		{0},
	};
	const struct synfault_judgement *checked, *closed, *again;
	const struct synfault_finding *finding;
	struct synfault_session *session;
	struct synfault_error error;
	struct server server;

	start(&server, turns);
	session = open_session();
	cr_assert_eq(synfault_check(session, &checked, &error), SYNFAULT_OK);
	cr_assert_eq(synfault_close(session, &closed, &error), SYNFAULT_OK);
	cr_assert_eq(synfault_outcome(checked), SYNFAULT_PASS);
	cr_assert_null(synfault_finding(checked, 0));
	cr_assert_str_eq(synfault_text(checked), "pass");

	cr_assert_eq(synfault_outcome(closed), SYNFAULT_FAIL);
	finding = synfault_finding(closed, 0);
	cr_assert_str_eq(finding->type, "attempts");
	cr_assert_str_eq(finding->expected, "3");
	cr_assert_str_eq(finding->actual, "1");
	cr_assert_null(finding->subject);
	cr_assert_eq(synfault_finding(closed, 1)->attempt, 2);
	cr_assert_null(synfault_finding(closed, 2));
	cr_assert_str_eq(synfault_text(closed), "fail\n  attempts: expected 3, got 1\n  too short");

	cr_assert_eq(synfault_close(session, &again, &error), SYNFAULT_OK);
	cr_assert_eq(again, closed);
	cr_assert_eq(synfault_expect_pass(session, &error), SYNFAULT_CLIENT_FAILED);
	cr_assert_eq(error.code, SYNFAULT_CLIENT_FAILED);
	cr_assert_str_eq(error.text, synfault_text(closed));
	cr_assert_eq(synfault_check(session, &again, &error), SYNFAULT_ENDED);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, faults_are_replaced_and_attempts_held)
{
	const struct turn turns[] = {
		{OPEN_REQUEST, OPENED},
		{"{\"command\":\"faults\",\"session\":7,\"endpoint\":\"db\",\"steps\":\"refuse\"}",
		 "{\"ok\":true,\"result\":{\"endpoint\":\"db\",\"attempt\":2}}"},
		{"{\"command\":\"hold\",\"session\":7,\"limit_ns\":1000000000}",
		 "{\"ok\":true,\"result\":{\"endpoint\":\"api\",\"attempt\":4}}"},
		{"{\"command\":\"hold\",\"session\":7,\"endpoint\":\"api\",\"attempt\":5,"
		 "\"limit_ns\":2000000}",
		 "{\"ok\":true,\"result\":{\"endpoint\":\"api\",\"attempt\":5}}"},
		{"{\"command\":\"release\",\"session\":7,\"endpoint\":\"api\",\"attempt\":4,"
		 "\"verdict\":\"drop\"}",
		 "{\"ok\":true,\"result\":{}}"},
		{0},
	};
	struct synfault_session *session;
	struct synfault_error error;
	struct server server;
	unsigned long attempt;

	start(&server, turns);
	session = open_session();
	cr_assert_eq(synfault_faults(session, "db", "refuse", &attempt, &error), SYNFAULT_OK);
	cr_assert_eq(attempt, 2);
	cr_assert_eq(synfault_hold(session, NULL, 0, 1000, &attempt, &error), SYNFAULT_OK);
	cr_assert_eq(attempt, 4);
	cr_assert_eq(synfault_hold(session, "api", 5, 2, NULL, &error), SYNFAULT_OK);
	cr_assert_eq(synfault_release(session, "api", 4, "drop", &error), SYNFAULT_OK);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, an_unknown_outcome_is_not_a_failure)
{
	const struct turn turns[] = {
		{OPEN_REQUEST, OPENED},
		{"{\"command\":\"close\",\"session\":7}",
		 "{\"ok\":true,\"result\":{\"outcome\":\"error\",\"findings\":[]}}"},
		{0},
	};
	struct synfault_session *session;
	struct synfault_error error;
	struct server server;

	start(&server, turns);
	session = open_session();
	cr_assert_eq(synfault_expect_pass(session, &error), SYNFAULT_UNJUDGED);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, over_tcp_each_connection_says_the_token_first)
{
	const struct turn turns[] = {
		{"{\"command\":\"hello\",\"token\":\"a \\\"token\\\"\"}",
		 "{\"ok\":true,\"result\":{\"protocol\":2}}"},
		{OPEN_REQUEST, OPENED},
		{"{\"command\":\"hello\",\"token\":\"a \\\"token\\\"\"}",
		 "{\"ok\":false,\"error\":{\"code\":\"denied\",\"text\":\"the token is wrong\"}}"},
		{0},
	};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	struct synfault_session *session;
	struct synfault_error error;
	struct server server = {.turns = turns};
	char control[32];

	server.listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(server.listener, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(server.listener, 5), 0);
	getsockname(server.listener, (struct sockaddr *)&address, &length);
	snprintf(control, sizeof(control), "tcp:127.0.0.1:%d", ntohs(address.sin_port));
	setenv("SYNFAULT_CONTROL", control, 1);
	setenv("SYNFAULT_TOKEN", "a \"token\"", 1);
	cr_assert_eq(pthread_create(&server.thread, NULL, run_server, &server), 0);
	session = open_session();
	cr_assert_neq(synfault_close(session, NULL, &error), SYNFAULT_OK);
	cr_assert_eq(synfault_wait(session, "api", 1, "syn", 10, &error), SYNFAULT_REFUSED);
	cr_assert_str_eq(error.text, "the token is wrong");
	synfault_free(session);
	unsetenv("SYNFAULT_TOKEN");
	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("api=drop"), &session, &error),
		     SYNFAULT_REFUSED);
	cr_assert(strstr(error.text, "SYNFAULT_TOKEN is not set"), "%s", error.text);
	shutdown(server.listener, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.listener);
}

/* The first connection closes after its turn, so that waits can connect. */
Test(libsynfault, a_wait_has_a_connection_of_its_own)
{
	const struct turn turns[] = {
		{OPEN_REQUEST, OPENED},
		{"{\"command\":\"wait\",\"session\":7,\"endpoint\":\"api\",\"attempt\":2,"
		 "\"event\":\"syn\",\"timeout_ns\":1000000000}",
		 "{\"ok\":false,\"error\":{\"code\":\"timed-out\",\"text\":\"not in time\"}}"},
		{0},
	};
	struct server server, waits;
	struct synfault_session *session;
	struct synfault_error error;
	struct pollfd poller = {.events = POLLIN};

	/* The session keeps the path of its socket: a second server waits at the same place. */
	start(&server, turns);
	session = open_session();
	shutdown(server.listener, SHUT_RDWR);
	unlink(server.path);
	start(&waits, turns + 1);
	cr_assert_eq(rename(waits.path, server.path), 0);

	cr_assert_eq(synfault_fd(session), -1);
	cr_assert_eq(synfault_wait(session, "api", 2, "syn", 1000, &error), SYNFAULT_TIMED_OUT);
	cr_assert_str_eq(error.text, "not in time");

	cr_assert_eq(synfault_end_wait(session, &error), SYNFAULT_BAD_REQUEST);
	cr_assert_eq(synfault_begin_wait(session, "api", 2, "syn", 1000, &error), SYNFAULT_OK);
	cr_assert_eq(synfault_begin_wait(session, "api", 2, "syn", 1000, &error),
		     SYNFAULT_BAD_REQUEST);
	poller.fd = synfault_fd(session);
	cr_assert_eq(poll(&poller, 1, 30000), 1);
	cr_assert_eq(synfault_end_wait(session, &error), SYNFAULT_TIMED_OUT);

	synfault_free(session);
	stop(&waits);
	stop(&server);
}

/* Opens a session whose further connections play @further. */
static struct synfault_session *open_beside(struct server *server, struct server *later,
					    const struct turn *further)
{
	static const struct turn opening[] = {{OPEN_REQUEST, OPENED}, {0}};
	struct synfault_session *session;

	start(server, opening);
	session = open_session();
	shutdown(server->listener, SHUT_RDWR);
	unlink(server->path);
	start(later, further);
	cr_assert_eq(rename(later->path, server->path), 0);
	return session;
}

Test(libsynfault, events_come_in_their_order_until_the_session_has_ended)
{
#define FOLLOW(since) "{\"command\":\"events\",\"session\":7,\"since\":" since ",\"follow\":true}"
	const struct turn turns[] = {
		{FOLLOW("0"), "{\"ok\":true,\"result\":{\"events\":["
			      "{\"kind\":\"syn\",\"seq\":0,\"endpoint\":\"api\",\"number\":1,"
			      "\"at_ns\":5000000000},"
			      "{\"kind\":\"verdict\",\"seq\":1,\"verdict\":\"drop\"}],"
			      "\"next\":2,\"following\":false}}"},
		{FOLLOW("2"), "{\"ok\":true,\"result\":{\"events\":[{\"kind\":\"fault\",\"seq\":2,"
			      "\"fault\":\"reset\"}],\"next\":3,\"following\":true}}\n"
			      "{\"id\":null,\"event\":{\"kind\":\"lost\",\"seq\":3,\"count\":4}}\n"
			      "{\"id\":null,\"event\":{\"kind\":\"closed\",\"seq\":7}}\n"
			      "{\"id\":null,\"event\":{\"kind\":\"end\",\"seq\":8}}"},
		{0},
	};
	static const char *const kinds[] = {"syn", "verdict", "fault", "lost", "closed"};
	static const unsigned long sequence[] = {0, 1, 2, 3, 7};
	const struct synfault_event *event;
	struct synfault_session *session;
	struct synfault_error error;
	struct server server, later;

	session = open_beside(&server, &later, turns);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		cr_assert_eq(synfault_next_event(session, 30000, &event, &error), SYNFAULT_OK, "%s",
			     error.text);
		cr_expect_str_eq(event->kind, kinds[i]);
		cr_expect_eq(event->sequence, sequence[i]);
		if (i == 0) {
			cr_expect_str_eq(event->endpoint, "api");
			cr_expect_eq(event->attempt, 1);
			cr_expect_eq(event->time_ns, 5000000000);
			cr_expect_null(event->verdict);
		} else if (i == 1) {
			cr_expect_null(event->endpoint);
			cr_expect_str_eq(event->verdict, "drop");
		} else if (i == 2) {
			cr_expect_str_eq(event->fault, "reset");
		} else if (i == 3) {
			cr_expect_eq(event->count, 4);
		}
	}
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(synfault_next_event(session, 30000, &event, &error), SYNFAULT_ENDED);
	synfault_free(session);
	stop(&later);
	stop(&server);
}

Test(libsynfault, an_event_that_does_not_come_in_time_can_be_waited_for_again)
{
	const struct turn turns[] = {
		{FOLLOW("0"), "{\"ok\":true,\"result\":{\"events\":[],\"next\":0,"
			      "\"following\":true}}"},
		{"nothing follows", NULL},
		{0},
	};
	const struct synfault_event *event;
	struct synfault_session *session;
	struct synfault_error error;
	struct server server, later;

	session = open_beside(&server, &later, turns);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(synfault_next_event(session, 10, &event, &error), SYNFAULT_TIMED_OUT,
			     "%s", error.text);
	synfault_free(session);
	stop(&later);
	stop(&server);
}

Test(libsynfault, events_of_a_session_that_has_ended_are_refused)
{
	const struct turn turns[] = {
		{FOLLOW("0"),
		 "{\"ok\":false,\"error\":{\"code\":\"not-found\",\"text\":\"gone\"}}"},
		{0},
	};
	const struct synfault_event *event;
	struct synfault_session *session;
	struct synfault_error error;
	struct server server, later;

	session = open_beside(&server, &later, turns);
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(synfault_next_event(session, 10, &event, &error), SYNFAULT_NOT_FOUND,
			     "%s", error.text);
	synfault_free(session);
	stop(&later);
	stop(&server);
}

Test(libsynfault, outages_begin_at_one_endpoint_or_at_all)
{
	const struct turn turns[] = {
		{OPEN_REQUEST, OPENED},
		{"{\"command\":\"restart\",\"session\":7}",
		 "{\"ok\":true,\"result\":{\"ended\":2}}"},
		{"{\"command\":\"restart\",\"session\":7,\"endpoint\":\"db\",\"for_ns\":"
		 "1500000000}",
		 "{\"ok\":true,\"result\":{\"ended\":0}}"},
		{0},
	};
	struct synfault_session *session;
	struct synfault_error error;
	struct server server;
	unsigned long n = 9;

	start(&server, turns);
	session = open_session();
	cr_assert_eq(synfault_restart(session, NULL, 0, &n, &error), SYNFAULT_OK, "%s", error.text);
	cr_expect_eq(n, 2);
	cr_assert_eq(synfault_restart(session, "db", 1500, NULL, &error), SYNFAULT_OK, "%s",
		     error.text);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, artefacts_have_paths_that_live_as_long_as_the_session)
{
	const struct turn turns[] = {
		{OPEN_REQUEST, OPENED},
		{"{\"command\":\"artefacts\",\"session\":7,\"directory\":\"/tmp\"}",
		 "{\"ok\":true,\"result\":{\"record\":\"/tmp/r\",\"picture\":\"/tmp/p\"}}"},
		{"{\"command\":\"artefacts\",\"session\":7,\"directory\":\"/tmp/d\"}",
		 "{\"ok\":true,\"result\":{\"record\":\"r\",\"picture\":\"p\",\"capture\":\"c\"}}"},
		{0},
	};
	const struct synfault_artefacts *first, *second;
	struct synfault_session *session;
	struct synfault_error error;
	struct server server, later;

	start(&server, turns);
	session = open_session();
	shutdown(server.listener, SHUT_RDWR);
	unlink(server.path);
	start(&later, turns + 1);
	cr_assert_eq(rename(later.path, server.path), 0);
	cr_assert_eq(synfault_artefacts(session, "/tmp", &first, &error), SYNFAULT_OK, "%s",
		     error.text);
	cr_assert_eq(chdir("/tmp"), 0);
	cr_assert_eq(synfault_artefacts(session, "d", &second, &error), SYNFAULT_OK, "%s",
		     error.text);
	cr_assert_str_eq(first->record, "/tmp/r");
	cr_assert_str_eq(first->picture, "/tmp/p");
	cr_assert_null(first->capture);
	cr_assert_str_eq(second->capture, "c");
	synfault_free(session);
	stop(&later);
	stop(&server);
}

Test(libsynfault, errors_of_the_protocol_have_codes)
{
	static const struct {
		const char *code;
		enum synfault_code expected;
	} cases[] = {
		{"unavailable", SYNFAULT_UNAVAILABLE},
		{"timed-out", SYNFAULT_TIMED_OUT},
		{"ended", SYNFAULT_ENDED},
		{"not-found", SYNFAULT_NOT_FOUND},
		{"bad-scenario", SYNFAULT_BAD_SCENARIO},
		{"bad-request", SYNFAULT_BAD_REQUEST},
		{"not-held", SYNFAULT_NOT_HELD},
		{"too-many", SYNFAULT_REFUSED},
		{"denied", SYNFAULT_REFUSED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct synfault_session *session;
		struct synfault_error error;
		struct server server;
		char reply[200];
		const struct turn turns[] = {{OPEN_REQUEST, reply}, {0}};

		snprintf(reply, sizeof(reply),
			 "{\"ok\":false,\"error\":{\"code\":\"%s\",\"text\":\"why\",\"remedy\":"
			 "\"do\"}}",
			 cases[i].code);
		start(&server, turns);
		cr_expect_eq(synfault_open("n", SYNFAULT_ENDPOINTS("api=drop", "db=accept"),
					   &session, &error),
			     cases[i].expected, "%s", cases[i].code);
		cr_expect_eq(error.code, cases[i].expected);
		cr_expect_str_eq(error.text, "why; do");
		stop(&server);
	}
}

Test(libsynfault, without_synfault_a_test_is_to_be_skipped)
{
	struct synfault_session *session;
	struct synfault_error error;

	unsetenv("SYNFAULT_CONTROL");
	/* With NET_ADMIN it would start one. */
	setenv("PATH", "/nonexistent", 1);
	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("api=drop"), &session, &error),
		     SYNFAULT_UNAVAILABLE);
	cr_assert(strstr(error.text, "synfault exec --"));
	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("api=drop"), &session, NULL),
		     SYNFAULT_UNAVAILABLE);
}

Test(libsynfault, a_synfault_of_its_own_keeps_no_descriptor_of_the_test_open)
{
	enum { TESTS_FD = 90 };
	char directory[] = "/tmp/libsynfault-XXXXXX", file[64], path[4096], line[64];
	const char *old_path = getenv("PATH");
	FILE *script;
	int fd;

	cr_assert(mkdtemp(directory));
	snprintf(file, sizeof(file), "%s/synfault", directory);
	snprintf(path, sizeof(path), "%s:%s", directory, old_path ? old_path : "/usr/bin:/bin");
	script = fopen(file, "w");
	cr_assert(script);
	fprintf(script,
		"#!/bin/sh\n[ -e /proc/self/fd/%d ] && echo open || echo closed\nread -r x\n",
		TESTS_FD);
	fclose(script);
	cr_assert_eq(chmod(file, 0700), 0);
	setenv("PATH", path, 1);
	cr_assert_eq(dup2(STDERR_FILENO, TESTS_FD), TESTS_FD);

	fd = daemon_start(line, sizeof(line));
	cr_assert_geq(fd, 0);
	cr_expect_str_eq(line, "closed");
	daemon_end(fd);
	close(TESTS_FD);
	unlink(file);
	rmdir(directory);
}

Test(libsynfault, a_socket_without_synfault_is_an_error)
{
	struct synfault_session *session;
	struct synfault_error error;

	setenv("SYNFAULT_CONTROL", "tcp:localhost", 1);
	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("api=drop"), &session, &error),
		     SYNFAULT_BAD_REQUEST);
	setenv("SYNFAULT_CONTROL", "/nonexistent/socket", 1);
	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("api=drop"), &session, &error),
		     SYNFAULT_ENDED);
	cr_assert_eq(synfault_open(NULL, SYNFAULT_ENDPOINTS("drop"), &session, &error),
		     SYNFAULT_BAD_REQUEST);
}

Test(libsynfault, scenarios_are_quoted)
{
	const struct turn text[] = {
		{"{\"command\":\"open\",\"source\":\"name: \\\"x\\\"\\u000a\"}", OPENED}, {0}};
	const struct turn file[] = {
		{"{\"command\":\"open\",\"file\":\"/no/such\",\"scenario\":\"one\"}", OPENED}, {0}};
	struct synfault_session *session;
	struct synfault_error error;
	struct server server;

	start(&server, text);
	cr_assert_eq(synfault_open_text(NULL, "name: \"x\"\n", &session, &error), SYNFAULT_OK);
	synfault_free(session);
	stop(&server);
	start(&server, file);
	cr_assert_eq(synfault_open_file(NULL, "/no/such", "one", &session, &error), SYNFAULT_OK);
	synfault_free(session);
	stop(&server);
}

Test(libsynfault, replies_that_make_no_sense_are_errors)
{
	static const char *const replies[] = {
		"nonsense",
		"{}",
		"[]",
		"{\"ok\":true}",
		"{\"ok\":true,\"result\":{\"session\":1,\"endpoints\":[{}]}}",
		/* A session without a number, and ports that are none. */
		"{\"ok\":true,\"result\":{\"endpoints\":[{\"name\":\"a\",\"addresses\":[\"h:1\"]}]}"
		"}",
		"{\"ok\":true,\"result\":{\"session\":1,\"endpoints\":[{\"name\":\"a\","
		"\"addresses\":[\"h:0\"]}]}}",
		"{\"ok\":true,\"result\":{\"session\":1,\"endpoints\":[{\"name\":\"a\","
		"\"addresses\":[\"h:65536\"]}]}}",
		"{\"ok\":true,\"result\":{\"session\":1,\"endpoints\":[{\"name\":\"a\","
		"\"addresses\":[\"h:-1\"]}]}}",
		/* A second reply could be taken for that to the next request. */
		OPENED "\n" OPENED,
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const struct turn turns[] = {{OPEN_REQUEST, replies[i]}, {0}};
		struct synfault_session *session;
		struct synfault_error error;
		struct server server;

		start(&server, turns);
		cr_expect_neq(synfault_open("n", SYNFAULT_ENDPOINTS("api=drop", "db=accept"),
					    &session, &error),
			      SYNFAULT_OK, "%s", replies[i]);
		stop(&server);
	}
}
