/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lookups in the tables of the language: see schema.h. */
#include "runner/scenario/schema.h"

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

unsigned schema_forms(const struct schema_key *key)
{
	return key->forms ? key->forms : SCHEMA_SCALAR;
}
