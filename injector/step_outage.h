/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes outages, the steps `down`, `flap`, `restart` and `pause`: see step.h. */
#ifndef SYNFAULT_INJECTOR_STEP_OUTAGE_H
#define SYNFAULT_INJECTOR_STEP_OUTAGE_H

#include "injector/step.h"

/** outage_is_meant() - return whether a step's text begins like an outage */
bool outage_is_meant(const char *text);
/** outage_parse() - read an outage, as step_parse() reads a step */
int outage_parse(const char *text, struct step *ret, struct step_error *ret_error);
/**
 * outage_can_say() - return whether a step can be written as an outage: its condition is only a
 * time, and it refuses, drops or is unreachable
 */
bool outage_can_say(const struct step *step);
/** pause_can_say() - return whether a step can be written as a pause: its condition is only a time
 */
bool pause_can_say(const struct step *step);
/** outage_format() - add the outage as text, which outage_parse() reads back */
void outage_format(const struct step *step, struct strbuf *out);

#endif
