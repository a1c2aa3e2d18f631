/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The standard faults: see standard_faults.h. */
#include "runner/observe/standard_faults.h"

#include "common/duration.h"
#include "common/text.h"

enum item {
	ITEM_REFUSED,
	ITEM_REFUSED_ONCE,
	ITEM_REFUSED_THRICE,
	ITEM_NEVER_ANSWERED,
	ITEM_LATE,
	ITEM_UNREACHABLE,
	ITEM_RESET,
	ITEM_DEAD_FAMILY,
	ITEM_OUTAGE,
	N_ITEMS,
};

const struct standard_fault standard_faults[] = {
	[ITEM_REFUSED] = {"refused for ever", "does it retry, how often, and does it give up?",
			  "refuse"},
	[ITEM_REFUSED_ONCE] = {"refused once", "does the second attempt succeed?",
			       "refuse, accept"},
	[ITEM_REFUSED_THRICE] = {"refused three times", "does it retry often enough?",
				 "refuse x3, accept"},
	[ITEM_NEVER_ANSWERED] = {"never answered", "how long does it wait for an answer?", "drop"},
	[ITEM_LATE] = {"answered 500 ms late", "does it tolerate a slow network?", "delay 500ms"},
	[ITEM_UNREACHABLE] = {"host unreachable", "does it treat ICMP as final?",
			      "unreachable host"},
	[ITEM_RESET] = {"reset after accept", "does it repeat a request that may have been served?",
			"reset after accept", .needs_talk = true},
	[ITEM_DEAD_FAMILY] = {"IPv6 dead, IPv4 alive", "how soon does it try the other family?",
			      "{when: {family: ipv6}, do: drop}, accept", .dual = true},
	[ITEM_OUTAGE] = {"an outage of 2 s", "does it recover, and how soon?",
			 "down 2s from first-attempt, accept", .timed = true},
};
_Static_assert(ARRAY_SIZE(standard_faults) == N_ITEMS, "one entry per item");
const size_t n_standard_faults = ARRAY_SIZE(standard_faults);

bool standard_faults_begins_with_refusal(const struct standard_fault *item)
{
	return strncmp(item->faults, "refuse", strlen("refuse")) == 0;
}

/* All runs of all faults. */
struct summary {
	const struct observed *runs;
	size_t n_runs;
	const bool *seen;
	struct strbuf *out;
};

static const struct observed *runs_of(const struct summary *summary, enum item item)
{
	return &summary->runs[(size_t)item * summary->n_runs];
}

static void add(const struct summary *summary, const char *label, const char *text)
{
	strbuf_printf(summary->out, "  %-17s%s\n", label, text);
}

/* Adds the faults that were followed by another attempt (@retried), or by none. */
static void add_faults(const struct summary *summary, bool retried, const char *label)
{
	static const struct {
		enum item item;
		const char *name;
	} faults[] = {
		{ITEM_REFUSED, "refused"},
		{ITEM_NEVER_ANSWERED, "never answered"},
		{ITEM_UNREACHABLE, "host unreachable"},
		{ITEM_RESET, "reset after accept"},
	};
	AUTO_STRBUF struct strbuf list = {0};

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct observed *runs = runs_of(summary, faults[i].item);
		size_t n = 0, n_tried = 0;

		if (!summary->seen[faults[i].item])
			continue;
		for (size_t k = 0; k < summary->n_runs; k++) {
			/* A client still in its first attempt when time ran out shows nothing. */
			n_tried += runs[k].n_attempts > 1 ||
				   (runs[k].n_attempts == 1 && runs[k].ended);
			n += runs[k].n_attempts > 1;
		}
		if (n_tried > 0 && (n > 0) == retried)
			strbuf_printf(&list, "%s%s", list.length ? ", " : "", faults[i].name);
	}
	if (list.length)
		add(summary, label, strbuf_text(&list));
}

static bool was_still_running(const struct observed *run)
{
	return !run->ended;
}

static bool left_processes(const struct observed *run)
{
	return run->n_after_exit > 0;
}

/* Adds the faults under which any run @did that, and what it means. */
static void add_where(const struct summary *summary, bool (*did)(const struct observed *run),
		      const char *label, const char *meaning)
{
	AUTO_STRBUF struct strbuf list = {0};

	for (size_t item = 0; item < N_ITEMS; item++) {
		bool any = false;

		for (size_t i = 0; summary->seen[item] && i < summary->n_runs; i++)
			any |= did(&runs_of(summary, (enum item)item)[i]);
		if (any)
			strbuf_printf(&list, "%s%s", list.length ? ", " : "",
				      standard_faults[item].name);
	}
	if (list.length == 0)
		return;
	strbuf_printf(&list, ": %s", meaning);
	add(summary, label, strbuf_text(&list));
}

static void add_gives_up(const struct summary *summary)
{
	const struct observed *runs = runs_of(summary, ITEM_REFUSED);
	size_t low = SIZE_MAX, high = 0;
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; summary->seen[ITEM_REFUSED] && i < summary->n_runs; i++) {
		/* What it leaves behind may go on after the end of its watch. */
		if (!runs[i].ended || runs[i].n_after_exit > 0)
			return;
		low = MIN(low, runs[i].n_attempts);
		high = MAX(high, runs[i].n_attempts);
	}
	if (high == 0)
		return;
	text = low == high ? xasprintf("after %zu attempt%s", low, PLURAL(low))
			   : xasprintf("after %zu .. %zu attempts", low, high);
	add(summary, "gives up", text);
}

static void add_policy(const struct summary *summary)
{
	struct fit fit;

	if (!summary->seen[ITEM_REFUSED])
		return;
	fit = observed_fit(runs_of(summary, ITEM_REFUSED), summary->n_runs);
	if (fit.found)
		add(summary, "backoff", fit.text);
	fit_free(&fit);
}

static void add_connect_timeout(const struct summary *summary)
{
	const struct observed *runs = runs_of(summary, ITEM_NEVER_ANSWERED);
	char duration[DURATION_TEXT_SIZE], shortest[DURATION_TEXT_SIZE];
	int64_t shortest_ns = INT64_MAX, longest_ns = 0, open_ns, kernel_ns;
	AUTO_FREE char *text = NULL;

	if (!summary->seen[ITEM_NEVER_ANSWERED])
		return;
	for (size_t i = 0; i < summary->n_runs; i++) {
		if (runs[i].n_abandoned > 0)
			shortest_ns = MIN(shortest_ns, runs[i].shortest_ns);
		longest_ns = MAX(longest_ns, runs[i].longest_ns);
	}
	open_ns = observed_longest_open(runs, summary->n_runs);
	kernel_ns = observed_longest_timed_out(runs, summary->n_runs);
	if (longest_ns > 0 && times_are_alike(shortest_ns, longest_ns))
		text = xstrdup(duration_format(longest_ns, duration));
	else if (longest_ns > 0)
		text = xasprintf("%s .. %s", duration_format(shortest_ns, shortest),
				 duration_format(longest_ns, duration));
	else if (kernel_ns >= 0)
		text = xasprintf("until the kernel ends it, after %s",
				 duration_format(kernel_ns, duration));
	else if (open_ns >= 0)
		text = xasprintf("more than %s", duration_format(open_ns, duration));
	if (text)
		add(summary, "connect-timeout", text);
}

static void add_fallback(const struct summary *summary)
{
	const struct observed *runs = runs_of(summary, ITEM_DEAD_FAMILY);
	char duration[DURATION_TEXT_SIZE];
	AUTO_FREE char *text = NULL;
	int64_t longest_ns = -1;
	bool ipv6 = false, tried = false;

	if (!summary->seen[ITEM_DEAD_FAMILY])
		return;
	for (size_t i = 0; i < summary->n_runs; i++) {
		longest_ns = MAX(longest_ns, runs[i].fallback_ns);
		ipv6 |= runs[i].n_by_family[FAMILY_IPV6] > 0;
		tried |= runs[i].n_attempts > 0;
	}
	if (!tried)
		return;
	if (longest_ns >= 0)
		text = xasprintf("to the other family after %s",
				 duration_format(longest_ns, duration));
	else
		text = xstrdup(ipv6 ? "none: it did not try the other family"
				    : "not needed: it did not try IPv6");
	add(summary, "fallback", text);
}

void standard_faults_summary(const struct observed *runs, size_t n_runs, const bool *seen,
			     struct strbuf *out)
{
	const struct summary summary = {runs, n_runs, seen, out};

	add_faults(&summary, true, "retries");
	add_faults(&summary, false, "no retry");
	add_policy(&summary);
	add_gives_up(&summary);
	add_connect_timeout(&summary);
	add_fallback(&summary);
	add_where(&summary, was_still_running, "unknown",
		  "the client was still running when its time ran out");
	add_where(&summary, left_processes, "left behind",
		  "processes that went on connecting after the client's end");
}
