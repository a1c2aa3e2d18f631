/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See files.h. */
#include "common/files.h"

#include <errno.h>
#include <sys/stat.h>

int file_read(int fd, size_t limit, struct strbuf *out)
{
	char buffer[65536];

	while (out->length <= limit) {
		ssize_t length = read(fd, buffer, sizeof(buffer));

		if (length == 0 || (length < 0 && errno != EINTR))
			return length < 0 ? -errno : 0;
		if (length > 0)
			strbuf_add(out, buffer, (size_t)length);
	}
	return -EFBIG;
}

int file_make_parents(const char *path, unsigned mode)
{
	AUTO_FREE char *directory = xstrdup(path);

	for (char *slash = directory; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(directory, mode) < 0 && errno != EEXIST && errno != EISDIR)
			return -errno;
		*slash = '/';
	}
	return 0;
}
