#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""As retry.c: retry.py [--asyncio] HOST:PORT TRIES BASE FACTOR [TIMEOUT]."""

import asyncio
import socket
import sys
import time


def attempt(host, port, timeout):
    socket.create_connection((host, port), timeout=timeout).close()


async def attempt_asyncio(host, port, timeout):
    _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout)
    writer.close()


async def main_asyncio(host, port, tries, base, factor, timeout):
    for left in range(tries, 0, -1):
        try:
            return await attempt_asyncio(host, port, timeout)
        except (OSError, asyncio.TimeoutError) as error:
            print(repr(error), file=sys.stderr)
        if left > 1:
            await asyncio.sleep(base)
        base *= factor
    return sys.exit(1)


def main(host, port, tries, base, factor, timeout):
    for left in range(tries, 0, -1):
        try:
            return attempt(host, port, timeout)
        except OSError as error:
            print(repr(error), file=sys.stderr)
        if left > 1:
            time.sleep(base)
        base *= factor
    return sys.exit(1)


words = [word for word in sys.argv[1:] if word != "--asyncio"]
server, server_port = words[0].rsplit(":", 1)
numbers = [float(word) for word in words[1:]] + [None]
options = server, int(server_port), int(numbers[0]), *numbers[1:4]
if "--asyncio" in sys.argv:
    asyncio.run(main_asyncio(*options))
else:
    main(*options)
