/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets on their way from a scenario's supervising process, which captures them, to the program,
 * which knows what became of the scenario and makes a capture file of them. They are kept in a file
 * that has no name, so that nothing is left of it, whoever dies.
 */
#ifndef SYNFAULT_RUNNER_RECORD_SPOOL_H
#define SYNFAULT_RUNNER_RECORD_SPOOL_H

#include "injector/nflog.h"

/* ---- writing ---- */

struct spool;

/*
 * Begins to write to @fd, which is borrowed. Of all packets together at most @limit bytes are kept;
 * the last eighth of them is for those that begin or end connections.
 */
struct spool *spool_begin(int fd, uint64_t limit);
/* May be called from another thread than the others, as long as they are not at work. */
void spool_add(struct spool *spool, const struct nflog_packet *packet);
/* There are no packets, because of this. */
void spool_refuse(struct spool *spool, const char *reason);
/* Ends it. @lost: packets that never got here. Frees the spool; an error shows when it is read. */
void spool_end(struct spool *spool, uint64_t lost);

/* ---- reading ---- */

struct spool_packet {
	uint32_t interface; /* index into the interfaces */
	int64_t at_ns;      /* since 1970 */
	uint32_t order;     /* in which the kernel logged them */
	bool read_late;     /* of itself at_ns is when it was read */
	const uint8_t *data;
	uint32_t captured, length;
};

struct spool_interface {
	uint32_t index; /* the kernel's */
	char name[16];
};

struct spool_content {
	struct spool_packet *packets; /* in the order of time */
	size_t n_packets, packets_capacity;
	struct spool_interface *interfaces;
	size_t n_interfaces, interfaces_capacity;
	uint64_t lost;     /* came in faster than they could be read */
	uint64_t left_out; /* would have been more than the limit */
	bool whole;        /* whoever wrote it came to the end */
	char *reason;      /* why there are no packets; NULL: no reason is known */
	void *mapping;
	size_t size;
};

/* Reads a spool back: as much of it as is there. Free it with spool_content_free(). */
struct spool_content spool_read(int fd);
void spool_content_free(struct spool_content *content);
#define AUTO_SPOOL_CONTENT CLEANUP(spool_content_free)

#endif
