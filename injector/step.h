/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outages: short names for steps whose condition is a window of time.
 *
 *     outage = "down" D1 [ ".." [ D2 ] ] [ "every" D ] [ "from" ORIGIN ] [ "with" step ]
 *            | "flap" ( "up" D "down" D | "down" D "up" D ) [ "from" ORIGIN ] [ "with" step ]
 *     ORIGIN = "start" | "first-attempt"
 *
 * `down D` is a server that is away for the first D after the client's start, or after the first
 * SYN at the endpoint; `flap` is a server that comes and goes for ever. An attempt is refused while
 * the server is away, unless `with` names another step.
 */
#ifndef SYNFAULT_INJECTOR_STEP_H
#define SYNFAULT_INJECTOR_STEP_H

#include "injector/script.h"

/* Whether a step's text begins as an outage does. */
bool outage_is_meant(const char *text);
/* As step_parse(), for such a text. */
int outage_parse(const char *text, struct step *ret, struct step_error *ret_error);
/* Whether a step can be written as an outage: it does nothing but refuse or the like, for a time.
 */
bool outage_can_say(const struct step *step);
/* Adds it; outage_parse() reads it back equal. */
void outage_format(const struct step *step, struct strbuf *out);

#endif
