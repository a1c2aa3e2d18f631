/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a capture file strictly: an error in the format ends the test. Written from the format's
 * description, independently of the program's writer.
 */
#ifndef SYNFAULT_TESTS_LIB_PCAPNG_READER_H
#define SYNFAULT_TESTS_LIB_PCAPNG_READER_H

#include "runner/record/spool.h"

struct pcapng_file {
	char *comment, *system, *application; /* of the section; NULL: none */
	struct read_interface {
		char *name, *description, *filter;
		uint16_t link_type;
		uint32_t snap_length;
		uint8_t resolution;
	} * interfaces;
	size_t n_interfaces, interfaces_capacity;
	struct spool_packet *packets; /* their data is in the file's text */
	char **comments;              /* one per packet; NULL: none */
	size_t n_packets, packets_capacity, comments_capacity;
	char **names; /* "127.0.0.1 api" */
	size_t n_names, names_capacity;
	struct read_statistics {
		uint32_t interface;
		uint64_t received, dropped;
		int64_t started_ns, ended_ns;
		char *comment;
	} * statistics;
	size_t n_statistics, statistics_capacity;
};

/* Borrows the text. */
struct pcapng_file *pcapng_read(const void *text, size_t length);
void pcapng_file_freep(struct pcapng_file **file);
#define AUTO_PCAPNG CLEANUP(pcapng_file_freep)

#endif
