# SPDX-License-Identifier: GPL-2.0-or-later
"""What servers of a protocol of messages have in common: mqtt.py and postgres.py are such."""

import contextlib
import socket
import socketserver


class Session(socketserver.StreamRequestHandler):
    """A connection: serve() of the subclass reads and answers until it returns or the client ends it."""

    def take(self, size):
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError
        return data

    def handle(self):
        with contextlib.suppress(ConnectionError):
            self.serve()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(session, address, port):
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with Server((address, port), session) as server:
        server.serve_forever()
