/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that a thread of the client makes on our behalf. A process's timers can be set only from
 * inside, and its sockets only with rights that containers deny (pidfd_getfd(2)). So a sleeping
 * thread is interrupted, makes the call with the code in its vDSO, and continues where it was.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "runner/clock/clock_impl.h"
#include "runner/clock/registers.h"

/* A system call has two stops; being stopped by a signal may add some. */
enum { MAX_STOPS = 8 };
/* The kernel's own set of signals (include/uapi/asm-generic/signal.h). */
typedef uint64_t signal_set;

static bool is_stop(int status, int signal, int event)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == signal && status >> 16 == event;
}

static struct thread *find_sleeper(const struct clock_process *self, const struct process *process)
{
	struct thread *thread;

	for (thread = self->tracees.threads; thread; thread = thread->hh.next)
		if (thread->process == process && !thread->ending && !thread->reads_clock &&
		    thread_sleeps(thread))
			return thread;
	return NULL;
}

/* Interrupts the thread and waits until it has stopped for that; handles earlier stops. */
static bool interrupt(struct clock_process *self, struct thread *thread)
{
	const pid_t tid = thread->tid;
	int status;

	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		return false;
	thread->stopping = true;
	while (waitpid(tid, &status, __WALL) == tid) {
		if (is_stop(status, SIGTRAP, PTRACE_EVENT_STOP)) {
			thread->stopping = false;
			return true;
		}
		stops_take(self, tid, status);
		if (!tracees_find(&self->tracees, tid))
			break;
	}
	return false;
}

/*
 * Lets the thread run until the call has returned. Signals wait until then: the thread is not where
 * a handler would find it, and what is not passed on at their stops is lost.
 */
static bool run_call(pid_t tid)
{
	const signal_set all = ~UINT64_C(0);
	signal_set own;
	int n_calls = 0;

	if (ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof(own), &own) < 0 ||
	    ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(all), &all) < 0)
		return false;
	for (int i = 0; i < MAX_STOPS && n_calls < 2; i++) {
		int status;

		if (ptrace(PTRACE_SYSCALL, tid, NULL, NULL) < 0 ||
		    waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			return false;
		n_calls += is_stop(status, SIGTRAP | 0x80, 0);
	}
	return ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(own), &own) == 0 && n_calls == 2;
}

long remote_call(struct clock_process *self, struct process *process, long number,
		 const uint64_t arguments[static 6], const void *data, size_t size,
		 unsigned data_argument)
{
	struct thread *thread = find_sleeper(self, process);
	uint64_t own[6];
	struct registers before, registers;
	bool has_signal;
	long result;

	if (!thread || !process->syscall_at || !interrupt(self, thread) ||
	    registers_get(thread->tid, &before) < 0)
		return -ESRCH;
	thread->waits = calls_is_in_wait(thread, &before);
	memcpy(own, arguments, sizeof(own));
	registers = before;
	if (data) {
		own[data_argument] = registers_scratch(&registers);
		if (process_write(process, own[data_argument], data, size) < 0)
			return -EFAULT;
	}
	registers_make_call(&registers, process->syscall_at, number, own);
	if (registers_set(thread->tid, &registers) < 0 || !run_call(thread->tid) ||
	    registers_get(thread->tid, &registers) < 0)
		return -ESRCH;
	result = registers_result(&registers);
	has_signal = thread_has_signal(thread);
	thread->kept = registers_again(&before, has_signal) && thread->waits;
	thread->forced = thread->waits;
	(void)registers_set(thread->tid, &before);
	/* Only on the way out of such a stop does the kernel decide whether to restart a call. */
	(void)ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL);
	(void)ptrace(PTRACE_CONT, thread->tid, NULL, NULL);
	return result;
}
