/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts on their way to a kernel that is made here; the clock is turned by hand. */
#include <criterion/criterion.h>
#include <errno.h>

#include "common/duration.h"
#include "injector/outbox.h"

#define MAX_ITEMS 16

struct post {
	struct event_base *base;
	struct outbox *outbox;
	int64_t now_ns;
	int verdict_error, send_error, prepare_error;
	char log[256]; /* what was done: one word each */
	size_t n_done, n_data;
	int64_t handed_ns[MAX_ITEMS];
};

static void add(struct post *post, const char *word)
{
	size_t length = strlen(post->log);

	snprintf(post->log + length, sizeof(post->log) - length, "%s%s", length ? " " : "", word);
}

static int set_verdict(void *context, uint32_t packet_id, const struct packet_verdict *verdict)
{
	struct post *post = context;

	if (post->verdict_error)
		return post->verdict_error;
	post->n_data += verdict->data != NULL;
	add(post, verdict_kind_name(verdict->kind));
	return 0;
}

static int64_t now_ns(void *context)
{
	const struct post *post = context;

	return post->now_ns;
}

static int prepare(void *context, uint8_t *data, size_t length)
{
	const struct post *post = context;

	return post->prepare_error;
}

static int send_copy(void *context, const uint8_t *data, size_t length,
		     const struct verdict *verdict)
{
	struct post *post = context;

	if (post->send_error)
		return post->send_error;
	add(post, "sent");
	return 0;
}

static void on_done(void *context, const struct outbox_note *note, int64_t handed_ns,
		    int64_t done_ns)
{
	struct post *post = context;

	cr_assert_lt(post->n_done, MAX_ITEMS);
	post->handed_ns[post->n_done++] = handed_ns;
	add(post, "done");
}

static void released(void *context)
{
}

static void verdict_failed(void *context, int error)
{
	add(context, "failed");
}

static struct post *post_new(bool gathers)
{
	struct post *post = xzalloc(sizeof(*post));

	post->base = event_base_new();
	post->now_ns = NS_PER_S;
	post->outbox = outbox_new(post->base, gathers,
				  &(struct outbox_host){
					  .set_verdict = set_verdict,
					  .now_ns = now_ns,
					  .prepare = prepare,
					  .send = send_copy,
					  .done = on_done,
					  .released = released,
					  .verdict_failed = verdict_failed,
					  .send_failed = verdict_failed,
					  .context = post,
				  });
	return post;
}

static void post_free(struct post *post)
{
	outbox_free(post->outbox);
	event_base_free(post->base);
	free(post);
}

/* A SYN that is to be accepted @in_ns from now. */
static void answer(struct post *post, int64_t in_ns, bool outgoing, struct outbox_change change)
{
	static const uint8_t data[] = {1, 2, 3};
	const struct queued_packet queued = {
		.id = 7, .data = data, .length = sizeof(data), .outgoing = outgoing};
	const struct outbox_note note = {
		.kind = EVENT_VERDICT,
		.verdict = {.kind = VERDICT_ACCEPT},
		.due_ns = post->now_ns + in_ns,
	};

	outbox_answer(post->outbox, &queued, &note, &change, post->now_ns);
	cr_expect_null(change.data);
}

static void run_ms(struct post *post, int milliseconds)
{
	struct timeval timeout = {.tv_usec = milliseconds * 1000};

	post->now_ns += milliseconds * NS_PER_MS;
	event_base_loopexit(post->base, &timeout);
	event_base_dispatch(post->base);
}

Test(outbox, verdict_that_is_due_goes_at_once)
{
	struct post *post = post_new(false);

	answer(post, 0, false, (struct outbox_change){0});
	cr_expect_str_eq(post->log, "accept done");
	post_free(post);
}

Test(outbox, gathered_verdicts_are_reported_when_the_queue_has_handed_them_over)
{
	struct post *post = post_new(true);

	answer(post, 0, false, (struct outbox_change){0});
	answer(post, 0, false, (struct outbox_change){0});
	cr_expect_str_eq(post->log, "accept accept");
	outbox_handed_over(post->outbox, 5, 6);
	outbox_handed_over(post->outbox, 7, 8);
	cr_expect_str_eq(post->log, "accept accept done done");
	cr_expect(post->handed_ns[0] == 5 && post->handed_ns[1] == 5);
	post_free(post);
}

Test(outbox, held_packet_stays_in_the_queue_until_it_is_due)
{
	struct post *post = post_new(false);

	answer(post, 2 * NS_PER_MS, false, (struct outbox_change){xmemdup("x", 1), 1});
	cr_expect_str_eq(post->log, "");
	run_ms(post, 20);
	cr_expect_str_eq(post->log, "accept done");
	cr_expect_eq(post->n_data, 1, "another packet goes in its place");
	post_free(post);
}

Test(outbox, held_packet_on_its_way_out_is_dropped_and_its_copy_sent)
{
	struct post *post = post_new(false);

	answer(post, 2 * NS_PER_MS, true, (struct outbox_change){0});
	cr_expect_str_eq(post->log, "drop");
	run_ms(post, 20);
	cr_expect_str_eq(post->log, "drop sent done");
	post_free(post);
}

Test(outbox, packet_that_can_not_be_sent_again_stays_in_the_queue)
{
	struct post *post = post_new(false);

	post->prepare_error = -EINVAL;
	answer(post, 2 * NS_PER_MS, true, (struct outbox_change){0});
	run_ms(post, 20);
	cr_expect_str_eq(post->log, "accept done");
	post_free(post);
}

Test(outbox, a_verdict_that_fails_is_not_reported)
{
	struct post *post = post_new(false);

	post->verdict_error = -EBADF;
	answer(post, 0, false, (struct outbox_change){0});
	cr_expect_str_eq(post->log, "failed");
	post->verdict_error = 0;
	post->send_error = -EPERM;
	answer(post, 2 * NS_PER_MS, true, (struct outbox_change){0});
	run_ms(post, 20);
	cr_expect_str_eq(post->log, "failed drop failed");
	post_free(post);
}

Test(outbox, held_packets_are_dropped_at_the_end_and_not_reported)
{
	struct post *post = post_new(false);

	answer(post, NS_PER_S, false, (struct outbox_change){0});
	answer(post, NS_PER_S, true, (struct outbox_change){0});
	outbox_drop_held(post->outbox);
	cr_expect_str_eq(post->log, "drop drop", "one when it was copied, one now");
	run_ms(post, 5);
	cr_expect_eq(post->n_done, 0);
	post_free(post);
}
