/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the parsers of fault steps and of durations. The input is the text of one. */
#include "common/duration.h"
#include "injector/script.h"
#include "injector/step_text.h"
#include "tests/fuzz/fuzz.h"

static bool step_equal(const struct step *a, const struct step *b)
{
	return a->action == b->action && a->repeat == b->repeat &&
	       a->repeat_explicit == b->repeat_explicit && a->lose == b->lose &&
	       a->then_refuse == b->then_refuse && a->delay_min_ns == b->delay_min_ns &&
	       a->delay_max_ns == b->delay_max_ns && a->unreachable == b->unreachable &&
	       a->then_unreachable == b->then_unreachable && a->abort == b->abort &&
	       a->after == b->after && a->bytes == b->bytes && a->after_ns == b->after_ns &&
	       a->to_server == b->to_server && a->then == b->then && a->loss == b->loss &&
	       a->burst == b->burst && a->rate == b->rate &&
	       a->slow_to_server == b->slow_to_server && a->way == b->way &&
	       a->for_ns == b->for_ns && a->latency_ns == b->latency_ns &&
	       a->jitter_ns == b->jitter_ns;
}

static void check_step(const struct step *step)
{
	AUTO_STRBUF struct strbuf once = {0}, twice = {0};
	struct step_error error;
	struct step again;

	REQUIRE(step->action < STEP_N_ACTIONS);
	REQUIRE(step->repeat >= 1 && step->repeat <= SCRIPT_MAX_REPEAT);
	REQUIRE(step->repeat == 1 || step->repeat_explicit);
	REQUIRE((step->action == STEP_LOSE || step->action == STEP_LOSE_SYN_ACK) ==
		(step->lose > 0));
	REQUIRE(step->bytes <= SCRIPT_MAX_BYTES && step->rate <= SCRIPT_MAX_BYTES);
	REQUIRE(step_slows(step) == (step->rate > 0));
	REQUIRE(!step_slows(step) || step_break(step) == STEP_ACCEPT || step->after == AFTER_TIME);
	REQUIRE(step->after_ns >= 0 && step->after_ns <= DURATION_MAX_NS);
	REQUIRE(step->for_ns >= 0 && step->for_ns <= DURATION_MAX_NS);
	REQUIRE(step_break(step) == STEP_STALL ||
		(step->for_ns == 0 && step->way == STALL_BOTH_WAYS));
	REQUIRE(step->lose <= SCRIPT_MAX_REPEAT);
	REQUIRE(step->delay_min_ns >= 0 && step->delay_min_ns <= step->delay_max_ns);
	REQUIRE(step->delay_max_ns <= DURATION_MAX_NS);
	REQUIRE(step->action == STEP_DELAY || (step->delay_max_ns == 0 && !step->then_refuse));

	step_format(step, &once);
	REQUIRE(step_parse(strbuf_text(&once), &again, &error) == 0);
	REQUIRE(step_equal(step, &again));
	step_format(&again, &twice);
	REQUIRE(!strcmp(strbuf_text(&once), strbuf_text(&twice)));
}

static void check_error(const char *text, const struct step_error *error)
{
	REQUIRE(error->offset + error->length <= strlen(text));
	REQUIRE(error->message[0]);
	REQUIRE(memchr(error->message, '\0', sizeof(error->message)));
	REQUIRE(memchr(error->hint, '\0', sizeof(error->hint)));
}

static void check_duration(const char *text)
{
	char people[DURATION_TEXT_SIZE], exact[DURATION_TEXT_SIZE];
	const char *reason = NULL;
	int64_t ns = -1, again;

	if (duration_parse(text, &ns, &reason) < 0) {
		REQUIRE(ns == -1);
		REQUIRE(reason && *reason);
		return;
	}
	REQUIRE(ns >= 0 && ns <= DURATION_MAX_NS);
	REQUIRE(strlen(duration_format(ns, people)) > 0);
	REQUIRE(duration_parse(duration_format_exact(ns, exact), &again, NULL) == 0);
	REQUIRE(llabs(again - ns) <= NS_PER_US / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	struct step_error error = {0};
	struct step step;

	if (step_parse(text, &step, &error) == 0)
		check_step(&step);
	else
		check_error(text, &error);
	check_duration(text);
	return 0;
}
