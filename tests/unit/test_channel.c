/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the channel to a session's process: what is sent and said before an end is not lost. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/duration.h"
#include "common/strbuf.h"
#include "runner/session/channel.h"

struct bed {
	struct event_base *base;
	struct channel *channel;
	int process; /* the other end */
	json_int_t last;
	bool ended;
};

static void on_object(void *userdata, json_t *object)
{
	struct bed *bed = userdata;

	cr_expect_not(bed->ended, "nothing comes after the end");
	bed->last = json_integer_value(json_object_get(object, "n"));
}

static void on_end(void *userdata)
{
	((struct bed *)userdata)->ended = true;
}

static void bed_start(struct bed *bed)
{
	int pair[2];

	*bed = (struct bed){.base = event_base_new()};
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	bed->process = pair[1];
	bed->channel = channel_new(&(struct channel_config){
		.base = bed->base,
		.fd = pair[0],
		.on_object = on_object,
		.on_end = on_end,
		.userdata = bed,
	});
}

static void bed_stop(struct bed *bed)
{
	channel_free(bed->channel);
	event_base_free(bed->base);
	if (bed->process >= 0)
		close(bed->process);
}

/* Returns all that the process gets until the end of it; the caller's. */
static char *bed_hear(const struct bed *bed)
{
	const int64_t until_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	struct strbuf heard = {0};
	ssize_t n = -1;
	char bytes[4096];

	while (n != 0 && clock_monotonic_ns() < until_ns) {
		(void)event_base_loop(bed->base, EVLOOP_NONBLOCK);
		while ((n = recv(bed->process, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
			strbuf_add(&heard, bytes, (size_t)n);
	}
	cr_assert_eq(n, 0, "no end");
	return strbuf_steal(&heard);
}

Test(channel, what_is_sent_before_it_is_finished_arrives)
{
	AUTO_FREE char *heard = NULL;
	struct bed bed;

	bed_start(&bed);
	channel_send(bed.channel, json_pack("{s:i}", "n", 1));
	channel_send(bed.channel, json_pack("{s:i}", "n", 2));
	channel_finish(bed.channel);
	channel_send(bed.channel, json_pack("{s:i}", "n", 3));
	channel_finish(bed.channel);
	heard = bed_hear(&bed);
	cr_expect_str_eq(heard, "{\"n\":1}\n{\"n\":2}\n");
	cr_expect_not(bed.ended);
	bed_stop(&bed);
}

Test(channel, more_than_a_socket_holds_arrives_before_the_end)
{
	enum { N = 20000 };
	AUTO_FREE char *heard = NULL;
	size_t n_lines = 0;
	struct bed bed;

	bed_start(&bed);
	for (int i = 0; i < N; i++)
		channel_send(bed.channel,
			     json_pack("{s:s}", "filler", "forty bytes, or some more"));
	channel_finish(bed.channel);
	heard = bed_hear(&bed);
	for (const char *c = heard; *c; c++)
		n_lines += *c == '\n';
	cr_expect_eq(n_lines, N);
	bed_stop(&bed);
}

Test(channel, a_finished_one_still_hears_the_process)
{
	const int64_t until_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	struct bed bed;

	bed_start(&bed);
	channel_finish(bed.channel);
	free(bed_hear(&bed));
	cr_assert_eq(send(bed.process, "{\"n\": 7}\n", 9, 0), 9);
	while (!bed.last && clock_monotonic_ns() < until_ns)
		(void)event_base_loop(bed.base, EVLOOP_NONBLOCK);
	cr_expect_eq(bed.last, 7);
	cr_expect_not(bed.ended);
	bed_stop(&bed);
}

/* So a request that came too late takes no reply away that came before. */
Test(channel, last_words_are_heard_although_the_process_reads_no_more)
{
	const int64_t until_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	struct bed bed;

	/* As the program does. */
	(void)signal(SIGPIPE, SIG_IGN);
	bed_start(&bed);
	cr_assert_eq(send(bed.process, "{\"n\": 7}\n{\"n\": 8}\n", 18, 0), 18);
	close(bed.process);
	bed.process = -1;
	channel_send(bed.channel, json_pack("{s:i}", "n", 1));
	while (!bed.ended && clock_monotonic_ns() < until_ns)
		(void)event_base_loop(bed.base, EVLOOP_NONBLOCK);
	cr_expect(bed.ended);
	cr_expect_eq(bed.last, 8);
	bed_stop(&bed);
}

Test(channel, a_line_that_is_not_json_harms_none_after_it)
{
	const int64_t until_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	struct bed bed;

	bed_start(&bed);
	cr_assert_eq(send(bed.process, "{\n{\"n\": 9}\n{", 12, 0), 12);
	while (bed.last != 9 && clock_monotonic_ns() < until_ns)
		(void)event_base_loop(bed.base, EVLOOP_NONBLOCK);
	cr_expect_eq(bed.last, 9);
	bed_stop(&bed);
}
