#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs in the container as its first process: inside.py REPORT COMMAND...

Looks at the container, runs the command, looks again, and writes what it saw to REPORT as JSON: what is
permitted there (making namespaces, writing to /proc/sys) and, before and after, addresses, nftables'
tables, queues, processes and files in /tmp. Exits with the command's status.
"""

import contextlib
import errno
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
NLM_F_REQUEST_DUMP = 0x301
NLMSG_ERROR, NLMSG_DONE = 2, 3
NFT_MSG_GETTABLE = (10 << 8) | 1
NFTA_TABLE_NAME = 1
RTM_GETADDR = 22
IFA_ADDRESS = 1
# How long killed processes may take to disappear.
PATIENCE_S = 2


def dump(protocol, kind, header):
    """Returns the payloads of the kernel's answers to a dump request."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(header), kind, NLM_F_REQUEST_DUMP, 1, 0)
                     + header)
        while True:
            data = netlink.recv(1 << 20)
            while data:
                length, message = struct.unpack_from("=IH", data)
                if message == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", data, 16)[0]
                    raise OSError(code, os.strerror(code))
                if message == NLMSG_DONE:
                    return
                yield data[16:length]
                data = data[(length + 3) & ~3:]


def attribute(payload, wanted):
    while len(payload) >= 4:
        length, kind = struct.unpack_from("=HH", payload)
        if kind & 0x3fff == wanted:
            return payload[4:length]
        payload = payload[(length + 3) & ~3:]
    return b""


def tables():
    try:
        return sorted(attribute(payload[4:], NFTA_TABLE_NAME).rstrip(b"\0").decode()
                      for payload in dump(NETLINK_NETFILTER, NFT_MSG_GETTABLE, bytes(4)))
    except OSError as error:
        return errno.errorcode[error.errno]


def addresses():
    return sorted(f"{attribute(payload[8:], IFA_ADDRESS).hex()}/{payload[1]}"
                  for payload in dump(NETLINK_ROUTE, RTM_GETADDR, bytes(8)))


def queues():
    try:
        return Path("/proc/net/netfilter/nfnetlink_queue").read_text(encoding="ascii")
    except OSError as error:
        return errno.errorcode[error.errno]


def processes():
    """Returns all processes but this one. Reaps those that have ended: we are their parent."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if int(path.parent.name) != os.getpid():
                found.append(path.read_text(encoding="utf-8").strip())
        except OSError:
            pass
    return sorted(found)


def state():
    return {
        "addresses": addresses(),
        "files": sorted(str(path) for path in Path("/tmp").rglob("*")),
        "processes": processes(),
        "queues": queues(),
        "tables": tables(),
    }


def refusal(function):
    """Returns the name of the error with which something is refused; None if it works."""
    try:
        function()
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def limit(controller, version_2, version_1):
    """Returns a limit of the control group that the container sees, as written there."""
    for path in (version_2, f"{controller}/{version_1}"):
        with contextlib.suppress(OSError):
            return Path("/sys/fs/cgroup", path).read_text(encoding="ascii").strip()
    return None


def unshare_network():
    result = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    if result.returncode:
        raise OSError(errno.EPERM, result.stderr)


def possible():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return {
        "capabilities": int(re.search(r"CapEff:\s*(\w+)", status)[1], 16),
        "bounding": int(re.search(r"CapBnd:\s*(\w+)", status)[1], 16),
        "uid": os.getuid(),
        "seccomp": int(re.search(r"Seccomp:\s*(\d)", status)[1]),
        "unshare": refusal(unshare_network),
        "read-only /proc/sys": bool(os.statvfs("/proc/sys").f_flag & os.ST_RDONLY),
        "write /": refusal(lambda: Path("/written").write_bytes(b"")),
        "no new privileges": int(re.search(r"NoNewPrivs:\s*(\d)", status)[1]),
        "memory": limit("memory", "memory.max", "memory.limit_in_bytes"),
        "pids": limit("pids", "pids.max", "pids.max"),
        "ipv6 disabled": Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").read_text(
            encoding="ascii").strip(),
    }


def main():
    report = {"possible": possible(), "before": state()}
    status = subprocess.run(sys.argv[2:], check=False).returncode
    by = time.monotonic() + PATIENCE_S
    report["after"] = state()
    while report["after"] != report["before"] and time.monotonic() < by:
        time.sleep(0.05)
        report["after"] = state()
    Path(sys.argv[1]).write_text(json.dumps(report), encoding="utf-8")
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
