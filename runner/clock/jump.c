/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the client's clock may jump: see jump.h. */
#include "runner/clock/jump.h"

#include "common/duration.h"

struct jump jump_decide(const struct jump_view *view)
{
	int64_t client_ns = view->client_ns != JUMP_NEVER ? view->client_ns : view->chores_ns;
	int64_t next_ns = MIN(client_ns, view->supervisor_ns);
	struct jump jump = {.action = JUMP_NOT};

	if (!view->asleep || !view->quiet)
		return jump;
	if (view->kernel_ns != JUMP_NEVER && view->kernel_ns - view->kernel_lead_ns <= next_ns) {
		next_ns = view->kernel_ns - view->kernel_lead_ns;
		jump.to_kernel = true;
	}
	if (next_ns == JUMP_NEVER || (jump.to_kernel && next_ns - view->now_ns < JUMP_CLOSE_NS))
		jump.action = JUMP_STAY;
	else if (next_ns - view->now_ns < JUMP_CLOSE_NS)
		jump.action = JUMP_DUE;
	else
		jump.action = JUMP_TO;
	if (jump.action == JUMP_TO)
		jump.to_ns = next_ns;
	return jump;
}

bool jump_is_chore(const char *name)
{
	/* The kernel keeps 15 characters of a name. */
	static const char *const names[] = {
		"VM Periodic Tas", "G1 Service",      "Monitor Deflati",
		"C1 CompilerThre", "C2 CompilerThre",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}
