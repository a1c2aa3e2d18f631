/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References to what is known only when a scenario runs: see substitute.h. */
#include "runner/scenario/substitute.h"

#include "common/text.h"
#include "runner/scenario/reference.h"

#include <ctype.h>

static const char *const field_names[] = {"host", "port", "ipv4", "ipv6", NULL};

enum field_kind { FIELD_HOST, FIELD_PORT, FIELD_IPV4, FIELD_IPV6, FIELD_NONE };

/* The inside of a reference, split at its first point. */
struct reference {
	size_t length; /* of the whole, with ${ and } */
	char *name;
	char *field; /* points into .name's memory; NULL: none */
};

/* Splits a reference. False: it has no end. */
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

static enum field_kind field_kind(const char *field)
{
	for (size_t i = 0; field && field_names[i]; i++)
		if (strcmp(field, field_names[i]) == 0)
			return (enum field_kind)i;
	return FIELD_NONE;
}

static bool is_plain(const char *name)
{
	return strcmp(name, "tmp") == 0 || strcmp(name, "dir") == 0;
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
	if (nearest)
		*ret_hint = xasprintf("did you mean \"${%s%s%s}\"?", nearest,
				      reference->field ? "." : "",
				      reference->field ? reference->field : "");
	else
		*ret_hint = xasprintf("for a literal ${%s} write $${%s}; variables of the "
				      "environment are not replaced",
				      reference->name, reference->name);
}

/* Whether a reference means something; writes message and hint when it does not. */
static bool check_one(const struct scenario *scenario, const struct reference *reference,
		      char **ret_message, char **ret_hint)
{
	size_t index = scenario_endpoint(scenario, reference->name);
	enum field_kind kind = field_kind(reference->field);
	enum family family = kind == FIELD_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
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
	if (endpoint_has_family(&scenario->endpoints[index], family))
		return true;
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
	case FIELD_IPV4:
		address = endpoint->address[FAMILY_IPV4];
		break;
	case FIELD_IPV6:
		address = endpoint->address[FAMILY_IPV6];
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

/* "my-api" as a part of a variable's name: "MY_API". Owned by the caller. */
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
	size_t n = 0;
	/* At most five for each endpoint, two for directories, the end. */
	char **variables = xzalloc((scenario->n_endpoints * 5 + 3) * sizeof(*variables));

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_values *endpoint = &values->endpoints[i];
		AUTO_FREE char *part = variable_part(scenario->endpoints[i].name);
		AUTO_STRBUF struct strbuf both = {0};

		add_host_and_port(endpoint, &both);
		variables[n++] = xasprintf("SYNFAULT_%s=%s", part, strbuf_text(&both));
		variables[n++] = xasprintf("SYNFAULT_%s_HOST=%s", part, endpoint->host);
		variables[n++] = xasprintf("SYNFAULT_%s_PORT=%u", part, endpoint->port);
		if (endpoint->address[FAMILY_IPV4])
			variables[n++] = xasprintf("SYNFAULT_%s_IPV4=%s", part,
						   endpoint->address[FAMILY_IPV4]);
		if (endpoint->address[FAMILY_IPV6])
			variables[n++] = xasprintf("SYNFAULT_%s_IPV6=%s", part,
						   endpoint->address[FAMILY_IPV6]);
	}
	if (values->tmp)
		variables[n++] = xasprintf("SYNFAULT_TMP=%s", values->tmp);
	if (values->dir)
		variables[n++] = xasprintf("SYNFAULT_DIR=%s", values->dir);
	return variables;
}
