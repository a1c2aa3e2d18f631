/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can a working harness have written the record? Judgement trusts no record blindly. A SYN without
 * a verdict, a verdict that the script did not ask for, a refused attempt that got a connection:
 * each of these shows that synfault lost or broke something. The outcome is then error, no matter
 * what the client did.
 */
#include <inttypes.h>
#include <sys/wait.h>

#include "common/text.h"
#include "runner/judge/consistency.h"
#include "runner/judge/findings.h"
#include "runner/judge/replay.h"

/* One broken record can break a rule a million times: a few findings are enough. */
#define MAX_FINDINGS 10
/* A verdict that comes earlier than this is more than a rounding error. */
#define EARLY_SLACK_NS NS_PER_MS

/* One SYN of an attempt, from its two events. */
struct syn {
	int64_t at_ns, decided_ns;
	enum verdict_kind verdict;
	bool seen, decided;
};

struct checker {
	struct judge_ctx *ctx;
	struct syn *syns;  /* of all attempts, one after the other */
	size_t *first_syn; /* by attempt: where its SYNs start */
	int64_t end_ns;    /* when the client's run ended: later verdicts may be missing */
};

static bool full(const struct checker *checker)
{
	return checker->ctx->findings[WEIGHT_HARNESS].n_items >= MAX_FINDINGS;
}

/* Takes ownership of the message. */
static void add(struct checker *checker, char *message)
{
	if (full(checker)) {
		free(message);
		return;
	}
	findings_add(checker->ctx, WEIGHT_HARNESS, .place = checker->ctx->scenario->place,
		     .subject = xstrdup("the record"), .message = message);
}

PRINTF(3, 4)
static void add_about(struct checker *checker, uint32_t id, const char *format, ...)
{
	const struct record_attempt *attempt = &checker->ctx->record->attempts[id];
	const char *endpoint = checker->ctx->scenario->endpoints[attempt->endpoint].name;
	AUTO_FREE char *what = NULL;

	if (full(checker))
		return;
	what = FORMAT_REST(format);
	findings_add(checker->ctx, WEIGHT_HARNESS, .place = checker->ctx->scenario->place,
		     .subject = xasprintf("attempt %" PRIu32 " at %s", attempt->number, endpoint),
		     .message = xasprintf("attempt %" PRIu32 " at %s %s", attempt->number, endpoint,
					  what),
		     .attempt = &checker->ctx->history.attempts[id]);
}

/* Checks that the record is of this scenario, whose scripts and names judgement uses. */
static bool check_endpoints(struct checker *checker)
{
	const struct scenario *scenario = checker->ctx->scenario;
	const struct record *record = checker->ctx->record;

	if (record->n_endpoints != scenario->n_endpoints) {
		add(checker, xasprintf("the record is of another scenario: it has %zu endpoint%s, "
				       "not %zu",
				       record->n_endpoints, PLURAL(record->n_endpoints),
				       scenario->n_endpoints));
		return false;
	}
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		AUTO_STRBUF struct strbuf script = {0};

		script_format(&checker->ctx->parts->endpoints[i].items[0].script, &script);
		if (strcmp(record->endpoints[i].name, scenario->endpoints[i].name) != 0 ||
		    strcmp(record->endpoints[i].script, strbuf_text(&script)) != 0) {
			add(checker,
			    xasprintf("the record is of another scenario: its endpoint %zu is "
				      "\"%s\" with the script \"%s\"",
				      i + 1, record->endpoints[i].name,
				      record->endpoints[i].script));
			return false;
		}
	}
	return true;
}

/* Checks that an attempt was served by the step that the script has for it. */
static void check_step(struct checker *checker, struct replay *replay, uint32_t id)
{
	const struct record_attempt *attempt = &checker->ctx->record->attempts[id];
	const struct script *script = &checker->ctx->scenario->endpoints[attempt->endpoint].script;
	struct step_select_choice choice;
	const struct step *step;

	if (!replay_next(replay, id, &choice)) {
		add_about(checker, id, "was made to an address that its endpoint does not have");
		return;
	}
	if (attempt->step != choice.step) {
		add_about(checker, id, "was served by step %" PRIu32 " of the script, not %" PRIu32,
			  attempt->step + 1, choice.step + 1);
		return;
	}
	step = &script->steps[attempt->step];
	if (step->action == STEP_DELAY &&
	    (attempt->delay_ns < step->delay_min_ns || attempt->delay_ns > step->delay_max_ns))
		add_about(checker, id, "has a delay that its step does not allow");
}

/* Checks that the number and the step of each attempt follow from the attempts before it. */
static bool check_attempts(struct checker *checker)
{
	const struct scenario *scenario = checker->ctx->scenario;
	const struct record *record = checker->ctx->record;
	AUTO_FREE uint64_t *numbers = xzalloc(scenario->n_endpoints * sizeof(*numbers));
	size_t before = checker->ctx->findings[WEIGHT_HARNESS].n_items;
	CLEANUP(replay_deinit) struct replay replay;

	replay_init(&replay, checker->ctx);
	for (size_t id = 0; id < record->n_attempts && !full(checker); id++) {
		const struct record_attempt *attempt = &record->attempts[id];

		if (attempt->endpoint >= scenario->n_endpoints) {
			add(checker,
			    xasprintf("attempt %zu is at an endpoint that does not exist", id + 1));
			return false;
		}
		if (attempt->number != ++numbers[attempt->endpoint]) {
			add_about(checker, (uint32_t)id, "should have been number %" PRIu64,
				  numbers[attempt->endpoint]);
			return false;
		}
		check_step(checker, &replay, (uint32_t)id);
	}
	return checker->ctx->findings[WEIGHT_HARNESS].n_items == before;
}

static const struct step *step_of(const struct checker *checker, uint32_t id)
{
	const struct record_attempt *attempt = &checker->ctx->record->attempts[id];

	return &checker->ctx->scenario->endpoints[attempt->endpoint].script.steps[attempt->step];
}

/* Pairs SYNs with their verdicts by attempt and ordinal. */
static void gather_syns(struct checker *checker)
{
	const struct record *record = checker->ctx->record;
	const struct history *history = &checker->ctx->history;
	size_t total = 0;

	checker->first_syn = xzalloc(history->n_attempts * sizeof(*checker->first_syn));
	for (size_t id = 0; id < history->n_attempts; id++) {
		checker->first_syn[id] = total;
		total += history->attempts[id].syns;
		if (history->attempts[id].syns == 0)
			add_about(checker, (uint32_t)id, "has no SYN");
	}
	checker->syns = xzalloc(total * sizeof(*checker->syns));
	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];
		uint32_t id = event->u.net.attempt, ordinal = event->u.net.ordinal;
		struct syn *syn;

		if (event->kind > EVENT_CLOSED)
			continue;
		if (id >= history->n_attempts) {
			add(checker,
			    xasprintf("an event is about attempt %" PRIu32 ", which does not exist",
				      id + 1));
			continue;
		}
		if (event->kind != EVENT_SYN && event->kind != EVENT_VERDICT)
			continue;
		if (ordinal < 1 || ordinal > history->attempts[id].syns) {
			add_about(checker, id, "has an event of SYN %" PRIu32 " of %" PRIu32,
				  ordinal, history->attempts[id].syns);
			continue;
		}
		syn = &checker->syns[checker->first_syn[id] + ordinal - 1];
		if (event->kind == EVENT_SYN ? syn->seen : syn->decided) {
			add_about(checker, id, "has SYN %" PRIu32 " %s twice", ordinal,
				  event->kind == EVENT_SYN ? "counted" : "answered");
		} else if (event->kind == EVENT_SYN) {
			syn->seen = true;
			syn->at_ns = event->at_ns;
		} else {
			syn->decided = true;
			syn->decided_ns = event->at_ns;
			syn->verdict = event->u.net.verdict;
		}
	}
}

/* Returns the first command at this endpoint after the event @after, or at all. */
static const struct event *next_command(const struct checker *checker, size_t endpoint,
					const struct event *after)
{
	const struct record *record = checker->ctx->record;
	size_t i = after ? (size_t)(after - record->events) + 1 : 0;

	for (; i < record->n_events; i++)
		if (record->events[i].kind == EVENT_OUTAGE &&
		    record->events[i].u.outage.endpoint == endpoint)
			return &record->events[i];
	return NULL;
}

/* Returns the last command at this endpoint before @at_ns; NULL: none. */
static const struct event *last_command(const struct checker *checker, size_t endpoint,
					int64_t at_ns)
{
	const struct event *last = NULL, *next = next_command(checker, endpoint, NULL);

	while (next && next->at_ns <= at_ns) {
		last = next;
		next = next_command(checker, endpoint, next);
	}
	return last;
}

/* Returns when a command next begins this outage after @at_ns; INT64_MAX: never. */
static int64_t next_commanded(const struct checker *checker, size_t endpoint,
			      const struct time_window *window, int64_t at_ns)
{
	const struct event *command = next_command(checker, endpoint, NULL), *next;

	for (; command; command = next) {
		struct time_window commanded =
			time_window_commanded(window, command->u.outage.lasts_ns);
		int64_t begins_ns = command->at_ns + commanded.from_ns;

		next = next_command(checker, endpoint, command);
		if (begins_ns > at_ns && (!next || next->at_ns > begins_ns))
			return begins_ns;
	}
	return INT64_MAX;
}

/* Returns when an outage begins after its origin, for what happened at @at_ns. */
static int64_t outage_delay(const struct checker *checker, size_t endpoint,
			    const struct time_window *window, int64_t at_ns)
{
	const struct event *command =
		window->from == TIME_FROM_COMMAND ? last_command(checker, endpoint, at_ns) : NULL;

	return time_window_commanded(window, command ? command->u.outage.lasts_ns : 0).from_ns;
}

/*
 * Returns what the times of an outage at this endpoint count from, for what happened at @at_ns;
 * INT64_MAX: it has not begun.
 */
static int64_t origin_of(const struct checker *checker, size_t endpoint,
			 const struct time_window *window, int64_t at_ns)
{
	const struct history *history = &checker->ctx->history;
	const struct event *command;

	if (window->from == TIME_FROM_START)
		return 0;
	if (window->from == TIME_FROM_COMMAND) {
		command = last_command(checker, endpoint, at_ns);
		return command ? command->at_ns : INT64_MAX;
	}
	for (size_t id = 0; id < history->n_attempts; id++)
		if (checker->ctx->record->attempts[id].endpoint == endpoint)
			return history->attempts[id].started_ns;
	return INT64_MAX;
}

/*
 * Returns whether a SYN came in a pause. *@ret_surely: not near its begin or end, where the times
 * of the record are not exact enough.
 */
static bool in_pause(const struct checker *checker, uint32_t id, int64_t at_ns, bool *ret_surely)
{
	const struct record_attempt *made = &checker->ctx->record->attempts[id];
	const struct script *script = &checker->ctx->scenario->endpoints[made->endpoint].script;
	uint32_t list = step_of(checker, id)->list;
	bool maybe = false;

	*ret_surely = false;
	for (size_t k = 0; k < script->n_steps; k++) {
		const struct step *step = &script->steps[k];
		const struct time_window *window = &step->when.window;
		int64_t origin_ns;
		bool before, after;

		if (step->action != STEP_PAUSE || step->list != list ||
		    (step->when.family && step->when.family != made->client.family))
			continue;
		origin_ns = origin_of(checker, made->endpoint, window, at_ns);
		if (origin_ns == INT64_MAX)
			continue;
		before = time_window_holds(window, at_ns - origin_ns - EARLY_SLACK_NS);
		after = time_window_holds(window, at_ns - origin_ns + EARLY_SLACK_NS);
		maybe = maybe || before || after;
		*ret_surely = *ret_surely || (before && after);
	}
	return maybe;
}

/*
 * A SYN that was still held when the run ended has no verdict, or was dropped at the end. One that
 * arrived just before the end may never have been read.
 */
static void check_syn(struct checker *checker, uint32_t id, uint32_t ordinal)
{
	const struct syn *syn = &checker->syns[checker->first_syn[id] + ordinal - 1];
	const struct record_attempt *attempt = &checker->ctx->record->attempts[id];
	struct verdict scripted = step_decide(step_of(checker, id), ordinal, attempt->delay_ns);
	bool surely, maybe = in_pause(checker, id, syn->at_ns, &surely);
	bool held = syn->at_ns + scripted.hold_ns >=
		    checker->end_ns - checker->ctx->record->harness_lag_ns;
	/* One decision about an attempt that is held is about all of its SYNs. */
	bool together = ordinal > 1 &&
			script_parts_holds(&checker->ctx->parts->endpoints[attempt->endpoint],
					   attempt->number);

	if (!syn->seen)
		add_about(checker, id, "has no SYN %" PRIu32, ordinal);
	else if (!syn->decided && !held)
		add_about(checker, id, "has no verdict for its SYN %" PRIu32, ordinal);
	else if (maybe && syn->decided && syn->verdict == VERDICT_DROP)
		return;
	else if (surely && syn->decided)
		add_about(checker, id, "got the verdict \"%s\" for its SYN %" PRIu32 " in a pause",
			  verdict_kind_name(syn->verdict), ordinal);
	else if (syn->decided && syn->verdict != scripted.kind &&
		 !(held && syn->verdict == VERDICT_DROP))
		add_about(checker, id, "got the verdict \"%s\" for its SYN %" PRIu32 ", not \"%s\"",
			  verdict_kind_name(syn->verdict), ordinal,
			  verdict_kind_name(scripted.kind));
	else if (syn->decided && syn->verdict == scripted.kind && !together &&
		 syn->decided_ns < syn->at_ns + scripted.hold_ns - EARLY_SLACK_NS)
		add_about(checker, id, "got the verdict for its SYN %" PRIu32 " before its time",
			  ordinal);
}

static void check_story(struct checker *checker, const struct attempt_history *attempt)
{
	const struct attempt_details *details = attempt->details;
	bool established = details->established_ns != INT64_MAX;

	for (uint32_t ordinal = 1; ordinal <= attempt->syns && !full(checker); ordinal++)
		check_syn(checker, attempt->id, ordinal);
	if (established && details->refused > 0)
		add_about(checker, attempt->id, "was refused but got a connection");
	else if (established && details->unreachable > 0)
		add_about(checker, attempt->id, "was answered with ICMP but got a connection");
	else if (established && details->accepted == 0)
		add_about(checker, attempt->id,
			  "got a connection though none of its SYNs was let through");
	if (details->refused > 0 && details->last_syn_ns - details->refused_ns > ANSWER_SLACK_NS)
		add_about(checker, attempt->id,
			  "went on sending SYNs after it was refused: the RST did not reach the "
			  "client");
	/*
	 * The kernel counts all retransmissions. On an established connection that includes data,
	 * so the count says nothing about SYNs.
	 */
	if (!established && attempt->closed_ns != INT64_MAX && attempt->syns > 0 &&
	    details->kernel_retransmissions > attempt->syns - 1)
		add_about(checker, attempt->id,
			  "sent %" PRIu32
			  " SYNs by the kernel's account, but the record has %" PRIu32,
			  details->kernel_retransmissions + 1, attempt->syns);
}

/* ---- outages ---- */

/* Where an outage ended connections, they end this soon. */
#define OUTAGE_TAKES_NS NS_PER_S

/* Returns when an outage at this endpoint begins next after @at_ns; INT64_MAX: never. */
static int64_t next_outage(const struct checker *checker, size_t endpoint,
			   const struct time_window *window, int64_t at_ns)
{
	int64_t origin_ns, next_ns;

	if (window->from == TIME_FROM_COMMAND)
		return next_commanded(checker, endpoint, window, at_ns);
	origin_ns = origin_of(checker, endpoint, window, at_ns);
	next_ns = time_window_next(window, at_ns - origin_ns);
	return next_ns == INT64_MAX ? INT64_MAX : origin_ns + next_ns;
}

static bool is_fault_of(enum fault_kind fault, enum step_ending ending)
{
	switch (ending) {
	case STEP_ENDS_RESET:
		return fault == FAULT_RESET;
	case STEP_ENDS_CLOSE:
		/* a server that has closed before can only reset */
		return fault == FAULT_CLOSED || fault == FAULT_RESET;
	case STEP_ENDS_STALL:
	case STEP_ENDS_PAUSE:
		return fault == FAULT_STALLED;
	case STEP_ENDS_NONE:
	case STEP_N_ENDINGS:
		break;
	}
	return false;
}

/* Checks that an outage ended the connection as its step says, and not before its time. */
static void check_ended(struct checker *checker, const struct attempt_history *attempt)
{
	const struct record_attempt *made = &checker->ctx->record->attempts[attempt->id];
	const struct script *script = &checker->ctx->scenario->endpoints[made->endpoint].script;
	const struct attempt_faults *faults = attempt->details->faults;
	const struct step *step;
	int64_t at_ns, origin_ns;

	if (faults->outage > script->n_steps) {
		add_about(checker, attempt->id,
			  "was ended by step %" PRIu32 ", which the script does not have",
			  faults->outage);
		return;
	}
	step = &script->steps[faults->outage - 1];
	if (!is_fault_of(faults->outage_fault, step->ending) ||
	    step->list != script->steps[made->step].list ||
	    (step->when.family && step->when.family != made->client.family)) {
		add_about(checker, attempt->id,
			  "was ended by step %" PRIu32 ", which does not do that", faults->outage);
		return;
	}
	at_ns = faults->at_ns[faults->outage_fault];
	origin_ns = origin_of(checker, made->endpoint, &step->when.window, at_ns);
	if (origin_ns == INT64_MAX ||
	    at_ns - origin_ns < outage_delay(checker, made->endpoint, &step->when.window, at_ns) -
					EARLY_SLACK_NS)
		add_about(checker, attempt->id, "was ended by step %" PRIu32 " before its time",
			  faults->outage);
}

/*
 * Checks that an outage left no connection of its server. One that was established before the
 * outage, and whose client closed it itself long after it had begun, was missed.
 */
static void check_missed(struct checker *checker, const struct attempt_history *attempt)
{
	const struct record_attempt *made = &checker->ctx->record->attempts[attempt->id];
	const struct script *script = &checker->ctx->scenario->endpoints[made->endpoint].script;
	const struct attempt_details *details = attempt->details;
	int64_t slack_ns = OUTAGE_TAKES_NS + checker->ctx->record->harness_lag_ns;

	if (details->established_ns == INT64_MAX || details->client_end_ns == INT64_MAX ||
	    attempt_had_fault(attempt, FAULT_RESET) || attempt_had_fault(attempt, FAULT_CLOSED) ||
	    attempt_had_fault(attempt, FAULT_STALLED))
		return;
	for (size_t k = 0; k < script->n_steps; k++) {
		const struct step *step = &script->steps[k];
		int64_t next_ns;

		if (!step->ending || step->list != script->steps[made->step].list ||
		    (step->when.family && step->when.family != made->client.family))
			continue;
		next_ns = next_outage(checker, made->endpoint, &step->when.window,
				      details->established_ns + EARLY_SLACK_NS);
		if (next_ns != INT64_MAX && details->client_end_earliest_ns - next_ns > slack_ns)
			add_about(checker, attempt->id,
				  "had a connection that the outage of step %zu did not end",
				  k + 1);
	}
}

static void check_outages(struct checker *checker)
{
	const struct history *history = &checker->ctx->history;
	const struct scenario *scenario = checker->ctx->scenario;
	bool any = false;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		for (size_t k = 0; k < scenario->endpoints[i].script.n_steps; k++)
			any = any || scenario->endpoints[i].script.steps[k].ending;
	for (size_t id = 0; id < history->n_attempts && !full(checker); id++) {
		if (attempt_outage(&history->attempts[id]))
			check_ended(checker, &history->attempts[id]);
		else if (any)
			check_missed(checker, &history->attempts[id]);
	}
}

static uint32_t count_exits(const struct history *history)
{
	uint32_t n = 0;

	for (size_t i = 0; i < history->n_process_events; i++)
		n += history->process_events[i]->kind == EVENT_EXIT;
	return n;
}

/* A server must not fail while the client runs; one that exits with 0 has done its work. */
static void check_processes(struct checker *checker)
{
	const struct record *record = checker->ctx->record;
	const struct scenario *scenario = checker->ctx->scenario;
	const struct history *history = &checker->ctx->history;
	const struct event *exit = history_exit(history);

	if (record->attached)
		; /* synfault did not start the client: nothing is known of its process */
	else if (!exit && !checker->ctx->timed_out)
		add(checker, xstrdup("the client's end is not in the record"));
	else if (!checker->ctx->timed_out && count_exits(history) != record->n_instances)
		add(checker, xasprintf("%" PRIu32 " client%s should have run, but the record has "
				       "the ends of %" PRIu32,
				       record->n_instances, PLURAL(record->n_instances),
				       count_exits(history)));
	if (record->n_streams / STREAMS_EACH < record->n_instances)
		add(checker, xstrdup("the client's output is not in the record"));
	for (size_t i = 0; i < history->n_process_events; i++) {
		const struct event *event = history->process_events[i];
		int status;

		if (event->kind != EVENT_SERVER_EXIT || event->at_ns >= checker->end_ns ||
		    event->u.server.endpoint >= scenario->n_endpoints)
			continue;
		status = event->u.server.wait_status;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		add(checker,
		    xasprintf("the server of %s ended by %s %d while the client ran",
			      scenario->endpoints[event->u.server.endpoint].name,
			      WIFSIGNALED(status) ? "signal" : "exit status",
			      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
	}
}

/*
 * Returns when the client exited or reached its timeout; without either, the time of the last
 * event.
 */
static int64_t find_end(const struct history *history)
{
	const struct event *exit = history_exit(history);

	for (size_t i = 0; i < history->n_process_events; i++)
		if (history->process_events[i]->kind == EVENT_TIMEOUT &&
		    (!exit || history->process_events[i]->at_ns < exit->at_ns))
			return history->process_events[i]->at_ns;
	if (exit)
		return exit->at_ns;
	return record_watched_until(history->record);
}

void judge_consistency(struct judge_ctx *ctx, const char *unreadable)
{
	struct checker checker = {.ctx = ctx, .end_ns = find_end(&ctx->history)};
	const struct history *history = &ctx->history;

	check_processes(&checker);
	if (unreadable)
		add(&checker, xstrdup(unreadable));
	if (unreadable || !check_endpoints(&checker) || !check_attempts(&checker))
		return;
	gather_syns(&checker);
	for (size_t id = 0; id < history->n_attempts && !full(&checker); id++)
		check_story(&checker, &history->attempts[id]);
	check_outages(&checker);
	free(checker.first_syn);
	free(checker.syns);
}
