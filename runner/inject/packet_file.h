/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capture file of a daemon (`synfault inject --capture FILE`): one section each time a scenario
 * is armed or begins again.
 */
#ifndef SYNFAULT_RUNNER_INJECT_PACKET_FILE_H
#define SYNFAULT_RUNNER_INJECT_PACKET_FILE_H

#include "runner/record/record.h"
#include "runner/record/spool.h"
#include "runner/scenario/scenario.h"

struct packet_file {
	const char *path; /* borrowed */
	int fd;           /* -1: packets are not captured */
	int spool_fd;     /* gets packets of the current section (runner/record/spool.h) */
	int error;        /* the first write error, a negative errno */
	/*
	 * All sections have the same interfaces: Wireshark 4.0 looks up a packet's interface among
	 * those of the first section.
	 */
	struct spool_interface *interfaces;
	size_t n_interfaces, interfaces_capacity;
};

/**
 * packet_file_open() - make the file, or empty it
 * @path: borrowed; NULL: don't capture
 * @everywhere: packets can come from interfaces other than lo; looks up those of the calling
 *	process's network namespace
 *
 * Return: 0, or a negative errno; then packets are not captured.
 */
int packet_file_open(struct packet_file *file, const char *path, bool everywhere);
void packet_file_close(struct packet_file *file);

/**
 * packet_file_add() - write the packets in the spool as a section, and empty the spool
 * @outcome: one line
 *
 * Return: NULL, or why there is no section, owned by the caller.
 */
char *packet_file_add(struct packet_file *file, const struct scenario *scenario,
		      const struct record *record, const char *outcome);

#endif
