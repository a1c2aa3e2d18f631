/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading values of the scenario language, whatever mapping they stand in: see decode.h. */
#include "runner/scenario/decode.h"

#include "common/signal_names.h"
#include "common/text.h"
#include "runner/scenario/reference.h"

#include <math.h>

#define COUNT_MAX INT64_C(1000000000)

struct place loader_place(const struct loader *loader, const struct node *node)
{
	return node_place(node, loader->path);
}

bool loader_error(struct loader *loader, const struct node *at, const char *format, ...)
{
	struct place place = node_place(at, loader->path);
	AUTO_FREE char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	message = xvasprintf(format, arguments);
	va_end(arguments);
	diag_add(loader->diags, &place, "%s", message);
	return false;
}

bool loader_error_within(struct loader *loader, const struct node *at, size_t offset, size_t length,
			 const char *format, ...)
{
	struct place place = node_place_within(at, loader->path, offset, length);
	AUTO_FREE char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	message = xvasprintf(format, arguments);
	va_end(arguments);
	diag_add(loader->diags, &place, "%s", message);
	return false;
}

void loader_hint(struct loader *loader, const char *format, ...)
{
	AUTO_FREE char *hint = NULL;
	va_list arguments;

	va_start(arguments, format);
	hint = xvasprintf(format, arguments);
	va_end(arguments);
	diag_hint(loader->diags, "%s", hint);
}

void loader_hint_names(struct loader *loader, const char *word, const char *const *names,
		       const char *introduction)
{
	const char *nearest = text_nearest(word, names);
	AUTO_STRBUF struct strbuf list = {0};

	if (nearest) {
		loader_hint(loader, "did you mean \"%s\"?", nearest);
		return;
	}
	for (size_t i = 0; names[i]; i++) {
		strbuf_puts(&list, i ? ", " : "");
		strbuf_puts(&list, names[i]);
	}
	if (list.length)
		loader_hint(loader, "%s: %s", introduction, strbuf_text(&list));
}

const struct schema_key *schema_find(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->n_keys; i++)
		if (strcmp(schema->keys[i].name, name) == 0)
			return &schema->keys[i];
	return NULL;
}

const struct schema_type_info *schema_type_info(enum schema_type type)
{
#define DURATION_PATTERN "([0-9]+(\\.[0-9]+)?(h|m|s|ms|us))+"
#define PERCENT_PATTERN  "[0-9]+(\\.[0-9]+)?%"
	static const struct schema_type_info infos[] = {
		[SCHEMA_ANY] = {"any value", NULL},
		[SCHEMA_TEXT] = {"text", NULL},
		[SCHEMA_LINE] = {"line", "^[^\\x00-\\x1f\\x7f]*[^ \\x00-\\x1f\\x7f]"
					 "[^\\x00-\\x1f\\x7f]*$"},
		[SCHEMA_WORD] = {"word", "^[^ \\t\\n,]+$"},
		[SCHEMA_CHOICE] = {"choice", NULL},
		[SCHEMA_BOOLEAN] = {"boolean", "^(true|false)$"},
		[SCHEMA_PORT] = {"port", "^[0-9]{1,5}$", 1, 65535},
		[SCHEMA_COUNT] = {"number", "^[0-9]+$"},
		[SCHEMA_ADDRESS] = {"address", "^(ipv4|ipv6|127(\\.[0-9]{1,3}){3}|::1|"
					       "[Ff][CcDd][0-9A-Fa-f]{2}:[0-9A-Fa-f:]*)$"},
		[SCHEMA_REMOTE] = {"host and port",
				   "^([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+$"},
		[SCHEMA_HOSTNAME] = {"hostname", "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"},
		[SCHEMA_FACTOR] = {"factor", "^[0-9]+(\\.[0-9]+)?$", 1, 1000},
		[SCHEMA_COUNT_RANGE] = {"number or range", "^([0-9]+|[0-9]+ *\\.\\.|"
							   "([0-9]+ *)?\\.\\. *[0-9]+)$"},
		[SCHEMA_DURATION] = {"duration", "^" DURATION_PATTERN "$"},
		[SCHEMA_DURATION_RANGE] = {"duration or range",
					   "^(" DURATION_PATTERN "|" DURATION_PATTERN " *\\.\\.|"
					   "(" DURATION_PATTERN " *)?\\.\\. *" DURATION_PATTERN
					   ")$"},
		[SCHEMA_PERCENT] = {"percentage", "^" PERCENT_PATTERN "$"},
		[SCHEMA_TOLERANCE] = {"duration or percentage",
				      "^(" DURATION_PATTERN "|" PERCENT_PATTERN ")$"},
		[SCHEMA_JITTER] = {"jitter",
				   "^(none|full|equal|decorrelated|" PERCENT_PATTERN ")$"},
		[SCHEMA_STATUS] = {"exit status", "^([0-9]{1,3}|nonzero)$", 0, 255},
		[SCHEMA_SIGNAL] = {"signal", "^(SIG)?[A-Z0-9]+$"},
		[SCHEMA_STEP] = {"fault step", "^ *[a-z-]+( .*)?$"},
		[SCHEMA_ATTEMPTS] = {"attempt set",
				     "^ *([0-9]+ *(\\.\\. *([0-9]+)?)?|\\.\\. *[0-9]+)"
				     " *(\\+ *[0-9]*)?$"},
		[SCHEMA_WINDOW] = {"window of time",
				   "^ *(" DURATION_PATTERN ")? *\\.\\. *(" DURATION_PATTERN
				   ")?( *every *" DURATION_PATTERN ")? *$"},
		[SCHEMA_PATTERN] = {"pattern", NULL},
		[SCHEMA_POLICY] = {"policy", "^(grpc|aws-full-jitter|aws-decorrelated-jitter|"
					     "curl-retry|rfc8305|fixed-loop)$"},
	};

	_Static_assert(ARRAY_SIZE(infos) == SCHEMA_N_TYPES, "one entry per type");
	return &infos[type];
}

static void unknown_key(struct loader *loader, const struct schema *schema, const struct node *key)
{
	AUTO_FREE const char **names = xzalloc((schema->n_keys + 1) * sizeof(*names));
	AUTO_FREE char *introduction = xasprintf("%s has the keys", schema->name);

	for (size_t i = 0; i < schema->n_keys; i++)
		names[i] = schema->keys[i].name;
	loader_error(loader, key, "unknown key \"%s\"", key->text);
	loader_hint_names(loader, key->text, names, introduction);
}

bool decode_form(struct loader *loader, const struct field *field)
{
	const struct node *value = field->value;
	const struct schema_key *schema = field->schema;
	unsigned form = value->kind == NODE_TEXT      ? SCHEMA_SCALAR
			: value->kind == NODE_LIST    ? SCHEMA_LIST
			: value->kind == NODE_MAPPING ? SCHEMA_MAPPING
						      : 0;

	if (value->kind == NODE_WRONG)
		return false;
	if (value->kind == NODE_NULL)
		loader_error(loader, field->key, "\"%s\" has no value", field->key->text);
	else if (!(form & schema->forms))
		loader_error(loader, value, "\"%s\" takes %s, not %s", field->key->text,
			     schema->value, node_kind_name(value->kind));
	else
		return true;
	if (schema->example)
		loader_hint(loader, "for example: %s: %s", field->key->text, schema->example);
	return false;
}

void decode_mapping(struct loader *loader, const struct schema *schema, const struct node *mapping,
		    const struct node *at, void *target)
{
	const struct node_pair *found[32] = {0};

	if (schema->n_keys > ARRAY_SIZE(found))
		abort();
	for (size_t i = 0; i < mapping->count; i++) {
		const struct schema_key *key = schema_find(schema, mapping->pairs[i].key->text);

		if (!key)
			unknown_key(loader, schema, mapping->pairs[i].key);
		else if (!found[key - schema->keys])
			found[key - schema->keys] = &mapping->pairs[i];
	}
	for (size_t i = 0; i < schema->n_keys; i++) {
		struct field field = {.schema = &schema->keys[i]};

		if (found[i]) {
			field.key = found[i]->key;
			field.value = found[i]->value;
			if (decode_form(loader, &field))
				field.schema->decode(loader, &field, target);
		} else if (schema->keys[i].required && !loader->partial &&
			   !(loader->attached && schema->keys[i].of_client)) {
			loader_error(loader, at, "%s needs the key \"%s\": %s", schema->name,
				     schema->keys[i].name, schema->keys[i].value);
			loader_hint(loader, "for example: %s: %s", schema->keys[i].name,
				    schema->keys[i].example);
		}
	}
}

bool decode_text(struct loader *loader, const struct node *node, const char **ret)
{
	switch (node->kind) {
	case NODE_TEXT:
		*ret = node->text;
		return true;
	case NODE_NULL:
		loader_error(loader, node, "a text is missing here");
		loader_hint(loader, "put quotes around it: \"%s\"", node->text);
		return false;
	case NODE_LIST:
	case NODE_MAPPING:
		return loader_error(loader, node, "a text has to stand here, not %s",
				    node_kind_name(node->kind));
	case NODE_WRONG:
		break;
	}
	return false;
}

void loader_add_text(struct loader *loader, const struct node *text)
{
	if (reference_find(text->text))
		array_append(loader->texts, loader->n_texts, loader->texts_capacity, text);
}

bool decode_command(struct loader *loader, const struct field *field, char ***ret)
{
	const struct node *list = field->value;
	AUTO_STRV char **command = NULL;
	bool good = true;

	if (!list->count) {
		loader_error(loader, list, "\"%s\" is empty", field->key->text);
		loader_hint(loader, "for example: %s: %s", field->key->text,
			    field->schema->example);
		return false;
	}
	command = xzalloc((list->count + 1) * sizeof(*command));
	for (size_t i = 0; i < list->count; i++) {
		const char *text;

		if (!decode_text(loader, list->items[i], &text)) {
			good = false;
			text = "";
		} else if (i == 0 && !*text) {
			good = loader_error(loader, list->items[i], "the program's name is empty");
		} else {
			loader_add_text(loader, list->items[i]);
		}
		command[i] = xstrdup(text);
	}
	if (good)
		*ret = steal_pointer(&command);
	return good;
}

/* Part of a node's text: an end of a range. */
struct part {
	const struct node *node;
	const char *text; /* terminated instance */
	size_t offset, length;
};

static bool part_error(struct loader *loader, const struct part *part, const char *what)
{
	return loader_error_within(loader, part->node, part->offset, part->length, "\"%s\" %s",
				   part->text, what);
}

static bool parse_duration(struct loader *loader, const struct part *part, int64_t *ret_ns)
{
	const char *reason = "is not a duration";

	if (duration_parse(part->text, ret_ns, &reason) == 0)
		return true;
	part_error(loader, part, reason);
	if (*part->text && part->text[strspn(part->text, "0123456789.")] == '\0')
		loader_hint(loader, "did you mean \"%ss\" or \"%sms\"?", part->text, part->text);
	else
		loader_hint(loader, "a duration is written 300ms, 2s or 1m30s");
	return false;
}

/* Why a text is no whole number, or NULL. */
static const char *parse_digits(const char *text, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	int64_t value = 0;

	if (text[0] == '-' && text[1] && !text[1 + strspn(text + 1, "0123456789.")])
		return "is negative";
	if (digits && text[digits] == '.' && text[digits + 1] &&
	    !text[digits + 1 + strspn(text + digits + 1, "0123456789")])
		return "is not a whole number";
	if (!digits || text[digits])
		return "is not a number";
	for (size_t i = 0; i < digits && value <= COUNT_MAX; i++)
		value = value * 10 + (text[i] - '0');
	*ret = value;
	return NULL;
}

static bool parse_count(struct loader *loader, const struct part *part, int64_t *ret)
{
	const char *reason = parse_digits(part->text, ret), *number = part->text;
	size_t digits;

	if (!reason && *ret > COUNT_MAX)
		reason = "is too large: the limit is 1000000000";
	if (!reason)
		return true;
	part_error(loader, part, reason);
	/* What people write for a range elsewhere. */
	digits = strspn(number, "0123456789");
	if (digits && number[digits] == '-' && number[digits + 1])
		loader_hint(loader, "a range is written %.*s..%s", (int)digits, number,
			    number + digits + 1);
	else if (digits && strcmp(number + digits, "+") == 0)
		loader_hint(loader, "a range without end is written %.*s..", (int)digits, number);
	else if (*number == '>' || *number == '<')
		loader_hint(loader, "a range is written LOW..HIGH, LOW.. or ..HIGH");
	return false;
}

static struct part whole(const struct node *node)
{
	return (struct part){node, node->text, 0, node->count};
}

bool decode_duration(struct loader *loader, const struct node *node, int64_t *ret_ns)
{
	const char *text;
	struct part part;

	if (!decode_text(loader, node, &text))
		return false;
	part = whole(node);
	return parse_duration(loader, &part, ret_ns);
}

bool decode_positive_duration(struct loader *loader, const struct node *node, int64_t *ret_ns)
{
	int64_t duration_ns;

	if (!decode_duration(loader, node, &duration_ns))
		return false;
	if (duration_ns <= 0)
		return loader_error(loader, node, "this duration has to be more than 0");
	*ret_ns = duration_ns;
	return true;
}

bool decode_count(struct loader *loader, const struct node *node, const char *what, int64_t low,
		  int64_t high, int64_t *ret)
{
	const char *text = "", *reason;
	int64_t value;

	if (!decode_text(loader, node, &text))
		return false;
	reason = parse_digits(text, &value);
	if (reason)
		return loader_error(loader, node, "\"%s\" %s: %s is %lld to %lld", text, reason,
				    what, (long long)low, (long long)high);
	if (value < low || value > high)
		return loader_error(loader, node, "%s is out of range: %s is %lld to %lld", text,
				    what, (long long)low, (long long)high);
	*ret = value;
	return true;
}

/* Digits with an optional fraction, whatever the locale says; @text goes on behind it. */
static bool parse_number(const char **text, double *ret)
{
	const char *at = *text;
	double value = 0, scale = 1;

	if (*at < '0' || *at > '9')
		return false;
	while (*at >= '0' && *at <= '9')
		value = value * 10 + (*at++ - '0');
	if (*at == '.') {
		at++;
		if (*at < '0' || *at > '9')
			return false;
		while (*at >= '0' && *at <= '9') {
			scale *= 10;
			if (isfinite(scale))
				value += (*at - '0') / scale;
			at++;
		}
	}
	*text = at;
	*ret = value;
	return true;
}

bool decode_number(struct loader *loader, const struct node *node, double *ret)
{
	const char *text, *end;
	double value;

	if (!decode_text(loader, node, &text))
		return false;
	end = text;
	if (*text == '-')
		return loader_error(loader, node, "\"%s\" is negative", text);
	if (!parse_number(&end, &value) || *end)
		return loader_error(loader, node, "\"%s\" is not a number", text);
	*ret = value;
	return true;
}

bool decode_percent(struct loader *loader, const struct node *node, double *ret_percent)
{
	const char *text, *end;
	double value;

	if (!decode_text(loader, node, &text))
		return false;
	end = text;
	if (*text == '-')
		return loader_error(loader, node, "\"%s\" is negative", text);
	if (!parse_number(&end, &value) || strcmp(end, "%") != 0) {
		bool number = end != text && !*end;

		loader_error(loader, node, "\"%s\" is not a percentage", text);
		if (number)
			loader_hint(loader, "did you mean \"%s%%\"?", text);
		else
			loader_hint(loader, "for example 10%%");
		return false;
	}
	if (value > 100)
		return loader_error(loader, node, "\"%s\" is more than 100%%", text);
	*ret_percent = value;
	return true;
}

typedef bool parse_end(struct loader *loader, const struct part *part, int64_t *ret);

/* Cuts the blanks around part of a text and copies it. */
static struct part cut(const struct node *node, const char *from, const char *to,
		       char **ret_instance)
{
	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	*ret_instance = xstrndup(from, (size_t)(to - from));
	return (struct part){node, *ret_instance, (size_t)(from - node->text), (size_t)(to - from)};
}

static bool decode_range(struct loader *loader, const struct node *node, parse_end *parse,
			 struct range *ret, bool *ret_exact)
{
	AUTO_FREE char *low_text = NULL, *high_text = NULL;
	struct range range = {0, INT64_MAX};
	struct part low, high;
	const char *text, *dots;

	if (!decode_text(loader, node, &text))
		return false;
	dots = strstr(text, "..");
	if (!dots) {
		low = whole(node);
		if (!parse(loader, &low, &range.low))
			return false;
		*ret = (struct range){range.low, range.low};
		*ret_exact = true;
		return true;
	}
	low = cut(node, text, dots, &low_text);
	high = cut(node, dots + 2, text + node->count, &high_text);
	if (!low.length && !high.length) {
		loader_error(loader, node, "a range needs one end at least");
		loader_hint(loader, "a range is written LOW..HIGH, LOW.. or ..HIGH");
		return false;
	}
	if ((low.length && !parse(loader, &low, &range.low)) ||
	    (high.length && !parse(loader, &high, &range.high)))
		return false;
	if (range.low > range.high) {
		loader_error(loader, node, "the range ends before it begins");
		loader_hint(loader, "did you mean \"%s..%s\"?", high_text, low_text);
		return false;
	}
	*ret = range;
	*ret_exact = false;
	return true;
}

bool decode_count_range(struct loader *loader, const struct node *node, struct range *ret,
			bool *ret_exact)
{
	return decode_range(loader, node, parse_count, ret, ret_exact);
}

bool decode_duration_range(struct loader *loader, const struct node *node, struct range *ret,
			   bool *ret_exact)
{
	return decode_range(loader, node, parse_duration, ret, ret_exact);
}

bool decode_choice(struct loader *loader, const struct node *node, const char *const *choices,
		   size_t *ret)
{
	const char *text;

	if (!decode_text(loader, node, &text))
		return false;
	for (size_t i = 0; choices[i]; i++)
		if (strcmp(choices[i], text) == 0) {
			*ret = i;
			return true;
		}
	loader_error(loader, node, "unknown value \"%s\"", text);
	loader_hint_names(loader, text, choices, "one of");
	return false;
}

bool decode_boolean(struct loader *loader, const struct node *node, bool *ret)
{
	static const char *const choices[] = {"false", "true", NULL};
	size_t choice;

	if (!decode_choice(loader, node, choices, &choice))
		return false;
	*ret = choice == 1;
	return true;
}

bool decode_signal(struct loader *loader, const struct node *node, int *ret)
{
	const char *text;

	if (!decode_text(loader, node, &text))
		return false;
	*ret = signal_number(text);
	if (*ret)
		return true;
	loader_error(loader, node, "unknown signal \"%s\"", text);
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	loader_hint_names(loader, text, signal_names(), "signals are");
	return false;
}

static void tolerance_absolute(struct loader *loader, const struct field *field, void *target)
{
	struct tolerance *tolerance = target;

	decode_duration(loader, field->value, &tolerance->absolute_ns);
}

static void tolerance_relative(struct loader *loader, const struct field *field, void *target)
{
	struct tolerance *tolerance = target;
	double percent;

	if (decode_percent(loader, field->value, &percent))
		tolerance->relative = percent / 100;
}

static const struct schema_key tolerance_keys[] = {
	{
		.name = "absolute",
		.value = "a duration",
		.description = "How much later or earlier than expected any time may be.",
		.example = "100ms",
		.fallback = "0s",
		.forms = SCHEMA_SCALAR,
		.type = SCHEMA_DURATION,
		.decode = tolerance_absolute,
	},
	{
		.name = "relative",
		.value = "a percentage",
		.description = "How much later or earlier a time may be as a part of what is "
			       "expected.",
		.example = "5%",
		.fallback = "0%",
		.forms = SCHEMA_SCALAR,
		.type = SCHEMA_PERCENT,
		.decode = tolerance_relative,
	},
};
const struct schema schema_tolerance = {"a tolerance", tolerance_keys, ARRAY_SIZE(tolerance_keys)};

bool decode_tolerance(struct loader *loader, const struct node *node, struct tolerance *ret)
{
	struct tolerance tolerance = {0};
	size_t errors = loader->diags->n_items;
	double percent;

	if (node->kind == NODE_MAPPING) {
		if (!node->count) {
			loader_error(loader, node, "the tolerance is empty");
			loader_hint(loader, "for example {absolute: 100ms, relative: 5%%}");
			return false;
		}
		decode_mapping(loader, &schema_tolerance, node, node, &tolerance);
		if (loader->diags->n_items > errors)
			return false;
	} else if (node->kind == NODE_TEXT && strchr(node->text, '%')) {
		if (!decode_percent(loader, node, &percent))
			return false;
		tolerance.relative = percent / 100;
	} else if (!decode_duration(loader, node, &tolerance.absolute_ns)) {
		return false;
	}
	*ret = tolerance;
	return true;
}
