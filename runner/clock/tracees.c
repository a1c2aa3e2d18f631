/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The threads and processes on the clock: see tracees.h. */
#include "runner/clock/tracees.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/syscall.h>

#include "runner/clock/vdso.h"

/* ---- files of /proc ---- */

static int open_file(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags | O_CLOEXEC);
}

static int open_task_file(pid_t pid, pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Reads a file from its start. Returns whether it has any text. */
static bool read_text(int fd, char *text, size_t size)
{
	ssize_t length = fd >= 0 ? pread(fd, text, size - 1, 0) : -1;

	text[MAX(length, 0)] = '\0';
	return length > 0;
}

/* Reads the number behind @key at the start of a line. */
static bool find_number(const char *text, const char *key, int base, long *ret)
{
	const size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) != 0)
			continue;
		*ret = strtol(line + length, NULL, base);
		return true;
	}
	return false;
}

/* Reads a number from a thread's status; returns @otherwise if it can't. */
static long status_number(pid_t tid, const char *key, long otherwise)
{
	AUTO_CLOSE int fd = open_file(tid, "status", O_RDONLY);
	char text[4096];
	long number;

	return read_text(fd, text, sizeof(text)) && find_number(text, key, 10, &number) ? number
											: otherwise;
}

static pid_t process_of(pid_t tid)
{
	return (pid_t)status_number(tid, "Tgid:", tid);
}

size_t thread_n_descriptors(pid_t tid)
{
	return (size_t)MAX(status_number(tid, "FDSize:", 0), 0L);
}

long process_fd_number(pid_t pid, int fd, const char *key, int base)
{
	AUTO_CLOSE int info = -1;
	char name[32], text[4096];
	long number;

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	info = open_file(pid, name, O_RDONLY);
	return read_text(info, text, sizeof(text)) && find_number(text, key, base, &number) ? number
											    : -1;
}

uint64_t process_socket(pid_t pid, int fd)
{
	char path[64], target[64];
	uint64_t inode;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length <= 0)
		return 0;
	target[length] = '\0';
	return sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

/* ---- the table ---- */

struct thread *tracees_find(const struct tracees *self, pid_t tid)
{
	struct thread *thread;

	HASH_FIND_INT(self->threads, &tid, thread);
	return thread;
}

static struct process *add_process(struct tracees *self, pid_t pid)
{
	struct process *process;

	HASH_FIND_INT(self->processes, &pid, process);
	if (process)
		return process;
	process = xzalloc(sizeof(*process));
	process->pid = pid;
	process->memory_fd = -1;
	HASH_ADD_INT(self->processes, pid, process);
	return process;
}

struct thread *tracees_add(struct tracees *self, pid_t tid)
{
	struct thread *thread = tracees_find(self, tid);

	if (thread)
		return thread;
	thread = xzalloc(sizeof(*thread));
	thread->tid = tid;
	thread->process = add_process(self, process_of(tid));
	thread->process->n_threads++;
	thread->stat_fd = open_task_file(thread->process->pid, tid, "stat");
	thread->schedstat_fd = open_task_file(thread->process->pid, tid, "schedstat");
	HASH_ADD_INT(self->threads, tid, thread);
	self->n_threads++;
	if (thread->stat_fd >= 0 && thread->schedstat_fd >= 0)
		return thread;
	tracees_remove(self, thread);
	return NULL;
}

void tracees_remove(struct tracees *self, struct thread *thread)
{
	struct process *process = thread->process;

	HASH_DEL(self->threads, thread);
	self->n_threads--;
	cleanup_close(&thread->stat_fd);
	cleanup_close(&thread->schedstat_fd);
	free(thread);
	if (--process->n_threads > 0)
		return;
	HASH_DEL(self->processes, process);
	cleanup_close(&process->memory_fd);
	free(process);
}

void tracees_executed(struct tracees *self, struct process *process)
{
	struct thread *next;

	for (struct thread *thread = self->threads; thread; thread = next) {
		next = thread->hh.next;
		if (thread->process == process && thread->tid != process->pid)
			tracees_remove(self, thread);
	}
	cleanup_close(&process->memory_fd);
	process->memory_fd = -1;
	process->ahead_at = process->syscall_at = 0;
}

/* ---- sleep ---- */

static char state_of(const struct thread *thread)
{
	char text[256];
	const char *end;

	/* A thread that is gone counts as dead. */
	if (!read_text(thread->stat_fd, text, sizeof(text)))
		return 'X';
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : '?';
}

static bool is_asleep(char state)
{
	return state == 'S' || state == 'Z' || state == 'X';
}

bool thread_sleeps(const struct thread *thread)
{
	return state_of(thread) == 'S';
}

static uint64_t signals(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	return line ? strtoull(line + strlen(key), NULL, 16) : 0;
}

bool thread_has_signal(const struct thread *thread)
{
	AUTO_CLOSE int fd = open_task_file(thread->process->pid, thread->tid, "status");
	char text[4096];

	return read_text(fd, text, sizeof(text)) &&
	       ((signals(text, "SigPnd:") | signals(text, "ShdPnd:")) &
		~signals(text, "SigBlk:")) != 0;
}

bool thread_is_dead(const struct thread *thread)
{
	char state = state_of(thread);

	return state == 'Z' || state == 'X';
}

static void read_counts(const struct thread *thread, char ret[static SCHEDSTAT_SIZE])
{
	(void)read_text(thread->schedstat_fd, ret, SCHEDSTAT_SIZE);
}

static bool has_run(const struct thread *thread)
{
	char now[SCHEDSTAT_SIZE];

	read_counts(thread, now);
	return strcmp(now, thread->counts) != 0;
}

static int read_memory(void *userdata, uint64_t address, void *data, size_t size)
{
	return process_read(userdata, address, data, size);
}

/* Returns whether its sleep may have a time limit that was not noted. */
static bool has_unknown_limit(const struct thread *thread)
{
	const struct wait_clocks clocks = {0};
	struct wait wait;

	if (thread->waits)
		return false;
	return thread->asleep_in.number == SYS_restart_syscall ||
	       wait_decode(&thread->asleep_in, read_memory, thread->process, &clocks, &wait) != 0;
}

/* Finds out which call it sleeps in, unless that is known since it fell asleep. */
static void check_call(struct thread *thread)
{
	AUTO_CLOSE int fd = -1;
	const struct wait_call before = thread->asleep_in;
	uint64_t *arguments = thread->asleep_in.arguments;
	char text[256];

	if (strcmp(thread->checked, thread->counts) == 0)
		return;
	memcpy(thread->checked, thread->counts, sizeof(thread->checked));
	fd = open_task_file(thread->process->pid, thread->tid, "syscall");
	thread->asleep_in.number = -1;
	/* A dead thread is in no call. */
	if (!read_text(fd, text, sizeof(text)) || text[0] == '-') {
		thread->may_sleep = fd >= 0 || state_of(thread) != 'S';
		return;
	}
	if (sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64,
		   &thread->asleep_in.number, &arguments[0], &arguments[1], &arguments[2],
		   &arguments[3], &arguments[4], &arguments[5]) != 7) {
		/* It is running. */
		thread->checked[0] = '\0';
		thread->may_sleep = false;
		return;
	}
	/* Interrupted for a call on our behalf, it continues: what limits the call is known. */
	if (wait_goes_on(&before, &thread->asleep_in))
		thread->asleep_in.number = before.number;
	if (thread->waits && !thread_is_in(thread, &thread->wait.call))
		thread->waits = false;
	thread->may_sleep = wait_may_sleep(thread->asleep_in.number) && !has_unknown_limit(thread);
}

static bool is_awake(struct tracees *self, const struct thread *thread, char state)
{
	self->awake_tid = thread->tid;
	self->awake_state = state;
	return false;
}

bool tracees_sleep(struct tracees *self)
{
	struct thread *thread;

	for (thread = self->threads; thread; thread = thread->hh.next) {
		if (thread->ending || thread->reads_clock)
			return is_awake(self, thread, thread->ending ? 'e' : 'c');
		read_counts(thread, thread->counts);
	}
	for (thread = self->threads; thread; thread = thread->hh.next) {
		char state = state_of(thread);

		if (!is_asleep(state))
			return is_awake(self, thread, state);
	}
	for (thread = self->threads; thread; thread = thread->hh.next)
		if (has_run(thread))
			return is_awake(self, thread, 'R');
	for (thread = self->threads; thread; thread = thread->hh.next) {
		check_call(thread);
		if (!thread->may_sleep)
			return is_awake(self, thread, 's');
	}
	self->awake_tid = 0;
	return self->n_threads > 0;
}

bool thread_still_sleeps(const struct thread *thread)
{
	return is_asleep(state_of(thread)) && !has_run(thread);
}

bool tracees_still_sleep(const struct tracees *self)
{
	struct thread *thread;

	for (thread = self->threads; thread; thread = thread->hh.next)
		if (!thread_still_sleeps(thread))
			return false;
	return true;
}

bool thread_is_in(const struct thread *thread, const struct wait_call *call)
{
	return wait_goes_on(call, &thread->asleep_in);
}

void thread_name(const struct thread *thread, char ret[static 32])
{
	AUTO_CLOSE int fd = open_task_file(thread->process->pid, thread->tid, "comm");

	(void)read_text(fd, ret, 32);
	ret[strcspn(ret, "\n")] = '\0';
}

/* ---- memory ---- */

int process_read(const struct process *process, uint64_t address, void *data, size_t size)
{
	ssize_t length = pread(process->memory_fd, data, size, (off_t)address);

	return length < 0 ? -errno : (size_t)length == size ? 0 : -EFAULT;
}

int process_write(const struct process *process, uint64_t address, const void *data, size_t size)
{
	ssize_t length = pwrite(process->memory_fd, data, size, (off_t)address);

	return length < 0 ? -errno : (size_t)length == size ? 0 : -EFAULT;
}

static uint64_t vdso_of(pid_t pid)
{
	AUTO_CLOSE int fd = open_file(pid, "auxv", O_RDONLY);
	uint64_t vector[128];
	ssize_t length = fd >= 0 ? read(fd, vector, sizeof(vector)) : -1;

	for (size_t i = 0; length > 0 && i + 1 < (size_t)length / sizeof(*vector); i += 2)
		if (vector[i] == AT_SYSINFO_EHDR)
			return vector[i + 1];
	return 0;
}

/* Reads the vDSO page by page, as far as its ELF header says or memory can be read. */
static size_t read_image(const struct process *process, uint64_t base, uint8_t *image)
{
	enum { PAGE = 4096 };
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	size_t length = 0, wanted = PAGE;

	while (length < wanted && process_read(process, base + length, image + length, PAGE) == 0) {
		length += PAGE;
		if (length == PAGE)
			wanted = MIN((header->e_shoff +
				      (size_t)header->e_shnum * header->e_shentsize + PAGE - 1) /
					     PAGE * PAGE,
				     (size_t)VDSO_MAX);
	}
	return length;
}

/*
 * Returns whether the code is there already: the process is a copy of its parent, or still shares
 * memory with it (vfork(2)). Other threads may be running the code, so it must not be written
 * again.
 */
static bool is_patched(const uint8_t *image, const struct vdso_patch *patch)
{
	const struct vdso_piece *code = &patch->pieces[0];

	return memcmp(image + code->offset, code->data, patch->ahead_offset - code->offset) == 0;
}

int process_patch(struct process *process, int64_t ahead_ns)
{
	const uint64_t base = vdso_of(process->pid);
	AUTO_FREE uint8_t *image = xmalloc(VDSO_MAX);
	struct vdso_patch patch;
	int r;

	if (process->memory_fd < 0)
		process->memory_fd = open_file(process->pid, "mem", O_RDWR);
	if (process->memory_fd < 0)
		return -errno;
	if (base == 0)
		return -ENOENT;
	r = vdso_plan(image, read_image(process, base, image), &patch);
	if (r == 0 && is_patched(image, &patch))
		patch.n_pieces = 0;
	for (size_t i = 0; r == 0 && i < patch.n_pieces; i++)
		r = process_write(process, base + patch.pieces[i].offset, patch.pieces[i].data,
				  patch.pieces[i].length);
	if (r < 0)
		return r;
	process->ahead_at = base + patch.ahead_offset;
	process->syscall_at = base + patch.syscall_offset;
	return process_move(process, ahead_ns);
}

int process_move(const struct process *process, int64_t ahead_ns)
{
	const struct vdso_ahead ahead = vdso_ahead_of(ahead_ns);

	return process->ahead_at ? process_write(process, process->ahead_at, &ahead, sizeof(ahead))
				 : 0;
}
