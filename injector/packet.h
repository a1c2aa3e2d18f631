/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the IP and TCP headers of a queued packet. Packets come from the network, so every field is
 * checked against the available bytes, and each kind of malformed input has its own error.
 */
#ifndef SYNFAULT_INJECTOR_PACKET_H
#define SYNFAULT_INJECTOR_PACKET_H

#include "injector/address.h"

/* The bytes of a packet to copy to user space: room for IPv6 with options before TCP. */
#define PACKET_COPY_RANGE 256

enum tcp_flag {
	TCP_FLAG_FIN = 0x01,
	TCP_FLAG_SYN = 0x02,
	TCP_FLAG_RST = 0x04,
	TCP_FLAG_PSH = 0x08,
	TCP_FLAG_ACK = 0x10,
	TCP_FLAG_URG = 0x20,
	TCP_FLAG_ECE = 0x40,
	TCP_FLAG_CWR = 0x80,
};

/* A TCP segment, as its headers describe it. */
struct packet {
	struct address source, destination;
	uint32_t sequence;       /* host byte order; of a SYN: the initial sequence number */
	uint32_t acknowledgment; /* host byte order */
	uint32_t payload_length; /* bytes of data by the IP header; a Fast Open SYN carries some */
	uint16_t mss;            /* RFC 9293, 3.7.1; 0 if not announced */
	uint8_t window_shift;    /* RFC 7323, 2.2; 0 if not announced */
	uint8_t flags;           /* enum tcp_flag */
	bool fast_open;          /* has the option of RFC 7413 */
	bool multipath;          /* has the option of RFC 8684 */
	bool joins;              /* … which adds a subflow to a connection (MP_JOIN, 3.2) */
	bool has_timestamps;     /* has the option of RFC 7323 */
	uint32_t timestamp, timestamp_echo;
	uint16_t window;      /* as in the header, not scaled */
	uint32_t tcp_offset;  /* where the TCP header begins in the packet */
	uint32_t data_offset; /* where the data begins */
};

enum packet_error {
	PACKET_OK,
	PACKET_EMPTY,
	PACKET_BAD_VERSION,        /* neither IPv4 nor IPv6 */
	PACKET_IPV4_TRUNCATED,     /* fewer bytes than the header says */
	PACKET_IPV4_HEADER_LENGTH, /* IHL below 5 */
	PACKET_IPV4_TOTAL_LENGTH,  /* shorter than its headers */
	PACKET_IPV4_FRAGMENT,      /* not the first fragment: no TCP header in it */
	PACKET_IPV6_TRUNCATED,
	PACKET_IPV6_PAYLOAD_LENGTH,
	PACKET_IPV6_EXTENSION, /* an extension header is cut off, repeated or unknown */
	PACKET_NOT_TCP,
	PACKET_TCP_TRUNCATED,
	PACKET_TCP_DATA_OFFSET, /* below 5, or beyond the segment */
	PACKET_TCP_OPTION,      /* an option's length is 0, 1, or beyond the header */
	PACKET_N_ERRORS,
};

/**
 * packet_parse() - parse a packet's headers
 * @data: the packet, from its IP header on
 * @captured: bytes at @data; the packet itself may be longer, as the IP header says
 * @ret: the headers
 *
 * Malformed TCP options are an error (PACKET_TCP_OPTION), but @ret is then written, too, since the
 * kernel ignores such options (net/ipv4/tcp_input.c, tcp_parse_options).
 *
 * Return: PACKET_OK or the error. After errors other than PACKET_TCP_OPTION, @ret is not written.
 */
enum packet_error packet_parse(const void *data, size_t captured, struct packet *ret);

/**
 * packet_error_text() - return the error in words, without a full stop: "IPv4 header length below
 * 20 bytes"
 */
const char *packet_error_text(enum packet_error error);

/**
 * packet_is_syn() - return whether it opens a connection: SYN without ACK, RST and FIN; ECN and
 * data are allowed
 */
bool packet_is_syn(const struct packet *packet);
/** packet_is_syn_ack() - return whether it is the server's answer: SYN with ACK, without RST */
bool packet_is_syn_ack(const struct packet *packet);

#endif
