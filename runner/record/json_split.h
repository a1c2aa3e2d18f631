/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds a list in the text of a JSON document without parsing it, so that its elements can be
 * parsed one by one: a parsed document takes many times the memory of its text. It trusts nothing:
 * what it finds in a text that is not JSON is to be parsed, and so will be refused.
 */
#ifndef SYNFAULT_RUNNER_RECORD_JSON_SPLIT_H
#define SYNFAULT_RUNNER_RECORD_JSON_SPLIT_H

#include "common/util.h"

struct json_split {
	const char *text;
	size_t length;
	size_t start, end; /* of what is between the list's brackets */
	size_t at;         /* of what is left of it */
	bool comma;        /* before what is left */
};

/**
 * json_split_find() - find a list of the outermost object
 * @key: of the list; a key with escapes is not found
 *
 * Return: false if the text has no such list.
 */
bool json_split_find(const char *text, size_t length, const char *key, struct json_split *ret);

/**
 * json_split_next() - take the next element
 *
 * Return: 1 and writes @ret and @ret_length; 0 after the last one; -EINVAL if what follows is not a
 * comma and an element.
 */
int json_split_next(struct json_split *split, const char **ret, size_t *ret_length);

#endif
