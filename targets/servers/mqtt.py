#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small MQTT server: mqtt.py ADDRESS PORT. Lets everybody in, and answers their heart-beats."""

import sys

import messages

CONNECT, PINGREQ = 1, 12
CONNACK, PINGRESP = b"\x20\x02\x00\x00", b"\xd0\x00"


class Session(messages.Session):
    def take_packet(self):
        """Reads a packet of MQTT 3.1.1, section 2.2. Returns its type."""
        kind = self.take(1)[0] >> 4
        length = shift = 0
        more = True
        while more:
            byte = self.take(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            more = byte & 128
        self.take(length)
        return kind

    def serve(self):
        while True:
            kind = self.take_packet()
            if kind in (CONNECT, PINGREQ):
                self.wfile.write(CONNACK if kind == CONNECT else PINGRESP)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    messages.serve(Session, sys.argv[1], int(sys.argv[2]))
