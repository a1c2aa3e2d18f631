/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splits a suite over several machines. Each machine finds out on its own, from the same files,
 * which scenarios are its part; no machine talks to another. Either a scenario's part follows from
 * its name alone, so that adding a scenario moves no other; or parts are balanced by how long the
 * scenarios took before.
 */
#ifndef SYNFAULT_RUNNER_SCHEDULE_SHARD_H
#define SYNFAULT_RUNNER_SCHEDULE_SHARD_H

#include "common/util.h"

struct shard {
	size_t number;      /* from 1 to count */
	size_t count;       /* 0: nothing is split */
	const char *origin; /* where it comes from, such as "--shard"; static */
};

/** shard_parse() - parse "3/8"; return false with *@ret_message (the caller's): what is expected */
bool shard_parse(const char *text, struct shard *ret, char **ret_message);

/* clang-format off */
/**
 * shard_from_environment() - read from a CI system's variables which of several parallel jobs this
 * is
 * @ret: count is 0 if no variable is set, or for one machine
 * @ret_message: on failure one sentence, owned by the caller
 *
 * The first of these whose index is set counts:
 *
 *     CI_NODE_INDEX, CI_NODE_TOTAL           GitLab: from 1
 *     CIRCLE_NODE_INDEX, CIRCLE_NODE_TOTAL   CircleCI: from 0
 *     JOB_COMPLETION_INDEX                   Kubernetes, indexed Job: from 0. Kubernetes does not
 *                                            set the total: JOB_COMPLETION_TOTAL or
 *                                            SYNFAULT_SHARDS has to
 *
 * Return: false if a variable is wrong or missing.
 */
/* clang-format on */
bool shard_from_environment(struct shard *ret, char **ret_message);

/** shard_of() - return the part, from 1 to @count, that a key belongs to */
size_t shard_of(const char *key, size_t count);

struct shard_item {
	const char *key;     /* the same on all machines */
	int64_t duration_ns; /* negative: unknown, counts as the mean of the others */
};

/**
 * shard_balance() - distribute items over parts so that each part takes about as long
 * @ret_numbers: by item, its part from 1 to @count
 *
 * Takes the longest item first and gives it to the part with the least to do. The longest part
 * takes at most 4/3 of the best possible time (R. L. Graham, 1969). The order of items doesn't
 * matter, except between those of the same key.
 */
void shard_balance(const struct shard_item *items, size_t n_items, size_t count,
		   size_t *ret_numbers);

/**
 * shard_check_all() - check that these are all parts of one suite, each once
 * @names: where each shard was found
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Runs that were not split (count 0) only go with each other.
 *
 * Return: false if they are not.
 */
bool shard_check_all(const struct shard *shards, const char *const *names, size_t n_shards,
		     char **ret_message);

#endif
