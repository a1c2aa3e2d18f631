/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes capture files in the pcapng format (draft-ietf-opsawg-pcapng), which Wireshark reads.
 * libpcap only writes the older pcap format, which has no comments. Numbers are in the machine's
 * byte order, which the format allows; times are nanoseconds since 1970. Packets start at their IP
 * header.
 */
#ifndef SYNFAULT_RUNNER_TRACE_PCAPNG_H
#define SYNFAULT_RUNNER_TRACE_PCAPNG_H

#include "injector/address.h"

struct pcapng;

/**
 * pcapng_begin() - begin a file
 * @fd: borrowed
 *
 * Output is buffered. After an error nothing more is written, and pcapng_end() returns the error.
 */
struct pcapng *pcapng_begin(int fd);
/** pcapng_end() - end the file and free the writer; return 0 or the first error (an errno < 0) */
int pcapng_end(struct pcapng *file);

/*
 * Texts are UTF-8, borrowed, and may be NULL. Text longer than an option (65535 bytes) is cut. A
 * file begins with its one section; an interface comes before its packets.
 */
struct pcapng_section {
	const char *comment;
	const char *system;      /* operating system */
	const char *application; /* what wrote the file */
};
/** pcapng_add_section() - add the section header; first of all */
void pcapng_add_section(struct pcapng *file, const struct pcapng_section *section);

struct pcapng_interface {
	const char *name, *description;
	const char *filter; /* in the language of libpcap */
	uint32_t snap_length;
};
/** pcapng_add_interface() - add an interface; return its number: 0, 1, 2 … */
uint32_t pcapng_add_interface(struct pcapng *file, const struct pcapng_interface *interface);

/* Names of addresses (their ports don't matter), for viewers that show names. */
struct pcapng_name {
	struct address address;
	const char *name;
};
/** pcapng_add_names() - add names for addresses */
void pcapng_add_names(struct pcapng *file, const struct pcapng_name *names, size_t n_names);

struct pcapng_packet {
	uint32_t interface;
	int64_t at_ns;
	const void *data;
	uint32_t captured; /* bytes at @data */
	uint32_t length;   /* bytes that the packet had */
	const char *comment;
};
/** pcapng_add_packet() - add a packet of an interface that has been added */
void pcapng_add_packet(struct pcapng *file, const struct pcapng_packet *packet);

struct pcapng_statistics {
	uint32_t interface;
	int64_t started_ns, ended_ns;
	uint64_t received; /* packets seen */
	uint64_t dropped;  /* of these, not in the file */
	const char *comment;
};
/** pcapng_add_statistics() - add the statistics of an interface */
void pcapng_add_statistics(struct pcapng *file, const struct pcapng_statistics *statistics);

#endif
