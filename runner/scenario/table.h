/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uthash as the loader uses it: it ends the process as util.h does when there is no memory, and
 * takes a hash function without a switch that falls through, which compilers warn of.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_TABLE_H
#define SYNFAULT_RUNNER_SCENARIO_TABLE_H

#include "common/util.h"

#define HASH_FUNCTION         HASH_OAT
#define uthash_fatal(message) out_of_memory()
#include <uthash.h>

#endif
