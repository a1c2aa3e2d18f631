/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How sandboxes are kept apart from each other and from everything else: by namespaces of their
 * own, or by addresses of their own in the given namespaces (shared_sandbox.h). Which of them a
 * machine allows is found out by trying.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_ISOLATION_H
#define SYNFAULT_RUNNER_SANDBOX_ISOLATION_H

#include "injector/nft_rules.h"
#include "runner/sandbox/sysctl.h"
#include "runner/scenario/scenario.h"

enum isolation_mode {
	ISOLATION_AUTO, /* private if available, otherwise shared */
	ISOLATION_PRIVATE,
	ISOLATION_SHARED,
	ISOLATION_N_MODES,
};

/** isolation_mode_name() - return "auto", "private" or "shared" */
const char *isolation_mode_name(enum isolation_mode mode);

struct isolation {
	enum isolation_mode mode; /* PRIVATE or SHARED */
	enum nft_rules_queue_form queue_form;
	struct sysctls settings; /* PRIVATE: those of the host that a new namespace lacks */
	char *no_private;        /* SHARED, when AUTO was wanted: why not private; else NULL */
	char *no_ipv6;           /* SHARED: why no IPv6 address can be added; NULL: it can */
	int space;               /* the run's claim among other runs (netns_tables.h); -1: none */
	/* PRIVATE: why a scenario that needs a shared sandbox gets none; NULL: it gets one. */
	char *no_shared;
};

/**
 * isolation_probe() - find out by trying which isolation this machine allows
 * @ret: on success; free it with isolation_free()
 * @ret_message: on failure one sentence that says what is missing and how to get it; the caller's
 *
 * Return: 0 or a negative errno. -EINTR: the probe was killed, or the machine is short of
 * processes, memory or descriptors; that says nothing about what it allows.
 */
int isolation_probe(enum isolation_mode wanted, struct isolation *ret, char **ret_message);
/**
 * isolation_add_shared() - prepare a private isolation for shared sandboxes, too
 *
 * Scenarios with remote endpoints need one: a private sandbox has no route to them. On failure
 * no_shared says why.
 */
void isolation_add_shared(struct isolation *isolation);
/** isolation_is_shared() - return whether the scenario gets a shared sandbox */
bool isolation_is_shared(const struct isolation *isolation, const struct scenario *scenario);
/**
 * isolation_note() - describe an isolation that is not private
 *
 * Return: "shared isolation", and why not private; the caller's. NULL: it is private.
 */
char *isolation_note(const struct isolation *isolation);
/** isolation_free() - give back what was shared; call it after the last scenario */
void isolation_free(struct isolation *isolation);

/**
 * isolation_obstacle() - say why a scenario can't run with this isolation
 *
 * Return: one sentence, owned by the caller; NULL: it can run.
 */
char *isolation_obstacle(const struct isolation *isolation, const struct scenario *scenario);

#endif
