#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small HTTP server: hello.py ADDRESS PORT [keep]. Answers every GET with 200 and "hello".

With "keep", connections stay open for further requests.
"""

import http.server
import socket
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        # Not HTTPServer's: that one looks up the name of the address, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]


def serve(address, port):
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with Server((address, port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    if sys.argv[3:] not in ([], ["keep"]):
        sys.exit(__doc__)
    if sys.argv[3:]:
        Handler.protocol_version = "HTTP/1.1"
    serve(sys.argv[1], int(sys.argv[2]))
