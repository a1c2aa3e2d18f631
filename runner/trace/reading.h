/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of a connection attempt, read from its packets alone, as an engineer reads a trace.
 * Neither the script nor the record plays a part. Everything here is pure.
 */
#ifndef SYNFAULT_RUNNER_TRACE_READING_H
#define SYNFAULT_RUNNER_TRACE_READING_H

#include "common/strbuf.h"
#include "injector/tracker.h"

enum reading_kind {
	READING_NO_ANSWER,  /* only SYNs */
	READING_REFUSED,    /* RST in answer to a SYN */
	READING_ICMP_ERROR, /* ICMP error in answer to a SYN */
	READING_UNFINISHED, /* SYN-ACK without an answer */
	READING_TOO_LATE,   /* SYN-ACK, answered with RST: the client had given up */
	READING_COMPLETED,  /* SYN, SYN-ACK, ACK, and no RST from the server before the end */
	READING_RESET,      /* reset by the server after its SYN-ACK */
	READING_N_KINDS,
};
/** reading_kind_text() - return "no answer", "refused by RST", … */
const char *reading_kind_text(enum reading_kind kind);

/* The relevant parts of a connection's packet. */
struct segment {
	enum segment_kind { SEGMENT_TCP, SEGMENT_ICMP_ERROR } kind;
	struct packet tcp; /* ICMP_ERROR: the quoted packet; its flags and options are unknown */
	uint8_t icmp_type, icmp_code;
};
/**
 * segment_parse() - parse a packet that starts at its IP header
 * @captured: bytes at @data
 *
 * Return: false if it is neither TCP nor an ICMP error about TCP, or is malformed.
 */
bool segment_parse(const void *data, size_t captured, struct segment *ret);

struct reading {
	enum reading_kind kind;
	uint32_t syns, syn_acks;
	bool client_fin, server_fin;
	bool client_rst; /* after the handshake */
	uint16_t family; /* of icmp_type */
	uint8_t icmp_type, icmp_code;
	uint64_t client_bytes, server_bytes; /* of data; retransmitted ones count once */
};

/* The state between two packets. */
struct reader {
	struct attempt_key key;
	struct reading reading;
	bool acknowledged; /* the client has answered the SYN-ACK */
	uint32_t server_isn;
	uint32_t syn_bytes; /* of data in the last SYN */
};

/** reader_begin() - begin to read an attempt */
void reader_begin(struct reader *reader, const struct attempt_key *key);
/** reader_take() - take the next packet of the attempt's 4-tuple, in the order of time */
void reader_take(struct reader *reader, const struct segment *segment);

/** reading_format() - add "refused by RST", "ICMP error (host unreachable)", … */
void reading_format(const struct reading *reading, struct strbuf *out);

#endif
