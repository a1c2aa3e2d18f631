/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code that goes into the vDSO: see vdso.h. In this program it is data. It moves all clocks but
 * those of processor time: 0xbf3 has one bit each for CLOCK_REALTIME, MONOTONIC, MONOTONIC_RAW,
 * REALTIME_COARSE, MONOTONIC_COARSE, BOOTTIME, REALTIME_ALARM, BOOTTIME_ALARM and TAI.
 */
#ifdef __x86_64__
#include <asm/unistd.h>

#define MAGIC 0x73796e66
#define CLOCKS 0xbf3

	.section .rodata
	.balign 16
	.globl vdso_code, vdso_code_clock_gettime, vdso_code_gettimeofday, vdso_code_time
	.globl vdso_code_syscall, vdso_code_ahead, vdso_code_end
vdso_code:
vdso_code_clock_gettime:
	endbr64
	mov	$MAGIC, %edx
	mov	$__NR_clock_gettime, %eax
vdso_code_syscall:
	syscall
	test	%eax, %eax
	jnz	9f
	cmp	$12, %edi
	jae	9f
	mov	$CLOCKS, %ecx
	bt	%edi, %ecx
	jnc	9f
	mov	vdso_code_ahead(%rip), %rcx
	add	%rcx, (%rsi)
	mov	vdso_code_ahead+8(%rip), %rcx
	add	8(%rsi), %rcx
	cmp	$1000000000, %rcx
	jl	1f
	sub	$1000000000, %rcx
	incq	(%rsi)
1:	mov	%rcx, 8(%rsi)
9:	ret

	.balign 16
vdso_code_gettimeofday:
	endbr64
	mov	$MAGIC, %edx
	mov	$__NR_gettimeofday, %eax
	syscall
	test	%eax, %eax
	jnz	9f
	test	%rdi, %rdi
	jz	9f
	mov	vdso_code_ahead(%rip), %rcx
	add	%rcx, (%rdi)
	mov	vdso_code_ahead+16(%rip), %rcx
	add	8(%rdi), %rcx
	cmp	$1000000, %rcx
	jl	1f
	sub	$1000000, %rcx
	incq	(%rdi)
1:	mov	%rcx, 8(%rdi)
9:	ret

	.balign 16
vdso_code_time:
	endbr64
	mov	%rdi, %r8
	mov	$5, %edi		/* CLOCK_REALTIME_COARSE, as the kernel's own */
	lea	-16(%rsp), %rsi
	mov	$MAGIC, %edx
	mov	$__NR_clock_gettime, %eax
	syscall
	mov	-16(%rsp), %rax
	mov	-8(%rsp), %rcx
	add	vdso_code_ahead(%rip), %rax
	add	vdso_code_ahead+8(%rip), %rcx
	cmp	$1000000000, %rcx
	jl	1f
	inc	%rax
1:	test	%r8, %r8
	jz	9f
	mov	%rax, (%r8)
9:	ret

	.balign 16
vdso_code_ahead:
	.quad	0, 0, 0
vdso_code_end:
#endif
	.section .note.GNU-stack, "", %progbits
