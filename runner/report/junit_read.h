/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long cases took, read back from a JUnit report. */
#ifndef SYNFAULT_RUNNER_REPORT_JUNIT_READ_H
#define SYNFAULT_RUNNER_REPORT_JUNIT_READ_H

#include <libxml/tree.h>

#include "common/util.h"

struct case_duration {
	char *key; /* as junit_key() */
	int64_t duration_ns;
};

struct case_durations {
	struct case_duration *items; /* sorted by key */
	size_t n_items, capacity;
};

/*
 * Reads how long cases took. Returns false with *@ret_message (owned by the caller) when the file
 * is not a JUnit report.
 */
bool junit_read_durations(const char *path, struct case_durations *ret, char **ret_message);
/* -1 when the case is not known. */
int64_t case_duration(const struct case_durations *durations, const char *key);
void case_durations_free(struct case_durations *durations);

/*
 * For those who read more of a report: loads it and checks that it has `testsuites` outermost.
 * Returns NULL with *@ret_message (owned by the caller), or a document for xmlFreeDoc().
 */
xmlDocPtr junit_load(const char *path, char **ret_message);
/* The next element of that name among @node and its later siblings; NULL: there is none. */
xmlNodePtr junit_next(xmlNodePtr node, const char *name);
/* The value of an attribute, owned by the caller; "" when there is none. */
char *junit_attribute(xmlNodePtr node, const char *name);
/* "12.345" as nanoseconds; 0 if it is not a number. */
int64_t junit_seconds(const char *text);

#endif
