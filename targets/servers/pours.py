#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends many zeros to whoever asks for anything, then closes: pours.py ADDRESS PORT BYTES."""

import socket
import sys
import threading


def pour(peer: socket.socket, count: int) -> None:
    with peer:
        try:
            if peer.recv(4096):
                peer.sendall(bytes(count))
        except OSError:
            pass  # the connection was broken, which is what it is for


def main() -> None:
    address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as listener:
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=pour, args=(peer, count), daemon=True).start()


if __name__ == "__main__":
    main()
