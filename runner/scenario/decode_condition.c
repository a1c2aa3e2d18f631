/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the long form of a fault step, {when: CONDITION, do: STEP}, and finds conditions that can't
 * be met.
 */
#include "runner/scenario/decode_condition.h"

#include "runner/scenario/decode_step.h"
#include "runner/scenario/decode_value.h"

#include <sys/socket.h>

/* What has been read of {when:, do:}. */
struct conditional {
	struct condition when;
	const struct node *when_node; /* NULL: not given */
	struct step step;
};

static bool decode_range(struct loader *loader, const struct node *node, struct condition *when)
{
	struct condition_error error;
	struct attempt_range range;
	const char *text;

	if (!decode_text(loader, node, &text))
		return false;
	if (attempt_range_parse(text, &range, &error) < 0) {
		loader_error(loader, node, "%s", error.message);
		loader_hint(loader, "%s", error.hint);
		return false;
	}
	when->ranges[when->n_ranges++] = range;
	return true;
}

static void decode_attempt(struct loader *loader, const struct field *field, void *target)
{
	struct conditional *conditional = target;
	const struct node *node = field->value;

	if (node->kind == NODE_TEXT) {
		decode_range(loader, node, &conditional->when);
		return;
	}
	if (!node->count)
		loader_error(loader, node, "this set of attempts is empty");
	else if (node->count > CONDITION_MAX_RANGES) {
		loader_error(loader, node, "a condition takes %d ranges of attempts at most",
			     CONDITION_MAX_RANGES);
		loader_hint(loader, "give the rest in a step of its own");
	}
	for (size_t i = 0; i < node->count && i < CONDITION_MAX_RANGES; i++)
		decode_range(loader, node->items[i], &conditional->when);
}

static void decode_time(struct loader *loader, const struct field *field, void *target)
{
	struct conditional *conditional = target;
	struct condition_error error;

	conditional->when.has_window = true;
	if (time_window_parse(field->value->text, false, &conditional->when.window, &error) == 0)
		return;
	loader_error(loader, field->value, "%s", error.message);
	loader_hint(loader, "%s", error.hint);
}

static void decode_family(struct loader *loader, const struct field *field, void *target)
{
	struct conditional *conditional = target;
	size_t choice;

	if (decode_choice(loader, field->value, family_names, &choice))
		conditional->when.family = choice == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

static void decode_chance(struct loader *loader, const struct field *field, void *target)
{
	struct conditional *conditional = target;
	double percent;

	if (!decode_percent(loader, field->value, &percent))
		return;
	conditional->when.chance = (uint32_t)(percent * (CHANCE_ALWAYS / 100.0) + 0.5);
	if (conditional->when.chance > 0)
		return;
	loader_error(loader, field->value, "a chance of 0%% is never drawn");
	loader_hint(loader, "leave the step out, or give more than 0%%");
}

static const struct schema_key condition_keys[] = {
	{"attempt", "a set of attempt numbers, or a list of them",
	 "The numbers of the attempts, counted from 1.", .example = "1..9+2",
	 .forms = SCHEMA_SCALAR | SCHEMA_LIST, .type = SCHEMA_ATTEMPTS, .decode = decode_attempt},
	{"time", "a window of time", "When the attempt starts, counted from the client's start.",
	 .example = "0s..5s every 20s", .type = SCHEMA_WINDOW, .decode = decode_time},
	{"from", "start or first-attempt",
	 "What \"time\" counts from: the client's start, or the first attempt at the endpoint; of "
	 "an outage that a command begins, the command.",
	 .example = "first-attempt", .fallback = "start", .type = SCHEMA_CHOICE,
	 .choices = time_origin_names, INTO(struct conditional, when.window.from)},
	{"family", "ipv4 or ipv6", "The address family of the attempt.", .example = "ipv6",
	 .type = SCHEMA_CHOICE, .choices = family_names, .decode = decode_family},
	{"chance", "a percentage",
	 "How likely the step is, for an attempt that meets the rest; drawn from the scenario's "
	 "seed.",
	 .example = "30%", .type = SCHEMA_PERCENT, .decode = decode_chance},
};
static const struct schema schema_condition = {"a condition", condition_keys,
					       ARRAY_SIZE(condition_keys)};

static void decode_when(struct loader *loader, const struct field *field, void *target)
{
	struct conditional *conditional = target;

	conditional->when_node = field->value;
	if (!field->value->count) {
		loader_error(loader, field->value, "this condition is empty");
		loader_hint(loader, "for example: when: %s", field->schema->example);
		return;
	}
	decode_mapping(loader, &schema_condition, field->value, field->key, conditional);
}

static void decode_do(struct loader *loader, const struct field *field, void *target)
{
	struct conditional *conditional = target;

	decode_step_text(loader, field->value, false, &conditional->step);
}

static const struct schema_key conditional_keys[] = {
	{"when", "a mapping of attempt, time, from, family and chance",
	 "Which attempts the step applies to: those that meet all of it.",
	 .example = "{attempt: 1..3, chance: 30%}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_condition, .required = true, .decode = decode_when},
	{"do", "a fault step", "What happens to them; with xN, to the first N of them.",
	 .example = "refuse", .type = SCHEMA_STEP, .required = true, .decode = decode_do},
};
const struct schema schema_conditional = {"a step with a condition", conditional_keys,
					  ARRAY_SIZE(conditional_keys)};

bool decode_conditional(struct loader *loader, const struct node *mapping, struct step *ret)
{
	struct conditional conditional = {
		.when = {.given = true, .chance = CHANCE_ALWAYS},
	};
	size_t n_errors = loader->diags->n_items;
	struct step *step = &conditional.step;
	const struct node *time, *from;

	if (mapping->count == 1 && !schema_find(&schema_conditional, mapping->pairs[0].key->text)) {
		const struct node *key = mapping->pairs[0].key, *value = mapping->pairs[0].value;
		bool number = value->kind == NODE_TEXT && value->count > 0 &&
			      !value->text[strspn(value->text, "0123456789")];

		loader_error(loader, mapping, "a step without a condition is a text");
		if (value->kind == NODE_TEXT || value->kind == NODE_NULL)
			loader_hint(loader, "did you mean \"%s%s%s\"?", key->text,
				    value->kind == NODE_NULL ? ""
				    : number                 ? " x"
							     : " ",
				    value->kind == NODE_NULL ? "" : value->text);
		else
			loader_hint(loader, "for example \"refuse x3\"");
		return false;
	}
	decode_mapping(loader, &schema_conditional, mapping, mapping, &conditional);
	if (loader->diags->n_items > n_errors || !conditional.when_node)
		return false;
	time = node_get(conditional.when_node, "time");
	from = node_get(conditional.when_node, "from");
	if (step->when.given && time) {
		loader_error(loader, time, "the step has a time of its own: an outage is one");
		loader_hint(loader, "leave one out, or write refuse in place of the outage");
		return false;
	}
	if (from && !time) {
		loader_error(loader, from, "\"from\" needs a \"time\" beside it");
		loader_hint(loader, "for example {time: 0s..5s, from: first-attempt}; an outage "
				    "is written \"down 5s from first-attempt\"");
		return false;
	}
	if (step->when.given) {
		conditional.when.has_window = true;
		conditional.when.window = step->when.window;
	}
	if (step->ending &&
	    (conditional.when.n_ranges || conditional.when.chance < CHANCE_ALWAYS)) {
		loader_error(loader, conditional.when_node,
			     "an outage that ends connections ends all of them: it can't have "
			     "numbers of attempts or a chance");
		loader_hint(loader, "leave them out, or leave \"ending\" out");
		return false;
	}
	step->when = conditional.when;
	*ret = *step;
	return true;
}

/* ---- can they be met? ---- */

/* A limit, since each attempt, and each check of a step, goes through all of them. */
enum { MAX_CONDITIONAL = 1000 };

static void error_at(struct loader *loader, const struct place *place, const char *message,
		     const char *hint)
{
	diag_add(loader->diags, place, "%s", message);
	loader_hint(loader, "%s", hint);
}

static bool check_alone(struct loader *loader, const struct endpoint_spec *endpoint, size_t index)
{
	const struct step *step = &endpoint->script.steps[index];
	const struct condition *when = &step->when;
	const struct place *place = &endpoint->step_places[index];
	AUTO_FREE char *message = NULL;
	char timeout[DURATION_TEXT_SIZE];

	if (when->family && !(endpoint->remote && endpoint->n_families == 0) &&
	    !endpoint_list_has_family(endpoint, step->list,
				      when->family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6)) {
		message = xasprintf(
			"this step is never reached: the endpoint \"%s\" has no %s address",
			endpoint->name, when->family == AF_INET ? "IPv4" : "IPv6");
		error_at(loader, place, message, "give it one: families: [ipv4, ipv6]");
		return false;
	}
	if (when->has_window && when->window.from == TIME_FROM_COMMAND &&
	    ((when->window.from_ns > 0 && !step->each) || when->window.every_ns || !step->ending)) {
		error_at(loader, place,
			 step->ending ? "an outage by command begins at once, and each time anew"
				      : "an outage by command must say how connections end",
			 "for example \"restart 5s from command\", or \"down 5s from command "
			 "ending close\"");
		return false;
	}
	if (step->ending && step->ending != STEP_ENDS_PAUSE &&
	    when->window.from != TIME_FROM_COMMAND && when->window.from_ns == 0 &&
	    !when->window.every_ns) {
		error_at(loader, place,
			 "there is nothing to end: no connection is established when this outage "
			 "begins",
			 "let it begin later, for example \"down 1s..6s ending reset\"");
		return false;
	}
	if (when->has_window && when->window.from != TIME_FROM_COMMAND &&
	    when->window.from_ns >= loader->scenario->timeout_ns) {
		message = xasprintf("this step is never reached: its time begins after the "
				    "scenario's timeout of %s",
				    duration_format_exact(loader->scenario->timeout_ns, timeout));
		error_at(loader, place, message, "give the scenario a longer timeout");
		return false;
	}
	return true;
}

/*
 * Finds the step that takes all attempts of the step at @index, in the same list; SIZE_MAX: none.
 * @conditional: indices of the steps with a condition, which come before all others.
 */
static size_t covering_step(const struct script *script, const size_t *conditional, size_t n,
			    size_t index)
{
	const struct step *step = &script->steps[index];
	static const struct condition any = {.given = true, .chance = CHANCE_ALWAYS};

	for (size_t k = 0; k < n; k++) {
		const size_t i = conditional[k];
		const struct step *other = &script->steps[i];

		if (i == index || other->list != step->list || other->repeat_explicit ||
		    (step->when.given && i > index))
			continue;
		if (condition_covers(&other->when, step->when.given ? &step->when : &any))
			return i;
	}
	return SIZE_MAX;
}

void check_conditions(struct loader *loader, const struct endpoint_spec *endpoint)
{
	const struct script *script = &endpoint->script;
	AUTO_FREE size_t *conditional = xmalloc((MAX_CONDITIONAL + 1) * sizeof(*conditional));
	size_t n = 0;

	for (size_t i = 0; i < script->n_steps; i++) {
		if (!script->steps[i].when.given)
			continue;
		if (n == MAX_CONDITIONAL) {
			diag_add(loader->diags, &endpoint->step_places[i],
				 "an endpoint can have %d steps with a condition at most",
				 MAX_CONDITIONAL);
			return;
		}
		conditional[n++] = i;
	}
	for (size_t i = 0; i < script->n_steps; i++) {
		AUTO_FREE char *message = NULL;
		size_t other;

		if (script->steps[i].when.given && !check_alone(loader, endpoint, i))
			continue;
		other = covering_step(script, conditional, n, i);
		if (other == SIZE_MAX)
			continue;
		message = xasprintf(
			"this step is never reached: the one in line %u takes all of its attempts",
			endpoint->step_places[other].line);
		error_at(loader, &endpoint->step_places[i], message,
			 script->steps[i].when.given ? "put it before that one"
						     : "leave it out, or give it a condition");
	}
}
