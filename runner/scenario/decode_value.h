/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading values of the scenario language: from nodes to C values, each error with its place and
 * remedy. Functions named decode_… return true and write their result, or return false after having
 * added an error (or when the node was wrong and reported before).
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_VALUE_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_VALUE_H

#include "runner/scenario/loader.h"

/**
 * decode_mapping() - read a mapping by its table
 * @at: what to mark when a key is missing
 * @target: the object that the values go into
 *
 * Keys that are unknown, missing, empty or of the wrong form are errors. All others are read in the
 * order of the table.
 */
void decode_mapping(struct loader *loader, const struct schema *schema, const struct node *mapping,
		    const struct node *at, void *target);
/* Whether a value has one of the forms that its key takes; adds an error when it has not. */
bool decode_form(struct loader *loader, const struct field *field);

/* The text of a node; "has no value" or "not a list" are errors. Lives as long as the node. */
bool decode_text(struct loader *loader, const struct node *node, const char **ret);
bool decode_duration(struct loader *loader, const struct node *node, int64_t *ret_ns);
/* @what: "a port", as in "a port is 1 to 65535" */
bool decode_count(struct loader *loader, const struct node *node, const char *what, int64_t low,
		  int64_t high, int64_t *ret);
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
bool decode_tolerance(struct loader *loader, const struct node *node, struct tolerance *ret);

extern const struct schema schema_tolerance;

#endif
