#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The first process of the machine that machine.py starts: guest.py NUMBER...; or guest.py --list.

Each case runs synfault on a kernel of its own, to which it may do what would harm a machine in use. What is
wrong is written to the second serial port as JSON, a list of lines for each case. Then the machine ends.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import traceback
import tty
import xml.etree.ElementTree
from pathlib import Path

HOME = Path("/synfault")
EXIT_PASS, EXIT_FAILED, EXIT_UNJUDGED = 0, 1, 3
TOO_SLOW = "too slow to tell"
# The part of the packs that an emulated machine may be too slow for.
MOST_LATE = 0.2
# The emulated machine is slow, and slower still while others use the processors.
TIMING_SCALE = "6"
RUN_S = 100
PACKS_S = 600
PATIENCE_S = 20
HOUR = 3600
# By how many seconds the clock is wrong, in turns.
FAR = (HOUR, 0, -HOUR, HOUR, -HOUR, 0)
NEAR = (2, 0, -2, 0.2, -0.2, 5, -0.05, 0.05)
FEW_PROCESSES = 40
# A module that a case loads itself.
LATE_MODULE = "nfnetlink_log"
MACHINE = os.uname().machine
SYS_FINIT_MODULE = {"x86_64": 313, "aarch64": 273}[MACHINE]
# The second serial port, which is the first of its kind where the console is of another.
REPORT_PORT = {"x86_64": "/dev/ttyS1", "aarch64": "/dev/ttyS0"}[MACHINE]
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
# Of linux/rtnetlink.h and linux/pkt_sched.h.
RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC, NLMSG_ERROR = 36, 37, 38, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_ECHO, NLM_F_CREATE = 1, 4, 8, 0x400
TCA_KIND, TCA_OPTIONS, TCA_STATS, TC_H_ROOT = 1, 2, 3, 0xffffffff
# The share of packets to lose; these bytes are about 8,000 packets. Here the processor is the limit, for which
# the queue is most expensive; the goal of lossy-throughput in ci/bench is 0.5.
LOSS, LOSSY_BYTES, LOSSY_ROUNDS, LEAST_RATIO = 0.001, "500000000", 3, 0.3
RB_AUTOBOOT = 0x01234567
MOUNTS = (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"),
          ("tmpfs", "/run"), ("tmpfs", "/dev/shm"), ("cgroup2", "/sys/fs/cgroup"))

libc = ctypes.CDLL(None, use_errno=True)


# ---- the machine ----

def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def load(module):
    with open(module, "rb") as file:
        call("syscall", SYS_FINIT_MODULE, file.fileno(), b"", 0)


def set_up():
    for kind, place in MOUNTS:
        Path(place).mkdir(parents=True, exist_ok=True)
        call("mount", kind.encode(), place.encode(), kind.encode(), 0, None)
    console = os.open("/dev/console", os.O_RDWR)
    for number in range(3):
        os.dup2(console, number)
    os.symlink("/proc/self/fd", "/dev/fd")
    for module in sorted((HOME / "modules").iterdir()):
        if LATE_MODULE not in module.name:
            load(module)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    os.environ.update(PATH=f"{HOME}/bin:/usr/bin:/bin", HOME="/run", XDG_STATE_HOME="/run/state")
    os.chdir("/run")


def hand_over(report):
    with open(REPORT_PORT, "wb", buffering=0) as port:
        tty.setraw(port)
        port.write(json.dumps(report).encode())
        # What has not been sent yet is lost with the machine.
        termios.tcdrain(port)


# ---- the clock ----

class Clock(threading.Thread):
    """Keeps setting the clock between entering and leaving. Afterwards it is right again.

    offsets: by how many seconds it is wrong, one after the other. held(): processes to stop during that,
    so that they read packets from before a change only after it, which is the worst case."""

    def __init__(self, offsets, period_s, held=lambda: ()):
        super().__init__()
        self.offsets, self.period_s, self.held = offsets, period_s, held
        self.base_s = time.time() - time.monotonic()
        self.over = threading.Event()
        self.n_steps = 0

    def set(self, offset_s):
        time.clock_settime(time.CLOCK_REALTIME, self.base_s + time.monotonic() + offset_s)
        self.n_steps += 1

    def true(self):
        return self.base_s + time.monotonic()

    def run(self):
        while not self.over.wait(self.period_s):
            held = self.held()
            for pid in held:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            # Longer than a client's pause, so that a SYN arrives.
            if held:
                time.sleep(0.08)
            self.set(self.offsets[self.n_steps % len(self.offsets)])
            for pid in held:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        self.set(0)


def children(parent):
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, can contain anything.
            fields = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(path.name))
    return found


# ---- the program ----

class Program:
    """synfault, with its output."""

    def __init__(self, *arguments):
        self.log = open("/run/log", "w+b")
        self.process = subprocess.Popen(["synfault", *arguments], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT)

    def wait(self, timeout_s=RUN_S):
        return self.process.wait(timeout=timeout_s)

    def output(self):
        return Path("/run/log").read_text(encoding="utf-8", errors="replace")

    def supervisors(self):
        return children(self.process.pid)


def run(scenarios, *arguments):
    for path in ("/run/results.json", "/run/junit.xml", "/run/connected"):
        Path(path).unlink(missing_ok=True)
    return Program("run", "--timing-scale", TIMING_SCALE, "--late-retries", "5", "--json",
                   "/run/results.json", "--junit", "/run/junit.xml", *arguments, HOME / scenarios)


def until(condition, what):
    by = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > by:
            raise TimeoutError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(0.02)


def expect_status(program, expected, timeout_s=RUN_S):
    status = program.wait(timeout_s)
    if status != expected:
        yield f"exit status {status}, not {expected}:"
        yield from program.output().splitlines()[-60:]


def processes():
    """Returns all processes but this one and the kernel's own, which come and go."""
    inside.processes()  # reaps those that have ended
    kernels = {2, *children(2)}
    return sorted(int(path.name) for path in Path("/proc").glob("[0-9]*")
                  if int(path.name) not in kernels)


def look():
    return {**inside.state(), "processes": processes()}


def left_behind(before):
    after = look()
    by = time.monotonic() + PATIENCE_S
    while after != before and time.monotonic() < by:
        time.sleep(0.05)
        after = look()
    for what, was in before.items():
        if after[what] != was:
            yield f"left behind: {what} were {was}, are {after[what]}"


def doctor():
    result = subprocess.run(["synfault", "doctor", "--json"], capture_output=True, text=True,
                            check=False)
    return {check["name"]: check["found"] for check in json.loads(result.stdout)["checks"]}


# ---- the cases ----

def native_queue():
    """nft_queue exists, so it is used, and not the target of xtables."""
    found = doctor()
    for kind in ("private queue", "shared queue"):
        if "nftables queue" not in found[kind]:
            yield f"{kind}: {found[kind]}"


def devices_before():
    """It does not matter that other devices have the first interface numbers."""
    if not Path("/sys/class/net/tunl0").exists():
        yield "there is no such device"
    yield from expect_status(run("name.yaml", "--isolation", "private"), EXIT_PASS)


def captures():
    """The doctor knows whether captures work, and is right."""
    path = Path("/run/records")
    arguments = ("--filter", "right, refused over ipv4", "--capture", "always", "--capture-dir", path)
    for possible in (False, True):
        if possible:
            load(next((HOME / "modules").glob(f"*{LATE_MODULE}*")))
        found = doctor()["captures"]
        if ("can be captured" in found) != possible:
            yield f"the doctor, {'with' if possible else 'without'} {LATE_MODULE}: {found}"
        yield from expect_status(run("clock.yaml", *arguments), EXIT_PASS)
        files = [file.name for file in path.glob("*.pcapng")]
        if bool(files) != possible:
            yield f"captures, {'with' if possible else 'without'} {LATE_MODULE}: {files}"


def check_record(scenario, clock):
    """Times are plausible: none before the start or after the end, and all in order."""
    record, duration_ns = scenario["record"], scenario["duration_ns"]
    for event in record["events"]:
        # The first look at processes comes before the client's start.
        if event["kind"] != "starvation" and (not 0 <= event["at_ns"] <= duration_ns):
            yield f"{event['kind']} at {event['at_ns'] / 1e9} s of {duration_ns / 1e9} s"
        if not 0 <= event.get("lag_ns", 0) < PATIENCE_S * 1e9:
            yield f"{event['kind']} late by {event['lag_ns'] / 1e9} s"
    off_s = min(abs(clock.true() + offset - record["started_realtime_ns"] / 1e9)
                for offset in {0, *clock.offsets})
    if off_s > RUN_S:
        yield f"started {off_s} s off any time that it was"


def check_reports(clock):
    outcomes = {"right": "pass", "wrong": "fail"}
    results = json.loads(Path("/run/results.json").read_text(encoding="utf-8"))
    for scenario in results["scenarios"]:
        expected = outcomes[scenario["name"].partition(",")[0]]
        problems = [*check_record(scenario, clock)]
        if scenario["outcome"] != expected:
            problems.append(f"{scenario['outcome']} instead of {expected}: {scenario['reason']}")
            # What happened does not happen again soon.
            problems.append(json.dumps(scenario["record"]))
        for problem in problems:
            yield f"{scenario['name']}: {problem}"
    if not 0 < results["duration_ns"] < RUN_S * 1e9:
        yield f"all of it took {results['duration_ns'] / 1e9} s"
    for case in xml.etree.ElementTree.parse("/run/junit.xml").iter("testcase"):
        if not 0 < float(case.get("time")) < RUN_S:
            yield f"{case.get('name')}: {case.get('time')} s in the JUnit report"


def stepped(offsets, period_s, *arguments, hold=False):
    before = look()
    program = run("clock.yaml", *arguments)
    with Clock(offsets, period_s, program.supervisors if hold else lambda: ()) as clock:
        yield from expect_status(program, EXIT_FAILED)
    yield from check_reports(clock)
    yield from left_behind(before)
    if clock.n_steps < 5:
        yield f"the clock was set {clock.n_steps} times only"


def stepped_far():
    yield from stepped(FAR, 0.03, "--isolation", "private")


def stepped_near():
    yield from stepped(NEAR, 0.05, "--isolation", "shared")


def stepped_between():
    """Between a SYN's arrival and our reading of it."""
    yield from stepped((*FAR, *NEAR), 0.05, "--isolation", "private",
                       "--filter", "*, refused over*", "--filter", "wrong, gives*", hold=True)


def stepped_whole_run():
    """The time limit of the whole run holds, and is not an hour too early or too late."""
    started = time.monotonic()
    program = run("endless.yaml", "--isolation", "private", "--global-timeout", "4s")
    with Clock(FAR, 0.05):
        program.wait()
    took_s = time.monotonic() - started
    if not 4 <= took_s < 4 + PATIENCE_S or program.process.returncode in (EXIT_PASS, None):
        yield f"ended after {took_s} s with status {program.process.returncode}:"
        yield from program.output().splitlines()


def stepped_attached():
    before = look()
    program = Program("inject", "--timing-scale", TIMING_SCALE, "--format", "json", "--record",
                      "/run/record.json", HOME / "attached.yaml")
    until(lambda: '"armed"' in program.output(), "inject to be armed")
    armed = json.loads(program.output().splitlines()[0])
    with Clock((*FAR, *NEAR), 0.03) as clock:
        client = subprocess.run(["synfault-backoff", "--base", "50", "--factor", "1", "--tries",
                                 "20", armed["endpoints"]["api"][0]], capture_output=True,
                                check=False)
        program.process.send_signal(signal.SIGTERM)
        yield from expect_status(program, EXIT_PASS)
    if client.returncode:
        yield f"the client ended with {client.returncode}: {client.stderr}"
    with open("/run/record.json", encoding="utf-8") as file:
        record = json.load(file)
    yield from check_record({"record": record, "duration_ns": RUN_S * 1e9}, clock)
    yield from left_behind(before)


def killed():
    """The table of shared sandboxes has no owner, so on any kernel the next run removes the leftovers."""
    before = look()
    program = run("endless.yaml", "--isolation", "shared")
    until(Path("/run/connected").exists, "the client to connect")
    pids = [program.process.pid, *program.supervisors()]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)
    program.wait()
    if inside.tables() == before["tables"]:
        yield "nothing was left that could be swept"
    yield from expect_status(run("clock.yaml", "--filter", "right, refused over ipv6",
                                 "--isolation", "shared"), EXIT_PASS)
    yield from left_behind(before)


def group_limit():
    """The doctor sees the limit of processes of a control group of version 2."""
    top = Path("/sys/fs/cgroup")
    (top / "cgroup.subtree_control").write_text("+pids +memory", encoding="ascii")
    group = top / "few"
    group.mkdir()
    (group / "pids.max").write_text(str(FEW_PROCESSES), encoding="ascii")
    unlimited = doctor()["jobs"]
    (group / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
    try:
        limited = doctor()["jobs"]
    finally:
        (top / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
    if not int(limited.split()[0]) * 5 <= FEW_PROCESSES < int(unlimited.split()[0]) * 5:
        yield f"{limited} with a limit, {unlimited} without"


# ---- diagnose ----

SO_ATTACH_FILTER = 26
NFNL_SUBSYS_NFTABLES, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END = 10, 16, 17
NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE = 0, 2, 3, 6
NLM_F_REQUEST, NLM_F_CREATE = 1, 0x400
NF_INET_LOCAL_IN = 1
CONNTRACK_MAX = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def diagnose(port):
    result = subprocess.run(["synfault", "diagnose", "--json", "--intrusive", "-n", "2", "--timeout", "2500ms",
                             f"127.0.0.1:{port}"], capture_output=True, text=True, check=False)
    return json.loads(result.stdout)


def drop_reason():
    """The drop monitor says why a packet is dropped that no firewall touches."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        # One instruction: return 0, which is how much of the packet to take.
        instruction = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
        server.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                          struct.pack("HxxxxxxP", 1, ctypes.addressof(instruction)))
        said = diagnose(server.getsockname()[1])
    cause = said["causes"][0] if said["causes"] else {}
    # Before Linux 6.0 the monitor gives no reasons.
    if int(os.uname().release.split(".")[0]) < 6:
        return
    if cause.get("cause") != "kernel-drop" or "SOCKET_FILTER" not in cause["evidence"]:
        yield json.dumps(said)


def attribute(kind, *parts):
    data = b"".join(parts)
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def nftables(*messages):
    """Sends messages to nftables as one batch. The kernel handles it before sendto() returns."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as link:
        batch = [(NFNL_MSG_BATCH_BEGIN, NFNL_SUBSYS_NFTABLES, b""),
                 *((NFNL_SUBSYS_NFTABLES << 8 | kind, 0, data) for kind, data in messages),
                 (NFNL_MSG_BATCH_END, NFNL_SUBSYS_NFTABLES, b"")]
        link.send(b"".join(
            struct.pack("=IHHII", 20 + len(data), kind, NLM_F_REQUEST | NLM_F_CREATE, 1, 0)
            + struct.pack(">BBH", socket.AF_INET, 0, resource) + data for kind, resource, data in batch))


def conntrack_full():
    """The table of connections is full, with connections that are established."""
    def word(number):
        return struct.pack(">I", number)

    state = attribute(1, b"ct\0") + attribute(2, attribute(1, word(1)), attribute(2, word(0)))
    before = CONNTRACK_MAX.read_text(encoding="ascii")
    # A rule that looks at a connection's state makes the kernel track connections.
    nftables((NFT_MSG_NEWTABLE, attribute(1, b"t\0")),
             (NFT_MSG_NEWCHAIN, attribute(1, b"t\0") + attribute(3, b"c\0") + attribute(7, b"filter\0")
              + attribute(4, attribute(1, word(NF_INET_LOCAL_IN)), attribute(2, word(0)))),
             (NFT_MSG_NEWRULE, attribute(1, b"t\0") + attribute(2, b"c\0") + attribute(4, attribute(1, state))))
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
            CONNTRACK_MAX.write_text("1", encoding="ascii")
            said = diagnose(server.getsockname()[1])
    finally:
        CONNTRACK_MAX.write_text(before, encoding="ascii")
        nftables((NFT_MSG_DELTABLE, attribute(1, b"t\0")))
    if not said["causes"] or said["causes"][0]["cause"] != "conntrack-full":
        yield json.dumps(said)


def packs():
    """The packs whose client is a C program: their scenarios have to pass on this kernel, too."""
    program = run("packs", "--jobs", "4")
    status = program.wait(PACKS_S)
    scenarios = json.loads(Path("/run/results.json").read_text(encoding="utf-8"))["scenarios"]
    late = [scenario for scenario in scenarios if TOO_SLOW in (scenario["reason"] or "")]
    wrong = [f"{scenario['outcome']}: {scenario['name']}: {scenario['reason']}" for scenario in scenarios
             if scenario["outcome"] != "pass" and scenario not in late]
    # That says nothing about the kernel, unless it is often so.
    if wrong or len(late) > len(scenarios) * MOST_LATE or status not in (EXIT_PASS, EXIT_UNJUDGED):
        yield f"exit status {status}; {len(late)} of {len(scenarios)} too slow to tell"
        yield from wrong
        yield from program.output().splitlines()[-60:]


def unit_tests():
    """Those that the emulation of a single program can't run."""
    paths = sorted((HOME / "unit").iterdir())
    if not paths:
        yield "there are none"
    for path in paths:
        result = subprocess.run([path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=RUN_S, check=False)
        if result.returncode:
            yield from (f"{path.name}: status {result.returncode}", *result.stdout.splitlines())


# ---- a lossy line ----

def qdisc(command, flags, attributes=b""):
    """Sends a command about the queueing discipline of lo. Returns the payload of the answer."""
    loopback = socket.if_nametoindex("lo")
    body = struct.pack("=BxxxiIII", socket.AF_UNSPEC, loopback, 0, TC_H_ROOT, 0) + attributes
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as peer:
        peer.settimeout(PATIENCE_S)
        peer.send(struct.pack("=IHHII", 16 + len(body), command, NLM_F_REQUEST | flags, 1, 0) + body)
        answer = peer.recv(1 << 16)
    if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(error, f"qdisc: {os.strerror(error)}")
    return answer[16:]


@contextlib.contextmanager
def netem(loss):
    # struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter
    options = struct.pack("=6I", 0, 100000, int(loss * 0xffffffff), 0, 0, 0)
    qdisc(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_ACK,
          attribute(TCA_KIND, b"netem\0") + attribute(TCA_OPTIONS, options))
    try:
        yield
    finally:
        qdisc(RTM_DELQDISC, NLM_F_ACK)


def netem_drops():
    """Returns how many packets it has lost."""
    answer = qdisc(RTM_GETQDISC, NLM_F_ECHO)
    offset = 20
    while offset + 4 <= len(answer):
        length, kind = struct.unpack_from("=HH", answer, offset)
        if kind == TCA_STATS:
            # struct tc_stats: bytes (64 bits), packets, drops
            return struct.unpack_from("=QII", answer, offset + 4)[2]
        offset += (length + 3) & ~3
    raise LookupError("no statistics of netem")


def rate():
    """Returns the bytes per second that `bulk send` wrote down."""
    return float(Path("/run/rate").read_text(encoding="ascii"))


def bulk_alone():
    with subprocess.Popen(["bulk", "serve", "127.0.0.1", "8080"]) as server:
        by = time.monotonic() + PATIENCE_S
        try:
            # It is refused until the server listens.
            while subprocess.run(["bulk", "send", "127.0.0.1", "8080", LOSSY_BYTES, "/run/rate"],
                                 stderr=subprocess.DEVNULL, check=False).returncode:
                if time.monotonic() > by:
                    raise TimeoutError("bulk can't send")
                time.sleep(0.1)
        finally:
            server.kill()
    return rate()


def lossy():
    """A connection under packet-loss is about as fast as with the same loss by netem."""
    ours, references, drops = [], [], 0
    for number in range(LOSSY_ROUNDS):
        with netem(LOSS):
            references.append(bulk_alone())
            drops += netem_drops()
        yield from expect_status(run("lossy.yaml", "--seed", str(number)), EXIT_PASS, PACKS_S)
        ours.append(rate())
        print(f"netem {references[-1] / 1e6:.0f} MB/s, packet-loss {ours[-1] / 1e6:.0f} MB/s", flush=True)
    if drops == 0:
        yield "netem lost no packet"
    # Other programs on the machine that emulates this one only make it slower.
    if max(ours) < LEAST_RATIO * max(references):
        yield f"bytes per second under packet-loss: {ours}, under netem: {references}"


CASES = {
    "the kernel's own queue expression is used": native_queue,
    "each network namespace begins with a tunnel's device": devices_before,
    "captures work when the kernel logs packets": captures,
    "the clock is set an hour forwards and back while scenarios run": stepped_far,
    "the clock is set by little while scenarios run": stepped_near,
    "the clock is set between a SYN and its reading": stepped_between,
    "the clock is set while the time for the whole run counts": stepped_whole_run,
    "the clock is set while inject serves a client": stepped_attached,
    "all of the harness is killed in a shared namespace": killed,
    "a control group of version 2 limits the processes": group_limit,
    "diagnose says why the kernel drops a packet": drop_reason,
    "diagnose says that the table of connections is full": conntrack_full,
}
# Takes minutes, so it only runs if it is asked for by name, as ci/kernels does.
SLOW_CASES = {
    "the packs pass": packs,
}
# The same, and only where the machine is of the architecture that emulates it: another one takes too long.
NATIVE_CASES = {
    "packet-loss slows a connection about as netem does": lossy,
}
# What is run when the machine is of another architecture than the one that emulates it: ci/arm64 does.
FOREIGN_CASES = {
    "the unit tests pass that qemu's user mode can't run": unit_tests,
}
ALL_CASES = {**CASES, **SLOW_CASES, **NATIVE_CASES, **FOREIGN_CASES}


def attempt(case):
    try:
        return [*case()]
    except Exception:  # a broken case must not hide the others
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)
        log = Path("/run/log")
        return [*traceback.format_exc().splitlines(),
                *(log.read_text(encoding="utf-8").splitlines()[-40:] if log.exists() else ())]


def main():
    set_up()
    print(f"up after {time.monotonic():.1f} s", flush=True)
    report = {}
    for number in sys.argv[1:]:
        name, case = list(ALL_CASES.items())[int(number)]
        started = time.monotonic()
        report[name] = attempt(case)
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)
    hand_over({**report, "kernel": os.uname().release, "up_s": round(time.monotonic(), 1)})
    call("reboot", RB_AUTOBOOT)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print("\n".join((*CASES, *(f"slow: {name}" for name in SLOW_CASES),
                         *(f"native: {name}" for name in NATIVE_CASES),
                         *(f"foreign: {name}" for name in FOREIGN_CASES))))
        sys.exit()
    sys.path.insert(0, str(HOME))
    import inside
    main()
