/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all parts of the injector use: its clock, its problems, and what there is to read.
 *
 * The queue is always read before the notices of deaths. A socket dies after its packets were
 * queued, but the kernel reports the death from a work queue, so the two sockets can become
 * readable in either order.
 */
#include <errno.h>

#include "injector/injector_impl.h"

void injector_report(struct injector *injector, enum problem problem, enum injector_problem kind,
		     const char *format, ...)
{
	AUTO_FREE char *message = NULL;

	if (injector->reported[problem])
		return;
	injector->reported[problem] = true;
	message = FORMAT_REST(format);
	injector->config.on_problem(injector->config.userdata, kind, message);
}

int64_t injector_now_ns(const struct injector *injector)
{
	return injector->kernel.now_ns(injector->kernel.context);
}

void injector_report_dead(struct injector *injector, int r)
{
	injector_report(injector, PROBLEM_QUEUE_DEAD, INJECTOR_DEAD,
			"the netfilter queue failed: %s", strerror(-r));
	if (injector->queue_event)
		event_del(injector->queue_event);
}

bool injector_read_queue(struct injector *injector)
{
	int r;

	if (injector->reported[PROBLEM_QUEUE_DEAD])
		return true;
	r = queue_dispatch(injector->queue);
	if (r == -ENOBUFS)
		injector_report(
			injector, PROBLEM_OVERRUN, INJECTOR_LOST,
			"packets were lost: they came in faster than synfault could read them");
	else if (r < 0)
		injector_report_dead(injector, r);
	return r <= 0;
}

void injector_read_deaths(struct injector *injector)
{
	int64_t now_ns = injector_now_ns(injector);
	int r;

	if (!injector->deaths || injector->reported[PROBLEM_DEATHS_DEAD])
		return;
	r = sock_diag_monitor_dispatch(injector->deaths);
	if (r == 0)
		injector->all_read_ns = now_ns;
	if (r == -ENOBUFS) {
		injector_report(
			injector, PROBLEM_DEATHS_LOST, INJECTOR_LOST,
			"notices of closed sockets were lost: they came in faster than they could "
			"be "
			"read");
	} else if (r < 0) {
		injector_report(injector, PROBLEM_DEATHS_DEAD, INJECTOR_DEAD,
				"notices of closed sockets no longer come: %s", strerror(-r));
		event_del(injector->deaths_event);
	}
}

void injector_look(struct injector *injector)
{
	/* otherwise the loop calls again, since the descriptors are still readable */
	if (injector_read_queue(injector))
		injector_read_deaths(injector);
}
