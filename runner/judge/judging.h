/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of judgement share: the record's attempts, and findings sorted by what they mean
 * for the outcome. Each part looks at one side of a record and adds what it finds; judge.c decides.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_JUDGING_H
#define SYNFAULT_RUNNER_JUDGE_JUDGING_H

#include "injector/step_select.h"
#include "runner/judge/judge.h"

/* In the order of precedence: the first that holds a finding gives the outcome. */
enum weight {
	WEIGHT_HARNESS,   /* the record itself can't be trusted: error */
	WEIGHT_FAILED,    /* the client broke an expectation: fail */
	WEIGHT_LAG,       /* it seems so, but our own lag could have caused it: error */
	WEIGHT_UNDECIDED, /* an expectation that can't be judged: error */
	WEIGHT_UNFIRED,   /* a fault that had to fire did not: error */
	N_WEIGHTS,
};

struct finding_list {
	struct finding *items;
	size_t n_items, capacity;
};

/* The attempts of one instance of the client, in the order of their first SYNs. */
struct attempt_group {
	uint32_t instance;
	const struct attempt_history **attempts; /* borrowed from the groups */
	size_t n_attempts;
	int64_t note_lag_ns; /* their ends may have been noted so much later than they were */
};
struct attempt_groups {
	size_t endpoint;              /* index, or ALL_ENDPOINTS */
	struct attempt_group *groups; /* one per instance, in their order */
	size_t n_groups;
	const struct attempt_history **attempts; /* owned */
	size_t n_unknown; /* attempts that can't be traced to an instance, and are in no group */
};

struct judging {
	const struct scenario *scenario;
	const struct record *record;
	struct history history;
	/* judging_groups(): by endpoint, then those of all; made when first looked at, or NULL */
	struct attempt_groups *groups;
	double timing_scale;
	int64_t harness_lag_ns, client_lag_ns; /* never negative */
	/*
	 * The client was ended at its timeout, and might have come to its end on a machine that is
	 * not so slow: what it did and did not do until then says nothing.
	 */
	bool cut_short_by_lag;
	/* The first answer that came too late, in words: nor does what came after it. Or NULL. */
	char *overdue;
	bool overdue_sought;
	bool timed_out;
	struct finding_list findings[N_WEIGHTS];
	struct assessment *assessments; /* as many as the scenario has expectations */
};

/*
 * What a finding is made of; the texts are owned by it (each may be NULL). Without a message it
 * becomes "SUBJECT: expected EXPECTED, got ACTUAL, MISS", what is NULL left out.
 */
struct finding_parts {
	const char *type;                      /* copied; NULL: the expectation's key */
	const struct expectation *expectation; /* gives the place, too; or NULL */
	struct place place;                    /* without an expectation */
	char *subject, *expected, *actual, *miss, *message;
	char *looks_like; /* see struct finding */
	bool has_attempt;
	uint32_t attempt; /* id of the first attempt that broke the rule */
};
void judging_add(struct judging *judging, enum weight weight, const struct finding_parts *parts);

/*
 * measurements.c: what is measured for an expectation, met or not. Each part says it once it knows;
 * what is said last, counts. An expectation of which nothing is said shows what its first finding
 * says.
 */
struct measured {
	char *expected, *actual; /* owned by the assessment then */
	/* Where to see it when it was met. */
	const struct attempt_history *attempt; /* or NULL */
	const struct event *event;             /* of the record, or NULL */
};
void judging_measured(struct judging *judging, const struct expectation *expectation,
		      const struct measured *measured);
void judging_assessments_make(struct judging *judging);
/* gives the judgement its assessments; the findings are in their order then. */
void judging_assessments_finish(struct judging *judging, struct judgement *judgement);

/* Times of which the shortest and the longest are shown: of many waits, of many instances. */
struct time_span {
	int64_t shortest_ns, longest_ns;
	size_t n_times;
	const struct attempt_history *attempt; /* of the last one, or NULL */
};
void time_span_add(struct time_span *span, int64_t time_ns, const struct attempt_history *attempt);
/* "2.00 s", "3, of 1.98 s to 2.02 s", "none"; owned by the caller. */
char *time_span_text(const struct time_span *span);

/*
 * Whether lag can explain a time that is off by @miss_ns (too short when negative). A lag of ours
 * makes waits longer (a verdict comes late, so does what follows) or shorter (the end of an attempt
 * is noticed late); the client's lack of a processor only makes them longer.
 */
bool judging_lag_explains(const struct judging *judging, int64_t miss_ns);
/* Adds a finding about a time; when lag can explain it, it goes to WEIGHT_LAG and says so. */
void judging_add_time(struct judging *judging, const struct finding_parts *parts, int64_t miss_ns);

/* "exit status", of one of several instances of the client "exit status of instance 3". */
char *judging_instance_subject(const struct judging *judging, const char *what, uint32_t instance);

/* "attempts at api", or "attempts" for all endpoints; owned by the caller. */
char *judging_subject(const struct judging *judging, const char *what, size_t endpoint);

/*
 * We learn when an RST went out only after the kernel has sent it, and of a socket's death only
 * when all processors have passed a quiescent state since, which takes a busy kernel some
 * milliseconds. A client that tries again at once can have its next SYN on the wire before: that
 * much below zero is no overlap of attempts, and no leak. Where this process was late, it is more;
 * but of a run that was late throughout nobody can tell what came first: no more than for a death.
 */
#define INSTANT_NS NS_PER_MS
#define DEATH_NS   (50 * NS_PER_MS)
/* By how much the end of an attempt may have been noted too late, this process's own lag apart. */
int64_t attempt_note_slack_ns(const struct attempt_history *attempt);

/* per_instance.c: the attempts of each instance at one endpoint, or at all. Linear in their number.
 */
struct attempt_groups attempt_groups_make(const struct history *history, size_t endpoint);
void attempt_groups_free(struct attempt_groups *groups);
/*
 * Those that an expectation is about, borrowed; adds a finding (undecided) about those of unknown
 * instances.
 */
const struct attempt_groups *judging_groups(struct judging *judging,
					    const struct expectation *expectation);
void judging_free_groups(struct judging *judging);
/* "backoff 2 at api", of one of several instances "backoff 2 at api of instance 3". */
char *judging_group_subject(const struct judging *judging, const char *what, size_t endpoint,
			    const struct attempt_group *group);
/*
 * The wait (or interval) between a group's attempts @k - 1 and @k. Returns false when there was
 * none, since the first was still open.
 */
bool attempt_wait(const struct attempt_group *group, size_t k, bool interval, int64_t *ret_ns);
/* "backoff looks like fixed, 2.00 s" (fit.h); owned by the caller; NULL: too few to tell. */
char *judging_fit(const struct judging *judging, size_t endpoint, bool intervals);

/* What became of an attempt, for a client that has to decide whether to try again. */
enum ending attempt_ending(const struct attempt_history *attempt);
/* How many addresses all endpoints have; which of them, from 0, an attempt was made to. */
size_t judging_n_addresses(const struct record *record);
size_t judging_address(const struct record *record, uint32_t id);

/* A client in an endless loop breaks a rule a million times: it is shown so many. */
#define MAX_ALIKE_FINDINGS 10

/* What a time is to be, with and without tolerance. */
struct time_bounds {
	struct range exact;
	struct tolerance tolerance;
	double scale;
};
/*
 * What is allowed for wait (or interval) number @k, from 1: the one between the group's attempts k
 * and k + 1. Both bounds are -1 beyond the end of a list. *@ret_plain: it is so by the policy's
 * figures alone, not by how long an attempt took. The one there would be if the client had tried
 * once more can be asked for, too.
 */
struct time_bounds attempt_wait_bounds(const struct expectation *expectation,
				       const struct attempt_group *group, size_t k, double scale,
				       bool *ret_plain);
/* Of an expectation's range: one value has tolerance, a range is taken as written. */
struct time_bounds judging_bounds(const struct judging *judging,
				  const struct expectation *expectation);
/* By how much a time misses them: negative when too short, 0 when inside. */
int64_t time_miss(const struct time_bounds *bounds, int64_t time_ns);
/* These texts are owned by the caller: "2.00 s", "780 ms too short", "2.00 s ± 200 ms". */
char *time_text(int64_t time_ns);
char *miss_text(int64_t miss_ns);
char *bounds_text(const struct time_bounds *bounds);

/* The expected range of counts: "5", "3 .. 5", "at least 3", "at most 5"; owned by the caller. */
char *count_range_text(struct range range);

/*
 * Which steps should have served the attempts: the script's own account, from what the record says
 * of them. All attempts are to be gone through in their order.
 */
struct replay {
	const struct judging *judging;
	struct step_select *endpoints; /* as many as the scenario has */
};
void replay_init(struct replay *replay, const struct judging *judging);
/*
 * The next attempt, of an endpoint that is there. Returns false when its address is none of the
 * endpoint's, and when its SYN is not in the record.
 */
bool replay_next(struct replay *replay, uint32_t id, struct step_select_choice *ret);
void replay_deinit(struct replay *replay);
/* The list of the script that an attempt's address has, or UINT32_MAX. */
uint32_t replay_list(const struct judging *judging, uint32_t id);

/* consistency.c: is the record one that a working harness can have written? */
void judge_consistency(struct judging *judging);
/* counts.c: exit status, attempts, retransmissions */
void judge_exit(struct judging *judging, const struct expectation *expectation);
void judge_attempts(struct judging *judging, const struct expectation *expectation);
void judge_retransmissions(struct judging *judging, const struct expectation *expectation);
/*
 * Holds a count against the range; @attempt is the one in which the count went beyond its upper
 * end, if it did; @last the last one that counts, or NULL. @miss_ns: what would have had to be so
 * much shorter for the count to be within the range, so that lag may explain it; 0: nothing.
 */
void judge_count(struct judging *judging, const struct expectation *expectation, int64_t count,
		 uint32_t attempt, const struct attempt_history *last, int64_t miss_ns);
/* connections.c: connections, what they carried, and how they ended */
void judge_connected(struct judging *judging, const struct expectation *expectation);
void judge_bytes(struct judging *judging, const struct expectation *expectation);
void judge_ended(struct judging *judging, const struct expectation *expectation);
enum connection_end connection_end_of(const struct attempt_history *attempt);
/* backoff.c: duration, waits, intervals */
void judge_duration(struct judging *judging, const struct expectation *expectation);
void judge_backoff(struct judging *judging, const struct expectation *expectation);
/* text.c: stdout and stderr */
void judge_text(struct judging *judging, const struct expectation *expectation);
/* socket_lifetime.c: how long sockets are open, how many at once, and which are left */
void judge_connect_timeout(struct judging *judging, const struct expectation *expectation);
void judge_concurrent_attempts(struct judging *judging, const struct expectation *expectation);
void judge_leaks(struct judging *judging, const struct expectation *expectation);
/* retry_sequence.c: which attempt follows which */
void judge_gives_up(struct judging *judging, const struct expectation *expectation);
void judge_order(struct judging *judging, const struct expectation *expectation);
void judge_fallback(struct judging *judging, const struct expectation *expectation);
void judge_retry_on(struct judging *judging, const struct expectation *expectation);
void judge_total_backoff(struct judging *judging, const struct expectation *expectation);
/* herd.c */
void judge_herd(struct judging *judging, const struct expectation *expectation);
/* fault_coverage.c: did every fault fire that had to? */
void judge_fired(struct judging *judging);

#endif
