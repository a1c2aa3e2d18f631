/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enters another process's network namespace: see netns_enter.h. */
#include "runner/inject/netns_enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int fail(const char *which, int status, struct diag_list *diags)
{
	switch (status) {
	case -ENOENT:
	case -ESRCH:
		diag_add(diags, NULL, "--netns: there is no %s %s",
			 is_number(which) ? "process" : "file", which);
		diag_hint(diags, "give the pid of a process, or a path such as /run/netns/NAME");
		break;
	case -EINVAL:
	case -ENOTTY:
		diag_add(diags, NULL, "--netns: %s is not a network namespace", which);
		diag_hint(diags, "give the pid of a process, or a path such as /run/netns/NAME");
		break;
	case -EPERM:
	case -EACCES:
		diag_add(diags, NULL, "--netns: no permission to enter the network namespace of %s",
			 which);
		diag_hint(diags, "it needs CAP_SYS_ADMIN here, and for a process of another user "
				 "CAP_SYS_PTRACE; or start synfault inside it (ip netns exec, "
				 "nsenter, network_mode: service:NAME)");
		break;
	default:
		diag_add(diags, NULL, "--netns: can't enter the network namespace of %s: %s", which,
			 strerror(-status));
	}
	return status;
}

/* Enters it through its user namespace, in which the owner has all capabilities. */
static int enter_by_owner(int fd)
{
	AUTO_CLOSE int owner = ioctl(fd, NS_GET_USERNS);

	if (owner < 0)
		return -EPERM;
	if (setns(owner, CLONE_NEWUSER) < 0 || setns(fd, CLONE_NEWNET) < 0)
		return -EPERM;
	return 0;
}

int netns_enter(const char *which, struct diag_list *diags)
{
	AUTO_FREE char *path =
		is_number(which) ? xasprintf("/proc/%s/ns/net", which) : xstrdup(which);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	int status = fd < 0 ? -errno : 0;

	if (!status && setns(fd, CLONE_NEWNET) < 0)
		status = -errno;
	if (status == -EPERM && fd >= 0)
		status = enter_by_owner(fd);
	return status < 0 ? fail(which, status, diags) : 0;
}
