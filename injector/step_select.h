/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selects the step of a script that serves an attempt. Pure: the choice depends on the script, on
 * the earlier attempts at the same endpoint, and on the facts about this one.
 *
 * Theory of operation
 * -------------------
 * Steps with a condition come first, in their order: the first one that holds takes the attempt.
 * With "xN" it takes at most N attempts. The other steps serve, in turn, the attempts that no
 * condition takes; the last of them has no end. Only these attempts count there: [{when: {attempt:
 * 2}, do: drop}, refuse x2, accept] refuses the first and the third.
 *
 * A script can have several lists, each for some of the endpoint's addresses (struct step.list).
 * They are independent: each counts the attempts at its own addresses.
 *
 * A chance depends only on (seed, endpoint, list, number of the attempt in the list, step): other
 * endpoints and timing can't change it.
 */
#ifndef SYNFAULT_INJECTOR_STEP_SELECT_H
#define SYNFAULT_INJECTOR_STEP_SELECT_H

#include "injector/script.h"

/* What a step has done so far. */
struct step_select_state {
	uint32_t due;   /* attempts for which all parts of its condition but the chance held */
	uint32_t taken; /* attempts that it took */
};

/* The progress of an endpoint's attempts in its script. */
struct step_select {
	const struct script *script; /* borrowed */
	uint64_t seed;
	uint32_t endpoint;
	struct step_select_state *steps; /* one for each step; NULL: see .plain */
	uint32_t *lists;                 /* by list: attempts so far */
	bool began;                      /* there was an attempt at the endpoint, and: */
	int64_t first_ns;                /* from the client's start to its first SYN */
	bool commanded;                  /* there was a command, and: */
	int64_t command_ns;              /* from the client's start to the last one */
	int64_t command_lasts_ns;
	/* A script without conditions and with one list needs only what follows. */
	bool plain;
	uint32_t n_attempts;
	uint32_t step;     /* the step that served the last attempt */
	uint64_t step_end; /* the last attempt that this step serves */
};

/**
 * step_select_init() - start at the first attempt
 * @script: borrowed, with at least one step
 */
void step_select_init(struct step_select *progress, const struct script *script, uint32_t endpoint,
		      uint64_t seed);
/** step_select_deinit() - free the progress */
void step_select_deinit(struct step_select *progress);

/**
 * step_select_command() - note a command to begin an outage
 * @since_start_ns: from the client's start
 * @lasts_ns: how long it lasts; 0: as its step says
 */
void step_select_command(struct step_select *progress, int64_t since_start_ns, int64_t lasts_ns);

/**
 * step_select_note() - note an attempt at the endpoint, which need not be one for the script
 *
 * Windows can count from the first one.
 */
void step_select_note(struct step_select *progress, int64_t since_start_ns);

struct step_select_choice {
	uint32_t step;    /* index into the script */
	int64_t delay_ns; /* drawn for the attempt; 0 unless its step delays */
};

/**
 * step_select_next() - select the step of the next attempt
 * @list: of the attempt's address
 * @family: as in struct condition_facts
 * @since_start_ns: likewise
 */
struct step_select_choice step_select_next(struct step_select *progress, uint32_t list,
					   uint16_t family, int64_t since_start_ns);

#endif
