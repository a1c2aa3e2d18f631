/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario as the rest of the runner sees it: endpoints with fault scripts, a client, and what is
 * expected of it. The loader (load.h) makes it from a document, or from a row of its matrix.
 * Nothing changes it afterwards.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SCENARIO_H
#define SYNFAULT_RUNNER_SCENARIO_SCENARIO_H

#include "common/diag.h"
#include "common/duration.h"
#include "injector/address.h"
#include "injector/script.h"
#include "runner/scenario/expectation_kinds.h"

enum family {
	FAMILY_IPV4,
	FAMILY_IPV6,
	N_FAMILIES,
};
/** family_name() - return the family as a word: "ipv4", "ipv6" */
const char *family_name(enum family family);
extern const char *const family_names[]; /* the same; ends with NULL */

enum serve_kind {
	SERVE_HTTP,    /* answers every request with 200 */
	SERVE_ECHO,    /* sends back what it receives */
	SERVE_ACCEPT,  /* accepts, reads, never answers */
	SERVE_NONE,    /* no server: the port is closed */
	SERVE_COMMAND, /* a program of the user's */
	SERVE_N_KINDS,
};

/* The most addresses of an endpoint. */
#define ENDPOINT_MAX_ADDRESSES 16

struct endpoint_spec {
	char *name;
	struct place place; /* of the name */
	/* Of its addresses, in the order in which they resolve; a family may occur again. */
	enum family families[ENDPOINT_MAX_ADDRESSES];
	size_t n_families; /* at least 1 */
	/* Addresses that the file names (private isolation), without ports; family 0: any. */
	struct address literals[ENDPOINT_MAX_ADDRESSES];
	/* By address: the list of the script that applies to it. */
	uint32_t lists[ENDPOINT_MAX_ADDRESSES];
	/*
	 * Where its addresses begin among those of the scenario, of either family: the k-th of a
	 * family has the number slot + k. See scenario_set_slots().
	 */
	uint32_t slot;
	/*
	 * The host of an existing server: a name or an address. n_families is then 0 unless the
	 * file restricts the families. NULL: synfault provides the endpoint.
	 */
	char *remote;
	uint16_t port;  /* 0: a free one */
	char *hostname; /* NULL: reached by its address */
	enum serve_kind serve;
	char **serve_command;   /* SERVE_COMMAND; holds ${…} */
	int64_t serve_ready_ns; /* SERVE_COMMAND: how long it may take until it listens */
	struct script script;
	struct place *step_places; /* one per step of the script */
};

/* A kernel setting for the scenario's own network namespace (sysctl_allowlist.h). */
struct kernel_spec {
	char *path; /* below /proc/sys */
	char *value;
	struct place place;
};

struct file_spec {
	char *name;    /* relative to ${tmp}, no ".." in it */
	char *content; /* holds ${…} */
	bool executable;
	struct place place;
};

struct env_spec {
	char *name;
	char *value; /* holds ${…} */
};

struct client_spec {
	char **command; /* holds ${…}; never empty */
	struct place place;
	struct env_spec *env;
	size_t n_env;
	struct file_spec *files;
	size_t n_files;
	char *stdin_text; /* holds ${…}; NULL: /dev/null */
	char *cwd;        /* relative to the scenario file's directory; NULL: synfault's own */
};

/* What the machine must have; without it the scenario is skipped. */
struct requirements_spec {
	char **programs; /* found in PATH; NULL: none */
	char **command;  /* must exit with status 0; holds ${…}; NULL: none */
};

/* A range of counts or of nanoseconds, both ends included. */
struct range {
	int64_t low, high; /* high INT64_MAX: no upper end */
};

/* How far a measured time may be off: absolute_ns + relative * expected. */
struct tolerance {
	int64_t absolute_ns;
	double relative;
};
#define TOLERANCE_DEFAULT ((struct tolerance){.absolute_ns = 100 * NS_PER_MS, .relative = 0.05})

enum jitter_kind {
	JITTER_NONE,
	JITTER_FULL,         /* anywhere in [0, wait] */
	JITTER_EQUAL,        /* anywhere in [wait / 2, wait] */
	JITTER_PERCENT,      /* wait ± percent */
	JITTER_DECORRELATED, /* anywhere in [base, factor * the previous wait], then the cap */
	JITTER_PLUS,         /* anywhere in [wait, wait + jitter_plus_ns] */
	JITTER_N_KINDS,
};

enum policy_kind {
	POLICY_FIXED,       /* every wait is base_ns */
	POLICY_LIST,        /* these waits, in this order, and no other */
	POLICY_EXPONENTIAL, /* min(cap, base * factor ^ (k - 1)) for wait k */
	POLICY_LINEAR,      /* min(cap, base + step * (k - 1)) for wait k */
	POLICY_RANGE,       /* every wait lies in [base_ns, cap_ns] */
	POLICY_N_KINDS,
};

/*
 * What successive waits should be: pauses ("backoff"), or times from start to start
 * ("attempt-delay"). Wait k (from 1) lies between attempt k and the next; with .per_round, between
 * round k and the next. With .resets_on_success, k starts again at 1 after an attempt that
 * connected.
 */
struct policy {
	enum policy_kind kind;
	int64_t base_ns;
	double factor;  /* exponential; at least 1 */
	int64_t cap_ns; /* exponential, linear; INT64_MAX: none */
	enum jitter_kind jitter;
	double jitter_percent;  /* 0 to 100 */
	int64_t jitter_plus_ns; /* JITTER_PLUS; more than 0 */
	struct range *list;     /* POLICY_LIST: a single duration is a range of one point */
	size_t n_list;
	int64_t step_ns;      /* linear */
	int64_t max_attempts; /* no attempt follows the one with this number; 0: no limit */
	bool first_at_once;   /* the first wait is 0, and the policy begins with the second */
	/*
	 * A round is a series of attempts at different addresses. It ends with the last attempt
	 * before an address is tried again. Within a round any pause is right. max_attempts counts
	 * rounds.
	 */
	bool per_round;
	bool resets_on_success; /* max_attempts starts again, too */
	/* What named policies need (policy.h). */
	const char *name;   /* static; NULL: it has none */
	bool first_plain;   /* the first wait may lack jitter */
	bool waits_for_end; /* an attempt that takes longer than its delay postpones the next */
	bool ends_early;    /* the next attempt may start as soon as the previous one has failed */
};

enum text_match_kind {
	TEXT_CONTAINS,
	TEXT_MATCHES, /* PCRE2 */
};

/* How an attempt ended as its client saw it. */
enum connection_end {
	ENDED_REFUSED,     /* before a connection: RST */
	ENDED_UNREACHABLE, /* ICMP */
	ENDED_UNANSWERED,  /* the client gave up waiting */
	ENDED_RESET,       /* connected, then RST */
	ENDED_CLOSED,      /* connected, and closed by either side */
	ENDED_STALLED,     /* connected, then nothing got through any more */
	ENDED_OPEN,        /* none of these until the end */
	ENDED_N_KINDS,
};
/** connection_end_name() - return the end as a word: "refused", "unreachable", … */
const char *connection_end_name(enum connection_end end);

/* EXPECT_EXIT, EXPECT_DURATION, …: see expectation_kinds.h. */
enum expectation_kind {
#define EXPECTATION_KIND(kind, ...) EXPECT_##kind,
	EXPECTATION_KINDS(EXPECTATION_KIND) EXPECT_N_KINDS,
#undef EXPECTATION_KIND
};
/** expectation_kind_name() - return the key in a scenario file: "exit", "attempts", "backoff", … */
const char *expectation_kind_name(enum expectation_kind kind);

#define ALL_ENDPOINTS SIZE_MAX

/* Where attempts are made: "api", "ipv6", "api.ipv6", "api.ipv6.2", "ipv6.2". */
struct target {
	size_t endpoint;    /* index, or ALL_ENDPOINTS */
	enum family family; /* N_FAMILIES: any */
	size_t ordinal;     /* of the address in the endpoint's family, from 1; 0: any */
};

/* How an attempt can end, for a client that decides whether to retry. */
enum ending {
	ENDING_REFUSED,     /* RST, or no process listens */
	ENDING_UNANSWERED,  /* the client gave up waiting */
	ENDING_UNREACHABLE, /* ICMP */
	ENDING_RESET,       /* connected, then RST */
	ENDING_CLOSED,      /* connected, then closed by a fault */
	ENDING_STALLED,     /* connected, then nothing more */
	ENDING_CONNECTED,   /* connected, and no fault */
	ENDING_N_KINDS,
};
/** ending_name() - return the ending as a word: "refused", "unanswered", … */
const char *ending_name(enum ending ending);
extern const char *const ending_names[]; /* the same; ends with NULL */

struct expectation {
	enum expectation_kind kind;
	struct place place; /* of its value */
	size_t endpoint;    /* that it is about: index, or ALL_ENDPOINTS */
	union expected_value {
		struct {
			int *codes; /* owned; any of them */
			size_t n_codes;
			bool nonzero; /* any but 0, and no signal */
			int signal;   /* > 0: ended by this signal */
		} exit;
		struct {
			struct range range; /* ns, or a count */
			bool exact; /* written as one value; a duration then has tolerance */
		} range;
		struct {
			struct range range; /* as in .range, which it shares */
			bool exact;
			int64_t within_ns; /* INT64_MAX: no limit */
		} reconnects;
		struct policy policy;
		struct {
			int64_t after_ns; /* after the first SYN; INT64_MAX: no limit */
			int64_t attempts; /* 0: no limit */
		} gives_up;
		struct {
			struct target *targets; /* owned */
			size_t n_targets;
			/*
			 * The last target is not tried before all the others have failed; it need
			 * not be tried at all.
			 */
			bool after_failure;
		} order;
		struct {
			struct target from, to;
			struct range within;
		} fallback;
		unsigned endings; /* EXPECT_RETRY_ON: a bit, 1 << ENDING_…, for each in the list */
		struct {
			int64_t max; /* attempts in any window */
			int64_t within_ns;
			bool retries; /* the first attempt of each instance does not count */
		} herd;
		struct {
			enum connection_end *ends; /* owned */
			size_t n_ends;
			bool each; /* the only end applies to every attempt; else one for each */
		} ended;
		struct {
			enum text_match_kind match;
			bool negated;
			char *text;
		} text;
	} value;
	struct tolerance tolerance; /* of all times; before --timing-scale */
};

/**
 * expectation_exit_matches() - compare a client's status with an expected exit
 * @expectation: of kind EXPECT_EXIT
 * @status: as from waitpid()
 *
 * Return: whether the client ended as expected.
 */
bool expectation_exit_matches(const struct expectation *expectation, int status);

/* By which clock a scenario runs (docs/time.md). */
enum time_mode {
	TIME_REAL,
	TIME_VIRTUAL, /* or not at all */
	TIME_AUTO,    /* virtual where that is possible; each failure is confirmed in real time */
	TIME_N_MODES,
};
/** time_mode_name() - return the mode as a word: "real", "virtual", "auto" */
const char *time_mode_name(enum time_mode mode);
extern const char *const time_mode_names[]; /* the same; ends with NULL */

struct scenario {
	char *path;         /* of the file, as given on the command line */
	char *name;         /* unique in its file; matrix values included */
	size_t index;       /* of the scenario in its file, from 0 */
	struct place place; /* of the document's name */
	char **tags;
	int64_t timeout_ns;
	enum time_mode time;
	/*
	 * The client runs until it is stopped: after this time it gets SIGTERM. What it did until
	 * then is judged. To be stopped is not a failure, and `exit` is judged only if given.
	 * 0: the client ends on its own.
	 */
	int64_t run_for_ns;
	/* How long the client and servers may take to end after SIGTERM before they get SIGKILL. */
	int64_t stop_timeout_ns;
	/* How long to watch processes that the client left behind: see
	 * scenario_leftover_timeout_ns().
	 */
	int64_t leftover_timeout_ns;
	bool has_leftover_timeout; /* the file gives it */
	struct endpoint_spec *endpoints;
	size_t n_endpoints;
	struct kernel_spec *kernel;
	size_t n_kernel;
	struct requirements_spec requirements; /* of the client's own command */
	struct client_spec client;
	uint32_t n_clients; /* instances that run side by side; 0 means 1 */
	uint32_t n_repeats; /* how many times they run, one after the other; 0 means 1 */
	struct expectation *expectations;
	size_t n_expectations;
};

/* The most address numbers, of either family, that the endpoints of a scenario can need. */
#define SCENARIO_MAX_SLOTS 4000

/** scenario_set_slots() - give each endpoint its slot; return the number of slots in use */
uint32_t scenario_set_slots(struct scenario *scenario);
/** scenario_n_slots() - return the number of slots that the endpoints use */
uint32_t scenario_n_slots(const struct scenario *scenario);

/** endpoint_count() - return how many addresses of the family the endpoint has */
size_t endpoint_count(const struct endpoint_spec *endpoint, enum family family);
/**
 * endpoint_address() - return the index of the endpoint's address number @ordinal (from 1) of the
 * family, or SIZE_MAX
 */
size_t endpoint_address(const struct endpoint_spec *endpoint, enum family family, size_t ordinal);
/**
 * endpoint_ordinal() - return the number of the address at @index among those of its family, from 1
 */
size_t endpoint_ordinal(const struct endpoint_spec *endpoint, size_t index);
/** endpoint_has_family() - return whether the endpoint has an address of the family */
bool endpoint_has_family(const struct endpoint_spec *endpoint, enum family family);
/** endpoint_has_literal() - return whether the file names one of the endpoint's addresses */
bool endpoint_has_literal(const struct endpoint_spec *endpoint);
/** scenario_has_remote() - return whether the scenario has a remote endpoint */
bool scenario_has_remote(const struct scenario *scenario);
/**
 * scenario_shares_remote() - return whether both scenarios have the same remote endpoint
 *
 * Then they can't run side by side.
 */
bool scenario_shares_remote(const struct scenario *scenario, const struct scenario *other);
/**
 * endpoint_list_has_family() - return whether a list of the endpoint's script applies to an address
 * of the family
 */
bool endpoint_list_has_family(const struct endpoint_spec *endpoint, uint32_t list,
			      enum family family);
/** scenario_n_clients() - return how many instances of the client run side by side */
uint32_t scenario_n_clients(const struct scenario *scenario);
/**
 * scenario_n_instances() - return how many instances of the client there are in all, with repeats
 */
uint32_t scenario_n_instances(const struct scenario *scenario);

#define LEFTOVER_TIMEOUT_DEFAULT_NS (1 * NS_PER_S)
/**
 * scenario_leftover_timeout_ns() - return how long to watch processes that the client left behind
 * before ending them: the value in the file, otherwise the default if "gives-up" or "leaks" is
 * expected, otherwise 0
 */
int64_t scenario_leftover_timeout_ns(const struct scenario *scenario);

/** scenario_endpoint() - find an endpoint by name; return its index, or SIZE_MAX */
size_t scenario_endpoint(const struct scenario *scenario, const char *name);
/**
 * scenario_step() - return a step of an endpoint's script; NULL if @scenario is NULL or has no such
 * step
 */
const struct step *scenario_step(const struct scenario *scenario, size_t endpoint, size_t step);

/** scenario_free() - free the scenario and everything in it; NULL is allowed */
void scenario_free(struct scenario *scenario);

#endif
