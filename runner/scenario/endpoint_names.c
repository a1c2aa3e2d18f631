/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Environment variables that endpoints have in common: see endpoint_names.h. Two names have one in
 * common if they differ in "-" and "_" only, or if one is the other with a suffix. So each name is
 * kept twice, as it is and without its suffix: three lookups find what is in common with any other.
 */
#include "runner/scenario/endpoint_names.h"

#include "runner/scenario/table.h"

struct taken_variable {
	char *key;
	const char *name; /* the first with this key */
	size_t order;
	UT_hash_handle hh;
};

/* Returns the length of a name without the suffix that a variable may add; 0: it has none. */
static size_t stem_length(const char *name)
{
	static const char *const suffixes[] = {"_host", "_port", "_ipv4", "_ipv6"};
	const size_t length = strlen(name);
	size_t digits = length;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (length > 5 && strcmp(name + length - 5, suffixes[i]) == 0)
			return length - 5;
	/* variables of further addresses: "api_ipv4_2" */
	while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
		digits--;
	if (digits == length || digits <= 6)
		return 0;
	return strncmp(name + digits - 6, "_ipv4_", 6) == 0 ||
			       strncmp(name + digits - 6, "_ipv6_", 6) == 0
		       ? digits - 6
		       : 0;
}

static const struct taken_variable *find(struct taken_variable *table, const char *key)
{
	struct taken_variable *taken;

	HASH_FIND_STR(table, key, taken);
	return taken;
}

static void add(struct taken_variable **table, const char *key, const char *name, size_t order)
{
	struct taken_variable *taken;
	size_t length = strlen(key);

	if (find(*table, key))
		return;
	taken = xzalloc(sizeof(*taken));
	taken->key = xstrdup(key);
	taken->name = name;
	taken->order = order;
	/* The macro evaluates its arguments several times. */
	HASH_ADD_KEYPTR(hh, *table, taken->key, length, taken);
}

/* Returns the one of two that came first and is not the name itself. */
static const struct taken_variable *first(const struct taken_variable *a,
					  const struct taken_variable *b, const char *name)
{
	if (!b || strcmp(b->name, name) == 0)
		return a;
	return !a || b->order < a->order ? b : a;
}

const char *endpoint_names_add(struct endpoint_names *names, const char *name)
{
	const struct taken_variable *found = NULL;
	AUTO_FREE char *key = xstrdup(name), *stem = NULL;
	size_t length;

	for (char *c = key; *c; c++)
		*c = *c == '-' ? '_' : *c;
	length = stem_length(key);
	found = first(found, find(names->names, key), name);
	found = first(found, find(names->stems, key), name);
	if (length > 0) {
		stem = xstrndup(key, length);
		found = first(found, find(names->names, stem), name);
		add(&names->stems, stem, name, names->n);
	}
	add(&names->names, key, name, names->n);
	names->n++;
	return found ? found->name : NULL;
}

static void free_table(struct taken_variable *table)
{
	struct taken_variable *taken, *next;

	HASH_ITER (hh, table, taken, next) {
		HASH_DEL(table, taken);
		free(taken->key);
		free(taken);
	}
}

void endpoint_names_free(struct endpoint_names *names)
{
	free_table(names->names);
	free_table(names->stems);
	*names = (struct endpoint_names){0};
}
