/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracks the sockets of attempts: see socket_watch.h. */
#include "injector/socket_watch.h"

#include <errno.h>
#include <uthash.h>
#include <utlist.h>

#define NO_ATTEMPT UINT32_MAX

/* An attempt whose socket may be in the table. */
struct watched {
	struct watched *prev, *next;
	uint32_t attempt;
	struct address client, server;
	uint64_t cookie;
	int64_t seen_ns; /* when the table last had it */
	uint8_t state;   /* its state then */
	bool answered;
	bool reported;       /* on_open() was called */
	int64_t reported_ns; /* … with this time */
};
struct known_socket {
	UT_hash_handle hh;
	uint64_t cookie;
	uint32_t newest; /* attempt */
};

struct by_attempt {
	struct watched *watched; /* NULL: forgotten */
	uint32_t earlier;        /* attempt of the same socket; NO_ATTEMPT: none */
};

struct socket_watch {
	struct socket_watch_host host;
	bool blind;
	struct watched *unanswered, *answered; /* the newest first */
	struct known_socket *sockets;
	struct by_attempt *attempts; /* by id */
	size_t n_attempts, attempts_capacity;
};

struct socket_watch *socket_watch_new(const struct socket_watch_host *host)
{
	struct socket_watch *watch = xzalloc(sizeof(*watch));

	watch->host = *host;
	return watch;
}

static void forget(struct socket_watch *watch, struct watched *watched)
{
	if (watched->answered)
		DL_DELETE(watch->answered, watched);
	else
		DL_DELETE(watch->unanswered, watched);
	watch->attempts[watched->attempt].watched = NULL;
	free(watched);
}

void socket_watch_free(struct socket_watch *watch)
{
	struct known_socket *socket, *next;

	if (!watch)
		return;
	for (size_t i = 0; i < watch->n_attempts; i++)
		free(watch->attempts[i].watched);
	HASH_ITER (hh, watch->sockets, socket, next) {
		HASH_DEL(watch->sockets, socket);
		free(socket);
	}
	free(watch->attempts);
	free(watch);
}

static struct watched *watched_of(const struct socket_watch *watch, uint32_t attempt)
{
	return attempt < watch->n_attempts ? watch->attempts[attempt].watched : NULL;
}

static int find(struct socket_watch *watch, const struct address *client,
		const struct address *server, struct sock_found *ret)
{
	int r;

	if (watch->blind)
		return -EOPNOTSUPP;
	r = watch->host.find(watch->host.context, client, server, ret);
	if (r < 0 && r != -ENOENT) {
		watch->blind = true;
		watch->host.on_blind(watch->host.context, r);
	}
	return r;
}

static struct known_socket *socket_of(const struct socket_watch *watch, uint64_t cookie)
{
	struct known_socket *socket;

	HASH_FIND(hh, watch->sockets, &cookie, sizeof(cookie), socket);
	return socket;
}

/* Notes a socket's newest attempt. Returns the previous one, or NO_ATTEMPT. */
static uint32_t note_newest(struct socket_watch *watch, uint64_t cookie, uint32_t attempt)
{
	struct known_socket *socket = socket_of(watch, cookie);
	uint32_t earlier = NO_ATTEMPT;

	if (!socket) {
		socket = xzalloc(sizeof(*socket));
		socket->cookie = cookie;
		HASH_ADD(hh, watch->sockets, cookie, sizeof(socket->cookie), socket);
	} else {
		earlier = socket->newest;
	}
	socket->newest = attempt;
	return earlier;
}

static void report_gone(struct socket_watch *watch, struct watched *watched, int64_t at_ns)
{
	uint32_t attempt = watched->attempt;
	int64_t seen_ns = watched->seen_ns;

	forget(watch, watched);
	watch->host.on_gone(watch->host.context, attempt, seen_ns, MAX(at_ns, seen_ns));
}

int socket_watch_begin(struct socket_watch *watch, const struct attempt_info *attempt,
		       struct sock_found *ret)
{
	struct watched *watched;
	uint32_t earlier;
	int r;

	while (watch->n_attempts <= attempt->id)
		array_append(watch->attempts, watch->n_attempts, watch->attempts_capacity,
			     (struct by_attempt){.earlier = NO_ATTEMPT});
	r = find(watch, &attempt->key.client, &attempt->key.server, ret);
	if (r < 0)
		return r;

	earlier = note_newest(watch, ret->cookie, attempt->id);
	watch->attempts[attempt->id].earlier = earlier;
	watched = watched_of(watch, earlier);
	if (watched && watched->answered)
		forget(watch, watched);
	else if (watched)
		report_gone(watch, watched, attempt->started_ns);

	watched = xzalloc(sizeof(*watched));
	watched->attempt = attempt->id;
	watched->client = attempt->key.client;
	watched->server = attempt->key.server;
	watched->cookie = ret->cookie;
	watched->seen_ns = attempt->started_ns;
	watch->attempts[attempt->id].watched = watched;
	DL_PREPEND(watch->unanswered, watched);
	return 0;
}

/*
 * Looks at an attempt. Returns whether the table has its socket and a process has it open. If not,
 * forgets the attempt.
 */
static bool look_at(struct socket_watch *watch, struct watched *watched)
{
	const struct socket_watch_host *host = &watch->host;
	int64_t before_ns = host->now_ns(host->context);
	struct sock_found found;
	int r = find(watch, &watched->client, &watched->server, &found);

	if (r < 0 && r != -ENOENT)
		return true; /* unknown */
	/* Another socket may have these addresses and ports now. */
	if (r == 0 && found.cookie == watched->cookie && found.inode != 0) {
		watched->seen_ns = MAX(watched->seen_ns, before_ns);
		watched->state = found.state;
		host->on_seen(host->context, watched->attempt, before_ns);
		return true;
	}
	if (watched->answered)
		forget(watch, watched);
	else
		report_gone(watch, watched, host->now_ns(host->context));
	return false;
}

static void report_open(struct socket_watch *watch, struct watched *watched)
{
	watched->reported = true;
	watched->reported_ns = watched->seen_ns;
	watch->host.on_open(watch->host.context, watched->attempt, watched->seen_ns,
			    watched->state);
}

/* Looks at the newest attempts of a list, except @except. Returns how many looks are left. */
static int look_at_list(struct socket_watch *watch, struct watched *list, uint32_t except, int left)
{
	struct watched *watched = list;

	while (watched && left > 0 && !watch->blind) {
		struct watched *next = watched->next;

		if (watched->attempt != except) {
			left--;
			if (look_at(watch, watched) && !watched->reported && !watch->blind)
				report_open(watch, watched);
		}
		watched = next;
	}
	return left;
}

void socket_watch_look(struct socket_watch *watch, uint32_t attempt)
{
	int left = look_at_list(watch, watch->unanswered, attempt, SOCKET_WATCH_MAX_LOOKS);

	(void)look_at_list(watch, watch->answered, attempt, left);
}

bool socket_watch_poll(struct socket_watch *watch)
{
	struct watched *watched = watch->unanswered;

	for (int left = SOCKET_WATCH_MAX_LOOKS; watched && left > 0 && !watch->blind; left--) {
		struct watched *next = watched->next;

		(void)look_at(watch, watched);
		watched = next;
	}
	return !watch->blind && watch->unanswered;
}

void socket_watch_answered(struct socket_watch *watch, uint32_t attempt)
{
	struct watched *watched = watched_of(watch, attempt);

	if (!watched || watched->answered)
		return;
	DL_DELETE(watch->unanswered, watched);
	watched->answered = true;
	DL_PREPEND(watch->answered, watched);
}

void socket_watch_forget(struct socket_watch *watch, uint32_t attempt)
{
	struct watched *watched = watched_of(watch, attempt);

	if (watched)
		forget(watch, watched);
}

void socket_watch_finish(struct socket_watch *watch)
{
	for (size_t i = 0; i < watch->n_attempts; i++) {
		struct watched *watched = watch->attempts[i].watched;

		/* 0: it was never seen */
		if (watched && watched->state &&
		    (!watched->reported || watched->reported_ns < watched->seen_ns))
			report_open(watch, watched);
	}
}

int socket_watch_find(const struct socket_watch *watch, uint64_t cookie, uint32_t *ret_attempt)
{
	const struct known_socket *socket = socket_of(watch, cookie);

	if (!socket)
		return -ENOENT;
	*ret_attempt = socket->newest;
	return 0;
}

int socket_watch_earlier(const struct socket_watch *watch, uint32_t attempt, uint32_t *ret_attempt)
{
	uint32_t earlier =
		attempt < watch->n_attempts ? watch->attempts[attempt].earlier : NO_ATTEMPT;

	if (earlier == NO_ATTEMPT)
		return -ENOENT;
	*ret_attempt = earlier;
	return 0;
}
