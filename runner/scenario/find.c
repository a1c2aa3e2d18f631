/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds scenario files below directories: see scenario_find() in load.h. */
#include "runner/scenario/load.h"

#include "runner/scenario/table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/*
 * A directory that the search has entered. It enters each only once, so that symbolic links neither
 * lead in a circle nor list a file twice.
 */
struct visited {
	struct {
		dev_t device;
		ino_t inode;
	} key;
	UT_hash_handle hh;
};

struct search {
	char ***paths;
	size_t *n_paths, *capacity;
	struct diag_list *diags;
	struct visited *visited;
};

static bool has_suffix(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void add_path(struct search *search, const char *path)
{
	array_append(*search->paths, *search->n_paths, *search->capacity, xstrdup(path));
}

/* Remembers a directory. Returns false if the search was there before. */
static bool visit(struct search *search, const struct stat *status)
{
	struct visited *visited = xzalloc(sizeof(*visited)), *found;

	visited->key.device = status->st_dev;
	visited->key.inode = status->st_ino;
	HASH_FIND(hh, search->visited, &visited->key, sizeof(visited->key), found);
	if (found) {
		free(visited);
		return false;
	}
	HASH_ADD(hh, search->visited, key, sizeof(visited->key), visited);
	return true;
}

static int complain(struct search *search, const char *path, int error)
{
	diag_add(search->diags, &(struct place){.path = path}, "can't be read: %s",
		 strerror(error));
	return -error;
}

/*
 * Returns the names in a directory, sorted, without hidden ones; NULL with errno if it can't be
 * read.
 */
static char **list_names(const char *path)
{
	DIR *directory = opendir(path);
	char **names = NULL;
	size_t n = 0, capacity = 0;
	struct dirent *entry;

	if (!directory)
		return NULL;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			array_append(names, n, capacity, xstrdup(entry->d_name));
	closedir(directory);
	if (n)
		qsort(names, n, sizeof(*names), compare_names);
	array_append(names, n, capacity, NULL);
	return names;
}

static int search_directory(struct search *search, const char *path);

static int search_entry(struct search *search, const char *path, const char *name)
{
	struct stat status;

	if (stat(path, &status) < 0) {
		/* Keep a dangling link, so that loading it reports the error. */
		if (has_suffix(name))
			add_path(search, path);
		else if (errno != ENOENT && errno != ELOOP)
			return complain(search, path, errno);
		return 0;
	}
	if (S_ISDIR(status.st_mode))
		return visit(search, &status) ? search_directory(search, path) : 0;
	if (S_ISREG(status.st_mode) && has_suffix(name))
		add_path(search, path);
	return 0;
}

static int search_directory(struct search *search, const char *path)
{
	AUTO_STRV char **names = list_names(path);
	bool slash = path[0] && path[strlen(path) - 1] == '/';
	int result = 0;

	if (!names)
		return complain(search, path, errno);
	for (size_t i = 0; names[i]; i++) {
		AUTO_FREE char *below = xasprintf("%s%s%s", path, slash ? "" : "/", names[i]);
		int r = search_entry(search, below, names[i]);

		if (r < 0 && !result)
			result = r;
	}
	return result;
}

static void forget(struct search *search)
{
	struct visited *visited, *next;

	HASH_ITER (hh, search->visited, visited, next) {
		HASH_DEL(search->visited, visited);
		free(visited);
	}
}

int scenario_find(const char *path, char ***paths, size_t *n_paths, size_t *capacity,
		  struct diag_list *diags)
{
	struct search search = {paths, n_paths, capacity, diags, NULL};
	size_t before = *n_paths;
	struct stat status;
	int r;

	if (stat(path, &status) < 0) {
		int error = errno;

		if (error != ENOENT)
			return complain(&search, path, error);
		diag_add(diags, &(struct place){.path = path},
			 "there is no such file or directory");
		return -ENOENT;
	}
	if (!S_ISDIR(status.st_mode)) {
		add_path(&search, path);
		return 0;
	}
	visit(&search, &status);
	r = search_directory(&search, path);
	forget(&search);
	if (r < 0)
		return r;
	if (*n_paths == before) {
		diag_add(diags, &(struct place){.path = path},
			 "there is no scenario file (.yaml, .yml) in this directory");
		return -ENODATA;
	}
	return 0;
}
