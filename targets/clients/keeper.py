#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep a connection open, and ask on it repeatedly.

Sends a byte every --every seconds and expects it back within --timeout. When the connection ends, or no
answer comes, closes it and connects again, --pause seconds later, until that succeeds. Stops after --for
seconds. Exit status: 0 if it is connected then; 1 if not.
"""

import argparse
import os
import select
import socket
import sys
import time

MISTAKES = {
    "no-pause": "connects again at once",
    "retries-nothing": "ends when the connection does",
    "keeps-dead": "holds on to a dead connection for half a second",
    "keeps-old": "connects again without closing the old connection",
}


def log(what):
    print(what, file=sys.stderr, flush=True)


class Keeper:
    """One connection at a time to one server."""

    def __init__(self, options, mistake):
        host, _, port = options.target.rpartition(":")
        self.address = (host.strip("[]"), int(port))
        self.options, self.mistake = options, mistake
        self.peer = None
        self.kept = []
        self.ends = time.monotonic() + getattr(options, "for")

    def connect(self):
        try:
            self.peer = socket.create_connection(self.address, self.options.timeout)
            log("connected")
        except OSError as error:
            log(f"not connected: {error.strerror or error}")

    def ask(self):
        """Returns why the connection can't be used any more, or None."""
        try:
            self.peer.send(b"?")
            if not select.select([self.peer], [], [], self.options.timeout)[0]:
                return "no answer"
            return None if self.peer.recv(1) else "closed"
        except OSError as error:
            return error.strerror

    def wait(self):
        """Waits until the next question is due. Returns why the connection ended, or None."""
        if not select.select([self.peer], [], [], self.options.every)[0]:
            return None
        try:
            return "unexpected data" if self.peer.recv(1) else "closed"
        except OSError as error:
            return error.strerror

    def drop(self, why):
        log(f"lost: {why}")
        if self.mistake == "retries-nothing":
            sys.exit(1)
        if self.mistake == "keeps-dead":
            time.sleep(0.5)
        if self.mistake == "keeps-old":
            self.kept.append(self.peer)
        else:
            self.peer.close()
        self.peer = None

    def run(self):
        while time.monotonic() < self.ends:
            if not self.peer:
                self.connect()
            else:
                why = self.ask() or self.wait()
                if why:
                    self.drop(why)
            if not self.peer and self.mistake != "no-pause":
                time.sleep(self.options.pause)
        return 0 if self.peer else 1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="mistakes to make on purpose (named in SYNFAULT_MISTAKE):\n"
        + "\n".join(f"  {name:<20}{what}" for name, what in MISTAKES.items()),
    )
    parser.add_argument("target", help="ADDRESS:PORT or [ADDRESS]:PORT")
    parser.add_argument("--every", type=float, default=0.1, metavar="S", help="between questions")
    parser.add_argument("--timeout", type=float, default=0.3, metavar="S", help="for an answer")
    parser.add_argument("--pause", type=float, default=0.3, metavar="S", help="before connecting")
    parser.add_argument("--for", type=float, default=2, metavar="S", help="how long to run")
    options = parser.parse_args()
    mistake = os.environ.get("SYNFAULT_MISTAKE", "")
    if mistake and mistake not in MISTAKES:
        parser.error(f"unknown mistake {mistake}")
    return Keeper(options, mistake).run()


if __name__ == "__main__":
    sys.exit(main())
