/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code that replaces the vDSO's (vdso.h), and where its parts begin. It is position
 * independent, and never runs in this program.
 */
#ifndef SYNFAULT_RUNNER_CLOCK_VDSO_CODE_H
#define SYNFAULT_RUNNER_CLOCK_VDSO_CODE_H

#include <stdint.h>

extern const uint8_t vdso_code[], vdso_code_clock_gettime[], vdso_code_gettimeofday[],
	vdso_code_time[], vdso_code_syscall[], vdso_code_ahead[], vdso_code_end[];

#endif
