/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files, read back by a reader of our own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "common/strbuf.h"
#include "runner/trace/pcapng.h"
#include "tests/lib/pcapng_reader.h"

/* What was written to a descriptor; owned by the caller. */
static char *read_all(int fd, size_t *ret_length)
{
	off_t length = lseek(fd, 0, SEEK_END);
	char *text = xzalloc((size_t)length + 1);

	cr_assert_eq(pread(fd, text, (size_t)length, 0), length);
	*ret_length = (size_t)length;
	return text;
}

static int new_file(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert(fd >= 0);
	return fd;
}

static void begin(struct pcapng *file)
{
	pcapng_add_section(file, &(struct pcapng_section){.comment = "scenario: ä\nline 2",
							  .system = "Linux 6.1",
							  .application = "synfault"});
	cr_assert_eq(
		pcapng_add_interface(file, &(struct pcapng_interface){.name = "lo",
								      .description = "loopback",
								      .filter = "tcp",
								      .snap_length = 65535}),
		0);
}

Test(pcapng, holds_what_was_added)
{
	static const uint8_t data[] = {0x45, 0, 0, 5, 6};
	AUTO_CLOSE int fd = new_file();
	struct pcapng *file = pcapng_begin(fd);
	AUTO_PCAPNG struct pcapng_file *back = NULL;
	AUTO_FREE char *text = NULL;
	struct pcapng_name names[2] = {{.name = "api"}, {.name = "db"}};
	size_t length;

	cr_assert_eq(address_parse("127.0.0.1", 80, &names[0].address), 0);
	cr_assert_eq(address_parse("::1", 80, &names[1].address), 0);
	begin(file);
	cr_assert_eq(pcapng_add_interface(file, &(struct pcapng_interface){.name = "eth0"}), 1);
	pcapng_add_names(file, names, 2);
	pcapng_add_packet(file, &(struct pcapng_packet){.at_ns = INT64_C(1800000000123456789),
							.data = data,
							.captured = sizeof(data),
							.length = 70000});
	pcapng_add_packet(file, &(struct pcapng_packet){.interface = 1, .comment = "refused"});
	pcapng_add_statistics(file, &(struct pcapng_statistics){.interface = 1,
								.started_ns = INT64_C(1) << 33,
								.ended_ns = INT64_C(3) << 33,
								.received = 7,
								.dropped = 5,
								.comment = "lost"});
	cr_assert_eq(pcapng_end(file), 0);
	text = read_all(fd, &length);
	back = pcapng_read(text, length);
	cr_assert_str_eq(back->comment, "scenario: ä\nline 2");
	cr_assert_str_eq(back->system, "Linux 6.1");
	cr_assert_str_eq(back->application, "synfault");
	cr_assert_eq(back->n_interfaces, 2);
	cr_assert_str_eq(back->interfaces[0].name, "lo");
	cr_assert_str_eq(back->interfaces[0].description, "loopback");
	cr_assert_str_eq(back->interfaces[0].filter, "tcp");
	cr_assert_eq(back->interfaces[0].resolution, 9);
	cr_assert_eq(back->interfaces[0].link_type, 101);
	cr_assert_eq(back->interfaces[0].snap_length, 65535);
	cr_assert_null(back->interfaces[1].filter);
	cr_assert_eq(back->n_names, 2);
	cr_assert_str_eq(back->names[0], "127.0.0.1 api");
	cr_assert_str_eq(back->names[1], "::1 db");
	cr_assert_eq(back->n_packets, 2);
	cr_assert_eq(back->packets[0].at_ns, INT64_C(1800000000123456789));
	cr_assert_eq(back->packets[0].captured, sizeof(data));
	cr_assert_eq(back->packets[0].length, 70000);
	cr_assert_arr_eq(back->packets[0].data, data, sizeof(data));
	cr_assert_null(back->comments[0]);
	cr_assert_str_eq(back->comments[1], "refused");
	cr_assert_eq(back->n_statistics, 1);
	cr_assert_eq(back->statistics[0].started_ns, INT64_C(1) << 33);
	cr_assert_eq(back->statistics[0].ended_ns, INT64_C(3) << 33);
	cr_assert_eq(back->statistics[0].received, 7);
	cr_assert_eq(back->statistics[0].dropped, 5);
	cr_assert_str_eq(back->statistics[0].comment, "lost");
}

Test(pcapng, a_comment_that_is_too_long_ends_with_a_whole_character)
{
	AUTO_CLOSE int fd = new_file();
	struct pcapng *file = pcapng_begin(fd);
	AUTO_PCAPNG struct pcapng_file *back = NULL;
	AUTO_STRBUF struct strbuf comment = {0};
	AUTO_FREE char *text = NULL;
	size_t length;

	strbuf_pad(&comment, 'a', 65534);
	strbuf_puts(&comment, "ä and more");
	begin(file);
	pcapng_add_packet(file, &(struct pcapng_packet){.comment = strbuf_text(&comment)});
	cr_assert_eq(pcapng_end(file), 0);
	text = read_all(fd, &length);
	back = pcapng_read(text, length);
	cr_assert_eq(strlen(back->comments[0]), 65534);
}

Test(pcapng, texts_that_are_missing_or_empty_are_left_out)
{
	AUTO_CLOSE int fd = new_file();
	struct pcapng *file = pcapng_begin(fd);
	AUTO_PCAPNG struct pcapng_file *back = NULL;
	AUTO_FREE char *text = NULL;
	size_t length;

	pcapng_add_section(file, &(struct pcapng_section){.comment = ""});
	pcapng_add_names(file, NULL, 0);
	cr_assert_eq(pcapng_end(file), 0);
	text = read_all(fd, &length);
	back = pcapng_read(text, length);
	cr_assert_null(back->comment);
	cr_assert_null(back->system);
	cr_assert_eq(back->n_interfaces, 0);
	cr_assert_eq(back->n_names, 0);
}

Test(pcapng, large_files_are_written_in_pieces)
{
	static const uint8_t data[65535];
	AUTO_CLOSE int fd = new_file();
	struct pcapng *file = pcapng_begin(fd);
	AUTO_PCAPNG struct pcapng_file *back = NULL;
	AUTO_FREE char *text = NULL;
	size_t length;

	begin(file);
	for (int i = 0; i < 50; i++)
		pcapng_add_packet(file, &(struct pcapng_packet){.at_ns = i,
								.data = data,
								.captured = sizeof(data),
								.length = sizeof(data)});
	cr_assert_eq(pcapng_end(file), 0);
	text = read_all(fd, &length);
	back = pcapng_read(text, length);
	cr_assert_eq(back->n_packets, 50);
	for (int i = 0; i < 50; i++)
		cr_assert_eq(back->packets[i].at_ns, i);
}

Test(pcapng, write_error_is_reported_at_the_end)
{
	AUTO_CLOSE int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct pcapng *file = pcapng_begin(fd);

	begin(file);
	cr_assert_eq(pcapng_end(file), -ENOSPC);
}
