#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""serve.py ADDRESS PORT [HOW]: a server that does one thing wrong. Prints "serving" once it does.

HOW: nothing (accepts and keeps) | full | full-of-files | half-open | occupy (as a client: all ports) | restart
| close | reset | dns-empty | dns-silent | dns-slow | dns-half | dns-wrong
"""

import resource
import socket
import struct
import subprocess
import sys
import time


def listen(address, port, backlog=128):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, port))
    server.listen(backlog)
    return server


def say():
    print("serving", flush=True)


def forever():
    while True:
        time.sleep(3600)


def keep(address, port):
    server, kept = listen(address, port), []
    say()
    while True:
        kept.append(server.accept())


def full(address, port):
    """A listener whose accept queue is full and stays full."""
    server = listen(address, port, 0)
    kept = []
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        kept.append(client)
    time.sleep(0.1)
    say()
    forever()
    return server, kept


def full_of_files(address, port):
    """A listener that can't accept, because its process has as many files open as it may."""
    server = listen(address, port, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    kept = []
    try:
        while True:
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            kept.append(client)
    except OSError:
        pass
    say()
    forever()
    return server, kept


def half_open(address, port):
    """Requests whose SYN-ACK is never answered: their source addresses belong to no host."""
    server = listen(address, port, 4)
    subprocess.run(["nft", "-f", "-"], check=True, text=True,
                   input="table ip h {\nchain o {\ntype filter hook output priority 0\n"
                         "ip daddr 127.9.0.0/16 tcp flags & (syn|ack) == syn|ack drop\n}\n}\n")
    said = False
    while True:
        # The kernel drops old requests when the queue gets full, so keep sending new ones.
        kept = []
        for number in range(32):
            client = socket.socket()
            client.setblocking(False)
            client.bind((f"127.9.0.{number + 1}", 0))
            client.connect_ex(("127.0.0.1", port))
            kept.append(client)
        time.sleep(0.1)
        if not said:
            say()
        said = True
        for client in kept:
            client.close()


def occupy(address, port):
    kept = []
    try:
        for _ in range(100):
            kept.append(socket.create_connection((address, port)))
    except OSError:
        pass
    say()
    forever()


def restart(address, port):
    first = True
    while True:
        server = listen(address, port)
        server.settimeout(0.4)
        if first:
            say()
            first = False
        until = time.monotonic() + 0.4
        kept = []
        while time.monotonic() < until:
            try:
                kept.append(server.accept())
            except OSError:
                break
        for connection, _ in kept:
            connection.close()
        server.close()
        time.sleep(0.4)


def end(address, port, aborts):
    server = listen(address, port)
    say()
    while True:
        connection, _ = server.accept()
        if aborts:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def dns(address, port, how):
    """Answers A with 10.77.2.2 and AAAA with nothing; or late, only one of them, "no such name", or never. "wrong"
    answers with the address of another host."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))
    say()
    while True:
        query, client = server.recvfrom(512)
        end_of_name = query.index(0, 12)
        question = query[12:end_of_name + 5]
        is_a = question[-4:-2] == b"\0\1"
        if how == "silent" or (how == "half" and not is_a):
            continue
        if how == "slow":
            time.sleep(1.2)
        code = 3 if how == "empty" else 0
        found = bytes([10, 77, 2, 1 if how == "wrong" else 2])
        answer = b"" if code or not is_a else b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + found
        server.sendto(query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if answer else 0, 0, 0)
                      + question + answer, client)


def main():
    address, port, how = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    if how.startswith("dns-"):
        dns(address, port, how[4:])
    elif how in ("close", "reset"):
        end(address, port, how == "reset")
    else:
        {"": keep, "full": full, "full-of-files": full_of_files, "half-open": half_open, "occupy": occupy,
         "restart": restart}[how](address, port)


main()
