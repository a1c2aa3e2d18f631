/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one SYN costs in the pure part of the injector: packet_parse() and tracker_syn(), with
 * little and with much to remember. Prints a JSON object per line. Processor time is measured, and
 * each figure is the best of several rounds: other work on the machine can only add to it.
 */
#include <time.h>

#include "common/duration.h"
#include "injector/tracker.h"

#define ROUNDS 5

/* How much the tracker knows already, and what comes next. */
struct scale {
	const char *name;
	uint32_t n_endpoints;
	uint32_t n_attempts;  /* seen before */
	uint32_t n_measured;  /* SYNs that are measured in one round */
	bool retransmissions; /* of attempts seen before, in no order; else new attempts */
};

static const struct scale scales[] = {
	{"retransmission, 1 endpoint, 1 attempt seen", 1, 1, 200000, true},
	{"new attempt, 1 endpoint, 1 attempt seen", 1, 1, 100, false},
	{"retransmission, 1000 endpoints, 100000 attempts seen", 1000, 100000, 200000, true},
	{"new attempt, 1000 endpoints, 100000 attempts seen", 1000, 100000, 10000, false},
};

/* The SYN of a Linux client over loopback: IPv4, TCP, options. */
/* clang-format off */
static const uint8_t template[60] = {
	0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, IPPROTO_TCP, 0, 0, 127, 0, 0, 1, 127, 0, 0, 0,
	0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0xa0, TCP_FLAG_SYN, 0xff, 0xff, 0, 0, 0, 0,
	2, 4, 0xff, 0xd7, 4, 2, 8, 10, 0, 1, 2, 3, 0, 0, 0, 0, 1, 3, 3, 7,
};
/* clang-format on */

/* Makes @syn the SYN of attempt @k: its endpoint, client port and ISN follow from @k. */
static void make_syn(uint8_t syn[static sizeof(template)], uint32_t k, uint32_t n_endpoints)
{
	uint32_t endpoint = k % n_endpoints, port = 1024 + k % 60000, isn = k * 2654435761U;

	memcpy(syn, template, sizeof(template));
	syn[14] = (uint8_t)(k / 60000);
	syn[18] = (uint8_t)(endpoint >> 8);
	syn[19] = (uint8_t)endpoint;
	syn[20] = (uint8_t)(port >> 8);
	syn[21] = (uint8_t)port;
	memcpy(syn + 24, &isn, sizeof(isn));
}

static struct tracker *make_tracker(uint32_t n_endpoints)
{
	AUTO_FREE struct address *addresses = xzalloc(n_endpoints * sizeof(*addresses));
	AUTO_FREE struct tracker_endpoint *endpoints = xzalloc(n_endpoints * sizeof(*endpoints));
	struct step steps[] = {
		{.action = STEP_REFUSE, .repeat = 3},
		{.action = STEP_ACCEPT, .repeat = 1},
	};
	const struct script script = {.steps = steps, .n_steps = ARRAY_SIZE(steps)};

	for (uint32_t i = 0; i < n_endpoints; i++) {
		addresses[i] = (struct address){
			.family = AF_INET,
			.port = 80,
			.bytes = {127, 0, (uint8_t)(i >> 8), (uint8_t)i},
		};
		endpoints[i] = (struct tracker_endpoint){&addresses[i], 1, &script};
	}
	return tracker_new(endpoints, n_endpoints, 1);
}

/* Sends the SYN of attempt @k. A benchmark of the wrong thing is worse than none: it checks. */
static void send_syn(struct tracker *tracker, uint32_t k, uint32_t n_endpoints, bool retransmission)
{
	uint8_t syn[sizeof(template)];
	struct tracker_decision decision;
	struct packet packet;

	make_syn(syn, k, n_endpoints);
	if (packet_parse(syn, sizeof(syn), &packet) != PACKET_OK ||
	    tracker_syn(tracker, &packet, k, &decision) < 0 ||
	    decision.retransmission != retransmission || decision.attempt.id != k)
		abort();
}

static int64_t processor_time_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) < 0)
		abort();
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* One round, in nanoseconds per SYN. */
static double measure(const struct scale *scale)
{
	struct tracker *tracker = make_tracker(scale->n_endpoints);
	int64_t start_ns, end_ns;
	uint32_t k = 0;

	for (uint32_t i = 0; i < scale->n_attempts; i++)
		send_syn(tracker, i, scale->n_endpoints, false);
	start_ns = processor_time_ns();
	for (uint32_t i = 0; i < scale->n_measured; i++) {
		if (scale->retransmissions) {
			/* A full walk in steps of a prime. */
			k = (k + 48271) % scale->n_attempts;
			send_syn(tracker, k, scale->n_endpoints, true);
		} else {
			send_syn(tracker, scale->n_attempts + i, scale->n_endpoints, false);
		}
	}
	end_ns = processor_time_ns();
	tracker_free(tracker);
	return (double)(end_ns - start_ns) / scale->n_measured;
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++) {
		double best = measure(&scales[i]);

		for (int round = 1; round < ROUNDS; round++)
			best = MIN(best, measure(&scales[i]));
		printf("{\"name\": \"%s\", \"ours\": %.1f, \"reference\": null, \"ratio\": null, "
		       "\"unit\": \"ns per SYN\", \"goal\": null}\n",
		       scales[i].name, best);
	}
	return 0;
}
