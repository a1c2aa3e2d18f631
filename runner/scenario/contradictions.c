/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds expectations that contradict each other, the fault scripts, or the timeout. Such a scenario
 * would fail every client, so it is an error before anything runs.
 */
#include <inttypes.h>

#include "runner/scenario/contradictions.h"
#include "runner/scenario/policy_bounds.h"

PRINTF(3, 4)
static void error_at(struct checker *checker, const struct expectation *at, const char *format, ...)
{
	AUTO_FREE char *message = FORMAT_REST(format);

	diag_add(checker->loader->diags, &at->place, "%s", message);
}

/* Returns " at api", or "" for all endpoints. Owned by the caller. */
static char *at_endpoint(const struct checker *checker, size_t endpoint)
{
	if (endpoint >= checker->scenario->n_endpoints)
		return xstrdup("");
	return xasprintf(" at %s", checker->scenario->endpoints[endpoint].name);
}

/* Returns whether an expectation at @whole includes @part. */
static bool covers(const struct checker *checker, size_t whole, size_t part)
{
	return whole == ALL_ENDPOINTS || whole == part || checker->scenario->n_endpoints == 1;
}

/* Returns how many attempts of all instances are expected at an endpoint, or at all endpoints. */
static struct range expected_attempts(const struct checker *checker, size_t endpoint)
{
	const struct scenario *scenario = checker->scenario;
	struct range range = {0, INT64_MAX}, sum = {0, 0};
	size_t n_counted = 0;

	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];
		struct range given = expectation->value.range.range;

		if (expectation->kind != EXPECT_ATTEMPTS)
			continue;
		if (expectation->endpoint == endpoint || scenario->n_endpoints == 1) {
			range.low = MAX(range.low, given.low);
			range.high = MIN(range.high, given.high);
		} else if (expectation->endpoint == ALL_ENDPOINTS) {
			range.high = MIN(range.high, given.high);
		} else if (endpoint == ALL_ENDPOINTS) {
			n_counted++;
			sum.low += given.low;
			sum.high = sum.high < INT64_MAX - given.high ? sum.high + given.high
								     : INT64_MAX;
		}
	}
	if (n_counted > 0)
		range.low = MAX(range.low, sum.low);
	if (n_counted == scenario->n_endpoints)
		range.high = MIN(range.high, sum.high);
	return range;
}

/* Returns how many addresses the endpoints have; 0: unknown until the scenario starts. */
static int64_t count_addresses(const struct checker *checker, size_t endpoint)
{
	const struct scenario *scenario = checker->scenario;
	int64_t n = 0;

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		if (!covers(checker, endpoint, i))
			continue;
		if (scenario->endpoints[i].n_families == 0)
			return 0;
		n += (int64_t)scenario->endpoints[i].n_families;
	}
	return n;
}

static bool looks_at_times(const struct expectation *expectation)
{
	return expectation->kind == EXPECT_BACKOFF || expectation->kind == EXPECT_ATTEMPT_DELAY;
}

/* Returns the most attempts per wait of a policy: 1, or those of a round; 0: unknown. */
static int64_t attempts_each(const struct checker *checker, const struct expectation *expectation)
{
	return looks_at_times(expectation) && expectation->value.policy.per_round
		       ? count_addresses(checker, expectation->endpoint)
		       : 1;
}

static bool resets(const struct expectation *expectation)
{
	return looks_at_times(expectation) && expectation->value.policy.resets_on_success;
}

/* Returns the most attempts that an expectation allows each instance; 0: no limit. */
static int64_t limit_of(const struct checker *checker, const struct expectation *expectation)
{
	switch (expectation->kind) {
	case EXPECT_BACKOFF:
	case EXPECT_ATTEMPT_DELAY:
		if (resets(expectation))
			return 0;
		return expectation->value.policy.max_attempts * attempts_each(checker, expectation);
	case EXPECT_GIVES_UP:
		return expectation->value.gives_up.attempts;
	default:
		return 0;
	}
}

static void check_limit(struct checker *checker, const struct expectation *limiting)
{
	int64_t limit = limit_of(checker, limiting);
	const struct scenario *scenario = checker->scenario;

	if (limit == 0)
		return;
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *attempts = &scenario->expectations[i];
		AUTO_FREE char *at = at_endpoint(checker, attempts->endpoint);

		if (attempts->kind != EXPECT_ATTEMPTS ||
		    !covers(checker, limiting->endpoint, attempts->endpoint) ||
		    attempts->value.range.range.low <= limit * checker->n_instances)
			continue;
		error_at(checker, attempts,
			 "%" PRId64 " attempts%s are expected, but \"%s\" allows %" PRId64,
			 attempts->value.range.range.low, at, expectation_kind_name(limiting->kind),
			 limit * checker->n_instances);
		loader_hint(checker->loader, "change one of them: a retry is an attempt, too");
	}
}

/* Returns how many waits between attempts an expectation needs from each instance. */
static int64_t needed_times(const struct expectation *expectation)
{
	switch (expectation->kind) {
	case EXPECT_BACKOFF:
	case EXPECT_ATTEMPT_DELAY:
		if (expectation->value.policy.kind == POLICY_LIST)
			return (int64_t)expectation->value.policy.n_list +
			       expectation->value.policy.first_at_once;
		return 1;
	case EXPECT_TOTAL_BACKOFF:
		return expectation->value.range.range.low > 0 ? 1 : 0;
	default:
		return 0;
	}
}

static void check_counts(struct checker *checker, const struct expectation *expectation)
{
	int64_t needed = needed_times(expectation), limit = limit_of(checker, expectation);
	struct range attempts = expected_attempts(checker, expectation->endpoint);
	AUTO_FREE char *at = at_endpoint(checker, expectation->endpoint);
	const char *name = expectation_kind_name(expectation->kind);
	bool list = (expectation->kind == EXPECT_BACKOFF ||
		     expectation->kind == EXPECT_ATTEMPT_DELAY) &&
		    expectation->value.policy.kind == POLICY_LIST;
	int64_t each = attempts_each(checker, expectation);

	if (limit == 1)
		attempts.high = MIN(attempts.high, checker->n_instances);
	if (needed > 0 && attempts.high < (needed + 1) * checker->n_instances) {
		error_at(checker, expectation,
			 "\"%s\" needs %" PRId64 " attempts%s, but %" PRId64 " at most %s expected",
			 name, (needed + 1) * checker->n_instances, at, attempts.high,
			 attempts.high == 1 ? "is" : "are");
		loader_hint(checker->loader,
			    attempts.high <= checker->n_instances
				    ? "one attempt has no backoff: leave \"%s\" out"
				    : "a list has one time fewer than there are attempts",
			    name);
	} else if (list && each > 0 && !resets(expectation) &&
		   attempts.low > (needed + 1) * each * checker->n_instances) {
		error_at(checker, expectation,
			 "the list has %" PRId64 " times%s, but %" PRId64
			 " attempts at least are expected",
			 needed, at, attempts.low);
		loader_hint(checker->loader, "a list has one time fewer than there are attempts");
	}
}

void contradict_concurrent_attempts(struct checker *checker, const struct expectation *expectation)
{
	struct range attempts = expected_attempts(checker, expectation->endpoint);
	int64_t low = expectation->value.range.range.low;

	if (low <= attempts.high)
		return;
	error_at(checker, expectation,
		 "%" PRId64 " attempts can't be open at once when %" PRId64 " at most are expected",
		 low, attempts.high);
	loader_hint(checker->loader, "change one of them");
}

/* Returns how long a client must run at least to meet an expectation; 0: any time will do. */
static int64_t needed_time(const struct expectation *expectation)
{
	switch (expectation->kind) {
	case EXPECT_DURATION:
	case EXPECT_CONNECT_TIMEOUT:
	case EXPECT_READ_TIMEOUT:
	case EXPECT_CONNECTING:
	case EXPECT_TOTAL_BACKOFF:
	case EXPECT_STALE:
		return expectation->value.range.range.low;
	case EXPECT_FALLBACK:
		return expectation->value.fallback.within.low;
	case EXPECT_GIVES_UP:
		return expectation->value.gives_up.after_ns == INT64_MAX
			       ? 0
			       : expectation->value.gives_up.after_ns;
	default:
		return 0;
	}
}

void contradict_time(struct checker *checker, const struct expectation *expectation)
{
	const struct scenario *scenario = checker->scenario;
	int64_t needed_ns = needed_time(expectation);
	char needed[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];

	duration_format_exact(needed_ns, needed);
	if (needed_ns > scenario->timeout_ns) {
		error_at(checker, expectation,
			 "%s is more than the scenario's timeout, %s: it can't be observed", needed,
			 duration_format_exact(scenario->timeout_ns, most));
		loader_hint(checker->loader, "give the scenario a longer \"timeout\"");
		return;
	}
	if (scenario->run_for_ns && expectation->kind != EXPECT_DURATION &&
	    needed_ns > scenario->run_for_ns) {
		error_at(checker, expectation,
			 "%s is more than the client runs for, %s: it can't be observed", needed,
			 duration_format_exact(scenario->run_for_ns, most));
		loader_hint(checker->loader, "give the scenario a longer \"run-for\"");
		return;
	}
	if (expectation->kind != EXPECT_TOTAL_BACKOFF && expectation->kind != EXPECT_CONNECTING)
		return;
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *duration = &scenario->expectations[i];

		if (duration->kind != EXPECT_DURATION ||
		    needed_ns <= duration->value.range.range.high)
			continue;
		error_at(checker, expectation, "\"%s\" of %s doesn't fit into the duration %s",
			 expectation_kind_name(expectation->kind), needed,
			 duration_format_exact(duration->value.range.range.high, most));
		loader_hint(checker->loader, "change one of them");
	}
}

/* At most this many waits are added up. Leaving some out only makes the sum smaller. */
#define MAX_SUMMED INT64_C(100000)

/* Returns the fewest pauses of each instance that meet all expectations. */
static int64_t least_times(const struct checker *checker, const struct expectation *expectation)
{
	int64_t attempts = expected_attempts(checker, expectation->endpoint).low;
	int64_t each = attempts_each(checker, expectation);

	if (expectation->value.policy.kind == POLICY_LIST)
		return (int64_t)expectation->value.policy.n_list +
		       expectation->value.policy.first_at_once;
	/* A policy may start again after any number of attempts. */
	if (each == 0 || resets(expectation))
		return 1;
	/* If instances share the attempts evenly, the busiest one has the fewest. */
	attempts /= checker->n_instances;
	return MAX((attempts + each - 1) / each - 1, 1);
}

/* Returns the shortest time that @n pauses take, with tolerance; 70 years at most. */
static int64_t least_time(const struct expectation *expectation, int64_t n)
{
	const struct policy *policy = &expectation->value.policy;
	int64_t sum_ns = 0;

	/* The next attempt may come as soon as the previous one has failed. */
	if (policy->ends_early)
		return 0;
	for (int64_t k = 1; k <= MIN(n, MAX_SUMMED) && sum_ns < INT64_MAX / 4; k++) {
		struct range wait = policy_wait(policy, (size_t)k);

		if ((policy->kind != POLICY_LIST && policy->kind != POLICY_RANGE) ||
		    wait.low == wait.high || policy->name)
			wait = tolerance_apply(wait, &expectation->tolerance, 1);
		sum_ns += MAX(wait.low, 0);
	}
	return sum_ns;
}

/*
 * Returns the longest time, with tolerance, that another expectation leaves for the pauses of one
 * instance; *@ret_written_ns: as written. INT64_MAX: no limit.
 */
static int64_t room_for(const struct checker *checker, const struct expectation *waits,
			const struct expectation *other, int64_t *ret_written_ns)
{
	struct range range = other->value.range.range;

	switch (other->kind) {
	case EXPECT_DURATION:
		break;
	case EXPECT_TOTAL_BACKOFF:
		if (waits->kind != EXPECT_BACKOFF ||
		    (other->endpoint != waits->endpoint && checker->scenario->n_endpoints > 1))
			return INT64_MAX;
		break;
	case EXPECT_GIVES_UP:
		*ret_written_ns = other->value.gives_up.after_ns;
		return covers(checker, other->endpoint, waits->endpoint) ? *ret_written_ns
									 : INT64_MAX;
	default:
		return INT64_MAX;
	}
	*ret_written_ns = range.high;
	if (other->value.range.exact)
		range = tolerance_apply(range, &other->tolerance, 1);
	return range.high;
}

/* Returns the noun for @n of the expectation's times. */
static const char *unit_of(int64_t n, const struct expectation *expectation)
{
	if (expectation->kind == EXPECT_BACKOFF)
		return n == 1 ? "pause" : "pauses";
	return n == 1 ? "delay" : "delays";
}

static void check_sum(struct checker *checker, const struct expectation *expectation)
{
	const struct scenario *scenario = checker->scenario;
	const int64_t n_rounds = MAX(scenario->n_repeats, 1U);
	int64_t n, one_ns, all_ns;
	char needed[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];
	const char *what = expectation_kind_name(expectation->kind);

	n = least_times(checker, expectation);
	one_ns = least_time(expectation, n);
	/* At most a day, ten thousand times: no overflow. */
	all_ns = one_ns > scenario->timeout_ns ? one_ns : one_ns * n_rounds;
	if (all_ns > scenario->timeout_ns) {
		error_at(checker, expectation,
			 "\"%s\" needs %s at least (%" PRId64 " %s), more than the "
			 "scenario's timeout, %s",
			 what, duration_format(all_ns, needed), n * n_rounds,
			 unit_of(n * n_rounds, expectation),
			 duration_format_exact(scenario->timeout_ns, most));
		loader_hint(checker->loader,
			    "give the scenario a longer \"timeout\", or expect fewer attempts");
		return;
	}
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *other = &scenario->expectations[i];
		int64_t written_ns = INT64_MAX;

		if (one_ns <= room_for(checker, expectation, other, &written_ns))
			continue;
		error_at(checker, expectation,
			 "\"%s\" needs %s at least (%" PRId64 " %s), but \"%s\" allows %s", what,
			 duration_format(one_ns, needed), n, unit_of(n, expectation),
			 expectation_kind_name(other->kind),
			 duration_format_exact(written_ns, most));
		loader_hint(checker->loader, "change one of them");
	}
}

/* Returns whether a step can leave an attempt unanswered for a while. */
static bool leaves_unanswered(const struct step *step)
{
	switch (step->action) {
	case STEP_DROP:
	case STEP_LOSE:
	case STEP_DELAY:
	case STEP_LOSE_SYN_ACK:
		return true;
	case STEP_BACKLOG_FULL:
		return !step->abort;
	default:
		return false;
	}
}

/* Returns whether a step that an expectation covers is of such a kind. */
static bool any_step(const struct checker *checker, size_t endpoint,
		     bool (*is_such)(const struct step *step))
{
	const struct scenario *scenario = checker->scenario;

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct script *script = &scenario->endpoints[i].script;

		for (size_t k = 0; covers(checker, endpoint, i) && k < script->n_steps; k++)
			if (is_such(&script->steps[k]))
				return true;
	}
	return false;
}

static void check_answers(struct checker *checker, const struct expectation *expectation)
{
	AUTO_FREE char *at = at_endpoint(checker, expectation->endpoint);

	if (any_step(checker, expectation->endpoint, leaves_unanswered))
		return;
	error_at(checker, expectation,
		 "every attempt%s is answered at once, so none can "
		 "time out",
		 at);
	loader_hint(checker->loader, "add \"drop\", \"lose\" or \"delay\" to the faults");
}

static bool needs_connection(const struct expectation *expectation)
{
	switch (expectation->kind) {
	case EXPECT_CONNECTED:
	case EXPECT_RECEIVED:
	case EXPECT_SENT:
	case EXPECT_CONCURRENT_CONNECTIONS:
		return expectation->value.range.range.low > 0;
	case EXPECT_READ_TIMEOUT:
		return true;
	default:
		return false;
	}
}

void contradict_connections(struct checker *checker, const struct expectation *expectation)
{
	AUTO_FREE char *at = at_endpoint(checker, expectation->endpoint);

	if (!needs_connection(expectation))
		return;
	if (any_step(checker, expectation->endpoint, step_connects))
		return;
	error_at(checker, expectation, "\"%s\" needs a connection%s, but no fault step allows one",
		 expectation_kind_name(expectation->kind), at);
	if (expectation->kind == EXPECT_READ_TIMEOUT)
		loader_hint(checker->loader, "add \"stall after accept\" to the faults, or expect "
					     "\"connect-timeout\"");
	else
		loader_hint(checker->loader,
			    "let the faults end with \"accept\", or expect 0 of \"%s\"",
			    expectation_kind_name(expectation->kind));
}

/* Returns whether a step can end a connection that is established. */
static bool ends_connections(const struct step *step)
{
	switch (step->action) {
	case STEP_HALF_OPEN:
		return true;
	case STEP_BACKLOG_FULL:
		return step->abort;
	default:
		return step_break(step) != STEP_ACCEPT || step->ending != STEP_ENDS_NONE;
	}
}

static void check_ends(struct checker *checker, const struct expectation *expectation)
{
	AUTO_FREE char *at = at_endpoint(checker, expectation->endpoint);

	if (any_step(checker, expectation->endpoint, ends_connections))
		return;
	error_at(checker, expectation,
		 "\"%s\" needs a connection%s that a fault ends, but no fault step ends one",
		 expectation_kind_name(expectation->kind), at);
	loader_hint(checker->loader, "add \"restart 5s\" or \"reset after 1 KB\" to the faults");
}

void contradict_reconnects(struct checker *checker, const struct expectation *expectation)
{
	if (expectation->value.reconnects.range.low > 0 ||
	    expectation->value.reconnects.within_ns != INT64_MAX)
		check_ends(checker, expectation);
}

void contradict_stale(struct checker *checker, const struct expectation *expectation)
{
	contradict_time(checker, expectation);
	check_ends(checker, expectation);
}

void contradict_run_for(struct checker *checker)
{
	const struct scenario *scenario = checker->scenario;
	const int64_t n_rounds = MAX(scenario->n_repeats, 1U);
	char run_for[DURATION_TEXT_SIZE], timeout[DURATION_TEXT_SIZE];

	if (scenario->run_for_ns * n_rounds < scenario->timeout_ns)
		return;
	diag_add(checker->loader->diags, &scenario->place,
		 "the client runs for %s%s, which leaves nothing of the scenario's timeout, %s",
		 duration_format_exact(scenario->run_for_ns, run_for),
		 n_rounds > 1 ? " each time" : "",
		 duration_format_exact(scenario->timeout_ns, timeout));
	loader_hint(checker->loader, "give the scenario a longer \"timeout\"");
}

/* Without any retry, a single address gets a single attempt. */
void contradict_retry_on(struct checker *checker, const struct expectation *expectation)
{
	const struct scenario *scenario = checker->scenario;
	size_t endpoint = expectation->endpoint;

	if (expectation->value.endings != 0)
		return;
	if (endpoint == ALL_ENDPOINTS && scenario->n_endpoints == 1)
		endpoint = 0;
	if (endpoint >= scenario->n_endpoints || scenario->endpoints[endpoint].n_families > 1 ||
	    expected_attempts(checker, endpoint).low <= checker->n_instances)
		return;
	error_at(checker, expectation, "no retry is allowed, but %" PRId64 " attempts are expected",
		 expected_attempts(checker, endpoint).low);
	loader_hint(checker->loader, "name what may be retried, for example [refused]");
}

void contradict_fallback(struct checker *checker, const struct expectation *expectation)
{
	const struct target *targets[] = {&expectation->value.fallback.from,
					  &expectation->value.fallback.to};

	contradict_time(checker, expectation);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (targets[i]->endpoint == ALL_ENDPOINTS ||
		    expected_attempts(checker, targets[i]->endpoint).high > 0)
			continue;
		error_at(checker, expectation, "a fallback is expected, but no attempt at %s is",
			 checker->scenario->endpoints[targets[i]->endpoint].name);
		loader_hint(checker->loader, "change one of them");
	}
}

void contradict_policy(struct checker *checker, const struct expectation *expectation)
{
	check_limit(checker, expectation);
	check_counts(checker, expectation);
	check_sum(checker, expectation);
}

void contradict_gives_up(struct checker *checker, const struct expectation *expectation)
{
	check_limit(checker, expectation);
	contradict_time(checker, expectation);
}

void contradict_total_backoff(struct checker *checker, const struct expectation *expectation)
{
	check_counts(checker, expectation);
	contradict_time(checker, expectation);
}

void contradict_connect_timeout(struct checker *checker, const struct expectation *expectation)
{
	contradict_time(checker, expectation);
	check_answers(checker, expectation);
}

void contradict_read_timeout(struct checker *checker, const struct expectation *expectation)
{
	contradict_time(checker, expectation);
	contradict_connections(checker, expectation);
}
