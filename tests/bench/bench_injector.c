/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of the injector on real packets, each against a reference measured in the same run, in
 * turn:
 *
 *     bench_injector refuse-latency    connect() until ECONNREFUSED: median, against a closed port
 *     bench_injector refuse-rate       refused connections per second with 64 in flight: the same
 *     bench_injector delay-error       p99 of |actual - asked|, against a loop of bare timers
 *     bench_injector script-scale      processor time per SYN, much history against none
 *     bench_injector restart-spread    p99 of how far apart 1000 connections end, against a server
 *                                      that resets them
 *
 * The injector runs in a process of its own as in production, notices of deaths included, and its
 * events are stored. The load runs in another; the reference in a network namespace without any
 * rules. Nothing is pinned to a processor. Prints one JSON object. Needs the right to make network
 * namespaces.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "injector/injector.h"
#include "injector/step_text.h"

enum {
	ROUNDS = 7,
	LATENCY_CONNECTS = 3000,
	RATE_CONNECTS = 60000,
	RATE_IN_FLIGHT = 64,
	DELAYS = 1000,
	DELAYS_IN_FLIGHT = 100,
	DELAY_ROUNDS = 3,
	SCALE_ENDPOINTS = 1000,
	SCALE_HISTORY = 100000,
	SCALE_CONNECTS = 30000,
	SPREAD_CONNECTS = 1000,
	SPREAD_ROUNDS = 3,
	PORT = 10000,
	CLOSED_PORT = 9,
};

NORETURN static void die(const char *what)
{
	fprintf(stderr, "bench_injector: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that a share of @q of all does not exceed; sorts them. */
static double quantile(double *values, size_t n, double q)
{
	size_t index = (size_t)(q * (double)n);

	qsort(values, n, sizeof(*values), compare_doubles);
	return values[MIN(index, n - 1)];
}

static double median(double *values, size_t n)
{
	return quantile(values, n, 0.5);
}

static void report(const char *name, double ours, double reference, double ratio, const char *unit,
		   const char *goal)
{
	printf("{\"name\": \"%s\", \"ours\": %.4g, \"reference\": %.4g, \"ratio\": %.3f, "
	       "\"unit\": \"%s\", \"goal\": \"%s\"}\n",
	       name, ours, reference, ratio, unit, goal);
}

static void enter_namespace(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	AUTO_CLOSE int fd = -1;

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die("lo");
}

static struct address loopback(uint16_t port)
{
	return (struct address){.family = AF_INET, .port = port, .bytes = {127, 0, 0, 1}};
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- the injector's process ---- */

/* What is kept of an event: about as much as a record keeps. */
struct logged_event {
	enum event_kind kind;
	enum verdict_kind verdict;
	uint32_t attempt, syn_ordinal;
	int64_t at_ns, lag_ns;
};

struct event_log {
	struct logged_event *items;
	size_t n, capacity;
};

static void note_event(void *userdata, const struct injector_event *event)
{
	struct event_log *log = userdata;

	array_append(log->items, log->n, log->capacity,
		     (struct logged_event){
			     .kind = event->kind,
			     .verdict = event->net.verdict,
			     .attempt = event->attempt.id,
			     .syn_ordinal = event->net.ordinal,
			     .at_ns = event->at_ns,
			     .lag_ns = event->net.lag_ns,
		     });
}

static void note_problem(void *userdata, enum injector_problem kind, const char *message)
{
	(void)userdata;
	(void)kind;
	fprintf(stderr, "bench_injector: %s\n", message);
	exit(EXIT_FAILURE);
}

static void stop_loop(evutil_socket_t fd, short what, void *userdata)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(userdata);
}

struct injector_process {
	pid_t pid;
	int control; /* closed: the injector is to end */
	double *cpu; /* in memory both share: its processor time, at the end */
};

/* @n endpoints at successive ports, all with that script. */
NORETURN static void injector_main(const struct script *script, size_t n, int control, int ready,
				   double *cpu)
{
	struct tracker_endpoint *endpoints = xzalloc(n * sizeof(*endpoints));
	struct address *addresses = xzalloc(n * sizeof(*addresses));
	struct event_log log = {0};
	struct diag_list diags = {0};
	struct injector *injector;
	struct event_base *base;

	base = event_loop_new();
	for (size_t i = 0; i < n; i++) {
		addresses[i] = loopback((uint16_t)(PORT + i));
		endpoints[i] = (struct tracker_endpoint){&addresses[i], 1, script};
	}
	if (injector_new(
		    &(struct injector_config){
			    .base = base,
			    .table = "synfault-bench",
			    .queue_number = 1,
			    .seed = 1,
			    .endpoints = endpoints,
			    .n_endpoints = n,
			    .on_event = note_event,
			    .on_problem = note_problem,
			    .userdata = &log,
		    },
		    &diags, &injector) < 0) {
		fprintf(stderr, "bench_injector: %s\n", diags.items[0].message);
		exit(EXIT_FAILURE);
	}
	event_add(event_new(base, control, EV_READ, stop_loop, base), NULL);
	if (write(ready, "r", 1) != 1)
		die("ready");
	event_base_dispatch(base);
	injector_finish(injector);
	*cpu = cpu_seconds();
	injector_free(injector);
	exit(EXIT_SUCCESS);
}

static struct injector_process injector_start(const struct script *script, size_t n)
{
	struct injector_process process;
	int control[2], ready[2];
	char byte;

	process.cpu = mmap(NULL, sizeof(*process.cpu), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (process.cpu == MAP_FAILED || pipe(control) < 0 || pipe(ready) < 0)
		die("pipe");
	process.pid = fork();
	if (process.pid < 0)
		die("fork");
	if (process.pid == 0) {
		close(control[1]);
		injector_main(script, n, control[0], ready[1], process.cpu);
	}
	close(control[0]);
	close(ready[1]);
	process.control = control[1];
	if (read(ready[0], &byte, 1) != 1)
		die("the injector did not start");
	close(ready[0]);
	return process;
}

/* Returns the processor time it took. */
static double injector_stop(struct injector_process *process)
{
	double cpu;
	int status;

	close(process->control);
	if (waitpid(process->pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		die("the injector failed");
	cpu = *process->cpu;
	munmap(process->cpu, sizeof(*process->cpu));
	return cpu;
}

/* ---- load ---- */

/* Runs @measure in a process of its own, in a bare network namespace if asked for. */
static double run_load(double (*measure)(uint16_t port), uint16_t port, bool bare)
{
	double *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double value;
	pid_t pid;
	int status;

	if (result == MAP_FAILED)
		die("mmap");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (bare)
			enter_namespace();
		*result = measure(port);
		_exit(EXIT_SUCCESS);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		die("the load failed");
	value = *result;
	munmap(result, sizeof(*result));
	return value;
}

/* Microseconds from connect() to ECONNREFUSED, the median. */
static double measure_latency(uint16_t port)
{
	static double values[LATENCY_CONNECTS];
	struct address address = loopback(port);
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&address, &storage);

	for (int i = 0; i < LATENCY_CONNECTS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int64_t started_ns = clock_monotonic_ns();

		if (connect(fd, (struct sockaddr *)&storage, length) == 0 || errno != ECONNREFUSED)
			die("connect");
		values[i] = (double)(clock_monotonic_ns() - started_ns) / (double)NS_PER_US;
		close(fd);
	}
	return median(values, LATENCY_CONNECTS);
}

/*
 * Starts one connection to the next of @n_ports ports. The same calls whether the answer comes
 * within connect() (a closed port) or later.
 */
static void start_connect(int epoll, uint16_t port, uint32_t n_ports)
{
	static uint32_t next;
	struct address address = loopback((uint16_t)(port + next++ % n_ports));
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&address, &storage);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&storage, length) == 0 ||
	    (errno != EINPROGRESS && errno != ECONNREFUSED))
		die("connect");
}

/* Makes @n refused connections to @n_ports ports, RATE_IN_FLIGHT at once. */
static void refuse_many(uint16_t port, uint32_t n_ports, int n)
{
	AUTO_CLOSE int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[RATE_IN_FLIGHT];
	int n_started = 0, n_done = 0;

	for (; n_started < RATE_IN_FLIGHT; n_started++)
		start_connect(epoll, port, n_ports);
	while (n_done < n) {
		int k = epoll_wait(epoll, events, RATE_IN_FLIGHT, 5000);

		if (k <= 0)
			die("no answer");
		for (int i = 0; i < k; i++) {
			int error = 0;
			socklen_t size = sizeof(error);

			/* 0 if connect() has returned it already */
			getsockopt(events[i].data.fd, SOL_SOCKET, SO_ERROR, &error, &size);
			if (error != 0 && error != ECONNREFUSED)
				die("not refused");
			close(events[i].data.fd);
			n_done++;
			if (n_started < n) {
				start_connect(epoll, port, n_ports);
				n_started++;
			}
		}
	}
}

/* Refused connections per second. */
static double measure_rate(uint16_t port)
{
	int64_t started_ns = clock_monotonic_ns();

	refuse_many(port, 1, RATE_CONNECTS);
	return RATE_CONNECTS / ((double)(clock_monotonic_ns() - started_ns) / (double)NS_PER_S);
}

static struct script script_of(const char *step_text)
{
	struct script script = {0};
	struct step_error error;
	struct step step;

	if (step_parse(step_text, &step, &error) < 0)
		die(step_text);
	script_append(&script, &step);
	return script;
}

/* Ours and the reference in turn, in changing order: what comes second must not gain by it. */
static void compare_refusals(const char *name, double (*measure)(uint16_t port), const char *unit,
			     const char *goal)
{
	struct script script = script_of("refuse");
	double ours[ROUNDS], reference[ROUNDS], ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		for (int turn = 0; turn < 2; turn++) {
			struct injector_process process;

			if ((turn + i) % 2 == 0) {
				reference[i] = run_load(measure, CLOSED_PORT, true);
				continue;
			}
			process = injector_start(&script, 1);
			ours[i] = run_load(measure, PORT, false);
			injector_stop(&process);
		}
		ratios[i] = ours[i] / reference[i];
	}
	script_free(&script);
	report(name, median(ours, ROUNDS), median(reference, ROUNDS), median(ratios, ROUNDS), unit,
	       goal);
}

static void refuse_latency(void)
{
	compare_refusals("refuse-latency", measure_latency, "us", "<= 5");
}

static void refuse_rate(void)
{
	compare_refusals("refuse-rate", measure_rate, "connections per s", ">= 1");
}

/* ---- delay-error ---- */

/* Returns the same durations for both: 1 to 500 ms, in an order without a pattern. */
static int64_t delay_ns(int k)
{
	return (1 + (int64_t)k * 7919 % 500) * NS_PER_MS;
}

static int start_delayed_connect(int epoll, int k)
{
	struct address address = loopback(PORT);
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&address, &storage);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct epoll_event event = {.events = EPOLLOUT, .data.u32 = (uint32_t)k};

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&storage, length) == 0 || errno != EINPROGRESS)
		die("connect");
	return fd;
}

static int start_timer(int epoll, int k)
{
	struct itimerspec spec = {.it_value = {0, delay_ns(k)}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)k};

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ||
	    timerfd_settime(fd, 0, &spec, NULL) < 0)
		die("timerfd");
	return fd;
}

/* The p99 of how far off they were, in milliseconds. */
static double measure_delays(int (*start)(int epoll, int k))
{
	static int64_t started_ns[DELAYS];
	static int fds[DELAYS];
	static double errors[DELAYS];
	AUTO_CLOSE int epoll = epoll_create1(EPOLL_CLOEXEC);
	int n_started = 0, n_done = 0;

	while (n_done < DELAYS) {
		struct epoll_event event;
		int64_t now_ns;
		int k;

		while (n_started < DELAYS && n_started - n_done < DELAYS_IN_FLIGHT) {
			started_ns[n_started] = clock_monotonic_ns();
			fds[n_started] = start(epoll, n_started);
			n_started++;
		}
		if (epoll_wait(epoll, &event, 1, 5000) != 1)
			die("no answer");
		now_ns = clock_monotonic_ns();
		k = (int)event.data.u32;
		errors[k] = (double)llabs(now_ns - started_ns[k] - delay_ns(k)) / (double)NS_PER_MS;
		close(fds[k]);
		n_done++;
	}
	return quantile(errors, DELAYS, 0.99);
}

static double measure_connects(uint16_t port)
{
	(void)port;
	return measure_delays(start_delayed_connect);
}

static double measure_timers(uint16_t port)
{
	(void)port;
	return measure_delays(start_timer);
}

/* Attempt k gets step k: so the client knows what was asked for. */
static struct script delay_script(void)
{
	struct script script = {0};

	for (int k = 0; k < DELAYS; k++)
		script_append(&script, &(struct step){
					       .action = STEP_DELAY,
					       .repeat = 1,
					       .delay_min_ns = delay_ns(k),
					       .delay_max_ns = delay_ns(k),
				       });
	return script;
}

static int listen_at(uint16_t port)
{
	struct address address = loopback(port);
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&address, &storage);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* no accept(): closed connections stay in the backlog */
	if (fd < 0 || bind(fd, (struct sockaddr *)&storage, length) < 0 ||
	    listen(fd, DELAYS * DELAY_ROUNDS * 2) < 0)
		die("listen");
	return fd;
}

static void delay_error(void)
{
	struct script script = delay_script();
	double ours[DELAY_ROUNDS], reference[DELAY_ROUNDS], ratios[DELAY_ROUNDS];

	(void)listen_at(PORT);
	for (int i = 0; i < DELAY_ROUNDS; i++) {
		for (int turn = 0; turn < 2; turn++) {
			struct injector_process process;

			if ((turn + i) % 2 == 0) {
				reference[i] = run_load(measure_timers, 0, true);
				continue;
			}
			process = injector_start(&script, 1);
			ours[i] = run_load(measure_connects, 0, false);
			injector_stop(&process);
		}
		ratios[i] = ours[i] / reference[i];
	}
	script_free(&script);
	report("delay-error", median(ours, DELAY_ROUNDS), median(reference, DELAY_ROUNDS),
	       median(ratios, DELAY_ROUNDS), "ms (p99)", "<= 3, and ours <= 1");
}

/* ---- script-scale ---- */

/* Processor time of the injector per SYN, in microseconds, after @history others. */
static double scale_cost(const struct script *script, uint32_t n_endpoints, int history)
{
	struct injector_process process;
	double before = 0, after;

	if (history > 0) {
		process = injector_start(script, n_endpoints);
		refuse_many(PORT, n_endpoints, history);
		before = injector_stop(&process);
	}
	process = injector_start(script, n_endpoints);
	refuse_many(PORT, n_endpoints, history + SCALE_CONNECTS);
	after = injector_stop(&process);
	return (after - before) / SCALE_CONNECTS * 1e6;
}

static void script_scale(void)
{
	struct script script = script_of("refuse");
	double ours[ROUNDS], reference[ROUNDS], ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		reference[i] = scale_cost(&script, 1, 0);
		ours[i] = scale_cost(&script, SCALE_ENDPOINTS, SCALE_HISTORY);
		ratios[i] = ours[i] / reference[i];
	}
	script_free(&script);
	report("script-scale", median(ours, ROUNDS), median(reference, ROUNDS),
	       median(ratios, ROUNDS), "us of processor time per SYN", "<= 1.3");
}

/* ---- restart-spread ---- */

/* Room for both ends of all connections. */
static void allow_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("getrlimit");
	limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)SPREAD_CONNECTS * 3);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}

static void connect_all(uint16_t port, int epoll)
{
	struct address address = loopback(port);
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&address, &storage);

	for (int i = 0; i < SPREAD_CONNECTS; i++) {
		struct epoll_event event = {.events = EPOLLIN};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		event.data.fd = fd;
		if (fd < 0 || connect(fd, (struct sockaddr *)&storage, length) < 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
			die("connect");
	}
}

/* Returns after how many milliseconds from the first end 99 % of the connections have ended. */
static double wait_for_ends(int epoll)
{
	static double ends_ms[SPREAD_CONNECTS];
	int64_t first_ns = 0;
	int n_ended = 0;

	while (n_ended < SPREAD_CONNECTS) {
		struct epoll_event events[64];
		int n = epoll_wait(epoll, events, ARRAY_SIZE(events), 20000);
		int64_t now_ns = clock_monotonic_ns();

		if (n <= 0)
			die("a connection did not end");
		if (!first_ns)
			first_ns = now_ns;
		for (int i = 0; i < n; i++) {
			char byte;

			if (read(events[i].data.fd, &byte, 1) != -1 || errno != ECONNRESET)
				die("a connection was not reset");
			/* another process has a copy */
			epoll_ctl(epoll, EPOLL_CTL_DEL, events[i].data.fd, NULL);
			close(events[i].data.fd);
			ends_ms[n_ended++] = (double)(now_ns - first_ns) / (double)NS_PER_MS;
		}
	}
	return quantile(ends_ms, SPREAD_CONNECTS, 0.99);
}

static double measure_outage(uint16_t port)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	allow_connections();
	connect_all(port, epoll);
	return wait_for_ends(epoll);
}

/* Measures the same for a process that has accepted the connections and resets them. */
static double measure_resets(uint16_t port)
{
	const struct linger now = {.l_onoff = 1};
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener, accepted[SPREAD_CONNECTS];
	pid_t pid;

	allow_connections();
	listener = listen_at(port);
	connect_all(port, epoll);
	for (int i = 0; i < SPREAD_CONNECTS; i++)
		accepted[i] = accept(listener, NULL, NULL);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		usleep(200000); /* until the other process has closed its copies */
		for (int i = 0; i < SPREAD_CONNECTS; i++) {
			setsockopt(accepted[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			close(accepted[i]);
		}
		_exit(EXIT_SUCCESS);
	}
	for (int i = 0; i < SPREAD_CONNECTS; i++)
		close(accepted[i]);
	return wait_for_ends(epoll);
}

static void restart_spread(void)
{
	struct script script = script_of("down 4s..20s from first-attempt ending reset");
	struct step accept = {.action = STEP_ACCEPT, .repeat = 1};
	double ours[SPREAD_ROUNDS], reference[SPREAD_ROUNDS], ratios[SPREAD_ROUNDS];

	script_append(&script, &accept);
	(void)listen_at(PORT);
	for (int i = 0; i < SPREAD_ROUNDS; i++) {
		struct injector_process process = injector_start(&script, 1);

		ours[i] = run_load(measure_outage, PORT, false);
		injector_stop(&process);
		reference[i] = run_load(measure_resets, PORT, true);
		ratios[i] = ours[i] / reference[i];
	}
	script_free(&script);
	report("restart-spread", median(ours, SPREAD_ROUNDS), median(reference, SPREAD_ROUNDS),
	       median(ratios, SPREAD_ROUNDS), "ms (p99)", "ours <= 50");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*measure)(void);
	} figures[] = {
		{"refuse-latency", refuse_latency}, {"refuse-rate", refuse_rate},
		{"delay-error", delay_error},       {"script-scale", script_scale},
		{"restart-spread", restart_spread},
	};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(figures); i++)
		if (!strcmp(argv[1], figures[i].name)) {
			enter_namespace();
			figures[i].measure();
			return EXIT_SUCCESS;
		}
	fputs("usage: bench_injector "
	      "refuse-latency|refuse-rate|delay-error|script-scale|restart-spread\n",
	      stderr);
	return 64;
}
