/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How sandboxes are kept apart, from each other and from all else: in namespaces of their own, or
 * by addresses of their own in the namespaces that the program was given (shared_sandbox.h). What
 * can be had is found out by doing it.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_ISOLATION_H
#define SYNFAULT_RUNNER_SANDBOX_ISOLATION_H

#include "injector/nft_rules.h"
#include "runner/sandbox/sysctl.h"
#include "runner/scenario/scenario.h"

enum isolation_mode {
	ISOLATION_AUTO, /* private where that can be had, else shared */
	ISOLATION_PRIVATE,
	ISOLATION_SHARED,
	ISOLATION_N_MODES,
};

/* "auto", "private", "shared". */
const char *isolation_mode_name(enum isolation_mode mode);

struct isolation {
	enum isolation_mode mode; /* PRIVATE or SHARED */
	enum nft_rules_queue_form queue_form;
	struct sysctls fresh; /* PRIVATE: what a new namespace starts with */
	char *no_private;     /* SHARED, where AUTO was wanted: why not private; else NULL */
	char *no_ipv6;        /* SHARED: why no IPv6 address can be added; NULL: it can */
	int space;            /* the run's place among others (netns_tables.h); -1: it has none */
	/* PRIVATE: why there is no shared sandbox for a scenario that needs one; NULL: there is. */
	char *no_shared;
};

/*
 * Tries out what @wanted asks for. Returns 0 and writes @ret (isolation_free()), or a negative
 * errno with *@ret_message (owned by the caller): what is missing and what gives it.
 */
int isolation_probe(enum isolation_mode wanted, struct isolation *ret, char **ret_message);
/*
 * A private one that is to have shared sandboxes too, for scenarios with endpoints that others
 * provide: a private sandbox has no route to them.
 */
void isolation_add_shared(struct isolation *isolation);
/* Whether the scenario gets a shared sandbox. */
bool isolation_is_shared(const struct isolation *isolation, const struct scenario *scenario);
/**
 * isolation_note() - describe an isolation that is not private
 *
 * Return: "shared isolation", and why not private; the caller's. NULL: it is private.
 */
char *isolation_note(const struct isolation *isolation);
/* After the last scenario: what was shared is given back. */
void isolation_free(struct isolation *isolation);

/* Why a scenario can't run with this isolation, owned by the caller; NULL: it can. */
char *isolation_obstacle(const struct isolation *isolation, const struct scenario *scenario);

#endif
