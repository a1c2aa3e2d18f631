/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firewall marks by which packets that leave the queue tell the rules what is to be done with them.
 * An injector has one for each answer, all derived from the first: marks of injectors side by side
 * differ in their low 16 bits.
 */
#ifndef SYNFAULT_INJECTOR_FWMARK_H
#define SYNFAULT_INJECTOR_FWMARK_H

#include "injector/script.h"

/* To be answered with ICMP. @refuse_mark: to be answered with RST. */
static inline uint32_t fwmark_unreachable(uint32_t refuse_mark, enum unreachable_kind kind)
{
	return refuse_mark ^ ((uint32_t)kind + 1) << 16;
}

/* A copy of ours of a SYN that was held (reinject.h): to be let through. */
static inline uint32_t fwmark_pass(uint32_t refuse_mark)
{
	return refuse_mark ^ ((uint32_t)UNREACHABLE_N_KINDS + 2) << 16;
}

/* The bits that all of these have in common. */
#define FWMARK_COMMON UINT32_C(0xff00ffff)

/* A datagram of ours that becomes another packet in the queue (udp_inject.h). */
static inline uint32_t fwmark_udp_inject(uint32_t refuse_mark)
{
	return refuse_mark ^ ((uint32_t)UNREACHABLE_N_KINDS + 1) << 16;
}

#endif
