/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See attempt_view.h. */
#include "runner/report/attempt_view.h"

#include <sys/wait.h>

#include "common/signal_names.h"
#include "injector/step_text.h"

const char *attempt_endpoint_name(const struct record *record, uint32_t endpoint)
{
	return endpoint < record->n_endpoints ? record->endpoints[endpoint].name : "?";
}

bool attempt_has_choice(const struct record *record)
{
	for (size_t i = 0; i < record->n_endpoints; i++)
		if (record->endpoints[i].n_addresses > 1)
			return true;
	return false;
}

void attempt_add_target(const struct record *record, uint32_t id, struct strbuf *out)
{
	const struct record_attempt *attempt = &record->attempts[id];
	const struct record_endpoint *endpoint;
	char text[ADDRESS_TEXT_SIZE];
	bool same_port = true;

	if (attempt->endpoint >= record->n_endpoints)
		return;
	endpoint = &record->endpoints[attempt->endpoint];
	if (endpoint->n_addresses <= 1)
		return;
	for (size_t i = 0; i < endpoint->n_addresses; i++)
		same_port = same_port && endpoint->addresses[i].port == attempt->server.port;
	strbuf_puts(out, same_port ? address_format_host(&attempt->server, text)
				   : address_format(&attempt->server, text));
}

void attempt_add_instance(const struct record_attempt *attempt, struct strbuf *out)
{
	if (attempt->instance == INSTANCE_UNKNOWN)
		strbuf_putc(out, '?');
	else
		strbuf_printf(out, "%u", attempt->instance + 1);
}

void attempt_add_fault(const struct scenario *scenario, const struct record *record, uint32_t id,
		       struct strbuf *out)
{
	const struct record_attempt *attempt = &record->attempts[id];
	const struct step *step = scenario_step(scenario, attempt->endpoint, attempt->step);
	char buffer[DURATION_TEXT_SIZE];
	struct step once;

	if (!step) {
		strbuf_printf(out, "step %u", attempt->step + 1);
		return;
	}
	/* The script has repetition, condition and range of delay; this is the result. */
	if (step->action == STEP_DELAY) {
		strbuf_printf(out, "delay %s", duration_format(attempt->delay_ns, buffer));
		step_format_then(step, out);
		return;
	}
	once = *step;
	once.repeat = 1;
	once.repeat_explicit = false;
	once.when = (struct condition){0};
	once.ending = STEP_ENDS_NONE;
	step_format(&once, out);
}

const char *attempt_end_words(enum attempt_end end)
{
	static const char *const words[] = {
		[END_REFUSED] = "refused",         [END_ESTABLISHED] = "connected",
		[END_ABANDONED] = "gave up",       [END_REJECTED] = "no listener",
		[END_UNREACHABLE] = "unreachable", [END_TIMED_OUT] = "timed out by the kernel",
		[END_OPEN] = "still open",
	};

	_Static_assert(ARRAY_SIZE(words) == END_N_KINDS, "one wording per end");
	return words[end];
}

const char *attempt_verdict_words(enum verdict_kind verdict)
{
	static const char *const words[] = {
		[VERDICT_ACCEPT] = "let through",
		[VERDICT_REFUSE] = "refused",
		[VERDICT_DROP] = "dropped",
		[VERDICT_UNREACHABLE] = "answered with ICMP",
	};

	_Static_assert(ARRAY_SIZE(words) == VERDICT_N_KINDS, "one wording per verdict");
	return words[verdict];
}

const char *attempt_fault_words(enum fault_kind fault)
{
	static const char *const words[] = {
		[FAULT_SYN_ACK_LOST] = "SYN-ACK lost",
		[FAULT_STALLED] = "stalled",
		[FAULT_RESET] = "reset",
		[FAULT_CLOSED] = "closed",
		[FAULT_SLOWED] = "slowed",
		[FAULT_HEALED] = "healed",
		[FAULT_PACKET_LOST] = "packet lost",
		[FAULT_DELAYED] = "delayed",
	};

	_Static_assert(ARRAY_SIZE(words) == FAULT_N_KINDS, "one wording per fault");
	return words[fault];
}

/* Returns the fault that broke an established connection, or at least stalled it; or N_KINDS. */
static enum fault_kind broken_by(const struct attempt_history *attempt)
{
	static const enum fault_kind faults[] = {FAULT_RESET, FAULT_CLOSED, FAULT_STALLED};

	for (size_t i = 0; attempt->end == END_ESTABLISHED && i < ARRAY_SIZE(faults); i++)
		if (attempt_had_fault(attempt, faults[i]))
			return faults[i];
	return FAULT_N_KINDS;
}

static const char *broken_words(const struct attempt_history *attempt, enum fault_kind fault)
{
	if (fault == FAULT_N_KINDS)
		return NULL;
	if (fault == FAULT_STALLED && attempt_had_fault(attempt, FAULT_HEALED) &&
	    !attempt_is_stalled(attempt))
		return "stalled, then healed";
	return attempt_fault_words(fault);
}

void attempt_add_end(const struct attempt_history *attempt, bool brief, struct strbuf *out)
{
	const enum fault_kind fault = broken_by(attempt);
	const char *broken = broken_words(attempt, fault);
	char buffer[DURATION_TEXT_SIZE];

	strbuf_puts(out, attempt_end_words(attempt->end));
	if (attempt->end == END_OPEN || attempt->end == END_REJECTED)
		return;
	/* If there is little room, how a connection ended matters more than how soon it began. */
	if (!broken || !brief)
		strbuf_printf(out, "%s%s", brief ? " +" : " after ",
			      duration_format(attempt->ended_ns - attempt->started_ns, buffer));
	if (broken)
		strbuf_printf(out, "%s%s", brief ? ", " : ", then ", broken);
	if (broken && !attempt_had_own_fault(attempt, fault))
		strbuf_printf(out, " by step %u", attempt_outage(attempt));
}

char *attempt_backoff_text(const struct backoff_view *backoff)
{
	const char *what = backoff->start_to_start ? "attempt delay" : "backoff";
	char length[DURATION_TEXT_SIZE], low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	if (!backoff->there)
		return NULL;
	if (backoff->open)
		return xasprintf("no backoff: attempt %u was still open", backoff->previous + 1);
	duration_format(backoff->length_ns, length);
	if (!backoff->judged)
		return xasprintf("%s %s", what, length);
	if (backoff->miss_ns)
		return xasprintf(
			"%s %s, %s too %s", what, length,
			duration_format(backoff->miss_ns < 0 ? -backoff->miss_ns : backoff->miss_ns,
					low),
			backoff->miss_ns < 0 ? "short" : "long");
	if (backoff->allowed.high >= INT64_MAX / 2)
		return xasprintf("%s %s, allowed from %s", what, length,
				 duration_format(backoff->allowed.low, low));
	return xasprintf("%s %s, allowed %s .. %s", what, length,
			 duration_format(backoff->allowed.low, low),
			 duration_format(backoff->allowed.high, high));
}

void attempt_add_wait_status(int wait_status, struct strbuf *out)
{
	const char *name;
	int number;

	if (!WIFSIGNALED(wait_status)) {
		strbuf_printf(out, "exit %d", WEXITSTATUS(wait_status));
		return;
	}
	number = WTERMSIG(wait_status);
	name = signal_name(number);
	if (name)
		strbuf_printf(out, "killed by SIG%s", name);
	else
		strbuf_printf(out, "killed by signal %d", number);
}
