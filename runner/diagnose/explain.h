/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts that explain trials share: sums over the trials at one address, the texts of
 * answers, and the list that causes are added to.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_EXPLAIN_H
#define SYNFAULT_RUNNER_DIAGNOSE_EXPLAIN_H

#include "runner/diagnose/diagnosis.h"

/* The parts of a cause; its texts then belong to the diagnosis. */
struct parts {
	enum cause_kind kind;
	char *sentence, *evidence, *advice;
	const char *steps;
};

struct context {
	const struct evidence *evidence;
	struct diagnosis *diagnosis;
};

/**
 * explain_add() - add a cause
 * @address: index; SIZE_MAX: about the name, or all addresses
 *
 * The arguments that follow are the parts: .kind = CAUSE_REFUSED, .evidence = text.
 */
#define explain_add(context, address, ...)                                                         \
	explain_add_parts(context, address, &(struct parts){__VA_ARGS__})
/** explain_add_parts() - add a cause, which takes over the texts */
void explain_add_parts(const struct context *context, size_t address, const struct parts *parts);

/* Sums over the trials at one address; pointers are borrowed from the evidence. */
struct sums {
	size_t n, connected, refused, silent, other;
	int last_error;                        /* of those counted as other */
	const struct trial *refusal, *silence; /* one of each, or NULL */
	const struct trial *icmp;              /* one that ICMP answered, or NULL */
	const struct trial *answer;            /* one with a SYN-ACK seen, or NULL */
	const struct trial *slowest;           /* of those that connected, or NULL */
	const struct trial *unfinished; /* one that the server did not see established, or NULL */
	size_t closed, reset, repeated; /* at once after the handshake; with more than one SYN */
	bool syn_missing;               /* packets were watched, and no SYN left */
};

/**
 * explain_served() - return where the trials at an address went
 *
 * Return: the address, or where NAT of this host sends them instead; borrowed.
 */
const struct address *explain_served(const struct address_evidence *address);
/** explain_server() - return what is known of the server's namespace, or NULL; borrowed */
const struct server_evidence *explain_server(const struct context *context, size_t index);
/** nat_text() - return "; NAT of this host passes … on to …", or ""; owned by the caller */
char *nat_text(const struct address_evidence *address);

/** explain_sum_up() - sum up the trials at one address */
struct sums explain_sum_up(const struct address_evidence *address);

/** address_is_loopback() - return whether an address is one of 127.0.0.0/8 or ::1 */
bool address_is_loopback(const struct address *address);
/** icmp_text() - return "host unreachable", … for a type and code of the family; static */
const char *icmp_text(int family, uint8_t type, uint8_t code);
/** listener_takes() - return whether a listener takes connections to the address */
bool listener_takes(const struct listener *listener, const struct address *address);
/** find_listener() - return the listener that takes connections to the address, or NULL */
const struct listener *find_listener(const struct server_evidence *server,
				     const struct address *address);
/** listener_text() - return "nginx (pid 12) listens on 127.0.0.1:8080"; owned by the caller */
char *listener_text(const struct listener *listener);
/** rst_text() - return "RST after 310 us, TTL 64, window 0"; owned by the caller */
char *rst_text(const struct trial *trial);
/** silence_text() - return "3 SYNs, no answer within 3.50 s"; owned by the caller */
char *silence_text(const struct evidence *evidence, const struct trial *trial);

/** rule_advice() - name the traced rule of this host, or say where to look; owned by the caller */
char *rule_advice(const struct evidence *evidence);

/** reset_reasons_obstacle() - say why the reasons of resets can't be asked for, or return NULL */
const char *reset_reasons_obstacle(const struct kernel_reset *reset);
/**
 * kernel_reset_text() - say whether this machine's TCP sent an RST
 *
 * Return: "; its TCP says NO_SOCKET", …, or ""; owned by the caller.
 */
char *kernel_reset_text(const struct evidence *evidence);

/** drop_reasons_obstacle() - say why the kernel's reasons could not be asked for, or return NULL */
const char *drop_reasons_obstacle(const struct kernel_drop *drop);

/** explain_refusal() - explain trials that an RST ended (refused.c) */
void explain_refusal(const struct context *context, size_t index, const struct sums *sums);
/** explain_icmp() - explain trials that an ICMP error ended (refused.c) */
void explain_icmp(const struct context *context, size_t index, const struct sums *sums);
/** explain_silence() - explain trials without an answer (silent.c) */
void explain_silence(const struct context *context, size_t index, const struct sums *sums);
/**
 * explain_drops() - explain silence by drops that this host's kernel counted
 * @seen: what the trials showed
 *
 * Return: whether that explains it, sometimes or always.
 */
bool explain_drops(const struct context *context, size_t index, const char *seen);
/** explain_neighbour() - return whether a silent neighbour explains silence, after explaining it */
bool explain_neighbour(const struct context *context, size_t index);

#endif
