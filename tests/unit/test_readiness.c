/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How `synfault inject` says that it is armed, to a service manager and to a script. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runner/inject/readiness.h"

/* Listens at an address of this process. Returns the descriptor. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const size_t length = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';
	cr_assert_eq(bind(fd, (struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
		     0);
	return fd;
}

static void expect_message(int fd, const char *expected)
{
	char text[64] = "";
	const ssize_t length = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	cr_expect_eq(length, expected ? (ssize_t)strlen(expected) : -1);
	cr_expect_str_eq(text, expected ? expected : "");
}

Test(readiness, a_service_manager_hears_the_state)
{
	AUTO_FREE char *abstract = xasprintf("@synfault-test-%d", getpid());
	AUTO_FREE char *path = xasprintf("/tmp/synfault-test-%d.socket", getpid());
	const char *const names[] = {abstract, path};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO_CLOSE int fd = listen_at(names[i]);

		setenv("NOTIFY_SOCKET", names[i], 1);
		readiness_manager("READY=1");
		expect_message(fd, "READY=1");
	}
	unlink(path);
}

Test(readiness, nothing_happens_without_a_manager)
{
	AUTO_FREE char *name = xasprintf("@synfault-test-%d", getpid());
	char longest[200];
	AUTO_CLOSE int fd = listen_at(name);

	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	unsetenv("NOTIFY_SOCKET");
	readiness_manager("READY=1");
	setenv("NOTIFY_SOCKET", name + 1, 1);
	readiness_manager("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	readiness_manager("READY=1");
	setenv("NOTIFY_SOCKET", longest, 1);
	readiness_manager("READY=1");
	setenv("NOTIFY_SOCKET", "/nowhere/synfault", 1);
	readiness_manager("READY=1");
	expect_message(fd, NULL);
}

Test(readiness, a_script_reads_a_line_and_then_the_end)
{
	char text[16] = "";
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	readiness_fd(fds[1]);
	cr_expect_eq(read(fds[0], text, sizeof(text)), 6);
	cr_expect_str_eq(text, "ready\n");
	cr_expect_eq(read(fds[0], text, sizeof(text)), 0);
	close(fds[0]);
	readiness_fd(-1);
}
