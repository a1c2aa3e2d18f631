/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps and writes fault scripts: see script.h. */
#include "injector/script.h"

#include "injector/step_text.h"

void script_append(struct script *script, const struct step *step)
{
	array_append(script->steps, script->n_steps, script->capacity, *step);
}

void script_format(const struct script *script, struct strbuf *out)
{
	for (size_t i = 0; i < script->n_steps; i++) {
		uint32_t list = script->steps[i].list;

		if (i > 0)
			strbuf_puts(out, list == script->steps[i - 1].list ? ", " : "; ");
		if (script->list_names && (i == 0 || list != script->steps[i - 1].list))
			strbuf_printf(out, "%s: ", script->list_names[list]);
		step_format(&script->steps[i], out);
	}
}

uint32_t script_n_lists(const struct script *script)
{
	uint32_t n = 1;

	for (size_t i = 0; i < script->n_steps; i++)
		n = MAX(n, script->steps[i].list + 1);
	return n;
}

size_t script_step_index(const struct script *script, uint64_t attempt_number)
{
	uint64_t served = 0;

	for (size_t i = 0; i + 1 < script->n_steps; i++) {
		served += script->steps[i].repeat;
		if (attempt_number <= served)
			return i;
	}
	return script->n_steps - 1;
}

uint64_t script_first_attempt(const struct script *script, size_t index)
{
	uint64_t first = 1;

	for (size_t i = 0; i < index; i++)
		if (script->steps[i].list == script->steps[index].list &&
		    !script->steps[i].when.given)
			first += script->steps[i].repeat;
	return first;
}

void script_free(struct script *script)
{
	free(script->steps);
	strv_free(script->list_names);
	*script = (struct script){0};
}
