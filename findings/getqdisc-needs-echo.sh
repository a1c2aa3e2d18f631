#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# RTM_GETQDISC for one queueing discipline is answered only with NLM_F_ECHO; with NLM_F_ACK it succeeds without data.
#
# Seen on Linux 6.18 with Python 3.11. lo gets a pfifo, which is then asked for by its parent; RTM_GETLINK, asked
# the same way, is the reference:
#
#     qdisc: nothing within 1 s
#     qdisc, NLM_F_ACK: error 0
#     qdisc, NLM_F_ECHO: RTM_NEWQDISC
#     link: RTM_NEWLINK
#
# The answer to a GET is sent as a notification of a change is, and that goes back to who asked only if it asked for
# an echo. The kernel's description of the protocol (Documentation/netlink/specs/tc.yaml) gives getqdisc a reply
# without that. A program that asks for one discipline, and reads without a time limit, waits for ever; one that
# reads the acknowledgement learns nothing of its counters. Dumps are answered, so `tc qdisc show` does not meet it.
#
# Needs root, for a network namespace of its own. Exits 0 while it is so, 1 when it has changed.
set -eu
if [ "${1:-}" != inside ]; then
	exec unshare --net -- "$0" inside
fi
seen=$(
	python3 - <<'PROGRAM'
import socket
import struct

REQUEST, ACK, ECHO, CREATE = 1, 4, 8, 0x400
NEWLINK, GETLINK, NEWQDISC, GETQDISC = 16, 18, 36, 38
NLMSG_ERROR, TCA_KIND, TC_H_ROOT = 2, 1, 0xFFFFFFFF
NAMES = {NEWLINK: "RTM_NEWLINK", NEWQDISC: "RTM_NEWQDISC"}


def ask(kind, flags, body):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as peer:
        peer.settimeout(1)
        peer.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body)
        try:
            answer = peer.recv(1 << 16)
        except TimeoutError:
            return "nothing within 1 s"
    got = struct.unpack_from("=H", answer, 4)[0]
    return f"error {-struct.unpack_from('=i', answer, 16)[0]}" if got == NLMSG_ERROR else NAMES.get(got, got)


loopback = socket.if_nametoindex("lo")
discipline = struct.pack("=BxxxiIII", 0, loopback, 0, TC_H_ROOT, 0)
name = b"pfifo\0"
assert ask(NEWQDISC, CREATE | ACK, discipline + struct.pack("=HH6s2x", 4 + len(name), TCA_KIND, name)) == "error 0"
print("qdisc:", ask(GETQDISC, 0, discipline))
print("qdisc, NLM_F_ACK:", ask(GETQDISC, ACK, discipline))
print("qdisc, NLM_F_ECHO:", ask(GETQDISC, ECHO, discipline))
print("link:", ask(GETLINK, 0, struct.pack("=BxHiII", 0, 0, loopback, 0, 0)))
PROGRAM
)
printf '%s\n' "$seen"
[ "$seen" = "qdisc: nothing within 1 s
qdisc, NLM_F_ACK: error 0
qdisc, NLM_F_ECHO: RTM_NEWQDISC
link: RTM_NEWLINK" ]
