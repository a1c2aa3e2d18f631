/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that have stopped (ptrace(2), PTRACE_SEIZE): at a system call that the filter names, at
 * their start, after execve(2), at a signal, by SIGSTOP, or because we interrupted them.
 *
 * A new thread is added when its creator reports it, not at its own first stop. Between the two, a
 * thread that has not run yet would be unknown, and the clock could jump although it is ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "runner/clock/clock_impl.h"

static void go_on(const struct thread *thread, int signal)
{
	void *data = (void *)(intptr_t)signal;

	/* Any stop cancels an interruption that came before it (kernel/signal.c, ptrace_stop()). */
	if (thread->ending || thread->stopping)
		(void)ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL);
	if (thread->reads_clock)
		(void)ptrace(PTRACE_SYSCALL, thread->tid, NULL, data);
	else
		(void)ptrace(PTRACE_CONT, thread->tid, NULL, data);
}

static void fail_to_patch(struct clock_process *self, const struct process *process, int r)
{
	clock_process_fail(self, "the clock of process %d can't be moved: %s", process->pid,
			   r == -ENOENT    ? "it has no vDSO"
			   : r == -ENOEXEC ? "its vDSO is of an unknown kind"
			   : r == -ENOSPC  ? "its vDSO has no room"
					   : strerror(-r));
}

/* Returns whether the program would gain rights by its file; under the filter it does not. */
static bool would_change_rights(pid_t pid)
{
	char path[32];
	struct stat file;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (stat(path, &file) < 0)
		return false;
	return file.st_mode & S_ISUID ||
	       (file.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ||
	       getxattr(path, "security.capability", NULL, 0) > 0;
}

static void take_execution(struct clock_process *self, struct thread *thread)
{
	struct process *process = thread->process;
	int r;

	tracees_executed(&self->tracees, process);
	client_timers_executed(&self->timers, process->pid);
	thread->waits = thread->ending = thread->missed = false;
	thread->kept = thread->reads_clock = false;
	thread->chore = false;
	thread->n_named = 0;
	if (would_change_rights(process->pid))
		clock_process_fail(self,
				   "a setuid or setgid program, or one with file capabilities, "
				   "was executed");
	r = process_patch(process, self->ahead_ns);
	if (r < 0)
		fail_to_patch(self, process, r);
}

static void take_birth(struct clock_process *self, const struct thread *thread)
{
	unsigned long tid = 0;
	struct thread *born;

	if (ptrace(PTRACE_GETEVENTMSG, thread->tid, NULL, &tid) < 0 || tid == 0 ||
	    tracees_find(&self->tracees, (pid_t)tid))
		return;
	born = tracees_add(&self->tracees, (pid_t)tid);
	/* If its end has been reported already, no more reports of it will come. */
	if (born && thread_is_dead(born))
		tracees_remove(&self->tracees, born);
}

/* It was interrupted, is new, was stopped by a signal, or continues after SIGCONT. */
static void take_event_stop(struct clock_process *self, struct thread *thread, int signal)
{
	struct process *process = thread->process;
	int r = 0;

	if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
		(void)ptrace(PTRACE_LISTEN, thread->tid, NULL, NULL);
		return;
	}
	/* A child of fork() has its parent's code already; this finds where. */
	if (process->memory_fd < 0)
		r = process_patch(process, self->ahead_ns);
	if (r < 0)
		fail_to_patch(self, process, r);
	if (thread->ending)
		calls_end_wait(self, thread);
	go_on(thread, 0);
}

static void take_stop(struct clock_process *self, struct thread *thread, int status)
{
	const int signal = WSTOPSIG(status), event = status >> 16;

	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		calls_take(self, thread);
		go_on(thread, 0);
		return;
	case PTRACE_EVENT_EXEC:
		take_execution(self, thread);
		go_on(thread, 0);
		return;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		take_birth(self, thread);
		go_on(thread, 0);
		return;
	case PTRACE_EVENT_STOP:
		take_event_stop(self, thread, signal);
		return;
	default:
		break;
	}
	if (signal == (SIGTRAP | 0x80)) {
		if (thread->reads_clock)
			calls_move_answer(self, thread);
		go_on(thread, 0);
		return;
	}
	calls_correct_left(self, thread);
	go_on(thread, signal);
}

void stops_take(struct clock_process *self, pid_t tid, int status)
{
	struct thread *thread = tracees_find(&self->tracees, tid);

	self->n_stops++;
	if (WIFSTOPPED(status)) {
		if (!thread)
			thread = tracees_add(&self->tracees, tid);
		if (thread)
			take_stop(self, thread, status);
		else
			(void)ptrace(PTRACE_CONT, tid, NULL, NULL);
		return;
	}
	if (!thread)
		return;
	if (thread->process->n_threads == 1)
		client_timers_forget(&self->timers, thread->process->pid);
	tracees_remove(&self->tracees, thread);
}
