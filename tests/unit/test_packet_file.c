/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture file of `synfault inject`: a section each time a scenario ends or begins again. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "runner/inject/packet_file.h"
#include "tests/lib/pcapng_reader.h"
#include "tests/lib/record_builder.h"

static void capture(const struct packet_file *file, const char *data)
{
	struct spool *spool = spool_begin(file->spool_fd, 1 << 20);

	spool_add(spool, &(struct nflog_packet){.interface = 1,
						.at_ns = INT64_C(1800000000000000000),
						.data = data,
						.captured = (uint32_t)strlen(data),
						.length = 1000});
	spool_end(spool, 0);
}

/* Adds a section; returns why there is none, the caller's. */
static char *add(struct packet_file *file, const char *outcome)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();

	record_builder_endpoint(b, "api", "refuse");
	return packet_file_add(file, b->scenario, b->record, outcome);
}

static size_t size_of(int fd)
{
	struct stat status;

	cr_assert_eq(fstat(fd, &status), 0);
	return (size_t)status.st_size;
}

Test(packet_file, has_a_section_with_the_packets_and_the_outcome)
{
	AUTO_CLOSE int fd = memfd_create("capture", MFD_CLOEXEC);
	AUTO_FREE char *path = xasprintf("/proc/self/fd/%d", fd), *reason = NULL, *text = NULL;
	AUTO_PCAPNG struct pcapng_file *back = NULL;
	struct packet_file file;
	size_t length;

	cr_assert_eq(packet_file_open(&file, path, false), 0);
	capture(&file, "first");
	reason = add(&file, "pass");
	cr_assert_null(reason, "%s", reason);
	length = size_of(fd);
	text = xzalloc(length + 1);
	cr_assert_eq(pread(fd, text, length, 0), (ssize_t)length);
	back = pcapng_read(text, length);
	cr_assert_eq(back->n_packets, 1);
	cr_expect_arr_eq(back->packets[0].data, "first", 5);
	cr_expect_eq(back->n_interfaces, 1);
	cr_expect_str_eq(back->interfaces[0].name, "lo");
	cr_expect_not_null(strstr(back->comment, "pass"), "%s", back->comment);
	packet_file_close(&file);
}

Test(packet_file, a_further_section_has_only_its_own_packets)
{
	AUTO_CLOSE int fd = memfd_create("capture", MFD_CLOEXEC);
	AUTO_FREE char *path = xasprintf("/proc/self/fd/%d", fd), *first = NULL, *second = NULL;
	struct packet_file file;
	size_t length;

	cr_assert_eq(packet_file_open(&file, path, false), 0);
	capture(&file, "packet");
	first = add(&file, "pass");
	cr_assert_null(first, "%s", first);
	length = size_of(fd);
	cr_assert_eq(size_of(file.spool_fd), 0);
	capture(&file, "packet");
	second = add(&file, "pass");
	cr_assert_null(second, "%s", second);
	/* Equal sections, one after the other. */
	cr_expect_eq(size_of(fd), 2 * length);
	packet_file_close(&file);
}

Test(packet_file, says_why_there_is_no_section)
{
	AUTO_FREE char *empty = NULL, *full = NULL, *again = NULL;
	struct packet_file file;

	cr_assert_eq(packet_file_open(&file, "/dev/full", false), 0);
	empty = add(&file, "error");
	cr_expect_str_eq(empty, "the scenario ended before its packets were captured");
	capture(&file, "packet");
	full = add(&file, "pass");
	cr_expect_str_eq(full, "/dev/full can't be written: No space left on device");
	cr_expect_eq(file.error, -ENOSPC);
	/* What follows would be in no section. */
	capture(&file, "packet");
	again = add(&file, "pass");
	cr_expect_str_eq(again, full);
	packet_file_close(&file);
}

Test(packet_file, is_not_made_where_that_is_impossible_or_unwanted)
{
	struct packet_file file;

	cr_expect_eq(packet_file_open(&file, NULL, false), 0);
	cr_expect_eq(file.fd, -1);
	packet_file_close(&file);
	cr_expect_eq(packet_file_open(&file, "/nowhere/at/all", false), -ENOENT);
	cr_expect_eq(file.fd, -1);
	cr_expect_eq(file.spool_fd, -1);
}
