/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes a step of a fault script. Its grammar, with words separated by blanks:
 *
 *     step    = action [ "x" COUNT ]
 *     action  = "accept" | "refuse" | "drop" | "unreachable" KIND
 *             | "half-open" | "backlog-full" [ "abort" ]
 *             | ( "lose" | "lose-synack" ) N [ "then" fault ]
 *             | "delay" D [ ".." D ] [ "then" ( answer | fault ) ]
 *             | fault
 *     answer  = "accept" | "refuse" | "unreachable" KIND
 *     fault   = break | slow [ "then" break ] | loss | late
 *     break   = ( "reset" | "close" ) AFTER
 *             | "stall" [ WAY ] AFTER [ "for" D ]
 *     loss    = "packet-loss" PERCENT [ "burst" N ] [ WAY ]
 *     late    = "latency" D [ "jitter" D ] [ WAY ]
 *     slow    = "slow" BYTES "/s" [ DIRECTION ]
 *
 *     AFTER     = "after" ( "accept" | BYTES [ DIRECTION ] | D )
 *     WAY       = "from-server" | "to-server"
 *     KIND      = "net" | "host" | "port" | "admin" | "protocol"
 *     BYTES     = NUMBER ( "byte" | "bytes" | "B" | "KB" | "MB" | "GB" | "KiB" | "MiB" | "GiB" )
 *     DIRECTION = "to-client" | "to-server"
 *
 * COUNT and N are 1 to 1,000,000, D is a duration (common/duration.h), KB is 1000 bytes and KiB
 * 1024. A blank may precede the unit. Bytes count data, without headers and retransmissions, to the
 * client unless DIRECTION says otherwise. A stall stops both directions unless it names one. A step
 * has at most one "then"; after "slow" only a D can follow "after".
 *
 * A step can also be an outage, a short form of a step whose condition is a window of time:
 *
 *     outage = "down" D1 [ ".." [ D2 ] ] [ "every" D ] rest
 *            | "flap" ( "up" D "down" D | "down" D "up" D ) rest
 *            | "restart" D [ "each" ] [ "at" D ] [ "every" D ] rest
 *            | "pause" D [ "each" ] [ "at" D ] [ "every" D ] [ "from" ORIGIN ]
 *     rest   = [ "from" ORIGIN ] [ "ending" ENDING ] [ "with" step ]
 *     ORIGIN = "start" | "first-attempt" | "command"
 *     ENDING = "reset" | "close" | "stall"
 *
 * `down D` is a server that is down for the first D after the client's start, or after the first
 * SYN at the endpoint. `flap` is a server that goes up and down for ever. Attempts are refused
 * while the server is down, unless `with` names another step. `ending` also ends, at the instant at
 * which it goes down, the connections that are established then.
 *
 * `restart D at T` is `down T..T+D ending reset`, and without `at` it comes 1 s after the first
 * attempt: `down 1s..1s+D from first-attempt ending reset`. `from command` begins at once, whenever
 * a command says so: `restart D from command` is `down D from command ending reset`.
 *
 * In a `pause` no packet gets through in either direction, SYNs included. It comes at the same
 * times as a restart, but not by command.
 *
 * With `each`, the addresses of the endpoint, or of several endpoints, are down one after the
 * other, for D each. Who reads the step makes a step for each address of it.
 */
#ifndef SYNFAULT_INJECTOR_STEP_TEXT_H
#define SYNFAULT_INJECTOR_STEP_TEXT_H

#include "injector/step.h"

/** step_parse() - read a step; return 0 and write @ret, or -EINVAL and write @ret_error */
int step_parse(const char *text, struct step *ret, struct step_error *ret_error);
/**
 * step_format() - add the step as text, which step_parse() reads back
 *
 * A condition that the grammar can't express follows as "when …".
 */
void step_format(const struct step *step, struct strbuf *out);
/** step_format_then() - add what follows the first fault: " then refuse", or nothing */
void step_format_then(const struct step *step, struct strbuf *out);

#endif
