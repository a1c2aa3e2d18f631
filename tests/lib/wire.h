/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the injector on real packets are made of: a server's socket, an injector and its
 * loop in the test's own process, clients in children and memory that they share with it. The test
 * has entered a network namespace (netns.h), so that one name and one queue number do for all.
 *
 *     struct event_base *base = event_loop_new();
 *     struct injector *injector = wire_inject(&(struct injector_config){.base = base, …},
 *                                             &address, 1, "refuse x2, accept");
 *
 *     wire_wait(base, start_client(…));
 *     wire_end(injector, base);
 *
 * A missing capability ends the test.
 */
#ifndef SYNFAULT_TESTS_LIB_WIRE_H
#define SYNFAULT_TESTS_LIB_WIRE_H

#include <sys/types.h>

#include "common/strbuf.h"
#include "injector/injector.h"

#define WIRE_TABLE "synfault-test"
#define WIRE_QUEUE 7

/* Longer than anything takes: a wait for this long has failed. */
#define WIRE_PATIENCE_NS (60 * NS_PER_S)

/* Makes an address from its text; fails the test if it is invalid. */
struct address wire_address(const char *host, uint16_t port);
/* A socket that listens; closed with the process, or by the caller. */
int wire_listen(const struct address *address, int backlog);

/* Zeroed memory that children share; it is there as long as the test is. */
void *wire_share(size_t size);
/* Runs the loop until the child has ended, which must be with status 0. */
void wire_wait(struct event_base *base, pid_t client);

/*
 * A case of a test that runs again if something is wrong with it: on a busy machine, processes that
 * wait for each other are late.
 *
 *     for (struct wire_trials trials = {0}; wire_try(&trials);)
 *         wire_expect(&trials, error == 0, "%s", strerror(error));
 */
struct wire_trials {
	int n;
	struct strbuf problems; /* of the last one */
};

/* Returns whether to run the case, or to run it again; fails the test after too many. */
bool wire_try(struct wire_trials *trials);
void wire_note_problem(struct wire_trials *trials, const char *format, ...) PRINTF(2, 3);
#define wire_expect(trials, condition, ...)                                                        \
	do {                                                                                       \
		if (!(condition))                                                                  \
			wire_note_problem(trials, __VA_ARGS__);                                    \
	} while (0)
/* The same, where the condition says enough. */
#define wire_check(trials, condition) wire_expect(trials, condition, "%s", "not " #condition)

/* Steps joined by ", "; script_free() it. */
struct script wire_script(const char *text);
/*
 * An injector with one endpoint, of these addresses and with this script, on WIRE_TABLE and
 * WIRE_QUEUE; all else is as in @how. Where the kernel can't do it the test is skipped (netns.h).
 */
struct injector *wire_inject(const struct injector_config *how, const struct address *addresses,
			     size_t n_addresses, const char *script);
/* Lets it finish, and frees both. */
void wire_end(struct injector *injector, struct event_base *base);

#endif
