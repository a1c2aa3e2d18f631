#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that really does what a fault imitates: broken.py ADDRESS PORT KIND

aborts  accepts, and resets               resets  waits for a request, and resets
silent  accepts, and never answers        closes  waits for a request, and closes
full    a full accept queue: nothing answers
"""

import signal
import socket
import struct
import sys
import threading
import time


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def serve(peer: socket.socket, kind: str) -> None:
    try:
        if kind == "aborts":
            # Over a network, connect() returns before a reset can arrive.
            time.sleep(0.02)
            reset(peer)
        elif kind == "resets":
            peer.recv(65536)
            reset(peer)
        elif kind == "closes":
            peer.recv(65536)
            peer.close()
        else:
            while peer.recv(65536):
                pass
    except OSError:
        pass  # the client closed first


def main() -> None:
    address, port, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == "full":
        # Fill it through an address that belongs to no endpoint.
        listener.bind(("0.0.0.0", port))
        listener.listen(0)
        with socket.create_connection(("127.255.0.9", port)):
            signal.pause()
    listener.bind((address, port))
    listener.listen()
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve, args=(peer, kind), daemon=True).start()


if __name__ == "__main__":
    main()
