/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the "endpoints" of a document: names, addresses, servers and fault scripts. */
#include "runner/scenario/decode_endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "runner/scenario/check_steps.h"
#include "runner/scenario/decode_address.h"
#include "runner/scenario/decode_condition.h"
#include "runner/scenario/decode_policy.h"
#include "runner/scenario/decode_step.h"
#include "runner/scenario/decode_value.h"
#include "runner/scenario/endpoint_names.h"
#include "runner/scenario/rolling.h"

#define READY_DEFAULT_NS (5 * NS_PER_S)

static const char *const serve_choices[] = {"http", "echo", "accept", "none", NULL};
/* A step with what belongs to it, to be sorted. */
struct placed_step {
	struct step step;
	struct place place;
	size_t order;
};

/* Names that mean something else where an endpoint's name is expected; see also policy_words. */
static const char *const reserved_names[] = {"tmp", "dir", "matrix"};

static void decode_families(struct loader *loader, const struct field *field, void *target)
{
	struct endpoint_spec *endpoint = target;
	const struct node *list = field->value;
	bool seen[N_FAMILIES] = {0}, good = list->count > 0;
	size_t n = 0;

	if (!list->count)
		loader_error(loader, list, "an endpoint needs at least one address family");
	for (size_t i = 0; i < list->count; i++) {
		size_t family;

		if (!decode_choice(loader, list->items[i], family_names, &family)) {
			good = false;
		} else if (seen[family]) {
			good = loader_error(loader, list->items[i], "\"%s\" is given twice",
					    list->items[i]->text);
		} else {
			seen[family] = true;
			endpoint->families[n++] = (enum family)family;
		}
	}
	/* After an error it has both families, so that references to them are not errors, too. */
	endpoint->n_families = good ? n : N_FAMILIES;
}

/*
 * Returns what is wrong with a host name (RFC 1123, section 2.1; RFC 1035, section 2.3.4), or NULL.
 */
static const char *hostname_problem(const char *name)
{
	size_t length = strlen(name), label = 0;
	unsigned char address[sizeof(struct in6_addr)];
	bool numeric = true;

	if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
		return "is an address";
	if (length > 253)
		return "is longer than 253 characters";
	for (size_t i = 0; i <= length; i++) {
		unsigned char character = (unsigned char)name[i];

		if (character == '.' || i == length) {
			if (!label)
				return length ? "has an empty label" : "is empty";
			if (label > 63)
				return "has a label longer than 63 characters";
			if (name[i - 1] == '-' || name[i - label] == '-')
				return "has a label that starts or ends with a hyphen";
			if (i < length)
				numeric = true;
			label = 0;
			continue;
		}
		if (character > 127 || (!isalnum(character) && character != '-'))
			return "holds a character other than letters, digits, \"-\" and \".\"";
		if (!isdigit(character))
			numeric = false;
		label++;
	}
	return numeric ? "ends in a number, as only addresses do" : NULL;
}

static void decode_hostname(struct loader *loader, const struct field *field, void *target)
{
	struct endpoint_spec *endpoint = target;
	const char *text, *problem;

	if (!decode_text(loader, field->value, &text))
		return;
	problem = hostname_problem(text);
	if (problem) {
		loader_error(loader, field->value, "the host name \"%s\" %s", text, problem);
		loader_hint(loader, "for example: hostname: %s", field->schema->example);
		return;
	}
	free(endpoint->hostname);
	endpoint->hostname = xstrdup(text);
}

/*
 * Returns the host of "host:port" or "[address]:port", owned by the caller; NULL if there is none.
 */
static char *split_remote(const char *text, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	unsigned char address[sizeof(struct in6_addr)];
	char *host, *end;
	unsigned long port;

	if (!length || !isdigit((unsigned char)colon[1]))
		return NULL;
	port = strtoul(colon + 1, &end, 10);
	if (*end || port < 1 || port > UINT16_MAX)
		return NULL;
	*ret_port = (uint16_t)port;
	if (text[0] == '[' && text[length - 1] == ']') {
		host = xstrndup(text + 1, length - 2);
		if (inet_pton(AF_INET6, host, address) == 1)
			return host;
		free(host);
		return NULL;
	}
	host = xstrndup(text, length);
	if (inet_pton(AF_INET, host, address) == 1 || !hostname_problem(host))
		return host;
	free(host);
	return NULL;
}

static void decode_remote(struct loader *loader, const struct field *field, void *target)
{
	struct endpoint_spec *endpoint = target;
	const char *text;
	uint16_t port;
	char *host;

	if (!decode_text(loader, field->value, &text))
		return;
	host = split_remote(text, &port);
	if (!host) {
		loader_error(loader, field->value, "\"%s\" is not a host and a port", text);
		loader_hint(loader, "for example: remote: %s, or \"[2001:db8::1]:5432\"",
			    field->schema->example);
		return;
	}
	free(endpoint->remote);
	endpoint->remote = host;
	endpoint->port = port;
	/* synfault starts no server for it. */
	endpoint->serve = SERVE_NONE;
}

static const struct schema_key server_keys[] = {
	{"command", "a list of program and arguments",
	 "The server: it must listen on the endpoint's addresses and port.",
	 .example = "[./server, --port, \"${api.port}\"]", .forms = SCHEMA_LIST,
	 .type = SCHEMA_TEXT, .required = true, INTO(struct endpoint_spec, serve_command)},
	{"ready", "a duration", "How long the server may take until it listens.", .example = "10s",
	 .fallback = "5s", .type = SCHEMA_DURATION, .positive = true,
	 INTO(struct endpoint_spec, serve_ready_ns)},
};
static const struct schema schema_server = {"a server", server_keys, ARRAY_SIZE(server_keys)};

static void decode_serve(struct loader *loader, const struct field *field, void *target)
{
	struct endpoint_spec *endpoint = target;
	size_t choice;

	if (field->value->kind == NODE_MAPPING) {
		endpoint->serve = SERVE_COMMAND;
		endpoint->serve_ready_ns = READY_DEFAULT_NS;
		decode_mapping(loader, &schema_server, field->value, field->key, endpoint);
	} else if (decode_choice(loader, field->value, serve_choices, &choice)) {
		endpoint->serve = (enum serve_kind)choice;
	}
}

static void decode_step(struct loader *loader, const struct node *node, bool last,
			struct endpoint_spec *endpoint)
{
	struct step step;

	if (node->kind == NODE_MAPPING ? !decode_conditional(loader, node, &step)
				       : !decode_step_text(loader, node, last, &step))
		return;
	endpoint->step_places[endpoint->script.n_steps] = loader_place(loader, node);
	script_append(&endpoint->script, &step);
}

static bool is_literal(const struct node *node)
{
	return node->kind == NODE_TEXT && is_literal_address(node->text);
}

/* Adds a literal address after the existing ones. */
static void take_literal(struct loader *loader, const struct node *node,
			 struct endpoint_spec *endpoint)
{
	struct address *literal = &endpoint->literals[endpoint->n_families];

	if (decode_literal_address(loader, node, endpoint, literal))
		endpoint->families[endpoint->n_families] =
			literal->family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
}

static void decode_addresses(struct loader *loader, const struct field *field, void *target)
{
	struct endpoint_spec *endpoint = target;
	const struct node *list = field->value;
	size_t n = 0, family;

	if (endpoint->n_families) {
		loader_error(loader, field->key, "\"addresses\" and \"families\" say the same");
		loader_hint(loader, "leave \"families\" out");
		return;
	}
	if (!list->count)
		loader_error(loader, list, "an endpoint needs at least one address");
	if (list->count > ENDPOINT_MAX_ADDRESSES)
		loader_error(loader, list, "an endpoint can have %d addresses at most",
			     ENDPOINT_MAX_ADDRESSES);
	for (size_t i = 0; i < list->count && i < ENDPOINT_MAX_ADDRESSES; i++) {
		/* after an error, too, so that references to later ones are not errors */
		endpoint->families[n] = FAMILY_IPV4;
		endpoint->n_families = n;
		if (is_literal(list->items[i]))
			take_literal(loader, list->items[i], endpoint);
		else if (decode_choice(loader, list->items[i], family_names, &family))
			endpoint->families[n] = (enum family)family;
		n++;
	}
	endpoint->n_families = n;
}

/* Reads the steps of a list into the script. */
static void decode_list(struct loader *loader, const struct node *list, uint32_t number,
			struct endpoint_spec *endpoint)
{
	struct script *script = &endpoint->script;
	size_t first = script->n_steps;

	if (!list->count) {
		loader_error(loader, list, "a fault script needs at least one step");
		loader_hint(loader, "without faults, leave the key out or write [accept]");
		return;
	}
	endpoint->step_places = xrealloc(endpoint->step_places,
					 (first + list->count) * sizeof(*endpoint->step_places));
	for (size_t i = 0; i < list->count; i++)
		decode_step(loader, list->items[i], i + 1 == list->count, endpoint);
	for (size_t i = first; i < script->n_steps; i++)
		script->steps[i].list = number;
}

static void fill_families(struct endpoint_spec *endpoint)
{
	if (endpoint->n_families || endpoint->remote)
		return;
	endpoint->families[0] = FAMILY_IPV4;
	endpoint->n_families = 1;
}

static const struct schema_key faults_named = {
	"ADDRESS",
	"a list of fault steps",
	"The faults of one address (ipv6.2, or as written in \"addresses\"), or of all addresses "
	"of a family without faults of their own (ipv6).",
	.example = "[drop]",
	.forms = SCHEMA_LIST,
	.type = SCHEMA_STEP,
	.mapping_item = &schema_conditional};

static void assign_literal(struct loader *loader, const struct node *key, uint32_t number,
			   struct endpoint_spec *endpoint, bool *assigned)
{
	size_t at = endpoint_literal(endpoint, key->text);

	if (loader->partial)
		return;
	if (at == SIZE_MAX) {
		loader_error(loader, key, "the endpoint has no address %s", key->text);
		loader_hint(loader, "write it into its \"addresses\", too");
		return;
	}
	endpoint->lists[at] = number;
	assigned[at] = true;
}

/* Assigns a list to the addresses that its key in a mapping of faults names. */
static void assign_list(struct loader *loader, const struct node *key, uint32_t number,
			struct endpoint_spec *endpoint, bool *assigned)
{
	enum family family = strncmp(key->text, "ipv4", 4) == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
	const char *rest = key->text + MIN(strlen(key->text), (size_t)4);
	size_t count = endpoint_count(endpoint, family), at;

	if (is_literal(key)) {
		assign_literal(loader, key, number, endpoint, assigned);
		return;
	}
	if ((strncmp(key->text, "ipv4", 4) != 0 && strncmp(key->text, "ipv6", 4) != 0) ||
	    (*rest && (rest[0] != '.' || rest[1] < '1' || rest[1] > '9' ||
		       rest[1 + strspn(rest + 1, "0123456789")] || strlen(rest) > 4))) {
		loader_error(loader, key, "\"%s\" is not an address of an endpoint", key->text);
		loader_hint(loader, "write ipv4, ipv6, or one of several: ipv6.2");
		return;
	}
	if (loader->partial)
		return;
	if (!*rest) {
		size_t n = 0;

		for (size_t i = 0; i < endpoint->n_families; i++) {
			if (endpoint->families[i] != family || assigned[i])
				continue;
			endpoint->lists[i] = number;
			n++;
		}
		if (n > 0)
			return;
		loader_error(loader, key,
			     count ? "all %s addresses have faults of their own"
				   : "the endpoint has no %s address",
			     family == FAMILY_IPV4 ? "IPv4" : "IPv6");
		return;
	}
	at = endpoint_address(endpoint, family, (size_t)atoi(rest + 1));
	if (at != SIZE_MAX) {
		endpoint->lists[at] = number;
		assigned[at] = true;
		return;
	}
	loader_error(loader, key, "the endpoint has %zu %s address%s, not %s", count,
		     family == FAMILY_IPV4 ? "IPv4" : "IPv6", count == 1 ? "" : "es", rest + 1);
	loader_hint(loader, "give it more: addresses: [%s, %s, ...]", family_name(family),
		    family_name(family));
}

static bool is_family(const struct node *key)
{
	return strcmp(key->text, "ipv4") == 0 || strcmp(key->text, "ipv6") == 0;
}

/* Reads faults by address. Single addresses take precedence over a family, in any order. */
static void decode_faults_by_address(struct loader *loader, const struct node *mapping,
				     struct endpoint_spec *endpoint)
{
	bool assigned[ENDPOINT_MAX_ADDRESSES] = {0};
	struct script *script = &endpoint->script;
	uint32_t n = (uint32_t)mapping->count;

	if (!n) {
		loader_error(loader, mapping, "this mapping of addresses to faults is empty");
		loader_hint(loader, "without faults, leave the key out or write [accept]");
		return;
	}
	fill_families(endpoint);
	for (size_t i = 0; i < endpoint->n_families; i++)
		endpoint->lists[i] = n;
	for (int whole_families = 0; whole_families < 2; whole_families++)
		for (uint32_t i = 0; i < n; i++)
			if (is_family(mapping->pairs[i].key) == whole_families)
				assign_list(loader, mapping->pairs[i].key, i, endpoint, assigned);
	script->list_names = xzalloc((n + 2) * sizeof(*script->list_names));
	for (uint32_t i = 0; i < n; i++) {
		struct field entry = {&faults_named, mapping->pairs[i].key,
				      mapping->pairs[i].value};

		script->list_names[i] = xstrdup(entry.key->text);
		if (decode_form(loader, &entry))
			decode_list(loader, entry.value, i, endpoint);
	}
	for (size_t i = 0; i < endpoint->n_families; i++)
		if (endpoint->lists[i] == n && !script->list_names[n])
			script->list_names[n] = xstrdup("others");
}

static void decode_faults(struct loader *loader, const struct field *field, void *target)
{
	struct endpoint_spec *endpoint = target;

	if (field->value->kind == NODE_MAPPING)
		decode_faults_by_address(loader, field->value, endpoint);
	else
		decode_list(loader, field->value, 0, endpoint);
}

static const struct schema_key endpoint_keys[] = {
	{"families", "a list of address families",
	 "The endpoint's address families, in the order in which they resolve.",
	 .example = "[ipv6, ipv4]", .fallback = "[ipv4]", .forms = SCHEMA_LIST,
	 .type = SCHEMA_CHOICE, .choices = family_names, .decode = decode_families},
	{"addresses", "a list of ipv4, ipv6 and loopback addresses, one for each address",
	 "The endpoint's addresses, in the order in which they resolve: to have several of a "
	 "family, or to choose them.",
	 .example = "[ipv6, ipv6, 127.0.0.9]", .forms = SCHEMA_LIST, .type = SCHEMA_ADDRESS,
	 .decode = decode_addresses},
	{"port", "a port number", "The port to listen on; a free one unless given.",
	 .example = "8080", .type = SCHEMA_PORT, .what = "a port", .low = 1, .high = UINT16_MAX,
	 INTO(struct endpoint_spec, port)},
	{"hostname", "a host name",
	 "A name that resolves to the endpoint's addresses inside the scenario.",
	 .example = "api.example.test", .type = SCHEMA_HOSTNAME, .decode = decode_hostname},
	{"serve", "http, echo, accept, none, or a mapping with a command",
	 "What answers at the endpoint: a built-in server, nothing, or a server of your own.",
	 .example = "http", .fallback = "http", .forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
	 .type = SCHEMA_CHOICE, .choices = serve_choices, .mapping = &schema_server,
	 .decode = decode_serve},
	{"remote", "a host and a port",
	 "An existing server, instead of one that synfault starts; the scenario runs in the given "
	 "network namespace.",
	 .example = "db.internal:5432", .type = SCHEMA_REMOTE, .decode = decode_remote},
	{"faults", "a list of fault steps, or a mapping of addresses to such lists",
	 "What happens to successive connection attempts; the last step serves all that follow.",
	 .example = "[refuse x3, delay 300ms, accept]", .fallback = "[accept]",
	 .forms = SCHEMA_LIST | SCHEMA_MAPPING, .type = SCHEMA_STEP,
	 .mapping_item = &schema_conditional, .named = &faults_named, .decode = decode_faults},
};
static const struct schema schema_endpoint_keys = {"an endpoint", endpoint_keys,
						   ARRAY_SIZE(endpoint_keys)};

/* Returns what is wrong with an endpoint's name, or NULL. */
static const char *name_problem(const char *name)
{
	if (!(name[0] >= 'a' && name[0] <= 'z'))
		return "must start with a lower-case letter";
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")])
		return "may hold lower-case letters, digits, \"-\" and \"_\" only";
	for (size_t i = 0; i < ARRAY_SIZE(reserved_names); i++)
		if (strcmp(name, reserved_names[i]) == 0)
			return "is reserved: it has another meaning in references";
	for (size_t i = 0; policy_words[i]; i++)
		if (strcmp(name, policy_words[i]) == 0)
			return "is reserved: it has another meaning in policies";
	return NULL;
}

/* Adds an error for each key that describes a server, beside "remote". */
static void check_remote(struct loader *loader, const struct node *mapping)
{
	static const char *const keys[] = {"port", "hostname", "serve"};
	const struct node *remote = node_get(mapping, "remote");

	for (size_t i = 0; remote && i < ARRAY_SIZE(keys); i++) {
		const struct node *value = node_get(mapping, keys[i]);

		if (!value)
			continue;
		loader_error(loader, value, "\"%s\" and \"remote\" exclude each other", keys[i]);
		loader_hint(loader, "a remote endpoint has a server already; its port comes "
				    "after the host: remote: db.internal:5432");
	}
}

static void decode_endpoint(struct loader *loader, const struct field *field, void *target)
{
	struct endpoint_spec *endpoint = target;

	decode_mapping(loader, &schema_endpoint_keys, field->value, field->key, endpoint);
	check_remote(loader, field->value);
}

const struct schema_key schema_endpoint = {"ENDPOINT",
					   "a mapping of the endpoint's keys",
					   "A place where the client may connect to.",
					   .example = "{serve: http, faults: [refuse, accept]}",
					   .forms = SCHEMA_MAPPING,
					   .mapping = &schema_endpoint_keys,
					   .decode = decode_endpoint};

static void check_name(struct loader *loader, const struct node *name, struct endpoint_names *names)
{
	const char *problem = name_problem(name->text), *other;

	if (problem) {
		AUTO_FREE char *lower = xstrdup(name->text);

		loader_error(loader, name, "the endpoint name \"%s\" %s", name->text, problem);
		for (char *c = lower; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		if (!name_problem(lower))
			loader_hint(loader, "did you mean \"%s\"?", lower);
		return;
	}
	other = endpoint_names_add(names, name->text);
	/* A repeated name is already reported as a repeated key. */
	if (!other)
		return;
	loader_error(loader, name,
		     "the endpoints \"%s\" and \"%s\" would have an environment variable in common",
		     other, name->text);
	loader_hint(loader,
		    "\"-\" becomes \"_\" there, and _HOST, _PORT, _IPV4 and _IPV6 are added "
		    "to a name");
}

/* Ends each list that has only conditions with "accept". */
static void fill_lists(struct endpoint_spec *endpoint, uint32_t n_lists)
{
	struct script *script = &endpoint->script;
	AUTO_FREE bool *filled = xzalloc(n_lists * sizeof(*filled));

	for (size_t i = 0; i < script->n_steps; i++)
		filled[script->steps[i].list] |= !script->steps[i].when.given;
	endpoint->step_places =
		xrealloc(endpoint->step_places,
			 (script->n_steps + n_lists) * sizeof(*endpoint->step_places));
	for (uint32_t list = 0; list < n_lists; list++) {
		if (filled[list])
			continue;
		endpoint->step_places[script->n_steps] = endpoint->place;
		script_append(script,
			      &(struct step){.action = STEP_ACCEPT, .repeat = 1, .list = list});
	}
	/* Return what doubling allocated too much: there may be many scenarios. */
	script->steps = xrealloc(script->steps, script->n_steps * sizeof(*script->steps));
	script->capacity = script->n_steps;
}

static int compare_steps(const void *left, const void *right)
{
	const struct placed_step *a = left, *b = right;

	return COMPARE(a->step.list, b->step.list) ?: COMPARE(a->order, b->order);
}

/* Moves steps that were added at the end behind the other steps of their list. */
static void sort_steps(struct endpoint_spec *endpoint)
{
	struct script *script = &endpoint->script;
	AUTO_FREE struct placed_step *sorted = NULL;
	size_t n = 1;

	/* One list, the usual case, needs no memory for it. */
	while (n < script->n_steps && script->steps[n - 1].list <= script->steps[n].list)
		n++;
	if (n >= script->n_steps)
		return;
	sorted = xzalloc(script->n_steps * sizeof(*sorted));
	for (size_t i = 0; i < script->n_steps; i++)
		sorted[i] = (struct placed_step){script->steps[i], endpoint->step_places[i], i};
	qsort(sorted, script->n_steps, sizeof(*sorted), compare_steps);
	for (size_t i = 0; i < script->n_steps; i++) {
		script->steps[i] = sorted[i].step;
		endpoint->step_places[i] = sorted[i].place;
	}
}

/* Sets the defaults of keys that are not given. */
static void fill_endpoint(struct loader *loader, struct endpoint_spec *endpoint,
			  struct rolling *rolling)
{
	uint32_t n_lists = 1;

	fill_families(endpoint);
	if (!loader->partial) {
		rolling_spread(rolling, loader, endpoint);
		check_conditions(loader, endpoint);
		check_steps(loader, endpoint);
	}
	for (size_t i = 0; i < endpoint->n_families; i++)
		n_lists = MAX(n_lists, endpoint->lists[i] + 1);
	/* in lists with errors, too, so that each list has a step */
	for (size_t i = 0; i < endpoint->script.n_steps; i++)
		n_lists = MAX(n_lists, endpoint->script.steps[i].list + 1);
	fill_lists(endpoint, n_lists);
	sort_steps(endpoint);
}

void decode_endpoints(struct loader *loader, const struct field *field, void *target)
{
	AUTO_ENDPOINT_NAMES struct endpoint_names names = {0};
	struct scenario *scenario = target;
	const struct node *mapping = field->value;
	struct rolling rolling = {0};

	if (!mapping->count && !loader->partial) {
		loader_error(loader, mapping, "a scenario needs at least one endpoint");
		loader_hint(loader, "for example: endpoints: %s", field->schema->example);
		return;
	}
	if (mapping->count > SCENARIO_MAX_SLOTS) {
		loader_error(loader, field->key, "a scenario can have %d endpoints at most",
			     SCENARIO_MAX_SLOTS);
		return;
	}
	scenario->endpoints = xzalloc(mapping->count * sizeof(*scenario->endpoints));
	for (size_t i = 0; i < mapping->count; i++) {
		struct endpoint_spec *endpoint = &scenario->endpoints[scenario->n_endpoints];
		struct field entry = {&schema_endpoint, mapping->pairs[i].key,
				      mapping->pairs[i].value};

		check_name(loader, entry.key, &names);
		endpoint->name = xstrdup(entry.key->text);
		endpoint->place = loader_place(loader, entry.key);
		scenario->n_endpoints++;
		if (decode_form(loader, &entry))
			decode_endpoint(loader, &entry, endpoint);
		fill_endpoint(loader, endpoint, &rolling);
		check_literal_addresses(loader, entry.key, scenario, scenario->n_endpoints - 1);
	}
	rolling_finish(&rolling, loader);
	if (scenario_set_slots(scenario) > SCENARIO_MAX_SLOTS)
		loader_error(loader, field->key, "the endpoints need more than %d addresses",
			     SCENARIO_MAX_SLOTS);
	loader->endpoints_known = !loader->partial;
}
