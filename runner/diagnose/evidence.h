/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `synfault diagnose` sees before it concludes anything: plain data, written by the modules
 * that look (names, route, handshake, server) and read by the one that concludes (causes).
 * "Unknown" is a value of its own everywhere: what could not be looked at is never taken for
 * absent.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_EVIDENCE_H
#define SYNFAULT_RUNNER_DIAGNOSE_EVIDENCE_H

#include "injector/address.h"
#include "runner/diagnose/packet_watch.h"

enum { MAX_DIAGNOSE_ADDRESSES = 8, MAX_TRIALS = 50, MAX_LISTENERS = 16, MAX_HOPS = 30 };

enum known {
	UNKNOWN,
	NO,
	YES,
};

/* How a name became addresses. */
struct name_evidence {
	bool literal;     /* an address was given */
	int error;        /* of getaddrinfo(): EAI_…; 0: it resolved */
	int system_error; /* errno with EAI_SYSTEM */
	int64_t took_ns;
	bool in_hosts;    /* /etc/hosts names it */
	bool searched;    /* it has no dot, so the search domains of resolv.conf apply */
	char *nameserver; /* the first one of resolv.conf, or NULL */
	bool gai_conf;    /* gai.conf(5) changes the order of addresses */
	/* This host has only loopback addresses of the family: AI_ADDRCONFIG leaves it out. */
	bool without_ipv4, without_ipv6;
	int ipv4_error, ipv6_error; /* when asked for each family alone; 0: it resolved */
	int64_t ipv4_ns, ipv6_ns;
};

/* The kernel's route to an address (rtnetlink, RTM_GETROUTE). */
enum route_kind {
	ROUTE_UNKNOWN,
	ROUTE_LOCAL, /* an address of this network namespace */
	ROUTE_UNICAST,
	ROUTE_NONE,        /* ENETUNREACH */
	ROUTE_BLACKHOLE,   /* EINVAL */
	ROUTE_UNREACHABLE, /* EHOSTUNREACH */
	ROUTE_PROHIBIT,    /* EACCES */
	ROUTE_N_KINDS,
};
struct route_evidence {
	enum route_kind kind;
	char device[16];
	struct address source;  /* family 0: unknown */
	struct address gateway; /* family 0: none, the address is on the link */
	uint32_t mtu;           /* of the device or the route; 0: unknown */
	uint16_t neighbour;     /* NUD_… of the gateway or the address itself; 0: unknown */
	bool device_down;
	bool no_carrier; /* the device is up, and its cable or the other end is not */
};

/* One connect(), as seen by its caller and in the packets. Times count from its start. */
struct trial {
	int error;          /* errno; 0: connected; ETIMEDOUT may be our own limit: see gave_up */
	bool gave_up;       /* nothing came within our own limit */
	int64_t started_ns; /* CLOCK_MONOTONIC */
	int64_t took_ns;
	unsigned syns; /* SYNs sent, the first included */
	uint16_t port; /* of our end */
	bool watched;  /* packets were seen: what follows is known */
	bool own_syn_seen;
	struct address
		translated; /* where NAT of this host sends it instead; family 0: it doesn't */
	int64_t syn_ack_ns; /* INT64_MAX: none came */
	unsigned syn_acks;
	bool watched_on; /* for a second and more: a retransmitted SYN-ACK would have been seen */
	uint32_t syn_ack_ttl;
	int64_t rst_ns; /* INT64_MAX: none came */
	uint32_t rst_ttl, rst_window;
	int64_t icmp_ns; /* INT64_MAX: none came */
	uint32_t icmp_type, icmp_code;
	struct address icmp_from;
	/* Right after the handshake. */
	bool closed_at_once, reset_at_once;
	uint32_t mss; /* to the server, from TCP_MAXSEG; 0: unknown */
};

/* A socket that listens on the port, in this network namespace (sock_diag). */
struct listener {
	struct address address;
	bool v6only;
	uint32_t queued, backlog;   /* of the accept queue */
	int64_t n_files, max_files; /* of its process, and their limit; -1: unknown */
	char *program;              /* "nginx (pid 12)", or NULL: not allowed to see */
};

/* What a network namespace says about a server in it, and about its kernel's limits. */
struct server_evidence {
	bool looked; /* at its listeners: the server may be there */
	struct listener listeners[MAX_LISTENERS];
	size_t n_listeners;
	/* If there is none: one that listens on the port in another network namespace. */
	bool has_stray;
	struct listener stray;
	struct address stray_home; /* where it could be reached; family 0: nowhere */
	uint32_t half_open;        /* requests in SYN_RECV at the port */
	uint32_t time_wait;        /* sockets in TIME_WAIT, at all ports */
	int64_t listen_overflows;  /* TcpExt counters: growth over the trials; -1: unknown */
	int64_t request_drops;     /* TcpExt TCPReqQFullDrop */
	int64_t path_filtered;     /* TcpExt IPReversePathFilter */
	enum known syn_cookies, abort_on_overflow;
	int64_t conntrack_count, conntrack_max; /* -1: unknown */
	int64_t conntrack_drops;                /* growth over the trials; -1: unknown */
	uint32_t port_low, port_high;           /* net.ipv4.ip_local_port_range; 0: unknown */
};

/* What became of a SYN with a limited number of hops. */
enum hop_kind {
	HOP_SILENT,
	HOP_ROUTER,    /* its hops ran out there */
	HOP_CONNECTED, /* it arrived, and was accepted */
	HOP_REFUSED,   /* RST */
	HOP_REJECTED,  /* another ICMP error */
	HOP_N_KINDS,
};
struct hop {
	enum hop_kind kind;
	struct address from; /* who said so; family 0: unknown */
};

/* The largest packet that gets to the host (path_mtu.h). */
enum path_mtu_kind {
	PATH_MTU_UNKNOWN,    /* not asked for, or the host does not answer */
	PATH_MTU_FULL,       /* as large as the route allows */
	PATH_MTU_SMALLER,    /* and a router says so: the kernel adapts */
	PATH_MTU_BLACK_HOLE, /* larger ones disappear */
	PATH_MTU_N_KINDS,
};
struct path_mtu {
	enum path_mtu_kind kind;
	uint32_t tried;      /* the route's */
	uint32_t bytes;      /* that get through; PATH_MTU_BLACK_HOLE: at least */
	struct address from; /* the router that says so */
};

/* The nftables rule that dropped a packet of the trials (nftrace). */
struct traced_drop {
	enum known traced; /* NO: none did; UNKNOWN: not asked for, or not permitted */
	uint8_t family;    /* of the table: NFPROTO_… */
	char table[64], chain[64];
	uint64_t handle; /* of the rule */
	bool by_policy;  /* by the chain's policy, not by a rule */
	bool there;      /* in the network namespace of evidence.there */
};

/* Whose sockets and counters tell about the server. */
enum server_place {
	SERVER_ELSEWHERE, /* another machine, or one whose sockets can't be seen */
	SERVER_HERE,      /* evidence.here */
	SERVER_THERE,     /* evidence.there */
};
/* Why the kernel dropped a packet of the trials (drop_reasons.h). */
struct kernel_drop {
	enum known seen; /* UNKNOWN: not asked for, or why */
	int why;         /* errno; 0: not asked for */
	char reason[64]; /* "SOCKET_FILTER"; "": this kernel gives none */
	char place[128]; /* "tcp_v4_rcv+0x1a" */
};

/* Why the kernel's TCP reset a connection of the trials (reset_reasons.h). */
struct kernel_reset {
	enum known seen; /* NO: its TCP did not; UNKNOWN: not asked for, or why */
	int why;         /* errno; 0: not asked for */
	char reason[48]; /* "NO_SOCKET" */
};

/* The rule of iptables-legacy whose counter grew during the trials (legacy_rules.h). */
struct legacy_drop {
	uint64_t packets; /* by how much; 0: there is none, or it can't be seen */
	char table[32], chain[32];
	unsigned number; /* 0: the chain's policy */
	bool ipv6;
	bool there; /* in the network namespace of evidence.there */
};

struct address_evidence {
	struct address address;
	struct route_evidence route;
	struct address backend; /* where NAT of this host sends trials instead; family 0: nowhere */
	struct route_evidence backend_route;
	enum server_place server; /* of the address, or of the backend */
	struct trial trials[MAX_TRIALS];
	size_t n_trials;
	/* An open port of the same host, if one was named: how its answers look. */
	struct trial compare;
	bool compared;
	/* The path, if it was asked for: by the number of routers passed, from 0. */
	struct hop hops[MAX_HOPS];
	size_t n_hops;
	struct path_mtu path_mtu;
};

/* A packet of a trial, for a capture file. */
struct trial_packet {
	struct seen_packet seen;
	const struct trial *begins; /* the trial whose first packet it is, or NULL */
};

struct evidence {
	char *target; /* as given */
	char *host;
	uint16_t port;
	struct name_evidence name;
	struct address_evidence addresses[MAX_DIAGNOSE_ADDRESSES];
	size_t n_addresses;
	struct server_evidence here;  /* this network namespace */
	struct server_evidence there; /* another one of this machine that has the address */
	struct traced_drop drop;
	struct legacy_drop legacy_drop;
	struct kernel_drop kernel_drop;
	struct kernel_reset kernel_reset;
	int64_t patience_ns; /* how long each trial was given */
	bool watched;        /* packets could be seen */
	const char *proxy;   /* variable that sends HTTP clients to a proxy, or NULL */
	/* If packets are kept: those of the trials, in their order. */
	struct trial_packet *packets;
	size_t n_packets, packets_capacity;
};

void evidence_free(struct evidence *evidence);
#define AUTO_EVIDENCE CLEANUP(evidence_free)

#endif
