/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remedies for values that are written as elsewhere: each function adds one to the last error, if
 * the text is such a value.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_VALUE_HINTS_H
#define SYNFAULT_RUNNER_SCENARIO_VALUE_HINTS_H

#include "runner/scenario/loader.h"

/**
 * value_hint_range() - add a remedy for a range in another tool's form: "<5s", "at least 3", "3+",
 * "1-3", "1 to 3"
 *
 * Return: false if the text has none of these forms.
 */
bool value_hint_range(struct loader *loader, const char *text);
/**
 * value_hint_percent() - add a remedy: a share between 0 and 1 is probably a percentage
 * @or: another possible form
 */
void value_hint_percent(struct loader *loader, const char *text, double value, const char * or);

#endif
