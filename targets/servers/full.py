#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Listens with the shortest possible queue and never accepts: full.py HOST PORT

The first connection fills the queue; later ones meet a full queue."""

import signal
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
with socket.socket(family, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(0)
    signal.pause()
