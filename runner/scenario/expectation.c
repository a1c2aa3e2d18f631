/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds expectations, and finds the endpoints that they are about: see expectation.h. */
#include "runner/scenario/expectation.h"

struct expectation *add_expectation(struct loader *loader, enum expectation_kind kind,
				    const struct node *value)
{
	struct scenario *scenario = loader->scenario;
	struct expectation expectation = {
		.kind = kind,
		.place = loader_place(loader, value),
		.endpoint = ALL_ENDPOINTS,
		.tolerance = loader->tolerance,
	};

	array_append(scenario->expectations, scenario->n_expectations,
		     loader->expectations_capacity, expectation);
	return &scenario->expectations[scenario->n_expectations - 1];
}

bool find_endpoint(struct loader *loader, const struct node *key, bool policies,
		   size_t *ret_endpoint)
{
	const struct scenario *scenario = loader->scenario;
	AUTO_FREE const char **names = NULL;
	size_t endpoint = scenario_endpoint(scenario, key->text), n = 0;

	if (endpoint != SIZE_MAX) {
		*ret_endpoint = endpoint;
		return true;
	}
	*ret_endpoint = ALL_ENDPOINTS;
	if (!loader->endpoints_known)
		return true;
	names = xzalloc((scenario->n_endpoints + 5) * sizeof(*names));
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		names[n++] = scenario->endpoints[i].name;
	if (policies) {
		names[n++] = "fixed";
		names[n++] = "linear";
		names[n++] = "exponential";
		names[n++] = "policy";
		loader_error(loader, key, "\"%s\" is neither an endpoint nor a policy", key->text);
	} else {
		loader_error(loader, key, "there is no endpoint \"%s\"", key->text);
	}
	if (!policies && (strcmp(key->text, "min") == 0 || strcmp(key->text, "max") == 0))
		loader_hint(loader, "a range is written LOW..HIGH, LOW.. or ..HIGH");
	else
		loader_hint_names(loader, key->text, names, "there are");
	return false;
}
