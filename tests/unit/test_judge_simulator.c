/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judgement against a model of a busy machine. Each generated client runs twice: once exactly,
 * without any delay, and once on a machine on which threads starve, answers come late, notices are
 * read late and looks are coarse. The exact run is the truth: its record leaves nothing open, and
 * the other tests of judgement pin its verdict down. The record of the busy run is what the harness
 * would have seen. Its verdict must be the same or unknown: never met if the truth is broken, never
 * broken if the truth is met. The number of a run is its seed.
 */
#include <criterion/criterion.h>
#include <netinet/tcp.h>

#include "common/random.h"
#include "tests/lib/record_builder.h"

TestSuite(judge_simulator, .timeout = 120);

#define MS   NS_PER_MS
#define RUNS 3000

/* How long a thread takes to return from connect(). */
#define RETURN_NS (50 * NS_PER_US)

enum answer {
	ANSWER_REFUSE,
	ANSWER_NONE,
	ANSWER_DELAY, /* then the server's */
	N_ANSWERS,
};

enum timer {
	TIMER_FROM_END,   /* sleeps after each attempt */
	TIMER_FROM_START, /* the next attempt comes a fixed time after the start of the last */
	TIMER_TICKS,      /* on a schedule since the first attempt */
	N_TIMERS,
};

/* A client, and what it meets. */
struct client {
	enum answer answer;
	enum timer timer;
	bool backup;        /* the second address is tried after the first has failed, or: */
	int64_t race_ns;    /* at this time after the first, failed or not; 0: no race */
	int64_t timeout_ns; /* of an attempt */
	int64_t delay_ns;   /* ANSWER_DELAY */
	int64_t pause_ns, factor_percent;
	int64_t start_up_ns;
	int64_t max_attempts;
	int64_t budget_ns; /* no attempt begins after that; 0: none */
	bool budget_from_start;
	int64_t closing_ns; /* how long it keeps a failed socket */
	bool keeps;         /* the first socket until the end */
};

/* A machine. */
struct machine {
	uint64_t run, n_drawn;
	bool busy;
	int64_t starved_ns; /* so far */
	int64_t most_ns;    /* of one delay */
	int64_t shown_ns;   /* starvation as looks show it: an upper bound */
};

static int64_t roll_for(uint64_t run, uint64_t *n_drawn, uint64_t stream, int64_t low, int64_t high)
{
	return random_between(random_draw(stream, run, (*n_drawn)++, 0), low, high);
}

static int64_t roll(struct machine *machine, int64_t low, int64_t high)
{
	return roll_for(machine->run, &machine->n_drawn, 4711, low, high);
}

/* Returns when a thread that is to run at @at_ns really does. */
static int64_t wake(struct machine *machine, int64_t at_ns)
{
	int64_t delay_ns = 0;

	if (machine->busy && roll(machine, 0, 3) == 0)
		delay_ns = roll(machine, 0, machine->most_ns);
	machine->starved_ns += delay_ns;
	machine->shown_ns += delay_ns + (delay_ns > 0 ? roll(machine, 0, delay_ns / 10) : 0);
	return at_ns + delay_ns;
}

/* Returns how late an answer of synfault's is, or its reading of a notice. */
static int64_t late(struct machine *machine)
{
	return machine->busy && roll(machine, 0, 3) == 0 ? roll(machine, 0, machine->most_ns) : 0;
}

static void look(struct record_builder *b, struct machine *machine, int64_t at_ns, bool always)
{
	if (!machine->busy || (!always && roll(machine, 0, 1)))
		return;
	record_add_event(b->record, &(struct event){.kind = EVENT_STARVATION,
						    .at_ns = at_ns,
						    .u.starvation.client_ns = machine->shown_ns});
}

static void add(struct record_builder *b, enum event_kind kind, uint32_t id, int64_t at_ns,
		int64_t early_ns)
{
	struct event event = {
		.kind = kind, .at_ns = at_ns, .early_ns = early_ns, .u.net.attempt = id};

	if (kind == EVENT_SYN || kind == EVENT_VERDICT)
		event.u.net.ordinal = 1;
	record_add_event(b->record, &event);
}

static void add_verdict(struct record_builder *b, uint32_t id, uint32_t ordinal,
			enum verdict_kind verdict, int64_t at_ns, int64_t lag_ns)
{
	record_add_event(b->record, &(struct event){.kind = EVENT_VERDICT,
						    .at_ns = at_ns,
						    .u.net = {.attempt = id,
							      .ordinal = ordinal,
							      .verdict = verdict,
							      .lag_ns = lag_ns}});
}

struct attempt {
	uint32_t id;
	int64_t started_ns, known_ns; /* when the client knows its result */
	bool connected, given_up;
};

/* The SYNs that the kernel sends until the client gives up, each dropped. */
static void drop_syns(struct record_builder *b, uint32_t id, int64_t from_ns, int64_t until_ns)
{
	uint32_t ordinal = 1;

	for (int64_t at_ns = from_ns; ordinal == 1 || at_ns < until_ns; at_ns += NS_PER_S) {
		record_add_event(b->record,
				 &(struct event){.kind = EVENT_SYN,
						 .at_ns = at_ns,
						 .u.net = {.attempt = id, .ordinal = ordinal}});
		add_verdict(b, id, ordinal++, VERDICT_DROP, at_ns, 0);
	}
}

/* A socket's death, read late; it was last seen to be open at some time before. */
static void add_closed(struct record_builder *b, struct machine *machine, uint32_t id,
		       int64_t open_ns, int64_t at_ns)
{
	int64_t read_ns = at_ns + late(machine);
	int64_t seen_ns =
		machine->busy ? at_ns - roll(machine, 0, MIN(at_ns - open_ns, 20 * MS)) : at_ns;

	add(b, EVENT_CLOSED, id, read_ns, read_ns - seen_ns);
}

static struct attempt connect_to(struct record_builder *b, const struct client *client,
				 struct machine *machine, size_t endpoint, int64_t at_ns)
{
	bool server = endpoint == 1;
	struct attempt attempt = {.id = record_builder_attempt(b, endpoint), .started_ns = at_ns};
	int64_t late_ns = late(machine), answer_ns = at_ns + late_ns, give_up_ns;

	if (!server && client->answer == ANSWER_DELAY)
		answer_ns += client->delay_ns;
	give_up_ns = wake(machine, at_ns + client->timeout_ns);
	if (!server &&
	    (client->answer == ANSWER_NONE ||
	     (client->answer == ANSWER_DELAY && answer_ns >= at_ns + client->timeout_ns))) {
		if (client->answer == ANSWER_NONE) {
			drop_syns(b, attempt.id, at_ns, give_up_ns + client->closing_ns);
		} else {
			add(b, EVENT_SYN, attempt.id, at_ns, 0);
			add_verdict(b, attempt.id, 1, VERDICT_ACCEPT, answer_ns, late_ns);
			/* The kernel's answer was in time; the client learns of both at once. */
			if (answer_ns < give_up_ns)
				add(b, EVENT_ESTABLISHED, attempt.id, answer_ns, 0);
		}
		attempt.known_ns = give_up_ns;
		attempt.given_up = true;
		return attempt;
	}
	add(b, EVENT_SYN, attempt.id, at_ns, 0);
	if (!server && client->answer == ANSWER_REFUSE) {
		add_verdict(b, attempt.id, 1, VERDICT_REFUSE, answer_ns, late_ns);
	} else {
		add_verdict(b, attempt.id, 1, VERDICT_ACCEPT, answer_ns, late_ns);
		add(b, EVENT_ESTABLISHED, attempt.id, answer_ns, 0);
		attempt.connected = true;
	}
	attempt.known_ns = wake(machine, answer_ns + RETURN_NS);
	return attempt;
}

static void close_attempt(struct record_builder *b, const struct client *client,
			  struct machine *machine, const struct attempt *attempt, int64_t exit_ns)
{
	int64_t at_ns = attempt->known_ns + (attempt->connected ? 0 : client->closing_ns);

	if (client->keeps && attempt->id == 0)
		return;
	add_closed(b, machine, attempt->id, attempt->started_ns, MIN(at_ns, exit_ns));
}

static int64_t next_start(const struct client *client, struct machine *machine, int64_t k,
			  int64_t first_ns, const struct attempt *last)
{
	int64_t pause_ns = client->pause_ns, at_ns;

	for (int64_t i = 1; i < k && client->timer != TIMER_TICKS; i++)
		pause_ns = pause_ns * client->factor_percent / 100;
	if (client->timer == TIMER_FROM_END)
		at_ns = last->known_ns + pause_ns;
	else if (client->timer == TIMER_FROM_START)
		at_ns = MAX(last->started_ns + pause_ns, last->known_ns);
	else
		at_ns = MAX(first_ns + k * pause_ns, last->known_ns);
	return wake(machine, at_ns);
}

/* A client runs. Returns its record, and in *@ret_margin_ns how close it came to its budget. */
static struct record_builder *run(const struct client *client, struct machine *machine,
				  int64_t *ret_margin_ns)
{
	static const char *const scripts[N_ANSWERS] = {"refuse", "drop", "delay 400ms"};
	struct record_builder *b = record_builder_new();
	struct attempt attempts[32], backup = {0};
	int64_t start_ns, first_ns, exit_ns;
	size_t n = 0;
	bool backed = false;

	*ret_margin_ns = INT64_MAX;
	record_builder_endpoint(b, "api", scripts[client->answer]);
	record_builder_endpoint(b, "backup", "accept");
	look(b, machine, 0, true);
	start_ns = first_ns = wake(machine, client->start_up_ns);
	look(b, machine, start_ns, false);
	for (;;) {
		int64_t elapsed_ns;

		attempts[n] = connect_to(b, client, machine, 0, start_ns);
		look(b, machine, attempts[n].known_ns, false);
		if (client->race_ns > 0 && n == 0 &&
		    attempts[0].known_ns >= start_ns + client->race_ns) {
			int64_t at_ns = wake(machine, start_ns + client->race_ns);

			backup = connect_to(b, client, machine, 1, at_ns);
			backed = true;
		}
		n++;
		exit_ns = attempts[n - 1].known_ns;
		if (attempts[n - 1].connected || (int64_t)n == client->max_attempts || backed ||
		    n == ARRAY_SIZE(attempts))
			break;
		start_ns = next_start(client, machine, (int64_t)n, first_ns, &attempts[n - 1]);
		elapsed_ns = start_ns - (client->budget_from_start ? 0 : first_ns);
		if (client->budget_ns > 0) {
			int64_t margin_ns = elapsed_ns - client->budget_ns;

			*ret_margin_ns =
				MIN(*ret_margin_ns, margin_ns < 0 ? -margin_ns : margin_ns);
			exit_ns = start_ns;
			if (margin_ns >= 0)
				break;
		}
		look(b, machine, start_ns, false);
	}
	if (client->backup && !backed && !attempts[n - 1].connected) {
		backup = connect_to(b, client, machine, 1, wake(machine, exit_ns));
		backed = true;
	}
	if (backed)
		exit_ns = MAX(exit_ns, backup.known_ns);
	exit_ns = wake(machine, exit_ns + client->closing_ns + 10 * MS);
	for (size_t i = 0; i < n; i++)
		close_attempt(b, client, machine, &attempts[i], exit_ns);
	if (backed)
		add_closed(b, machine, backup.id, backup.started_ns, backup.known_ns);
	add(b, EVENT_EXIT, 0, exit_ns, 0);
	for (size_t i = 0; i < b->record->n_events; i++)
		if (b->record->events[i].kind == EVENT_EXIT) {
			b->record->events[i].u.exit.instance = 0;
			b->record->events[i].u.exit.wait_status =
				backed || attempts[n - 1].connected ? 0 : 1 << 8;
		}
	look(b, machine, exit_ns + 1, true);
	return b;
}

static struct client draw_client(uint64_t run, uint64_t *n_drawn)
{
#define DRAW(low, high) roll_for(run, n_drawn, 815, low, high)
	struct client client = {
		.answer = (enum answer)DRAW(0, N_ANSWERS - 1),
		.timer = (enum timer)DRAW(0, N_TIMERS - 1),
		.timeout_ns = DRAW(200, 1600) * MS,
		.delay_ns = 400 * MS,
		.pause_ns = DRAW(100, 1500) * MS,
		.factor_percent = DRAW(0, 2) ? 100 : 150,
		.start_up_ns = DRAW(5, 60) * MS,
		.max_attempts = DRAW(1, 7),
		.closing_ns = DRAW(0, 2) ? 0 : DRAW(1, 60) * MS,
		.keeps = DRAW(0, 4) == 0,
	};

	if (DRAW(0, 2) == 0) {
		client.max_attempts = 12;
		client.budget_ns = DRAW(1000, 6000) * MS;
		client.budget_from_start = DRAW(0, 1);
	}
	if (DRAW(0, 3) == 0)
		client.race_ns = DRAW(150, 450) * MS;
	else
		client.backup = DRAW(0, 1);
	return client;
}

static struct range draw_range(uint64_t run, uint64_t *n_drawn, int64_t low, int64_t high)
{
	int64_t a = DRAW(low, high), b = DRAW(low, high);

	return (struct range){MIN(a, b), MAX(a, b)};
}

static void draw_policy(struct policy *policy, const struct client *client, uint64_t run,
			uint64_t *n_drawn)
{
	int64_t percent = DRAW(0, 1) ? 100 : DRAW(50, 160);

	*policy = (struct policy){.kind = POLICY_EXPONENTIAL,
				  .base_ns = client->pause_ns * percent / 100,
				  .factor = (double)client->factor_percent / 100,
				  .cap_ns = INT64_MAX};
}

static void draw_targets(struct expectation *expectation)
{
	const struct target targets[] = {{0, N_FAMILIES, 0}, {1, N_FAMILIES, 0}};

	expectation->value.order.targets = xmemdup(targets, sizeof(targets));
	expectation->value.order.n_targets = 2;
}

/* A value that is right about as often as it is wrong. */
static void draw_expectation(struct record_builder *b, enum expectation_kind kind,
			     const struct client *client, uint64_t run)
{
	uint64_t drawn = 1000, *n_drawn = &drawn;
	size_t endpoint = DRAW(0, 1) ? 0 : ALL_ENDPOINTS;
	struct expectation *expectation = record_builder_expect(b, kind, endpoint);
	struct range *range = &expectation->value.range.range;

	expectation->tolerance = TOLERANCE_DEFAULT;
	switch (kind) {
	case EXPECT_EXIT: {
		int code = (int)DRAW(0, 1);

		expectation->value.exit.codes = xmemdup(&code, sizeof(code));
		expectation->value.exit.n_codes = 1;
		break;
	}
	case EXPECT_BACKOFF:
	case EXPECT_ATTEMPT_DELAY:
		expectation->endpoint = 0;
		draw_policy(&expectation->value.policy, client, run, n_drawn);
		break;
	case EXPECT_CONNECT_TIMEOUT:
		*range = (struct range){client->timeout_ns * DRAW(70, 130) / 100, 0};
		range->high = range->low;
		expectation->value.range.exact = true;
		break;
	case EXPECT_GIVES_UP:
		expectation->value.gives_up.attempts = DRAW(0, 5);
		expectation->value.gives_up.after_ns =
			DRAW(0, 1) ? DRAW(500, 5000) * MS : INT64_MAX;
		break;
	case EXPECT_ORDER:
		expectation->endpoint = ALL_ENDPOINTS;
		draw_targets(expectation);
		expectation->value.order.after_failure = DRAW(0, 2) > 0;
		break;
	case EXPECT_FALLBACK:
		expectation->endpoint = ALL_ENDPOINTS;
		expectation->value.fallback.from = (struct target){0, N_FAMILIES, 0};
		expectation->value.fallback.to = (struct target){1, N_FAMILIES, 0};
		expectation->value.fallback.within = (struct range){0, DRAW(200, 3000) * MS};
		break;
	case EXPECT_RETRY_ON:
		expectation->value.endings = (unsigned)DRAW(0, (1 << ENDING_N_KINDS) - 1);
		break;
	case EXPECT_HERD:
		expectation->value.herd.max = DRAW(1, 3);
		expectation->value.herd.within_ns = DRAW(100, 3000) * MS;
		break;
	case EXPECT_DURATION:
	case EXPECT_TOTAL_BACKOFF:
	case EXPECT_CONNECTING:
		*range = draw_range(run, n_drawn, 0, 8000);
		range->low *= MS;
		range->high *= MS;
		break;
	default:
		*range = draw_range(run, n_drawn, 0, kind == EXPECT_LEAKS ? 2 : 7);
		break;
	}
}

#undef DRAW

struct tally {
	size_t n_pass, n_fail, n_told;
};

/* One client, exactly and on a busy machine. */
static void compare(enum expectation_kind kind, uint64_t number, int64_t most_ns,
		    struct tally *tally)
{
	uint64_t n_drawn = 0;
	struct client client = draw_client(number, &n_drawn);
	struct machine quiet = {.run = number};
	struct machine busy = {.run = number, .busy = true, .most_ns = most_ns};
	int64_t margin_ns = 0, ignored, decisions_ns[3];
	AUTO_RECORD_BUILDER struct record_builder *exact = NULL, *seen = NULL;
	struct judgement truth, told;

	/* The model's kernel sends no SYNs for a socket that the client has given up but keeps. */
	client.keeps = client.keeps && kind != EXPECT_RETRANSMISSIONS && kind != EXPECT_CONNECTING;
	exact = run(&client, &quiet, &margin_ns);
	seen = run(&client, &busy, &ignored);

	/*
	 * This close to its limits, a client does not behave the same twice even on a quiet
	 * machine.
	 */
	decisions_ns[0] = client.timeout_ns - client.delay_ns;
	decisions_ns[1] = client.race_ns > 0 ? client.race_ns - client.timeout_ns : NS_PER_S;
	decisions_ns[2] = client.race_ns > 0 ? client.race_ns - client.delay_ns : NS_PER_S;
	for (size_t i = 0; i < ARRAY_SIZE(decisions_ns); i++)
		margin_ns =
			MIN(margin_ns, decisions_ns[i] < 0 ? -decisions_ns[i] : decisions_ns[i]);
	if (margin_ns < MAX(client.pause_ns / 5, 25 * MS))
		return;
	draw_expectation(exact, kind, &client, number);
	draw_expectation(seen, kind, &client, number);
	truth = record_builder_judge(exact);
	told = record_builder_judge(seen);
	tally->n_pass += truth.outcome == OUTCOME_PASS;
	tally->n_fail += truth.outcome == OUTCOME_FAIL;
	if (truth.outcome != OUTCOME_ERROR && told.outcome != OUTCOME_ERROR)
		cr_expect_eq(
			told.outcome, truth.outcome,
			"%s, run %ju, delays up to %jd us: %s for %s: %s / %s; answer %d timer %d "
			"race %jd backup %d budget %jd",
			expectation_kind_name(kind), (uintmax_t)number, (intmax_t)(most_ns / 1000),
			outcome_name(told.outcome), outcome_name(truth.outcome),
			told.n_findings ? told.findings[0].message : "-",
			truth.n_findings ? truth.findings[0].message : "-", client.answer,
			client.timer, (intmax_t)client.race_ns, client.backup,
			(intmax_t)client.budget_ns);
	tally->n_told += told.outcome == truth.outcome && truth.outcome != OUTCOME_ERROR;
	judgement_free(&truth);
	judgement_free(&told);
}

static const enum expectation_kind simulated[] = {
	EXPECT_EXIT,       EXPECT_DURATION,      EXPECT_ATTEMPTS,      EXPECT_RETRANSMISSIONS,
	EXPECT_BACKOFF,    EXPECT_ATTEMPT_DELAY, EXPECT_HERD,          EXPECT_CONNECT_TIMEOUT,
	EXPECT_GIVES_UP,   EXPECT_ORDER,         EXPECT_FALLBACK,      EXPECT_CONCURRENT_ATTEMPTS,
	EXPECT_LEAKS,      EXPECT_RETRY_ON,      EXPECT_TOTAL_BACKOFF, EXPECT_CONNECTED,
	EXPECT_CONNECTING,
};

Test(judge_simulator, a_busy_machine_never_reverses_a_verdict)
{
	for (size_t k = 0; k < ARRAY_SIZE(simulated); k++) {
		struct tally tally = {0};

		for (uint64_t number = 0; number < RUNS; number++) {
			static const int64_t most_ms[] = {2, 20, 100, 400};

			compare(simulated[k], number, most_ms[number % 4] * MS, &tally);
		}
		/* The truth is often met, often broken, and often found out. */
		cr_expect_gt(tally.n_pass, RUNS / 40, "%s: %zu",
			     expectation_kind_name(simulated[k]), tally.n_pass);
		cr_expect_gt(tally.n_fail, RUNS / 40, "%s: %zu",
			     expectation_kind_name(simulated[k]), tally.n_fail);
		cr_expect_gt(tally.n_told, (tally.n_pass + tally.n_fail) / 10, "%s: %zu of %zu",
			     expectation_kind_name(simulated[k]), tally.n_told,
			     tally.n_pass + tally.n_fail);
	}
}

Test(judge_simulator, a_quiet_machine_leaves_nothing_open)
{
	for (size_t k = 0; k < ARRAY_SIZE(simulated); k++)
		for (uint64_t number = 0; number < RUNS / 4; number++) {
			struct machine quiet = {.run = number};
			uint64_t n_drawn = 0;
			struct client client = draw_client(number, &n_drawn);
			int64_t ignored;
			AUTO_RECORD_BUILDER struct record_builder *b =
				run(&client, &quiet, &ignored);
			struct judgement judgement;

			draw_expectation(b, simulated[k], &client, number);
			judgement = record_builder_judge(b);
			cr_expect_neq(judgement.outcome, OUTCOME_ERROR, "%s, run %ju: %s",
				      expectation_kind_name(simulated[k]), (uintmax_t)number,
				      judgement.n_findings ? judgement.findings[0].message : "-");
			judgement_free(&judgement);
		}
}
