/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of a suite for several machines. Each machine finds out by itself, from the same files,
 * which scenarios are its own: no machine talks to another. Either each scenario's part follows
 * from its name alone, so that adding one moves no other; or the parts are balanced by how long the
 * scenarios took before.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_SHARD_H
#define SYNFAULT_RUNNER_SCHEDULE_SHARD_H

#include "common/util.h"

struct shard {
	size_t number;      /* from 1 to count */
	size_t count;       /* 0: nothing is split */
	const char *origin; /* what it was read from, "--shard"; static */
};

/* Reads "3/8". Returns false with *@ret_message (owned by the caller): what was expected. */
bool shard_parse(const char *text, struct shard *ret, char **ret_message);

/*
 * What a CI system says of this job, when it runs several of a kind:
 *
 *     CI_NODE_INDEX, CI_NODE_TOTAL           GitLab: from 1
 *     CIRCLE_NODE_INDEX, CIRCLE_NODE_TOTAL   CircleCI: from 0
 *     JOB_COMPLETION_INDEX                   Indexed Job of Kubernetes: from 0. Their number is not
 *                                            set: JOB_COMPLETION_TOTAL or SYNFAULT_SHARDS has to
 *                                            say it
 *
 * The first whose index is set counts; @ret->count is 0 without any, or for one machine. Returns
 * false with *@ret_message (owned by the caller) when a variable is wrong or missing.
 */
bool shard_from_environment(struct shard *ret, char **ret_message);

/* The part, from 1 to @count, of what has this name. */
size_t shard_of(const char *key, size_t count);

struct shard_item {
	const char *key;     /* same on all machines */
	int64_t duration_ns; /* negative: not known, taken for the mean of the others */
};

/*
 * Gives each item a part from 1 to @count: the longest first, each to the part with the least to
 * do. The largest part is at most 4/3 of the best that is possible (R. L. Graham, 1969). The order
 * of the items doesn't matter, but among those of the same key.
 */
void shard_balance(const struct shard_item *items, size_t n_items, size_t count,
		   size_t *ret_numbers);

/*
 * Whether these are all the parts of one suite, each once; @names says where each was found. Parts
 * of nothing (count 0) only go with their like. Returns false with *@ret_message (owned by the
 * caller).
 */
bool shard_check_all(const struct shard *shards, const char *const *names, size_t n_shards,
		     char **ret_message);

#endif
