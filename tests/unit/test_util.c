/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of cleanup at scope exit, allocation, growable arrays and string vectors. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common/util.h"

TestSuite(util);

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

Test(util, closes_descriptor_at_scope_exit)
{
	int number;

	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		number = fd;
		cr_assert(is_open(number));
	}
	cr_assert(!is_open(number));
}

Test(util, stolen_descriptor_stays_open)
{
	int number;

	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		number = steal_fd(&fd);
		cr_assert_eq(fd, -1);
	}
	cr_assert(is_open(number));
	close(number);
}

Test(util, stolen_pointer_survives_scope_exit)
{
	char *kept;

	{
		AUTO_FREE char *text = xstrdup("kept");

		kept = steal_pointer(&text);
		cr_assert_null(text);
	}
	cr_assert_str_eq(kept, "kept");
	free(kept);
}

Test(util, out_of_memory_says_so_and_aborts)
{
	static const char expected[] = "synfault: out of memory\n";
	char said[64] = "";
	int ends[2], status;
	pid_t child;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		out_of_memory();
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %x", status);
	cr_assert_eq(read(ends[0], said, sizeof(said) - 1), (ssize_t)sizeof(expected) - 1);
	cr_assert_str_eq(said, expected);
	close(ends[0]);
	close(ends[1]);
}

Test(util, allocations_of_no_bytes_are_not_null)
{
	AUTO_FREE void *plain = xmalloc(0);
	AUTO_FREE void *zero = xzalloc(0);
	AUTO_FREE void *copy = xmemdup("", 0);
	AUTO_FREE void *grown = xrealloc(NULL, 0);

	cr_assert(plain && zero && copy && grown);
}

Test(util, copies_strings_and_formats_them)
{
	AUTO_FREE char *part = xstrndup("abcdef", 3);
	AUTO_FREE char *formatted = xasprintf("%s-%d", "x", 7);
	AUTO_FREE char *bytes = xmemdup("a\0b", 4);

	cr_assert_str_eq(part, "abc");
	cr_assert_str_eq(formatted, "x-7");
	cr_assert_arr_eq(bytes, "a\0b", 4);
}

Test(util, array_keeps_its_elements_while_it_grows)
{
	AUTO_FREE int *items = NULL;
	size_t n_items = 0, capacity = 0;

	for (int i = 0; i < 10000; i++)
		array_append(items, n_items, capacity, i * 3);
	cr_assert_eq(n_items, 10000);
	cr_assert_geq(capacity, n_items);
	for (int i = 0; i < 10000; i++)
		cr_assert_eq(items[i], i * 3, "element %d", i);
}

Test(util, array_takes_compound_literals)
{
	struct pair {
		int a, b;
	};
	AUTO_FREE struct pair *items = NULL;
	size_t n_items = 0, capacity = 0;

	array_append(items, n_items, capacity, (struct pair){.a = 1, .b = 2});
	cr_assert_eq(items[0].a + items[0].b, 3);
}

Test(util, string_vector_is_copied_deeply)
{
	char first[] = "one", second[] = "two";
	char *vector[] = {first, second, NULL};
	AUTO_STRV char **copy = strv_copy(vector);

	first[0] = 'X';
	cr_assert_eq(strv_length(copy), 2);
	cr_assert_str_eq(copy[0], "one");
	cr_assert_str_eq(copy[1], "two");
	cr_assert_null(copy[2]);
}

Test(util, missing_string_vector_has_no_elements)
{
	AUTO_STRV char **copy = strv_copy(NULL);

	cr_assert_eq(strv_length(NULL), 0);
	cr_assert_eq(strv_length(copy), 0);
	strv_free(NULL);
}

Test(util, writes_all_or_says_why_not)
{
	char data[300000], read_back[sizeof(data)];
	int file = memfd_create("all", MFD_CLOEXEC), full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	cr_assert_eq(write_all(file, data, sizeof(data)), 0);
	cr_assert_eq(pread(file, read_back, sizeof(read_back), 0), (ssize_t)sizeof(data));
	cr_expect_arr_eq(read_back, data, sizeof(data));
	cr_expect_eq(write_all(file, NULL, 0), 0);
	cr_expect_eq(write_all(full, data, 1), -ENOSPC);
	cr_expect_eq(write_all(-1, data, 1), -EBADF);
	close(file);
	close(full);
}

Test(util, integers_are_stored_in_their_size_and_no_further)
{
	struct {
		uint8_t one, after_one;
		uint16_t two, after_two;
		uint32_t four, after_four;
		uint64_t eight, after_eight;
	} slots = {.after_one = 7, .after_two = 7, .after_four = 7, .after_eight = 7};

	store_integer(&slots.one, sizeof(slots.one), 0x12);
	store_integer(&slots.two, sizeof(slots.two), 0x1234);
	store_integer(&slots.four, sizeof(slots.four), 0x12345678);
	store_integer(&slots.eight, sizeof(slots.eight), -2);
	cr_expect_eq(slots.one, 0x12);
	cr_expect_eq(slots.two, 0x1234);
	cr_expect_eq(slots.four, 0x12345678);
	cr_expect_eq(slots.eight, UINT64_MAX - 1);
	cr_expect_eq(slots.after_one, 7);
	cr_expect_eq(slots.after_two, 7);
	cr_expect_eq(slots.after_four, 7);
	cr_expect_eq(slots.after_eight, 7);
}
