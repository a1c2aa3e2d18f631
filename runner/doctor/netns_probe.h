/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What works in a network namespace, found out by doing it in a child process: a queue is bound, a
 * table of rules is added; both are gone again when the probe returns.
 */
#ifndef SYNFAULT_RUNNER_DOCTOR_NETNS_PROBE_H
#define SYNFAULT_RUNNER_DOCTOR_NETNS_PROBE_H

#include "injector/nft_rules.h"

enum { PROBE_MESSAGE_SIZE = 256 };

/* Errors are negative errnos, 0: it works. */
struct probe {
	int namespaces; /* could the namespaces be made; the rest is not known when not */
	int lo;         /* -ENETDOWN: the interface lo is there, and down */
	int queue, rules;
	char message[PROBE_MESSAGE_SIZE]; /* of the first of them that failed */
	enum nft_rules_queue_form form;
	int deaths;   /* notices of dying sockets */
	int ipv6;     /* a socket bound to ::1 */
	int captures; /* a group of logged packets */
};

/* @private_namespace: in a new one; else in that of the calling process. */
void netns_probe_network(bool private_namespace, struct probe *ret);

/*
 * Whether a namespace of this kind (CLONE_NEW...) can be made, as `run` would. Returns 0 or a
 * negative errno.
 */
int netns_probe_namespace(int kind);

#endif
