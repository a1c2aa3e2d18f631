/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares faults that only lose packets with a firewall that drops them, side by side in one
 * network namespace: what their clients see, over IPv4 and IPv6. We inject at one port, and the
 * other one is behind the firewall.
 *
 * Times are those of the kernel's retransmissions, and differ if a process has to wait for a
 * processor at the wrong moment. So a comparison of times is repeated if it fails; a difference
 * that is not the machine's is there each time.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "tests/lib/netns.h"
#include "tests/lib/wire.h"

#define OUR_PORT    8080
#define WALLED_PORT 8081
#define N_TRIALS    5

static const char *const hosts[] = {"127.0.0.5", "::1"};

enum { REAL_IPV4, OUR_IPV4, REAL_IPV6, OUR_IPV6, N_LANES };

static struct address lane_address(size_t lane)
{
	return wire_address(hosts[lane / 2], lane % 2 ? OUR_PORT : WALLED_PORT);
}

/* Returns what the shell command prints, owned by the caller; fails if its status is not 0. */
static char *printed_by(const char *command)
{
	FILE *pipe = popen(command, "re");
	char buffer[4096];
	size_t length;

	cr_assert(pipe);
	length = fread(buffer, 1, sizeof(buffer) - 1, pipe);
	buffer[length] = '\0';
	cr_assert_eq(pclose(pipe), 0, "%s", command);
	return xstrdup(buffer);
}

static void load_rules(const char *rules)
{
	FILE *pipe = popen("exec nft -f -", "we");

	cr_assert(pipe);
	cr_assert_geq(fputs(rules, pipe), 0);
	if (pclose(pipe) != 0)
		netns_skip("nft does not take these rules: %s", rules);
}

/* What happens in a run, as the injector says. */
struct told {
	size_t n_lost; /* packets */
	char *problem;
};

static void note_event(void *userdata, const struct injector_event *event)
{
	struct told *told = userdata;

	told->n_lost += event->kind == EVENT_FAULT && event->net.fault == FAULT_PACKET_LOST;
}

static void note_problem(void *userdata, enum injector_problem kind, const char *message)
{
	struct told *told = userdata;

	(void)kind;
	if (!told->problem)
		told->problem = xstrdup(message);
}

static struct injector *inject(struct event_base *base, const char *script, uint64_t seed,
			       struct told *told)
{
	const struct address addresses[] = {lane_address(OUR_IPV4), lane_address(OUR_IPV6)};

	return wire_inject(&(struct injector_config){.base = base,
						     .seed = seed,
						     .on_event = note_event,
						     .on_problem = note_problem,
						     .userdata = told},
			   addresses, ARRAY_SIZE(addresses), script);
}

/* Starts a server whose connections have processes of their own. */
static pid_t start_server(const struct address *address, void (*serve)(int fd, void *shared),
			  void *shared)
{
	int listener = wire_listen(address, 64);
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0) {
		close(listener);
		return pid;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			alarm(3 * WIRE_PATIENCE_NS / NS_PER_S);
			serve(fd, shared);
			_exit(0);
		}
		close(fd);
	}
}

static void stop(pid_t server)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

/* ---- for a while ---- */

#define CUT_AT_NS  (200 * NS_PER_MS)
#define CUT_FOR_NS (600 * NS_PER_MS)
/* No pause between two answers is this long unless packets get lost. */
#define SILENCE_NS (300 * NS_PER_MS)

static const char cut_rules[] = "table inet wall {\n"
				" set shut { type inet_service; flags timeout; }\n"
				" chain in {\n"
				"  type filter hook input priority 0;\n"
				"  tcp dport @shut drop\n"
				"  tcp sport @shut drop\n"
				" }\n"
				"}\n";

/* What a client sees of a network that is gone for a while. */
struct view {
	int error;
	uint32_t n_answers, n_retransmissions;
	int64_t silence_ns; /* the longest */
	int64_t connect_ns; /* of one that connects then */
};

static void echo(int fd, void *shared)
{
	char byte;

	(void)shared;
	while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
		;
}

static int connect_to(const struct address *server)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&storage, length) < 0 ? -errno : fd;
}

/* Asks repeatedly, until some time after the first long silence. */
static void talk(const struct address *server, struct view *view)
{
	int64_t last_ns = clock_monotonic_ns(), end_ns = last_ns + WIRE_PATIENCE_NS / 2;
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	int fd = connect_to(server), n_after = 0;
	char byte = 'x';

	if (fd < 0)
		view->error = -fd;
	while (!view->error && n_after < 5 && last_ns < end_ns) {
		int64_t now_ns;

		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) {
			view->error = errno ? errno : EPIPE;
			break;
		}
		now_ns = clock_monotonic_ns();
		view->silence_ns = MAX(view->silence_ns, now_ns - last_ns);
		view->n_answers++;
		n_after += view->silence_ns >= SILENCE_NS;
		last_ns = now_ns;
		usleep(2000);
	}
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	view->n_retransmissions = info.tcpi_total_retrans;
	close(fd);
}

/* Connects when the network is gone. */
static void come_late(const struct address *server, struct view *view)
{
	int64_t started_ns;

	usleep((CUT_AT_NS + CUT_FOR_NS / 4) / NS_PER_US);
	started_ns = clock_monotonic_ns();
	close(connect_to(server));
	view->connect_ns = clock_monotonic_ns() - started_ns;
}

static pid_t start_client(void (*act)(const struct address *server, struct view *view), size_t lane,
			  struct view *view)
{
	const struct address server = lane_address(lane);
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	act(&server, view);
	_exit(0);
}

/* Closes the firewall for a while. The kernel opens it again. */
static pid_t start_firewall(void)
{
	char port[16], timeout[32];
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	snprintf(port, sizeof(port), "{ %d", WALLED_PORT);
	snprintf(timeout, sizeof(timeout), "%dms }", (int)(CUT_FOR_NS / NS_PER_MS));
	usleep(CUT_AT_NS / NS_PER_US);
	execlp("nft", "nft", "add", "element", "inet", "wall", "shut", port, "timeout", timeout,
	       (char *)NULL);
	_exit(127);
}

/* Runs a client in each lane at the same time. Returns the injector's problem, or NULL. */
static char *run_cut(const char *script, struct view *views)
{
	pid_t servers[N_LANES], clients[2 * N_LANES], firewall;
	struct event_base *base;
	struct injector *injector;
	struct told told = {0};

	netns_enter();
	base = event_loop_new();
	load_rules(cut_rules);
	for (size_t k = 0; k < N_LANES; k++) {
		const struct address address = lane_address(k);

		servers[k] = start_server(&address, echo, NULL);
	}
	injector = inject(base, script, 0, &told);
	for (size_t k = 0; k < N_LANES; k++) {
		clients[2 * k] = start_client(talk, k, &views[k]);
		clients[2 * k + 1] = start_client(come_late, k, &views[k]);
	}
	firewall = start_firewall();
	for (size_t k = 0; k < ARRAY_SIZE(clients); k++)
		wire_wait(base, clients[k]);
	wire_wait(base, firewall);
	wire_end(injector, base);
	for (size_t k = 0; k < N_LANES; k++)
		stop(servers[k]);
	return told.problem;
}

static bool is_near(int64_t a_ns, int64_t b_ns)
{
	return llabs(a_ns - b_ns) < NS_PER_S / 4;
}

/* Returns how our network differs from the real one, owned by the caller, or NULL. */
static char *difference(const struct view *real, const struct view *ours, bool newcomers)
{
	if (!is_near(real->silence_ns, ours->silence_ns))
		return xasprintf("silent for %lld ms, really for %lld",
				 (long long)(ours->silence_ns / NS_PER_MS),
				 (long long)(real->silence_ns / NS_PER_MS));
	if (llabs((int64_t)real->n_retransmissions - ours->n_retransmissions) > 1)
		return xasprintf("%u retransmissions, really %u", ours->n_retransmissions,
				 real->n_retransmissions);
	if (newcomers && !is_near(real->connect_ns, ours->connect_ns))
		return xasprintf("connect() took %lld ms, really %lld",
				 (long long)(ours->connect_ns / NS_PER_MS),
				 (long long)(real->connect_ns / NS_PER_MS));
	return NULL;
}

/* @newcomers: the fault is one of new connections, too */
static void compare_cut(const char *script, bool newcomers)
{
	char *why = NULL;

	for (int trial = 0; trial < N_TRIALS; trial++) {
		struct view *views = wire_share(N_LANES * sizeof(*views));

		free(why);
		why = run_cut(script, views);
		for (size_t k = 0; k < N_LANES; k++)
			cr_assert_eq(views[k].error, 0, "%s: %s", script, strerror(views[k].error));
		for (size_t k = 0; k < N_LANES && !why; k += 2)
			why = difference(&views[k], &views[k + 1], newcomers);
		for (size_t k = 0; k < N_LANES && !why; k++)
			if (views[k].silence_ns < CUT_FOR_NS - 50 * NS_PER_MS)
				why = xasprintf("a silence of only %lld ms",
						(long long)(views[k].silence_ns / NS_PER_MS));
		if (!why)
			return;
	}
	cr_expect_fail("%s: %s", script, why);
	free(why);
}

Test(firewall, stall_that_heals_looks_like_a_rule_that_is_taken_away)
{
	compare_cut("stall after 200ms for 600ms", false);
}

Test(firewall, pause_looks_like_a_rule_that_is_taken_away)
{
	compare_cut("pause 600ms at 200ms from first-attempt, accept", true);
}

/* ---- by chance ---- */

#define SEGMENT 1000
#define POURED  ((size_t)300 * SEGMENT)
#define N_CALLS 4 /* connections of each client */
#define N_SEEDS 3
#define LOSS    0.05
/* How many standard deviations a right share may be off: more can't be chance. */
#define N_SIGMAS 5

/* Where linux/tcp.h has tcpi_data_segs_out, which netinet/tcp.h lacks. */
enum { DATA_SEGS_OUT_AT = 156 };

static const char loss_rules[] =
	"table inet wall {\n"
	" counter lost { }\n"
	" chain in {\n"
	"  type filter hook input priority 0;\n"
	"  tcp sport 8081 meta length > 500 numgen random mod 100 < 5 counter name lost drop\n"
	" }\n"
	"}\n";

/* What became of all connections of a lane. */
struct transfers {
	atomic_uint n_complete, n_sent, n_again; /* transfers; packets with data */
};

/* Sends everything, and waits until it has arrived. */
static void pour(int fd, void *shared)
{
	struct transfers *transfers = shared;
	AUTO_FREE char *data = xzalloc(POURED);
	uint32_t info[64] = {0}, *n_sent = &info[DATA_SEGS_OUT_AT / sizeof(*info)];
	socklen_t size = sizeof(info);
	int left = 1;

	if (write(fd, data, POURED) != (ssize_t)POURED)
		return;
	while (left > 0 && ioctl(fd, SIOCOUTQ, &left) == 0)
		usleep(1000);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size);
	transfers->n_sent += *n_sent;
	transfers->n_again += info[offsetof(struct tcp_info, tcpi_total_retrans) / sizeof(*info)];
	/* the client counts what is complete only after that */
	close(fd);
}

static pid_t start_caller(size_t lane, struct transfers *transfers)
{
	const struct address server = lane_address(lane);
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&server, &storage);
	pid_t pid = fork();
	char buffer[65536];
	size_t received = 0;
	ssize_t n = 0;
	int fd;

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	fd = socket(server.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &(int){SEGMENT}, sizeof(int));
	if (connect(fd, (struct sockaddr *)&storage, length) < 0)
		_exit(1);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		received += (size_t)n;
	transfers->n_complete += n == 0 && received == POURED;
	_exit(0);
}

/* Returns how many packets the firewall has dropped. */
static unsigned n_dropped(void)
{
	AUTO_FREE char *text = printed_by("exec nft list counter inet wall lost");
	const char *at = strstr(text, "packets ");

	cr_assert(at, "%s", text);
	return (unsigned)strtoul(at + strlen("packets "), NULL, 10);
}

/* Adds the transfers of all lanes. *@ret_really: packets that the firewall has dropped. */
static size_t run_lossy(uint64_t seed, struct transfers *transfers, size_t *ret_really)
{
	pid_t servers[N_LANES], clients[N_LANES * N_CALLS];
	struct event_base *base;
	struct injector *injector;
	struct told told = {0};

	netns_enter();
	base = event_loop_new();
	load_rules(loss_rules);
	/* Each segment is a packet of its own. */
	free(printed_by("exec ip link set lo gso_max_segs 1"));
	for (size_t k = 0; k < N_LANES; k++) {
		const struct address address = lane_address(k);

		servers[k] = start_server(&address, pour, &transfers[k]);
	}
	injector = inject(base, "packet-loss 5% from-server", seed, &told);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		clients[i] = start_caller(i % N_LANES, &transfers[i % N_LANES]);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		wire_wait(base, clients[i]);
	wire_end(injector, base);
	for (size_t k = 0; k < N_LANES; k++)
		stop(servers[k]);
	*ret_really += n_dropped();
	cr_expect_null(told.problem, "%s", told.problem);
	return told.n_lost;
}

static double root(double square)
{
	double result = 1;

	for (int i = 0; i < 50; i++)
		result = (result + square / result) / 2;
	return result;
}

Test(firewall, packet_loss_looks_like_that_of_a_rule_that_drops_by_chance)
{
	struct transfers *transfers = wire_share(N_LANES * sizeof(*transfers));
	size_t n_lost = 0, n_really_lost = 0, n_sent, n_really_sent;
	double share, real_share, sigma;

	for (uint64_t seed = 1; seed <= N_SEEDS; seed++)
		n_lost += run_lossy(seed, transfers, &n_really_lost);
	for (size_t k = 0; k < N_LANES; k++)
		cr_expect_eq(transfers[k].n_complete, N_SEEDS * N_CALLS,
			     "lane %zu: %u transfers complete", k, transfers[k].n_complete);
	n_sent = transfers[OUR_IPV4].n_sent + transfers[OUR_IPV6].n_sent;
	n_really_sent = transfers[REAL_IPV4].n_sent + transfers[REAL_IPV6].n_sent;
	cr_assert(n_sent > 0 && n_really_sent > 0);
	share = (double)n_lost / (double)n_sent;
	real_share = (double)n_really_lost / (double)n_really_sent;
	sigma = root(LOSS * (1 - LOSS) * (1 / (double)n_sent + 1 / (double)n_really_sent));
	cr_expect(share - real_share < N_SIGMAS * sigma && real_share - share < N_SIGMAS * sigma,
		  "%.2f %% of %zu packets got lost, really %.2f %% of %zu", 100 * share, n_sent,
		  100 * real_share, n_really_sent);
	/* All that got lost was sent again. */
	cr_expect_geq(transfers[OUR_IPV4].n_again + transfers[OUR_IPV6].n_again, n_lost);
	cr_expect_geq(transfers[REAL_IPV4].n_again + transfers[REAL_IPV6].n_again, n_really_lost);
}
