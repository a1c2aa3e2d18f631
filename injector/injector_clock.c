/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An injector in a process whose clocks are moved (runner/clock): what it has to do with each move,
 * and what there has to be known before one.
 */
#include <netinet/tcp.h>
#include <poll.h>

#include "injector/injector_impl.h"

void injector_clock_moved(struct injector *injector, int64_t awake_ns)
{
	if (injector->queue)
		queue_clock_moved(injector->queue, awake_ns);
	injector_sockets_look_now(injector);
}

bool injector_has_input(const struct injector *injector)
{
	struct pollfd fds[] = {
		{.fd = injector->queue ? queue_fd(injector->queue) : -1, .events = POLLIN},
		{.fd = injector->deaths ? sock_diag_monitor_fd(injector->deaths) : -1,
		 .events = POLLIN},
	};

	return poll(fds, ARRAY_SIZE(fds), 0) != 0;
}

bool injector_has_deaths(const struct injector *injector)
{
	struct pollfd fd = {
		.fd = injector->deaths ? sock_diag_monitor_fd(injector->deaths) : -1,
		.events = POLLIN,
	};

	return poll(&fd, 1, 0) != 0;
}

bool injector_was_overtaken(const struct injector *injector)
{
	return injector->overtaken;
}

/* Returns whether no SYN of the attempt has an answer coming. */
static bool withholds_answer(const struct injector *injector, const struct attempt_info *attempt)
{
	return attempt->state == ATTEMPT_WAITING &&
	       (tracker_step(injector->tracker, attempt->id)->action == STEP_DROP ||
		outbox_holds(injector->outbox, attempt->id));
}

bool injector_withholds(const struct injector *injector, const struct address *local,
			const struct address *remote, uint8_t tcp_state)
{
	struct attempt_info attempt;
	uint32_t id;

	if (tracker_find_newest(injector->tracker, local, remote, &id) < 0 &&
	    tracker_find_newest(injector->tracker, remote, local, &id) < 0)
		return false;
	attempt = tracker_attempt(injector->tracker, id);
	if (tcp_state == TCP_SYN_SENT)
		return withholds_answer(injector, &attempt);
	if (attempt.state != ATTEMPT_ESTABLISHED)
		return false;
	return tracker_step(injector->tracker, id)->action == STEP_HALF_OPEN ||
	       (injector->connections && flow_table_withholds(injector->connections, &attempt));
}
