/* SPDX-License-Identifier: MIT */
/*
 * An example: the retries of a small client, tested with Criterion under `synfault exec --
 * ./test_retries`.
 *
 * EXAMPLE_RETRIES is how often the client retries; with less than 2 it is wrong, and tests fail.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <synfault.h>

/* Connects once, and gives up after a time. */
static bool try_connect(const struct synfault_session *session, const char *endpoint,
			int timeout_ms)
{
	struct sockaddr_storage address;
	socklen_t length;
	struct timeval timeout = {.tv_sec = timeout_ms / 1000,
				  .tv_usec = timeout_ms % 1000 * 1000L};
	int fd;
	bool connected;

	if (synfault_sockaddr(session, endpoint, &address, &length))
		return false;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* On Linux this is also the timeout of connect(). */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	connected = connect(fd, (const struct sockaddr *)&address, length) == 0;
	close(fd);
	return connected;
}

/* The client under test. */
static bool connect_with_retries(const struct synfault_session *session, const char *endpoint)
{
	const char *text = getenv("EXAMPLE_RETRIES");
	const int retries = text ? atoi(text) : 3;

	for (int i = 0; i <= retries; i++) {
		if (i > 0)
			usleep(50 * 1000);
		if (try_connect(session, endpoint, 1000))
			return true;
	}
	return false;
}

/* The glue: what the machine can't do skips the test, what synfault can't do is an error of the
 * test. */
static void need(enum synfault_code code, const struct synfault_error *error)
{
	if (code == SYNFAULT_UNAVAILABLE)
		cr_skip_test("%s", error->text);
	if (code == SYNFAULT_CLIENT_FAILED)
		cr_assert_fail("%s", error->text);
	if (code) {
		fprintf(stderr, "%s\n", error->text);
		abort();
	}
}

static struct synfault_session *with_faults(const char *steps)
{
	struct synfault_session *session;
	struct synfault_error error;
	char endpoint[200];

	snprintf(endpoint, sizeof(endpoint), "api=%s", steps);
	need(synfault_open(criterion_current_test->name, SYNFAULT_ENDPOINTS(endpoint), &session,
			   &error),
	     &error);
	return session;
}

static struct synfault_session *with_scenario(const char *text)
{
	struct synfault_session *session;
	struct synfault_error error;

	need(synfault_open_text(criterion_current_test->name, text, &session, &error), &error);
	return session;
}

/* Ends a test that has passed so far. A session of another test ends with the test's process. */
static void finish(struct synfault_session *session)
{
	struct synfault_error error;

	need(synfault_expect_pass(session, &error), &error);
	synfault_free(session);
}

Test(retries, refusals_are_retried)
{
	struct synfault_session *session = with_faults("refuse x2, accept");
	const struct synfault_status *status;
	struct synfault_error error;

	cr_assert(connect_with_retries(session, "api"), "the client gave up");
	need(synfault_status(session, "api", &status, &error), &error);
	cr_assert_eq(status->attempts, 3);
	cr_assert_eq(status->refused, 2);
	finish(session);
}

Test(retries, a_scenario_is_judged_when_the_test_has_ended)
{
	struct synfault_session *session =
		with_scenario("name: three attempts and no more\n"
			      "endpoints: {api: {faults: [refuse x2, accept]}}\n"
			      "expect: {attempts: 3}\n");

	connect_with_retries(session, "api");
	finish(session);
}

Test(retries, a_fault_that_never_fired_is_an_error)
{
	struct synfault_session *session = with_faults("refuse x2");

	connect_with_retries(session, "api");
	finish(session);
}

Test(retries, sessions_are_side_by_side)
{
	struct synfault_session *hole = with_faults("drop"), *server = with_faults("accept");
	struct synfault_error error;
	unsigned long attempts;

	cr_assert_not(try_connect(hole, NULL, 200));
	cr_assert(connect_with_retries(server, NULL));
	need(synfault_attempts(hole, NULL, &attempts, &error), &error);
	cr_assert_eq(attempts, 1);
	finish(server);
	finish(hole);
}

Test(retries, a_wait_is_beside_what_the_program_polls_for)
{
	struct synfault_session *session = with_faults("refuse, accept");
	struct pollfd poller = {.events = POLLIN};
	struct synfault_error error;

	need(synfault_begin_wait(session, "api", 2, "established", 2000, &error), &error);
	poller.fd = synfault_fd(session);
	cr_assert_eq(poll(&poller, 1, 0), 0);
	connect_with_retries(session, "api");
	cr_assert_eq(poll(&poller, 1, 5000), 1);
	cr_assert_eq(synfault_end_wait(session, &error), SYNFAULT_OK, "%s", error.text);
	finish(session);
}

Test(retries, faults_can_be_replaced_and_attempts_held)
{
	struct synfault_session *session = with_faults("refuse");
	struct sockaddr_storage address;
	struct pollfd poller = {.events = POLLOUT};
	struct synfault_error error;
	unsigned long attempt;
	socklen_t length;

	cr_assert_not(try_connect(session, "api", 1000));
	need(synfault_faults(session, "api", "accept", NULL, &error), &error);
	cr_assert(try_connect(session, "api", 1000));

	need(synfault_hold(session, "api", 0, 10000, &attempt, &error), &error);
	cr_assert_eq(attempt, 3);
	cr_assert_eq(synfault_release(session, "api", attempt, "accept", &error),
		     SYNFAULT_NOT_HELD);
	synfault_sockaddr(session, "api", &address, &length);
	poller.fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_eq(connect(poller.fd, (const struct sockaddr *)&address, length), -1);
	need(synfault_wait(session, "api", attempt, "syn", 5000, &error), &error);
	cr_assert_eq(poll(&poller, 1, 0), 0, "the attempt is not held");
	need(synfault_release(session, "api", attempt, "accept", &error), &error);
	cr_assert_eq(poll(&poller, 1, 5000), 1);
	cr_assert_eq(poller.revents, POLLOUT, "the attempt was refused");
	close(poller.fd);
	finish(session);
}

Test(retries, outages_begin_at_a_command)
{
	struct synfault_session *session = with_faults("restart 1s from command, accept");
	const struct synfault_event *event;
	struct sockaddr_storage address;
	struct synfault_error error;
	unsigned long ended;
	socklen_t length;
	char byte;
	int fd;

	synfault_sockaddr(session, "api", &address, &length);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fd, (const struct sockaddr *)&address, length), 0);
	need(synfault_wait(session, "api", 1, "established", 30000, &error), &error);
	need(synfault_restart(session, NULL, 100, &ended, &error), &error);
	cr_assert_eq(ended, 1);
	/* Those so far, then further ones as they happen. */
	do
		need(synfault_next_event(session, 30000, &event, &error), &error);
	while (strcmp(event->kind, "fault") != 0);
	cr_assert_str_eq(event->fault, "reset");
	cr_assert_eq(event->attempt, 1);
	cr_assert_eq(recv(fd, &byte, 1, 0), -1);
	close(fd);
	finish(session);
}

Test(retries, artefacts_are_written_after_the_end)
{
	char directory[] = "/tmp/artefacts-XXXXXX";
	const struct synfault_artefacts *artefacts;
	struct synfault_session *session;
	struct synfault_error error;

	session = with_faults("accept");
	cr_assert(connect_with_retries(session, "api"));
	need(synfault_close(session, NULL, &error), &error);
	cr_assert(mkdtemp(directory));
	need(synfault_artefacts(session, directory, &artefacts, &error), &error);
	cr_assert_eq(unlink(artefacts->record), 0);
	cr_assert_eq(unlink(artefacts->picture), 0);
	cr_assert_null(artefacts->capture);
	cr_assert_eq(rmdir(directory), 0);
	synfault_free(session);
}

Test(retries, what_is_impossible_here_is_skipped)
{
	struct synfault_session *session =
		with_scenario("name: named\nendpoints: {api: {hostname: api.example.test}}\n");

	cr_assert(connect_with_retries(session, "api"));
	finish(session);
}
