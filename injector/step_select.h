/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which step of a script serves an attempt. Pure: it goes by the script, by the attempts before at
 * the same endpoint, and by what is known of this one.
 *
 * Theory of operation
 * -------------------
 * Steps with a condition are looked at first, in their order, and the first whose condition holds
 * takes the attempt. With "xN" it takes N such attempts and no more. Attempts that no condition
 * took are served by the other steps, one after the other, the last of them without end; only these
 * attempts count there: [{when: {attempt: 2}, do: drop}, refuse x2, accept] refuses the first and
 * the third.
 *
 * A script can hold several lists, each for some of the endpoint's addresses (struct step.list).
 * They know nothing of each other: each counts the attempts at its own addresses.
 *
 * A chance is drawn for (seed, endpoint, list, number of the attempt in the list, step) and for
 * nothing else: neither what other endpoints see nor when something happens can change it.
 */
#ifndef SYNFAULT_INJECTOR_STEP_SELECT_H
#define SYNFAULT_INJECTOR_STEP_SELECT_H

#include "injector/script.h"

/* What a step has done so far. */
struct step_select_state {
	uint32_t due;   /* attempts that came to it and for which all but its chance spoke */
	uint32_t taken; /* attempts that it serves */
};

/* How far the attempts at one endpoint have got in its script. */
struct step_select {
	const struct script *script; /* borrowed */
	uint64_t seed;
	uint32_t endpoint;
	struct step_select_state *steps; /* as many as the script has; NULL: see .plain */
	uint32_t *lists;                 /* by list: attempts so far */
	int64_t first_ns; /* from the client's start to the first SYN at the endpoint */
	/* A script of nothing but plain steps needs no more than this, however long it is. */
	bool plain;
	uint32_t n_attempts;
	uint32_t step;     /* that served the latest attempt */
	uint64_t step_end; /* the last attempt that it serves */
};

/* @script has a step at least, and lives as long. */
void step_select_init(struct step_select *progress, const struct script *script, uint32_t endpoint,
		      uint64_t seed);
void step_select_deinit(struct step_select *progress);

struct step_select_choice {
	uint32_t step;    /* index into the script */
	int64_t delay_ns; /* drawn for the attempt; 0 unless its step delays */
};

/*
 * Goes on to the next attempt. @list: that of the address it was made to; @family and
 * @since_start_ns as in struct condition_facts.
 */
struct step_select_choice step_select_next(struct step_select *progress, uint32_t list,
					   uint16_t family, int64_t since_start_ns);

#endif
