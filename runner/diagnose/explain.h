/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts that explain trials share: sums over the trials at one address, the texts of
 * answers, and the list that causes are added to.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_EXPLAIN_H
#define SYNFAULT_RUNNER_DIAGNOSE_EXPLAIN_H

#include "runner/diagnose/diagnosis.h"

/* What a cause is made of: the texts are owned by it then. */
struct parts {
	enum cause_kind kind;
	char *sentence, *evidence, *advice;
	const char *steps;
};

struct context {
	const struct evidence *evidence;
	struct diagnosis *diagnosis;
};

/* Adds a cause. @address: index, or SIZE_MAX: of the name, or of all addresses. */
void explain_add(const struct context *context, size_t address, const struct parts *parts);

/* What the trials at one address come to; pointers are borrowed from the evidence. */
struct sums {
	size_t n, connected, refused, silent, other;
	int last_error;                        /* of the other ones */
	const struct trial *refusal, *silence; /* one of each, or NULL */
	const struct trial *icmp;              /* one that ICMP answered, or NULL */
	const struct trial *answer;            /* one with a SYN-ACK seen, or NULL */
	const struct trial *slowest;           /* of those that connected, or NULL */
	size_t closed, reset, repeated; /* at once after the handshake; with more than one SYN */
	bool syn_missing;               /* packets were watched, and no SYN left */
};

struct sums explain_sum_up(const struct address_evidence *address);

bool address_is_loopback(const struct address *address);
/* "ICMP host unreachable", … for a type and code of the family; static. */
const char *icmp_text(int family, uint8_t type, uint8_t code);
/* Whether a listener takes connections to the address. */
bool listener_takes(const struct listener *listener, const struct address *address);
/* The listener that takes connections to the address, or NULL. */
const struct listener *find_listener(const struct server_evidence *server,
				     const struct address *address);
/* These texts are owned by the caller. "nginx (pid 12) listens on 127.0.0.1:8080" */
char *listener_text(const struct listener *listener);
/* "RST after 310 us, TTL 64, window 0" */
char *rst_text(const struct trial *trial);
/* "3 SYNs, no answer within 3.50 s" */
char *silence_text(const struct evidence *evidence, const struct trial *trial);

/* How to find a firewall rule of this host: the traced one, or where to look. */
char *rule_advice(const struct evidence *evidence);

/* refused.c: trials that RST or ICMP ended */
void explain_refusal(const struct context *context, size_t index, const struct sums *sums);
void explain_icmp(const struct context *context, size_t index, const struct sums *sums);
/* silent.c: trials without an answer */
void explain_silence(const struct context *context, size_t index, const struct sums *sums);
/* Whether this host's kernel counted drops that explain silence, now and then or always. */
bool explain_drops(const struct context *context, size_t index, const char *seen);
bool explain_neighbour(const struct context *context, size_t index);

#endif
