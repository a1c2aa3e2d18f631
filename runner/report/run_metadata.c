/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about a whole run: see run_metadata.h. */
#include "runner/report/run_metadata.h"

#include <cap-ng.h>
#include <limits.h>
#include <sched.h>
#include <sys/utsname.h>

#include "common/strbuf.h"

/* Returns PRETTY_NAME of os-release(5) without quotes, or NULL. */
static char *find_system(void)
{
	static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
	static const char key[] = "PRETTY_NAME=";
	FILE *file = NULL;
	char line[512], *found = NULL;

	for (size_t i = 0; !file && i < ARRAY_SIZE(paths); i++)
		file = fopen(paths[i], "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		char *value = line + sizeof(key) - 1;

		if (strncmp(line, key, sizeof(key) - 1) != 0)
			continue;
		value[strcspn(value, "\n")] = '\0';
		if (*value == '"' || *value == '\'') {
			value[strlen(value) - 1] = '\0';
			value++;
		}
		found = xstrdup(value);
	}
	if (file)
		fclose(file);
	return found;
}

static char *find_capabilities(void)
{
	struct strbuf names = {0};

	if (capng_get_caps_process() < 0)
		return NULL;
	switch (capng_have_capabilities(CAPNG_SELECT_CAPS)) {
	case CAPNG_FULL:
		return xstrdup("all");
	case CAPNG_NONE:
		return xstrdup("none");
	case CAPNG_PARTIAL:
	case CAPNG_FAIL:
		break;
	}
	for (unsigned i = 0; i <= (unsigned)CAP_LAST_CAP; i++) {
		const char *name = capng_capability_to_name(i);

		if (!name || !capng_have_capability(CAPNG_EFFECTIVE, i))
			continue;
		strbuf_puts(&names, names.length ? ", CAP_" : "CAP_");
		for (; *name; name++)
			strbuf_putc(&names, *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A')
									 : *name);
	}
	return names.length ? strbuf_steal(&names) : xstrdup("none");
}

void run_metadata_find(struct run_metadata *facts)
{
	char hostname[HOST_NAME_MAX + 1] = "";
	struct utsname machine;
	cpu_set_t processors;

	facts->program = xstrdup(SYNFAULT_VERSION);
	gethostname(hostname, HOST_NAME_MAX);
	facts->hostname = xstrdup(hostname[0] ? hostname : "localhost");
	facts->system = find_system();
	if (uname(&machine) == 0) {
		facts->kernel = xstrdup(machine.release);
		facts->machine = xstrdup(machine.machine);
	}
	facts->capabilities = find_capabilities();
	facts->user = (int64_t)geteuid();
	if (sched_getaffinity(0, sizeof(processors), &processors) == 0)
		facts->processors = CPU_COUNT(&processors);
}

void run_metadata_free(struct run_metadata *facts)
{
	free(facts->program);
	free(facts->hostname);
	free(facts->system);
	free(facts->kernel);
	free(facts->machine);
	free(facts->capabilities);
	free(facts->isolation);
	free(facts->time);
	strv_free(facts->command);
	*facts = (struct run_metadata){0};
}
