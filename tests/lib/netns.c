/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces for tests: see netns.h. */
#include "tests/lib/netns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/util.h"

void netns_skip(const char *format, ...)
{
	const char *required = getenv("SYNFAULT_REQUIRE_PRIVILEGES");
	AUTO_FREE char *reason = NULL;
	va_list arguments;

	va_start(arguments, format);
	reason = xvasprintf(format, arguments);
	va_end(arguments);
	if (required && strcmp(required, "1") == 0)
		cr_assert_fail("%s, and SYNFAULT_REQUIRE_PRIVILEGES is set", reason);
	cr_skip_test("%s", reason);
}

/* Returns 0 or a negative errno. */
static int write_file(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

static int set_up(const char *interface)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_flags = IFF_UP};

	strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return -errno;
	return 0;
}

void netns_enter(void)
{
	int r;

	/* a user namespace of our own does not help: Criterion processes have several threads */
	if (unshare(CLONE_NEWNET) < 0)
		netns_skip("a network namespace is not permitted: %s (try it under unshare -Ur)",
			   strerror(errno));
	r = set_up("lo");
	cr_assert_eq(r, 0, "lo: %s", strerror(-r));
}

void netns_sysctl(const char *name, const char *value)
{
	AUTO_FREE char *path = xasprintf("/proc/sys/%s", name);
	int r = write_file(path, value);

	if (r < 0)
		netns_skip("can't set %s: %s", path, strerror(-r));
}
