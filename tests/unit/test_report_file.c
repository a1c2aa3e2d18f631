/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the files of reports: what is replaced, what is left alone, and what is refused. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "runner/report/file.h"

/* A new directory, which becomes the working directory. */
static char *enter(void)
{
	char *directory = xstrdup("/tmp/test_report_file.XXXXXX");

	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	return directory;
}

static void leave(char **directory)
{
	DIR *stream = opendir(".");

	for (struct dirent *entry; stream && (entry = readdir(stream));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove(entry->d_name);
	closedir(stream);
	rmdir(*directory);
	free(*directory);
}
#define AUTO_LEAVE CLEANUP(leave) __attribute__((unused))

static size_t count_entries(void)
{
	DIR *stream = opendir(".");
	size_t n = 0;

	for (struct dirent *entry; (entry = readdir(stream));)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(stream);
	return n;
}

/* Writes "new". Returns 0 or the negative errno; *@ret_message is the caller's. */
static int write_report(const char *path, char **ret_message)
{
	AUTO_DIAG struct diag_list diags = {0};
	int status = report_file_write("report", path, "new", 3, &diags);

	*ret_message = diags.n_items ? xstrdup(diags.items[0].message) : NULL;
	return status;
}

static void make_file(const char *path, mode_t mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && write(fd, "old report", 10) == 10 && fchmod(fd, mode) == 0);
	close(fd);
}

static off_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 ? -1 : status.st_size;
}

Test(report_file, replaces_a_file_and_keeps_its_mode_and_owner)
{
	AUTO_LEAVE char *directory = enter();
	AUTO_FREE char *message = NULL;
	struct stat status;

	make_file("r", 0640);
	if (geteuid() == 0)
		cr_assert_eq(chown("r", 1, 2), 0);
	cr_assert_eq(write_report("r", &message), 0, "%s", message);
	cr_assert_eq(stat("r", &status), 0);
	cr_expect_eq(status.st_size, 3);
	cr_expect_eq(status.st_mode & 07777, 0640);
	if (geteuid() == 0)
		cr_expect(status.st_uid == 1 && status.st_gid == 2);
	cr_expect_eq(count_entries(), 1, "something is left");
}

Test(report_file, makes_a_new_file_with_the_usual_mode)
{
	AUTO_LEAVE char *directory = enter();
	AUTO_FREE char *message = NULL;
	struct stat status;

	umask(027);
	cr_assert_eq(write_report("r", &message), 0, "%s", message);
	cr_assert_eq(stat("r", &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0640);
}

Test(report_file, replaces_the_target_of_a_symbolic_link)
{
	AUTO_LEAVE char *directory = enter();
	AUTO_FREE char *message = NULL;
	struct stat status;

	make_file("r", 0644);
	cr_assert_eq(symlink("r", "link"), 0);
	cr_assert_eq(write_report("link", &message), 0, "%s", message);
	cr_expect_eq(size_of("r"), 3);
	cr_assert_eq(lstat("link", &status), 0);
	cr_expect(S_ISLNK(status.st_mode));
}

/* fs.protected_symlinks: in a directory such as /tmp, another user's link is not followed. */
Test(report_file, follows_a_link_of_another_user_only_where_the_kernel_does)
{
	AUTO_LEAVE char *directory = enter();
	AUTO_FREE char *message = NULL;
	int fd;

	if (geteuid() != 0)
		cr_skip_test("making another user's link needs root");
	make_file("r", 0644);
	cr_assert_eq(mkdir("sticky", 0700), 0);
	cr_assert_eq(chmod("sticky", 01777), 0);
	cr_assert_eq(symlink("../r", "sticky/link"), 0);
	cr_assert_eq(lchown("sticky/link", 1, 1), 0);
	fd = open("sticky/link", O_WRONLY | O_CLOEXEC);
	cr_expect_eq(write_report("sticky/link", &message), fd < 0 ? -EACCES : 0, "%s", message);
	cr_expect_eq(size_of("r"), fd < 0 ? 10 : 3);
	cleanup_close(&fd);
	unlink("sticky/link");
}

Test(report_file, refuses_a_pipe_that_no_process_reads, .timeout = 10)
{
	AUTO_LEAVE char *directory = enter();
	AUTO_FREE char *message = NULL;

	cr_assert_eq(mkfifo("pipe", 0600), 0);
	cr_assert_eq(write_report("pipe", &message), -ENXIO);
	cr_expect_str_eq(message, "can't write the report pipe: no process reads from this pipe");
}

Test(report_file, writes_to_a_pipe_that_is_read)
{
	AUTO_LEAVE char *directory = enter();
	AUTO_FREE char *message = NULL;
	char text[8];
	int fd;

	cr_assert_eq(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write_report("pipe", &message), 0, "%s", message);
	cr_expect_eq(read(fd, text, sizeof(text)), 3);
	close(fd);
}
