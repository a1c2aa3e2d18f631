/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines around the rows of the attempt table: the fault scripts above; below, servers and
 * clients that ended, herds, and sockets that outlived the client.
 */
#ifndef SYNFAULT_RUNNER_REPORT_ATTEMPT_FACTS_H
#define SYNFAULT_RUNNER_REPORT_ATTEMPT_FACTS_H

#include "runner/record/history.h"
#include "runner/scenario/scenario.h"

struct attempt_facts {
	const struct scenario *scenario; /* NULL: not known */
	const struct record *record;
	const struct history *history; /* of the record */
	size_t columns;                /* of a line that is not indented */
	void (*add_line)(void *userdata, size_t indent, const char *text);
	void *userdata;
};

/** attempt_facts_scripts() - add the scripts: a reader may not have the scenario file */
void attempt_facts_scripts(const struct attempt_facts *facts);
/** attempt_facts_end() - add what is known of the end of servers, clients and sockets */
void attempt_facts_end(const struct attempt_facts *facts);

#endif
