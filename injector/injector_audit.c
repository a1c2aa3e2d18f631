/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit at the end: compares what was decided with what the kernel counted. Any difference is a
 * problem.
 */
#include <errno.h>
#include <time.h>

#include "common/duration.h"
#include "injector/injector_impl.h"

/* How many times to read at the end if packets keep coming (1 ms each). */
#define FINISH_TURNS 1000
/* How many times to wait a millisecond for packets that are counted but not read yet. */
#define COUNT_TURNS 50

static void compare_losses(struct injector *injector)
{
	struct queue_losses losses;
	int r = queue_losses(injector->queue, &losses);

	if (r < 0)
		injector_report(injector, PROBLEM_LOSSES_UNREADABLE, INJECTOR_LOST,
				"it is unknown whether packets were lost: %s", strerror(-r));
	else if (losses.queue_dropped || losses.user_dropped || losses.overruns ||
		 losses.failed_verdicts)
		injector_report(
			injector, PROBLEM_LOSSES, INJECTOR_LOST,
			"packets were lost: %llu because the queue was full, %llu because its "
			"socket "
			"was full (%llu overruns); %llu verdicts were not taken",
			(unsigned long long)losses.queue_dropped,
			(unsigned long long)losses.user_dropped,
			(unsigned long long)losses.overruns,
			(unsigned long long)losses.failed_verdicts);
}

/* Adds up the counts of both sets of rules. */
static int count(struct injector *injector, int (*count_one)(struct rules *rules, uint64_t *ret),
		 uint64_t *ret)
{
	uint64_t own = 0, remote = 0;
	int r = injector->n_own ? count_one(injector->rules, &own) : 0;

	if (!r && injector->remote_rules)
		r = count_one(injector->remote_rules, &remote);
	if (!r)
		*ret = own + remote;
	return r;
}

/*
 * Checks that every packet that the rules sent to the queue was read. This finds all losses between
 * the two, even if the kernel's own counters can't be read (only root can read the file in /proc).
 */
static void compare_queued(struct injector *injector)
{
	const struct timespec moment = {.tv_nsec = NS_PER_MS};
	uint64_t counted = 0, n_read = 0;

	for (int turn = 0; turn < COUNT_TURNS; turn++) {
		/* Count before reading: a packet that comes in between is not lost. */
		if (count(injector, nft_rules_count_queued, &counted) < 0)
			return; /* compare_refused() says why */
		(void)injector_read_queue(injector);
		n_read = queue_n_packets(injector->queue);
		if (n_read >= counted)
			return;
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
	}
	injector_report(
		injector, PROBLEM_LOSSES, INJECTOR_LOST,
		"packets were lost: %llu were sent to the queue, and %llu were read from it",
		(unsigned long long)counted, (unsigned long long)n_read);
}

static void compare_refused(struct injector *injector)
{
	uint64_t counted = 0;
	int r = count(injector, nft_rules_count_refused, &counted);

	if (r < 0)
		injector_report(injector, PROBLEM_REFUSED_COUNT, INJECTOR_LOST,
				"it is unknown whether all refused SYNs were answered: %s",
				r == -ENOENT ? "the firewall rules are gone" : strerror(-r));
	else if (counted != injector->n_refused)
		injector_report(injector, PROBLEM_REFUSED_COUNT, INJECTOR_LOST,
				"%llu SYNs should have been refused, but the kernel answered %llu "
				"with RST or "
				"ICMP",
				(unsigned long long)injector->n_refused,
				(unsigned long long)counted);
}

/* Checks that all rules still exist: no counter shows a SYN that bypassed the queue. */
static void verify_rules(struct injector *injector)
{
	int r = injector->n_own ? nft_rules_verify(injector->rules) : 0;

	if (!r && injector->remote_rules)
		r = nft_rules_verify(injector->remote_rules);
	if (r < 0)
		injector_report(injector, PROBLEM_RULES, INJECTOR_LOST,
				"it is unknown whether all SYNs were seen: %s",
				r == -ENOENT ? "some of the firewall rules are gone"
					     : strerror(-r));
}

/* The kernel may have answered more, since it answers each packet of a connection. */
static void compare_rejected(struct injector *injector)
{
	uint64_t counted = 0;
	int r = count(injector, nft_rules_count_rejected, &counted);

	if (r < 0 || counted < injector->n_rejected)
		injector_report(injector, PROBLEM_REJECTED_COUNT, INJECTOR_LOST,
				"%llu connections should have been reset, but the kernel answered "
				"%llu packets "
				"with RST",
				(unsigned long long)injector->n_rejected,
				(unsigned long long)counted);
}

/* Reads everything in the sockets, unless it comes in faster than it is read. */
static void read_all(struct injector *injector)
{
	for (int turn = 0; turn < FINISH_TURNS && !injector_read_queue(injector); turn++)
		;
	injector_read_deaths(injector);
}

void injector_finish(struct injector *injector)
{
	if (injector->queue) {
		read_all(injector);
		event_del(injector->queue_event);
		if (injector->deaths_event)
			event_del(injector->deaths_event);
	}
	injector_outages_stop(injector);
	injector_sockets_finish(injector);
	outbox_drop_held(injector->outbox);
	if (injector->connections)
		flow_table_drop_held(injector->connections);
	if (injector->queue) {
		/* errors of the verdicts that were just given */
		(void)injector_read_queue(injector);
		compare_losses(injector);
		compare_queued(injector);
		compare_refused(injector);
		verify_rules(injector);
		if (injector->n_rejected > 0)
			compare_rejected(injector);
	}
}
