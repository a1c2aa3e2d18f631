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

/**
 * junit_read_durations() - read how long cases took
 * @ret: free it with case_durations_free()
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Return: false if the file is not a JUnit report.
 */
bool junit_read_durations(const char *path, struct case_durations *ret, char **ret_message);
/** case_duration() - return how long a case took, or -1 if it is unknown */
int64_t case_duration(const struct case_durations *durations, const char *key);
void case_durations_free(struct case_durations *durations);

/**
 * junit_load() - load a report and check that its outermost element is `testsuites`
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Return: a document for xmlFreeDoc(), or NULL.
 */
xmlDocPtr junit_load(const char *path, char **ret_message);
/** junit_next() - return the next element of that name, from @node on, or NULL */
xmlNodePtr junit_next(xmlNodePtr node, const char *name);
/** junit_attribute() - return the value of an attribute, or ""; owned by the caller */
char *junit_attribute(xmlNodePtr node, const char *name);
/** junit_seconds() - return "12.345" as nanoseconds; 0 if it is not a number */
int64_t junit_seconds(const char *text);

#endif
