#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that runs but never listens. Arguments are ignored."""

import signal

if __name__ == "__main__":
    while True:
        signal.pause()
