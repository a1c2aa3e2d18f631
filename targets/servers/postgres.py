#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small PostgreSQL server: postgres.py ADDRESS PORT. Lets everybody in, and answers each query with 1."""

import struct
import sys

import messages

SSL_REQUEST, GSS_REQUEST, PROTOCOL_3 = 80877103, 80877104, 3


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def text(*words):
    return b"".join(word.encode() + b"\0" for word in words)


READY = message(b"Z", b"I")
WELCOME = (
    message(b"R", struct.pack("!I", 0))
    + message(b"S", text("server_version", "15.0"))
    + message(b"S", text("client_encoding", "UTF8"))
    + message(b"S", text("standard_conforming_strings", "on"))
    + message(b"K", struct.pack("!II", 1, 1))
    + READY
)
# One row of one column, an int4.
ROW = (
    message(b"T", struct.pack("!H", 1) + text("one") + struct.pack("!IHIhih", 0, 0, 23, 4, -1, 0))
    + message(b"D", struct.pack("!HI", 1, 1) + b"1")
    + message(b"C", text("SELECT 1"))
    + READY
)


class Session(messages.Session):
    def take_body(self):
        return self.take(struct.unpack("!I", self.take(4))[0] - 4)

    def serve(self):
        code = struct.unpack("!I", self.take_body()[:4])[0]
        while code in (SSL_REQUEST, GSS_REQUEST):
            self.wfile.write(b"N")
            code = struct.unpack("!I", self.take_body()[:4])[0]
        if code >> 16 != PROTOCOL_3:
            return
        self.wfile.write(WELCOME)
        while self.take(1) == b"Q":
            self.take_body()
            self.wfile.write(ROW)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    messages.serve(Session, sys.argv[1], int(sys.argv[2]))
