/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See file.h. */
#include "runner/report/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/files.h"
#include "common/random.h"
#include "runner/report/result.h"

/* How many bytes are collected before they are written. */
#define BUFFER_SIZE 65536

/* Closes, and returns errors that show only then (a full network file system: NFS with EDQUOT). */
static int close_checked(int *fd)
{
	return close(steal_fd(fd)) < 0 && errno != EINTR ? -errno : 0;
}

/* Gives a new file mode and owner of the one it replaces, otherwise the mode that open(2) gives. */
static int set_mode(int fd, const char *target)
{
	struct stat status;
	mode_t mask;

	if (stat(target, &status) == 0) {
		/* Needs a privilege. Without it the file stays ours, as with any editor. */
		(void)!fchown(fd, status.st_uid, status.st_gid);
		return fchmod(fd, status.st_mode & 0777) < 0 ? -errno : 0;
	}
	mask = umask(0);
	umask(mask);
	return fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
}

/* A file that replaces another. */
struct replacement {
	char *target; /* the file itself, if @path was a symbolic link to it */
	char *directory;
	char *name; /* of the new file, in the directory; NULL: none yet */
	int fd;
};

static void replacement_end(struct replacement *new_file)
{
	if (new_file->name)
		unlink(new_file->name);
	cleanup_close(&new_file->fd);
	free(new_file->target);
	free(new_file->directory);
	free(new_file->name);
}

/*
 * Resolves symbolic links as the kernel does for us: if it does not follow another user's link
 * (fs.protected_symlinks), neither do we. Returns 0 with *@ret (owned by the caller), or a negative
 * errno.
 */
static int resolve(const char *path, char **ret)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	AUTO_FREE char *link = NULL;

	if (fd < 0 && errno != ENOENT)
		return -errno;
	if (fd >= 0)
		link = xasprintf("/proc/self/fd/%d", fd);
	*ret = link ? realpath(link, NULL) : NULL;
	if (!*ret)
		*ret = xstrdup(path);
	return 0;
}

static char *random_name(const struct replacement *new_file)
{
	return xasprintf("%s.synfault-report-%016llx", new_file->directory,
			 (unsigned long long)random_seed());
}

/*
 * Opens a new file beside @path, whose directory exists. If the file system allows it (open(2),
 * O_TMPFILE), the file has no name until it is complete: if the process dies, nothing is left of
 * it. Returns 0 or a negative errno; call replacement_end() in either case.
 */
static int replacement_begin(const char *path, struct replacement *new_file)
{
	const char *slash;
	int error;

	*new_file = (struct replacement){.fd = -1};
	error = resolve(path, &new_file->target);
	if (error)
		return error;
	/* Without an error there is a target.
	 * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
	slash = strrchr(new_file->target, '/');
	new_file->directory =
		slash ? xstrndup(new_file->target, (size_t)(slash - new_file->target + 1))
		      : xstrdup("./");
	new_file->fd = open(new_file->directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (new_file->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		AUTO_FREE char *name = random_name(new_file);

		new_file->fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (new_file->fd >= 0)
			new_file->name = steal_pointer(&name);
	}
	return new_file->fd < 0 ? -errno : 0;
}

/* Gives a complete file its name. */
static int replacement_name(struct replacement *new_file)
{
	AUTO_FREE char *name = NULL;
	char source[64];

	if (new_file->name)
		return 0;
	name = random_name(new_file);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", new_file->fd);
	if (linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	new_file->name = steal_pointer(&name);
	return 0;
}

/* Names of open descriptors: the regular file behind one must not be replaced. */
static bool names_descriptor(const char *path)
{
	return !strncmp(path, "/dev/std", 8) || !strncmp(path, "/dev/fd/", 8) ||
	       !strncmp(path, "/proc/", 6);
}

enum target_kind {
	TARGET_FILE,    /* make or replace it */
	TARGET_SPECIAL, /* write to it in place */
	TARGET_DIRECTORY,
};

static enum target_kind target_kind(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return TARGET_FILE;
	if (S_ISDIR(status.st_mode))
		return TARGET_DIRECTORY;
	return S_ISREG(status.st_mode) && !names_descriptor(path) ? TARGET_FILE : TARGET_SPECIAL;
}

static int try_file(const char *path)
{
	struct replacement new_file;
	int error = file_make_parents(path, 0777);

	if (error)
		return error;
	error = replacement_begin(path, &new_file);
	replacement_end(&new_file);
	return error;
}

int report_cant_write(int error, const char *what, const char *path, struct diag_list *diags)
{
	AUTO_STRBUF struct strbuf line = {0};

	if (!error)
		return 0;
	report_line(&line, path);
	diag_add(diags, NULL, "can't write the %s %s: %s", what, strbuf_text(&line),
		 error == -ENXIO ? "no process reads from this pipe" : strerror(-error));
	return error;
}

int report_file_check(const char *what, const char *path, struct diag_list *diags)
{
	int error = -EISDIR;

	switch (target_kind(path)) {
	case TARGET_FILE:
		error = try_file(path);
		break;
	case TARGET_SPECIAL:
		error = access(path, W_OK) < 0 ? -errno : 0;
		break;
	case TARGET_DIRECTORY:
		break;
	}
	return report_cant_write(error, what, path, diags);
}

int report_directory_make(const char *what, const char *path, struct diag_list *diags)
{
	AUTO_FREE char *directory = xasprintf("%s/", path);
	int error = file_make_parents(directory, 0777);
	struct stat status;

	if (stat(path, &status) == 0)
		error = !S_ISDIR(status.st_mode)        ? -ENOTDIR
			: access(path, W_OK | X_OK) < 0 ? -errno
							: 0;
	else if (!error)
		error = -errno;
	return report_cant_write(error, what, path, diags);
}

struct report_file {
	const char *what; /* borrowed, as the path */
	const char *path;
	bool special; /* written to, not replaced */
	struct replacement new_file;
	struct strbuf buffer;
	int error; /* the first one; nothing is done after it */
};

/* Returns a descriptor or a negative errno. -ENXIO: a FIFO without a reader, which would block. */
static int open_special(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	/* Not for a descriptor that others share (/dev/stdout): opening has made a new one. */
	fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

int report_file_create(const char *path)
{
	AUTO_CLOSE int fd =
		open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	struct stat status;

	if (fd < 0)
		return errno == ENXIO ? -EINVAL : -errno;
	if (fstat(fd, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) ? steal_fd(&fd) : -EINVAL;
}

int report_file_put(const char *path, const char *text, size_t length)
{
	AUTO_CLOSE int fd = report_file_create(path);
	int error = fd < 0 ? fd : write_all(fd, text, length);

	return error ? error : close_checked(&fd);
}

struct report_file *report_file_open(const char *what, const char *path)
{
	struct report_file *file = xzalloc(sizeof(*file));

	file->what = what;
	file->path = path;
	file->new_file.fd = -1;
	switch (target_kind(path)) {
	case TARGET_FILE:
		file->error = file_make_parents(path, 0777);
		if (!file->error)
			file->error = replacement_begin(path, &file->new_file);
		if (!file->error)
			file->error = set_mode(file->new_file.fd, file->new_file.target);
		break;
	case TARGET_SPECIAL:
		file->special = true;
		file->new_file.fd = open_special(path);
		if (file->new_file.fd < 0)
			file->error = file->new_file.fd;
		break;
	case TARGET_DIRECTORY:
		file->error = -EISDIR;
		break;
	}
	return file;
}

static void flush(struct report_file *file)
{
	if (!file->error)
		file->error = write_all(file->new_file.fd, strbuf_text(&file->buffer),
					file->buffer.length);
	file->buffer.length = 0;
}

void report_file_add(struct report_file *file, const char *text, size_t length)
{
	if (file->error)
		return;
	if (file->buffer.length + length > BUFFER_SIZE)
		flush(file);
	if (length <= BUFFER_SIZE)
		strbuf_add(&file->buffer, text, length);
	else if (!file->error)
		file->error = write_all(file->new_file.fd, text, length);
}

/* Replaces the old file by the new one. */
static int replace(struct replacement *new_file)
{
	int error = fsync(new_file->fd) < 0 ? -errno : replacement_name(new_file);

	if (!error)
		error = close_checked(&new_file->fd);
	if (!error && rename(new_file->name, new_file->target) < 0)
		error = -errno;
	if (!error) {
		free(new_file->name);
		new_file->name = NULL;
	}
	return error;
}

int report_file_close(struct report_file *file, struct diag_list *diags)
{
	int error;

	flush(file);
	if (!file->error)
		file->error = file->special ? close_checked(&file->new_file.fd)
					    : replace(&file->new_file);
	replacement_end(&file->new_file);
	error = report_cant_write(file->error, file->what, file->path, diags);
	strbuf_free(&file->buffer);
	free(file);
	return error;
}

int report_file_write(const char *what, const char *path, const char *text, size_t length,
		      struct diag_list *diags)
{
	struct report_file *file = report_file_open(what, path);

	report_file_add(file, text, length);
	return report_file_close(file, diags);
}
