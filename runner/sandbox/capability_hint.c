/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How to give a process a capability: see capability_hint.h. */
#include "runner/sandbox/capability_hint.h"

#include <cap-ng.h>
#include <sys/prctl.h>

static const struct platform {
	const char *name;
	/* What precedes, separates and follows the capabilities' names. */
	const char *before, *between, *after;
	const char *as_root;
} platforms[] = {
	{"docker", "docker run --cap-add ", " --cap-add ", "", "docker run --user root"},
	{"podman", "podman run --cap-add ", " --cap-add ", "", "podman run --user root"},
	{"Kubernetes", "securityContext: {capabilities: {add: [", ", ", "]}}",
	 "securityContext: {runAsUser: 0}"},
	{"GitHub Actions", "container: {options: --cap-add ", " --cap-add ", "}",
	 "container: {options: --user root}"},
	{"GitLab runner", "[runners.docker] cap_add = [\"", "\", \"", "\"]",
	 "[runners.docker] user = \"root\""},
};

enum capability_hint capability_hint_needed(unsigned capability)
{
	capng_setpid(getpid());
	if (capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, capability))
		return CAPABILITY_HINT_HELD;
	return geteuid() != 0 && prctl(PR_CAPBSET_READ, (unsigned long)capability, 0, 0, 0) == 1
		       ? CAPABILITY_HINT_USER
		       : CAPABILITY_HINT_CONTAINER;
}

const char *capability_hint_platform(size_t index)
{
	return index < ARRAY_SIZE(platforms) ? platforms[index].name : NULL;
}

char *capability_hint_text(size_t index, enum capability_hint grant, const char *names)
{
	const struct platform *platform = &platforms[index];
	struct strbuf text = {0};

	if (grant == CAPABILITY_HINT_USER)
		return xstrdup(platform->as_root);
	strbuf_puts(&text, platform->before);
	for (; *names; names++) {
		if (*names == ' ')
			strbuf_puts(&text, platform->between);
		else
			strbuf_putc(&text, *names);
	}
	strbuf_puts(&text, platform->after);
	return strbuf_steal(&text);
}

char *capability_hint_sentence(unsigned capability, const char *name)
{
	enum capability_hint grant = capability_hint_needed(capability);
	struct strbuf text = {0};

	strbuf_printf(&text, "CAP_%s is missing", name);
	if (grant == CAPABILITY_HINT_USER)
		strbuf_printf(&text, ": root may have it, and this is user %u", geteuid());
	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++) {
		AUTO_FREE char *how = capability_hint_text(i, grant, name);

		strbuf_printf(&text, "; %s: %s", platforms[i].name, how);
	}
	if (grant == CAPABILITY_HINT_USER)
		strbuf_puts(&text, "; " CAPABILITY_HINT_USER_ELSE);
	else if (geteuid() != 0)
		strbuf_puts(&text, "; and as root, or with a program's file that has it");
	return strbuf_steal(&text);
}
