/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes outages, the steps `down`, `flap`, `restart` and `pause`: see step_text.h. */
#ifndef SYNFAULT_INJECTOR_STEP_OUTAGE_H
#define SYNFAULT_INJECTOR_STEP_OUTAGE_H

#include "injector/step_lexer.h"

/** outage_is_meant() - return whether a step's text begins like an outage */
bool outage_is_meant(const char *text);
/**
 * outage_parse() - read an outage, as step_parse() reads a step
 * @parse_step: step_parse(), for the step after "with"
 */
int outage_parse(const char *text, step_parse_fn *parse_step, struct step *ret,
		 struct step_error *ret_error);
/**
 * outage_can_say() - return whether a step can be written as an outage: its condition is only a
 * time, and it refuses, drops, is unreachable or a pause
 */
bool outage_can_say(const struct step *step);
/** outage_has_with() - return whether the text of an outage ends in "with" and a step */
bool outage_has_with(const struct step *step);
/** outage_format() - add the outage as text, which outage_parse() reads back, but for its "with" */
void outage_format(const struct step *step, struct strbuf *out);

#endif
