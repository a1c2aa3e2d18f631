/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads scenario files: from bytes to scenarios, with all errors. A wrong document gives
 * diagnostics and a broken document; the other documents of the file are loaded nevertheless.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_LOAD_H
#define SYNFAULT_RUNNER_SCENARIO_LOAD_H

#include "runner/scenario/scenario.h"

/* A document that could not be made into scenarios. */
struct broken_document {
	char *name;        /* if it could be read, otherwise "document N" */
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
	bool generated;         /* made of steps from elsewhere: its lines tell users nothing */
	size_t n_checked;       /* scenarios that scenario_file_check() found and did not keep */
};

/**
 * scenario_file_load() - load the file at @path
 *
 * Never returns NULL: a file that can't be read has one broken document with one diagnostic. Free
 * the result with scenario_file_free().
 */
struct scenario_file *scenario_file_load(const char *path);
/**
 * scenario_file_load_attached() - load a file for `synfault inject`, where another process starts
 * the client: "client" and "expect" are optional
 */
struct scenario_file *scenario_file_load_attached(const char *path);
/**
 * scenario_file_check() - find all errors of the file at @path
 *
 * Does the same as scenario_file_load(), but keeps no scenario: it only counts them.
 */
struct scenario_file *scenario_file_check(const char *path);
/**
 * scenario_file_parse() - load a file from memory
 * @path: used only for places and ${dir}
 */
struct scenario_file *scenario_file_parse(const char *path, const char *text, size_t length);
/** scenario_file_parse_attached() - do the same as scenario_file_load_attached() does */
struct scenario_file *scenario_file_parse_attached(const char *path, const char *text,
						   size_t length);
/** scenario_file_free() - free the file with all its scenarios; NULL is allowed */
void scenario_file_free(struct scenario_file *file);

/**
 * scenario_find() - find the scenario files that a path means
 * @path: a file, which is taken as it is, or a directory
 * @paths: array to which the paths are added; they are owned by the caller
 * @n_paths: number of items in @paths
 * @capacity: number of items that @paths has room for
 * @diags: gets a diagnostic for each error
 *
 * Of a directory, takes all .yaml and .yml files below it, sorted by name. Skips hidden files and
 * directories, and enters each directory once.
 *
 * Return: 0; -ENOENT if the path does not exist; -ENODATA if the directory has no scenario file;
 * another negative errno if a directory can't be read. The array then still gets what was found.
 */
int scenario_find(const char *path, char ***paths, size_t *n_paths, size_t *capacity,
		  struct diag_list *diags);

#endif
