/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's clock in the supervisor: see virtual_clock.h. */
#include "runner/clock/virtual_clock.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "runner/clock/clock_process.h"
#include "runner/clock/filter.h"
#include "runner/clock/jump.h"
#include "runner/clock/protocol.h"
#include "runner/clock/tracees.h"
#include "runner/record/syn_schedule.h"

/* A jump: when it was, by the kernel's clock, and how far ahead the client's clock is since. */
struct ahead {
	int64_t kernel_ns, ahead_ns;
};

struct virtual_clock {
	struct virtual_clock_config config;
	pid_t pid; /* 0: it has ended and was reaped */
	int control_fd, join_fd;
	struct event *readable;
	struct process own;
	struct ahead *jumps;
	size_t n_jumps, capacity;
	int64_t ahead_ns;
	struct clock_message answered; /* the last CLOCK_ANSWER */
	bool failed;
	struct syscall_filter filter;
};

const char *virtual_clock_obstacle(void)
{
#ifdef __x86_64__
	return NULL;
#else
	return "virtual time is available on x86-64 only";
#endif
}

pid_t virtual_clock_pid(const struct virtual_clock *clock)
{
	return clock ? clock->pid : 0;
}

int virtual_clock_join(const struct virtual_clock *clock)
{
	return clock_process_join(clock->join_fd, &clock->filter);
}

int64_t virtual_clock_to_virtual(const struct virtual_clock *clock, int64_t kernel_ns)
{
	for (size_t i = clock->n_jumps; i-- > 0;)
		if (clock->jumps[i].kernel_ns <= kernel_ns)
			return kernel_ns + clock->jumps[i].ahead_ns;
	return kernel_ns;
}

void virtual_clock_fail(struct virtual_clock *clock, const char *reason)
{
	if (clock->failed)
		return;
	clock->failed = true;
	clock->config.on_failure(clock->config.userdata, reason);
}

/* ---- the question ---- */

static int find_next_timer(const struct event_base *base, const struct event *event, void *userdata)
{
	int64_t *next_ns = userdata;
	const struct timeval *due = &event->ev_timeout;
	int64_t due_ns = due->tv_sec * NS_PER_S + due->tv_usec * NS_PER_US;

	(void)base;
	if (event_pending(event, EV_TIMEOUT, NULL) &&
	    event_get_priority(event) != CLOCK_PRIORITY_LOOKS)
		*next_ns = MIN(*next_ns, due_ns);
	return 0;
}

static int64_t next_timer_ns(const struct virtual_clock *clock)
{
	int64_t next_ns = INT64_MAX;

	event_base_foreach_event(clock->config.base, find_next_timer, &next_ns);
	return next_ns;
}

static void answer(struct virtual_clock *clock)
{
	struct clock_message *message = &clock->answered;
	struct clock_waiting waiting = {0};

	*message = (struct clock_message){.kind = CLOCK_ANSWER};
	message->quiet = !clock->failed &&
			 clock->config.is_quiet(clock->config.userdata, &waiting) &&
			 waiting.n_inodes <= CLOCK_MAX_INODES;
	if (message->quiet) {
		message->n_inodes = (uint32_t)waiting.n_inodes;
		if (waiting.n_inodes > 0)
			memcpy(message->inodes, waiting.inodes,
			       waiting.n_inodes * sizeof(*waiting.inodes));
		message->next_ns = next_timer_ns(clock);
	}
	free(waiting.inodes);
	(void)clock_message_send(clock->control_fd, message);
}

static void take_failure(struct virtual_clock *clock, struct clock_message *message)
{
	message->text[sizeof(message->text) - 1] = '\0';
	virtual_clock_fail(clock, message->text);
}

static void say(const struct virtual_clock *clock, enum clock_message_kind kind)
{
	const struct clock_message message = {.kind = kind};

	(void)clock_message_send(clock->control_fd, &message);
}

/* Returns false, and has sent no message, if the clock may not jump. */
static bool jump(struct virtual_clock *clock, int64_t to_ns)
{
	const struct virtual_clock_config *config = &clock->config;
	struct clock_message message = {.kind = CLOCK_MOVED};
	int64_t at_ns, by_ns, kernel_ns;

	if (clock->failed || !config->before_jump(config->userdata))
		return false;
	kernel_ns = clock_kernel_ns();
	at_ns = clock_monotonic_ns();
	by_ns = to_ns - at_ns;
	if (by_ns < JUMP_CLOSE_NS)
		return false;
	message.by_ns = by_ns;
	message.asleep_until_ns = kernel_ns + by_ns;
	clock->ahead_ns += by_ns;
	array_append(clock->jumps, clock->n_jumps, clock->capacity,
		     (struct ahead){kernel_ns, clock->ahead_ns});
	if (process_move(&clock->own, clock->ahead_ns) < 0)
		virtual_clock_fail(clock, "the supervisor's own clock could not be moved");
	(void)clock_message_send(clock->control_fd, &message);
	/* Nothing may happen here until the clients' clocks have moved, too. */
	if (clock_message_receive(clock->control_fd, true, &message) < 0) {
		virtual_clock_fail(clock, "the clock process has ended");
		return true;
	}
	if (message.kind == CLOCK_BACK) {
		clock->n_jumps--;
		clock->ahead_ns -= by_ns;
		(void)process_move(&clock->own, clock->ahead_ns);
		say(clock, CLOCK_DONE);
		return true;
	}
	(void)event_base_update_cache_time(config->base);
	config->after_jump(config->userdata, at_ns, by_ns, kernel_ns);
	if (message.kind == CLOCK_FAILED)
		take_failure(clock, &message);
	say(clock, CLOCK_DONE);
	return true;
}

static void take_question(struct virtual_clock *clock, int64_t to_ns)
{
	const struct virtual_clock_config *config = &clock->config;

	if (clock->failed || !clock->answered.quiet || !config->stays_quiet(config->userdata)) {
		answer(clock);
		return;
	}
	clock->answered.next_ns = next_timer_ns(clock);
	/* Without any deadline the clock does not jump. */
	to_ns = MIN(to_ns, clock->answered.next_ns);
	if (to_ns == INT64_MIN || to_ns == INT64_MAX || !jump(clock, to_ns))
		(void)clock_message_send(clock->control_fd, &clock->answered);
}

static void on_message(evutil_socket_t fd, short what, void *userdata)
{
	struct virtual_clock *clock = userdata;
	struct clock_message message;
	int r = clock_message_receive(fd, false, &message);

	(void)what;
	if (r == 0)
		return;
	if (r < 0) {
		event_del(clock->readable);
		virtual_clock_fail(clock, "the clock process has ended");
		return;
	}
	switch (message.kind) {
	case CLOCK_ASK:
		take_question(clock, message.to_ns);
		break;
	case CLOCK_JUMP:
		if (!jump(clock, message.to_ns))
			say(clock, CLOCK_REFUSED);
		break;
	case CLOCK_FAILED:
		take_failure(clock, &message);
		break;
	default:
		virtual_clock_fail(clock, "the clock process sent an unknown message");
	}
}

/* ---- start and end ---- */

static int64_t connect_ns(const struct virtual_clock_config *config)
{
	struct syn_schedule schedule;

	syn_schedule_compute(config->syn_retries, config->syn_linear, SYN_RTO_MAX_NS, &schedule);
	return schedule.timeout_ns;
}

/* Becomes the clock process, which keeps only two of the supervisor's descriptors. */
NORETURN static void be_clock_process(const struct virtual_clock_config *config, pid_t parent,
				      int control_fd, int join_fd)
{
	const struct clock_process_config own = {
		.control_fd = 3,
		.join_fd = 4,
		.syn_linear = config->syn_linear,
		.connect_ns = connect_ns(config),
		.networks = config->networks,
	};
	int kept[] = {fcntl(control_fd, F_DUPFD_CLOEXEC, 16), fcntl(join_fd, F_DUPFD_CLOEXEC, 16)};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || kept[0] < 0 || kept[1] < 0 || dup3(kept[0], 3, O_CLOEXEC) < 0 ||
	    dup3(kept[1], 4, O_CLOEXEC) < 0)
		_exit(EXIT_FAILURE);
	syscall(SYS_close_range, 5U, ~0U, 0);
	clock_process_run(&own);
}

static int start_process(struct virtual_clock *clock)
{
	int control[2], join[2];
	const pid_t self = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, join) < 0) {
		int r = -errno;

		close(control[0]);
		close(control[1]);
		return r;
	}
	clock->pid = fork();
	if (clock->pid == 0)
		be_clock_process(&clock->config, self, control[1], join[1]);
	close(control[1]);
	close(join[1]);
	clock->control_fd = control[0];
	clock->join_fd = join[0];
	return clock->pid < 0 ? -errno : 0;
}

int virtual_clock_start(const struct virtual_clock_config *config, struct virtual_clock **ret,
			char **ret_reason)
{
	struct virtual_clock *clock = xzalloc(sizeof(*clock));
	int r;

	clock->config = *config;
	clock->control_fd = clock->join_fd = -1;
	clock->own = (struct process){.pid = getpid(), .memory_fd = -1};
	filter_make(config->networks != NULL, &clock->filter);
	r = start_process(clock);
	if (r < 0) {
		*ret_reason = xasprintf("the clock process could not be started: %s", strerror(-r));
	} else {
		r = process_patch(&clock->own, 0);
		if (r < 0)
			*ret_reason = xasprintf("the supervisor's clock can't be moved: %s",
						strerror(-r));
	}
	clock->readable = ALLOCATED(event_new(config->base, clock->control_fd, EV_READ | EV_PERSIST,
					      on_message, clock));
	event_priority_set(clock->readable, CLOCK_N_PRIORITIES - 1);
	if (r == 0)
		event_add(clock->readable, NULL);
	*ret = clock;
	return r;
}

void virtual_clock_finish(struct virtual_clock *clock)
{
	const struct clock_message message = {.kind = CLOCK_FINISH};
	int status = 0;
	pid_t pid;

	if (!clock || clock->pid <= 0)
		return;
	event_del(clock->readable);
	(void)clock_message_send(clock->control_fd, &message);
	/* If the clock process waits for an answer, it notices that none will come, and ends. */
	shutdown(clock->control_fd, SHUT_WR);
	do {
		pid = waitpid(clock->pid, &status, 0);
	} while (pid < 0 && errno == EINTR);
	clock->pid = 0;
	if (pid < 0 || status != 0)
		virtual_clock_fail(clock, "the clock process has ended too early");
}
