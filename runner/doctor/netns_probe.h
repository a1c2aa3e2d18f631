/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds out what works in a network namespace by doing it in a child process: binding a queue,
 * adding a table of rules. Both are gone when the probe returns.
 */
#ifndef SYNFAULT_RUNNER_DOCTOR_NETNS_PROBE_H
#define SYNFAULT_RUNNER_DOCTOR_NETNS_PROBE_H

#include "injector/nft_rules.h"

enum { PROBE_MESSAGE_SIZE = 256 };

/* Errors are negative errnos; 0: it works. */
struct probe {
	int namespaces; /* making the namespaces; if that failed, the rest is unknown */
	int lo;         /* -ENETDOWN: the interface lo is down */
	int queue, rules;
	char message[PROBE_MESSAGE_SIZE]; /* about the first of them that failed */
	enum nft_rules_queue_form form;
	int deaths;   /* notices of socket deaths */
	int ipv6;     /* binding a socket to ::1 */
	int captures; /* binding a group of logged packets */
};

/**
 * netns_probe_network() - probe a network namespace
 * @private_namespace: probe a new one; otherwise that of the calling process
 */
void netns_probe_network(bool private_namespace, struct probe *ret);

/**
 * netns_probe_namespace() - find out whether `run` could make a namespace
 * @kind: a flag of clone(2), such as CLONE_NEWNET
 *
 * Return: 0 or a negative errno.
 */
int netns_probe_namespace(int kind);

#endif
