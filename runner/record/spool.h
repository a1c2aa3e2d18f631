/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets on their way from a scenario's supervisor, which captures them, to the program, which
 * knows the outcome of the scenario and makes a capture file. They are kept in a file without a
 * name, so that nothing is left behind, whichever process dies.
 */
#ifndef SYNFAULT_RUNNER_RECORD_SPOOL_H
#define SYNFAULT_RUNNER_RECORD_SPOOL_H

#include "injector/nflog.h"

/* ---- writing ---- */

struct spool;

/**
 * spool_begin() - begin to write
 * @fd: borrowed
 * @limit: maximum of packet bytes; the last eighth is reserved for packets that begin or end
 *	connections
 */
struct spool *spool_begin(int fd, uint64_t limit);
/** spool_add() - add a packet; may run in another thread while no other function runs */
void spool_add(struct spool *spool, const struct nflog_packet *packet);
/** spool_refuse() - say why there are no packets */
void spool_refuse(struct spool *spool, const char *reason);
/**
 * spool_end() - end it, and free the spool; an error shows when it is read
 * @lost: packets that never arrived here
 */
void spool_end(struct spool *spool, uint64_t lost);

/* ---- reading ---- */

struct spool_packet {
	uint32_t interface; /* index into the interfaces */
	int64_t at_ns;      /* since 1970 */
	uint32_t order;     /* in which the kernel logged them */
	bool read_late;     /* the kernel gave no time: at_ns is when it was read */
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
	uint64_t lost;     /* packets that came faster than they could be read */
	uint64_t left_out; /* packets beyond the limit */
	bool whole;        /* the writer reached its end */
	char *reason;      /* why there are no packets; NULL: unknown */
	void *mapping;
	size_t size;
};

/** spool_read() - read back what a spool has; free it with spool_content_free() */
struct spool_content spool_read(int fd);
void spool_content_free(struct spool_content *content);
#define AUTO_SPOOL_CONTENT CLEANUP(spool_content_free)

#endif
