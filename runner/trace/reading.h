/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of a connection attempt, read off its packets alone, as an engineer reads a trace:
 * neither the script nor the record matters. All of it is pure.
 */
#ifndef SYNFAULT_RUNNER_TRACE_READING_H
#define SYNFAULT_RUNNER_TRACE_READING_H

#include "common/strbuf.h"
#include "injector/tracker.h"

enum reading_kind {
	READING_NO_ANSWER,  /* SYNs only */
	READING_REFUSED,    /* RST in answer to a SYN */
	READING_ICMP_ERROR, /* ICMP in answer to a SYN */
	READING_UNFINISHED, /* SYN-ACK, and no answer to that */
	READING_TOO_LATE,   /* SYN-ACK, answered with RST: the client had given up */
	READING_COMPLETED,  /* SYN, SYN-ACK, ACK, and no RST from the server before the end */
	READING_RESET,      /* reset by the server after its SYN-ACK */
	READING_N_KINDS,
};
/* "no answer", "refused by RST", … */
const char *reading_kind_text(enum reading_kind kind);

/* What matters of a packet of a connection. */
struct segment {
	enum segment_kind { SEGMENT_TCP, SEGMENT_ICMP_ERROR } kind;
	struct packet tcp; /* ICMP_ERROR: what the error quotes; flags and options are not known */
	uint8_t icmp_type, icmp_code;
};
/*
 * Reads a packet from its IP header on. Returns false when it is neither TCP nor an ICMP error
 * about TCP, or is malformed.
 */
bool segment_parse(const void *data, size_t captured, struct segment *ret);

struct reading {
	enum reading_kind kind;
	uint32_t syns, syn_acks;
	bool client_fin, server_fin;
	bool client_rst; /* after the handshake */
	uint16_t family; /* of icmp_type */
	uint8_t icmp_type, icmp_code;
	uint64_t client_bytes, server_bytes; /* of data, repeated ones counted once */
};

/* The state between two packets. */
struct reader {
	struct attempt_key key;
	struct reading reading;
	bool acknowledged; /* the client has answered the SYN-ACK */
	uint32_t server_isn;
	uint32_t syn_bytes; /* of data in the last SYN */
};

void reader_begin(struct reader *reader, const struct attempt_key *key);
/* Takes the next packet of the attempt's 4-tuple, in the order of time. */
void reader_take(struct reader *reader, const struct segment *segment);

/* "refused by RST", "ICMP error (host unreachable)", …, added to @out. */
void reading_format(const struct reading *reading, struct strbuf *out);

#endif
