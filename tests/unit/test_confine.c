/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of confinement: what a hijacked parser would try first, from a process that has given it
 * up. Each try is a process of its own, since nothing can be taken back.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "common/confine.h"

TestSuite(confine);

/* What a child ends with if it is not confined: there is no filter for this build or machine. */
enum { UNCONFINED = 77 };

/* Does something in a confined child; returns 0 or the errno, or UNCONFINED. */
static int confined(unsigned kept, int (*try)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int r = confine(kept);

		if (r == -ENOSYS)
			_exit(UNCONFINED);
		if (r < 0)
			_exit(126);
		errno = 0;
		_exit(try() < 0 ? errno : 0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "it was killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static int execute(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int execute_descriptor(void)
{
	char *none[] = {NULL};

	return fexecve(open("/bin/true", O_RDONLY | O_CLOEXEC), none, none);
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int make_process_by_vfork(void)
{
	char *argv[] = {(char *)(uintptr_t) "true", NULL};
	pid_t pid;

	errno = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ);
	return errno ? -1 : 0;
}

static int make_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int make_process_in_a_namespace(void)
{
	return (int)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int enter_namespace(void)
{
	return setns(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), 0);
}

static int mount_something(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static int trace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int write_memory(void)
{
	struct iovec none = {0};

	return (int)process_vm_writev(getppid(), &none, 1, &none, 1, 0);
}

static int write_file(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static int write_and_read_file(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int write_by_openat2(void)
{
	const struct {
		uint64_t flags, mode, resolve;
	} how = {.flags = O_WRONLY};

	return (int)syscall(437, AT_FDCWD, "/dev/null", &how, sizeof(how));
}

static int make_file(void)
{
	return open("/tmp/synfault-confined", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int make_directory(void)
{
	return mkdir("/tmp/synfault-confined", 0700);
}

static int rename_nothing(void)
{
	return rename("/nonexistent/a", "/nonexistent/b");
}

static int remove_nothing(void)
{
	return unlink("/nonexistent/a");
}

static int make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int read_file(void)
{
	return open("/proc/self/status", O_RDONLY | O_CLOEXEC);
}

static void *do_nothing(void *userdata)
{
	return userdata;
}

static int make_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, do_nothing, NULL);
	if (errno == 0)
		errno = pthread_join(thread, NULL);
	return errno ? -1 : 0;
}

Test(confine, what_a_parser_never_does_is_refused)
{
	static const struct {
		const char *what;
		int (*try)(void);
		int error;
	} cases[] = {
		{"execve", execute, EPERM},
		{"execveat", execute_descriptor, EPERM},
		{"fork", make_process, EPERM},
		{"posix_spawn", make_process_by_vfork, EPERM},
		{"clone", make_process_in_a_namespace, EPERM},
		{"unshare", make_namespace, EPERM},
		{"setns", enter_namespace, EPERM},
		{"mount", mount_something, EPERM},
		{"ptrace", trace, EPERM},
		{"process_vm_writev", write_memory, EPERM},
		{"open for writing", write_file, EPERM},
		{"open for both", write_and_read_file, EPERM},
		{"openat2", write_by_openat2, ENOSYS},
		{"open of a new file", make_file, EPERM},
		{"mkdir", make_directory, EPERM},
		{"rename", rename_nothing, EPERM},
		{"unlink", remove_nothing, EPERM},
		{"socket", make_socket, EPERM},
		{"open for reading", read_file, 0},
		{"pthread_create", make_thread, 0},
	};

	if (confined(0, read_file) == UNCONFINED)
		cr_skip_test("no filter in this build, or on this machine");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(confined(0, cases[i].try), cases[i].error, "%s", cases[i].what);
}

Test(confine, what_is_kept_goes_on)
{
	if (confined(0, read_file) == UNCONFINED)
		cr_skip_test("no filter in this build, or on this machine");
	cr_expect_eq(confined(CONFINE_KEEP_SOCKETS, make_socket), 0);
	cr_expect_eq(confined(CONFINE_KEEP_WRITING, write_file), 0);
	cr_expect_eq(confined(CONFINE_KEEP_WRITING, rename_nothing), ENOENT);
	cr_expect_eq(confined(CONFINE_KEEP_WRITING, remove_nothing), ENOENT);
	cr_expect_eq(confined(CONFINE_KEEP_REMOVING, remove_nothing), ENOENT);
	cr_expect_eq(confined(CONFINE_KEEP_REMOVING, rename_nothing), EPERM);
	cr_expect_eq(confined(CONFINE_KEEP_WRITING | CONFINE_KEEP_SOCKETS, execute), EPERM);
}

/* ---- threads, and capabilities ---- */

struct other_thread {
	int pipe[2];
	int error;
};

static void *execute_later(void *userdata)
{
	struct other_thread *other = userdata;
	char byte;

	if (read(other->pipe[0], &byte, 1) == 1) {
		execute();
		other->error = errno;
	}
	return NULL;
}

static int execute_in_an_older_thread(void)
{
	struct other_thread other = {.error = 0};
	pthread_t thread;

	if (pipe(other.pipe) < 0 || pthread_create(&thread, NULL, execute_later, &other) != 0)
		return -1;
	if (confine(0) < 0 || write(other.pipe[1], "", 1) != 1)
		return -1;
	pthread_join(thread, NULL);
	errno = other.error;
	return errno ? -1 : 0;
}

Test(confine, holds_for_threads_that_are_there_already)
{
	pid_t pid;
	int status;

	if (confined(0, read_file) == UNCONFINED)
		cr_skip_test("no filter in this build, or on this machine");
	pid = fork();
	if (pid == 0)
		_exit(execute_in_an_older_thread() < 0 ? errno : 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), EPERM);
}

Test(confine, capabilities_are_given_up_but_for_those_kept)
{
	const uint64_t kept = UINT64_C(1) << CAP_NET_ADMIN | UINT64_C(1) << CAP_BPF;
	const uint64_t before = confine_permitted();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(confine_capabilities(kept) < 0 || confine_permitted() != (before & kept));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	pid = fork();
	if (pid == 0)
		_exit(confine_capabilities(0) < 0 || confine_permitted() != 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}
