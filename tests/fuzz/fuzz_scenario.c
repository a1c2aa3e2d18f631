/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the loader of scenario files. The input is the content of one. */
#include "runner/scenario/load.h"
#include "runner/scenario/substitute.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const struct scenario *scenario, const char *text)
{
	static const struct endpoint_values endpoint = {"::1", {"127.0.0.1", "::1"}, 80};
	AUTO_FREE struct endpoint_values *endpoints =
		xzalloc(scenario->n_endpoints * sizeof(*endpoints));
	struct substitution values = {scenario, endpoints, "/tmp", "/"};
	AUTO_FREE char *message = NULL, *hint = NULL, *result = NULL;
	size_t offset, length;

	REQUIRE(substitute_check(scenario, text, &offset, &length, &message, &hint));
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		endpoints[i] = endpoint;
	result = substitute(&values, text);
	REQUIRE(result);
}

static void check_endpoint(const struct scenario *scenario, const struct endpoint_spec *endpoint)
{
	REQUIRE(endpoint->name[0]);
	REQUIRE(endpoint->n_families >= 1 && endpoint->n_families <= ENDPOINT_MAX_ADDRESSES);
	REQUIRE(endpoint->script.n_steps >= 1);
	for (size_t i = 0; i < endpoint->script.n_steps; i++)
		REQUIRE(endpoint->step_places[i].line > 0);
	REQUIRE((endpoint->serve == SERVE_COMMAND) == (endpoint->serve_command != NULL));
	for (size_t i = 0; endpoint->serve_command && endpoint->serve_command[i]; i++)
		check_text(scenario, endpoint->serve_command[i]);
}

static void check_range(const struct range *range)
{
	REQUIRE(range->low >= 0 && range->low <= range->high);
}

static void check_policy(const struct policy *policy)
{
	switch (policy->kind) {
	case POLICY_FIXED:
		REQUIRE(policy->base_ns >= 0);
		break;
	case POLICY_RANGE:
		REQUIRE(policy->base_ns >= 0 && policy->cap_ns >= policy->base_ns);
		break;
	case POLICY_LINEAR:
	case POLICY_EXPONENTIAL:
		REQUIRE(policy->base_ns > 0 && policy->cap_ns >= policy->base_ns);
		REQUIRE(policy->factor >= 1 && policy->factor <= 1000);
		REQUIRE(policy->jitter_percent >= 0 && policy->jitter_percent <= 100);
		break;
	case POLICY_LIST:
		REQUIRE(policy->n_list >= 1);
		for (size_t i = 0; i < policy->n_list; i++)
			check_range(&policy->list[i]);
		break;
	case POLICY_N_KINDS:
		REQUIRE(false);
	}
}

static void check_target(const struct scenario *scenario, const struct target *target)
{
	REQUIRE(target->endpoint == ALL_ENDPOINTS || target->endpoint < scenario->n_endpoints);
	REQUIRE(target->family <= N_FAMILIES);
	REQUIRE(target->endpoint != ALL_ENDPOINTS || target->family != N_FAMILIES);
	REQUIRE(target->ordinal == 0 ||
		(target->family != N_FAMILIES && target->ordinal <= ENDPOINT_MAX_ADDRESSES));
}

static void check_expectation(const struct scenario *scenario,
			      const struct expectation *expectation)
{
	REQUIRE(expectation->place.line > 0);
	REQUIRE(expectation->endpoint == ALL_ENDPOINTS ||
		expectation->endpoint < scenario->n_endpoints);
	REQUIRE(expectation->tolerance.absolute_ns >= 0);
	REQUIRE(expectation->tolerance.relative >= 0 && expectation->tolerance.relative <= 1);
	switch (expectation->kind) {
	case EXPECT_EXIT:
		REQUIRE((expectation->value.exit.n_codes > 0) + expectation->value.exit.nonzero +
				(expectation->value.exit.signal > 0) ==
			1);
		break;
	case EXPECT_DURATION:
	case EXPECT_ATTEMPTS:
	case EXPECT_RETRANSMISSIONS:
	case EXPECT_CONNECTED:
	case EXPECT_RECEIVED:
	case EXPECT_SENT:
	case EXPECT_CONNECT_TIMEOUT:
	case EXPECT_READ_TIMEOUT:
	case EXPECT_CONNECTING:
	case EXPECT_TOTAL_BACKOFF:
	case EXPECT_CONCURRENT_ATTEMPTS:
	case EXPECT_LEAKS:
	case EXPECT_CONCURRENT_CONNECTIONS:
	case EXPECT_STALE:
	case EXPECT_RECONNECTS:
		check_range(&expectation->value.range.range);
		break;
	case EXPECT_BACKOFF:
	case EXPECT_ATTEMPT_DELAY:
		check_policy(&expectation->value.policy);
		break;
	case EXPECT_STDOUT:
	case EXPECT_STDERR:
		REQUIRE(expectation->value.text.text[0]);
		break;
	case EXPECT_HERD:
		REQUIRE(expectation->value.herd.max > 0);
		REQUIRE(expectation->value.herd.within_ns > 0);
		break;
	case EXPECT_ENDED:
		REQUIRE(expectation->value.ended.n_ends > 0);
		REQUIRE(!expectation->value.ended.each || expectation->value.ended.n_ends == 1);
		break;
	case EXPECT_GIVES_UP:
		REQUIRE(expectation->value.gives_up.after_ns > 0);
		REQUIRE(expectation->value.gives_up.attempts >= 0);
		break;
	case EXPECT_ORDER:
		REQUIRE(expectation->value.order.n_targets >= 2);
		for (size_t i = 0; i < expectation->value.order.n_targets; i++)
			check_target(scenario, &expectation->value.order.targets[i]);
		break;
	case EXPECT_FALLBACK:
		check_target(scenario, &expectation->value.fallback.from);
		check_target(scenario, &expectation->value.fallback.to);
		check_range(&expectation->value.fallback.within);
		break;
	case EXPECT_RETRY_ON:
		REQUIRE(expectation->value.endings < 1u << ENDING_N_KINDS);
		break;
	case EXPECT_N_KINDS:
		abort();
	}
}

static void check_scenario(const struct scenario *scenario)
{
	const struct client_spec *client = &scenario->client;

	REQUIRE(scenario->name[0] && !strpbrk(scenario->name, "\n\r\t"));
	REQUIRE(scenario->timeout_ns > 0);
	REQUIRE(scenario->tags);
	REQUIRE(scenario->n_endpoints >= 1);
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		check_endpoint(scenario, &scenario->endpoints[i]);
	REQUIRE(client->command[0] && client->command[0][0]);
	for (size_t i = 0; client->command[i]; i++)
		check_text(scenario, client->command[i]);
	for (size_t i = 0; i < client->n_env; i++) {
		REQUIRE(client->env[i].name[0] && !strchr(client->env[i].name, '='));
		check_text(scenario, client->env[i].value);
	}
	for (size_t i = 0; i < client->n_files; i++) {
		REQUIRE(client->files[i].name[0] && client->files[i].name[0] != '/');
		REQUIRE(strcmp(client->files[i].name, "..") != 0);
		REQUIRE(strncmp(client->files[i].name, "../", 3) != 0);
		REQUIRE(!strstr(client->files[i].name, "/../"));
		check_text(scenario, client->files[i].content);
	}
	REQUIRE(scenario->n_expectations >= 1);
	for (size_t i = 0; i < scenario->n_expectations; i++)
		check_expectation(scenario, &scenario->expectations[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scenario_file *file = scenario_file_parse("a.yaml", (const char *)data, size);
	struct diag_source source = {0};
	size_t n_diags = 0;

	REQUIRE(file->n_scenarios + file->n_broken >= 1);
	for (size_t i = 0; i < file->n_scenarios; i++) {
		REQUIRE(file->scenarios[i]->index == i);
		check_scenario(file->scenarios[i]);
	}
	for (size_t i = 0; i < file->n_broken; i++) {
		REQUIRE(file->broken[i].name && file->broken[i].line > 0);
		REQUIRE(file->broken[i].first_diag == n_diags && file->broken[i].n_diags >= 1);
		n_diags += file->broken[i].n_diags;
	}
	REQUIRE(file->diags.n_items == n_diags);
	source.text = file->source;
	source.length = file->source_length;
	for (size_t i = 0; i < n_diags; i++) {
		AUTO_STRBUF struct strbuf text = {0};

		REQUIRE(file->diags.items[i].message[0]);
		diag_format(&file->diags.items[i], &source, false, &text);
	}
	scenario_file_free(file);
	return 0;
}
