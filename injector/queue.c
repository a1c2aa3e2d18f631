/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The netfilter queue: see queue.h. It is built for speed, since two processors share the work of
 * each refused connection: while the client's runs connect(), ours reads and answers. One
 * recvmmsg() reads many packets (the kernel sends one datagram per packet). Their verdicts go back
 * as many messages in one datagram, without acknowledgments: the kernel carries out a verdict, RST
 * included, before sendmsg() returns, and answers only if one fails.
 */
#include "injector/queue.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
/* must follow the kernel's header: it declares only what that one lacks */
#include <libnetfilter_queue/libnetfilter_queue.h>

#include "common/duration.h"
#include "injector/fwmark.h"
#include "injector/netlink.h"
#include "injector/packet.h"

/* The most packets that the kernel holds for us. Held SYNs count, so 64 times its default. */
#define QUEUE_LENGTH   (UINT32_C(1) << 16)
#define RECEIVE_BUFFER (32 << 20)
/* Datagrams read at once. With more, the first would wait for the verdict on the last. */
#define BATCH 64
/* Room for a packet's message: at most PACKET_COPY_RANGE bytes, and some 200 of attributes. */
#define MESSAGE_MAX 1024
/* The same with all of its data. */
#define MESSAGE_WHOLE (65536 + 1024)
#define COPY_WHOLE    0xffff
/* Room for a verdict: two headers and two attributes take 40 bytes. */
#define VERDICT_MAX 64
/*
 * If several packets come in at a time, a pause between two batches lets more of them gather. Timer
 * slack makes it some 60 us. With 64 connections under way it saves a third of our work for each,
 * and the client's connect() does not have to wake us.
 */
#define REST_NS (10 * NS_PER_US)
/* Reading goes on for at most this long before the caller's other events get their turn. */
#define MAX_TURN_NS NS_PER_MS
/* An arrival longer ago means that the clock was set between the stamp and its reading. */
#define MAX_AGE_NS (10 * NS_PER_S)
/* How much two readings of both clocks may differ; slewing moves a clock by at most 500 ppm. */
#define CLOCK_TOLERANCE_NS NS_PER_MS
#define SLEW_DIVISOR       2000
/* Room for all attributes, even those of a newer library or kernel. */
#define N_ATTRIBUTES 128
_Static_assert(N_ATTRIBUTES > NFQA_MAX, "all attributes fit");
_Static_assert(MESSAGE_MAX > PACKET_COPY_RANGE + 512, "a packet's message fits");

struct queue {
	struct mnl_socket *socket;
	int fd; /* of the socket */
	bool dispatching;
	bool moved;          /* our clocks differ from the kernel's */
	bool gathered;       /* verdicts were given since the last on_handed_over */
	bool whole_segments; /* see struct queue_config */
	struct queue_config config;
	/*
	 * The kernel stamps packets on arrival while any socket wants time stamps (net/core/dev.c,
	 * netstamp_needed_key). This socket does, and is used for nothing else.
	 */
	int timestamp_fd;
	/*
	 * /proc/…/nfnetlink_queue of the network namespace in which we started; -1: we can't read
	 * it (only root can), or there is no /proc
	 */
	int counters_fd;
	uint64_t n_packets, overruns, failed_verdicts;

	int64_t empty_ns; /* when the queue was last empty */
	/* when the batch was read; and the first reading since the real clock was set */
	struct queue_clocks clocks, steady;
	int64_t awake_ns; /* of the last queue_clock_moved() */

	int64_t handed_ns; /* when the first verdict was handed over since then; 0: none was */
	size_t verdicts_length;
	uint8_t verdicts[BATCH * VERDICT_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct iovec vectors[BATCH];
	struct mmsghdr datagrams[BATCH];
	size_t message_max;
	uint8_t *buffers; /* one of message_max for each of the datagrams */
};

/* How often to search the list of queues, which other processes may change at the same time. */
enum { LIST_TRIES = 50 };

/* A line of /proc/net/netfilter/nfnetlink_queue (net/netfilter/nfnetlink_queue.c, seq_show). */
struct counters {
	unsigned number, portid, waiting, copy_mode, copy_range, queue_dropped, user_dropped;
};

static int counters_open(void)
{
	static const char *const paths[] = {
		"/proc/thread-self/net/netfilter/nfnetlink_queue",
		"/proc/self/net/netfilter/nfnetlink_queue",
	};
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		r = -errno;
	}
	return r;
}

/* Opens the list through a copy of the descriptor, which fclose() closes; they share a position. */
static FILE *counters_list(int fd)
{
	AUTO_CLOSE int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = NULL;

	if (copy >= 0 && lseek(copy, 0, SEEK_SET) == 0)
		file = fdopen(copy, "r");
	if (file)
		steal_fd(&copy);
	return file;
}

/* Returns 1, 0 at the end, or -EPROTO. */
static int counters_next(FILE *file, struct counters *ret)
{
	char line[256];

	if (!fgets(line, sizeof(line), file))
		return 0;
	return sscanf(line, "%u %u %u %u %u %u %u", &ret->number, &ret->portid, &ret->waiting,
		      &ret->copy_mode, &ret->copy_range, &ret->queue_dropped,
		      &ret->user_dropped) == 7
		       ? 1
		       : -EPROTO;
}

/* Does what counters_read() does, but may miss the queue while others come and go. */
static int counters_read_once(int fd, uint16_t number, struct counters *ret)
{
	AUTO_FCLOSE FILE *file = counters_list(fd);
	struct counters counters;
	int r;

	if (!file)
		return -errno;
	while ((r = counters_next(file, &counters)) > 0) {
		if (counters.number != number)
			continue;
		*ret = counters;
		return 0;
	}
	return r < 0 ? r : ferror(file) ? -EIO : -ENOENT;
}

/*
 * Reads the counters of a queue. Returns 0, -ENOENT if there is no queue with that number, or
 * another negative errno. The kernel delivers the list in pieces and continues at a line number
 * (seq_file), so if a queue disappears in between, the next one is skipped. That is why it tries
 * repeatedly.
 */
static int counters_read(int fd, uint16_t number, struct counters *ret)
{
	int r = -ENOENT;

	for (int tries = 0; tries < LIST_TRIES && r == -ENOENT; tries++)
		r = counters_read_once(fd, number, ret);
	return r;
}

bool queue_all_idle(void)
{
	AUTO_CLOSE int fd = counters_open();
	AUTO_FCLOSE FILE *file = fd >= 0 ? counters_list(fd) : NULL;
	struct counters counters;

	while (file && counters_next(file, &counters) > 0)
		if (counters.waiting > 0)
			return false;
	return true;
}

/* Sends one configuration message and waits for the kernel's answer. */
static int configure(struct queue *queue, struct nlmsghdr *message)
{
	char buffer[1024];
	unsigned portid = mnl_socket_get_portid(queue->socket);
	ssize_t length;

	message->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(queue->socket, message, message->nlmsg_len) < 0)
		return -errno;
	do {
		length = mnl_socket_recvfrom(queue->socket, buffer, sizeof(buffer));
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	return mnl_cb_run(buffer, (size_t)length, 0, portid, NULL, NULL) < 0 ? -errno : 0;
}

static int bind_number(struct queue *queue)
{
	char buffer[256];
	struct nlmsghdr *message = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, queue->config.number);

	nfq_nlmsg_cfg_put_cmd(message, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	return configure(queue, message);
}

static int set_parameters(struct queue *queue, const struct queue_config *config)
{
	uint32_t flags = config->single_segments ? 0 : NFQA_CFG_F_GSO;

	char buffer[256];
	struct nlmsghdr *message = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, queue->config.number);

	nfq_nlmsg_cfg_put_params(message, NFQNL_COPY_PACKET, PACKET_COPY_RANGE);
	nfq_nlmsg_cfg_put_qmaxlen(message, config->length ? config->length : QUEUE_LENGTH);
	/*
	 * GSO: packets come as they are, neither cut into segments nor with a checksum computed for
	 * us. No other flag is set, above all not FAIL_OPEN.
	 */
	mnl_attr_put_u32(message, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(message, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	return configure(queue, message);
}

/*
 * Adds a diagnostic for a failed bind. If another process has the number, the kernel returns EBUSY,
 * or, depending on the order of its checks, EPERM, as for a missing capability. The list of queues
 * shows which of the two it is.
 */
static int bind_error(const struct queue *queue, int r, struct diag_list *diags)
{
	struct counters counters;

	if ((r == -EBUSY || r == -EPERM) &&
	    counters_read(queue->counters_fd, queue->config.number, &counters) == 0) {
		diag_add(diags, NULL,
			 "netfilter queue %u is in use by another process (netlink port %u)",
			 queue->config.number, counters.portid);
		diag_hint(diags, "end that process or choose another queue number");
		return -EBUSY;
	}
	if (r == -EPERM) {
		diag_add(diags, NULL, "no permission to bind netfilter queue %u",
			 queue->config.number);
		diag_hint(diags, "synfault needs CAP_NET_ADMIN in the network namespace");
		return r;
	}
	/* nfnetlink.c: no subsystem with that number */
	if (r == -EINVAL || r == -EPROTONOSUPPORT) {
		diag_add(diags, NULL,
			 "the kernel can't queue packets (CONFIG_NETFILTER_NETLINK_QUEUE)");
		diag_hint(diags, "load the module: modprobe nfnetlink_queue");
		return -EOPNOTSUPP;
	}
	diag_add(diags, NULL, "can't bind netfilter queue %u: %s", queue->config.number,
		 strerror(-r));
	return r;
}

static void set_receive_buffer(int fd)
{
	int size = RECEIVE_BUFFER;

	/* The first needs CAP_NET_ADMIN in the initial user namespace; the second is limited. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int open_timestamps(void)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1;

	/* Without it packets have no time stamps, which each packet shows. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)) < 0)
		return -1;
	return steal_fd(&fd);
}

static void prepare_datagrams(struct queue *queue)
{
	for (size_t i = 0; i < BATCH; i++) {
		queue->vectors[i] =
			(struct iovec){queue->buffers + i * queue->message_max, queue->message_max};
		queue->datagrams[i].msg_hdr.msg_iov = &queue->vectors[i];
		queue->datagrams[i].msg_hdr.msg_iovlen = 1;
	}
}

static int open_all(struct queue *queue, const struct queue_config *config, struct diag_list *diags)
{
	int r;

	r = netlink_open(NETLINK_NETFILTER, &queue->socket);
	if (r < 0)
		return bind_error(queue, r, diags);
	queue->fd = mnl_socket_get_fd(queue->socket);
	set_receive_buffer(queue->fd);

	queue->counters_fd = counters_open();
	r = bind_number(queue);
	if (r < 0)
		return bind_error(queue, r, diags);
	r = set_parameters(queue, config);
	if (r < 0)
		return bind_error(queue, r, diags);
	/* The bind may have loaded the module that makes the file. */
	if (queue->counters_fd < 0)
		queue->counters_fd = counters_open();
	queue->timestamp_fd = open_timestamps();
	return 0;
}

/* Reads both clocks at nearly the same moment: the best of several tries if it was interrupted. */
static void read_clocks(const struct queue *queue, struct queue_clocks *ret)
{
	ret->error_ns = INT64_MAX;
	for (int tries = 0; tries < 8 && ret->error_ns >= NS_PER_US; tries++) {
		int64_t before = clock_monotonic_ns();
		struct queue_clocks now = {
			/* The one that the kernel marks arrivals with. */
			.realtime_ns =
				queue->moved ? clock_kernel_realtime_ns() : clock_realtime_ns(),
		};

		now.monotonic_ns = clock_monotonic_ns();
		now.error_ns = now.monotonic_ns - before;
		if (now.error_ns < ret->error_ns)
			*ret = now;
	}
}

int queue_open(const struct queue_config *config, struct diag_list *diags, struct queue **ret)
{
	struct queue *queue = xzalloc(sizeof(*queue));
	int r;

	queue->config = *config;
	queue->timestamp_fd = -1;
	queue->counters_fd = -1;
	queue->whole_segments = config->whole_segments && !config->single_segments;
	queue->message_max = config->whole_packets ? MESSAGE_WHOLE : MESSAGE_MAX;
	queue->buffers = netlink_map(BATCH * queue->message_max);
	prepare_datagrams(queue);
	read_clocks(queue, &queue->clocks);
	queue->steady = queue->clocks;
	queue->empty_ns = queue->clocks.monotonic_ns;
	r = open_all(queue, config, diags);
	if (r < 0) {
		queue_free(queue);
		return r;
	}
	*ret = queue;
	return 0;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	if (queue->socket)
		mnl_socket_close(queue->socket);
	cleanup_close(&queue->timestamp_fd);
	cleanup_close(&queue->counters_fd);
	munmap(queue->buffers, BATCH * queue->message_max);
	free(queue);
}

int queue_fd(const struct queue *queue)
{
	return queue->fd;
}

bool queue_clock_was_set(const struct queue_clocks *before, const struct queue_clocks *now)
{
	int64_t elapsed_ns = now->monotonic_ns - before->monotonic_ns;
	int64_t set_by_ns = now->realtime_ns - before->realtime_ns - elapsed_ns;
	int64_t tolerance_ns =
		CLOCK_TOLERANCE_NS + elapsed_ns / SLEW_DIVISOR + before->error_ns + now->error_ns;

	if (before->error_ns > CLOCK_TOLERANCE_NS || now->error_ns > CLOCK_TOLERANCE_NS)
		return true;
	return set_by_ns > tolerance_ns || set_by_ns < -tolerance_ns;
}

int64_t queue_arrival_ns(int64_t stamp_ns, const struct queue_clocks *steady,
			 const struct queue_clocks *now, bool *ret_known)
{
	int64_t age_ns = now->realtime_ns - stamp_ns;

	*ret_known = stamp_ns >= steady->realtime_ns && age_ns >= 0 && age_ns <= MAX_AGE_NS &&
		     now->error_ns <= CLOCK_TOLERANCE_NS;
	return *ret_known ? now->monotonic_ns - age_ns : now->monotonic_ns;
}

static void sample_clocks(struct queue *queue)
{
	struct queue_clocks before = queue->clocks;

	read_clocks(queue, &queue->clocks);
	if (queue_clock_was_set(&before, &queue->clocks))
		queue->steady = queue->clocks;
}

static void note_arrival(const struct queue *queue, const struct nlattr *timestamp,
			 struct queued_packet *packet)
{
	struct nfqnl_msg_packet_timestamp stamp;

	int64_t stamp_ns;
	bool known = false;

	packet->arrived_ns = queue->clocks.monotonic_ns;
	packet->earliest_ns = queue->empty_ns;
	if (!timestamp || mnl_attr_get_payload_len(timestamp) < sizeof(stamp))
		return;
	memcpy(&stamp, mnl_attr_get_payload(timestamp), sizeof(stamp));
	stamp_ns =
		(int64_t)be64toh(stamp.sec) * NS_PER_S + (int64_t)be64toh(stamp.usec) * NS_PER_US;
	packet->arrived_ns = queue_arrival_ns(stamp_ns, &queue->steady, &queue->clocks, &known);
	packet->earliest_ns = known ? packet->arrived_ns : queue->empty_ns;
	/* A stamp has whole microseconds. */
	packet->overtaken =
		queue->moved && stamp_ns < queue->steady.realtime_ns - queue->awake_ns - NS_PER_US;
}

static void handle_packet(struct queue *queue, const struct nlmsghdr *message)
{
	struct nlattr *attributes[N_ATTRIBUTES] = {NULL};
	struct nfqnl_msg_packet_hdr header;
	struct queued_packet packet = {0};

	if (nfq_nlmsg_parse(message, attributes) < 0 || !attributes[NFQA_PACKET_HDR] ||
	    mnl_attr_get_payload_len(attributes[NFQA_PACKET_HDR]) < sizeof(header))
		return;
	memcpy(&header, mnl_attr_get_payload(attributes[NFQA_PACKET_HDR]), sizeof(header));
	queue->n_packets++;
	packet.id = ntohl(header.packet_id);
	packet.outgoing = header.hook == NF_INET_LOCAL_OUT;
	if (attributes[NFQA_PAYLOAD]) {
		packet.data = mnl_attr_get_payload(attributes[NFQA_PAYLOAD]);
		packet.length = mnl_attr_get_payload_len(attributes[NFQA_PAYLOAD]);
	}
	note_arrival(queue, attributes[NFQA_TIMESTAMP], &packet);
	queue->config.on_packet(queue->config.userdata, &packet);
}

static void handle_datagram(struct queue *queue, const uint8_t *data, size_t length)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)data;
	int left = (int)length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

			if (message->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(error->error) &&
			    error->error != 0)
				queue->failed_verdicts++;
		} else if (message->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) {
			handle_packet(queue, message);
		}
	}
}

/* Reads a batch. Returns the number of datagrams, or a negative errno (-EAGAIN: none). */
static int read_batch(struct queue *queue)
{
	int64_t before_ns = clock_monotonic_ns();
	int n, r;

	do {
		n = recvmmsg(queue->fd, queue->datagrams, BATCH, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		queue->empty_ns = before_ns;
	if (n < 0)
		return -errno;
	sample_clocks(queue);
	queue->dispatching = true;
	for (int i = 0; i < n; i++)
		handle_datagram(queue, queue->vectors[i].iov_base, queue->datagrams[i].msg_len);
	queue->dispatching = false;
	r = queue_flush(queue);
	return r < 0 ? r : n;
}

int queue_dispatch(struct queue *queue)
{
	const struct timespec rest = {.tv_nsec = REST_NS};
	int64_t end_ns = INT64_MAX;
	bool overrun = false;

	/*
	 * Read until nothing is left, even after a small batch: the next packets come in while
	 * verdicts are carried out, and to read them here is cheaper than to be woken up.
	 */
	while (queue->clocks.monotonic_ns < end_ns) {
		int r = read_batch(queue);

		if (r == -EAGAIN)
			return overrun ? -ENOBUFS : 0;
		if (r == -ENOBUFS) {
			queue->overruns++;
			overrun = true;
			continue;
		}
		if (r < 0)
			return r;
		if (end_ns == INT64_MAX)
			end_ns = queue->clocks.monotonic_ns + MAX_TURN_NS;
		/* Single packets come from a client that waits for each answer: don't delay it. */
		if (r > 1)
			(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
	}
	return overrun ? -ENOBUFS : 1;
}

static int send_message(const struct queue *queue, const void *data, size_t length)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do {
		sent = sendto(queue->fd, data, length, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Notes that verdicts are handed over from now on. */
static void note_handed(struct queue *queue)
{
	if (!queue->handed_ns)
		queue->handed_ns = clock_monotonic_ns();
}

/* Sends the gathered verdicts; on_handed_over is called later. */
static int send_verdicts(struct queue *queue)
{
	int r;

	note_handed(queue);
	r = send_message(queue, queue->verdicts, queue->verdicts_length);

	queue->verdicts_length = 0;
	return r;
}

/* Sends a verdict that replaces its packet, as a separate datagram, after the gathered ones. */
static int set_packet(struct queue *queue, uint32_t id, const struct packet_verdict *verdict)
{
	AUTO_FREE uint8_t *buffer = NULL;
	struct nlmsghdr *message;
	int r;

	/* An attribute's length, with its header, has 16 bits. */
	if (verdict->length > UINT16_MAX - MNL_ATTR_HDRLEN)
		return -EMSGSIZE;
	r = queue->verdicts_length > 0 ? send_verdicts(queue) : 0;
	if (r < 0)
		return r;
	buffer = xmalloc(VERDICT_MAX + NLMSG_ALIGN(verdict->length) + MNL_ATTR_HDRLEN);
	message = nfq_nlmsg_put((char *)buffer, NFQNL_MSG_VERDICT, queue->config.number);
	nfq_nlmsg_verdict_put(message, (int)id, NF_ACCEPT);
	nfq_nlmsg_verdict_put_pkt(message, verdict->data, (uint32_t)verdict->length);
	queue->gathered = true;
	note_handed(queue);
	return send_message(queue, message, message->nlmsg_len);
}

/* Returns the kernel's number for a verdict. */
static int number_of(const struct queue *queue, enum verdict_kind kind)
{
	if (kind == VERDICT_DROP)
		return NF_DROP;
	return queue->config.repeats && kind != VERDICT_ACCEPT ? NF_REPEAT : NF_ACCEPT;
}

int queue_set_verdict(struct queue *queue, uint32_t id, const struct packet_verdict *verdict)
{
	enum verdict_kind kind = verdict->kind;
	struct nlmsghdr *message;

	if (verdict->data) {
		int r = set_packet(queue, id, verdict);

		return r < 0 || queue->dispatching ? r : queue_flush(queue);
	}

	if (queue->verdicts_length + VERDICT_MAX > sizeof(queue->verdicts)) {
		/* within on_packet: on_handed_over follows with the rest of the batch */
		int r = send_verdicts(queue);

		if (r < 0)
			return r;
	}
	message = nfq_nlmsg_put((char *)queue->verdicts + queue->verdicts_length, NFQNL_MSG_VERDICT,
				queue->config.number);
	nfq_nlmsg_verdict_put(message, (int)id, number_of(queue, kind));
	if (kind == VERDICT_REFUSE)
		nfq_nlmsg_verdict_put_mark(message, queue->config.refuse_mark);
	if (kind == VERDICT_UNREACHABLE)
		nfq_nlmsg_verdict_put_mark(message, fwmark_unreachable(queue->config.refuse_mark,
								       verdict->unreachable));
	queue->verdicts_length += NLMSG_ALIGN(message->nlmsg_len);
	queue->gathered = true;
	return queue->dispatching ? 0 : queue_flush(queue);
}

int queue_flush(struct queue *queue)
{
	int64_t handed_ns;
	int r;

	if (!queue->gathered)
		return 0;
	r = queue->verdicts_length > 0 ? send_verdicts(queue) : 0;
	if (r < 0)
		return r;
	handed_ns = queue->handed_ns;
	queue->handed_ns = 0;
	queue->gathered = false;
	if (queue->config.on_handed_over)
		queue->config.on_handed_over(queue->config.userdata, handed_ns,
					     clock_monotonic_ns());
	return 0;
}

int queue_copy_all(struct queue *queue, bool all)
{
	char buffer[256];
	struct nlmsghdr *message = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, queue->config.number);

	/* without an acknowledgment, which would come between the packets */
	nfq_nlmsg_cfg_put_params(message, NFQNL_COPY_PACKET, all ? COPY_WHOLE : PACKET_COPY_RANGE);
	if (queue->whole_segments) {
		mnl_attr_put_u32(message, NFQA_CFG_FLAGS, htonl(all ? 0 : NFQA_CFG_F_GSO));
		mnl_attr_put_u32(message, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	}
	return send_message(queue, message, message->nlmsg_len);
}

void queue_clock_moved(struct queue *queue, int64_t awake_ns)
{
	queue->moved = true;
	queue->awake_ns = awake_ns;
	read_clocks(queue, &queue->clocks);
	queue->steady = queue->clocks;
	queue->empty_ns = queue->clocks.monotonic_ns - awake_ns;
}

uint64_t queue_n_packets(const struct queue *queue)
{
	return queue->n_packets;
}

int queue_losses(struct queue *queue, struct queue_losses *ret)
{
	struct counters counters = {0};
	int r = 0;

	if (queue->counters_fd >= 0)
		r = counters_read(queue->counters_fd, queue->config.number, &counters);
	if (r < 0)
		return r;
	*ret = (struct queue_losses){
		.queue_dropped = counters.queue_dropped,
		.user_dropped = counters.user_dropped,
		.overruns = queue->overruns,
		.failed_verdicts = queue->failed_verdicts,
	};
	return 0;
}
