/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parent and session of processes: see proc_stat.h. */
#include "runner/sandbox/proc_stat.h"

#include <ctype.h>
#include <fcntl.h>

bool proc_stat_read(int proc, const char *name, struct proc_stat *ret)
{
	AUTO_FREE char *path = NULL;
	AUTO_CLOSE int fd = -1;
	char text[512];
	int parent, session;
	const char *end;
	ssize_t length;

	if (!isdigit((unsigned char)name[0]))
		return false;
	path = xasprintf("%s/stat", name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (length <= 0)
		return false;
	text[length] = '\0';
	/* The name can contain anything. After it: state, parent, group, session. */
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %d %*d %d", &parent, &session) != 2)
		return false;
	*ret = (struct proc_stat){.pid = atoi(name), .parent = parent, .session = session};
	return true;
}
