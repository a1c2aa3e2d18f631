/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What judging costs: a record of 100,000 events under every expectation on attempts, and one of
 * 200,000. The figures are the time of the first (goal: below 50 ms), and how much more the second
 * takes (goal: 2.2 times, which is linear but for sorting and the processor's caches). Prints two
 * JSON objects.
 */
#include <time.h>

#include "common/duration.h"
#include "tests/lib/record_builder.h"

enum { EVENTS = 100000, EVENTS_EACH = 3, N_INSTANCES = 1, ROUNDS = 9 };

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void expect_all(struct record_builder *b, size_t api)
{
	struct target *targets = xzalloc(2 * sizeof(*targets));
	struct expectation *expectation;

	record_builder_expect_attempts(b, api, 1, INT64_MAX);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 1000);
	record_builder_expect_fixed(b, EXPECT_ATTEMPT_DELAY, api, 1000);
	record_builder_expect(b, EXPECT_LEAKS, ALL_ENDPOINTS);
	record_builder_expect(b, EXPECT_CONCURRENT_ATTEMPTS, api)->value.range.range =
		(struct range){0, 5};
	record_builder_expect(b, EXPECT_TOTAL_BACKOFF, api)->value.range.range =
		(struct range){0, INT64_MAX};
	record_builder_expect(b, EXPECT_RETRY_ON, api)->value.endings = 1u << ENDING_REFUSED;
	record_builder_expect(b, EXPECT_GIVES_UP, api)->value.gives_up.after_ns = INT64_MAX;
	targets[0] = (struct target){api, N_FAMILIES};
	targets[1] = (struct target){ALL_ENDPOINTS, FAMILY_IPV6};
	expectation = record_builder_expect(b, EXPECT_ORDER, ALL_ENDPOINTS);
	expectation->value.order.targets = targets;
	expectation->value.order.n_targets = 2;
	expectation->value.order.after_failure = true; /* ipv6 need not be tried */
}

/* Instances of a client that are refused every second, side by side. */
static struct record_builder *make_run(size_t n_events)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	struct record *record = b->record;

	record->n_instances = b->scenario->n_clients = N_INSTANCES;
	b->scenario->timeout_ns = DURATION_MAX_NS;
	for (size_t i = 0; i < n_events / EVENTS_EACH; i++) {
		int64_t at_ms = (int64_t)(i / N_INSTANCES) * 1000 + (int64_t)(i % N_INSTANCES);
		struct record_attempt attempt = {.endpoint = (uint32_t)api,
						 .number = (uint32_t)i + 1,
						 .server = record->endpoints[api].addresses[0],
						 .instance = (uint32_t)(i % N_INSTANCES)};

		/* record_builder_attempt() counts those before it: that is quadratic. */
		array_append(record->attempts, record->n_attempts, record->attempts_capacity,
			     attempt);
		record_builder_syn(b, (uint32_t)i, 1, at_ms);
		record_builder_verdict(b, (uint32_t)i, 1, VERDICT_REFUSE, at_ms);
		record_builder_closed(b, (uint32_t)i, at_ms, 0);
	}
	for (uint32_t instance = 0; instance < N_INSTANCES; instance++) {
		record_builder_client_exits(b, (int64_t)n_events * 1000, 1);
		record->events[record->n_events - 1].u.exit.instance = instance;
	}
	record->streams =
		xrealloc(record->streams, (size_t)2 * N_INSTANCES * sizeof(struct stream));
	while (record->n_streams < (size_t)2 * N_INSTANCES)
		record->streams[record->n_streams++] = (struct stream){
			.name = xstrdup("more"), .head = xstrdup(""), .tail = xstrdup("")};
	expect_all(b, api);
	return b;
}

/* The processor's time, in nanoseconds: what else the machine does is not in it. */
static int64_t processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Milliseconds. */
static double measure_judging(const struct record_builder *b)
{
	int64_t started_ns = processor_ns();
	struct judgement judgement = record_builder_judge(b);
	int64_t took_ns = processor_ns() - started_ns;

	if (judgement.outcome != OUTCOME_PASS) {
		fprintf(stderr, "bench_judge: %s\n", judgement.findings[0].message);
		exit(EXIT_FAILURE);
	}
	judgement_free(&judgement);
	return (double)took_ns / 1e6;
}

int main(void)
{
	AUTO_RECORD_BUILDER struct record_builder *once = make_run(EVENTS);
	AUTO_RECORD_BUILDER struct record_builder *twice = make_run((size_t)2 * EVENTS);
	double once_ms[ROUNDS], twice_ms[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		once_ms[i] = measure_judging(once);
		twice_ms[i] = measure_judging(twice);
	}
	qsort(once_ms, ROUNDS, sizeof(*once_ms), compare_doubles);
	qsort(twice_ms, ROUNDS, sizeof(*twice_ms), compare_doubles);
	printf("{\"name\": \"judge-speed\", \"ours\": %.4g, \"reference\": 50, \"ratio\": %.3f, "
	       "\"unit\": \"ms\", \"goal\": \"<= 1\"}\n",
	       once_ms[ROUNDS / 2], once_ms[ROUNDS / 2] / 50);
	printf("{\"name\": \"judge-scale\", \"ours\": %.4g, \"reference\": %.4g, \"ratio\": %.3f, "
	       "\"unit\": \"ms\", \"goal\": \"<= 2.2\"}\n",
	       twice_ms[ROUNDS / 2], once_ms[ROUNDS / 2],
	       twice_ms[ROUNDS / 2] / once_ms[ROUNDS / 2]);
	return 0;
}
