/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that wait for a capture file to be made of them. */
#include <criterion/criterion.h>
#include <sys/mman.h>

#include "runner/record/spool.h"

static int new_file(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert(fd >= 0);
	return fd;
}

static void add(struct spool *spool, int64_t at_ns, const char *data, bool control)
{
	spool_add(spool, &(struct nflog_packet){.interface = 1,
						.control = control,
						.at_ns = at_ns,
						.data = data,
						.captured = (uint32_t)strlen(data),
						.length = 1000});
}

Test(spool, returns_packets_in_the_order_of_time)
{
	AUTO_CLOSE int fd = new_file();
	struct spool *spool = spool_begin(fd, 1 << 20);
	AUTO_SPOOL_CONTENT struct spool_content content = {0};

	add(spool, 3, "third", true);
	add(spool, 1, "first", false);
	add(spool, 3, "fourth", true);
	add(spool, 2, "second", false);
	spool_end(spool, 5);
	content = spool_read(fd);
	cr_assert_eq(content.n_packets, 4);
	cr_assert_arr_eq(content.packets[0].data, "first", 5);
	cr_assert_arr_eq(content.packets[1].data, "second", 6);
	cr_assert_arr_eq(content.packets[2].data, "third", 5);
	cr_assert_arr_eq(content.packets[3].data, "fourth", 6);
	cr_assert_eq(content.packets[3].captured, 6);
	cr_assert_eq(content.packets[3].length, 1000);
	cr_assert_eq(content.n_interfaces, 1);
	cr_assert_str_eq(content.interfaces[0].name, "lo");
	cr_assert_eq(content.lost, 5);
	cr_assert_eq(content.left_out, 0);
	cr_assert(content.whole);
	cr_assert_null(content.reason);
}

Test(spool, packets_without_a_time_keep_the_order_of_the_log)
{
	/* The SYN-ACK came in before the SYN before it was read; numbers wrap. */
	static const struct {
		uint32_t order;
		int64_t at_ns;
		bool read_late;
		const char *data;
		int64_t stands_at_ns;
	} cases[] = {
		{UINT32_MAX, 90, true, "SYN", 50}, {0, 50, false, "SYN-ACK", 50},
		{1, 70, true, "ACK", 60},          {2, 80, true, "data", 60},
		{3, 60, false, "answer", 60},      {4, 95, true, "RST", 95},
	};
	static const size_t written[] = {1, 4, 0, 5, 3, 2};
	AUTO_CLOSE int fd = new_file();
	struct spool *spool = spool_begin(fd, 1 << 20);
	AUTO_SPOOL_CONTENT struct spool_content content = {0};

	for (size_t i = 0; i < ARRAY_SIZE(written); i++)
		spool_add(spool, &(struct nflog_packet){
					 .interface = 1,
					 .at_ns = cases[written[i]].at_ns,
					 .order = cases[written[i]].order,
					 .read_late = cases[written[i]].read_late,
					 .data = cases[written[i]].data,
					 .captured = (uint32_t)strlen(cases[written[i]].data),
				 });
	spool_end(spool, 0);
	content = spool_read(fd);
	cr_assert_eq(content.n_packets, ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_expect_arr_eq(content.packets[i].data, cases[i].data, strlen(cases[i].data));
		cr_expect_eq(content.packets[i].at_ns, cases[i].stands_at_ns, "%s at %lld",
			     cases[i].data, (long long)content.packets[i].at_ns);
	}
}

Test(spool, keeps_room_for_packets_that_begin_or_end_connections)
{
	AUTO_CLOSE int fd = new_file();
	struct spool *spool = spool_begin(fd, 8000);
	AUTO_SPOOL_CONTENT struct spool_content content = {0};
	char data[1001] = "";

	memset(data, 'x', 1000);
	for (int i = 0; i < 20; i++)
		add(spool, i, data, false);
	add(spool, 20, "reset", true);
	spool_end(spool, 0);
	content = spool_read(fd);
	cr_assert_eq(content.n_packets, 7, "%zu packets", content.n_packets);
	cr_assert_arr_eq(content.packets[6].data, "reset", 5);
	cr_assert_eq(content.left_out, 14);
}

Test(spool, never_grows_beyond_its_limit)
{
	AUTO_CLOSE int fd = new_file();
	struct spool *spool = spool_begin(fd, 8000);
	AUTO_SPOOL_CONTENT struct spool_content content = {0};

	for (int i = 0; i < 100000; i++)
		add(spool, i, "SYN", true);
	spool_end(spool, 0);
	content = spool_read(fd);
	cr_assert(content.size < 9000, "%zu bytes", content.size);
	cr_assert_eq(content.n_packets + content.left_out, 100000);
}

Test(spool, says_why_it_is_empty)
{
	AUTO_CLOSE int fd = new_file();
	struct spool *spool = spool_begin(fd, 8000);
	AUTO_SPOOL_CONTENT struct spool_content content = {0};

	spool_refuse(spool, "the kernel can't");
	spool_end(spool, 0);
	content = spool_read(fd);
	cr_assert_str_eq(content.reason, "the kernel can't");
	cr_assert_eq(content.n_packets, 0);
}

Test(spool, returns_the_intact_part_of_a_truncated_spool)
{
	AUTO_CLOSE int fd = new_file();
	struct spool *spool = spool_begin(fd, 8000);
	struct spool_content whole;
	size_t size;

	add(spool, 1, "one packet", true);
	add(spool, 2, "another", true);
	spool_end(spool, 0);
	whole = spool_read(fd);
	size = whole.size;
	spool_content_free(&whole);
	for (size_t length = size; length-- > 0;) {
		AUTO_SPOOL_CONTENT struct spool_content content = {0};

		cr_assert_eq(ftruncate(fd, (off_t)length), 0);
		content = spool_read(fd);
		cr_assert(content.n_packets <= 2);
		cr_assert(!content.whole, "at %zu", length);
	}
}
