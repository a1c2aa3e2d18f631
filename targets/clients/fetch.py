#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fetch a URL with a common retry loop.

Makes at most five attempts, two seconds apart. It retries only a refused connection; any other error
ends it unchanged. When all attempts have failed, the last error is chained to the RuntimeError.
"""

import argparse
import http.client
import itertools
import os
import socket
import sys
import time
import urllib.parse

MISTAKES = {
    "never-gives-up": "goes on after the last attempt",
    "no-pause": "tries again at once",
    "retries-everything": "retries errors that do not pass, too",
    "retries-nothing": "gives up at the first error",
    "swallows-error": "exits with 0 and says nothing when all attempts failed",
    "no-cap": "doubles its delay each time, for ever",
    "one-too-many": "one attempt more than allowed",
    "leaks-socket": "leaves a timed-out socket open and goes on; makes no sense without "
    "--retry-timeouts, since no attempt follows then",
}

EXIT_USAGE = 64

leaked = []


class Parser(argparse.ArgumentParser):
    """The usual parser, with the exit status of sysexits.h."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def parse_arguments():
    parser = Parser(
        description=__doc__.split("\n", maxsplit=1)[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="mistakes to make on purpose (or name one in SYNFAULT_MISTAKE):\n"
        + "\n".join(f"  {name:<20}{what}" for name, what in MISTAKES.items()),
    )
    parser.add_argument("url", help="http://HOST:PORT/PATH")
    parser.add_argument("--attempts", type=int, default=5, metavar="N", help="in all (5)")
    parser.add_argument(
        "--delay",
        type=float,
        default=os.environ.get("RETRY_DELAY") or "2",
        metavar="S",
        help="seconds between attempts (RETRY_DELAY, or 2)",
    )
    parser.add_argument(
        "--timeout", type=float, metavar="S", help="for connecting and for reading (none)"
    )
    parser.add_argument(
        "--retry-timeouts", action="store_true", help="retry what timed out, too"
    )
    parser.add_argument(
        "--mistake", default=os.environ.get("SYNFAULT_MISTAKE") or None, metavar="NAME"
    )
    options = parser.parse_args()
    options.parts = urllib.parse.urlsplit(options.url)
    if options.parts.scheme != "http" or not options.parts.hostname:
        parser.error(f"not an http URL: {options.url}")
    if options.attempts < 1 or options.delay < 0:
        parser.error("--attempts and --delay can't be negative")
    if options.mistake is not None and options.mistake not in MISTAKES:
        parser.error(f"no such mistake: {options.mistake}")
    if options.mistake == "leaks-socket" and not options.retry_timeouts:
        parser.error("leaks-socket makes no sense without --retry-timeouts")
    return options


def connect_and_leak(address, timeout, _source_address):
    """What socket.create_connection() does, but a socket that failed is never closed."""
    info = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(*info[:3])
    leaked.append(sock)
    sock.settimeout(timeout)
    sock.connect(info[4])
    return sock


def get(options):
    """One attempt: returns the body."""
    parts = options.parts
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port or 80, timeout=options.timeout
    )
    if options.mistake == "leaks-socket":
        connection._create_connection = connect_and_leak
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(f"HTTP status {response.status}")
    return body


def may_retry(error, options):
    if options.mistake == "retries-nothing":
        return False
    if options.mistake == "retries-everything":
        return True
    if isinstance(error, socket.timeout):
        return options.retry_timeouts
    return isinstance(error, ConnectionRefusedError)


def pause(number, options):
    """Waits after the attempt with this number, counted from 1."""
    delay = options.delay
    if options.mistake == "no-pause":
        return
    if options.mistake == "no-cap":
        delay *= 2 ** (number - 1)
    time.sleep(delay)


def fetch(options):
    allowed = options.attempts
    if options.mistake == "one-too-many":
        allowed += 1
    for number in itertools.count(1):
        try:
            return get(options)
        except Exception as error:
            if not may_retry(error, options):
                raise
            if number >= allowed and options.mistake != "never-gives-up":
                if options.mistake == "swallows-error":
                    return b""
                raise RuntimeError(f"all {number} attempts failed: {error}") from error
        pause(number, options)


def main():
    sys.stdout.buffer.write(fetch(parse_arguments()))


if __name__ == "__main__":
    main()
