/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the code for the vDSO, with this process's own: on a copy, which is then executed. */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "common/duration.h"
#include "runner/clock/vdso.h"

TestSuite(vdso);

enum { PAGE = 4096 };

Test(vdso, ahead_is_split_as_the_calls_need_it)
{
	struct vdso_ahead ahead = vdso_ahead_of(12 * NS_PER_S + 345678901);

	cr_assert_eq(ahead.seconds, 12);
	cr_assert_eq(ahead.nanoseconds, 345678901);
	cr_assert_eq(ahead.microseconds, 345678);
}

Test(vdso, data_that_is_not_an_image_is_refused)
{
	uint8_t image[PAGE] = {0};
	struct vdso_patch patch;
	int r = vdso_plan(image, sizeof(image), &patch);

	cr_assert(r == -ENOEXEC || r == -EOPNOTSUPP);
	memcpy(image, ELFMAG, SELFMAG);
	image[EI_CLASS] = ELFCLASS64;
	r = vdso_plan(image, sizeof(image), &patch);
	cr_assert(r == -ENOEXEC || r == -EOPNOTSUPP);
}

#ifdef __x86_64__

/* Its size without the pages of data before it: up to the end of its section headers. */
static size_t copy_own(uint8_t **ret)
{
	const Elf64_Ehdr *own = (const Elf64_Ehdr *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	size_t length;

	cr_assert_not_null(own);
	length = (own->e_shoff + (size_t)own->e_shnum * own->e_shentsize + PAGE - 1) / PAGE * PAGE;
	*ret = mmap(NULL, length, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	cr_assert_neq(*ret, MAP_FAILED);
	memcpy(*ret, own, length);
	return length;
}

/* Returns where the function is that the number-th jump is written to. */
static size_t apply(uint8_t *image, const struct vdso_patch *patch, int64_t ahead_ns, size_t number)
{
	struct vdso_ahead ahead = vdso_ahead_of(ahead_ns);

	for (size_t i = 0; i < patch->n_pieces; i++)
		memcpy(image + patch->pieces[i].offset, patch->pieces[i].data,
		       patch->pieces[i].length);
	memcpy(image + patch->ahead_offset, &ahead, sizeof(ahead));
	return patch->pieces[1 + number].offset;
}

static int64_t ns_of(const struct timespec *time)
{
	return time->tv_sec * NS_PER_S + time->tv_nsec;
}

Test(vdso, its_clock_gettime_is_ahead_for_all_but_processor_time)
{
	static const clockid_t moved[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
					  CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE};
	const int64_t ahead_ns = 100 * NS_PER_S + 999999999;
	int (*call)(clockid_t clock, struct timespec * ret);
	struct vdso_patch patch;
	struct timespec got, want;
	uint8_t *image;
	size_t length = copy_own(&image);

	cr_assert_eq(vdso_plan(image, length, &patch), 0);
	*(void **)&call = image + apply(image, &patch, ahead_ns, 0);
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		clock_gettime(moved[i], &want);
		cr_assert_eq(call(moved[i], &got), 0);
		cr_assert_lt(llabs(ns_of(&got) - ns_of(&want) - ahead_ns), NS_PER_S, "clock %d",
			     moved[i]);
		cr_assert_lt(got.tv_nsec, NS_PER_S);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &want);
	cr_assert_eq(call(CLOCK_PROCESS_CPUTIME_ID, &got), 0);
	cr_assert_lt(ns_of(&got) - ns_of(&want), NS_PER_S);
	cr_assert_lt(call(99, &got), 0, "a clock that there is none of");
}

Test(vdso, its_other_functions_are_as_far_ahead)
{
	const int64_t ahead_ns = 100 * NS_PER_S + 999999999;
	int (*day)(struct timeval * ret, void *zone);
	time_t (*seconds)(time_t * ret);
	struct timeval got, want;
	struct vdso_patch patch;
	time_t stored;
	uint8_t *image;
	size_t length = copy_own(&image);

	cr_assert_eq(vdso_plan(image, length, &patch), 0);
	*(void **)&day = image + apply(image, &patch, ahead_ns, 1);
	gettimeofday(&want, NULL);
	cr_assert_eq(day(&got, NULL), 0);
	cr_assert_leq(llabs(got.tv_sec - want.tv_sec - 101), 1);
	cr_assert_lt(got.tv_usec, 1000000);
	*(void **)&seconds = image + patch.pieces[3].offset;
	cr_assert_leq(llabs(seconds(&stored) - time(NULL) - 101), 1);
	cr_assert_leq(llabs(stored - time(NULL) - 101), 1);
	cr_assert_leq(llabs(seconds(NULL) - time(NULL) - 101), 1);
}

Test(vdso, a_plan_is_the_same_for_a_copy_that_has_the_code_already)
{
	struct vdso_patch first, second;
	uint8_t *image;
	size_t length = copy_own(&image);

	cr_assert_eq(vdso_plan(image, length, &first), 0);
	apply(image, &first, 5, 0);
	cr_assert_eq(vdso_plan(image, length, &second), 0);
	cr_assert_eq(first.ahead_offset, second.ahead_offset);
	cr_assert_eq(memcmp(image + first.pieces[0].offset, first.pieces[0].data,
			    first.ahead_offset - first.pieces[0].offset),
		     0);
}

Test(vdso, an_image_that_is_cut_short_is_refused)
{
	struct vdso_patch patch;
	uint8_t *image;

	copy_own(&image);
	for (size_t length = 0; length < PAGE; length += 64)
		cr_assert_lt(vdso_plan(image, length, &patch), 0, "%zu bytes", length);
}

#endif
