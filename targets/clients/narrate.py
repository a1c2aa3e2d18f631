#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One connection as the socket calls see it: byte counts and names of errors.

Connects, sends, reads until the end, and prints a line for each of "connect", "sent", "received"
and "end". The end is EOF, an errno's name, or "timeout" (--timeout seconds without an
answer). Exit status: 0 after EOF, 1 after anything else, 2 wrong usage.
"""

import argparse
import errno
import socket
import sys


def name_of(error: OSError) -> str:
    if isinstance(error, TimeoutError) and error.errno is None:
        return "timeout"
    return errno.errorcode.get(error.errno, str(error))


def step(what: str, value: object) -> None:
    print(f"{what}: {value}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", help="ADDRESS:PORT or [ADDRESS]:PORT")
    parser.add_argument("--send", default="", help="text to send; \\r and \\n are understood")
    parser.add_argument("--send-bytes", type=int, default=0, help="how many zeros to send")
    parser.add_argument("--shut", action="store_true", help="close the sending half after that")
    parser.add_argument("--timeout", type=float, help="seconds to wait for anything")
    options = parser.parse_args()
    host, _, port = options.target.rpartition(":")
    data = options.send.replace("\\r", "\r").replace("\\n", "\n").encode() + bytes(options.send_bytes)

    try:
        peer = socket.create_connection((host.strip("[]"), int(port)), options.timeout)
    except OSError as error:
        step("connect", name_of(error))
        return 1
    step("connect", "ok")
    received, sent, end = 0, 0, "EOF"
    with peer:
        try:
            while sent < len(data):
                sent += peer.send(data[sent : sent + 65536])
            if options.shut:
                peer.shutdown(socket.SHUT_WR)
            while chunk := peer.recv(65536):
                received += len(chunk)
        except OSError as error:
            end = name_of(error)
        if data:
            step("sent", sent)
        step("received", received)
        step("end", end)
    return 0 if end == "EOF" else 1


if __name__ == "__main__":
    sys.exit(main())
