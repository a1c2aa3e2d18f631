/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading values of the scenario language: from nodes to C values, each error with its place and
 * remedy. Functions named decode_… return true and write their result, or return false after having
 * added a diagnostic (or when the node was wrong and reported before).
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_H

#include "runner/scenario/node.h"
#include "runner/scenario/scenario.h"
#include "runner/scenario/schema.h"

struct loader {
	const char *path; /* borrowed; of all places */
	struct diag_list *diags;
	struct scenario *scenario; /* what is being read */
	/*
	 * A document of defaults: nothing in it is required, and it can name endpoints that only
	 * other documents have.
	 */
	bool partial;
	bool attached;              /* somebody else starts the client: see load.h */
	bool endpoints_known;       /* all endpoints could be read, so that names can be checked */
	struct tolerance tolerance; /* of the document's expectations */
	size_t expectations_capacity;
	const struct node **texts; /* those with references, to be checked at the end */
	size_t n_texts, texts_capacity;
};

/* One key of a mapping with its value. */
struct field {
	const struct schema_key *schema;
	const struct node *key, *value;
};

/* Adds an error at a node. Returns false. */
bool loader_error(struct loader *loader, const struct node *at, const char *format, ...)
	PRINTF(3, 4);
/* The same for a part of the node's text. */
bool loader_error_within(struct loader *loader, const struct node *at, size_t offset, size_t length,
			 const char *format, ...) PRINTF(5, 6);
void loader_hint(struct loader *loader, const char *format, ...) PRINTF(2, 3);
struct place loader_place(const struct loader *loader, const struct node *node);

/*
 * Reads a mapping by its table: keys that are unknown, missing, empty or of the wrong form are
 * errors; all others are decoded into @target in the order of the table. @at: what to mark when a
 * key is missing.
 */
void decode_mapping(struct loader *loader, const struct schema *schema, const struct node *mapping,
		    const struct node *at, void *target);
/* Whether a value has one of the forms its key takes; says so when it has not. */
bool decode_form(struct loader *loader, const struct field *field);
/* The entry of a table, or NULL. */
const struct schema_key *schema_find(const struct schema *schema, const char *name);

/* The text of a node; "has no value" or "not a list" are errors. Lives as long as the node. */
bool decode_text(struct loader *loader, const struct node *node, const char **ret);
bool decode_duration(struct loader *loader, const struct node *node, int64_t *ret_ns);
/* The same, more than 0. */
bool decode_positive_duration(struct loader *loader, const struct node *node, int64_t *ret_ns);
/* @what: "port", as in "a port is 1 to 65535" */
bool decode_count(struct loader *loader, const struct node *node, const char *what, int64_t low,
		  int64_t high, int64_t *ret);
/* A number with decimals. */
bool decode_number(struct loader *loader, const struct node *node, double *ret);
/* "5%", 0 to 100. */
bool decode_percent(struct loader *loader, const struct node *node, double *ret_percent);
/* A value or a range, both ends included; a value is a range of one, and *@ret_exact true. */
bool decode_count_range(struct loader *loader, const struct node *node, struct range *ret,
			bool *ret_exact);
bool decode_duration_range(struct loader *loader, const struct node *node, struct range *ret,
			   bool *ret_exact);
/* The index of a node's text among @choices. */
bool decode_choice(struct loader *loader, const struct node *node, const char *const *choices,
		   size_t *ret);
bool decode_boolean(struct loader *loader, const struct node *node, bool *ret);
bool decode_signal(struct loader *loader, const struct node *node, int *ret);
bool decode_tolerance(struct loader *loader, const struct node *node, struct tolerance *ret);
/*
 * A list of texts as a vector, which the caller owns. Empty lists are errors. The texts may hold
 * references, which are checked at the end.
 */
bool decode_command(struct loader *loader, const struct field *field, char ***ret);
/* Remembers a text for the check of its references. */
void loader_add_text(struct loader *loader, const struct node *text);

/* Adds "did you mean …" when one of the names is near, else says what there is. */
void loader_hint_names(struct loader *loader, const char *word, const char *const *names,
		       const char *introduction);

/* Reads a whole document into the loader's scenario; the loader's texts are freed after. */
void decode_document(struct loader *loader, const struct node *root);

/* The parts of it that have a file of their own, as struct schema_key.decode. */
void decode_endpoints(struct loader *loader, const struct field *field, void *target);
void decode_expect(struct loader *loader, const struct field *field, void *target);
extern const struct schema_key schema_endpoint;
extern const struct schema schema_expect;
extern const struct schema schema_tolerance;

void decode_kernel(struct loader *loader, const struct field *field, void *target);
extern const struct schema_key schema_kernel_named;

/* Counts, in all or by endpoint. */
void decode_counts(struct loader *loader, const struct field *field, enum expectation_kind kind);
extern const struct schema_key schema_count_named;
/* decode_connections.c */
void decode_connected(struct loader *loader, const struct field *field, void *target);
void decode_bytes(struct loader *loader, const struct field *field, void *target);
void decode_ended(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_bytes;
extern const char *const connection_ends[];
extern const struct schema_key schema_ended_named;

/* A fault step as a text. @last: none follows it. */
bool decode_step_text(struct loader *loader, const struct node *node, bool last, struct step *ret);
/* decode_condition.c: a step with a condition, as a mapping; and whether each can be met. */
bool decode_conditional(struct loader *loader, const struct node *mapping, struct step *ret);
void check_conditions(struct loader *loader, const struct endpoint_spec *endpoint);
/* check_steps.c: whether each step can happen at the endpoint. */
void check_steps(struct loader *loader, const struct endpoint_spec *endpoint);
extern const struct schema schema_conditional;
/* A new expectation with what all have; it is the scenario's at once, and may move with the next.
 */
struct expectation *add_expectation(struct loader *loader, enum expectation_kind kind,
				    const struct node *value);
/*
 * The index of the endpoint that a key names, or that error; @policies: it could have been the name
 * of a policy, too.
 */
bool find_endpoint(struct loader *loader, const struct node *key, bool policies,
		   size_t *ret_endpoint);

void decode_requires(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_requires;
void decode_herd(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_herd;
extern const struct schema_key schema_herd_named;

/* decode_behaviour.c */
void decode_connect_timeout(struct loader *loader, const struct field *field, void *target);
void decode_read_timeout(struct loader *loader, const struct field *field, void *target);
void decode_connecting(struct loader *loader, const struct field *field, void *target);
void decode_total_backoff(struct loader *loader, const struct field *field, void *target);
void decode_concurrent_attempts(struct loader *loader, const struct field *field, void *target);
void decode_leaks(struct loader *loader, const struct field *field, void *target);
void decode_gives_up(struct loader *loader, const struct field *field, void *target);
void decode_retry_on(struct loader *loader, const struct field *field, void *target);
void decode_order(struct loader *loader, const struct field *field, void *target);
void decode_fallback(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_gives_up, schema_order_after, schema_fallback;
extern const struct schema_key schema_time_named, schema_most_named, schema_gives_up_named,
	schema_retry_on_named, schema_order_named;
/* decode_contradictions.c: expectations that can't all be met. */
void check_contradictions(struct loader *loader);

/* decode_policy.c */
void decode_backoff(struct loader *loader, const struct field *field, void *target);
void decode_attempt_delay(struct loader *loader, const struct field *field, void *target);
extern const struct schema schema_policy;
extern const struct schema_key schema_policy_named;

/* The keys of a policy that are no endpoint's name; ends with NULL. */
extern const char *const policy_words[];
/* Whether a mapping is a policy rather than one of endpoints to policies. */
bool is_policy(const struct node *mapping);

/* ---- addresses as they are written (decode_address.c) ---- */

/* Whether a text is meant to be an address, maybe a wrong one. */
bool is_literal_address(const char *text);
/* An address of the endpoint's, besides those that it has. Returns false after an error. */
bool decode_literal_address(struct loader *loader, const struct node *node,
			    const struct endpoint_spec *endpoint, struct address *ret);
/* The index of the literal address, or SIZE_MAX. */
size_t endpoint_literal(const struct endpoint_spec *endpoint, const char *text);
/* No address of the endpoint at @index is one of those before it, with the same port. @key: its
 * name. */
void check_literal_addresses(struct loader *loader, const struct node *key,
			     const struct scenario *scenario, size_t index);

#endif
