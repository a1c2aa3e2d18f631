#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that takes its time: slow_start.py ADDRESS PORT MILLISECONDS; then as hello.py."""

import sys
import time

import hello

if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    time.sleep(int(sys.argv[3]) / 1000)
    hello.serve(sys.argv[1], int(sys.argv[2]))
