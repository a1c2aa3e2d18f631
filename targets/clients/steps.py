#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that makes the socket calls it is given, one after the other.

steps.py ADDRESS... -- STEP...: addresses are HOST:PORT or [HOST]:PORT and have numbers from 0. In steps
N is the number of an address and MS a time in milliseconds:

  connect:N[:MS]  connect; close the socket when that fails, or without an answer after MS
  start:N         begin to connect, and keep the socket
  hold:N:MS       connect; keep the socket open without an answer after MS
  again:N[:MS]    connect on the same socket as the last "again"; keep it after MS
  forget          connect(AF_UNSPEC) on that socket
  shutdown        shutdown() the newest socket for both directions
  send:BYTES      send this many bytes on the newest socket
  read:MS         read from it until its end, an error, or MS have passed
  get:BYTES       read from it until this many bytes have come
  close, reset    close the newest socket, by FIN or by RST
  close-all       close all sockets
  wait:MS         sleep
  print:TEXT      print a line on stderr
  say:TEXT        print a line on stdout
  exit:STATUS     end at once without closing anything
  loop:TIMES … end
"""

import contextlib
import ctypes
import os
import socket
import struct
import sys
import time


class Client:
    """Sockets, the newest last, and the one that is used repeatedly."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.sockets = []
        self.same = None

    def new(self, number):
        family = socket.AF_INET6 if ":" in self.addresses[number][0] else socket.AF_INET
        self.sockets.append(socket.socket(family, socket.SOCK_STREAM))
        return self.sockets[-1]

    def dial(self, sock, number, milliseconds):
        """Returns whether it connected, or None without an answer in time."""
        sock.settimeout(int(milliseconds) / 1000 if milliseconds else None)
        try:
            sock.connect(self.addresses[number])
        except socket.timeout:
            return None
        except OSError as error:
            print(os.strerror(error.errno), file=sys.stderr, flush=True)
            return False
        return True

    def connect(self, number, milliseconds=None):
        if not self.dial(self.new(int(number)), int(number), milliseconds):
            self.close()

    def start(self, number):
        sock = self.new(int(number))
        sock.setblocking(False)
        sock.connect_ex(self.addresses[int(number)])

    def hold(self, number, milliseconds):
        self.dial(self.new(int(number)), int(number), milliseconds)

    def again(self, number, milliseconds=None):
        if not self.same:
            self.same = self.new(int(number))
        self.dial(self.same, int(number), milliseconds)

    def forget(self):
        nothing = struct.pack("=H14x", socket.AF_UNSPEC)
        ctypes.CDLL(None).connect(self.same.fileno(), nothing, len(nothing))

    def shutdown(self):
        with contextlib.suppress(OSError):
            self.sockets[-1].shutdown(socket.SHUT_RDWR)

    def send(self, count):
        self.sockets[-1].settimeout(None)
        self.sockets[-1].sendall(bytes(int(count)))

    def read(self, milliseconds):
        deadline = time.monotonic() + int(milliseconds) / 1000
        with contextlib.suppress(OSError):
            while True:
                self.sockets[-1].settimeout(max(deadline - time.monotonic(), 0.001))
                if not self.sockets[-1].recv(65536):
                    return

    def get(self, count):
        left = int(count)
        self.sockets[-1].settimeout(None)
        while left > 0:
            left -= len(self.sockets[-1].recv(left)) or left

    def close(self):
        self.sockets.pop().close()

    def reset(self):
        self.sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close_all(self):
        while self.sockets:
            self.close()


def run(client, steps):
    loops = []
    at = 0
    while at < len(steps):
        verb, *arguments = steps[at].split(":")
        if verb == "loop":
            loops.append([at, int(arguments[0])])
        elif verb == "end":
            loops[-1][1] -= 1
            if loops[-1][1] > 0:
                at = loops[-1][0]
            else:
                loops.pop()
        elif verb == "wait":
            time.sleep(int(arguments[0]) / 1000)
        elif verb in ("print", "say"):
            print(*arguments, sep=":", file=sys.stderr if verb == "print" else sys.stdout, flush=True)
        elif verb == "exit":
            os._exit(int(arguments[0]))
        else:
            getattr(client, verb.replace("-", "_"))(*arguments)
        at += 1


def main():
    cut = sys.argv.index("--")
    pairs = (text.rsplit(":", 1) for text in sys.argv[1:cut])
    run(Client([(host.strip("[]"), int(port)) for host, port in pairs]), sys.argv[cut + 1:])


main()
