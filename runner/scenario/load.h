/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario files: from bytes to scenarios, with every error that is in them. A document that is
 * wrong gives diagnostics and a broken scenario; the other documents of the file are loaded all the
 * same.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_LOAD_H
#define SYNFAULT_RUNNER_SCENARIO_LOAD_H

#include "runner/scenario/scenario.h"

/* A document that could not be made into scenarios. */
struct broken_document {
	char *name;        /* as far as it could be read, else "document N" */
	unsigned line;     /* where the document starts */
	size_t first_diag; /* its diagnostics: a run in the file's list */
	size_t n_diags;
};

struct scenario_file {
	char *path;            /* as given */
	char *repository_path; /* from its repository's root, as far as that was found out when it
				  was run; NULL: it was not */
	char *source;          /* the file's bytes */
	size_t source_length;
	struct scenario **scenarios; /* owned pointers, in the order of the file */
	size_t n_scenarios, scenarios_capacity;
	struct broken_document *broken;
	size_t n_broken, broken_capacity;
	struct diag_list diags; /* in the order of lines, document by document */
};

/*
 * Loads @path. Returns the file, never NULL: a file that can't be read is one broken document with
 * one diagnostic. Free it with scenario_file_free().
 */
struct scenario_file *scenario_file_load(const char *path);
/*
 * The same for `synfault inject`, where another program starts the client: "client" and "expect"
 * may be left out.
 */
struct scenario_file *scenario_file_load_attached(const char *path);
/* The same for text in memory; @path is used for places and ${dir} only. */
struct scenario_file *scenario_file_parse(const char *path, const char *text, size_t length);
void scenario_file_free(struct scenario_file *file);

/*
 * Finds scenario files: a path of a file is that file, a directory all files below it that
 * end in .yaml or .yml, sorted by name, each directory once; hidden files and directories are
 * passed over. Adds owned paths to the array. Returns 0, or with a diagnostic -ENOENT for a path
 * that does not exist, -ENODATA for a directory with no scenario file in it, or another negative
 * errno for a directory that can't be read (what could be found is in the array all the same).
 */
int scenario_find(const char *path, char ***paths, size_t *n_paths, size_t *capacity,
		  struct diag_list *diags);

#endif
