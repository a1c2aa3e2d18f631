/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capture file of a daemon (`synfault inject --capture FILE`): one section for each scenario
 * that was armed, and for each time that it began again.
 */
#ifndef SYNFAULT_RUNNER_INJECT_PACKET_FILE_H
#define SYNFAULT_RUNNER_INJECT_PACKET_FILE_H

#include "runner/record/record.h"
#include "runner/record/spool.h"
#include "runner/scenario/scenario.h"

struct packet_file {
	const char *path; /* borrowed */
	int fd;           /* -1: packets are not captured */
	int spool_fd;     /* where those of the section in hand go (runner/record/spool.h) */
	int error;        /* negative errno of the first that could not be written */
	/*
	 * All sections have the same ones: Wireshark 4.0 looks up the interface of a packet among
	 * those of the first section.
	 */
	struct spool_interface *interfaces;
	size_t n_interfaces, interfaces_capacity;
};

/*
 * Makes the file, or empties it; NULL: none is wanted. @everywhere: there will be packets of other
 * interfaces than lo; those of the calling process's network namespace are looked up. Returns 0, or
 * a negative errno, upon which there is none.
 */
int packet_file_open(struct packet_file *file, const char *path, bool everywhere);
void packet_file_close(struct packet_file *file);

/*
 * Ends a section: writes what is in the spool, which is empty then. @outcome: one line. Returns
 * NULL, or why there is no section, which the caller owns.
 */
char *packet_file_add(struct packet_file *file, const struct scenario *scenario,
		      const struct record *record, const char *outcome);

#endif
