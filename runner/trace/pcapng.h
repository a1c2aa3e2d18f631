/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes capture files in the format pcapng (draft-ietf-opsawg-pcapng), which Wireshark reads: the
 * older format pcap, the only one that libpcap writes, has no comments. Numbers are in the
 * machine's own byte order, which the format allows; times are nanoseconds since 1970. Packets
 * start at their IP header.
 */
#ifndef SYNFAULT_RUNNER_TRACE_PCAPNG_H
#define SYNFAULT_RUNNER_TRACE_PCAPNG_H

#include "injector/address.h"

struct pcapng;

/*
 * Begins a file. @fd is borrowed. Output is buffered; an error is kept until pcapng_end(), and
 * nothing is written after it.
 */
struct pcapng *pcapng_begin(int fd);
/* Ends the file and frees the writer. Returns 0 or the first error as a negative errno. */
int pcapng_end(struct pcapng *file);

/*
 * Texts are UTF-8, borrowed, and may be NULL; text beyond the length of an option (65535 bytes) is
 * cut. A file begins with its one section; interfaces come before their packets.
 */
struct pcapng_section {
	const char *comment;
	const char *system;      /* operating system */
	const char *application; /* what wrote the file */
};
void pcapng_add_section(struct pcapng *file, const struct pcapng_section *section);

struct pcapng_interface {
	const char *name, *description;
	const char *filter; /* in the language of libpcap */
	uint32_t snap_length;
};
/* Returns the interface's number: 0, 1, 2 … */
uint32_t pcapng_add_interface(struct pcapng *file, const struct pcapng_interface *interface);

/* Names of addresses (their ports don't matter), for viewers that show names. */
struct pcapng_name {
	struct address address;
	const char *name;
};
void pcapng_add_names(struct pcapng *file, const struct pcapng_name *names, size_t n_names);

struct pcapng_packet {
	uint32_t interface;
	int64_t at_ns;
	const void *data;
	uint32_t captured; /* bytes at @data */
	uint32_t length;   /* bytes that the packet had */
	const char *comment;
};
void pcapng_add_packet(struct pcapng *file, const struct pcapng_packet *packet);

struct pcapng_statistics {
	uint32_t interface;
	int64_t started_ns, ended_ns;
	uint64_t received; /* packets seen */
	uint64_t dropped;  /* of these, not in the file */
	const char *comment;
};
void pcapng_add_statistics(struct pcapng *file, const struct pcapng_statistics *statistics);

#endif
