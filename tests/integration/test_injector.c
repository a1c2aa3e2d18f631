/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The injector on real packets. Each test has a network namespace of its own, and runs the
 * injector's event loop in its own process and clients in children. Nearly all tests cover IPv4 and
 * IPv6 at once: endpoint 0 is on 127.0.0.5, endpoint 1 on ::1, and each has a client.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <netinet/in.h>

/* after the C library's header of the same things */
#include <libmnl/libmnl.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "injector/nft_rules.h"
#include "tests/lib/netns.h"
#include "tests/lib/wire.h"

#define PORT         8080
#define OTHER_PORT   8081
#define N_FAMILIES   2
#define MAX_EVENTS   4096
#define MAX_PROBLEMS 16
/*
 * How late something may be while other tests keep the machine busy: less than the kernel's next
 * retransmission comes after it is due.
 */
#define LATE_NS (900 * NS_PER_MS)

/* In IPv4 the client's own address differs: 127.0.0.1. */
static const char *const hosts[N_FAMILIES] = {"127.0.0.5", "::1"};

/* What a client reports to its parent in shared memory. */
struct client_result {
	int error[4]; /* by step: 0 or an errno */
	int64_t started_ns[4], ended_ns[4];
	uint16_t local_port[4];
};

/* A client. @server: its own endpoint in the array of endpoints. */
typedef void (*client_fn)(const struct address *server, struct client_result *result);

/* An injector, its endpoints, and all events it has reported. */
struct bed {
	struct event_base *base;
	struct injector *injector;
	struct address endpoints[N_FAMILIES];
	struct injector_event events[MAX_EVENTS];
	size_t n_events;
	char *problems[MAX_PROBLEMS];
	size_t n_problems;
	struct client_result *results; /* one per family */
};

static struct address loopback(int family, uint16_t port)
{
	return wire_address(hosts[family], port);
}

static void note_event(void *userdata, const struct injector_event *event)
{
	struct bed *bed = userdata;

	cr_assert_lt(bed->n_events, MAX_EVENTS);
	bed->events[bed->n_events++] = *event;
}

static void note_problem(void *userdata, enum injector_problem kind, const char *message)
{
	struct bed *bed = userdata;

	(void)kind;
	cr_assert_lt(bed->n_problems, MAX_PROBLEMS);
	bed->problems[bed->n_problems++] = xstrdup(message);
}

struct bed_options {
	const char *script;
	uint32_t queue_length;
	bool no_listener;
	const struct address *endpoints; /* instead of one per family; the test listens there */
	size_t n_endpoints;
};

/* Returns what injector_new() returns. */
static int bed_try(struct bed *bed, const struct bed_options *options, struct diag_list *diags)
{
	struct script script = wire_script(options->script);
	struct tracker_endpoint *endpoints;
	size_t n = options->endpoints ? options->n_endpoints : N_FAMILIES;
	int r;

	bed->base = event_loop_new();
	bed->results = wire_share(N_FAMILIES * sizeof(*bed->results));
	for (int i = 0; i < N_FAMILIES; i++) {
		bed->endpoints[i] = loopback(i, PORT);
		if (!options->no_listener && !options->endpoints)
			wire_listen(&bed->endpoints[i], 1024);
	}
	endpoints = xzalloc(n * sizeof(*endpoints));
	for (size_t i = 0; i < n; i++)
		endpoints[i] = (struct tracker_endpoint){
			.addresses =
				options->endpoints ? &options->endpoints[i] : &bed->endpoints[i],
			.n_addresses = 1,
			.script = &script,
		};
	r = injector_new(
		&(struct injector_config){
			.base = bed->base,
			.table = WIRE_TABLE,
			.queue_number = WIRE_QUEUE,
			.queue_length = options->queue_length,
			.seed = 1,
			.endpoints = endpoints,
			.n_endpoints = n,
			.on_event = note_event,
			.on_problem = note_problem,
			.userdata = bed,
		},
		diags, &bed->injector);
	free(endpoints);
	script_free(&script);
	return r;
}

static struct bed *bed_start(const struct bed_options *options)
{
	static struct diag_list diags;
	struct bed *bed = xzalloc(sizeof(*bed));
	int r = bed_try(bed, options, &diags);

	if (r == -EOPNOTSUPP)
		netns_skip("%s", diags.items[0].message);
	cr_assert_eq(r, 0, "%s", diags.n_items ? diags.items[0].message : strerror(-r));
	return bed;
}

static struct bed *bed_with(const char *script)
{
	return bed_start(&(struct bed_options){.script = script});
}

static void bed_free(struct bed *bed)
{
	injector_free(bed->injector);
	event_base_free(bed->base);
	for (size_t i = 0; i < bed->n_problems; i++)
		free(bed->problems[i]);
	free(bed);
}

/* Ends the bed. Nothing may have been lost or wrong. */
static void bed_end(struct bed *bed)
{
	injector_finish(bed->injector);
	cr_assert_eq(bed->n_problems, 0, "%s", bed->n_problems ? bed->problems[0] : "");
	bed_free(bed);
}

static bool has_problem(const struct bed *bed, const char *part)
{
	for (size_t i = 0; i < bed->n_problems; i++)
		if (strstr(bed->problems[i], part))
			return true;
	return false;
}

/* Returns the @k-th event (from 0) of that kind at the endpoint, or NULL. */
static const struct injector_event *find_event(const struct bed *bed, uint32_t endpoint,
					       enum event_kind kind, size_t k)
{
	for (size_t i = 0; i < bed->n_events; i++) {
		const struct injector_event *event = &bed->events[i];

		if (event->attempt.endpoint == endpoint && event->kind == kind && k-- == 0)
			return event;
	}
	return NULL;
}

static const struct injector_event *need_event(const struct bed *bed, uint32_t endpoint,
					       enum event_kind kind, size_t k)
{
	const struct injector_event *event = find_event(bed, endpoint, kind, k);

	cr_assert(event, "endpoint %u: event %zu of kind %d never came", endpoint, k, kind);
	return event;
}

static size_t count_events(const struct bed *bed, uint32_t endpoint, enum event_kind kind)
{
	size_t n = 0;

	while (find_event(bed, endpoint, kind, n))
		n++;
	return n;
}

/* Runs the loop for a while. */
static void bed_run_for(struct bed *bed, int64_t duration_ns)
{
	struct timeval timeout = {
		.tv_sec = duration_ns / NS_PER_S,
		.tv_usec = duration_ns % NS_PER_S / NS_PER_US,
	};

	event_base_loopexit(bed->base, &timeout);
	event_base_dispatch(bed->base);
}

/* Runs the loop until both endpoints have had this many events of that kind. */
static void bed_run_until(struct bed *bed, enum event_kind kind, size_t n)
{
	int64_t end_ns = clock_monotonic_ns() + WIRE_PATIENCE_NS;

	while (!find_event(bed, 0, kind, n - 1) || !find_event(bed, 1, kind, n - 1)) {
		cr_assert_lt(clock_monotonic_ns(), end_ns, "no %zu events of kind %d", n, kind);
		bed_run_for(bed, 5 * NS_PER_MS);
	}
}

/* Runs the loop until this many attempts wait. */
static void bed_run_until_waiting(struct bed *bed, size_t n)
{
	int64_t end_ns = clock_monotonic_ns() + WIRE_PATIENCE_NS;

	while (injector_n_waiting(bed->injector) != n) {
		cr_assert_lt(clock_monotonic_ns(), end_ns, "never %zu that wait", n);
		bed_run_for(bed, 5 * NS_PER_MS);
	}
}

static pid_t client_start(client_fn client, const struct address *server,
			  struct client_result *result)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		client(server, result);
		_exit(0);
	}
	return pid;
}

/* Runs a client for each endpoint, and the injector until both clients have ended. */
static void bed_run_clients(struct bed *bed, client_fn client)
{
	int64_t end_ns = clock_monotonic_ns() + WIRE_PATIENCE_NS;
	pid_t pids[N_FAMILIES];
	int left = N_FAMILIES;

	for (int i = 0; i < N_FAMILIES; i++)
		pids[i] = client_start(client, &bed->endpoints[i], &bed->results[i]);
	while (left > 0) {
		bed_run_for(bed, 5 * NS_PER_MS);
		for (int i = 0; i < N_FAMILIES; i++) {
			int status;

			if (pids[i] == 0 || waitpid(pids[i], &status, WNOHANG) != pids[i])
				continue;
			cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			pids[i] = 0;
			left--;
		}
		if (clock_monotonic_ns() > end_ns) {
			for (int i = 0; i < N_FAMILIES; i++)
				if (pids[i] > 0)
					kill(pids[i], SIGKILL);
			cr_assert_fail("a client never ended");
		}
	}
}

/* Parts of clients. They run in children, where nothing can be asserted. */

/* Connects within @timeout_ns and returns 0 or an errno. */
static int connect_within(int fd, const struct address *server, int64_t timeout_ns)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage), size;
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	int error;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&storage, length) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&poll_fd, 1, (int)(timeout_ns / NS_PER_MS)) <= 0)
		return ETIMEDOUT;
	size = sizeof(error);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

static uint16_t local_port(int fd)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	struct address address = {0};

	if (getsockname(fd, (struct sockaddr *)&storage, &length) == 0)
		address_from_sockaddr((struct sockaddr *)&storage, &address);
	return address.port;
}

/* Step @k: connects, measures how long that takes, and closes. */
static void attempt(int k, int protocol, const struct address *server, int64_t timeout_ns,
		    struct client_result *result)
{
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	result->started_ns[k] = clock_monotonic_ns();
	result->error[k] = connect_within(fd, server, timeout_ns);
	result->ended_ns[k] = clock_monotonic_ns();
	result->local_port[k] = local_port(fd);
	close(fd);
}

static void client_once(const struct address *server, struct client_result *result)
{
	attempt(0, 0, server, WIRE_PATIENCE_NS, result);
}

static void client_twice(const struct address *server, struct client_result *result)
{
	attempt(0, 0, server, WIRE_PATIENCE_NS, result);
	attempt(1, 0, server, WIRE_PATIENCE_NS, result);
}

static void client_impatient(const struct address *server, struct client_result *result)
{
	attempt(0, 0, server, 200 * NS_PER_MS, result);
}

static void client_impatient_twice(const struct address *server, struct client_result *result)
{
	attempt(0, 0, server, 2500 * NS_PER_MS, result);
	attempt(1, 0, server, WIRE_PATIENCE_NS, result);
}

static void assert_between(int64_t value_ns, int64_t low_ns, int64_t high_ns, const char *what)
{
	cr_assert(value_ns >= low_ns && value_ns <= high_ns, "%s: %.3f ms, not %.3f to %.3f ms",
		  what, (double)value_ns / 1e6, (double)low_ns / 1e6, (double)high_ns / 1e6);
}

Test(injector, injector_refuses_the_first_connect_and_accepts_the_second)
{
	static const enum event_kind order[] = {
		EVENT_SYN, EVENT_VERDICT, EVENT_SYN, EVENT_VERDICT, EVENT_ESTABLISHED,
	};
	struct bed *bed;

	netns_enter();
	bed = bed_with("refuse, accept");
	bed_run_clients(bed, client_twice);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		const struct client_result *result = &bed->results[i];
		size_t k = 0;

		cr_expect_eq(result->error[0], ECONNREFUSED, "%s: %s", hosts[i],
			     strerror(result->error[0]));
		cr_expect_eq(result->error[1], 0, "%s: %s", hosts[i], strerror(result->error[1]));
		/* Deaths are noticed some time later. */
		for (size_t e = 0; e < bed->n_events && k < ARRAY_SIZE(order); e++)
			if (bed->events[e].attempt.endpoint == i &&
			    bed->events[e].kind != EVENT_CLOSED)
				cr_expect_eq(bed->events[e].kind, order[k++], "%s: event %zu",
					     hosts[i], e);
		cr_expect_eq(k, ARRAY_SIZE(order));
		cr_expect_eq(need_event(bed, i, EVENT_VERDICT, 0)->net.verdict, VERDICT_REFUSE);
		cr_expect_eq(need_event(bed, i, EVENT_VERDICT, 0)->attempt.state, ATTEMPT_REFUSED);
		cr_expect_eq(need_event(bed, i, EVENT_VERDICT, 1)->net.verdict, VERDICT_ACCEPT);
		cr_expect_eq(need_event(bed, i, EVENT_ESTABLISHED, 0)->attempt.state,
			     ATTEMPT_ESTABLISHED);
		cr_expect_eq(need_event(bed, i, EVENT_SYN, 1)->attempt.number, 2);
	}
	bed_run_until(bed, EVENT_CLOSED, 2);
	cr_expect_eq(injector_n_waiting(bed->injector), 0);
	bed_end(bed);
}

Test(injector, verdict_time_lies_between_its_syn_and_the_clients_reaction)
{
	struct bed *bed;

	netns_enter();
	bed = bed_with("refuse x2");
	bed_run_clients(bed, client_twice);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		const struct client_result *result = &bed->results[i];

		for (size_t k = 0; k < 2; k++) {
			const struct injector_event *syn = need_event(bed, i, EVENT_SYN, k);
			const struct injector_event *verdict = need_event(bed, i, EVENT_VERDICT, k);

			/* The kernel's time has steps of 1 us. */
			cr_expect_geq(syn->at_ns, result->started_ns[k] - NS_PER_US);
			cr_expect_geq(verdict->earliest_ns, syn->at_ns);
			cr_expect_geq(verdict->at_ns, verdict->earliest_ns);
			cr_expect_leq(verdict->earliest_ns, result->ended_ns[k]);
		}
	}
	bed_end(bed);
}

Test(injector, injector_drops_all_syns_of_an_attempt_and_accepts_the_next)
{
	/* Within 2.5 s: at 0, 1 and 2 s or, before Linux 6.5, at 0 and 1 s. */
	bool linear = access("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", F_OK) == 0;
	uint32_t n_syns = linear ? 3 : 2;
	struct bed *bed;

	netns_enter();
	bed = bed_with("drop, accept");
	bed_run_clients(bed, client_impatient_twice);
	bed_run_until(bed, EVENT_CLOSED, 2);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		cr_expect_eq(bed->results[i].error[0], ETIMEDOUT);
		cr_expect_eq(bed->results[i].error[1], 0);
		cr_expect_eq(count_events(bed, i, EVENT_SYN), n_syns + 1, "%s: %zu SYNs", hosts[i],
			     count_events(bed, i, EVENT_SYN));
		for (uint32_t k = 0; k < n_syns; k++) {
			cr_expect_eq(need_event(bed, i, EVENT_SYN, k)->attempt.number, 1);
			cr_expect_eq(need_event(bed, i, EVENT_SYN, k)->net.ordinal, k + 1);
			cr_expect_eq(need_event(bed, i, EVENT_VERDICT, k)->net.verdict,
				     VERDICT_DROP);
		}
		cr_expect_eq(need_event(bed, i, EVENT_SYN, n_syns)->attempt.number, 2);
		cr_expect_eq(need_event(bed, i, EVENT_CLOSED, 0)->net.retransmissions, n_syns - 1);
	}
	bed_end(bed);
}

Test(injector, delay_holds_every_syn_while_the_kernel_retransmits)
{
	const int64_t delay_ns = 1500 * NS_PER_MS;
	struct bed *bed;

	netns_enter();
	bed = bed_with("delay 1500ms");
	bed_run_clients(bed, client_once);
	bed_run_until(bed, EVENT_VERDICT, 2);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		const struct client_result *result = &bed->results[i];
		int64_t first_ns = need_event(bed, i, EVENT_SYN, 0)->at_ns;

		cr_expect_eq(result->error[0], 0, "%s: %s", hosts[i], strerror(result->error[0]));
		assert_between(result->ended_ns[0] - result->started_ns[0], delay_ns,
			       delay_ns + LATE_NS, "connect()");
		/* A third one comes after 2 s, if the answer is late. */
		cr_expect_geq(count_events(bed, i, EVENT_SYN), 2);
		cr_expect_leq(count_events(bed, i, EVENT_SYN), 3);
		assert_between(need_event(bed, i, EVENT_SYN, 1)->at_ns - first_ns, 900 * NS_PER_MS,
			       1400 * NS_PER_MS, "retransmission");
		assert_between(need_event(bed, i, EVENT_ESTABLISHED, 0)->at_ns - first_ns, delay_ns,
			       delay_ns + LATE_NS, "SYN-ACK");
		for (uint32_t k = 0; k < 2; k++) {
			const struct injector_event *verdict = need_event(bed, i, EVENT_VERDICT, k);

			cr_expect_eq(verdict->net.verdict, VERDICT_ACCEPT);
			cr_expect_eq(verdict->net.ordinal, k + 1);
			assert_between(verdict->at_ns - need_event(bed, i, EVENT_SYN, k)->at_ns,
				       delay_ns, delay_ns + LATE_NS, "hold");
			assert_between(verdict->net.lag_ns, 0, LATE_NS, "lag");
		}
		cr_expect_eq(count_events(bed, i, EVENT_ESTABLISHED), 1);
	}
	bed_end(bed);
}

Test(injector, lose_drops_the_first_syn_and_accepts_its_retransmission)
{
	struct bed *bed;

	netns_enter();
	bed = bed_with("lose 1");
	bed_run_clients(bed, client_once);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		const struct client_result *result = &bed->results[i];

		cr_expect_eq(result->error[0], 0);
		assert_between(result->ended_ns[0] - result->started_ns[0], 900 * NS_PER_MS,
			       NS_PER_S + LATE_NS, "connect()");
		cr_expect_eq(need_event(bed, i, EVENT_VERDICT, 0)->net.verdict, VERDICT_DROP);
		cr_expect_eq(need_event(bed, i, EVENT_VERDICT, 1)->net.verdict, VERDICT_ACCEPT);
		cr_expect_eq(need_event(bed, i, EVENT_ESTABLISHED, 0)->attempt.syns, 2);
	}
	bed_end(bed);
}

Test(injector, injector_refuses_after_a_delay)
{
	const int64_t delay_ns = 300 * NS_PER_MS;
	struct bed *bed;

	netns_enter();
	bed = bed_with("delay 300ms then refuse");
	bed_run_clients(bed, client_once);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		const struct client_result *result = &bed->results[i];

		cr_expect_eq(result->error[0], ECONNREFUSED);
		assert_between(result->ended_ns[0] - result->started_ns[0], delay_ns,
			       delay_ns + LATE_NS, "connect()");
	}
	bed_end(bed);
}

Test(injector, injector_notices_that_a_client_gives_up)
{
	struct bed *bed;

	netns_enter();
	bed = bed_with("drop");
	bed_run_clients(bed, client_impatient);
	bed_run_until(bed, EVENT_CLOSED, 1);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		const struct injector_event *closed = need_event(bed, i, EVENT_CLOSED, 0);

		cr_expect_eq(bed->results[i].error[0], ETIMEDOUT);
		cr_expect_eq(closed->attempt.state, ATTEMPT_WAITING);
		cr_expect(closed->attempt.closed);
		assert_between(closed->at_ns - need_event(bed, i, EVENT_SYN, 0)->at_ns,
			       200 * NS_PER_MS, 200 * NS_PER_MS + LATE_NS, "given up");
	}
	cr_expect_eq(injector_n_waiting(bed->injector), 0);
	bed_end(bed);
}

static void client_never_closes(const struct address *server, struct client_result *result)
{
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	result->error[0] = connect_within(fd, server, 50 * NS_PER_MS);
	poll(NULL, 0, 60000);
}

Test(injector, attempt_counts_as_waiting_until_its_socket_closes)
{
	struct bed *bed;
	pid_t pid;

	netns_enter();
	bed = bed_with("drop");
	pid = client_start(client_never_closes, &bed->endpoints[0], &bed->results[0]);
	bed_run_until_waiting(bed, 1);
	/* The client has given up, and keeps its socket. */
	bed_run_for(bed, 300 * NS_PER_MS);
	cr_expect_eq(injector_n_waiting(bed->injector), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	bed_run_until_waiting(bed, 0);
	cr_expect_eq(count_events(bed, 0, EVENT_CLOSED), 1);
	bed_end(bed);
}

static void client_mapped(const struct address *server, struct client_result *result)
{
	struct address mapped = *server;

	if (server->family == AF_INET) {
		mapped.family = AF_INET6;
		memset(mapped.bytes, 0, sizeof(mapped.bytes));
		mapped.bytes[10] = mapped.bytes[11] = 0xff;
		memcpy(mapped.bytes + 12, server->bytes, 4);
	}
	attempt(0, 0, &mapped, 200 * NS_PER_MS, result);
}

Test(injector, injector_recognizes_an_ipv4_attempt_of_an_ipv6_socket)
{
	struct bed *bed;

	netns_enter();
	bed = bed_with("drop");
	bed_run_clients(bed, client_mapped);
	bed_run_until(bed, EVENT_CLOSED, 1);
	cr_expect_eq(need_event(bed, 0, EVENT_CLOSED, 0)->attempt.key.client.family, AF_INET);
	bed_end(bed);
}

Test(injector, injector_refuses_a_syn_with_ecn)
{
	struct bed *bed;

	netns_enter();
	netns_sysctl("net/ipv4/tcp_ecn", "1");
	bed = bed_with("refuse");
	bed_run_clients(bed, client_once);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		cr_expect_eq(need_event(bed, i, EVENT_SYN, 0)->tcp_flags,
			     TCP_FLAG_SYN | TCP_FLAG_ECE | TCP_FLAG_CWR);
		cr_expect_eq(bed->results[i].error[0], ECONNREFUSED);
	}
	bed_end(bed);
}

/* Sends data with the SYN, and keeps what comes of it. */
static void client_fast_open(const struct address *server, struct client_result *result)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);

	for (int k = 0; k < 2; k++) {
		int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		char byte;

		if (sendto(fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&storage, length) < 0)
			result->error[k] = errno;
		else if (shutdown(fd, SHUT_WR) < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
			result->error[k] = errno == EAGAIN ? 0 : errno;
		close(fd);
	}
}

Test(injector, injector_refuses_and_accepts_syns_with_data)
{
	struct bed *bed;

	netns_enter();
	/* Both sides, without cookies (include/net/tcp.h, TFO_…). */
	netns_sysctl("net/ipv4/tcp_fastopen", "519");
	bed = bed_with("refuse, accept");
	bed_run_clients(bed, client_fast_open);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		cr_expect_eq(need_event(bed, i, EVENT_SYN, 0)->net.payload_length, 5);
		cr_expect_eq(bed->results[i].error[0], ECONNREFUSED, "%s: %s", hosts[i],
			     strerror(bed->results[i].error[0]));
		cr_expect_eq(need_event(bed, i, EVENT_SYN, 1)->net.payload_length, 5);
		cr_expect_eq(bed->results[i].error[1], 0, "%s: %s", hosts[i],
			     strerror(bed->results[i].error[1]));
		cr_expect_eq(need_event(bed, i, EVENT_ESTABLISHED, 0)->attempt.number, 2);
	}
	bed_end(bed);
}

static void client_multipath(const struct address *server, struct client_result *result)
{
	attempt(0, IPPROTO_MPTCP, server, WIRE_PATIENCE_NS, result);
	attempt(1, IPPROTO_MPTCP, server, WIRE_PATIENCE_NS, result);
}

Test(injector, injector_refuses_and_accepts_multipath_clients)
{
	int fd = -1;
	struct bed *bed;

	netns_enter();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd < 0)
		cr_skip_test("no MPTCP here: %s", strerror(errno));
	close(fd);
	bed = bed_with("refuse, accept");
	bed_run_clients(bed, client_multipath);
	/* The other socket also stays until the server closes. */
	bed_run_until(bed, EVENT_CLOSED, 1);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		cr_expect_eq(bed->results[i].error[0], ECONNREFUSED);
		cr_expect_eq(bed->results[i].error[1], 0);
	}
	bed_end(bed);
}

#define CLIENT_PORT 45678

static int bound_socket(const struct address *server)
{
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct address local = *server;
	struct sockaddr_storage storage;
	socklen_t length;

	local.port = CLIENT_PORT;
	length = address_to_sockaddr(&local, &storage);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&storage, length) < 0)
		_exit(1);
	return fd;
}

/* Connects to two ports of the server at once, from one local port. */
static void client_one_port(const struct address *server, struct client_result *result)
{
	int fds[2] = {bound_socket(server), bound_socket(server)};

	for (int k = 0; k < 2; k++) {
		struct address to = *server;

		to.port = (uint16_t)(PORT + k);
		result->error[k] = connect_within(fds[k], &to, 0);
	}
	for (int k = 0; k < 2; k++) {
		struct pollfd poll_fd = {.fd = fds[k], .events = POLLOUT};
		socklen_t size = sizeof(result->error[k]);

		poll(&poll_fd, 1, (int)(WIRE_PATIENCE_NS / NS_PER_MS));
		getsockopt(fds[k], SOL_SOCKET, SO_ERROR, &result->error[k], &size);
	}
}

Test(injector, attempts_from_one_port_to_two_endpoints_differ)
{
	struct address endpoints[2];
	struct bed *bed;
	int64_t end_ns;
	pid_t pid;

	netns_enter();
	for (int k = 0; k < 2; k++) {
		endpoints[k] = loopback(0, (uint16_t)(PORT + k));
		wire_listen(&endpoints[k], 1024);
	}
	bed = bed_start(&(struct bed_options){
		.script = "delay 200ms then refuse", .endpoints = endpoints, .n_endpoints = 2});
	pid = client_start(client_one_port, &endpoints[0], &bed->results[0]);
	end_ns = clock_monotonic_ns() + WIRE_PATIENCE_NS;
	while (waitpid(pid, NULL, WNOHANG) == 0 && clock_monotonic_ns() < end_ns)
		bed_run_for(bed, 5 * NS_PER_MS);
	bed_run_until(bed, EVENT_CLOSED, 1);
	for (uint32_t i = 0; i < 2; i++) {
		const struct injector_event *verdict = need_event(bed, i, EVENT_VERDICT, 0);

		cr_expect_eq(verdict->attempt.key.client.port, CLIENT_PORT);
		cr_expect_eq(verdict->net.verdict, VERDICT_REFUSE);
		cr_expect_eq(verdict->attempt.number, 1);
		cr_expect_eq(bed->results[0].error[i], ECONNREFUSED);
		cr_expect_eq(count_events(bed, i, EVENT_SYN), 1);
	}
	bed_end(bed);
}

static void client_same_port_again(const struct address *server, struct client_result *result)
{
	for (int k = 0; k < 3; k++) {
		int fd = bound_socket(server);

		result->error[k] = connect_within(fd, server, WIRE_PATIENCE_NS);
		close(fd);
	}
}

Test(injector, attempts_from_one_port_within_a_second_differ)
{
	struct bed *bed;

	netns_enter();
	bed = bed_with("refuse x3, accept");
	bed_run_clients(bed, client_same_port_again);
	bed_run_until(bed, EVENT_CLOSED, 3);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			cr_expect_eq(need_event(bed, i, EVENT_SYN, k)->attempt.number, k + 1);
			cr_expect_eq(need_event(bed, i, EVENT_CLOSED, k)->attempt.number, k + 1);
			cr_expect_eq(bed->results[i].error[k], ECONNREFUSED);
		}
	}
	bed_end(bed);
}

Test(injector, injector_reports_a_queue_number_in_use)
{
	struct diag_list diags = {0};
	struct queue *queue, *second;
	int r;

	netns_enter();
	r = queue_open(&(struct queue_config){.number = WIRE_QUEUE}, &diags, &queue);
	if (r == -EOPNOTSUPP)
		netns_skip("%s", diags.items[0].message);
	cr_assert_eq(r, 0);
	cr_expect_eq(queue_open(&(struct queue_config){.number = WIRE_QUEUE}, &diags, &second),
		     -EBUSY);
	cr_assert_eq(diags.n_items, 1);
	cr_expect(strstr(diags.items[0].message, "queue 7 is in use"), "%s",
		  diags.items[0].message);
	queue_free(queue);
	cr_expect_eq(queue_open(&(struct queue_config){.number = WIRE_QUEUE}, &diags, &second), 0);
	queue_free(second);
	diag_list_free(&diags);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	cr_assert_eq(syscall(SYS_capset, &header, data), 0);
}

Test(injector, injector_reports_a_missing_capability)
{
	struct address endpoint = loopback(0, PORT);
	struct diag_list diags = {0};
	struct bed *bed = xzalloc(sizeof(*bed));
	struct rules *rules;

	netns_enter();
	drop_capabilities();
	cr_expect_eq(bed_try(bed, &(struct bed_options){.script = "refuse"}, &diags), -EPERM);
	cr_expect_eq(nft_rules_install(&(struct nft_rules_config){.table = WIRE_TABLE,
								  .endpoints = &endpoint,
								  .n_endpoints = 1},
				       &diags, &rules),
		     -EPERM);
	cr_assert_eq(diags.n_items, 2);
	for (size_t i = 0; i < diags.n_items; i++)
		cr_expect(strstr(diags.items[i].hint, "CAP_NET_ADMIN"), "%s",
			  diags.items[i].message);
	diag_list_free(&diags);
	bed_free(bed);
}

/* Starts many connections at once and waits for none. */
static void client_burst(const struct address *server, struct client_result *result)
{
	for (int k = 0; k < 100; k++) {
		int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		result->error[0] = connect_within(fd, server, 0);
	}
}

Test(injector, injector_reports_an_overflow_of_the_queue)
{
	struct bed *bed;

	netns_enter();
	bed = bed_start(&(struct bed_options){.script = "refuse", .queue_length = 4});
	/* No process reads from the queue during this. */
	waitpid(client_start(client_burst, &bed->endpoints[0], &bed->results[0]), NULL, 0);
	bed_run_for(bed, 50 * NS_PER_MS);
	cr_expect_eq(count_events(bed, 0, EVENT_SYN), 4);
	injector_finish(bed->injector);
	cr_expect(has_problem(bed, "96 because the queue was full"), "%s",
		  bed->n_problems ? bed->problems[0] : "no problem");
	bed_free(bed);
}

static void count_packet(void *userdata, const struct queued_packet *packet)
{
	(void)packet;
	++*(size_t *)userdata;
}

Test(injector, injector_counts_verdicts_that_the_kernel_refuses)
{
	struct diag_list diags = {0};
	struct queue_losses losses;
	struct queue *queue;
	size_t n_packets = 0;
	int r;

	netns_enter();
	r = queue_open(&(struct queue_config){.number = WIRE_QUEUE,
					      .on_packet = count_packet,
					      .userdata = &n_packets},
		       &diags, &queue);
	if (r == -EOPNOTSUPP)
		netns_skip("%s", diags.items[0].message);
	cr_assert_eq(r, 0);
	cr_assert_eq(queue_losses(queue, &losses), 0);
	cr_expect_eq(losses.failed_verdicts, 0);
	cr_assert_eq(queue_set_verdict(queue, 4711, &(struct packet_verdict){VERDICT_ACCEPT}), 0);
	cr_assert_eq(queue_dispatch(queue), 0);
	cr_assert_eq(queue_losses(queue, &losses), 0);
	cr_expect_eq(losses.failed_verdicts, 1);
	cr_expect_eq(n_packets, 0);
	queue_free(queue);
}

static void client_other_port(const struct address *server, struct client_result *result)
{
	struct address other = *server;

	other.port = OTHER_PORT;
	attempt(0, 0, &other, WIRE_PATIENCE_NS, result);
}

Test(injector, injector_leaves_other_ports_alone)
{
	struct bed *bed;

	netns_enter();
	bed = bed_with("drop");
	for (int i = 0; i < N_FAMILIES; i++) {
		struct address other = loopback(i, OTHER_PORT);

		wire_listen(&other, 1024);
	}
	bed_run_clients(bed, client_other_port);
	for (int i = 0; i < N_FAMILIES; i++)
		cr_expect_eq(bed->results[i].error[0], 0);
	cr_expect_eq(bed->n_events, 0);
	bed_end(bed);
}

static void client_sends_much(const struct address *server, struct client_result *result)
{
	static char data[1 << 20];
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	result->error[0] = connect_within(fd, server, WIRE_PATIENCE_NS);
	result->started_ns[0] = send(fd, data, sizeof(data), MSG_NOSIGNAL);
	close(fd);
}

Test(injector, injector_does_not_see_packets_of_open_connections)
{
	struct bed *bed;

	netns_enter();
	bed = bed_with("accept");
	bed_run_clients(bed, client_sends_much);
	for (uint32_t i = 0; i < N_FAMILIES; i++) {
		cr_expect_eq(bed->results[i].error[0], 0);
		cr_expect_gt(bed->results[i].started_ns[0], 0, "nothing was sent");
		cr_expect_eq(count_events(bed, i, EVENT_SYN), 1);
	}
	/* This finds a problem if a packet came that was neither SYN nor SYN-ACK. */
	bed_end(bed);
}

Test(injector, syn_that_is_read_late_has_the_kernels_time)
{
	struct bed *bed;
	int64_t sent_ns, read_ns;

	netns_enter();
	bed = bed_with("refuse");
	bed_run_for(bed, 100 * NS_PER_MS);
	waitpid(client_start(client_burst, &bed->endpoints[0], &bed->results[0]), NULL, 0);
	sent_ns = clock_monotonic_ns();
	poll(NULL, 0, 200);
	read_ns = clock_monotonic_ns();
	bed_run_for(bed, 50 * NS_PER_MS);
	cr_expect_eq(count_events(bed, 0, EVENT_SYN), 100);
	for (uint32_t k = 0; k < 100; k++) {
		cr_expect_leq(need_event(bed, 0, EVENT_SYN, k)->at_ns, sent_ns);
		cr_expect_geq(need_event(bed, 0, EVENT_VERDICT, k)->net.lag_ns, read_ns - sent_ns);
	}
	cr_expect_geq(injector_max_lag_ns(bed->injector), read_ns - sent_ns);
	bed_end(bed);
}

Test(injector, killed_injector_leaves_connects_unanswered)
{
	struct client_result *results;
	struct address endpoint;
	int ready[2];
	char byte;
	pid_t pid;

	netns_enter();
	endpoint = loopback(0, PORT);
	wire_listen(&endpoint, 1024);
	results = wire_share(sizeof(*results));
	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct bed *bed = bed_start(&(struct bed_options){
			.script = "accept", .endpoints = &endpoint, .n_endpoints = 1});

		if (write(ready[1], "r", 1) == 1)
			event_base_dispatch(bed->base);
		_exit(1);
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	waitpid(client_start(client_once, &endpoint, results), NULL, 0);
	cr_expect_eq(results->error[0], 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	waitpid(client_start(client_impatient, &endpoint, results), NULL, 0);
	cr_expect_eq(results->error[0], ETIMEDOUT, "%s", strerror(results->error[0]));
}

/* Installs a table and lets the process end; returns the result of installing it again. */
static int install_twice(bool owned)
{
	struct address endpoint = loopback(0, PORT);
	struct nft_rules_config config = {.table = WIRE_TABLE,
					  .queue_number = WIRE_QUEUE,
					  .endpoints = &endpoint,
					  .n_endpoints = 1,
					  .owned = owned};
	struct diag_list diags = {0};
	struct rules *rules;
	pid_t pid = fork();
	int status, r;

	if (pid == 0)
		_exit(nft_rules_install(&config, &diags, &rules) == 0 ? 0 : 1);
	waitpid(pid, &status, 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	r = nft_rules_install(&config, &diags, &rules);
	if (r == 0)
		nft_rules_free(rules);
	diag_list_free(&diags);
	return r;
}

Test(rules, owned_rules_disappear_with_their_owner)
{
	netns_enter();
	cr_expect_eq(install_twice(true), 0);
}

Test(rules, rules_without_an_owner_stay_and_are_not_installed_twice)
{
	netns_enter();
	cr_expect_eq(install_twice(false), -EEXIST);
}

/* As `nft delete table` does. */
static void delete_table(void)
{
	char buffer[1024];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	struct nftnl_table *table = nftnl_table_alloc();
	struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(buffer, sizeof(buffer));
	struct nlmsghdr *message;

	cr_assert(socket && table && batch);
	cr_assert_eq(mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID), 0);
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, WIRE_TABLE);
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), 1);
	mnl_nlmsg_batch_next(batch);
	message = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch), NFT_MSG_DELTABLE,
					NFPROTO_INET, 0, 2);
	nftnl_table_nlmsg_build_payload(message, table);
	mnl_nlmsg_batch_next(batch);
	nftnl_batch_end(mnl_nlmsg_batch_current(batch), 3);
	mnl_nlmsg_batch_next(batch);
	cr_assert_gt(mnl_socket_sendto(socket, buffer, mnl_nlmsg_batch_size(batch)), 0);
	mnl_nlmsg_batch_stop(batch);
	nftnl_table_free(table);
	mnl_socket_close(socket);
}

Test(rules, rules_verify_until_a_part_of_them_is_gone)
{
	static const struct address_networks networks = {.ipv4 = {127, 64, 1},
							 .ipv6 = {0xfd, 0x64, 0, 0, 0, 1}};
	/* What another process may do. */
	static const struct {
		const char *what, *name; /* to be emptied */
		bool common, follows, ends, outgoing;
	} cases[] = {
		{"chain", "answer", false, false, false, false},
		{"chain", "answer", false, true, true, false},
		{"chain", "track", false, true, false, false},
		{"chain", "queue-out", false, true, true, true},
		{"map", "queues4", true, false, false, false},
		{"map", "answers6", true, true, false, false},
		{"map", "flows4", true, true, true, false},
		{"chain", "answer", true, false, true, false},
		{"chain", "queue-3", true, false, false, false},
		{"chain", "flows-3", true, false, true, false},
	};
	struct address endpoints[] = {wire_address("127.64.1.7", 80)};

	netns_enter();
	if (system("nft --version >/dev/null") != 0)
		cr_skip_test("nft is not installed");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct nft_rules_config config = {
			.table = WIRE_TABLE,
			.queue_number = WIRE_QUEUE,
			.refuse_mark = 1,
			.endpoints = endpoints,
			.n_endpoints = ARRAY_SIZE(endpoints),
			.follows = cases[i].follows,
			.ends = cases[i].ends,
			.outgoing = cases[i].outgoing,
			.networks = cases[i].common ? &networks : NULL,
			.part = 3,
		};
		AUTO_FREE char *arguments =
			xasprintf("flush %s inet %s %s", cases[i].what, WIRE_TABLE, cases[i].name);
		AUTO_FREE char *command = xasprintf("nft '%s'", arguments);
		struct diag_list diags = {0};
		struct rules *rules;
		uint64_t count;

		if (cases[i].common)
			cr_assert_eq(nft_rules_create_common(WIRE_TABLE, &diags), 0);
		cr_assert_eq(nft_rules_install(&config, &diags, &rules), 0, "%s", arguments);
		cr_expect_eq(nft_rules_verify(rules), 0, "before: %s", arguments);
		cr_expect_eq(nft_rules_count_queued(rules, &count), 0, "%s", arguments);
		cr_assert_eq(system(command), 0, "%s", command);
		cr_expect_eq(nft_rules_verify(rules), -ENOENT, "after: %s", arguments);
		nft_rules_free(rules);
		(void)nft_rules_remove_common(WIRE_TABLE);
	}
}

Test(rules, rules_report_that_their_table_is_gone)
{
	struct address endpoint = loopback(0, PORT);
	struct nft_rules_config config = {.table = WIRE_TABLE,
					  .queue_number = WIRE_QUEUE,
					  .endpoints = &endpoint,
					  .n_endpoints = 1};
	struct diag_list diags = {0};
	struct rules *rules;
	uint64_t count = 1;

	netns_enter();
	cr_assert_eq(nft_rules_install(&config, &diags, &rules), 0);
	cr_expect_eq(nft_rules_count_refused(rules, &count), 0);
	cr_expect_eq(count, 0);
	delete_table();
	cr_expect_eq(nft_rules_count_refused(rules, &count), -ENOENT);
	nft_rules_free(rules);
}

/* A queue with a verdict for which the rules have no answer. */
struct misjudging {
	struct queue *queue;
	size_t n_packets;
};

static void misjudge(void *userdata, const struct queued_packet *packet)
{
	static const struct packet_verdict verdict = {VERDICT_UNREACHABLE, UNREACHABLE_HOST, NULL,
						      0};
	struct misjudging *misjudging = userdata;

	misjudging->n_packets++;
	cr_assert_eq(queue_set_verdict(misjudging->queue, packet->id, &verdict), 0);
}

/* With NF_REPEAT the packet would come back for ever. */
Test(rules, rules_drop_packets_without_an_answer)
{
	struct address endpoint = loopback(0, PORT);
	struct nft_rules_config config = {.table = WIRE_TABLE,
					  .queue_number = WIRE_QUEUE,
					  .refuse_mark = 0x12345678,
					  .repeats = true,
					  .endpoints = &endpoint,
					  .n_endpoints = 1};
	struct misjudging misjudging = {0};
	const struct queue_config queue = {.number = WIRE_QUEUE,
					   .refuse_mark = config.refuse_mark,
					   .repeats = true,
					   .on_packet = misjudge,
					   .userdata = &misjudging};
	struct diag_list diags = {0};
	struct client_result *result = wire_share(sizeof(*result));
	struct rules *rules;
	uint64_t count = 1;
	pid_t pid;
	int r;

	netns_enter();
	r = queue_open(&queue, &diags, &misjudging.queue);
	if (r == -EOPNOTSUPP)
		netns_skip("%s", diags.items[0].message);
	cr_assert_eq(r, 0);
	cr_assert_eq(nft_rules_install(&config, &diags, &rules), 0);
	pid = client_start(client_impatient, &endpoint, result);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		struct pollfd readable = {.fd = queue_fd(misjudging.queue), .events = POLLIN};

		if (poll(&readable, 1, 10) > 0)
			cr_assert_eq(queue_dispatch(misjudging.queue), 0);
	}
	cr_expect_eq(result->error[0], ETIMEDOUT, "%s", strerror(result->error[0]));
	cr_expect_eq(misjudging.n_packets, 1, "%zu times", misjudging.n_packets);
	cr_assert_eq(nft_rules_count_refused(rules, &count), 0);
	cr_expect_eq(count, 0);
	nft_rules_free(rules);
	queue_free(misjudging.queue);
}

/* ---- several injectors in one namespace ---- */

#define COMMON "common"

/* Returns the network 127.N.N.0 and its IPv6 counterpart. */
static struct address_networks networks_of(uint8_t n)
{
	return (struct address_networks){.ipv4 = {127, n, n}, .ipv6 = {0xfd, 0, n, n, n, n}};
}

static void note_part(void *userdata, uint32_t part)
{
	*(uint64_t *)userdata |= UINT64_C(1) << part;
}

Test(rules, parts_of_a_common_table_come_and_go)
{
	struct diag_list diags = {0};
	struct rules *rules[3];
	uint64_t parts = 0, count;

	netns_enter();
	cr_assert_eq(nft_rules_create_common(COMMON, &diags), 0);
	cr_assert_eq(nft_rules_create_common(COMMON, &diags), 0);
	for (uint8_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct address endpoint = {
			.family = AF_INET, .port = PORT, .bytes = {127, i, i, 1}};
		struct address_networks networks = networks_of(i);
		struct nft_rules_config config = {.table = COMMON,
						  .queue_number = WIRE_QUEUE,
						  .endpoints = &endpoint,
						  .n_endpoints = 1,
						  .networks = &networks,
						  .part = i + 1u};

		if (nft_rules_install(&config, &diags, &rules[i]) < 0)
			netns_skip("%s", diags.items[0].message);
		cr_expect_eq(nft_rules_count_queued(rules[i], &count), 0);
	}
	cr_assert_eq(nft_rules_list_parts(COMMON, note_part, &parts), 0);
	cr_expect_eq(parts, 14);
	nft_rules_free(rules[1]);
	parts = 0;
	cr_assert_eq(nft_rules_list_parts(COMMON, note_part, &parts), 0);
	cr_expect_eq(parts, 10);
	cr_expect_eq(
		nft_rules_remove_part(
			COMMON, 3, &(struct address_networks){{127, 2, 2}, {0xfd, 0, 2, 2, 2, 2}}),
		0);
	cr_expect_eq(nft_rules_count_queued(rules[2], &count), -ENOENT);
	cr_expect_eq(nft_rules_count_queued(rules[0], &count), 0);
	cr_assert_eq(nft_rules_remove_common(COMMON), 0);
	cr_expect_eq(nft_rules_count_queued(rules[0], &count), -ENOENT);
	cr_expect_eq(nft_rules_remove_common(COMMON), -ENOENT);
	nft_rules_free(rules[0]);
	nft_rules_free(rules[2]);
}

static void count_part(void *userdata, uint32_t part)
{
	size_t *n = userdata;

	(void)part;
	++*n;
}

Test(rules, many_parts_are_removed_at_once_or_not_at_all)
{
	enum { N_PARTS = 128 }; /* as many as a run removes at once */
	struct nft_rules_part parts[N_PARTS];
	struct rules *rules[N_PARTS], *replaced = NULL;
	struct diag_list diags = {0};
	size_t found = 0;

	netns_enter();
	cr_assert_eq(nft_rules_create_common(COMMON, &diags), 0);
	for (uint8_t i = 0; i < N_PARTS; i++) {
		struct address endpoint = {
			.family = AF_INET, .port = PORT, .bytes = {127, i, i, 1}};
		struct nft_rules_config config = {.table = COMMON,
						  .queue_number = WIRE_QUEUE,
						  .endpoints = &endpoint,
						  .n_endpoints = 1,
						  .networks = &parts[i].networks,
						  .part = i};

		parts[i] = (struct nft_rules_part){.part = i, .networks = networks_of(i)};
		if (nft_rules_install(&config, &diags, &rules[i]) < 0)
			netns_skip("%s", diags.items[0].message);
		/* As after its injector's death the rules stay; here its socket stays, too. */
		if (i == 0)
			cr_assert_eq(nft_rules_install(&config, &diags, &replaced), 0,
				     "not replaced: %s",
				     diags.n_items ? diags.items[0].message : "");
	}
	parts[1].part = N_PARTS;
	cr_expect_eq(nft_rules_remove_parts(COMMON, parts, N_PARTS), -ENOENT);
	cr_assert_eq(nft_rules_list_parts(COMMON, count_part, &found), 0);
	cr_expect_eq(found, N_PARTS);
	parts[1].part = 1;
	cr_expect_eq(nft_rules_remove_parts(COMMON, parts, N_PARTS), 0);
	found = 0;
	cr_assert_eq(nft_rules_list_parts(COMMON, count_part, &found), 0);
	cr_expect_eq(found, 0);
	cr_expect_eq(nft_rules_remove_parts(COMMON, parts, 0), 0);
	cr_expect_eq(nft_rules_remove_common(COMMON), 0);
	for (size_t i = 0; i < N_PARTS; i++)
		nft_rules_free(rules[i]);
	nft_rules_free(replaced);
}

/* Counts deaths at one address; notices of earlier ones may still be on their way. */
struct death_count {
	struct address address; /* without a port */
	size_t n;
};

static void count_death(void *userdata, const struct socket_death *death)
{
	struct death_count *count = userdata;
	struct address local = death->local;

	local.port = 0;
	if (address_equal(&local, &count->address))
		count->n++;
}

/* Makes both ends of a connection to the address, and closes them. */
static void connect_and_close(const char *host)
{
	struct address address;
	struct sockaddr_storage storage;
	socklen_t length;
	int server, client;

	cr_assert_eq(address_parse(host, PORT, &address), 0);
	length = address_to_sockaddr(&address, &storage);
	server = socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client = socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(server, (struct sockaddr *)&storage, length), 0, "%s", host);
	/* Refused: its socket dies at once. */
	cr_assert(connect(client, (struct sockaddr *)&storage, length) < 0);
	close(client);
	close(server);
}

Test(deaths, deaths_outside_the_networks_wake_no_process)
{
	static const struct {
		const char *host;
		bool wanted;
	} cases[] = {
		{"127.9.9.1", true},         {"127.9.9.200", true}, {"127.9.8.1", false},
		{"127.0.0.1", false},        {"::1", false},        {"::ffff:127.9.9.1", true},
		{"::ffff:127.0.0.1", false},
	};
	const struct address_networks networks = networks_of(9);
	struct death_count count = {0};
	struct diag_list diags = {0};
	struct sock_diag_monitor *deaths;

	netns_enter();
	cr_assert_eq(sock_diag_monitor_open(&networks, count_death, &count, &diags, &deaths), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *host = cases[i].host, *mapped = strstr(host, "ffff:");

		count.n = 0;
		/* Notices have IPv4-mapped addresses as IPv4. */
		cr_assert_eq(address_parse(mapped ? mapped + 5 : host, 0, &count.address), 0);
		connect_and_close(host);
		/* The kernel reports from a work queue. */
		for (int k = 0; k < (cases[i].wanted ? 30000 : 100) && count.n == 0; k++) {
			cr_assert_eq(sock_diag_monitor_dispatch(deaths), 0);
			usleep(1000);
		}
		cr_expect_eq(count.n > 0, cases[i].wanted, "%s", host);
	}
	sock_diag_monitor_free(deaths);
}

Test(deaths, a_flood_of_deaths_is_read_in_turns)
{
	const struct address_networks networks = networks_of(9);
	struct death_count count = {0};
	struct diag_list diags = {0};
	struct sock_diag_monitor *deaths;
	const size_t n_flood = 5000; /* more than are read in one go */
	size_t n_calls = 0;

	netns_enter();
	cr_assert_eq(sock_diag_monitor_open(&networks, count_death, &count, &diags, &deaths), 0);
	cr_assert_eq(address_parse("127.9.9.1", 0, &count.address), 0);
	for (size_t i = 0; i < n_flood; i++)
		connect_and_close("127.9.9.1");
	/* The kernel reports from a work queue. */
	for (int k = 0; k < 1500 && count.n < n_flood; k++) {
		int r;

		usleep(20000);
		while ((r = sock_diag_monitor_dispatch(deaths)) == 1)
			n_calls++;
		cr_assert_eq(r, 0);
	}
	cr_expect_eq(count.n, n_flood);
	cr_expect_gt(n_calls, 0);
	sock_diag_monitor_free(deaths);
}

#define MANY 1000

static void client_first_and_last(const struct address *server, struct client_result *result)
{
	attempt(0, 0, server, WIRE_PATIENCE_NS, result);
	attempt(1, 0, server + MANY - 1, WIRE_PATIENCE_NS, result);
}

Test(injector, injector_serves_a_thousand_endpoints_of_each_family)
{
	struct address *endpoints = xzalloc((size_t)N_FAMILIES * MANY * sizeof(*endpoints));
	struct bed *bed;

	netns_enter();
	for (int i = 0; i < N_FAMILIES; i++)
		for (int k = 0; k < MANY; k++)
			endpoints[i * MANY + k] = loopback(i, (uint16_t)(PORT + k));
	bed = bed_start(&(struct bed_options){.script = "refuse",
					      .endpoints = endpoints,
					      .n_endpoints = (size_t)N_FAMILIES * MANY});
	for (int i = 0; i < N_FAMILIES; i++) {
		pid_t pid =
			client_start(client_first_and_last, &endpoints[i * MANY], &bed->results[i]);
		int64_t end_ns = clock_monotonic_ns() + WIRE_PATIENCE_NS;

		while (waitpid(pid, NULL, WNOHANG) == 0 && clock_monotonic_ns() < end_ns)
			bed_run_for(bed, 5 * NS_PER_MS);
		for (int k = 0; k < 2; k++)
			cr_expect_eq(bed->results[i].error[k], ECONNREFUSED);
		cr_expect_eq(count_events(bed, (uint32_t)(i * MANY), EVENT_SYN), 1);
		cr_expect_eq(count_events(bed, (uint32_t)(i * MANY + MANY - 1), EVENT_SYN), 1);
	}
	bed_end(bed);
	free(endpoints);
}
