/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes what follows the action of a step that breaks or slows a connection. */
#ifndef SYNFAULT_INJECTOR_STEP_CONNECTION_H
#define SYNFAULT_INJECTOR_STEP_CONNECTION_H

#include "injector/step_lexer.h"

/**
 * step_read_after() - read what follows "reset", "stall" and "close", which step_break() says
 * @action: the word that was read
 *
 * Return: 0, or -EINVAL and sets the parser's error.
 */
int step_read_after(struct step_parser *parser, const struct step_token *action, struct step *step);
/**
 * step_read_late_way() - read a direction of a stall that a user wrote after all else
 *
 * Return: whether there is one. @step is then what was meant.
 */
bool step_read_late_way(struct step_parser *parser, struct step *step);
/** step_read_slow() - read what follows "slow"; return as step_read_after() */
int step_read_slow(struct step_parser *parser, const struct step_token *action, struct step *step);
/** step_read_loss() - read what follows "packet-loss"; return as step_read_after() */
int step_read_loss(struct step_parser *parser, const struct step_token *action, struct step *step);
/** step_format_loss() - add what step_read_loss() reads */
void step_format_loss(const struct step *step, struct strbuf *out);
/** step_read_latency() - read what follows "latency"; return as step_read_after() */
int step_read_latency(struct step_parser *parser, const struct step_token *action,
		      struct step *step);
/** step_format_latency() - add what step_read_latency() reads */
void step_format_latency(const struct step *step, struct strbuf *out);
/** step_format_after() - add what step_read_after() reads */
void step_format_after(const struct step *step, struct strbuf *out);
/** step_format_slow() - add what step_read_slow() reads */
void step_format_slow(const struct step *step, struct strbuf *out);

#endif
