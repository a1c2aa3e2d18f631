/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios: names of enums, lookups, and freeing. See scenario.h. */
#include "runner/scenario/scenario.h"

#include <sys/wait.h>

const char *const family_names[] = {
	[FAMILY_IPV4] = "ipv4",
	[FAMILY_IPV6] = "ipv6",
	[N_FAMILIES] = NULL,
};

const char *family_name(enum family family)
{
	return family_names[family];
}

const char *const time_mode_names[] = {
	[TIME_REAL] = "real",
	[TIME_VIRTUAL] = "virtual",
	[TIME_AUTO] = "auto",
	[TIME_N_MODES] = NULL,
};

const char *time_mode_name(enum time_mode mode)
{
	return time_mode_names[mode];
}

const char *expectation_kind_name(enum expectation_kind kind)
{
#define KEY(kind, key, ...) [EXPECT_##kind] = (key),
	static const char *const names[] = {EXPECTATION_KINDS(KEY)};
#undef KEY

	return names[kind];
}

size_t endpoint_count(const struct endpoint_spec *endpoint, enum family family)
{
	size_t n = 0;

	for (size_t i = 0; i < endpoint->n_families; i++)
		n += endpoint->families[i] == family;
	return n;
}

size_t endpoint_address(const struct endpoint_spec *endpoint, enum family family, size_t ordinal)
{
	for (size_t i = 0; i < endpoint->n_families; i++)
		if (endpoint->families[i] == family && --ordinal == 0)
			return i;
	return SIZE_MAX;
}

size_t endpoint_ordinal(const struct endpoint_spec *endpoint, size_t index)
{
	size_t ordinal = 1;

	for (size_t i = 0; i < index; i++)
		ordinal += endpoint->families[i] == endpoint->families[index];
	return ordinal;
}

bool endpoint_has_family(const struct endpoint_spec *endpoint, enum family family)
{
	return endpoint_count(endpoint, family) > 0;
}

bool endpoint_list_has_family(const struct endpoint_spec *endpoint, uint32_t list,
			      enum family family)
{
	for (size_t i = 0; i < endpoint->n_families; i++)
		if (endpoint->lists[i] == list && endpoint->families[i] == family)
			return true;
	return false;
}

static uint32_t n_slots(const struct endpoint_spec *endpoint)
{
	return (uint32_t)MAX(endpoint_count(endpoint, FAMILY_IPV4),
			     endpoint_count(endpoint, FAMILY_IPV6));
}

bool endpoint_has_literal(const struct endpoint_spec *endpoint)
{
	for (size_t i = 0; i < endpoint->n_families; i++)
		if (endpoint->literals[i].family)
			return true;
	return false;
}

/* Returns the slot whose address this is, or UINT32_MAX: 127.0.0.1 belongs to slot 0. */
static uint32_t slot_of(const struct address *literal)
{
	const uint8_t *bytes = literal->bytes;

	if (literal->family == AF_INET)
		return ((uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]) - 1;
	/* Of the IPv6 addresses that a file may name, only ::1 belongs to a slot. */
	return literal->family == AF_INET6 && bytes[0] == 0 ? 0 : UINT32_MAX;
}

/*
 * Returns the slot above the literal addresses among the @n slots at @from; @from if there are
 * none.
 */
static uint32_t above_literals(const struct scenario *scenario, uint32_t from, uint32_t n)
{
	uint32_t above = from;

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *endpoint = &scenario->endpoints[i];

		for (size_t k = 0; k < endpoint->n_families; k++) {
			uint32_t slot = slot_of(&endpoint->literals[k]);

			if (endpoint->literals[k].family && slot >= from && slot - from < n)
				above = MAX(above, slot + 1);
		}
	}
	return above;
}

uint32_t scenario_set_slots(struct scenario *scenario)
{
	uint32_t slot = 0, n = 0, above;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		n += n_slots(&scenario->endpoints[i]);
	while ((above = above_literals(scenario, slot, n)) > slot)
		slot = above;
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		scenario->endpoints[i].slot = slot;
		slot += n_slots(&scenario->endpoints[i]);
	}
	return slot;
}

uint32_t scenario_n_slots(const struct scenario *scenario)
{
	const struct endpoint_spec *last;

	if (scenario->n_endpoints == 0)
		return 0;
	last = &scenario->endpoints[scenario->n_endpoints - 1];
	return last->slot + n_slots(last);
}

uint32_t scenario_n_clients(const struct scenario *scenario)
{
	return MAX(scenario->n_clients, 1U);
}

uint32_t scenario_n_instances(const struct scenario *scenario)
{
	return scenario_n_clients(scenario) * MAX(scenario->n_repeats, 1U);
}

bool scenario_has_remote(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		if (scenario->endpoints[i].remote)
			return true;
	return false;
}

bool scenario_shares_remote(const struct scenario *scenario, const struct scenario *other)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *a = &scenario->endpoints[i];

		for (size_t k = 0; a->remote && k < other->n_endpoints; k++) {
			const struct endpoint_spec *b = &other->endpoints[k];

			if (b->remote && a->port == b->port && strcmp(a->remote, b->remote) == 0)
				return true;
		}
	}
	return false;
}

const char *const ending_names[] = {
	[ENDING_REFUSED] = "refused",         [ENDING_UNANSWERED] = "unanswered",
	[ENDING_UNREACHABLE] = "unreachable", [ENDING_RESET] = "reset",
	[ENDING_CLOSED] = "closed",           [ENDING_STALLED] = "stalled",
	[ENDING_CONNECTED] = "connected",     [ENDING_N_KINDS] = NULL,
};

const char *ending_name(enum ending ending)
{
	return ending_names[ending];
}

int64_t scenario_leftover_timeout_ns(const struct scenario *scenario)
{
	if (scenario->has_leftover_timeout)
		return scenario->leftover_timeout_ns;
	for (size_t i = 0; i < scenario->n_expectations; i++)
		if (scenario->expectations[i].kind == EXPECT_GIVES_UP ||
		    scenario->expectations[i].kind == EXPECT_LEAKS)
			return LEFTOVER_TIMEOUT_DEFAULT_NS;
	return 0;
}

size_t scenario_endpoint(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		if (strcmp(scenario->endpoints[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

const struct step *scenario_step(const struct scenario *scenario, size_t endpoint, size_t step)
{
	const struct script *script;

	if (!scenario || endpoint >= scenario->n_endpoints)
		return NULL;
	script = &scenario->endpoints[endpoint].script;
	return step < script->n_steps ? &script->steps[step] : NULL;
}

static void endpoint_free(struct endpoint_spec *endpoint)
{
	free(endpoint->name);
	free(endpoint->hostname);
	free(endpoint->remote);
	strv_free(endpoint->serve_command);
	script_free(&endpoint->script);
	free(endpoint->step_places);
}

static void client_free(struct client_spec *client)
{
	strv_free(client->command);
	for (size_t i = 0; i < client->n_env; i++) {
		free(client->env[i].name);
		free(client->env[i].value);
	}
	free(client->env);
	for (size_t i = 0; i < client->n_files; i++) {
		free(client->files[i].name);
		free(client->files[i].content);
	}
	free(client->files);
	free(client->stdin_text);
	free(client->cwd);
}

static void expectation_free(struct expectation *expectation)
{
	const union expected_value *value = &expectation->value;
#define OWNED(kind, key, owned, ...) [EXPECT_##kind] = (owned),
	void *const memory[] = {EXPECTATION_KINDS(OWNED)};
#undef OWNED

	free(memory[expectation->kind]);
}

bool expectation_exit_matches(const struct expectation *expectation, int status)
{
	if (WIFSIGNALED(status))
		return expectation->value.exit.signal > 0 &&
		       WTERMSIG(status) == expectation->value.exit.signal;
	if (expectation->value.exit.nonzero && WEXITSTATUS(status) != 0)
		return true;
	for (size_t i = 0; i < expectation->value.exit.n_codes; i++)
		if (WEXITSTATUS(status) == expectation->value.exit.codes[i])
			return true;
	return false;
}

void scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		endpoint_free(&scenario->endpoints[i]);
	free(scenario->endpoints);
	for (size_t i = 0; i < scenario->n_kernel; i++) {
		free(scenario->kernel[i].path);
		free(scenario->kernel[i].value);
	}
	free(scenario->kernel);
	client_free(&scenario->client);
	strv_free(scenario->requirements.programs);
	strv_free(scenario->requirements.command);
	for (size_t i = 0; i < scenario->n_expectations; i++)
		expectation_free(&scenario->expectations[i]);
	free(scenario->expectations);
	strv_free(scenario->tags);
	free(scenario->path);
	free(scenario->name);
	free(scenario);
}
