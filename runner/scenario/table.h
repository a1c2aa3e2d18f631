/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configures uthash for the loader: it ends the process when there is no memory, as util.h does,
 * and uses a hash function without fall-through, which compilers warn about.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_TABLE_H
#define SYNFAULT_RUNNER_SCENARIO_TABLE_H

#include "common/util.h"

#define HASH_FUNCTION         HASH_OAT
#define uthash_fatal(message) out_of_memory()
#include <uthash.h>

#endif
