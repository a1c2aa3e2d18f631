#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that can't start: says why, ends at once with status 1. Arguments are ignored."""

import sys

if __name__ == "__main__":
    sys.exit("dies.py: no configuration found")
