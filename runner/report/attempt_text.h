/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What befell an attempt, in words: for the timeline picture and the HTML pages. */
#ifndef SYNFAULT_RUNNER_REPORT_ATTEMPT_TEXT_H
#define SYNFAULT_RUNNER_REPORT_ATTEMPT_TEXT_H

#include "runner/report/backoff_view.h"

/* "refuse", "delay 312 ms": what was to be done to it. @scenario may be NULL. The caller's. */
char *attempt_fault_text(const struct scenario *scenario, const struct record *record, uint32_t id);
/* "refused", "connected", "client gave up": its end in a word or two. */
const char *attempt_end_words(enum attempt_end end);
/* What a fault then did to a connection: "reset", "stalled", "closed"; NULL: nothing, or no such.
 */
const char *attempt_broken_word(const struct attempt_history *attempt);
/* "refused after 52 us", "connected after 41 us, then stalled". The caller's. */
char *attempt_end_text(const struct attempt_history *attempt);
/*
 * "wait 1.02 s, 780 ms too short", "wait 2.00 s, allowed 1.80 s .. 2.20 s"; NULL: no attempt came
 * before. The caller's.
 */
char *attempt_wait_text(const struct backoff_view *wait);

#endif
