/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splits a suite over several machines: see shard.h. */
#include "runner/schedule/shard.h"

#include "common/duration.h"
#include "common/random.h"
#include "common/text.h"

#define MAX_SHARDS 100000

bool shard_parse(const char *text, struct shard *ret, char **ret_message)
{
	AUTO_FREE char *number_text = xstrdup(text);
	char *slash = strchr(number_text, '/');
	int64_t number, count;

	if (slash)
		*slash++ = '\0';
	if (!slash || !text_to_integer(slash, 1, MAX_SHARDS, &count) ||
	    !text_to_integer(number_text, 1, count, &number)) {
		*ret_message = xstrdup("K/N is expected, part K (from 1) of N");
		return false;
	}
	*ret = (struct shard){.number = (size_t)number, .count = (size_t)count};
	return true;
}

/* ---- what CI systems say ---- */

struct shard_source {
	const char *index;     /* variable with this machine's number */
	const char *totals[2]; /* variables with the number of machines; the first one set counts */
	int64_t first;         /* index of the first machine */
	const char *remedy;    /* if no total is set */
};

static const struct shard_source sources[] = {
	{"CI_NODE_INDEX", {"CI_NODE_TOTAL", NULL}, 1, NULL},
	{"CIRCLE_NODE_INDEX", {"CIRCLE_NODE_TOTAL", NULL}, 0, NULL},
	{"JOB_COMPLETION_INDEX",
	 {"JOB_COMPLETION_TOTAL", "SYNFAULT_SHARDS"},
	 0,
	 "Kubernetes does not set it: put the Job's completions into SYNFAULT_SHARDS"},
};

/* Returns the variable's value, or NULL if it is unset or empty. */
static const char *variable(const char *name)
{
	const char *value = name ? getenv(name) : NULL;

	return value && *value ? value : NULL;
}

static bool read_source(const struct shard_source *source, const char *index, struct shard *ret,
			char **ret_message)
{
	const char *name = source->totals[variable(source->totals[0]) ? 0 : 1];
	const char *total = variable(name);
	int64_t count, number, last;

	if (!total) {
		*ret_message =
			xasprintf("%s is set, but %s is not%s%s; --shard 1/1 runs "
				  "everything",
				  source->index, source->totals[0], source->remedy ? ". " : "",
				  source->remedy ? source->remedy : "");
		return false;
	}
	if (!text_to_integer(total, 1, MAX_SHARDS, &count)) {
		*ret_message = xasprintf("%s: a number of at least 1 is expected, not \"%s\"", name,
					 total);
		return false;
	}
	last = count - 1 + source->first;
	if (!text_to_integer(index, source->first, last, &number)) {
		*ret_message = xasprintf("%s: a number from %lld to %lld is expected (%s is %lld), "
					 "not \"%s\"",
					 source->index, (long long)source->first, (long long)last,
					 name, (long long)count, index);
		return false;
	}
	*ret = (struct shard){
		.number = (size_t)(number - source->first + 1),
		.count = count > 1 ? (size_t)count : 0,
		.origin = source->index,
	};
	return true;
}

bool shard_from_environment(struct shard *ret, char **ret_message)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const char *index = variable(sources[i].index);

		if (index)
			return read_source(&sources[i], index, ret, ret_message);
	}
	*ret = (struct shard){0};
	return true;
}

/* ---- distribution ---- */

size_t shard_of(const char *key, size_t count)
{
	/* A hash's low bits are poor for short names: mix them. */
	return (size_t)(random_draw(0, text_hash(key), 0, 0) % count) + 1;
}

/* An item that is being assigned to a part. */
struct parcel {
	const char *key;
	int64_t duration_ns;
	size_t index;
};

static int compare_parcels(const void *left, const void *right)
{
	const struct parcel *a = left, *b = right;

	return COMPARE(b->duration_ns, a->duration_ns) ?: strcmp(a->key, b->key)
		       ?: COMPARE(a->index, b->index);
}

static int64_t mean_duration(const struct shard_item *items, size_t n_items)
{
	int64_t sum_ns = 0, n_known = 0;

	for (size_t i = 0; i < n_items; i++) {
		if (items[i].duration_ns < 0)
			continue;
		sum_ns += items[i].duration_ns;
		n_known++;
	}
	return n_known ? sum_ns / n_known : NS_PER_S;
}

void shard_balance(const struct shard_item *items, size_t n_items, size_t count,
		   size_t *ret_numbers)
{
	AUTO_FREE struct parcel *parcels = xzalloc((n_items + 1) * sizeof(*parcels));
	AUTO_FREE int64_t *loads_ns = xzalloc(count * sizeof(*loads_ns));
	int64_t mean_ns = mean_duration(items, n_items);

	for (size_t i = 0; i < n_items; i++)
		parcels[i] = (struct parcel){
			.key = items[i].key,
			/* At least 1 ns: items without duration would all go to one part. */
			.duration_ns =
				MAX(items[i].duration_ns < 0 ? mean_ns : items[i].duration_ns,
				    NS_PER_MS),
			.index = i,
		};
	qsort(parcels, n_items, sizeof(*parcels), compare_parcels);
	for (size_t i = 0; i < n_items; i++) {
		size_t least = 0;

		for (size_t k = 1; k < count; k++)
			if (loads_ns[k] < loads_ns[least])
				least = k;
		loads_ns[least] += parcels[i].duration_ns;
		ret_numbers[parcels[i].index] = least + 1;
	}
}

/* ---- completeness ---- */

static bool check_same_count(const struct shard *shards, const char *const *names, size_t n_shards,
			     char **ret_message)
{
	for (size_t i = 1; i < n_shards; i++) {
		if (shards[i].count == shards[0].count)
			continue;
		if (shards[i].count && shards[0].count)
			*ret_message = xasprintf("%s is a part of %zu, but %s of %zu", names[0],
						 shards[0].count, names[i], shards[i].count);
		else
			*ret_message = xasprintf("%s is a part of a suite, but %s is not",
						 names[shards[0].count ? 0 : i],
						 names[shards[0].count ? i : 0]);
		return false;
	}
	return true;
}

bool shard_check_all(const struct shard *shards, const char *const *names, size_t n_shards,
		     char **ret_message)
{
	size_t count = n_shards ? shards[0].count : 0;
	AUTO_FREE const char **found = xzalloc((count + 1) * sizeof(*found));
	AUTO_STRBUF struct strbuf missing = {0};
	size_t n_missing = 0;

	if (!check_same_count(shards, names, n_shards, ret_message))
		return false;
	for (size_t i = 0; count && i < n_shards; i++) {
		const char **one = &found[shards[i].number];

		if (*one) {
			*ret_message = xasprintf("%s and %s are both part %zu of %zu", *one,
						 names[i], shards[i].number, count);
			return false;
		}
		*one = names[i];
	}
	for (size_t k = 1; k <= count; k++)
		if (!found[k])
			strbuf_printf(&missing, "%s%zu", n_missing++ ? ", " : "", k);
	if (n_missing == 0)
		return true;
	*ret_message = xasprintf(n_missing > 1 ? "parts %s of %zu are missing"
					       : "part %s of %zu is missing",
				 strbuf_text(&missing), count);
	return false;
}
