/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces references to values that are known only when a scenario runs: see substitute.h. */
#include "runner/scenario/substitute.h"

#include "common/text.h"
#include "runner/scenario/reference.h"

#include <ctype.h>

static const char *const field_names[] = {"host", "port", "ipv4", "ipv6", NULL};

enum field_kind { FIELD_HOST, FIELD_PORT, FIELD_ADDRESS, FIELD_NONE };

/* The inside of a reference, split at its first dot. */
struct reference {
	size_t length; /* of the whole, with ${ and } */
	char *name;
	char *field; /* points into .name's memory; NULL: none */
};

/* Splits a reference. Returns false if it has no end. */
static bool reference_split(const char *text, struct reference *ret)
{
	const char *end = strchr(text, '}');
	char *point;

	if (!end)
		return false;
	ret->length = (size_t)(end + 1 - text);
	ret->name = xstrndup(text + 2, (size_t)(end - text - 2));
	point = strchr(ret->name, '.');
	if (point)
		*point++ = '\0';
	ret->field = point;
	return true;
}

static void reference_free(struct reference *reference)
{
	free(reference->name);
}

/* Reads family and number from "ipv4", "ipv4.2", … Returns false if it is none of these. */
static bool parse_address_field(const char *field, enum family *ret_family, size_t *ret_ordinal)
{
	const char *rest = field ? field + 4 : NULL;
	size_t ordinal = 0;

	if (!field || (strncmp(field, "ipv4", 4) != 0 && strncmp(field, "ipv6", 4) != 0))
		return false;
	if (*rest == '.' && rest[1] >= '1' && rest[1] <= '9') {
		for (rest++; *rest >= '0' && *rest <= '9' && ordinal < 1000; rest++)
			ordinal = ordinal * 10 + (size_t)(*rest - '0');
	} else {
		ordinal = 1;
	}
	if (*rest)
		return false;
	*ret_family = field[3] == '4' ? FAMILY_IPV4 : FAMILY_IPV6;
	*ret_ordinal = ordinal;
	return true;
}

static enum field_kind field_kind(const char *field)
{
	enum family family;
	size_t ordinal;

	if (parse_address_field(field, &family, &ordinal))
		return FIELD_ADDRESS;
	if (field && strcmp(field, "host") == 0)
		return FIELD_HOST;
	return field && strcmp(field, "port") == 0 ? FIELD_PORT : FIELD_NONE;
}

static bool is_plain(const char *name)
{
	return strcmp(name, "tmp") == 0 || strcmp(name, "dir") == 0;
}

/*
 * Finds a remedy for a reference in another tool's form: "api_port", "api:port", "api-host" and
 * "{ matrix.x". Owned by the caller; or NULL.
 */
static char *hint_part(const struct scenario *scenario, const char *name)
{
	static const char *const parts[] = {"host", "port", "ipv4", "ipv6"};

	if (*name == '{')
		return xasprintf("a reference has one pair of braces: ${%s}",
				 name + 1 + strspn(name + 1, " "));
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const char *endpoint = scenario->endpoints[i].name;
		size_t length = strlen(endpoint);

		if (strncmp(name, endpoint, length) != 0 || !name[length] ||
		    !strchr("_:-", name[length]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
			if (strcmp(name + length + 1, parts[k]) == 0)
				return xasprintf("did you mean \"${%s.%s}\"?", endpoint, parts[k]);
	}
	return NULL;
}

static void unknown_name(const struct scenario *scenario, const struct reference *reference,
			 char **ret_message, char **ret_hint)
{
	AUTO_FREE const char **names = xzalloc((scenario->n_endpoints + 3) * sizeof(*names));
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		names[n++] = scenario->endpoints[i].name;
	names[n++] = "tmp";
	names[n++] = "dir";
	if (strcmp(reference->name, "matrix") == 0) {
		*ret_message = xstrdup("this document has no \"matrix\"");
		return;
	}
	if (!*reference->name) {
		*ret_message = xstrdup("this reference names nothing");
		*ret_hint = xstrdup("for a literal ${ write $${");
		return;
	}
	nearest = text_nearest(reference->name, names);
	*ret_message = xasprintf("there is no endpoint \"%s\"", reference->name);
	*ret_hint = hint_part(scenario, reference->name);
	if (*ret_hint)
		return;
	if (nearest)
		*ret_hint = xasprintf("did you mean \"${%s%s%s}\"?", nearest,
				      reference->field ? "." : "",
				      reference->field ? reference->field : "");
	else
		*ret_hint = xasprintf("for a literal ${%s} write $${%s}; variables of the "
				      "environment are not replaced",
				      reference->name, reference->name);
}

/* Checks a reference. Returns false with a message and perhaps a hint. */
static bool check_one(const struct scenario *scenario, const struct reference *reference,
		      char **ret_message, char **ret_hint)
{
	size_t index = scenario_endpoint(scenario, reference->name);
	enum field_kind kind = field_kind(reference->field);
	const struct endpoint_spec *endpoint;
	enum family family;
	size_t ordinal = 0, count;
	const char *nearest;

	if (index == SIZE_MAX && is_plain(reference->name)) {
		if (!reference->field)
			return true;
		*ret_message = xasprintf("\"${%s}\" has no parts", reference->name);
		*ret_hint = xasprintf("write ${%s}", reference->name);
		return false;
	}
	if (index == SIZE_MAX) {
		unknown_name(scenario, reference, ret_message, ret_hint);
		return false;
	}
	if (!reference->field || kind == FIELD_HOST || kind == FIELD_PORT)
		return true;
	if (kind == FIELD_NONE) {
		nearest = text_nearest(reference->field, field_names);
		*ret_message = xasprintf("an endpoint has no \"%s\"", reference->field);
		*ret_hint =
			nearest ? xasprintf("did you mean \"${%s.%s}\"?", reference->name, nearest)
				: xstrdup("it has host, port, ipv4 and ipv6");
		return false;
	}
	endpoint = &scenario->endpoints[index];
	(void)parse_address_field(reference->field, &family, &ordinal);
	count = endpoint_count(endpoint, family);
	if (ordinal <= count)
		return true;
	if (count > 0) {
		*ret_message = xasprintf(
			"the endpoint \"%s\" has %zu %s address%s, not %zu", reference->name, count,
			family == FAMILY_IPV4 ? "IPv4" : "IPv6", count > 1 ? "es" : "", ordinal);
		*ret_hint = xasprintf("give it more: addresses: [ipv4, ipv4, ...]");
		return false;
	}
	*ret_message = xasprintf("the endpoint \"%s\" has no %s address", reference->name,
				 family == FAMILY_IPV4 ? "IPv4" : "IPv6");
	*ret_hint = xasprintf("give it one: families: [ipv4, ipv6]");
	return false;
}

bool substitute_check(const struct scenario *scenario, const char *text, size_t *ret_offset,
		      size_t *ret_length, char **ret_message, char **ret_hint)
{
	const char *at = reference_find(text);

	*ret_message = *ret_hint = NULL;
	for (; at; at = reference_find(at)) {
		CLEANUP(reference_free) struct reference reference = {0};

		*ret_offset = (size_t)(at - text);
		if (!reference_split(at, &reference)) {
			*ret_length = 2;
			*ret_message = xstrdup("this reference has no closing \"}\"");
			*ret_hint = xstrdup("for a literal ${ write $${");
			return false;
		}
		*ret_length = reference.length;
		if (!check_one(scenario, &reference, ret_message, ret_hint))
			return false;
		at += reference.length;
	}
	return true;
}

static void add_host_and_port(const struct endpoint_values *values, struct strbuf *out)
{
	bool literal_ipv6 = strchr(values->host, ':');

	strbuf_printf(out, literal_ipv6 ? "[%s]:%u" : "%s:%u", values->host, values->port);
}

static void add_value(const struct substitution *values, const struct reference *reference,
		      struct strbuf *out)
{
	size_t index = scenario_endpoint(values->scenario, reference->name);
	const struct endpoint_values *endpoint;
	const char *address = NULL;
	enum family family = FAMILY_IPV4;
	size_t ordinal = 0, at;

	if (index == SIZE_MAX) {
		const char *directory =
			strcmp(reference->name, "tmp") == 0 ? values->tmp : values->dir;

		strbuf_puts(out, directory ? directory : "");
		return;
	}
	endpoint = &values->endpoints[index];
	switch (field_kind(reference->field)) {
	case FIELD_HOST:
		address = endpoint->host;
		break;
	case FIELD_PORT:
		strbuf_printf(out, "%u", endpoint->port);
		break;
	case FIELD_ADDRESS:
		(void)parse_address_field(reference->field, &family, &ordinal);
		at = endpoint_address(&values->scenario->endpoints[index], family, ordinal);
		address = at < ENDPOINT_MAX_ADDRESSES ? endpoint->addresses[at] : NULL;
		break;
	case FIELD_NONE:
		add_host_and_port(endpoint, out);
		break;
	}
	if (address)
		strbuf_puts(out, address);
}

char *substitute(const struct substitution *values, const char *text)
{
	struct strbuf out = {0};

	while (*text) {
		CLEANUP(reference_free) struct reference reference = {0};
		size_t plain = strcspn(text, "$");

		strbuf_add(&out, text, plain);
		text += plain;
		if (strncmp(text, "$${", 3) == 0) {
			strbuf_puts(&out, "${");
			text += 3;
		} else if (strncmp(text, "${", 2) == 0 && reference_split(text, &reference)) {
			add_value(values, &reference, &out);
			text += reference.length;
		} else if (*text) {
			strbuf_putc(&out, *text++);
		}
	}
	return strbuf_steal(&out);
}

char **substitute_strv(const struct substitution *values, char *const *strv)
{
	size_t length = strv_length(strv);
	char **result = xzalloc((length + 1) * sizeof(*result));

	for (size_t i = 0; i < length; i++)
		result[i] = substitute(values, strv[i]);
	return result;
}

/* Turns "my-api" into a part of a variable's name: "MY_API". Owned by the caller. */
static char *variable_part(const char *name)
{
	char *part = xstrdup(name);

	for (char *at = part; *at; at++)
		*at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
	return part;
}

char **substitute_environment(const struct substitution *values)
{
	const struct scenario *scenario = values->scenario;
	size_t n = 0, n_addresses = 0;
	char **variables;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		n_addresses += scenario->endpoints[i].n_families;
	/* Three for each endpoint and one for each address, two for directories, the end. */
	variables = xzalloc((scenario->n_endpoints * 3 + n_addresses + 3) * sizeof(*variables));
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];
		const struct endpoint_values *endpoint = &values->endpoints[i];
		AUTO_FREE char *part = variable_part(scenario->endpoints[i].name);
		AUTO_STRBUF struct strbuf both = {0};

		add_host_and_port(endpoint, &both);
		variables[n++] = xasprintf("SYNFAULT_%s=%s", part, strbuf_text(&both));
		variables[n++] = xasprintf("SYNFAULT_%s_HOST=%s", part, endpoint->host);
		variables[n++] = xasprintf("SYNFAULT_%s_PORT=%u", part, endpoint->port);
		for (size_t k = 0; k < spec->n_families; k++) {
			size_t ordinal = endpoint_ordinal(spec, k);
			AUTO_FREE char *number =
				ordinal > 1 ? xasprintf("_%zu", ordinal) : xstrdup("");

			variables[n++] =
				xasprintf("SYNFAULT_%s_%s%s=%s", part,
					  spec->families[k] == FAMILY_IPV4 ? "IPV4" : "IPV6",
					  number, endpoint->addresses[k]);
		}
	}
	if (values->tmp)
		variables[n++] = xasprintf("SYNFAULT_TMP=%s", values->tmp);
	if (values->dir)
		variables[n++] = xasprintf("SYNFAULT_DIR=%s", values->dir);
	return variables;
}
