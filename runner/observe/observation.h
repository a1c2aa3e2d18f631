/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `try` and `record` observed, as a JSON document. The numbers are those that the printed
 * lines are made of.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_OBSERVATION_H
#define SYNFAULT_RUNNER_OBSERVE_OBSERVATION_H

#include "runner/observe/observe.h"
#include "runner/record/json_fields.h"

/* A client under one fault. Borrows everything. */
struct observation_part {
	const char *name;     /* "refused for ever" */
	const char *steps;    /* NULL: endpoints of their own have them */
	const char *obstacle; /* why it was not observed; NULL: it was */
	const struct observed *runs;
	size_t n_runs; /* 0 if it was not observed */
};

struct observation {
	char *const *command;
	int64_t timeout_ns;
	const struct observation_part *parts;
	size_t n_parts;
};

/** observation_json() - add the document to @out */
void observation_json(const struct observation *observation, struct strbuf *out);

/**
 * observation_check_path() - check before the run that the document can be written
 *
 * Return: 0, or a negative errno with a diagnostic.
 */
int observation_check_path(const char *path, struct diag_list *diags);

/** observation_write() - write the document to a file; as report_file_write() */
int observation_write(const struct observation *observation, const char *path,
		      struct diag_list *diags);

extern const struct json_type observation_type; /* of the document */

#endif
