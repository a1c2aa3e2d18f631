/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracks attempts, and decides about their SYNs: see tracker.h for the theory.
 *
 * Attempts live in chunks that never move; an attempt's id is its index. Two hash tables lead to
 * them: by key (4-tuple and ISN), and by 4-tuple alone. An entry of the second is a flow: the
 * attempts of one 4-tuple in their order, linked by id. A flow is stored in its first attempt,
 * since nearly every attempt has its own port, and so its own flow. Every operation takes constant
 * time, however many endpoints and attempts there are.
 */
#include <assert.h>
#include <errno.h>

#include "injector/step_select.h"
#include "injector/tracker.h"

/*
 * Hashes a key of 4-byte words, 8 bytes at a time: multiplies, and folds the high half down, since
 * uthash uses the low bits.
 */
static unsigned hash_words(const void *key, size_t length)
{
	const uint8_t *bytes = key;
	uint64_t hash = length;

	for (; length >= 8; bytes += 8, length -= 8) {
		uint64_t word;

		memcpy(&word, bytes, 8);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	if (length >= 4) {
		uint32_t word;

		memcpy(&word, bytes, 4);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return (unsigned)hash;
}

#define uthash_fatal(message)            out_of_memory()
#define HASH_FUNCTION(key, length, hash) ((hash) = hash_words((key), (length)))
#include <uthash.h>

#define CHUNK_ATTEMPTS 128
#define NO_ATTEMPT     UINT32_MAX

/* The client's and the server's address: the first part of a key. */
#define FLOW_KEY_SIZE offsetof(struct attempt_key, isn)

/* What a retransmission needs comes first: with many attempts, memory access takes the time. */
struct attempt {
	UT_hash_handle by_key;
	struct attempt_info info; /* its step is one of the part's */
	uint32_t part;
	uint32_t syn_data;   /* the most data that one of its SYNs carried (RFC 7413) */
	uint32_t older;      /* the previous attempt of its flow, or NO_ATTEMPT */
	uint32_t older_open; /* the newest open attempt of its flow at its start, or NO_ATTEMPT */
	/* Of the flow; valid only in its first attempt. */
	uint32_t newest;
	uint32_t newest_open; /* may be closed; tracker_find_open() then skips it */
	UT_hash_handle by_flow;
};

/* A script while it is in force. It never moves, since others borrow its steps. */
struct part {
	struct script script;
	struct step_select progress;
	uint32_t first_step; /* its number among the steps of all the endpoint's scripts */
	uint32_t held;       /* number of the only attempt that it serves; 0: it is a script */
	uint32_t attempt;    /* id of that attempt, or NO_ATTEMPT if it has not started */
	bool released;       /* that attempt */
	bool pauses;         /* it has a STEP_PAUSE */
};

struct endpoint {
	struct part **parts; /* at least one */
	size_t n_parts, capacity;
	uint32_t current;                /* index of the script in force */
	uint32_t n_attempts, n_expected; /* those to hold that have not started */
};

/* An address of an endpoint; an endpoint may have several. */
struct listener {
	struct address address;
	uint32_t endpoint, list;
	UT_hash_handle hh;
};

struct tracker {
	int64_t origin_ns; /* the client's start; 0: unknown so far */
	uint64_t seed;
	struct endpoint *endpoints;
	size_t n_endpoints;
	struct listener *listeners, *listeners_by_address;

	struct attempt **chunks;
	size_t n_chunks, chunks_capacity;
	uint32_t n_attempts;
	struct attempt *by_key, *by_flow;
};

const char *verdict_kind_name(enum verdict_kind kind)
{
	static const char *const names[] = {
		[VERDICT_ACCEPT] = "accept",
		[VERDICT_REFUSE] = "refuse",
		[VERDICT_DROP] = "drop",
		[VERDICT_UNREACHABLE] = "unreachable",
	};
	_Static_assert(ARRAY_SIZE(names) == VERDICT_N_KINDS, "one name per kind");

	return names[kind];
}

struct verdict step_decide(const struct step *step, uint32_t syn_ordinal, int64_t delay_ns)
{
	struct verdict verdict = {.kind = VERDICT_ACCEPT, .unreachable = step->unreachable};

	switch (step->action) {
	case STEP_REFUSE:
		verdict.kind = VERDICT_REFUSE;
		break;
	case STEP_DROP:
		verdict.kind = VERDICT_DROP;
		break;
	case STEP_LOSE:
		if (syn_ordinal <= step->lose)
			verdict.kind = VERDICT_DROP;
		break;
	case STEP_DELAY:
		verdict.kind = step->then_refuse        ? VERDICT_REFUSE
			       : step->then_unreachable ? VERDICT_UNREACHABLE
							: VERDICT_ACCEPT;
		verdict.hold_ns = delay_ns;
		break;
	case STEP_UNREACHABLE:
		verdict.kind = VERDICT_UNREACHABLE;
		break;
	case STEP_BACKLOG_FULL:
		verdict.kind = step->abort ? VERDICT_ACCEPT : VERDICT_DROP;
		break;
	case STEP_LOSE_SYN_ACK:
	case STEP_HALF_OPEN:
	case STEP_RESET:
	case STEP_STALL:
	case STEP_CLOSE:
	case STEP_SLOW:
	case STEP_PACKET_LOSS:
	case STEP_LATENCY:
	case STEP_PAUSE:
	case STEP_ACCEPT:
	case STEP_N_ACTIONS:
		break;
	}
	return verdict;
}

static void add_listener(struct tracker *tracker, struct listener *listener)
{
	HASH_ADD(hh, tracker->listeners_by_address, address, sizeof(listener->address), listener);
}

static struct listener *find_listener(const struct tracker *tracker, const struct address *address)
{
	struct listener *listener;

	HASH_FIND(hh, tracker->listeners_by_address, address, sizeof(*address), listener);
	return listener;
}

static struct part *add_part(struct tracker *tracker, uint32_t index, const struct script *script)
{
	struct endpoint *endpoint = &tracker->endpoints[index];
	const struct part *last = endpoint->n_parts ? endpoint->parts[endpoint->n_parts - 1] : NULL;
	struct part *part = xzalloc(sizeof(*part));

	assert(script->n_steps > 0);
	for (size_t i = 0; i < script->n_steps; i++) {
		script_append(&part->script, &script->steps[i]);
		part->pauses = part->pauses || script->steps[i].action == STEP_PAUSE;
	}
	if (last)
		part->first_step = last->first_step + (uint32_t)last->script.n_steps;
	step_select_init(&part->progress, &part->script, index, tracker->seed);
	part->attempt = NO_ATTEMPT;
	array_append(endpoint->parts, endpoint->n_parts, endpoint->capacity, part);
	return part;
}

uint32_t tracker_replace(struct tracker *tracker, uint32_t endpoint, const struct script *script)
{
	assert(endpoint < tracker->n_endpoints && script_n_lists(script) == 1);
	(void)add_part(tracker, endpoint, script);
	tracker->endpoints[endpoint].current = (uint32_t)tracker->endpoints[endpoint].n_parts - 1;
	return tracker->endpoints[endpoint].n_attempts + 1;
}

/* Returns the part for an attempt that is, or was, to be held, or NULL. */
static struct part *find_hold(const struct endpoint *endpoint, uint32_t number)
{
	for (size_t i = 0; i < endpoint->n_parts; i++)
		if (number != 0 && endpoint->parts[i]->held == number)
			return endpoint->parts[i];
	return NULL;
}

int tracker_hold(struct tracker *tracker, uint32_t index, uint32_t number, int64_t limit_ns,
		 uint32_t *ret_number)
{
	struct endpoint *endpoint = &tracker->endpoints[index];
	struct step step = {.action = STEP_DELAY,
			    .repeat = 1,
			    .delay_min_ns = limit_ns,
			    .delay_max_ns = limit_ns};
	const struct script script = {.steps = &step, .n_steps = 1};

	if (number == 0)
		number = endpoint->n_attempts + 1;
	*ret_number = number;
	if (number <= endpoint->n_attempts || find_hold(endpoint, number))
		return -EEXIST;
	add_part(tracker, index, &script)->held = number;
	endpoint->n_expected++;
	return 0;
}

struct tracker *tracker_new(const struct tracker_endpoint *endpoints, size_t n_endpoints,
			    uint64_t seed)
{
	struct tracker *tracker = xzalloc(sizeof(*tracker));
	size_t n_listeners = 0;

	tracker->n_endpoints = n_endpoints;
	tracker->seed = seed;
	tracker->endpoints = xzalloc(n_endpoints * sizeof(*tracker->endpoints));
	for (size_t i = 0; i < n_endpoints; i++)
		n_listeners += endpoints[i].n_addresses;
	tracker->listeners = xzalloc(n_listeners * sizeof(*tracker->listeners));

	n_listeners = 0;
	for (size_t i = 0; i < n_endpoints; i++) {
		const struct script *script = endpoints[i].script;

		add_part(tracker, (uint32_t)i, script);
		for (size_t j = 0; j < endpoints[i].n_addresses; j++) {
			struct listener *listener = &tracker->listeners[n_listeners++];

			listener->address = endpoints[i].addresses[j];
			listener->endpoint = (uint32_t)i;
			listener->list = endpoints[i].lists ? endpoints[i].lists[j] : 0;
			assert(listener->list < script_n_lists(script));
			add_listener(tracker, listener);
		}
	}
	return tracker;
}

void tracker_client_started(struct tracker *tracker, int64_t at_ns)
{
	tracker->origin_ns = at_ns;
}

void tracker_command(struct tracker *tracker, uint32_t endpoint, int64_t at_ns, int64_t lasts_ns)
{
	if (!tracker->origin_ns)
		tracker->origin_ns = at_ns;
	/* only the first script can have such outages */
	step_select_command(&tracker->endpoints[endpoint].parts[0]->progress,
			    at_ns - tracker->origin_ns, lasts_ns);
}

void tracker_free(struct tracker *tracker)
{
	if (!tracker)
		return;
	HASH_CLEAR(hh, tracker->listeners_by_address);
	HASH_CLEAR(by_key, tracker->by_key);
	HASH_CLEAR(by_flow, tracker->by_flow);
	for (size_t i = 0; i < tracker->n_chunks; i++)
		free(tracker->chunks[i]);
	for (size_t i = 0; i < tracker->n_endpoints; i++) {
		for (size_t k = 0; k < tracker->endpoints[i].n_parts; k++) {
			struct part *part = tracker->endpoints[i].parts[k];

			step_select_deinit(&part->progress);
			script_free(&part->script);
			free(part);
		}
		free(tracker->endpoints[i].parts);
	}
	free(tracker->chunks);
	free(tracker->endpoints);
	free(tracker->listeners);
	free(tracker);
}

static struct attempt *attempt_at(const struct tracker *tracker, uint32_t id)
{
	return &tracker->chunks[id / CHUNK_ATTEMPTS][id % CHUNK_ATTEMPTS];
}

/* Allocates an attempt, all zero but its id. */
static struct attempt *attempt_allocate(struct tracker *tracker)
{
	struct attempt *attempt;
	uint32_t id = tracker->n_attempts;

	if (id == NO_ATTEMPT)
		out_of_memory();
	if (id / CHUNK_ATTEMPTS == tracker->n_chunks) {
		struct attempt *chunk = xzalloc(CHUNK_ATTEMPTS * sizeof(*chunk));

		array_append(tracker->chunks, tracker->n_chunks, tracker->chunks_capacity, chunk);
	}
	tracker->n_attempts++;
	attempt = attempt_at(tracker, id);
	attempt->info.id = id;
	return attempt;
}

static struct attempt *find_by_key(const struct tracker *tracker, const struct attempt_key *key)
{
	struct attempt *attempt;

	HASH_FIND(by_key, tracker->by_key, key, sizeof(*key), attempt);
	return attempt;
}

/* Returns the first attempt of the flow, where the flow's fields are. */
static struct attempt *find_flow(const struct tracker *tracker, const struct attempt_key *key)
{
	struct attempt *flow;

	HASH_FIND(by_flow, tracker->by_flow, key, FLOW_KEY_SIZE, flow);
	return flow;
}

static void add_by_key(struct tracker *tracker, struct attempt *attempt)
{
	HASH_ADD(by_key, tracker->by_key, info.key, sizeof(attempt->info.key), attempt);
}

static void add_flow(struct tracker *tracker, struct attempt *flow)
{
	HASH_ADD(by_flow, tracker->by_flow, info.key, FLOW_KEY_SIZE, flow);
}

static void join_flow(struct tracker *tracker, struct attempt *attempt)
{
	struct attempt *flow = find_flow(tracker, &attempt->info.key);

	attempt->older = attempt->older_open = NO_ATTEMPT;
	if (!flow) {
		attempt->newest = attempt->newest_open = attempt->info.id;
		add_flow(tracker, attempt);
		return;
	}
	attempt->older = flow->newest;
	attempt->older_open = flow->newest_open;
	flow->newest = flow->newest_open = attempt->info.id;
}

/* Returns the index of the part that serves the endpoint's next attempt. */
static uint32_t part_for_next(struct endpoint *endpoint)
{
	const uint32_t number = endpoint->n_attempts + 1;

	for (uint32_t i = 0; endpoint->n_expected > 0 && i < endpoint->n_parts; i++) {
		if (endpoint->parts[i]->held == number) {
			endpoint->n_expected--;
			return i;
		}
	}
	return endpoint->current;
}

static struct attempt *attempt_start(struct tracker *tracker, const struct listener *listener,
				     const struct attempt_key *key, int64_t now_ns)
{
	struct endpoint *endpoint = &tracker->endpoints[listener->endpoint];
	const uint32_t part_index = part_for_next(endpoint);
	struct part *part = endpoint->parts[part_index];
	struct attempt *attempt = attempt_allocate(tracker);
	struct step_select_choice choice;

	if (!tracker->origin_ns)
		tracker->origin_ns = now_ns;
	/* the times of the script in force count from attempts that are held, too */
	step_select_note(&endpoint->parts[endpoint->current]->progress,
			 now_ns - tracker->origin_ns);
	/* Only the first script can have several lists. */
	choice = step_select_next(&part->progress, part_index > 0 ? 0 : listener->list,
				  key->client.family, now_ns - tracker->origin_ns);
	attempt->info.key = *key;
	attempt->info.endpoint = listener->endpoint;
	attempt->part = part_index;
	if (part->held)
		part->attempt = attempt->info.id;
	attempt->info.step = choice.step;
	attempt->info.number = ++endpoint->n_attempts;
	attempt->info.started_ns = now_ns;
	attempt->info.delay_ns = choice.delay_ns;
	add_by_key(tracker, attempt);
	join_flow(tracker, attempt);
	return attempt;
}

static const struct part *part_of(const struct tracker *tracker, const struct attempt *attempt)
{
	return tracker->endpoints[attempt->info.endpoint].parts[attempt->part];
}

static const struct step *step_of(const struct tracker *tracker, const struct attempt *attempt)
{
	return &part_of(tracker, attempt)->script.steps[attempt->info.step];
}

static struct attempt_info info_of(const struct tracker *tracker, const struct attempt *attempt)
{
	struct attempt_info info = attempt->info;

	info.step += part_of(tracker, attempt)->first_step;
	return info;
}

int tracker_release(struct tracker *tracker, uint32_t endpoint, uint32_t number,
		    const struct step *verdict, int64_t now_ns, struct attempt_info *ret)
{
	struct part *part = find_hold(&tracker->endpoints[endpoint], number);
	struct attempt *attempt;
	struct step *step;

	if (!part || part->released)
		return -ENOENT;
	if (part->attempt == NO_ATTEMPT)
		return -EAGAIN;
	attempt = attempt_at(tracker, part->attempt);
	step = &part->script.steps[0];
	if (now_ns - attempt->info.started_ns >= step->delay_max_ns)
		return -ETIME;
	part->released = true;
	attempt->info.delay_ns = MAX(now_ns - attempt->info.started_ns, INT64_C(0));
	step_hold(step, verdict, attempt->info.delay_ns);
	*ret = info_of(tracker, attempt);
	return 0;
}

int tracker_syn(struct tracker *tracker, const struct packet *packet, int64_t now_ns,
		struct tracker_decision *ret)
{
	struct attempt_key key = {
		.client = packet->source,
		.server = packet->destination,
		.isn = packet->sequence,
	};
	struct attempt *attempt = find_by_key(tracker, &key);
	bool retransmission = attempt;
	const struct step *step;

	if (!attempt) {
		const struct listener *listener = find_listener(tracker, &packet->destination);

		if (!listener)
			return -ENOENT;
		attempt = attempt_start(tracker, listener, &key, now_ns);
	}
	attempt->info.syns++;
	/* Only a socket in SYN-SENT sends a SYN. */
	attempt->info.seen_ns = MAX(attempt->info.seen_ns, now_ns);
	attempt->syn_data = MAX(attempt->syn_data, packet->payload_length);
	step = step_of(tracker, attempt);
	*ret = (struct tracker_decision){
		.attempt = info_of(tracker, attempt),
		.retransmission = retransmission,
		.verdict = step_decide(step, attempt->info.syns, attempt->info.delay_ns),
	};
	return 0;
}

bool tracker_pauses(const struct tracker *tracker, uint32_t id, int64_t now_ns)
{
	const struct attempt *attempt = attempt_at(tracker, id);
	/* only the first script can have such outages */
	const struct part *part = tracker->endpoints[attempt->info.endpoint].parts[0];
	int64_t since_start_ns = now_ns - tracker->origin_ns;

	for (size_t i = 0; part->pauses && i < part->script.n_steps; i++) {
		const struct step *step = &part->script.steps[i];
		const struct time_window *window = &step->when.window;
		int64_t from_ns = window->from == TIME_FROM_START ? 0 : part->progress.first_ns;

		if (step->action == STEP_PAUSE && step->list == step_of(tracker, attempt)->list &&
		    (!step->when.family || step->when.family == attempt->info.key.server.family) &&
		    time_window_holds(window, since_start_ns - from_ns))
			return true;
	}
	return false;
}

/*
 * Finds the attempt that a SYN-ACK for @key.isn + 1 answers if it acknowledges data, too: @key.isn
 * then exceeds the attempt's ISN by the length of the data. Tries the newest attempt first.
 */
static struct attempt *find_with_data(const struct tracker *tracker, const struct attempt_key *key)
{
	const struct attempt *flow = find_flow(tracker, key);
	uint32_t id = flow ? flow->newest : NO_ATTEMPT;

	while (id != NO_ATTEMPT) {
		struct attempt *attempt = attempt_at(tracker, id);

		if (attempt->info.closed)
			return NULL; /* so have all older ones */
		if (key->isn - attempt->info.key.isn <= attempt->syn_data)
			return attempt;
		id = attempt->older;
	}
	return NULL;
}

static struct attempt *find_answered(const struct tracker *tracker, const struct packet *packet)
{
	struct attempt_key key = {
		.client = packet->destination,
		.server = packet->source,
		.isn = packet->acknowledgment - 1,
	};
	struct attempt *attempt = find_by_key(tracker, &key);

	return attempt ? attempt : find_with_data(tracker, &key);
}

int tracker_find_answered(const struct tracker *tracker, const struct packet *packet,
			  uint32_t *ret_id)
{
	const struct attempt *attempt = find_answered(tracker, packet);

	if (!attempt || attempt->info.closed)
		return -ENOENT;
	*ret_id = attempt->info.id;
	return 0;
}

int tracker_syn_ack(struct tracker *tracker, const struct packet *packet, struct attempt_info *ret)
{
	struct attempt *attempt = find_answered(tracker, packet);
	const struct step *step;
	int r = 0;

	/* If the client's socket is gone, its kernel answers the SYN-ACK with RST. */
	if (!attempt || attempt->info.closed)
		return -ENOENT;
	attempt->info.syn_acks++;
	attempt->info.server_isn = packet->sequence;
	step = step_of(tracker, attempt);
	if (attempt->info.state != ATTEMPT_WAITING)
		r = -EALREADY;
	else if (step->action == STEP_LOSE_SYN_ACK && attempt->info.syn_acks <= step->lose)
		r = -EAGAIN;
	else
		attempt->info.state = ATTEMPT_ESTABLISHED;
	*ret = info_of(tracker, attempt);
	return r;
}

int tracker_refused(struct tracker *tracker, uint32_t id, struct attempt_info *ret)
{
	struct attempt *attempt;

	if (id >= tracker->n_attempts)
		return -ENOENT;
	attempt = attempt_at(tracker, id);
	if (attempt->info.state == ATTEMPT_WAITING)
		attempt->info.state = ATTEMPT_REFUSED;
	*ret = info_of(tracker, attempt);
	return 0;
}

int tracker_find_open(struct tracker *tracker, const struct address *client,
		      const struct address *server, uint32_t *ret_id)
{
	struct attempt_key key = {.client = *client, .server = *server};
	struct attempt *flow = find_flow(tracker, &key);

	if (!flow)
		return -ENOENT;
	while (flow->newest_open != NO_ATTEMPT &&
	       attempt_at(tracker, flow->newest_open)->info.closed)
		flow->newest_open = attempt_at(tracker, flow->newest_open)->older_open;
	if (flow->newest_open == NO_ATTEMPT)
		return -ENOENT;
	*ret_id = flow->newest_open;
	return 0;
}

int tracker_find_newest(const struct tracker *tracker, const struct address *client,
			const struct address *server, uint32_t *ret_id)
{
	struct attempt_key key = {.client = *client, .server = *server};
	const struct attempt *flow = find_flow(tracker, &key);

	if (!flow)
		return -ENOENT;
	*ret_id = flow->newest;
	return 0;
}

void tracker_note_client_end(struct tracker *tracker, uint32_t id)
{
	attempt_at(tracker, id)->info.client_ended = true;
}

void tracker_note_server_fin(struct tracker *tracker, uint32_t id, uint32_t sequence)
{
	struct attempt *attempt = attempt_at(tracker, id);

	if (attempt->info.server_ended)
		return;
	attempt->info.server_ended = true;
	attempt->info.server_fin = sequence;
}

struct attempt_info tracker_close(struct tracker *tracker, uint32_t id)
{
	struct attempt *attempt = attempt_at(tracker, id);

	assert(id < tracker->n_attempts);
	attempt->info.closed = true;
	return info_of(tracker, attempt);
}

void tracker_note_socket(struct tracker *tracker, uint32_t id, uint64_t cookie, uint64_t inode)
{
	struct attempt *attempt = attempt_at(tracker, id);

	attempt->info.cookie = cookie;
	attempt->info.inode = inode;
}

void tracker_note_seen(struct tracker *tracker, uint32_t id, int64_t at_ns)
{
	struct attempt *attempt = attempt_at(tracker, id);

	attempt->info.seen_ns = MAX(attempt->info.seen_ns, at_ns);
}

size_t tracker_n_attempts(const struct tracker *tracker)
{
	return tracker->n_attempts;
}

struct attempt_info tracker_attempt(const struct tracker *tracker, uint32_t id)
{
	assert(id < tracker->n_attempts);
	return info_of(tracker, attempt_at(tracker, id));
}

int tracker_earlier(const struct tracker *tracker, uint32_t id, uint32_t *ret_id)
{
	uint32_t earlier = attempt_at(tracker, id)->older;

	if (earlier == NO_ATTEMPT)
		return -ENOENT;
	*ret_id = earlier;
	return 0;
}

const struct step *tracker_step(const struct tracker *tracker, uint32_t id)
{
	assert(id < tracker->n_attempts);
	return step_of(tracker, attempt_at(tracker, id));
}
