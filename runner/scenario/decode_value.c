/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads nodes into C values by type: see decode_value.h. */
#include "runner/scenario/decode_value.h"

#include "common/signal_names.h"
#include "runner/scenario/reference.h"
#include "runner/scenario/synonyms.h"
#include "runner/scenario/value_hints.h"

#include <math.h>

#define COUNT_MAX INT64_C(1000000000)

enum {
	FACTOR_MIN = 1,
	FACTOR_MAX = 1000,
	HINT_MAX = 100, /* the longest text that a remedy repeats */
};

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
		return loader_error(loader, node, "this must be a text, not %s",
				    node_kind_name(node->kind));
	case NODE_WRONG:
		break;
	}
	return false;
}

static bool decode_command(struct loader *loader, const struct field *field, char ***ret)
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
	const char *text; /* a terminated copy */
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
	AUTO_FREE char *meant = NULL;

	if (duration_parse(part->text, ret_ns, &reason) == 0)
		return true;
	part_error(loader, part, reason);
	meant = duration_meant(part->text);
	if (meant)
		loader_hint(loader, "did you mean %s?", meant);
	else if (!value_hint_range(loader, part->text))
		loader_hint(loader, "a duration is written 300ms, 2s or 1m30s");
	return false;
}

/* Returns why a text is not a whole number, or NULL. */
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
	const char *reason = parse_digits(part->text, ret);

	if (!reason && *ret > COUNT_MAX)
		reason = "is too large: the limit is 1000000000";
	if (!reason)
		return true;
	part_error(loader, part, reason);
	value_hint_range(loader, part->text);
	return false;
}

static struct part whole(const struct node *node)
{
	return (struct part){node, node->text, 0, node->count};
}

static bool decode_duration(struct loader *loader, const struct node *node, int64_t *ret_ns)
{
	const char *text;
	struct part part;

	if (!decode_text(loader, node, &text))
		return false;
	part = whole(node);
	return parse_duration(loader, &part, ret_ns);
}

static bool decode_positive_duration(struct loader *loader, const struct node *node,
				     int64_t *ret_ns)
{
	int64_t duration_ns;

	if (!decode_duration(loader, node, &duration_ns))
		return false;
	if (duration_ns <= 0)
		return loader_error(loader, node, "this duration must be more than 0");
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

/* Reads digits with an optional fraction, in any locale alike; moves @text behind them. */
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

static bool decode_factor(struct loader *loader, const struct node *node, double *ret)
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
	if (value < FACTOR_MIN || value > FACTOR_MAX)
		return loader_error(loader, node, "the factor %s is out of range: it is %d to %d",
				    text, FACTOR_MIN, FACTOR_MAX);
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
			value_hint_percent(loader, text, value, "");
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
		loader_error(loader, node, "a range needs at least one end");
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
	const struct synonym *synonym;
	const char *text;

	if (!decode_text(loader, node, &text))
		return false;
	for (size_t i = 0; choices[i]; i++)
		if (strcmp(choices[i], text) == 0) {
			*ret = i;
			return true;
		}
	loader_error(loader, node, "unknown value \"%s\"", text);
	synonym = synonym_of_value(text, choices);
	if (synonym && synonym->remark)
		loader_hint(loader, "%s", synonym->remark);
	else if (synonym)
		loader_hint(loader, "did you mean \"%s\"?", synonym->meant);
	else
		loader_hint_names(loader, text, choices, "one of");
	return false;
}

static bool decode_boolean(struct loader *loader, const struct node *node, bool *ret)
{
	static const char *const choices[] = {"false", "true", NULL};
	size_t choice;

	if (!decode_choice(loader, node, choices, &choice))
		return false;
	*ret = choice == 1;
	return true;
}

static bool decode_signal(struct loader *loader, const struct node *node, int *ret)
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

static void check_relative(struct loader *loader, const struct field *field, void *target)
{
	struct tolerance *tolerance = target;

	tolerance->relative /= 100;
}

static const struct schema_key tolerance_keys[] = {
	{"absolute", "a duration", "How much later or earlier than expected any time may be.",
	 .example = "100ms", .fallback = "0s", .type = SCHEMA_DURATION,
	 INTO(struct tolerance, absolute_ns)},
	{"relative", "a percentage",
	 "How much later or earlier a time may be, as a part of what is expected.", .example = "5%",
	 .fallback = "0%", .type = SCHEMA_PERCENT, INTO(struct tolerance, relative),
	 .check = check_relative},
};
const struct schema schema_tolerance = {"a tolerance", tolerance_keys, ARRAY_SIZE(tolerance_keys)};

bool decode_tolerance(struct loader *loader, const struct node *node, struct tolerance *ret)
{
	struct tolerance tolerance = {0};
	size_t errors = loader->diags->n_items;
	double percent = 0;

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
		const char *at = node->text;

		if (node->kind == NODE_TEXT && parse_number(&at, &percent) && !*at && percent < 1)
			value_hint_percent(loader, node->text, percent,
					   " or a duration, as in \"200ms\"");
		return false;
	}
	*ret = tolerance;
	return true;
}

/* ---- mappings ---- */

/* Returns the first table from @schema on that has the key, apart from @other; or NULL. */
static const struct schema *schema_with(const struct schema *schema, const struct schema *other,
					const char *name)
{
	if (schema != other && schema_find(schema, name))
		return schema;
	for (size_t i = 0; i < schema->n_keys; i++) {
		const struct schema_key *key = &schema->keys[i];
		const struct schema *below[] = {
			key->mapping == &schema_document ? NULL : key->mapping,
			key->mapping_item,
			key->named ? key->named->mapping : NULL,
		};

		for (size_t k = 0; k < ARRAY_SIZE(below); k++) {
			const struct schema *found =
				below[k] ? schema_with(below[k], other, name) : NULL;

			if (found)
				return found;
		}
	}
	return NULL;
}

static void unknown_key(struct loader *loader, const struct schema *schema, const struct node *key)
{
	AUTO_FREE const char **names = xzalloc((schema->n_keys + 1) * sizeof(*names));
	AUTO_FREE char *introduction = xasprintf("%s has the keys", schema->name);
	const struct synonym *synonym = synonym_of_key(schema, key->text);
	const struct schema *elsewhere =
		loader->root ? schema_with(loader->root, schema, key->text) : NULL;

	for (size_t i = 0; i < schema->n_keys; i++)
		names[i] = schema->keys[i].name;
	loader_error(loader, key, "unknown key \"%s\"", key->text);
	if (synonym && synonym->remark)
		loader_hint(loader, "%s", synonym->remark);
	else if (synonym)
		loader_hint(loader, "did you mean \"%s\"?", synonym->meant);
	else if (loader_hint_nearest(loader, key->text, names))
		return;
	else if (elsewhere)
		loader_hint(loader, "\"%s\" is a key of %s", key->text, elsewhere->name);
	else
		loader_hint_names(loader, key->text, names, introduction);
}

/* Adds a remedy for a text in place of a list: the list, unless it would take a shell. */
static bool hint_list(struct loader *loader, const struct field *field)
{
	const char *text = field->value->text;
	AUTO_STRBUF struct strbuf list = {0};
	bool words = strcmp(field->schema->name, "command") == 0;

	if (field->value->kind != NODE_TEXT || !(field->schema->forms & SCHEMA_LIST) ||
	    field->value->count > HINT_MAX || !*text || strpbrk(text, "\n\r\t"))
		return false;
	if (words && strpbrk(text, "|&;<>()$`\\\"'*?[]#~%!{}"))
		return false;
	for (const char *at = text; *at; at += words ? strspn(at, " ") : 0) {
		size_t n = words ? strcspn(at, " ") : strlen(at);

		strbuf_printf(&list, "%s%.*s", at > text ? ", " : "", (int)n, at);
		at += n;
	}
	loader_hint(loader, "did you mean [%s]?", strbuf_text(&list));
	return true;
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
	else if (!(form & schema_forms(schema)))
		loader_error(loader, value, "\"%s\" takes %s, not %s", field->key->text,
			     schema->value, node_kind_name(value->kind));
	else
		return true;
	if (!hint_list(loader, field) && schema->example)
		loader_hint(loader, "for example: %s: %s", field->key->text, schema->example);
	return false;
}

static bool decode_plain_text(struct loader *loader, const struct field *field, char **ret)
{
	if (field->schema->references)
		loader_add_text(loader, field->value);
	free(*ret);
	*ret = xstrdup(field->value->text);
	return true;
}

/* Reads a value by the type of its key, into the slot that INTO() names. */
static bool decode_typed(struct loader *loader, const struct field *field, void *slot)
{
	const struct schema_key *key = field->schema;
	const struct node *value = field->value;
	int64_t number = 0;
	size_t choice = 0;
	bool flag;

	switch (key->type) {
	case SCHEMA_TEXT:
		return value->kind == NODE_LIST ? decode_command(loader, field, slot)
						: decode_plain_text(loader, field, slot);
	case SCHEMA_BOOLEAN:
		return decode_boolean(loader, value, slot);
	case SCHEMA_CHOICE:
		if (!decode_choice(loader, value, key->choices, &choice))
			return false;
		store_integer(slot, key->size, (int64_t)choice);
		return true;
	case SCHEMA_PORT:
	case SCHEMA_COUNT:
		if (!decode_count(loader, value, key->what, key->low, key->high, &number))
			return false;
		store_integer(slot, key->size, number);
		return true;
	case SCHEMA_DURATION:
		return key->positive ? decode_positive_duration(loader, value, slot)
				     : decode_duration(loader, value, slot);
	case SCHEMA_COUNT_RANGE:
		return decode_count_range(loader, value, slot, &flag);
	case SCHEMA_DURATION_RANGE:
		return decode_duration_range(loader, value, slot, &flag);
	case SCHEMA_FACTOR:
		return decode_factor(loader, value, slot);
	case SCHEMA_PERCENT:
		return decode_percent(loader, value, slot);
	case SCHEMA_TOLERANCE:
		return decode_tolerance(loader, value, slot);
	case SCHEMA_SIGNAL:
		return decode_signal(loader, value, slot);
	default:
		abort();
	}
}

static void decode_field(struct loader *loader, const struct field *field, void *target)
{
	const struct schema_key *schema = field->schema;

	if (!decode_form(loader, field))
		return;
	if (schema->decode)
		schema->decode(loader, field, target);
	else if (schema->size && decode_typed(loader, field, (char *)target + schema->offset) &&
		 schema->check)
		schema->check(loader, field, target);
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
			decode_field(loader, &field, target);
		} else if (schema->keys[i].required && !loader->partial &&
			   !(loader->attached && schema->keys[i].of_client)) {
			loader_error(loader, at, "%s needs the key \"%s\": %s", schema->name,
				     schema->keys[i].name, schema->keys[i].value);
			loader_hint(loader, "for example: %s: %s", schema->keys[i].name,
				    schema->keys[i].example);
		}
	}
}
