/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads values of the scenario language: from nodes to C values. Each error has a place and a
 * remedy. Functions named decode_… return true and write their result, or return false after adding
 * an error (or if the node's error was already reported).
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_VALUE_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_VALUE_H

#include "runner/scenario/loader.h"

/**
 * decode_mapping() - read a mapping by its table
 * @loader: gets the errors
 * @schema: the table of keys
 * @mapping: a node of kind NODE_MAPPING
 * @at: the node to mark if a key is missing
 * @target: the object that the values go into
 *
 * Adds errors for keys that are unknown, missing, empty or of the wrong form. Reads all others in
 * the order of the table.
 */
void decode_mapping(struct loader *loader, const struct schema *schema, const struct node *mapping,
		    const struct node *at, void *target);
/**
 * decode_form() - check that a value has one of the forms that its key takes
 *
 * Return: false after an error.
 */
bool decode_form(struct loader *loader, const struct field *field);

/**
 * decode_text() - read a node's text, which lives as long as the node
 *
 * A list, a mapping or nothing is an error.
 */
bool decode_text(struct loader *loader, const struct node *node, const char **ret);
/**
 * decode_count() - read a whole number from @low to @high
 * @what: "a port", as in "a port is 1 to 65535"
 */
bool decode_count(struct loader *loader, const struct node *node, const char *what, int64_t low,
		  int64_t high, int64_t *ret);
/** decode_percent() - read a percentage: "5%", 0 to 100 */
bool decode_percent(struct loader *loader, const struct node *node, double *ret_percent);
/**
 * decode_count_range() - read a range, both ends included, or a value: a range of one with
 * *@ret_exact true
 */
bool decode_count_range(struct loader *loader, const struct node *node, struct range *ret,
			bool *ret_exact);
/** decode_duration_range() - do the same for durations, in nanoseconds */
bool decode_duration_range(struct loader *loader, const struct node *node, struct range *ret,
			   bool *ret_exact);
/** decode_choice() - find a node's text among @choices, which end with NULL; @ret gets its index */
bool decode_choice(struct loader *loader, const struct node *node, const char *const *choices,
		   size_t *ret);
/**
 * decode_tolerance() - read a duration, a percentage, or a mapping of both
 *
 * What is not given is 0.
 */
bool decode_tolerance(struct loader *loader, const struct node *node, struct tolerance *ret);

extern const struct schema schema_tolerance;

#endif
