/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reports show of an attempt. The table, the ASCII timeline, the picture, the HTML page and
 * live lines take their words from here.
 */
#ifndef SYNFAULT_RUNNER_REPORT_ATTEMPT_VIEW_H
#define SYNFAULT_RUNNER_REPORT_ATTEMPT_VIEW_H

#include "runner/report/backoff_view.h"

/** attempt_endpoint_name() - return "api", or "?" if the record has no such endpoint */
const char *attempt_endpoint_name(const struct record *record, uint32_t endpoint);
/** attempt_has_choice() - return whether an endpoint has several addresses, to tell apart */
bool attempt_has_choice(const struct record *record);
/**
 * attempt_add_target() - add the address that an attempt went to
 *
 * Adds "127.0.0.1" or "::1", with the port if the endpoint has several; nothing if the endpoint
 * has a single address.
 */
void attempt_add_target(const struct record *record, uint32_t id, struct strbuf *out);
/** attempt_add_instance() - add the number of the client's instance, from 1; "?" if unknown */
void attempt_add_instance(const struct record_attempt *attempt, struct strbuf *out);
/**
 * attempt_add_fault() - add the fault asked for: "refuse", "delay 312 ms"
 * @scenario: or NULL
 * @id: of the attempt
 */
void attempt_add_fault(const struct scenario *scenario, const struct record *record, uint32_t id,
		       struct strbuf *out);
/** attempt_end_words() - return "refused", "connected", "gave up", … */
const char *attempt_end_words(enum attempt_end end);
/** attempt_verdict_words() - return "let through", "refused", … */
const char *attempt_verdict_words(enum verdict_kind verdict);
/** attempt_fault_words() - return "SYN-ACK lost", "stalled", "reset", … */
const char *attempt_fault_words(enum fault_kind fault);
/**
 * attempt_add_end() - add "refused after 52.0 us", "connected after 41.0 us, then stalled"
 * @brief: add "refused +52.0 us" instead
 */
void attempt_add_end(const struct attempt_history *attempt, bool brief, struct strbuf *out);
/**
 * attempt_backoff_text() - describe a backoff and what was allowed
 *
 * Return: "backoff 1.02 s, 780 ms too short", "backoff 2.00 s, allowed 1.80 s .. 2.20 s", owned by
 * the caller; NULL: no attempt came before.
 */
char *attempt_backoff_text(const struct backoff_view *backoff);
/** attempt_add_wait_status() - add "exit 1" or "killed by SIGTERM" for a status of waitpid() */
void attempt_add_wait_status(int wait_status, struct strbuf *out);

#endif
