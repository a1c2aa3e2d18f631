/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of connections on real packets: a server sends as much as it can, a client reads it, and
 * the test looks at what the client's socket calls return. Each over IPv4 and IPv6.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "tests/lib/netns.h"
#include "tests/lib/wire.h"

#define POURED 200000

static const char *const hosts[] = {"127.0.0.5", "::1"};

/* What one side saw. Errors are 0 or an errno; ETIMEDOUT: nothing came for half a second. */
struct seen {
	int connect_error, end_error;
	int64_t received, took_ns;
};

struct run {
	struct seen *seen;     /* shared with the client */
	struct seen *answered; /* shared with the server, which may not fill it in */
	size_t n_faults;
	struct injector_event fault; /* the last one */
	size_t n_ends;
	struct injector_event end; /* the client's last one */
	size_t n_syns;
	char *problem;
};

static void note_event(void *userdata, const struct injector_event *event)
{
	struct run *run = userdata;

	if (event->kind == EVENT_CLIENT_END) {
		run->end = *event;
		run->n_ends++;
	}
	run->n_syns += event->kind == EVENT_SYN;
	if (event->kind != EVENT_FAULT)
		return;
	run->fault = *event;
	run->n_faults++;
}

static void note_problem(void *userdata, enum injector_problem kind, const char *message)
{
	struct run *run = userdata;

	(void)kind;
	if (!run->problem)
		run->problem = xstrdup(message);
}

static void pour(int listener, struct seen *seen)
{
	AUTO_FREE char *data = xzalloc(POURED);
	char buffer[64];

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && read(fd, buffer, sizeof(buffer)) > 0)
			(void)!write(fd, data, POURED);
		close(fd);
	}
}

/* Asks on the client's socket, which stays open until its process ends. */
static int ask_on(int fd, const struct address *server, struct seen *seen)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int64_t started_ns = clock_monotonic_ns();
	char buffer[65536];
	ssize_t n = -1;

	signal(SIGPIPE, SIG_IGN);
	if (connect(fd, (struct sockaddr *)&storage, length) < 0) {
		seen->connect_error = errno;
		return fd;
	}
	if (write(fd, "hello", 5) < 0)
		seen->end_error = errno;
	while (seen->end_error == 0) {
		if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 500) == 0) {
			seen->end_error = ETIMEDOUT;
			break;
		}
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0)
			seen->end_error = errno;
		if (n <= 0)
			break;
		seen->received += n;
	}
	seen->took_ns = clock_monotonic_ns() - started_ns;
	return fd;
}

static void ask(const struct address *server, struct seen *seen)
{
	(void)ask_on(socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0), server, seen);
}

/* Asks, and closes with an RST. */
static void ask_and_reset(const struct address *server, struct seen *seen)
{
	const struct linger linger = {.l_onoff = 1};
	int fd = ask_on(socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0), server, seen);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void ask_by_multipath(const struct address *server, struct seen *seen)
{
	(void)ask_on(socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), server,
		     seen);
}

/* Asks in the SYN. */
static void ask_early(const struct address *server, struct seen *seen)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	if (sendto(fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&storage, length) < 0)
		seen->connect_error = errno;
	else if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 500) == 0)
		seen->end_error = ETIMEDOUT;
	else if (read(fd, &byte, 1) < 0)
		seen->end_error = errno;
}

/* What server and client do. */
struct play {
	void (*serve)(int listener, struct seen *seen);
	void (*use)(const struct address *server, struct seen *seen);
	bool want_client_ends, may_fail;
	int (*went_on)(void *userdata, const struct attempt_info *attempt);
};

static const struct play pouring = {.serve = pour, .use = ask};

static pid_t start_server(const struct play *play, int listener, struct seen *seen)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	play->serve(listener, seen);
	_exit(0);
}

static pid_t start_client(const struct play *play, const struct address *server, struct seen *seen)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	play->use(server, seen);
	_exit(0);
}

static struct run run_play(struct wire_trials *trials, const struct play *play, const char *text,
			   const char *host)
{
	struct address address = wire_address(host, 8080);
	int listener = wire_listen(&address, 16);
	struct run run = {
		.seen = wire_share(sizeof(*run.seen)),
		.answered = wire_share(sizeof(*run.answered)),
	};
	pid_t server = start_server(play, listener, run.answered);
	struct event_base *base = event_loop_new();
	struct injector *injector =
		wire_inject(&(struct injector_config){.base = base,
						      .on_event = note_event,
						      .on_problem = note_problem,
						      .want_client_ends = play->want_client_ends,
						      .went_on = play->went_on,
						      .userdata = &run},
			    &address, 1, text);

	wire_wait(base, start_client(play, &address, run.seen));
	/* Before lost packets get through because the rules are gone. */
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	wire_end(injector, base);
	close(listener);
	wire_expect(trials, play->may_fail || !run.problem, "%s: %s", text, run.problem);
	return run;
}

static struct run run_step(struct wire_trials *trials, const char *text, const char *host)
{
	return run_play(trials, &pouring, text, host);
}

struct expected {
	const char *step;
	int connect_error, end_error;
	int64_t received;
	enum fault_kind fault;
	uint64_t bytes; /* of the fault */
};

static void expect_all(const struct expected *expected, size_t n_expected)
{
	netns_enter();
	for (size_t i = 0; i < n_expected; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
			const struct expected *e = &expected[i];
			for (struct wire_trials trials = {0}; wire_try(&trials);) {
				struct run run = run_step(&trials, e->step, hosts[k]);

				wire_expect(&trials, run.seen->connect_error == e->connect_error,
					    "%s at %s: %s", e->step, hosts[k],
					    strerror(run.seen->connect_error));
				wire_expect(&trials, run.seen->end_error == e->end_error,
					    "%s at %s: %s", e->step, hosts[k],
					    strerror(run.seen->end_error));
				wire_expect(&trials, run.seen->received == e->received,
					    "%s at %s: %lld bytes", e->step, hosts[k],
					    (long long)run.seen->received);
				if (e->fault == FAULT_N_KINDS) {
					wire_expect(&trials, run.n_faults == 0, "%s", e->step);
					continue;
				}
				wire_expect(&trials, run.n_faults == 1, "%s: %zu faults", e->step,
					    run.n_faults);
				wire_expect(&trials, run.fault.net.fault == e->fault, "%s",
					    e->step);
				wire_expect(&trials, run.fault.net.bytes == e->bytes, "%s",
					    e->step);
			}
		}
	}
}

TestSuite(connections, .timeout = 600);

Test(connections, connections_are_reset_after_an_exact_number_of_bytes)
{
	static const struct expected expected[] = {
		{"reset after 0 bytes", 0, ECONNRESET, 0, FAULT_RESET, 0},
		{"reset after 1 byte", 0, ECONNRESET, 1, FAULT_RESET, 1},
		{"reset after 1000 bytes", 0, ECONNRESET, 1000, FAULT_RESET, 1000},
		{"reset after 199999 bytes", 0, ECONNRESET, 199999, FAULT_RESET, 199999},
		{"reset after 5 bytes to-server", 0, ECONNRESET, 0, FAULT_RESET, 5},
		{"reset after 3 bytes to-server", 0, ECONNRESET, 0, FAULT_RESET, 3},
	};

	expect_all(expected, ARRAY_SIZE(expected));
}

Test(connections, connections_are_closed_after_an_exact_number_of_bytes)
{
	static const struct expected expected[] = {
		{"close after 0 bytes", 0, 0, 0, FAULT_CLOSED, 0},
		{"close after 1000 bytes", 0, 0, 1000, FAULT_CLOSED, 1000},
		{"close after 100 KB", 0, 0, 100000, FAULT_CLOSED, 100000},
		{"close after 0 bytes to-server", 0, 0, 0, FAULT_CLOSED, 0},
		{"close after 5 bytes to-server", 0, 0, 0, FAULT_CLOSED, 5},
	};

	expect_all(expected, ARRAY_SIZE(expected));
}

Test(connections, connections_stall)
{
	static const struct expected expected[] = {
		{"half-open", 0, ETIMEDOUT, 0, FAULT_STALLED, 0},
		{"stall after accept", 0, ETIMEDOUT, 0, FAULT_STALLED, 0},
		{"stall after 64 KiB", 0, ETIMEDOUT, 65536, FAULT_STALLED, 65536},
		{"stall after 3 bytes to-server", 0, ETIMEDOUT, 0, FAULT_STALLED, 3},
	};

	expect_all(expected, ARRAY_SIZE(expected));
}

Test(connections, connections_stall_in_one_direction)
{
	static const struct expected expected[] = {
		{"stall from-server after 64 KiB", 0, ETIMEDOUT, 65536, FAULT_STALLED, 65536},
		{"stall from-server after 5 bytes to-server", 0, ETIMEDOUT, 0, FAULT_STALLED, 5},
	};
	struct run run;

	expect_all(expected, ARRAY_SIZE(expected));
	/* The server sends as much as it may without an acknowledgment. */
	for (struct wire_trials trials = {0}; wire_try(&trials);) {
		run = run_step(&trials, "stall to-server after 5 bytes to-server", hosts[0]);
		wire_check(&trials, run.seen->received > 1000);
		wire_check(&trials, run.fault.net.fault == FAULT_STALLED);
		wire_check(&trials, run.fault.net.bytes == 5);
	}
}

Test(connections, stalled_connections_heal)
{
	static const char *const steps[] = {"stall after 64 KiB for 150ms",
					    "stall after accept for 150ms",
					    "stall from-server after 64 KiB for 150ms"};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
			for (struct wire_trials trials = {0}; wire_try(&trials);) {
				struct run run = run_step(&trials, steps[i], hosts[k]);

				wire_expect(&trials, run.seen->received == POURED, "%s: %lld bytes",
					    steps[i], (long long)run.seen->received);
				wire_expect(&trials, run.seen->end_error == 0, "%s: %s", steps[i],
					    strerror(run.seen->end_error));
				wire_check(&trials, run.seen->took_ns >= 150 * NS_PER_MS);
				wire_expect(&trials, run.n_faults == 2, "%s: %zu faults", steps[i],
					    run.n_faults);
				wire_check(&trials, run.fault.net.fault == FAULT_HEALED);
			}
		}
	}
}

Test(connections, connections_are_untouched_until_their_fault)
{
	static const struct expected expected[] = {
		{"reset after 1 GB", 0, 0, POURED, FAULT_N_KINDS, 0},
		{"stall after 1m", 0, 0, POURED, FAULT_N_KINDS, 0},
	};

	expect_all(expected, ARRAY_SIZE(expected));
}

Test(connections, slow_connections_take_their_time)
{
	netns_enter();
	for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_step(&trials, "slow 400 KB/s", hosts[k]);

			wire_check(&trials, run.seen->received == POURED);
			wire_check(&trials, run.seen->end_error == 0);
			wire_check(&trials, run.seen->took_ns >= NS_PER_S / 2);
			wire_check(&trials, run.fault.net.fault == FAULT_SLOWED);
		}
	}
}

Test(connections, slow_connections_break_after_a_time)
{
	static const struct {
		const char *step;
		int end_error;
		enum fault_kind fault;
	} cases[] = {
		{"slow 100 KB/s then close after 300ms", 0, FAULT_CLOSED},
		{"slow 100 KB/s then reset after 300ms", ECONNRESET, FAULT_RESET},
		{"slow 100 KB/s then stall after 300ms", ETIMEDOUT, FAULT_STALLED},
	};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
			for (struct wire_trials trials = {0}; wire_try(&trials);) {
				struct run run = run_step(&trials, cases[i].step, hosts[k]);

				wire_expect(&trials, run.seen->end_error == cases[i].end_error,
					    "%s: %s", cases[i].step, strerror(run.seen->end_error));
				wire_expect(&trials, run.seen->received > 0, "%s", cases[i].step);
				wire_expect(&trials, run.seen->received < POURED / 2, "%s",
					    cases[i].step);
				wire_expect(&trials, run.n_faults == 2, "%s: %zu faults",
					    cases[i].step, run.n_faults);
				wire_expect(&trials, run.fault.net.fault == cases[i].fault, "%s",
					    cases[i].step);
				wire_expect(&trials,
					    (int64_t)run.fault.net.bytes == run.seen->received,
					    "%s", cases[i].step);
			}
		}
	}
}

Test(connections, lost_syn_ack_is_retransmitted)
{
	netns_enter();
	for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_step(&trials, "lose-synack 1", hosts[k]);

			wire_check(&trials, run.seen->received == POURED);
			wire_check(&trials, run.seen->took_ns >= NS_PER_S * 9 / 10);
			wire_check(&trials, run.fault.net.fault == FAULT_SYN_ACK_LOST);
		}
	}
}

Test(connections, full_accept_queue_resets_connections)
{
	netns_enter();
	for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_step(&trials, "backlog-full abort", hosts[k]);
			int error = run.seen->connect_error ? run.seen->connect_error
							    : run.seen->end_error;

			wire_expect(&trials, error == ECONNRESET, "%s", strerror(error));
			wire_check(&trials, run.fault.net.fault == FAULT_RESET);
		}
	}
}

Test(connections, icmp_error_reaches_the_client)
{
	static const struct {
		const char *step, *host;
		int error;
	} cases[] = {
		{"unreachable net", "127.0.0.5", ENETUNREACH},
		{"unreachable host", "127.0.0.5", EHOSTUNREACH},
		{"unreachable port", "127.0.0.5", ECONNREFUSED},
		{"unreachable admin", "127.0.0.5", EHOSTUNREACH},
		{"unreachable protocol", "127.0.0.5", ENOPROTOOPT},
		{"unreachable net", "::1", ENETUNREACH},
		{"unreachable host", "::1", EHOSTUNREACH},
		{"unreachable port", "::1", ECONNREFUSED},
		{"unreachable admin", "::1", EACCES},
		{"delay 100ms then unreachable host", "::1", EHOSTUNREACH},
	};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_step(&trials, cases[i].step, cases[i].host);

			wire_expect(&trials, run.seen->connect_error == cases[i].error,
				    "%s at %s: %s", cases[i].step, cases[i].host,
				    strerror(run.seen->connect_error));
		}
	}
}

/* ---- both sides ---- */

/* Answers every byte, and reports what it got and how it ended. */
static void echo(int listener, struct seen *seen)
{
	int fd = accept(listener, NULL, NULL);
	bool ended;
	char byte;

	signal(SIGPIPE, SIG_IGN);
	do {
		ssize_t n = read(fd, &byte, 1);

		if (n > 0) {
			seen->received++;
			n = write(fd, &byte, 1);
		}
		seen->end_error = n < 0 ? errno : 0;
		ended = n <= 0;
	} while (!ended);
	seen->took_ns = clock_monotonic_ns();
}

/* Sends a byte every 10 ms, and reads the answers until they end, or stay away for 200 ms. */
static void talk(const struct address *server, struct seen *seen)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t started_ns = clock_monotonic_ns(), heard_ns = started_ns;
	char byte = 0;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	if (connect(fd, (struct sockaddr *)&storage, length) < 0) {
		seen->connect_error = errno;
		return;
	}
	for (;;) {
		if (write(fd, &byte, 1) < 0) {
			/* The connection had ended before it was reset (tcp_reset()). */
			seen->end_error = errno == EPIPE ? 0 : errno;
			break;
		}
		if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 10) == 0) {
			if (clock_monotonic_ns() - heard_ns < NS_PER_S / 5)
				continue;
			seen->end_error = ETIMEDOUT;
			break;
		}
		n = read(fd, &byte, 1);
		if (n <= 0) {
			seen->end_error = n < 0 ? errno : 0;
			break;
		}
		heard_ns = clock_monotonic_ns();
		seen->received++;
		usleep(10000);
	}
	seen->took_ns = heard_ns - started_ns;
	/* So that the server learns of it, too. */
	usleep(50000);
}

Test(connections, connections_break_for_both_sides_at_once_or_after_their_time)
{
	static const struct play talking = {.serve = echo, .use = talk};
	static const struct {
		const char *step;
		int client_end, server_end; /* -1: it never learns of it */
		bool later;
		enum fault_kind fault;
	} cases[] = {
		{"reset after accept", ECONNRESET, ECONNRESET, false, FAULT_RESET},
		{"close after accept", 0, ECONNRESET, false, FAULT_CLOSED},
		{"stall after accept", ETIMEDOUT, -1, false, FAULT_STALLED},
		{"reset after 150ms", ECONNRESET, ECONNRESET, true, FAULT_RESET},
		{"close after 150ms", 0, ECONNRESET, true, FAULT_CLOSED},
		{"stall after 150ms", ETIMEDOUT, -1, true, FAULT_STALLED},
	};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(hosts); i++) {
		const char *step = cases[i / 2].step, *host = hosts[i % 2];
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_play(&trials, &talking, step, host);
			bool told = run.answered->took_ns > 0;

			wire_expect(&trials, run.seen->connect_error == 0, "%s at %s", step, host);
			wire_expect(&trials, run.seen->end_error == cases[i / 2].client_end,
				    "%s at %s: %s", step, host, strerror(run.seen->end_error));
			wire_expect(&trials, told == (cases[i / 2].server_end >= 0), "%s at %s",
				    step, host);
			wire_expect(&trials,
				    !told || run.answered->end_error == cases[i / 2].server_end,
				    "%s at %s: the server saw %s", step, host,
				    strerror(run.answered->end_error));
			wire_expect(&trials, (run.seen->received > 0) == cases[i / 2].later,
				    "%s at %s: %lld bytes", step, host,
				    (long long)run.seen->received);
			/* The byte that the client sends at once may arrive before the reset. */
			wire_expect(&trials, (run.answered->received > 1) == cases[i / 2].later,
				    "%s at %s: %lld bytes", step, host,
				    (long long)run.answered->received);
			wire_expect(&trials, run.seen->took_ns <= NS_PER_S, "%s at %s", step, host);
			wire_expect(&trials, run.n_faults == 1, "%s at %s", step, host);
			wire_expect(&trials, run.fault.net.fault == cases[i / 2].fault, "%s at %s",
				    step, host);
		}
	}
}

/* ---- outages ---- */

Test(connections, an_outage_ends_connections_that_talk)
{
	static const struct play talking = {.serve = echo, .use = talk};
	static const struct {
		const char *script;
		int client_end, server_end; /* -1: it never learns of it */
		enum fault_kind fault;
	} cases[] = {
		{"down 150ms..900ms from first-attempt ending reset, accept", ECONNRESET,
		 ECONNRESET, FAULT_RESET},
		{"down 150ms..900ms from first-attempt ending close, accept", 0, ECONNRESET,
		 FAULT_CLOSED},
		{"down 150ms..900ms from first-attempt ending stall, accept", ETIMEDOUT, -1,
		 FAULT_STALLED},
		{"down 150ms..900ms from first-attempt ending reset, delay 20ms", ECONNRESET,
		 ECONNRESET, FAULT_RESET},
	};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(hosts); i++) {
		const char *script = cases[i / 2].script, *host = hosts[i % 2];
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_play(&trials, &talking, script, host);
			bool told = run.answered->took_ns > 0;

			wire_expect(&trials, run.seen->connect_error == 0, "%s at %s", script,
				    host);
			wire_expect(&trials, run.seen->end_error == cases[i / 2].client_end,
				    "%s at %s: %s", script, host, strerror(run.seen->end_error));
			wire_expect(&trials, told == (cases[i / 2].server_end >= 0), "%s at %s",
				    script, host);
			wire_expect(&trials,
				    !told || run.answered->end_error == cases[i / 2].server_end,
				    "%s at %s: the server saw %s", script, host,
				    strerror(run.answered->end_error));
			wire_expect(&trials, run.seen->received > 0, "%s at %s", script, host);
			wire_expect(&trials, run.n_faults == 1, "%s at %s: %zu faults", script,
				    host, run.n_faults);
			wire_expect(&trials, run.fault.net.fault == cases[i / 2].fault, "%s at %s",
				    script, host);
			wire_expect(&trials, run.fault.net.outage == 1, "%s at %s", script, host);
		}
	}
}

#define N_IDLE 300

/* Accepts connections, and reads their first byte. */
static void accept_all(int listener, struct seen *seen)
{
	char byte;

	(void)seen;
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		(void)!read(fd, &byte, 1);
	}
}

/* Connects many times, waits on all connections, and counts those that are reset, and when. */
static void idle(const struct address *server, struct seen *seen)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	struct pollfd fds[N_IDLE];
	int64_t first_ns = 0;
	char byte = 0;

	for (size_t i = 0; i < N_IDLE; i++) {
		fds[i] = (struct pollfd){
			.fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0),
			.events = POLLIN,
		};
		if (connect(fds[i].fd, (struct sockaddr *)&storage, length) < 0)
			seen->connect_error = errno;
		(void)!write(fds[i].fd, &byte, 1);
	}
	while (seen->received < N_IDLE && poll(fds, N_IDLE, 5000) > 0)
		for (size_t i = 0; i < N_IDLE; i++) {
			if (!fds[i].revents)
				continue;
			seen->took_ns = clock_monotonic_ns();
			if (!first_ns)
				first_ns = seen->took_ns;
			if (read(fds[i].fd, &byte, 1) != -1 || errno != ECONNRESET)
				seen->end_error = EPROTO;
			fds[i].fd = -1;
			seen->received++;
		}
	seen->took_ns -= first_ns;
}

Test(connections, an_outage_ends_many_idle_connections_together)
{
	static const struct play idling = {.serve = accept_all, .use = idle};
	struct run run;

	netns_enter();
	for (struct wire_trials trials = {0}; wire_try(&trials);) {
		run = run_play(&trials, &idling, "restart 1s at 3s from first-attempt, accept",
			       hosts[0]);
		wire_expect(&trials, run.seen->connect_error == 0, "%s",
			    strerror(run.seen->connect_error));
		wire_check(&trials, run.seen->end_error == 0);
		wire_expect(&trials, run.seen->received == N_IDLE, "%lld ended",
			    (long long)run.seen->received);
		wire_expect(&trials, run.n_faults == N_IDLE, "%zu faults", run.n_faults);
		wire_expect(&trials, run.seen->took_ns <= NS_PER_S, "%lld ms apart",
			    (long long)(run.seen->took_ns / NS_PER_MS));
	}
}

/* ---- ended by one side or both ---- */

/* The connection is given up if nothing comes for 2 s. */
static void be_patient(int fd)
{
	struct timeval patience = {.tv_sec = 2};

	signal(SIGPIPE, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

/* Reads until the other side ends, then sends everything. */
static void listen_and_pour(int listener, struct seen *seen)
{
	int fd = accept(listener, NULL, NULL);
	AUTO_FREE char *data = xzalloc(POURED);
	ssize_t n;

	be_patient(fd);
	while ((n = read(fd, data, POURED)) > 0)
		seen->received += n;
	(void)!write(fd, data, POURED);
	close(fd);
	usleep(NS_PER_S / NS_PER_US); /* until it is killed */
}

/* Sends everything, ends its side, and reads until the other side ends, too. */
static void pour_and_listen(int listener, struct seen *seen)
{
	int fd = accept(listener, NULL, NULL);
	AUTO_FREE char *data = xzalloc(POURED);
	ssize_t n;

	be_patient(fd);
	(void)!write(fd, data, POURED);
	shutdown(fd, SHUT_WR);
	while ((n = read(fd, data, POURED)) > 0)
		seen->received += n;
	seen->end_error = n < 0 ? errno : 0;
	close(fd);
	usleep(NS_PER_S / NS_PER_US); /* until it is killed */
}

static int connect_to(const struct address *server)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	be_patient(fd);
	if (connect(fd, (struct sockaddr *)&storage, length) < 0)
		_exit(1);
	return fd;
}

static void read_to_end(int fd, struct seen *seen)
{
	char buffer[65536];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		seen->received += n;
	seen->end_error = n < 0 ? errno : 0;
}

static void say_and_listen(const struct address *server, struct seen *seen)
{
	int fd = connect_to(server);

	(void)!write(fd, "hello", 5);
	shutdown(fd, SHUT_WR);
	read_to_end(fd, seen);
}

static void listen_and_say(const struct address *server, struct seen *seen)
{
	AUTO_FREE char *data = xzalloc(10 * POURED);
	struct linger linger = {.l_onoff = 1, .l_linger = 5};
	int fd = connect_to(server);

	read_to_end(fd, seen);
	for (int i = 0; i < 10 && !seen->end_error; i++)
		if (write(fd, data, (size_t)10 * POURED) < 0)
			seen->end_error = errno;
	/* Until everything has arrived, and the server has read it. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	usleep(200000);
}

static void listen_and_stay(const struct address *server, struct seen *seen)
{
	int fd = connect_to(server);

	read_to_end(fd, seen);
	close(fd);
	usleep(700000);
}

Test(connections, half_closed_connections_break_as_others_do)
{
	static const struct play said = {.serve = listen_and_pour, .use = say_and_listen};
	static const struct play heard = {.serve = pour_and_listen, .use = listen_and_say};
	static const struct play left = {.serve = pour_and_listen, .use = listen_and_stay};
	static const struct {
		const struct play *play;
		const char *step;
		int end_error;
		int64_t received, answered;
		size_t n_faults;
	} cases[] = {
		/* The client: it can still see the fault. */
		{&said, "close after 150 KB", 0, 150000, 5, 1},
		{&said, "reset after 150 KB", ECONNRESET, 150000, 5, 1},
		/* The server: what it acknowledges after that is not data. */
		{&heard, "reset after 1 GB", 0, POURED, 100 * POURED, 0},
		{&heard, "slow 100 MB/s", 0, POURED, 100 * POURED, 1},
		/* Both sides: no connection is left for a fault. */
		{&left, "reset after 500ms", 0, POURED, 0, 0},
		{&left, "close after 500ms", 0, POURED, 0, 0},
		{&left, "stall after 500ms", 0, POURED, 0, 0},
	};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *step = cases[i].step, *host = hosts[i % 2];
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_play(&trials, cases[i].play, step, host);

			wire_expect(&trials, run.seen->end_error == cases[i].end_error,
				    "%s at %s: %s", step, host, strerror(run.seen->end_error));
			wire_expect(&trials, run.seen->received == cases[i].received,
				    "%s at %s: %lld bytes", step, host,
				    (long long)run.seen->received);
			wire_expect(&trials, run.answered->received == cases[i].answered,
				    "%s at %s: the server got %lld bytes", step, host,
				    (long long)run.answered->received);
			wire_expect(&trials, run.n_faults == cases[i].n_faults, "%s at %s", step,
				    host);
		}
	}
}

/* ---- a reused port ---- */

/* Echoes one byte on each connection. */
static void answer_each(int listener, struct seen *seen)
{
	char data[8];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n = read(fd, data, sizeof(data));

		signal(SIGPIPE, SIG_IGN);
		(void)!write(fd, data, n > 0 ? (size_t)n : 0);
		close(fd);
	}
}

/* Sends a byte from port 5000 and gets it back. Returns 0 or an errno; EPIPE: closed first. */
static int try_once(const struct address *server)
{
	struct address any = {.family = server->family, .port = 5000};
	struct sockaddr_storage local, remote;
	socklen_t local_length = address_to_sockaddr(&any, &local);
	socklen_t remote_length = address_to_sockaddr(server, &remote);
	struct linger at_once = {.l_onoff = 1};
	struct timeval patience = {.tv_usec = 300000};
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	ssize_t n = -1;
	char byte = 0;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&local, local_length) == 0 &&
	    connect(fd, (struct sockaddr *)&remote, remote_length) == 0 && write(fd, &byte, 1) == 1)
		n = read(fd, &byte, 1);
	one = n == 1 ? 0 : n < 0 ? errno : EPIPE;
	close(fd);
	return one;
}

static void try_thrice(const struct address *server, struct seen *seen)
{
	signal(SIGPIPE, SIG_IGN);
	try_once(server);
	seen->connect_error = try_once(server);
	seen->end_error = try_once(server);
}

Test(connections, broken_connection_does_not_affect_the_next_one_at_its_port)
{
	static const struct play play = {.serve = answer_each, .use = try_thrice};
	/*
	 * Not backlog-full abort: the server's kernel still knows the first connection, and may
	 * refuse another.
	 */
	static const char *const steps[] = {"close after accept", "stall after accept",
					    "reset after 0 bytes"};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		AUTO_FREE char *text = xasprintf("%s, refuse, accept", steps[i]);
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_play(&trials, &play, text, hosts[i % 2]);

			wire_expect(&trials, run.seen->connect_error == ECONNREFUSED, "%s: %s",
				    text, strerror(run.seen->connect_error));
			wire_expect(&trials, run.seen->end_error == 0, "%s: %s", text,
				    strerror(run.seen->end_error));
		}
	}
}

/* Counts what it receives, and answers nothing. */
static void listen_silently(int listener, struct seen *seen)
{
	char buffer[64];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n;

		while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
			seen->received += n;
	}
}

Test(connections, client_end_is_reported_with_the_bytes_carried)
{
	static const struct {
		const char *step;
		void (*use)(const struct address *server, struct seen *seen);
		bool all, rst;
		uint64_t received;
	} cases[] = {
		{"accept", ask, true, false, POURED},
		{"accept", ask_and_reset, true, true, POURED},
		{"reset after 1 GB", ask, false, false, POURED},
		{"stall after 64 KiB", ask, false, false, 65536},
		{"half-open", ask, false, false, 0},
		{"close after 1000 bytes", ask, false, false, 1000},
	};

	netns_enter();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
			const struct play play = {
				.serve = pour,
				.use = cases[i].use,
				.want_client_ends = cases[i].all,
			};
			for (struct wire_trials trials = {0}; wire_try(&trials);) {
				int64_t before_ns = clock_monotonic_ns();
				struct run run = run_play(&trials, &play, cases[i].step, hosts[k]);

				wire_expect(&trials, run.n_ends == 1, "%s: %zu ends", cases[i].step,
					    run.n_ends);
				wire_expect(&trials, run.end.net.rst == cases[i].rst, "%s",
					    cases[i].step);
				wire_expect(&trials, run.end.net.end_sent == 5,
					    "%s: %llu bytes sent", cases[i].step,
					    (unsigned long long)run.end.net.end_sent);
				wire_expect(&trials, run.end.net.end_received == cases[i].received,
					    "%s: %llu bytes received", cases[i].step,
					    (unsigned long long)run.end.net.end_received);
				wire_check(&trials, run.end.earliest_ns > before_ns &&
							    run.end.earliest_ns <= run.end.at_ns);
				wire_check(&trials, run.end.net.last_receive_ns <= run.end.at_ns);
				if (!cases[i].rst)
					wire_expect(&trials,
						    (run.end.net.last_receive_ns !=
						     NEVER_RECEIVED) == (cases[i].received > 0),
						    "%s", cases[i].step);
			}
		}
	}
}

Test(connections, client_end_is_not_reported_unless_asked_for)
{
	netns_enter();
	for (struct wire_trials trials = {0}; wire_try(&trials);)
		cr_expect_eq(run_step(&trials, "accept", hosts[0]).n_ends, 0);
}

Test(connections, data_in_the_syn_does_not_reach_the_server_if_the_step_forbids_it)
{
	static const struct {
		const char *step;
		int64_t received;
	} cases[] = {
		{"accept", 5},
		{"half-open", 0},
		{"stall after accept", 0},
		{"reset after accept", 0},
	};
	const struct play play = {.serve = listen_silently, .use = ask_early};

	netns_enter();
	/* Both sides, without cookies (include/net/tcp.h, TFO_…). */
	netns_sysctl("net/ipv4/tcp_fastopen", "1031");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
			for (struct wire_trials trials = {0}; wire_try(&trials);) {
				struct run run = run_play(&trials, &play, cases[i].step, hosts[k]);

				wire_expect(&trials, run.answered->received == cases[i].received,
					    "%s at %s: the server has got %lld bytes",
					    cases[i].step, hosts[k],
					    (long long)run.answered->received);
			}
		}
	}
}

Test(connections, multipath_falls_back_if_bytes_are_counted)
{
	static const struct expected expected[] = {
		{"close after 1000 bytes", 0, 0, 1000, FAULT_CLOSED, 1000},
		{"reset after 1000 bytes", 0, ECONNRESET, 1000, FAULT_RESET, 1000},
	};
	const struct play play = {.serve = pour, .use = ask_by_multipath};
	int fd;

	netns_enter();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd < 0)
		cr_skip_test("no MPTCP here: %s", strerror(errno));
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			struct run run = run_play(&trials, &play, expected[i].step, hosts[0]);

			wire_expect(&trials, run.n_syns == 1, "%s: %zu SYNs", expected[i].step,
				    run.n_syns);
			wire_check(&trials, run.seen->connect_error == 0);
			wire_expect(&trials, run.seen->end_error == expected[i].end_error, "%s: %s",
				    expected[i].step, strerror(run.seen->end_error));
			wire_expect(&trials, run.seen->received == expected[i].received,
				    "%s: %lld bytes", expected[i].step,
				    (long long)run.seen->received);
			wire_check(&trials, run.fault.net.fault == expected[i].fault);
		}
	}
}

/* Connects, and moves on only after a while. */
static void connect_and_rest(const struct address *server, struct seen *seen)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t started_ns = clock_monotonic_ns();
	char byte;

	if (connect(fd, (struct sockaddr *)&storage, length) < 0)
		seen->connect_error = errno;
	else if (read(fd, &byte, 1) < 0)
		seen->end_error = errno;
	seen->took_ns = clock_monotonic_ns() - started_ns;
}

/* A client that seems to stay in connect() for 100 ms. */
static int goes_on_late(void *userdata, const struct attempt_info *attempt)
{
	return clock_monotonic_ns() - attempt->started_ns > 100 * NS_PER_MS;
}

static int goes_on_unseen(void *userdata, const struct attempt_info *attempt)
{
	return -EPERM;
}

Test(connections, reset_after_accept_waits_until_the_client_has_moved_on)
{
	struct play play = {
		.serve = listen_silently,
		.use = connect_and_rest,
		.went_on = goes_on_late,
	};
	struct run run;

	netns_enter();
	for (struct wire_trials trials = {0}; wire_try(&trials);) {
		run = run_play(&trials, &play, "reset after accept", hosts[0]);
		wire_check(&trials, run.seen->connect_error == 0);
		wire_check(&trials, run.seen->end_error == ECONNRESET);
		wire_check(&trials, run.seen->took_ns >= 99 * NS_PER_MS);
		wire_check(&trials, run.n_faults == 1);
	}
}

Test(connections, reset_of_a_client_that_may_still_be_in_connect_is_a_problem)
{
	const struct play play = {
		.serve = listen_silently,
		.use = connect_and_rest,
		.went_on = goes_on_unseen,
		.may_fail = true,
	};
	struct wire_trials trials = {0};
	struct run run;

	netns_enter();
	run = run_play(&trials, &play, "reset after accept", hosts[0]);
	cr_expect_eq(run.n_faults, 1);
	cr_assert(run.problem);
	cr_expect(strstr(run.problem, "whether its client had returned from connect()"), "%s",
		  run.problem);
	free(run.problem);
}
