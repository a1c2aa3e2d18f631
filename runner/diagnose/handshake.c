/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trials of the handshake: see handshake.h. All sockets are non-blocking and polled together. A
 * packet belongs to the trial with its ports. If packets can't be watched, the kernel is asked
 * instead: tcp_info has the number of SYNs, and the error queue of the last trial's socket the
 * ICMP errors.
 */
#include "runner/diagnose/handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>

#include "common/duration.h"
#include "runner/diagnose/error_queue.h"
#include "runner/diagnose/packet_watch.h"

/* How long to watch for a close: a server that drops a new connection does so at once. */
#define AFTER_NS (300 * NS_PER_MS)
/*
 * How long to watch the first connection to each address, while the other trials go on: a server
 * that did not get the last packet of the handshake retransmits its SYN-ACK after 1 s
 * (TCP_TIMEOUT_INIT, include/net/tcp.h).
 */
#define WATCH_ON_NS (1300 * NS_PER_MS)

/* How often to look for a signal. */
#define GLANCE_NS (200 * NS_PER_MS)

enum phase {
	PHASE_DUE,
	PHASE_CONNECTING,
	PHASE_CONNECTED, /* watching what follows at once */
	PHASE_DONE,
};

struct running {
	const struct address *address;
	struct address target; /* with the port to connect to */
	struct trial *trial;
	int64_t due_ns, started_ns, realtime_ns, until_ns;
	enum phase phase;
	int fd;
	bool watches_on;                           /* see WATCH_ON_NS */
	bool takes_errors;                         /* ICMP errors go to its error queue */
	struct address own;                        /* our end */
	uint32_t syn_interface, syn_ack_interface; /* where the first one was seen */
};

struct trials {
	struct running *items;
	size_t n_items, capacity;
	struct packet_watch *watch; /* NULL: not permitted */
	int64_t patience_ns;
};

static void finish(struct running *running, int error)
{
	running->trial->error = error;
	running->phase = PHASE_DONE;
	if (running->fd >= 0)
		close(running->fd);
	running->fd = -1;
}

static void start(struct trials *trials, struct running *running)
{
	struct sockaddr_storage to, own;
	socklen_t length = address_to_sockaddr(&running->target, &to), own_length = sizeof(own);

	running->started_ns = clock_monotonic_ns();
	running->realtime_ns = clock_realtime_ns();
	running->trial->started_ns = running->started_ns;
	running->until_ns = running->started_ns + trials->patience_ns;
	running->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (running->fd < 0) {
		finish(running, errno);
		return;
	}
	if (running->takes_errors)
		error_queue_enable(running->fd, running->address->family);
	running->phase = PHASE_CONNECTING;
	if (connect(running->fd, (const struct sockaddr *)&to, length) < 0 &&
	    errno != EINPROGRESS) {
		running->trial->took_ns = clock_monotonic_ns() - running->started_ns;
		finish(running, errno);
		return;
	}
	if (getsockname(running->fd, (struct sockaddr *)&own, &own_length) == 0 &&
	    address_from_sockaddr((const struct sockaddr *)&own, &running->own) == 0)
		running->trial->port = running->own.port;
}

static void read_tcp_info(struct running *running)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	int mss;

	if (getsockopt(running->fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
		running->trial->syns = info.tcpi_total_retrans + 1;
	length = sizeof(mss);
	if (running->phase == PHASE_CONNECTED &&
	    getsockopt(running->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &length) == 0 && mss > 0)
		running->trial->mss = (uint32_t)mss;
}

static void read_error_queue(struct running *running)
{
	struct trial *trial = running->trial;
	struct icmp_error error;

	if (!running->takes_errors || !error_queue_read(running->fd, &error))
		return;
	trial->icmp_ns = clock_monotonic_ns() - running->started_ns;
	trial->icmp_type = error.type;
	trial->icmp_code = error.code;
	trial->icmp_from = error.from;
}

static void take_result(struct running *running)
{
	int error = 0;
	socklen_t length = sizeof(error);
	int64_t now_ns = clock_monotonic_ns();

	if (getsockopt(running->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	running->trial->took_ns = now_ns - running->started_ns;
	/* In SYN-SENT an RST refuses; this one came after the handshake. */
	running->trial->reset_at_once = error == ECONNRESET || error == EPIPE;
	if (error == 0 || running->trial->reset_at_once)
		running->phase = PHASE_CONNECTED;
	read_tcp_info(running);
	if (error) {
		read_error_queue(running);
		finish(running, running->trial->reset_at_once ? 0 : error);
		return;
	}
	running->until_ns = now_ns + (running->watches_on ? WATCH_ON_NS : AFTER_NS);
}

static void take_what_follows(struct running *running)
{
	char byte;
	ssize_t length = recv(running->fd, &byte, 1, MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	running->trial->closed_at_once = length == 0;
	running->trial->reset_at_once = length < 0;
	finish(running, 0);
}

static void give_up(struct running *running)
{
	if (running->phase == PHASE_CONNECTING) {
		running->trial->took_ns = clock_monotonic_ns() - running->started_ns;
		running->trial->gave_up = true;
		read_tcp_info(running);
		read_error_queue(running);
	} else {
		running->trial->watched_on = running->watches_on;
	}
	finish(running, running->trial->gave_up ? ETIMEDOUT : 0);
}

static void add_trial(struct trials *trials, const struct address *address, uint16_t port,
		      struct trial *trial, int64_t due_ns, bool takes_errors)
{
	struct running running = {
		.address = address,
		.target = *address,
		.trial = trial,
		.due_ns = due_ns,
		.fd = -1,
		.takes_errors = takes_errors,
	};

	*trial = (struct trial){
		.syn_ack_ns = INT64_MAX,
		.rst_ns = INT64_MAX,
		.icmp_ns = INT64_MAX,
	};
	running.target.port = port;
	array_append(trials->items, trials->n_items, trials->capacity, running);
}

static void plan_trials(struct trials *trials, struct evidence *evidence,
			const struct handshake_plan *plan)
{
	int64_t now_ns = clock_monotonic_ns();

	for (size_t i = 0; i < evidence->n_addresses; i++) {
		struct address_evidence *address = &evidence->addresses[i];

		address->n_trials = MIN(plan->n_trials, (unsigned)MAX_TRIALS);
		for (size_t k = 0; k < address->n_trials; k++) {
			/*
			 * With an error queue, errors end connect() at once that a client would not
			 * see. So only the last trial has one.
			 */
			bool takes_errors = !trials->watch && k > 0 && k + 1 == address->n_trials;

			add_trial(trials, &address->address, address->address.port,
				  &address->trials[k], now_ns + (int64_t)k * plan->interval_ns,
				  takes_errors);
			trials->items[trials->n_items - 1].watches_on =
				k == 0 && trials->watch &&
				(int64_t)(address->n_trials - 1) * plan->interval_ns + AFTER_NS >=
					WATCH_ON_NS;
		}
		if (plan->compare_port) {
			address->compared = true;
			add_trial(trials, &address->address, plan->compare_port, &address->compare,
				  now_ns, false);
		}
	}
}

/* Starts trials that are due and ends those whose time has run out. Returns when to do so next. */
static int64_t keep_time(struct trials *trials)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < trials->n_items; i++) {
		struct running *running = &trials->items[i];
		int64_t now_ns = clock_monotonic_ns();

		if (running->phase == PHASE_DUE && running->due_ns <= now_ns)
			start(trials, running);
		else if (running->phase != PHASE_DUE && running->phase != PHASE_DONE &&
			 running->until_ns <= now_ns)
			give_up(running);
		if (running->phase == PHASE_DUE)
			next_ns = MIN(next_ns, running->due_ns);
		else if (running->phase != PHASE_DONE)
			next_ns = MIN(next_ns, running->until_ns);
	}
	return next_ns;
}

static void take_ready(struct running *running)
{
	if (running->phase == PHASE_CONNECTING)
		take_result(running);
	else if (running->phase == PHASE_CONNECTED)
		take_what_follows(running);
}

static void wait_for_events(struct trials *trials, int64_t until_ns)
{
	AUTO_FREE struct pollfd *fds = xzalloc((trials->n_items + 1) * sizeof(*fds));
	AUTO_FREE struct running **by_fd =
		xzalloc((trials->n_items + 1) * sizeof(struct running *));
	int64_t in_ns = MAX(until_ns - clock_monotonic_ns(), 0);
	nfds_t n = 0;

	for (size_t i = 0; i < trials->n_items; i++) {
		struct running *running = &trials->items[i];

		if (running->phase != PHASE_CONNECTING && running->phase != PHASE_CONNECTED)
			continue;
		by_fd[n] = running;
		fds[n++] = (struct pollfd){
			.fd = running->fd,
			.events = running->phase == PHASE_CONNECTING ? POLLOUT : POLLIN,
		};
	}
	if (trials->watch)
		fds[n++] = (struct pollfd){.fd = packet_watch_fd(trials->watch), .events = POLLIN};
	if (poll(fds, n, (int)(in_ns / NS_PER_MS) + 1) <= 0)
		return;
	if (trials->watch)
		packet_watch_read(trials->watch);
	for (nfds_t i = 0; i < n; i++)
		if (by_fd[i] && fds[i].revents)
			take_ready(by_fd[i]);
}

/* ---- what the packets say ---- */

static bool is_syn(const struct seen_packet *packet)
{
	return !packet->is_icmp && (packet->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
}

static bool belongs(const struct running *running, const struct seen_packet *packet,
		    bool *ret_from_client)
{
	const struct trial *trial = running->trial;
	const struct address *server =
		trial->translated.family ? &trial->translated : &running->target;

	*ret_from_client = packet->source.port == running->trial->port &&
			   address_equal(&packet->destination, server);
	return *ret_from_client || (packet->destination.port == running->trial->port &&
				    address_equal(&packet->source, server));
}

/*
 * A bridge, a bond and a VLAN show a packet once more on each device below them. So a packet counts
 * only on the device where the first one of its kind was seen.
 */
static bool counts(uint32_t *first_interface, const struct seen_packet *packet)
{
	if (*first_interface == 0)
		*first_interface = packet->interface;
	return *first_interface == packet->interface;
}

static void note_packet(struct running *running, const struct seen_packet *packet, bool from_client,
			unsigned *syns)
{
	struct trial *trial = running->trial;
	int64_t at_ns = packet->at_ns - running->realtime_ns;

	if (packet->is_icmp) {
		if (trial->icmp_ns != INT64_MAX || !from_client)
			return;
		trial->icmp_ns = at_ns;
		trial->icmp_type = packet->icmp_type;
		trial->icmp_code = packet->icmp_code;
		trial->icmp_from = packet->from;
	} else if (from_client) {
		if (is_syn(packet)) {
			trial->own_syn_seen = true;
			*syns += counts(&running->syn_interface, packet);
		}
	} else if (packet->flags & TCP_FLAG_RST) {
		if (trial->rst_ns != INT64_MAX)
			return;
		trial->rst_ns = at_ns;
		trial->rst_ttl = packet->ttl;
		trial->rst_window = packet->window;
	} else if (packet->flags & TCP_FLAG_SYN && counts(&running->syn_ack_interface, packet) &&
		   trial->syn_acks++ == 0) {
		trial->syn_ack_ns = at_ns;
		trial->syn_ack_ttl = packet->ttl;
	}
}

/* Finds out whether NAT of this host sends the SYNs elsewhere: then none goes to the target. */
static void find_translation(struct running *running, const struct seen_packet *seen, size_t n)
{
	bool from_client;

	for (size_t i = 0; i < n; i++)
		if (belongs(running, &seen[i], &from_client))
			return;
	for (size_t i = 0; i < n; i++)
		if (is_syn(&seen[i]) && address_equal(&seen[i].source, &running->own)) {
			running->trial->translated = seen[i].destination;
			return;
		}
}

static void keep_packet(struct evidence *evidence, struct seen_packet *packet,
			const struct trial *begins)
{
	array_append(evidence->packets, evidence->n_packets, evidence->packets_capacity,
		     (struct trial_packet){*packet, begins});
	packet->data = NULL;
}

static void match_packets(const struct trials *trials, struct running *running,
			  struct evidence *evidence)
{
	size_t n_seen, first = 0;
	struct seen_packet *seen = packet_watch_seen(trials->watch, &n_seen);
	unsigned syns = 0;
	bool from_client, begun = false;

	running->trial->watched = running->trial->port != 0;
	if (!running->trial->watched)
		return;
	/* The port may have belonged to another program before this trial. */
	while (first < n_seen && seen[first].at_ns < running->realtime_ns - NS_PER_MS)
		first++;
	find_translation(running, seen + first, n_seen - first);
	for (size_t i = first; i < n_seen; i++) {
		if (!belongs(running, &seen[i], &from_client))
			continue;
		note_packet(running, &seen[i], from_client, &syns);
		if (seen[i].data)
			keep_packet(evidence, &seen[i], begun ? NULL : running->trial);
		begun = true;
	}
	if (syns > 0)
		running->trial->syns = syns;
}

static int compare_packets(const void *a, const void *b)
{
	const struct trial_packet *left = a, *right = b;

	return COMPARE(left->seen.at_ns, right->seen.at_ns);
}

/* Takes from the watch what belongs to the trials. */
static void take_packets(struct trials *trials, struct evidence *evidence)
{
	packet_watch_read(trials->watch);
	for (size_t i = 0; i < trials->n_items; i++)
		match_packets(trials, &trials->items[i], evidence);
	if (evidence->n_packets > 1)
		qsort(evidence->packets, evidence->n_packets, sizeof(*evidence->packets),
		      compare_packets);
}

/* Returns whether a signal waits that the caller has blocked, to clean up before it ends us. */
static bool is_interrupted(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGHUP) == 1);
}

void handshake_try(struct evidence *evidence, const struct handshake_plan *plan)
{
	struct trials trials = {.patience_ns = plan->patience_ns};
	int64_t next_ns;

	evidence->patience_ns = plan->patience_ns;
	evidence->watched = packet_watch_open(plan->keep_packets, &trials.watch) == 0;
	plan_trials(&trials, evidence, plan);
	while (!is_interrupted() && (next_ns = keep_time(&trials)) != INT64_MAX)
		wait_for_events(&trials, MIN(next_ns, clock_monotonic_ns() + GLANCE_NS));
	if (trials.watch)
		take_packets(&trials, evidence);
	packet_watch_free(trials.watch);
	free(trials.items);
}
