/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guards a sandbox's sysctls: see sysctl_guard.h. */
#include "runner/sandbox/sysctl_guard.h"

#include "runner/sandbox/mounts.h"

void sysctl_guard_begin(struct sysctl_guard *guard, bool private)
{
	*guard = (struct sysctl_guard){0};
	if (!private || mounts_seal_sysctls() < 0)
		sysctls_read(&guard->before);
}

void sysctl_guard_end(struct sysctl_guard *guard, struct record *record)
{
	struct sysctls after = {0}, changed = {0};

	if (guard->before.n_items > 0)
		sysctls_read(&after);
	sysctls_difference(&after, &guard->before, &changed);
	for (size_t i = 0; i < changed.n_items; i++)
		record_add_problem(record, false,
				   "the sysctl %s was changed to '%s' while the scenario ran",
				   changed.items[i].name, changed.items[i].value);
	sysctls_free(&after);
	sysctls_free(&changed);
	sysctls_free(&guard->before);
}
