/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls of the client that the filter stops. Waits and timers are noted, and times that a
 * call returns are moved. A call that virtual time can't provide makes the clock fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "common/duration.h"
#include "runner/clock/clock_impl.h"
#include "runner/clock/jump.h"
#include "runner/clock/registers.h"

/* At how many of its waits a thread's name is read; by the last it has its final name. */
enum { NAME_LOOKS = 4 };
/* As in filter.c. */
#define RCVTIMEO_NEW 66
/* As many as the kernel sends with one call (UIO_MAXIOV). */
enum { MAX_MESSAGES = 1024 };

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static int read_memory(void *userdata, uint64_t address, void *data, size_t size)
{
	return process_read(userdata, address, data, size);
}

/* Makes the call return this; it does not reach the kernel. */
static void answer(const struct thread *thread, long result)
{
	struct registers registers;

	if (registers_get(thread->tid, &registers) < 0)
		return;
	registers_end_call(&registers, result);
	(void)registers_set(thread->tid, &registers);
}

/* ---- waits ---- */

static void look_at_name(struct thread *thread)
{
	char name[32];

	if (thread->n_named >= NAME_LOOKS)
		return;
	thread->n_named++;
	thread_name(thread, name);
	thread->chore = jump_is_chore(name);
}

static bool is_same_call(const struct wait_call *a, const struct wait_call *b)
{
	return a->number == b->number &&
	       memcmp(a->arguments, b->arguments, sizeof(a->arguments)) == 0;
}

static void begin_wait(struct clock_process *self, struct thread *thread, const struct wait *wait)
{
	/* A wait that we interrupted and that begins again keeps its deadline. */
	const bool kept = thread->kept && is_same_call(&thread->wait.call, &wait->call);
	const int64_t deadline_ns = thread->wait.deadline_ns;

	look_at_name(thread);
	thread->kept = false;
	thread->wait = *wait;
	thread->waits = true;
	thread->forced = kept;
	thread->began_ahead_ns = self->ahead_ns;
	if (kept)
		thread->wait.deadline_ns = deadline_ns;
}

static void take_wait(struct clock_process *self, struct thread *thread)
{
	const struct wait_clocks now = clock_process_clocks(self);
	struct wait wait;
	int r = wait_decode(&thread->call, read_memory, thread->process, &now, &wait);

	/* If its arguments can't be read, the kernel refuses the call, too. */
	thread->waits = false;
	if (r <= 0)
		return;
	/* No table is smaller than one word of a set. */
	if (wait.set_size > sizeof(uint64_t))
		wait_limit_sets(&wait, thread_n_descriptors(thread->tid));
	begin_wait(self, thread, &wait);
}

bool calls_is_in_wait(const struct thread *thread, const struct registers *registers)
{
	struct wait_call now = {.number = registers_call(registers)};

	registers_arguments(registers, now.arguments);
	return thread->waits && wait_goes_on(&thread->wait.call, &now);
}

/* Empties the sets of a select() that has timed out: no descriptor is ready. */
static int empty_sets(const struct process *process, const struct wait *wait)
{
	static const uint8_t nothing[4096];

	for (size_t i = 0; i < ARRAY_SIZE(wait->sets); i++)
		for (size_t at = 0, n; wait->sets[i] && at < wait->set_size; at += n) {
			n = MIN(wait->set_size - at, sizeof(nothing));
			if (process_write(process, wait->sets[i] + at, nothing, n) < 0)
				return -EFAULT;
		}
	return 0;
}

/* Returns whether a call writes back the time left when it has timed out, too. */
static bool writes_none_left(const struct wait *wait)
{
	return wait->left != WAIT_LEFT_NONE && wait->call.number != SYS_nanosleep &&
	       wait->call.number != SYS_clock_nanosleep;
}

void calls_end_wait(struct clock_process *self, struct thread *thread)
{
	const struct wait *wait = &thread->wait;
	struct registers registers;
	int64_t left[2] = {0, 0};
	const bool missed = thread->missed;

	thread->ending = thread->missed = false;
	if (registers_get(thread->tid, &registers) < 0)
		return;
	thread->waits = calls_is_in_wait(thread, &registers);
	if (!registers_was_cut(&registers) || registers_call(&registers) < 0)
		return;
	if (missed || !thread->waits) {
		/* It is in another call by now. The kernel does not restart all of them. */
		thread->kept =
			registers_again(&registers, thread_has_signal(thread)) && thread->waits;
		(void)registers_set(thread->tid, &registers);
		return;
	}
	thread->waits = false;
	if (empty_sets(thread->process, wait) < 0)
		clock_process_fail(self, "the result of select() could not be written");
	if (writes_none_left(wait))
		(void)process_write(thread->process, wait->left_at, left, sizeof(left));
	registers_end_call(&registers, wait->result);
	(void)registers_set(thread->tid, &registers);
}

void calls_correct_left(const struct clock_process *self, const struct thread *thread)
{
	struct registers registers;
	int64_t left[2];

	if (!thread->waits || thread->wait.left == WAIT_LEFT_NONE ||
	    registers_get(thread->tid, &registers) < 0 || !registers_was_cut(&registers) ||
	    !calls_is_in_wait(thread, &registers))
		return;
	wait_split(thread->wait.deadline_ns - clock_process_now_ns(self), thread->wait.left, left);
	(void)process_write(thread->process, thread->wait.left_at, left, sizeof(left));
}

/* ---- clocks ---- */

static bool is_moved(uint64_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
	case CLOCK_TAI:
		return true;
	default:
		return false;
	}
}

static void move_time(const struct clock_process *self, const struct process *process,
		      uint64_t address, int64_t unit_ns)
{
	int64_t parts[2], ns;

	if (!address || process_read(process, address, parts, sizeof(parts)) < 0)
		return;
	ns = parts[0] * NS_PER_S + parts[1] * unit_ns + self->ahead_ns;
	parts[0] = ns / NS_PER_S;
	parts[1] = ns % NS_PER_S / unit_ns;
	(void)process_write(process, address, parts, sizeof(parts));
}

void calls_move_answer(struct clock_process *self, struct thread *thread)
{
	const uint64_t *arguments = thread->call.arguments;
	struct registers registers;

	thread->reads_clock = false;
	if (registers_get(thread->tid, &registers) < 0 || registers_result(&registers) < 0)
		return;
	if (thread->call.number == SYS_gettimeofday) {
		move_time(self, thread->process, arguments[0], NS_PER_US);
	} else if (thread->call.number == SYS_clock_gettime) {
		if (is_moved(arguments[0]))
			move_time(self, thread->process, arguments[1], 1);
	} else {
		/* time(2) */
		int64_t now_s = (clock_realtime_ns() + self->ahead_ns) / NS_PER_S;

		if (arguments[0])
			(void)process_write(thread->process, arguments[0], &now_s, sizeof(now_s));
		registers_end_call(&registers, now_s);
		(void)registers_set(thread->tid, &registers);
	}
}

/* ---- timers ---- */

static int64_t to_ns(const int64_t parts[static 2], int64_t unit_ns)
{
	return MIN(parts[0], INT64_C(4000000000)) * NS_PER_S + parts[1] * unit_ns;
}

static void write_timer(const struct clock_process *self, const struct process *process,
			uint64_t address, const struct client_timer *timer, enum wait_left form)
{
	int64_t parts[4] = {0};

	if (!address)
		return;
	if (timer) {
		wait_split(timer->interval_ns, form, &parts[0]);
		/* 0 would mean that it is not set; this one is due. */
		wait_split(MAX(timer->deadline_ns - clock_process_now_ns(self), NS_PER_US), form,
			   &parts[2]);
	}
	(void)process_write(process, address, parts, sizeof(parts));
}

/* alarm(), setitimer(), getitimer(): answered here; the kernel never sees them. */
static void take_alarm(struct clock_process *self, struct thread *thread)
{
	const uint64_t *arguments = thread->call.arguments;
	const long number = thread->call.number;
	struct process *process = thread->process;
	const struct client_timer *old =
		client_timers_find(&self->timers, CLIENT_TIMER_ALARM, process->pid, 0);
	struct client_timer timer = {.kind = CLIENT_TIMER_ALARM, .process = process->pid};
	const int64_t now_ns = clock_process_now_ns(self);
	int64_t parts[4] = {0}, value_ns, left_s = 0;

	if (number == SYS_getitimer) {
		if (arguments[0] != ITIMER_REAL)
			return;
		write_timer(self, process, arguments[1], old, WAIT_LEFT_TIMEVAL);
		answer(thread, 0);
		return;
	}
	if (number == SYS_setitimer) {
		if (arguments[0] != ITIMER_REAL)
			return;
		if (arguments[1] && process_read(process, arguments[1], parts, sizeof(parts)) < 0)
			return;
		write_timer(self, process, arguments[2], old, WAIT_LEFT_TIMEVAL);
	} else {
		parts[2] = (uint32_t)arguments[0];
		if (old)
			left_s = MAX((old->deadline_ns - now_ns + NS_PER_S / 2) / NS_PER_S,
				     INT64_C(1));
	}
	value_ns = to_ns(&parts[2], NS_PER_US);
	timer.interval_ns = to_ns(&parts[0], NS_PER_US);
	timer.deadline_ns = value_ns > 0 ? now_ns + value_ns : 0;
	client_timers_set(&self->timers, &timer);
	answer(thread, left_s);
}

/* Returns a timer's clock (clock_gettime(2)); negative: not known, or of processor time. */
static int clock_of_timer(const struct process *process, const struct client_timer *timer)
{
	char path[32], line[128];
	AUTO_FCLOSE FILE *file = NULL;
	int number = -1, clock = -1;

	if (timer->kind == CLIENT_TIMER_FD)
		return (int)process_fd_number(process->pid, timer->number, "clockid:", 10);
	snprintf(path, sizeof(path), "/proc/%d/timers", process->pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "ID: %d", &number) == 1)
			continue;
		if (sscanf(line, "ClockID: %d", &clock) == 1 && number == timer->number)
			return clock;
	}
	return -1;
}

static int64_t clock_ahead_ns(int clock, const struct wait_clocks *now)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return now->realtime_ns - now->monotonic_ns;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return now->boottime_ns - now->monotonic_ns;
	case CLOCK_TAI:
		return now->tai_ns - now->monotonic_ns;
	default:
		return 0;
	}
}

/* timerfd_settime(), timer_settime(): noted here, then set by the kernel. */
static void take_timer(struct clock_process *self, const struct thread *thread)
{
	const uint64_t *arguments = thread->call.arguments;
	const struct wait_clocks now = clock_process_clocks(self);
	struct client_timer timer = {
		.kind = thread->call.number == SYS_timerfd_settime ? CLIENT_TIMER_FD
								   : CLIENT_TIMER_POSIX,
		.process = thread->process->pid,
		.number = (int)arguments[0],
		.began_ahead_ns = self->ahead_ns,
		.absolute = arguments[1] & TIMER_ABSTIME,
	};
	int64_t parts[4], value_ns;
	int clock;

	if (process_read(thread->process, arguments[2], parts, sizeof(parts)) < 0)
		return;
	clock = clock_of_timer(thread->process, &timer);
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
		return;
	timer.interval_ns = to_ns(&parts[0], 1);
	value_ns = to_ns(&parts[2], 1);
	if (value_ns > 0)
		timer.deadline_ns = timer.absolute ? value_ns - clock_ahead_ns(clock, &now)
						   : now.monotonic_ns + value_ns;
	client_timers_set(&self->timers, &timer);
}

static void take_timer_question(struct clock_process *self, const struct thread *thread)
{
	const struct client_timer *timer = client_timers_find(
		&self->timers,
		thread->call.number == SYS_timerfd_gettime ? CLIENT_TIMER_FD : CLIENT_TIMER_POSIX,
		thread->process->pid, (int)thread->call.arguments[0]);

	/* The kernel answers if the timer has expired, or is not known here. */
	if (!timer)
		return;
	write_timer(self, thread->process, thread->call.arguments[1], timer, WAIT_LEFT_TIMESPEC);
	answer(thread, 0);
}

/* ---- sockets ---- */

/* In a network that others use, too: what is sent to them is answered by another clock. */
static void check_address(struct clock_process *self, const struct process *process, uint64_t at,
			  uint64_t length)
{
	struct sockaddr_storage sockaddr = {0};
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	if (!self->networks || at == 0 ||
	    process_read(process, at, &sockaddr, MIN(length, sizeof(struct sockaddr_in6))) < 0 ||
	    address_from_sockaddr((struct sockaddr *)&sockaddr, &address) < 0 ||
	    address_networks_have(self->networks, &address))
		return;
	clock_process_fail(self, "a program talks to %s, which is not an endpoint of this scenario",
			   address_format(&address, text));
}

/* sendmsg(), sendmmsg(): the addresses are in the messages. */
static void check_messages(struct clock_process *self, const struct thread *thread)
{
	const uint64_t *arguments = thread->call.arguments;
	const bool many = thread->call.number == SYS_sendmmsg;
	const size_t n = many ? MIN(arguments[2], (uint64_t)MAX_MESSAGES) : 1;

	for (size_t i = 0; i < n; i++) {
		struct msghdr message;
		size_t size = many ? sizeof(struct mmsghdr) : sizeof(struct msghdr);

		if (process_read(thread->process, arguments[1] + i * size, &message,
				 sizeof(message)) == 0)
			check_address(self, thread->process, (uint64_t)message.msg_name,
				      message.msg_namelen);
	}
}

static void take_connect(struct clock_process *self, struct thread *thread)
{
	const uint64_t *arguments = thread->call.arguments;
	struct process *process = thread->process;
	const int fd = (int)arguments[0];
	const int64_t now_ns = clock_process_now_ns(self);
	struct connecting connecting = {
		.process = process->pid,
		.fd = fd,
		.began_ns = now_ns,
		.began_own_ns = clock_monotonic_ns(),
	};
	const struct socket_times *times;
	struct sockaddr_un address = {0};

	/* A connect() that we interrupted continues. */
	if (thread->kept && is_same_call(&thread->wait.call, &thread->call)) {
		thread->kept = false;
		return;
	}
	thread->waits = thread->kept = false;
	if (process_read(process, arguments[1], &address.sun_family, sizeof(address.sun_family)) <
	    0)
		return;
	if (address.sun_family == AF_UNIX) {
		AUTO_FREE char *path = NULL;

		(void)process_read(process, arguments[1], &address,
				   MIN(arguments[2], sizeof(address)));
		/* The server there has another clock. Without a server, connect() just fails. */
		path = xasprintf("/proc/%d/root%.*s", process->pid,
				 (int)sizeof(address.sun_path) - 1, address.sun_path);
		if (address.sun_path[0] == '\0' || access(path, F_OK) == 0)
			clock_process_fail(self, "a program connects to a Unix socket: %.100s",
					   address.sun_path[0] ? address.sun_path : "(abstract)");
		return;
	}
	if (address.sun_family != AF_INET && address.sun_family != AF_INET6)
		return;
	check_address(self, process, arguments[1], arguments[2]);
	connecting.inode = process_socket(process->pid, fd);
	connecting.blocks = !(process_fd_number(process->pid, fd, "flags:", 8) & O_NONBLOCK);
	connects_add(&self->connects, &connecting);
	if (!connecting.blocks)
		return;
	times = connects_times(&self->connects, connecting.inode);
	thread->wait = (struct wait){
		.call = thread->call,
		.result = times && times->send_ns ? -EINPROGRESS : -ETIMEDOUT,
		.deadline_ns =
			now_ns + (times && times->send_ns ? times->send_ns : self->connect_ns),
	};
	thread->waits = true;
	thread->forced = false;
	thread->began_ahead_ns = self->ahead_ns;
}

static void take_option(struct clock_process *self, const struct thread *thread)
{
	const uint64_t *arguments = thread->call.arguments;
	struct process *process = thread->process;
	const int level = (int)arguments[1], option = (int)arguments[2];
	const bool receives = option == SO_RCVTIMEO || option == RCVTIMEO_NEW;
	int64_t parts[2] = {0}, ns;

	if (level == IPPROTO_TCP && (option == TCP_USER_TIMEOUT || option == TCP_SYNCNT)) {
		clock_process_fail(self, "a program sets the kernel's own timeout of a "
					 "connection (TCP_USER_TIMEOUT or TCP_SYNCNT)");
		return;
	}
	if (level != SOL_SOCKET || option == TCP_USER_TIMEOUT || option == TCP_SYNCNT ||
	    process_read(process, arguments[3], parts, sizeof(parts)) < 0)
		return;
	ns = to_ns(parts, NS_PER_US);
	connects_set_times(&self->connects, process_socket(process->pid, (int)arguments[0]),
			   receives ? ns : -1, receives ? -1 : ns);
}

static bool is_receiving(long number)
{
	return number == SYS_read || number == SYS_readv || number == SYS_recvfrom ||
	       number == SYS_recvmsg || number == SYS_recvmmsg || number == SYS_accept ||
	       number == SYS_accept4;
}

static bool is_sending(long number)
{
	return number == SYS_write || number == SYS_writev || number == SYS_sendto ||
	       number == SYS_sendmsg;
}

void calls_find_socket_waits(struct clock_process *self)
{
	struct thread *thread;

	if (self->connects.n_times == 0)
		return;
	for (thread = self->tracees.threads; thread; thread = thread->hh.next) {
		const struct wait_call *call = &thread->asleep_in;
		const struct socket_times *times;
		int64_t length_ns;

		if (thread->waits || (!is_receiving(call->number) && !is_sending(call->number)))
			continue;
		times = connects_times(&self->connects, process_socket(thread->process->pid,
								       (int)call->arguments[0]));
		length_ns =
			times ? (is_receiving(call->number) ? times->receive_ns : times->send_ns)
			      : 0;
		if (length_ns == 0)
			continue;
		thread->wait = (struct wait){
			.call = *call,
			.result = -EAGAIN,
			.deadline_ns = clock_process_now_ns(self) + length_ns,
		};
		thread->waits = true;
		thread->forced = false;
		thread->began_ahead_ns = self->ahead_ns;
	}
}

/* ---- all calls ---- */

/* Fails on a call after which the clock can't be trusted. Returns whether it is one. */
static bool refuse(struct clock_process *self, const struct thread *thread)
{
	switch (thread->call.number) {
	case SYS_ptrace:
		clock_process_fail(
			self, "a program uses ptrace(2), but its processes are traced already");
		return true;
	case SYS_seccomp:
	case SYS_prctl:
		clock_process_fail(self,
				   "a program filters its own system calls (seccomp), and may "
				   "refuse those of the clock");
		return true;
	case SYS_recvmmsg:
		clock_process_fail(self, "a program waits in recvmmsg() for a limited time");
		return true;
	default:
		return false;
	}
}

void calls_take(struct clock_process *self, struct thread *thread)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, (void *)sizeof(info), &info) <= 0)
		return;
	thread->call.number = (long)info.seccomp.nr;
	for (size_t i = 0; i < ARRAY_SIZE(thread->call.arguments); i++)
		thread->call.arguments[i] = info.seccomp.args[i];
	if (info.arch != OWN_ARCHITECTURE || thread->call.number & 0x40000000) {
		clock_process_fail(self,
				   "a program was executed that is not a 64-bit program of this "
				   "machine");
		return;
	}
	/* It woke up on its own, and we interrupted this call instead of the wait. */
	thread->missed = thread->ending;
	/* Between vfork() and execve() it uses its parent's memory, which we have to read, too. */
	if (thread->process->memory_fd < 0)
		(void)process_patch(thread->process, self->ahead_ns);
	switch (thread->call.number) {
	case SYS_clock_gettime:
	case SYS_gettimeofday:
#ifdef SYS_time
	case SYS_time:
#endif
		thread->reads_clock = true;
		break;
#ifdef SYS_alarm
	case SYS_alarm:
#endif
	case SYS_setitimer:
	case SYS_getitimer:
		take_alarm(self, thread);
		break;
	case SYS_timerfd_settime:
	case SYS_timer_settime:
		take_timer(self, thread);
		break;
	case SYS_timerfd_gettime:
	case SYS_timer_gettime:
		take_timer_question(self, thread);
		break;
	case SYS_connect:
		take_connect(self, thread);
		break;
	case SYS_setsockopt:
		take_option(self, thread);
		break;
	case SYS_sendto:
		check_address(self, thread->process, thread->call.arguments[4],
			      thread->call.arguments[5]);
		break;
	case SYS_sendmsg:
	case SYS_sendmmsg:
		check_messages(self, thread);
		break;
	default:
		if (!refuse(self, thread))
			take_wait(self, thread);
	}
}
