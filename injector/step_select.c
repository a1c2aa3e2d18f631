/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selects the step that serves an attempt: see step_select.h. */
#include "injector/step_select.h"

#include "common/random.h"

/* The draws of an attempt. A chance's number is FIRST_CHANCE + the index of its step. */
enum { DRAW_DELAY = 0, FIRST_CHANCE = 1 };

static bool is_plain(const struct script *script)
{
	for (size_t i = 0; i < script->n_steps; i++)
		if (script->steps[i].when.given || script->steps[i].list)
			return false;
	return true;
}

void step_select_init(struct step_select *progress, const struct script *script, uint32_t endpoint,
		      uint64_t seed)
{
	*progress = (struct step_select){
		.script = script,
		.seed = seed,
		.endpoint = endpoint,
		.plain = is_plain(script),
		.step_end = script->steps[0].repeat,
	};
	if (progress->plain)
		return;
	progress->steps = xzalloc(script->n_steps * sizeof(*progress->steps));
	progress->lists = xzalloc(script_n_lists(script) * sizeof(*progress->lists));
}

void step_select_deinit(struct step_select *progress)
{
	free(progress->steps);
	free(progress->lists);
	*progress = (struct step_select){0};
}

static uint64_t draw(const struct step_select *progress, uint32_t list, uint32_t number,
		     uint64_t what)
{
	return random_draw(progress->seed, (uint64_t)list << 32 | progress->endpoint, number, what);
}

static uint32_t next_plain(struct step_select *progress)
{
	const struct script *script = progress->script;

	if (progress->n_attempts > progress->step_end && progress->step + 1 < script->n_steps) {
		progress->step++;
		progress->step_end += script->steps[progress->step].repeat;
	}
	return progress->step;
}

/* Returns whether a step with a condition takes the attempt. */
static bool takes(struct step_select *progress, uint32_t index, const struct condition_facts *facts)
{
	const struct step *step = &progress->script->steps[index];
	struct step_select_state *own = &progress->steps[index];

	if (!condition_is_due(&step->when, facts) ||
	    (step->repeat_explicit && own->taken >= step->repeat))
		return false;
	own->due++;
	return condition_is_hit(&step->when, draw(progress, step->list, facts->number,
						  FIRST_CHANCE + (uint64_t)index));
}

static uint32_t next_conditional(struct step_select *progress, uint32_t list,
				 const struct condition_facts *facts)
{
	const struct script *script = progress->script;
	uint32_t last = 0;

	for (uint32_t i = 0; i < script->n_steps; i++)
		if (script->steps[i].list == list && script->steps[i].when.given &&
		    takes(progress, i, facts))
			return i;
	for (uint32_t i = 0; i < script->n_steps; i++) {
		if (script->steps[i].list != list || script->steps[i].when.given)
			continue;
		last = i;
		if (progress->steps[i].taken < script->steps[i].repeat)
			break;
	}
	progress->steps[last].due++;
	return last;
}

void step_select_command(struct step_select *progress, int64_t since_start_ns, int64_t lasts_ns)
{
	progress->commanded = true;
	progress->command_ns = since_start_ns;
	progress->command_lasts_ns = lasts_ns;
}

void step_select_note(struct step_select *progress, int64_t since_start_ns)
{
	if (progress->began)
		return;
	progress->began = true;
	progress->first_ns = since_start_ns;
}

struct step_select_choice step_select_next(struct step_select *progress, uint32_t list,
					   uint16_t family, int64_t since_start_ns)
{
	struct step_select_choice choice = {0};
	const struct step *step;
	uint32_t number;

	step_select_note(progress, since_start_ns);
	progress->n_attempts++;
	if (progress->plain) {
		number = progress->n_attempts;
		list = 0;
		choice.step = next_plain(progress);
	} else {
		const struct condition_facts facts = {
			.number = ++progress->lists[list],
			.family = family,
			.since_start_ns = since_start_ns,
			.since_first_ns = since_start_ns - progress->first_ns,
			.since_command_ns =
				progress->commanded ? since_start_ns - progress->command_ns : -1,
			.command_lasts_ns = progress->command_lasts_ns,
		};

		number = facts.number;
		choice.step = next_conditional(progress, list, &facts);
		progress->steps[choice.step].taken++;
	}
	step = &progress->script->steps[choice.step];
	if (step->delay_max_ns > 0)
		choice.delay_ns = random_between(draw(progress, list, number, DRAW_DELAY),
						 step->delay_min_ns, step->delay_max_ns);
	return choice;
}
