/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock process of a sandbox: see clock_process.h. */
#include "runner/clock/clock_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/duration.h"
#include "runner/clock/clock_impl.h"
#include "runner/clock/filter.h"
#include "runner/clock/jump.h"
#include "runner/clock/protocol.h"
#include "runner/record/syn_schedule.h"

/* How soon to look again while something is busy: it doubles from the first to the last. */
#define FIRST_LOOK_NS (50 * NS_PER_US)
#define LAST_LOOK_NS  (2 * NS_PER_MS)
/* If nothing is idle for this long by the kernel's clock, virtual time gains nothing. */
#define RESTLESS_NS (60 * NS_PER_S)
/* At most this much counts between two looks, so that a suspended machine does not count. */
#define MAX_COUNTED_NS (50 * NS_PER_MS)
/* How often, and after how long, to look for threads that are ending when all has finished. */
enum { LAST_STOPS = 100, LAST_STOP_MS = 2 };

struct joining {
	pid_t tid;
	int status; /* in the answer: 0 or a negative errno */
};

/* The state of the loop. */
struct turn {
	struct clock_process clock;
	bool asked;           /* the supervisor has not answered yet */
	uint64_t asked_stops; /* n_stops when it was asked */
	int64_t look_ns;      /* how long to wait before the next look */
	int64_t next_look_ns; /* by the kernel's clock */
	int64_t counted_ns;   /* until when restless_ns has been counted, by the kernel's clock */
	int64_t restless_ns;  /* for how long something has been busy */
};

/* ---- programs that join the clock ---- */

int clock_process_join(int join_fd, const struct syscall_filter *filter)
{
	struct joining joining = {.tid = (pid_t)syscall(SYS_gettid)};
	ssize_t length;

	/* If Yama lets only ancestors trace a process, it has to permit others. */
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (send(join_fd, &joining, sizeof(joining), MSG_NOSIGNAL) < 0)
		return -errno;
	do {
		length = recv(join_fd, &joining, sizeof(joining), 0);
	} while (length < 0 && errno == EINTR);
	if (length != (ssize_t)sizeof(joining))
		return length < 0 ? -errno : -EPIPE;
	(void)prctl(PR_SET_PTRACER, 0, 0, 0, 0);
	return joining.status < 0 ? joining.status : syscall_filter_install(filter, 0);
}

static void take_joining(struct clock_process *self)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |
			     PTRACE_O_EXITKILL;
	struct joining joining;
	struct thread *thread;

	if (recv(self->join_fd, &joining, sizeof(joining), MSG_DONTWAIT) !=
	    (ssize_t)sizeof(joining))
		return;
	joining.status = 0;
	if (ptrace(PTRACE_SEIZE, joining.tid, NULL, (void *)options) < 0)
		joining.status = -errno;
	thread = joining.status == 0 ? tracees_add(&self->tracees, joining.tid) : NULL;
	if (joining.status == 0 && !thread)
		joining.status = -EOPNOTSUPP;
	(void)send(self->join_fd, &joining, sizeof(joining), MSG_NOSIGNAL);
}

/* ---- jumps ---- */

static void look_later(struct turn *turn)
{
	turn->look_ns = turn->look_ns == 0 ? FIRST_LOOK_NS : MIN(2 * turn->look_ns, LAST_LOOK_NS);
	turn->next_look_ns = clock_monotonic_ns() + turn->look_ns;
}

static void look_at_once(struct turn *turn)
{
	turn->look_ns = 0;
	turn->next_look_ns = 0;
}

/*
 * Sends a message and waits for the answer, which comes at once. CLOCK_FINISH may come before it.
 * Returns the kind of the answer, or -1 if the supervisor is gone.
 */
static int talk(struct clock_process *self, const struct clock_message *message,
		struct clock_message *ret)
{
	if (clock_message_send(self->control_fd, message) < 0)
		return -1;
	for (;;) {
		if (clock_message_receive(self->control_fd, true, ret) < 0)
			return -1;
		if (ret->kind != CLOCK_FINISH)
			return (int)ret->kind;
		self->finishing = true;
	}
}

/*
 * The supervisor's clock has moved: moves all others, unless a program has run in the meantime.
 * Returns whether the loop goes on.
 *
 * On a busy machine a short jump can take longer than the time that it skips. Then the kernel ends
 * the wait that the jump is for, and its program goes on, no later than the jump would have let it.
 * The kernel can also end a wait for which the clock does not stop (jump_is_chore()).
 */
static bool move(struct turn *turn, int64_t by_ns, int64_t asleep_until_ns)
{
	struct clock_process *self = &turn->clock;
	const struct clock_message moved = {.kind = CLOCK_MOVED}, back = {.kind = CLOCK_BACK};
	struct clock_message got;
	struct process *process;

	turn->restless_ns = 0;
	look_at_once(turn);
	/* The kernel may have ended a wait. */
	if (turn->asked_stops != self->n_stops || !tracees_still_sleep(&self->tracees))
		return talk(self, &back, &got) == CLOCK_DONE;
	self->ahead_ns += by_ns;
	for (process = self->tracees.processes; process; process = process->hh.next)
		if (process_move(process, self->ahead_ns) < 0)
			clock_process_fail(self, "the clock of process %d could not be moved",
					   process->pid);
	if (due_woke(self) && clock_monotonic_ns() < asleep_until_ns)
		clock_process_fail(self, "a program woke up during a jump");
	return talk(self, &moved, &got) == CLOCK_DONE;
}

/* Asks the supervisor to jump. Returns whether the loop goes on. */
static bool jump(struct turn *turn, int64_t to_ns)
{
	const struct clock_message wish = {.kind = CLOCK_JUMP, .to_ns = to_ns};
	struct clock_message got;
	int kind = talk(&turn->clock, &wish, &got);

	look_at_once(turn);
	return kind == CLOCK_MOVED ? move(turn, got.by_ns, got.asleep_until_ns)
				   : kind == CLOCK_REFUSED;
}

/* Notes when the kernel will end an attempt, and how much of its own time it needs for that. */
static void note_kernel(const struct clock_process *self, struct connecting *connecting,
			struct jump_view *view)
{
	const int64_t age_ns = clock_monotonic_ns() - connecting->began_own_ns;
	struct syn_schedule schedule;
	int64_t next_ns = NS_PER_S;

	syn_schedule_compute(UINT8_MAX, self->syn_linear, 120 * NS_PER_S, &schedule);
	for (size_t i = 0; i < schedule.n_retransmissions; i++) {
		next_ns = schedule.retransmissions_ns[i];
		if (next_ns > age_ns)
			break;
	}
	view->kernel_ns = connecting->began_ns + self->connect_ns;
	view->kernel_lead_ns = MAX(next_ns - age_ns, INT64_C(0));
	if (!connecting->hurried)
		connecting->ends_own_ns = connecting->began_own_ns + next_ns;
}

/* Sets *@ret_connecting to the attempt that the kernel will end first; NULL: there is none. */
static struct jump decide(const struct turn *turn, bool quiet, int64_t supervisor_ns,
			  struct connecting **ret_connecting)
{
	const struct clock_process *self = &turn->clock;
	struct jump_view view = {
		.kernel_ns = JUMP_NEVER,
		.supervisor_ns = supervisor_ns,
		.quiet = quiet,
		.asleep = turn->asked_stops == self->n_stops,
	};

	*ret_connecting = connects_next(&self->connects);
	if (*ret_connecting)
		note_kernel(self, *ret_connecting, &view);
	view.client_ns = due_next_ns(self, &view.chores_ns);
	view.now_ns = clock_process_now_ns(self);
	return jump_decide(&view);
}

/* What CLOCK_ASK proposes: see protocol.h. */
static int64_t propose(const struct turn *turn)
{
	struct connecting *connecting;
	struct jump decision = decide(turn, true, JUMP_NEVER, &connecting);

	if (decision.to_kernel && (decision.action != JUMP_TO || !connecting->hurried))
		return INT64_MIN;
	if (decision.action == JUMP_TO)
		return decision.to_ns;
	return decision.action == JUMP_STAY ? INT64_MAX : INT64_MIN;
}

/* Returns whether the loop goes on. */
static bool ask(struct turn *turn)
{
	struct clock_message message = {.kind = CLOCK_ASK};

	if (!tracees_sleep(&turn->clock.tracees)) {
		look_later(turn);
		return true;
	}
	calls_find_socket_waits(&turn->clock);
	turn->asked = true;
	turn->asked_stops = turn->clock.n_stops;
	message.to_ns = propose(turn);
	return clock_message_send(turn->clock.control_fd, &message) == 0;
}

static bool take_answer(struct turn *turn, const struct clock_message *message)
{
	struct clock_process *self = &turn->clock;
	struct connecting *connecting;
	struct jump decision;

	turn->asked = false;
	if (message->quiet)
		connects_keep(&self->connects, message->inodes, message->n_inodes);
	decision = decide(turn, message->quiet && tracees_still_sleep(&self->tracees),
			  message->next_ns, &connecting);
	if (decision.action != JUMP_NOT)
		turn->restless_ns = 0;
	if (decision.to_kernel && !connecting->hurried) {
		due_hurry(self, connecting);
		look_at_once(turn);
		return true;
	}
	if (decision.action == JUMP_TO)
		return jump(turn, decision.to_ns);
	look_later(turn);
	return true;
}

/* The supervisor has followed the proposal. */
static bool take_move(struct turn *turn, const struct clock_message *message)
{
	turn->asked = false;
	return move(turn, message->by_ns, message->asleep_until_ns);
}

static bool take_messages(struct turn *turn)
{
	struct clock_message message;
	int r;

	while ((r = clock_message_receive(turn->clock.control_fd, false, &message)) > 0) {
		if (message.kind == CLOCK_FINISH)
			turn->clock.finishing = true;
		else if (message.kind == CLOCK_ANSWER && !take_answer(turn, &message))
			return false;
		else if (message.kind == CLOCK_MOVED && !take_move(turn, &message))
			return false;
	}
	return r == 0;
}

/* ---- the loop ---- */

static void take_stops(struct turn *turn)
{
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		stops_take(&turn->clock, tid, status);
		look_at_once(turn);
	}
}

/* Says what keeps the clock from jumping. */
static void fail_restless(struct clock_process *self)
{
	const struct thread *thread = tracees_find(&self->tracees, self->tracees.awake_tid);
	char name[32] = "";

	if (thread) {
		thread_name(thread, name);
		clock_process_fail(
			self, "no idle moment in %d seconds: %s is in state %c, system call %ld",
			(int)(RESTLESS_NS / NS_PER_S), name, self->tracees.awake_state,
			thread->asleep_in.number);
	} else {
		clock_process_fail(self,
				   "no idle moment in %d seconds: something is under way on the "
				   "network",
				   (int)(RESTLESS_NS / NS_PER_S));
	}
}

static void check_rest(struct turn *turn)
{
	const int64_t now_ns = clock_monotonic_ns();

	turn->restless_ns += MIN(now_ns - turn->counted_ns, MAX_COUNTED_NS);
	turn->counted_ns = now_ns;
	if (turn->clock.tracees.n_threads == 0)
		turn->restless_ns = 0;
	else if (turn->restless_ns > RESTLESS_NS)
		fail_restless(&turn->clock);
}

/* Returns until when to wait for messages and stops, by the kernel's clock. */
static int64_t wait_until_ns(const struct turn *turn)
{
	const int64_t now_ns = clock_process_now_ns(&turn->clock);
	int64_t chores_ns, next_ns = due_next_ns(&turn->clock, &chores_ns);

	next_ns = MIN(next_ns, chores_ns);
	/* The kernel itself ends what is due already. */
	next_ns = next_ns <= now_ns ? INT64_MAX : next_ns;
	if (next_ns != INT64_MAX)
		next_ns -= turn->clock.ahead_ns;
	return turn->asked || turn->clock.failed ? next_ns : MIN(next_ns, turn->next_look_ns);
}

static void wait_for_something(const struct turn *turn)
{
	struct pollfd fds[] = {
		{.fd = turn->clock.signal_fd, .events = POLLIN},
		{.fd = turn->clock.control_fd, .events = POLLIN},
		{.fd = turn->clock.join_fd, .events = POLLIN},
	};
	const int64_t left_ns = wait_until_ns(turn) - clock_monotonic_ns();
	const struct timespec timeout = {.tv_sec = MAX(left_ns, 0) / NS_PER_S,
					 .tv_nsec = MAX(left_ns, 0) % NS_PER_S};
	struct signalfd_siginfo notice;

	(void)ppoll(fds, ARRAY_SIZE(fds), left_ns > NS_PER_S * 3600 ? NULL : &timeout, NULL);
	while (read(turn->clock.signal_fd, &notice, sizeof(notice)) > 0)
		;
}

/* The supervisor says that all programs have ended, but not every end has been reported here. */
static void take_last_stops(struct turn *turn)
{
	for (int i = 0; i < LAST_STOPS && turn->clock.tracees.n_threads > 0; i++) {
		take_stops(turn);
		(void)poll(NULL, 0, LAST_STOP_MS);
	}
}

static bool is_over(const struct clock_process *self)
{
	return self->finishing && self->tracees.n_threads == 0;
}

/* A jump ends this close to where it should, even if the process waits for a processor in between.
 */
#define JUMP_SLACK_NS (100 * NS_PER_MS)

/*
 * Fails if the kernel ends a hurried attempt before its time by the client's clock, because there
 * was no moment for the jump.
 */
static void check_hurried(struct clock_process *self)
{
	for (size_t i = 0; i < self->connects.n_items; i++) {
		const struct connecting *connecting = &self->connects.items[i];

		if (connecting->hurried && clock_monotonic_ns() >= connecting->ends_own_ns &&
		    clock_process_now_ns(self) + JUMP_SLACK_NS <
			    connecting->began_ns + self->connect_ns)
			clock_process_fail(self, "the kernel ended an attempt before its time, "
						 "because no moment was idle");
	}
}

static bool loop_once(struct turn *turn)
{
	take_stops(turn);
	check_hurried(&turn->clock);
	take_joining(&turn->clock);
	if (!take_messages(turn) || is_over(&turn->clock))
		return false;
	if (due_take(&turn->clock))
		look_at_once(turn);
	if (!turn->asked && !turn->clock.failed && clock_monotonic_ns() >= turn->next_look_ns) {
		check_rest(turn);
		if (!ask(turn))
			return false;
	}
	wait_for_something(turn);
	return true;
}

void clock_process_run(const struct clock_process_config *config)
{
	struct turn turn = {
		.clock = {.control_fd = config->control_fd,
			  .join_fd = config->join_fd,
			  .syn_linear = config->syn_linear,
			  .connect_ns = config->connect_ns,
			  .networks = config->networks},
		.counted_ns = clock_monotonic_ns(),
	};
	sigset_t all;

	(void)prctl(PR_SET_NAME, "synfault-clock");
	/* Signals sent to all processes of the sandbox are not meant for this one. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	turn.clock.signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	while (turn.clock.signal_fd >= 0 && loop_once(&turn))
		;
	if (turn.clock.finishing)
		take_last_stops(&turn);
	_exit(is_over(&turn.clock) ? EXIT_SUCCESS : EXIT_FAILURE);
}
