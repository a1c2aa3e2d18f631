/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guards a sandbox's sysctls: see sysctl_guard.h. */
#include "runner/sandbox/sysctl_guard.h"

#include "common/text.h"
#include "runner/sandbox/mounts.h"
#include "runner/sandbox/sysctl.h"

static void note(void *userdata, const char *name, const char *value)
{
	struct sysctl_guard *guard = userdata;

	array_append(guard->before, guard->n_before, guard->capacity,
		     (struct sysctl_hash){.name = text_hash(name), .value = text_hash(value)});
}

void sysctl_guard_begin(struct sysctl_guard *guard, bool private)
{
	*guard = (struct sysctl_guard){0};
	if (!private || mounts_seal_sysctls() < 0)
		sysctls_look(note, guard);
}

/* What is compared at the end. */
struct comparison {
	const struct sysctl_guard *guard;
	struct record *record;
};

static void compare(void *userdata, const char *name, const char *value)
{
	const struct comparison *comparison = userdata;
	const struct sysctl_guard *guard = comparison->guard;
	const struct sysctl_hash now = {.name = text_hash(name), .value = text_hash(value)};
	size_t i = 0;

	while (i < guard->n_before && guard->before[i].name != now.name)
		i++;
	if (i < guard->n_before && guard->before[i].value != now.value)
		record_add_problem(comparison->record, false,
				   "the sysctl %s was changed to '%s' while the scenario ran", name,
				   value);
}

void sysctl_guard_end(struct sysctl_guard *guard, struct record *record)
{
	struct comparison comparison = {.guard = guard, .record = record};

	if (guard->n_before > 0)
		sysctls_look(compare, &comparison);
	free(guard->before);
	*guard = (struct sysctl_guard){0};
}
