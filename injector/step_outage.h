/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outages among the steps (step.h): `down D` is a server that is away for the first D after the
 * client's start, or after the first SYN at the endpoint; `flap` is a server that comes and goes
 * for ever. An attempt is refused while the server is away, unless `with` names another step.
 */
#ifndef SYNFAULT_INJECTOR_STEP_OUTAGE_H
#define SYNFAULT_INJECTOR_STEP_OUTAGE_H

#include "injector/step.h"

/* Whether a step's text begins as an outage does. */
bool outage_is_meant(const char *text);
/* As step_parse(), for such a text. */
int outage_parse(const char *text, struct step *ret, struct step_error *ret_error);
/* Whether a step can be written as an outage: it refuses, or the like, for a time alone. */
bool outage_can_say(const struct step *step);
/* Adds it; outage_parse() reads it back equal. */
void outage_format(const struct step *step, struct strbuf *out);

#endif
