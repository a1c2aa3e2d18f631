/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client gets to see of an injected fault, beside what it gets of a server or a firewall
 * that does the same in earnest: packet by packet and field by field, over IPv4 and IPv6. Packets
 * are taken where they are delivered (tap.h), so that ours are seen as the client's kernel sees
 * them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include "common/duration.h"
#include "injector/injector.h"
#include "tests/lib/netns.h"

#define PATIENCE_NS (10 * NS_PER_S)
#define N_BYTES     1000
#define POURED      200000
#define PORT        8080

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

/* A raw socket of IPv6 gives no IP header, but what is in it. */
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

/* All that has been delivered since watch(). */
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
	cr_assert_fail("no %s", server ? "SYN-ACK" : "SYN");
	return NULL;
}

/* What the server, or we in its name, sent from the first RST or FIN on: at most @n. */
static size_t find_end(const struct course *course, const struct sight **ret, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < course->n_items && found < n; i++) {
		const struct sight *sight = &course->items[i];

		if (from_server(sight) &&
		    (found > 0 || sight->tcp.flags & (TCP_FLAG_RST | TCP_FLAG_FIN)))
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

/* What the client saw; an error is 0 or an errno, ETIMEDOUT: nothing for a second. */
struct seen {
	int connect_error, end_error, late_error;
	int64_t received;
};

struct trial {
	const char *step;
	void (*serve)(int fd); /* the same in earnest, on an accepted connection */
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
	close(fd);
	/* The server's answer to our FIN. */
	usleep(20000);
}

/* Until the client has acknowledged everything. */
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

static void serve_reset(int fd)
{
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

/* Beside it the fault is ours. */
static void serve_all(int fd)
{
	answer(fd, POURED);
	close(fd);
}

/* ---- a run ---- */

static struct address address_of(const char *host)
{
	struct address address;

	cr_assert_eq(address_parse(host, PORT, &address), 0);
	return address;
}

static int listen_at(const struct address *address, int backlog)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(address, &storage);
	int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	cr_assert_eq(bind(fd, (struct sockaddr *)&storage, length), 0, "%s", strerror(errno));
	cr_assert_eq(listen(fd, backlog), 0);
	return fd;
}

static pid_t start_server(const struct address *address, void (*serve)(int fd))
{
	int listener = listen_at(address, 16);
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

static void note_event(void *userdata, const struct injector_event *event)
{
	(void)userdata;
	(void)event;
}

static void note_problem(void *userdata, bool fatal, const char *message)
{
	(void)userdata;
	(void)fatal;
	cr_expect_fail("%s", message);
}

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(config);
	event_config_free(config);
	cr_assert(base);
	return base;
}

static struct injector *inject(struct event_base *base, const struct address *address,
			       const char *text)
{
	struct script script = {0};
	struct tracker_endpoint endpoint = {
		.addresses = address, .n_addresses = 1, .script = &script};
	struct diag_list diags = {0};
	struct injector *injector;
	struct step_error error;
	struct step step;
	int r;

	cr_assert_eq(step_parse(text, &step, &error), 0, "%s: %s", text, error.message);
	script_append(&script, &step);
	r = injector_new(&(struct injector_config){.base = base,
						   .table = "synfault-test",
						   .queue_number = 7,
						   .endpoints = &endpoint,
						   .n_endpoints = 1,
						   .on_event = note_event,
						   .on_problem = note_problem},
			 &diags, &injector);
	if (r == -EOPNOTSUPP)
		netns_skip("%s", diags.items[0].message);
	cr_assert_eq(r, 0, "%s", diags.n_items ? diags.items[0].message : strerror(-r));
	script_free(&script);
	return injector;
}

/* Runs the loop until the client has ended. */
static void wait_for(struct event_base *base, pid_t client)
{
	int64_t end_ns = clock_monotonic_ns() + PATIENCE_NS;

	while (waitpid(client, NULL, WNOHANG) == 0) {
		struct timeval moment = {.tv_usec = 5000};

		cr_assert_lt(clock_monotonic_ns(), end_ns, "the client never ended");
		event_base_loopexit(base, &moment);
		event_base_dispatch(base);
	}
}

static struct seen *shared_seen(void)
{
	struct seen *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(seen, MAP_FAILED);
	return seen;
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

/* One run of the client in a network namespace of its own: before our fault, or the real one. */
static struct course run(const struct trial *trial, const char *host, bool ours, struct seen **seen)
{
	struct address address = address_of(host);
	struct injector *injector = NULL;
	struct course course;
	struct event_base *base;
	pid_t server = 0;
	int watcher;

	netns_enter();
	base = base_new();
	*seen = shared_seen();
	if (trial->serve)
		server = start_server(&address, ours ? serve_all : trial->serve);
	if (ours)
		injector = inject(base, &address, trial->step);
	watcher = watch(address.family);
	wait_for(base, start_client(&address, trial->manner, *seen));
	course = read_course(watcher, address.family);
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
	const char *step, *host;
	size_t number; /* of the packet */
};

static void same(const struct comparison *at, const char *field, int64_t real, int64_t ours)
{
	cr_expect_eq(real, ours, "%s at %s, packet %zu: %s is %lld (0x%llx), really %lld (0x%llx)",
		     at->step, at->host, at->number, field, (long long)ours, (long long)ours,
		     (long long)real, (long long)real);
}

/* Clocks read by processes that may have to wait: one that has stood still is 200 ms late. */
static void near(const struct comparison *at, const char *field, int64_t real_ms, int64_t our_ms)
{
	cr_expect(llabs(real_ms - our_ms) <= 60,
		  "%s at %s, packet %zu: %s is %lld ms late, really %lld", at->step, at->host,
		  at->number, field, (long long)our_ms, (long long)real_ms);
}

/* The options but for the values of timestamps. */
static void strip_timestamps(struct sight *sight)
{
	for (uint32_t i = 0; i + 10 <= sight->n_options; i++) {
		if (sight->options[i] != 8 || sight->options[i + 1] != 10)
			continue;
		memset(sight->options + i + 2, 0, 8);
		return;
	}
}

/* The latest timestamp that the client had sent when the packet came. */
static uint32_t latest_timestamp(const struct course *course, const struct sight *before)
{
	uint32_t latest = 0;

	for (const struct sight *sight = course->items; sight < before; sight++)
		if (!from_server(sight) && sight->tcp.has_timestamps)
			latest = sight->tcp.timestamp;
	return latest;
}

/* The identification of the packet before, of the same side. */
static uint16_t id_before(const struct course *course, const struct sight *sight)
{
	for (const struct sight *before = sight; before-- > course->items;)
		if (from_server(before))
			return before->id;
	return 0;
}

/* Fields that the sender's clock and counters are in, as what they tell of the sender. */
struct clockwork {
	int64_t late_ms; /* behind the clock of the SYN-ACK's sender */
	int64_t echo_ms; /* behind the latest timestamp that was delivered to it */
	enum { ID_ZERO, ID_NEXT, ID_REPEATED, ID_FAR } id;
};

static struct clockwork clockwork_of(const struct course *course, const struct sight *sight)
{
	const struct sight *syn_ack = find_opening(course, true);
	int64_t passed_ms = (sight->at_ns - syn_ack->at_ns) / NS_PER_MS;
	uint16_t before = id_before(course, sight), step = (uint16_t)(sight->id - before);
	struct clockwork clockwork = {.id = ID_FAR};

	/* A SYN-ACK has none: the next begins anywhere. Some before it may have been dropped. */
	if (sight->id == 0)
		clockwork.id = ID_ZERO;
	else if (step == 0)
		clockwork.id = ID_REPEATED;
	else if (before == 0 || step < 64)
		clockwork.id = ID_NEXT;
	if (!sight->tcp.has_timestamps)
		return clockwork;
	clockwork.late_ms = passed_ms - (int32_t)(sight->tcp.timestamp - syn_ack->tcp.timestamp);
	clockwork.echo_ms = (int32_t)(latest_timestamp(course, sight) - sight->tcp.timestamp_echo);
	return clockwork;
}

static void compare_packets(const struct comparison *at, const struct course *real_course,
			    const struct sight *real, const struct course *our_course,
			    const struct sight *ours)
{
	const struct sight *real_syn_ack = find_opening(real_course, true);
	const struct sight *our_syn_ack = find_opening(our_course, true);
	const struct sight *real_syn = find_opening(real_course, false);
	const struct sight *our_syn = find_opening(our_course, false);
	struct clockwork real_clock = clockwork_of(real_course, real);
	struct clockwork our_clock = clockwork_of(our_course, ours);
	struct sight real_bare = *real, our_bare = *ours;
	bool acks = real->tcp.flags & TCP_FLAG_ACK;

	same(at, "flags", real->tcp.flags, ours->tcp.flags);
	same(at, "sequence", (int32_t)(real->tcp.sequence - real_syn_ack->tcp.sequence),
	     (int32_t)(ours->tcp.sequence - our_syn_ack->tcp.sequence));
	same(at, "acknowledgment",
	     (int32_t)(real->tcp.acknowledgment - (acks ? real_syn->tcp.sequence : 0)),
	     (int32_t)(ours->tcp.acknowledgment - (acks ? our_syn->tcp.sequence : 0)));
	same(at, "window", real->tcp.window, ours->tcp.window);
	same(at, "length", real->length, ours->length);
	same(at, "hops", real->hops, ours->hops);
	same(at, "TOS", real->tos, ours->tos);
	same(at, "DF", real->dont_fragment, ours->dont_fragment);
	/* The last ACK may be of the server's socket, or of TIME_WAIT, which has no number. */
	if (real->tcp.flags != TCP_FLAG_ACK)
		same(at, "kind of IP id", real_clock.id, our_clock.id);
	strip_timestamps(&real_bare);
	strip_timestamps(&our_bare);
	same(at, "length of options", real->n_options, ours->n_options);
	cr_expect_arr_eq(real_bare.options, our_bare.options, sizeof(real_bare.options),
			 "%s at %s, packet %zu: options", at->step, at->host, at->number);
	near(at, "TSval", real_clock.late_ms, our_clock.late_ms);
	near(at, "TSecr", real_clock.echo_ms, our_clock.echo_ms);
}

static void compare(const struct trial *trial, const char *host)
{
	enum { MOST = 8 };
	const struct sight *real[MOST], *ours[MOST];
	struct seen *real_seen, *our_seen;
	struct course real_course = run(trial, host, false, &real_seen);
	struct course our_course = run(trial, host, true, &our_seen);
	size_t n_real = find_end(&real_course, real, MOST);
	size_t n_ours = find_end(&our_course, ours, MOST);
	struct comparison at = {.step = trial->step, .host = host};

	same(&at, "error of connect()", real_seen->connect_error, our_seen->connect_error);
	same(&at, "error of read()", real_seen->end_error, our_seen->end_error);
	same(&at, "error of a later write()", real_seen->late_error, our_seen->late_error);
	same(&at, "received", real_seen->received, our_seen->received);
	same(&at, "number of packets at the end", (int64_t)n_real, (int64_t)n_ours);
	cr_expect_gt(n_real, 0, "%s at %s: no end", trial->step, host);
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
			compare(&trials[i], hosts[k]);
}

TestSuite(fidelity, .timeout = 60);

Test(fidelity, a_reset_is_that_of_a_server_that_aborts)
{
	static const struct trial trials[] = {
		{"reset after accept", serve_reset, LISTENS},
		{"reset after 1000 bytes", serve_bytes_reset, ASKS},
		{"reset after 0 bytes", serve_reset_when_heard, ASKS},
		{"reset after 5 bytes to-server", serve_reset_when_heard, ASKS},
		{"reset after 200ms", serve_late_reset, LISTENS},
	};

	compare_all(trials, ARRAY_SIZE(trials));
}

Test(fidelity, an_early_end_is_that_of_a_server_that_closes)
{
	static const struct trial trials[] = {
		{"close after accept", serve_close, LISTENS},
		{"close after 0 bytes", serve_close_when_heard, ASKS},
		{"close after 1000 bytes", serve_bytes_close, ASKS},
		{"close after 1000 bytes", serve_bytes_close, GOES_ON},
		{"close after 200ms", serve_late_close, LISTENS},
	};

	compare_all(trials, ARRAY_SIZE(trials));
}
