/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares what a client sees of an injected fault with what it sees of a real server or firewall
 * that does the same: packet by packet and field by field, over IPv4 and IPv6. Packets are taken
 * where they are delivered (nflog.h), so that we see ours as the client's kernel does.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include "common/duration.h"
#include "injector/event_loop.h"
#include "tests/lib/netns.h"
#include "tests/lib/wire.h"

#define N_BYTES 1000
#define POURED  200000
#define PORT    8080

static const char *const hosts[] = {"127.0.0.5", "::1"};

/* ---- packets ---- */

/* A TCP packet as it was delivered. */
struct sight {
	int64_t at_ns;
	struct packet tcp;
	uint32_t length;    /* of the packet */
	uint8_t hops, tos;  /* TTL or hop limit, TOS or traffic class */
	uint16_t id;        /* IPv4 */
	bool dont_fragment; /* IPv4 */
	uint8_t options[40];
	uint32_t n_options;
};

/* All packets of a run. */
struct course {
	struct sight *items;
	size_t n_items, capacity;
	uint32_t isn; /* of the client; its SYN is not delivered when we refuse it */
};

static void note_packet(struct course *course, const uint8_t *data, size_t length, int64_t at_ns)
{
	struct sight sight = {.at_ns = at_ns, .length = (uint32_t)length};

	if (packet_parse(data, length, &sight.tcp) != PACKET_OK)
		return;
	if (data[0] >> 4 == 4) {
		sight.tos = data[1];
		sight.id = (uint16_t)(data[4] << 8 | data[5]);
		sight.dont_fragment = data[6] & 0x40;
		sight.hops = data[8];
	} else {
		sight.tos = (uint8_t)(data[0] << 4 | data[1] >> 4);
		sight.hops = data[7];
	}
	sight.n_options = sight.tcp.data_offset - sight.tcp.tcp_offset - 20;
	memcpy(sight.options, data + sight.tcp.tcp_offset + 20, sight.n_options);
	array_append(course->items, course->n_items, course->capacity, sight);
}

/* Keeps what is delivered from now on, for read_course(). */
static int watch(int family)
{
	static const int wanted[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS};
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP), on = 1;

	if (fd < 0)
		netns_skip("no raw socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){64 << 20}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	for (size_t i = 0; family == AF_INET6 && i < ARRAY_SIZE(wanted); i++)
		cr_assert_eq(setsockopt(fd, IPPROTO_IPV6, wanted[i], &on, sizeof(on)), 0);
	return fd;
}

/* Makes up the IPv6 header, which a raw socket does not return. */
static void make_header(uint8_t header[40], const struct sockaddr_in6 *source, size_t length)
{
	header[0] |= 0x60;
	header[4] = (uint8_t)(length >> 8);
	header[5] = (uint8_t)length;
	header[6] = IPPROTO_TCP;
	memcpy(header + 8, &source->sin6_addr, 16);
}

static int64_t take_control(struct msghdr *message, uint8_t header[40])
{
	struct timespec time = {0};

	for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item;
	     item = CMSG_NXTHDR(message, item)) {
		const uint8_t *data = CMSG_DATA(item);
		int value;

		memcpy(&value, data, sizeof(value));
		if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&time, data, sizeof(time));
		} else if (item->cmsg_level != IPPROTO_IPV6) {
			continue;
		} else if (item->cmsg_type == IPV6_PKTINFO) {
			memcpy(header + 24, data, 16);
		} else if (item->cmsg_type == IPV6_HOPLIMIT) {
			header[7] = (uint8_t)value;
		} else if (item->cmsg_type == IPV6_TCLASS) {
			header[0] = (uint8_t)(value >> 4);
			header[1] = (uint8_t)(value << 4);
		}
	}
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* Returns everything that was delivered since watch(). */
static struct course read_course(int fd, int family)
{
	AUTO_FREE uint8_t *data = xzalloc(40 + 65536);
	struct course course = {0};

	for (;;) {
		struct sockaddr_in6 source = {0};
		uint8_t control[512], *at = data + (family == AF_INET6 ? 40 : 0);
		struct iovec vector = {at, 65536};
		struct msghdr message = {
			.msg_name = &source,
			.msg_namelen = sizeof(source),
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(fd, &message, 0);
		uint8_t header[40] = {0};
		int64_t at_ns;

		if (length < 0)
			break;
		at_ns = take_control(&message, header);
		if (family == AF_INET6) {
			make_header(header, &source, (size_t)length);
			memcpy(data, header, sizeof(header));
		}
		note_packet(&course, data, (size_t)(at - data) + (size_t)length, at_ns);
	}
	close(fd);
	return course;
}

static bool from_server(const struct sight *sight)
{
	return sight->tcp.source.port == PORT;
}

static const struct sight *find_opening(const struct course *course, bool server)
{
	for (size_t i = 0; i < course->n_items; i++)
		if (from_server(&course->items[i]) == server &&
		    course->items[i].tcp.flags & TCP_FLAG_SYN)
			return &course->items[i];
	return NULL;
}

/* Returns the first sequence number of a side, from which its others count; 0 if there is none. */
static uint32_t first_number(const struct course *course, bool server)
{
	const struct sight *opening = find_opening(course, server);

	return opening ? opening->tcp.sequence : server ? 0 : course->isn;
}

/* Returns whether a kernel only retransmits a FIN or an ACK because the other side is slow. */
static bool is_repeated(const struct sight *sight, const struct sight *const *before, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (before[i]->tcp.flags == sight->tcp.flags &&
		    before[i]->tcp.sequence == sight->tcp.sequence &&
		    before[i]->tcp.acknowledgment == sight->tcp.acknowledgment)
			return true;
	return false;
}

/* Finds what the server (or we, for it) sent from the first RST or FIN on: at most @n packets. */
static size_t find_end(const struct course *course, const struct sight **ret, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < course->n_items && found < n; i++) {
		const struct sight *sight = &course->items[i];

		if (from_server(sight) &&
		    (found > 0 || sight->tcp.flags & (TCP_FLAG_RST | TCP_FLAG_FIN)) &&
		    !is_repeated(sight, ret, found))
			ret[found++] = sight;
	}
	return found;
}

/* ---- clients and servers ---- */

enum manner {
	LISTENS, /* connects and waits for what comes */
	ASKS,    /* sends first */
	GOES_ON, /* sends again when the server has closed */
};

/* What the client saw. Errors are 0 or an errno; ETIMEDOUT: nothing came for a second. */
struct seen {
	int connect_error, end_error, late_error;
	int64_t received;
};

struct trial {
	const char *step;
	void (*serve)(int fd); /* the real thing, on an accepted connection */
	enum manner manner;
};

static int read_to_the_end(int fd, struct seen *seen)
{
	char buffer[65536];

	for (;;) {
		ssize_t n;

		if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1000) == 0)
			return ETIMEDOUT;
		n = read(fd, buffer, sizeof(buffer));
		if (n <= 0)
			return n < 0 ? errno : 0;
		seen->received += n;
	}
}

/*
 * Closes, and waits for the answer to our FIN. The server's kernel sends it only after its process
 * has finished its own close(), which may have to wait for a processor.
 */
static void close_in_order(int fd)
{
	struct tcp_info info = {0};

	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 1000; i++) {
		socklen_t size = sizeof(info);

		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
		    info.tcpi_state == TCP_CLOSE)
			break;
		usleep(1000);
	}
	close(fd);
}

static void be_client(const struct address *server, enum manner manner, struct seen *seen)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd hang_up = {.fd = fd};

	signal(SIGPIPE, SIG_IGN);
	if (connect(fd, (struct sockaddr *)&storage, length) < 0) {
		seen->connect_error = errno;
		return;
	}
	if (manner != LISTENS && write(fd, "hello", 5) < 0)
		seen->end_error = errno;
	else
		seen->end_error = read_to_the_end(fd, seen);
	if (manner == GOES_ON) {
		if (write(fd, "more", 4) < 0 || poll(&hang_up, 1, 1000) == 0)
			seen->late_error = ETIMEDOUT;
		else if (write(fd, "more", 4) < 0)
			seen->late_error = errno;
	}
	close_in_order(fd);
	usleep(20000);
}

/* Waits until the client has acknowledged everything. */
static void drain(int fd)
{
	int left = 1;

	while (left > 0 && ioctl(fd, SIOCOUTQ, &left) == 0)
		usleep(100);
}

static void reset_now(int fd)
{
	const struct linger linger = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void hear(int fd)
{
	char buffer[64];

	(void)!read(fd, buffer, sizeof(buffer));
}

static void answer(int fd, size_t n)
{
	AUTO_FREE char *data = xzalloc(n);

	hear(fd);
	(void)!write(fd, data, n);
	drain(fd);
}

/* Waits first: over a network, no reset comes before the client is back from connect(). */
static void serve_reset(int fd)
{
	usleep(20000);
	reset_now(fd);
}

static void serve_reset_when_heard(int fd)
{
	hear(fd);
	reset_now(fd);
}

static void serve_bytes_reset(int fd)
{
	answer(fd, N_BYTES);
	reset_now(fd);
}

static void serve_late_reset(int fd)
{
	usleep(200000);
	reset_now(fd);
}

static void serve_close(int fd)
{
	close(fd);
}

static void serve_close_when_heard(int fd)
{
	hear(fd);
	close(fd);
}

static void serve_bytes_close(int fd)
{
	answer(fd, N_BYTES);
	close(fd);
}

static void serve_late_close(int fd)
{
	usleep(200000);
	close(fd);
}

/* A process that is killed: its kernel closes what it had open. */
static void serve_killed(int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	if (pid == 0)
		for (;;)
			(void)pause();
	close(fd);
	usleep(200000);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* Serves the connections on which we inject the fault. */
static void serve_all(int fd)
{
	answer(fd, POURED);
	close(fd);
}

/* ---- a run ---- */

static pid_t start_server(const struct address *address, void (*serve)(int fd))
{
	int listener = wire_listen(address, 16);
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0) {
		close(listener);
		return pid;
	}
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			serve(fd);
	}
}

/* What the injector has reported. */
struct told {
	struct wire_trials *trials;
	uint32_t isn; /* the number of the latest SYN */
};

static void note_event(void *userdata, const struct injector_event *event)
{
	((struct told *)userdata)->isn = event->attempt.key.isn;
}

static void note_problem(void *userdata, enum injector_problem kind, const char *message)
{
	(void)kind;
	wire_note_problem(((struct told *)userdata)->trials, "%s", message);
}

static struct injector *inject(struct event_base *base, const struct address *addresses, size_t n,
			       const char *text, struct told *told)
{
	return wire_inject(&(struct injector_config){.base = base,
						     .on_event = note_event,
						     .on_problem = note_problem,
						     .userdata = told},
			   addresses, n, text);
}

static pid_t start_client(const struct address *address, enum manner manner, struct seen *seen)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	be_client(address, manner, seen);
	_exit(0);
}

/* Runs the client once in a network namespace of its own, with our fault or the real one. */
static struct course run(struct wire_trials *trials, const struct trial *trial, const char *host,
			 bool ours, struct seen **seen)
{
	struct address address = wire_address(host, PORT);
	struct injector *injector = NULL;
	struct course course;
	struct event_base *base;
	pid_t server = 0;
	struct told told = {.trials = trials};
	int watcher;

	netns_enter();
	base = event_loop_new();
	*seen = wire_share(sizeof(**seen));
	if (trial->serve)
		server = start_server(&address, ours ? serve_all : trial->serve);
	if (ours)
		injector = inject(base, &address, 1, trial->step, &told);
	watcher = watch(address.family);
	wire_wait(base, start_client(&address, trial->manner, *seen));
	course = read_course(watcher, address.family);
	course.isn = told.isn;
	if (injector) {
		injector_finish(injector);
		injector_free(injector);
	}
	event_base_free(base);
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	return course;
}

/* ---- comparison ---- */

struct comparison {
	struct wire_trials *trials;
	const char *step, *host;
	size_t number; /* of the packet in the course */
};

static void same(const struct comparison *at, const char *field, int64_t real, int64_t ours)
{
	wire_expect(at->trials, real == ours,
		    "%s at %s, packet %zu: %s is %lld (0x%llx), really %lld (0x%llx)", at->step,
		    at->host, at->number, field, (long long)ours, (long long)ours, (long long)real,
		    (long long)real);
}

/* Compares times of processes that may have to wait: one that was stopped is 200 ms late. */
static void near(const struct comparison *at, const char *field, int64_t real_ms, int64_t our_ms)
{
	wire_expect(at->trials, llabs(real_ms - our_ms) <= 60,
		    "%s at %s, packet %zu: %s is %lld ms late, really %lld", at->step, at->host,
		    at->number, field, (long long)our_ms, (long long)real_ms);
}

/* Blanks the values of timestamps in the options. */
static void strip_timestamps(struct sight *sight)
{
	for (uint32_t i = 0; i + 10 <= sight->n_options; i++) {
		if (sight->options[i] != 8 || sight->options[i + 1] != 10)
			continue;
		memset(sight->options + i + 2, 0, 8);
		return;
	}
}

/* Returns the latest timestamp that the client had sent when the packet came. */
static uint32_t latest_timestamp(const struct course *course, const struct sight *before)
{
	uint32_t latest = 0;

	for (const struct sight *sight = course->items; sight < before; sight++)
		if (!from_server(sight) && sight->tcp.has_timestamps)
			latest = sight->tcp.timestamp;
	return latest;
}

/* Returns the identification of the same side's packet before this one. */
static uint16_t id_before(const struct course *course, const struct sight *sight)
{
	for (const struct sight *before = sight; before-- > course->items;)
		if (from_server(before))
			return before->id;
	return 0;
}

/* Fields that depend on the sender's clock and counters, reduced to what they say about it. */
struct clockwork {
	int64_t late_ms; /* behind the clock of the SYN-ACK's sender */
	int64_t echo_ms; /* behind the latest timestamp that was delivered to it */
	enum { ID_ZERO, ID_NEXT, ID_REPEATED, ID_FAR } id;
};

static struct clockwork clockwork_of(const struct course *course, const struct sight *sight)
{
	const struct sight *syn_ack = find_opening(course, true);
	int64_t passed_ms = syn_ack ? (sight->at_ns - syn_ack->at_ns) / NS_PER_MS : 0;
	uint16_t before = id_before(course, sight), step = (uint16_t)(sight->id - before);
	struct clockwork clockwork = {.id = ID_FAR};

	/* A SYN-ACK has none: the next one starts anywhere. Packets between may be dropped. */
	if (sight->id == 0)
		clockwork.id = ID_ZERO;
	else if (step == 0)
		clockwork.id = ID_REPEATED;
	else if (before == 0 || step < 64)
		clockwork.id = ID_NEXT;
	if (!sight->tcp.has_timestamps)
		return clockwork;
	if (!syn_ack)
		return clockwork;
	clockwork.late_ms = passed_ms - (int32_t)(sight->tcp.timestamp - syn_ack->tcp.timestamp);
	clockwork.echo_ms = (int32_t)(latest_timestamp(course, sight) - sight->tcp.timestamp_echo);
	return clockwork;
}

static void compare_packets(const struct comparison *at, const struct course *real_course,
			    const struct sight *real, const struct course *our_course,
			    const struct sight *ours)
{
	struct clockwork real_clock = clockwork_of(real_course, real);
	struct clockwork our_clock = clockwork_of(our_course, ours);
	struct sight real_bare = *real, our_bare = *ours;
	bool acks = real->tcp.flags & TCP_FLAG_ACK;

	same(at, "flags", real->tcp.flags, ours->tcp.flags);
	same(at, "sequence", (int32_t)(real->tcp.sequence - first_number(real_course, true)),
	     (int32_t)(ours->tcp.sequence - first_number(our_course, true)));
	same(at, "acknowledgment",
	     (int32_t)(real->tcp.acknowledgment - (acks ? first_number(real_course, false) : 0)),
	     (int32_t)(ours->tcp.acknowledgment - (acks ? first_number(our_course, false) : 0)));
	same(at, "window", real->tcp.window, ours->tcp.window);
	same(at, "length", real->length, ours->length);
	same(at, "hops", real->hops, ours->hops);
	same(at, "TOS", real->tos, ours->tos);
	same(at, "DF", real->dont_fragment, ours->dont_fragment);
	/* The last ACK may come from the server's socket or from TIME_WAIT, which has no number. */
	if (real->tcp.flags != TCP_FLAG_ACK)
		same(at, "kind of IP id", real_clock.id, our_clock.id);
	strip_timestamps(&real_bare);
	strip_timestamps(&our_bare);
	same(at, "length of options", real->n_options, ours->n_options);
	wire_expect(at->trials,
		    !memcmp(real_bare.options, our_bare.options, sizeof(real_bare.options)),
		    "%s at %s, packet %zu: options", at->step, at->host, at->number);
	near(at, "TSval", real_clock.late_ms, our_clock.late_ms);
	near(at, "TSecr", real_clock.echo_ms, our_clock.echo_ms);
}

static void compare(struct wire_trials *trials, const struct trial *trial, const char *host)
{
	enum { MOST = 8 };
	const struct sight *real[MOST], *ours[MOST];
	struct seen *real_seen, *our_seen;
	struct course real_course = run(trials, trial, host, false, &real_seen);
	struct course our_course = run(trials, trial, host, true, &our_seen);
	size_t n_real = find_end(&real_course, real, MOST);
	size_t n_ours = find_end(&our_course, ours, MOST);
	struct comparison at = {.trials = trials, .step = trial->step, .host = host};

	same(&at, "error of connect()", real_seen->connect_error, our_seen->connect_error);
	same(&at, "error of read()", real_seen->end_error, our_seen->end_error);
	same(&at, "error of a later write()", real_seen->late_error, our_seen->late_error);
	same(&at, "received", real_seen->received, our_seen->received);
	same(&at, "number of packets at the end", (int64_t)n_real, (int64_t)n_ours);
	wire_expect(trials, n_real > 0, "%s at %s: no end", trial->step, host);
	for (size_t i = 0; i < MIN(n_real, n_ours); i++) {
		at.number = i + 1;
		compare_packets(&at, &real_course, real[i], &our_course, ours[i]);
	}
	free(real_course.items);
	free(our_course.items);
}

static void compare_all(const struct trial *trials, size_t n_trials)
{
	for (size_t i = 0; i < n_trials; i++)
		for (size_t k = 0; k < ARRAY_SIZE(hosts); k++)
			for (struct wire_trials again = {0}; wire_try(&again);)
				compare(&again, &trials[i], hosts[k]);
}

TestSuite(fidelity, .timeout = 600);

Test(fidelity, reset_looks_like_that_of_a_server_that_aborts)
{
	static const struct trial trials[] = {
		{"reset after accept", serve_reset, LISTENS},
		{"reset after 1000 bytes", serve_bytes_reset, ASKS},
		{"reset after 0 bytes", serve_reset_when_heard, ASKS},
		{"reset after 5 bytes to-server", serve_reset_when_heard, ASKS},
		{"reset after 200ms", serve_late_reset, LISTENS},
		{"down 200ms..5s from first-attempt ending reset, accept", serve_late_reset,
		 LISTENS},
	};

	compare_all(trials, ARRAY_SIZE(trials));
}

Test(fidelity, early_close_looks_like_that_of_a_server)
{
	static const struct trial trials[] = {
		{"close after accept", serve_close, LISTENS},
		{"close after 0 bytes", serve_close_when_heard, ASKS},
		{"close after 1000 bytes", serve_bytes_close, ASKS},
		{"close after 1000 bytes", serve_bytes_close, GOES_ON},
		{"close after 200ms", serve_late_close, LISTENS},
		{"restart 5s at 200ms from first-attempt ending close, accept", serve_killed,
		 LISTENS},
	};

	compare_all(trials, ARRAY_SIZE(trials));
}

Test(fidelity, refusal_looks_like_that_of_a_closed_port)
{
	static const struct trial trials[] = {
		{"refuse", NULL, LISTENS},
		{"delay 20ms then refuse", NULL, LISTENS},
	};

	compare_all(trials, ARRAY_SIZE(trials));
}

/* ---- a full accept queue ---- */

static void nft(const char *rules)
{
	FILE *pipe = popen("exec nft -f -", "we");

	cr_assert(pipe);
	cr_assert_geq(fputs(rules, pipe), 0);
	cr_assert_eq(pclose(pipe), 0, "nft: %s", rules);
}

static int connect_to(const struct address *server)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage);
	int fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&storage, length), 0, "%s", strerror(errno));
	return fd;
}

/*
 * The last packet of a handshake finds the listener's accept queue full, under
 * tcp_abort_on_overflow. There was room when the SYN came; otherwise the SYN would have been
 * dropped.
 */
static struct course run_overflow(const char *host)
{
	struct address address = wire_address(host, PORT);
	int listener, filler, late, watcher;
	struct seen seen = {0};
	struct course course;

	netns_enter();
	netns_sysctl("net/ipv4/tcp_abort_on_overflow", "1");
	listener = wire_listen(&address, 8);
	filler = connect_to(&address);
	nft("table inet t {\n chain c {\n  type filter hook input priority 0;\n"
	    "  tcp dport 8080 tcp flags & (syn|rst|ack) == ack drop\n }\n}\n");
	watcher = watch(address.family);
	late = connect_to(&address);
	cr_assert_eq(listen(listener, 0), 0);
	nft("delete table inet t\n");
	cr_assert_eq(write(late, "hello", 5), 5);
	cr_assert_eq(read_to_the_end(late, &seen), ECONNRESET);
	course = read_course(watcher, address.family);
	close(late);
	close(filler);
	close(listener);
	return course;
}

Test(fidelity, full_queue_aborts_as_the_kernel_does)
{
	static const struct trial trial = {"backlog-full abort", serve_all, LISTENS};

	for (size_t k = 0; k < ARRAY_SIZE(hosts); k++)
		for (struct wire_trials trials = {0}; wire_try(&trials);) {
			const struct comparison at = {.trials = &trials,
						      .step = trial.step,
						      .host = hosts[k],
						      .number = 1};
			struct course real_course = run_overflow(hosts[k]), our_course;
			const struct sight *real, *ours;
			struct seen *seen;

			our_course = run(&trials, &trial, hosts[k], true, &seen);
			cr_assert_eq(find_end(&real_course, &real, 1), 1);
			if (find_end(&our_course, &ours, 1) == 1)
				compare_packets(&at, &real_course, real, &our_course, ours);
			else
				wire_note_problem(&trials, "%s at %s: no end", trial.step,
						  hosts[k]);
			free(real_course.items);
			free(our_course.items);
		}
}

/* ---- schedules ---- */

/* Two ports of one address: we inject at 8080, and 8081 is behind a firewall. */
#define WALLED_PORT (PORT + 1)

struct lane {
	struct address server;
	struct seen *seen;
	int64_t *took_ns; /* duration of connect() */
	pid_t client;
	int64_t syns_ns[16], syn_acks_ns[16]; /* since the first SYN */
	size_t n_syns, n_syn_acks;
};

enum { REAL_IPV4, OUR_IPV4, REAL_IPV6, OUR_IPV6, N_LANES };

/* Connects with a timeout. */
static void be_patient(const struct lane *lane, int64_t patience_ns)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(&lane->server, &storage), size = sizeof(int);
	int fd = socket(lane->server.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int64_t started_ns = clock_monotonic_ns();

	(void)connect(fd, (struct sockaddr *)&storage, length);
	if (poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1,
		 (int)(patience_ns / NS_PER_MS)) == 0)
		lane->seen->connect_error = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &lane->seen->connect_error, &size);
	*lane->took_ns = clock_monotonic_ns() - started_ns;
}

/* Watches everything on lo, whether or not it is dropped on its way in. */
static int watch_all(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));

	if (fd < 0)
		netns_skip("no packet socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int));
	return fd;
}

static void note_in_lane(struct lane *lane, const struct sight *sight)
{
	bool server = address_equal(&sight->tcp.source, &lane->server);

	if (!(sight->tcp.flags & TCP_FLAG_SYN) ||
	    (!server && !address_equal(&sight->tcp.destination, &lane->server)))
		return;
	if (server && lane->n_syn_acks < ARRAY_SIZE(lane->syn_acks_ns))
		lane->syn_acks_ns[lane->n_syn_acks++] = sight->at_ns;
	if (!server && lane->n_syns < ARRAY_SIZE(lane->syns_ns))
		lane->syns_ns[lane->n_syns++] = sight->at_ns;
}

static void read_lanes(int fd, struct lane lanes[N_LANES])
{
	struct course course = {0};
	uint8_t data[512], control[128];

	for (;;) {
		struct sockaddr_ll from = {0};
		struct iovec vector = {data, sizeof(data)};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &vector,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		ssize_t length = recvmsg(fd, &message, 0);
		uint8_t unused[40];

		if (length < 0)
			break;
		if (from.sll_pkttype != PACKET_OUTGOING)
			note_packet(&course, data, (size_t)length, take_control(&message, unused));
	}
	for (size_t i = 0; i < course.n_items; i++)
		for (size_t k = 0; k < N_LANES; k++)
			note_in_lane(&lanes[k], &course.items[i]);
	free(course.items);
	close(fd);
}

/* Runs a client in each lane at the same time, once the firewall's rules are in place. */
static void run_lanes(struct wire_trials *trials, struct lane lanes[N_LANES], const char *step,
		      int64_t patience_ns)
{
	struct event_base *base = event_loop_new();
	struct injector *injector;
	struct told told = {.trials = trials};
	struct address ours[2];
	int watcher;

	for (size_t k = 0; k < N_LANES; k++) {
		lanes[k] = (struct lane){.server = wire_address(hosts[k / 2], PORT)};
		if (k % 2 == 0)
			lanes[k].server.port = WALLED_PORT;
		lanes[k].seen = wire_share(sizeof(*lanes[k].seen));
		lanes[k].took_ns = wire_share(sizeof(*lanes[k].took_ns));
		wire_listen(&lanes[k].server, 16);
	}
	ours[0] = lanes[OUR_IPV4].server;
	ours[1] = lanes[OUR_IPV6].server;
	injector = inject(base, ours, ARRAY_SIZE(ours), step, &told);
	watcher = watch_all();
	for (size_t k = 0; k < N_LANES; k++) {
		lanes[k].client = fork();
		if (lanes[k].client > 0)
			continue;
		be_patient(&lanes[k], patience_ns);
		_exit(0);
	}
	for (size_t k = 0; k < N_LANES; k++)
		wire_wait(base, lanes[k].client);
	wire_end(injector, base);
	read_lanes(watcher, lanes);
}

static void same_times(struct wire_trials *trials, const char *what, const char *step,
		       const int64_t *real_ns, size_t n_real, const int64_t *our_ns, size_t n_ours)
{
	wire_expect(trials, n_real == n_ours, "%s: %zu %s, really %zu", step, n_ours, what, n_real);
	for (size_t i = 1; i < MIN(n_real, n_ours); i++) {
		int64_t real_ms = (real_ns[i] - real_ns[0]) / NS_PER_MS;
		int64_t our_ms = (our_ns[i] - our_ns[0]) / NS_PER_MS;

		wire_expect(trials, llabs(real_ms - our_ms) < 250,
			    "%s: %s %zu after %lld ms, really %lld", step, what, i + 1,
			    (long long)our_ms, (long long)real_ms);
	}
}

/*
 * The kernel retransmits after whole seconds; a client may be late. When client and server
 * retransmit at the same moment, it is chance whose packet comes first, and whether the other one
 * is sent at all.
 */
static void compare_lanes_once(struct wire_trials *trials, const char *step, const char *rule,
			       size_t n_syn_acks, int64_t patience_ns)
{
	AUTO_FREE char *rules = xasprintf("table inet wall {\n chain in {\n"
					  "  type filter hook input priority 0;\n  %s\n }\n}\n",
					  rule);
	struct lane lanes[N_LANES];

	netns_enter();
	nft(rules);
	run_lanes(trials, lanes, step, patience_ns);
	for (size_t k = 0; k < N_LANES; k += 2) {
		const struct lane *real = &lanes[k], *ours = &lanes[k + 1];

		wire_check(trials, real->seen->connect_error == ours->seen->connect_error);
		wire_expect(trials, llabs(*real->took_ns - *ours->took_ns) < NS_PER_S / 4,
			    "%s: connect() took %lld ms, really %lld", step,
			    (long long)(*ours->took_ns / NS_PER_MS),
			    (long long)(*real->took_ns / NS_PER_MS));
		if (n_syn_acks == 0)
			same_times(trials, "SYN", step, real->syns_ns, real->n_syns, ours->syns_ns,
				   ours->n_syns);
		wire_expect(trials, ours->n_syn_acks >= n_syn_acks, "%s: %zu SYN-ACKs", step,
			    ours->n_syn_acks);
		same_times(trials, "SYN-ACK", step, real->syn_acks_ns,
			   MIN(real->n_syn_acks, n_syn_acks), ours->syn_acks_ns,
			   MIN(ours->n_syn_acks, n_syn_acks));
	}
}

static void compare_lanes(const char *step, const char *rule, size_t n_syn_acks,
			  int64_t patience_ns)
{
	for (struct wire_trials trials = {0}; wire_try(&trials);)
		compare_lanes_once(&trials, step, rule, n_syn_acks, patience_ns);
}

Test(fidelity, drop_looks_like_that_of_a_firewall)
{
	compare_lanes("drop", "tcp dport 8081 tcp flags & (syn|ack) == syn drop", 0,
		      2500 * NS_PER_MS);
}

Test(fidelity, lost_syns_look_like_those_of_a_firewall)
{
	compare_lanes("lose 1",
		      "tcp dport 8081 tcp flags & (syn|ack) == syn meta nfproto ipv4 "
		      "limit rate 1/hour burst 1 packets drop\n"
		      "  tcp dport 8081 tcp flags & (syn|ack) == syn meta nfproto ipv6 "
		      "limit rate 1/hour burst 1 packets drop",
		      1, WIRE_PATIENCE_NS);
}

Test(fidelity, lost_syn_acks_look_like_those_of_a_firewall)
{
	compare_lanes("lose-synack 1",
		      "tcp sport 8081 tcp flags & (syn|ack) == (syn|ack) meta nfproto ipv4 "
		      "limit rate 1/hour burst 1 packets drop\n"
		      "  tcp sport 8081 tcp flags & (syn|ack) == (syn|ack) meta nfproto ipv6 "
		      "limit rate 1/hour burst 1 packets drop",
		      2, WIRE_PATIENCE_NS);
}

/* ---- late answers ---- */

/*
 * A network that is really slow for SYNs: what is sent to the second address of a link comes back
 * from there to the first one, where the server is. This process is the host at the other end.
 */
#define SLOW_LINK                                                                                  \
	"ip addr add 10.99.0.1/24 dev slow && ip -6 addr add fd00:99::1/64 dev slow nodad && "     \
	"ip link set slow up"
static const char *const far_hosts[] = {"10.99.0.2", "fd00:99::2"};
static const char *const far_servers[] = {"10.99.0.1", "fd00:99::1"};

/* A packet on its way. */
struct parcel {
	int64_t due_ns;
	size_t length;
	uint8_t data[2048];
};
enum { MAX_PARCELS = 64 };

static int make_link(void)
{
	struct ifreq request = {.ifr_name = "slow", .ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		netns_skip("no TUN device: %s", strerror(errno));
	/* NOLINTNEXTLINE(cert-env33-c) */
	cr_assert_eq(system(SLOW_LINK), 0);
	return fd;
}

/* Sums over whole 16-bit words do not change when addresses swap places. */
static void send_back(int fd, struct parcel *parcel)
{
	bool ipv4 = parcel->data[0] >> 4 == 4;
	size_t at = ipv4 ? 12 : 8, size = ipv4 ? 4 : 16;
	uint8_t source[16];

	memcpy(source, parcel->data + at, size);
	memmove(parcel->data + at, parcel->data + at + size, size);
	memcpy(parcel->data + at + size, source, size);
	(void)!write(fd, parcel->data, parcel->length);
}

static void take_parcel(int fd, struct parcel *parcel, int64_t late_ns)
{
	ssize_t length = read(fd, parcel->data, sizeof(parcel->data));
	struct packet packet;

	if (length <= 0 || packet_parse(parcel->data, (size_t)length, &packet) != PACKET_OK)
		return;
	parcel->length = (size_t)length;
	parcel->due_ns = clock_monotonic_ns();
	if ((packet.flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN)
		parcel->due_ns += late_ns;
}

static pid_t start_slow_network(int fd, int64_t late_ns)
{
	struct parcel *parcels;
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	parcels = xzalloc(MAX_PARCELS * sizeof(*parcels));
	for (;;) {
		bool taken = false;

		for (size_t i = 0; i < MAX_PARCELS; i++) {
			if (parcels[i].length > 0 && parcels[i].due_ns <= clock_monotonic_ns()) {
				send_back(fd, &parcels[i]);
				parcels[i].length = 0;
			}
			if (parcels[i].length == 0 && !taken) {
				take_parcel(fd, &parcels[i], late_ns);
				taken = true;
			}
		}
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
	}
}

/* How the client's kernel takes an answer. */
struct view {
	int error;
	int64_t took_ms, rtt_ms;
	uint32_t n_retransmissions;
};

static pid_t start_viewer(const struct address *server, struct view *view)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(server, &storage), size = sizeof(struct tcp_info);
	struct tcp_info info = {0};
	int64_t started_ns;
	pid_t pid = fork();
	int fd;

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	fd = socket(server->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	started_ns = clock_monotonic_ns();
	if (connect(fd, (struct sockaddr *)&storage, length) < 0)
		view->error = errno;
	view->took_ms = (clock_monotonic_ns() - started_ns) / NS_PER_MS;
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	view->rtt_ms = info.tcpi_rtt / 1000;
	view->n_retransmissions = info.tcpi_total_retrans;
	_exit(0);
}

static void expect_alike(struct wire_trials *trials, const char *step, const char *what,
			 int64_t real_ms, int64_t our_ms)
{
	wire_expect(trials, llabs(real_ms - our_ms) < 250, "%s: %s is %lld ms, really %lld", step,
		    what, (long long)our_ms, (long long)real_ms);
}

static void compare_late_once(struct wire_trials *trials, const char *step, int64_t late_ns)
{
	struct view *views = wire_share(4 * sizeof(*views));
	struct address ours[2], servers[4];
	struct injector *injector;
	struct event_base *base;
	pid_t network, clients[4];
	struct told told = {.trials = trials};
	int link;

	netns_enter();
	base = event_loop_new();
	link = make_link();
	network = start_slow_network(link, late_ns);
	for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
		struct address far_server = wire_address(far_servers[k], PORT);

		ours[k] = wire_address(hosts[k], PORT);
		wire_listen(&ours[k], 16);
		wire_listen(&far_server, 16);
		servers[2 * k] = wire_address(far_hosts[k], PORT);
		servers[2 * k + 1] = ours[k];
	}
	injector = inject(base, ours, ARRAY_SIZE(ours), step, &told);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		clients[i] = start_viewer(&servers[i], &views[i]);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		wire_wait(base, clients[i]);
	wire_end(injector, base);
	kill(network, SIGKILL);
	waitpid(network, NULL, 0);
	close(link);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i += 2) {
		const struct view *real = &views[i], *our = &views[i + 1];

		wire_expect(trials, real->error == 0, "%s: %s", step, strerror(real->error));
		wire_expect(trials, our->error == 0, "%s: %s", step, strerror(our->error));
		expect_alike(trials, step, "connect()", real->took_ms, our->took_ms);
		expect_alike(trials, step, "the round trip", real->rtt_ms, our->rtt_ms);
		wire_expect(trials, our->n_retransmissions == real->n_retransmissions,
			    "%s: %u retransmissions, really %u", step, our->n_retransmissions,
			    real->n_retransmissions);
		wire_check(trials, our->took_ms >= late_ns / NS_PER_MS);
	}
}

static void compare_late(const char *step, int64_t late_ns)
{
	for (struct wire_trials trials = {0}; wire_try(&trials);)
		compare_late_once(&trials, step, late_ns);
}

Test(fidelity, delay_looks_like_that_of_a_slow_network)
{
	compare_late("delay 300ms", 300 * NS_PER_MS);
	/* By then the client's kernel has retransmitted its SYN. */
	compare_late("delay 1500ms", 1500 * NS_PER_MS);
}
