/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of whole files and the directories above them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/files.h"

/* Returns a descriptor at the start of a file with this many bytes. */
static int file_of(size_t length)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	AUTO_FREE char *text = xmalloc(length);

	memset(text, 'x', length);
	cr_assert_eq(write_all(fd, text, length), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

Test(files, a_file_longer_than_the_buffer_is_read_to_its_end)
{
	const size_t length = 200000;
	AUTO_CLOSE int fd = file_of(length);
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_puts(&text, "before");
	cr_expect_eq(file_read(fd, SIZE_MAX, &text), 0);
	cr_expect_eq(text.length, length + strlen("before"));
	cr_expect_eq(strspn(text.data + strlen("before"), "x"), length);
}

Test(files, a_file_may_be_as_long_as_the_limit_and_no_longer)
{
	static const struct {
		size_t limit;
		int expected;
	} cases[] = {{100, 0}, {99, -EFBIG}, {0, -EFBIG}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_CLOSE int fd = file_of(100);
		AUTO_STRBUF struct strbuf text = {0};

		cr_expect_eq(file_read(fd, cases[i].limit, &text), cases[i].expected, "case %zu",
			     i);
	}
}

Test(files, a_directory_can_not_be_read)
{
	AUTO_CLOSE int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_STRBUF struct strbuf text = {0};

	cr_expect_eq(file_read(fd, SIZE_MAX, &text), -EISDIR);
}

Test(files, missing_directories_above_a_file_are_made_and_the_file_is_not)
{
	char top[] = "/tmp/synfault-test-files-XXXXXX";
	AUTO_FREE char *path = NULL, *above = NULL, *middle = NULL;
	struct stat status;

	cr_assert_not_null(mkdtemp(top));
	path = xasprintf("%s/a/b/file", top);
	above = xasprintf("%s/a/b", top);
	middle = xasprintf("%s/a", top);
	cr_expect_eq(file_make_parents(path, 0700), 0);
	cr_expect_eq(file_make_parents(path, 0700), 0, "they may exist");
	cr_expect_eq(stat(above, &status), 0);
	cr_expect(S_ISDIR(status.st_mode));
	cr_expect_eq(stat(path, &status), -1);
	rmdir(above);
	rmdir(middle);
	rmdir(top);
}

Test(files, no_directory_is_made_below_a_file)
{
	cr_expect_eq(file_make_parents("/dev/null/a/file", 0700), -ENOTDIR);
}
