#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A broken machine makes errors, and no false verdicts: kills and stops any process of a run, takes memory,
processes and disk space away, floods it with SYNs, and puts a foreign firewall beside it.

faults.py SYNFAULT TARGETS [--runs N]: each fault hits N runs of a right and of a wrong client, in private and
in shared sandboxes, some also beside `inject` and under `exec`, at a random moment. No right client may fail (unless it is itself what was hit), no wrong
one pass, and after the next run nothing may be left: no process, no firewall rule, no file. Prints a table.
Runs in namespaces of its own, as root. A fault that this machine does not permit is skipped, by name.
"""

import argparse
import contextlib
import ctypes
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Callable, NamedTuple, Optional

sys.path.append(str(Path(__file__).resolve().parent.parent / "container"))

# pylint: disable=wrong-import-position
import limits
import quota

CLONE_NEWNET = 0x40000000  # as in <sched.h>
INSIDE = "SYNFAULT_FAULTS_INSIDE"
PATIENCE_S = 10
LONGEST_S = 60
SCENARIO = """
name: ${{matrix.n}}
matrix: {{n: [1, 2, 3]}}
endpoints: {{api: {{families: [ipv4, ipv6], faults: [refuse x2, accept]}}}}
client: {{command: [synfault-tiny, --tries, "{tries}", --sleep, "60", "${{api}}"]}}
expect: {{exit: 0, attempts: 3}}
"""
# Another program sends SYNs to an endpoint without expectations.
NOISY_PORT = 7077
NOISY = """
name: noisy
endpoints:
  api: {{faults: [refuse x2, accept]}}
  noise: {{port: %d, faults: [accept]}}
client: {{command: [synfault-tiny, --tries, "{tries}", --sleep, "400", "${{api}}"]}}
expect: {{exit: 0, attempts: {{api: 3}}}}
""" % NOISY_PORT
RATE, FLOOD_S = 50000, 2.5
# The queue has room for 65,536 packets.
OVERFLOW_S = 2
# How many connections the flood repeats SYNs of.
FLOWS = 500
# For `exec` and `inject`, which know nothing of the client's process.
ATTACHED = """
name: attached
endpoints: {api: {faults: [refuse x2, accept]}}
expect: {attempts: 3}
"""
EXEC = r"""
exec "$1" exec --control c.sock attached.yaml -- sh -c 'synfault-tiny --tries "$0" --sleep 60 "$SYNFAULT_API"' "$2"
"""
# Ends with the status of the daemon.
INJECT = r"""
rm -f ready; mkfifo ready
"$1" inject --control c.sock --ready-fd 3 attached.yaml >armed 3>ready & daemon=$!
read -r line <ready
synfault-tiny --tries "$2" --sleep 60 "$(sed -n 's/^armed: .*: api \([0-9.:]*\).*/\1/p' armed)"
"$1" ctl --control c.sock stop
wait $daemon
"""
SCRIPTS = {"exec": EXEC, "inject": INJECT}
RIGHT, WRONG = 3, 2
# By exit status of synfault; others are crashes, or the signal that it was killed by.
OUTCOMES = {0: "pass", 1: "fail", 2: "error", 3: "error", 125: "error"}


# ---- faults ----

def is_client(pid):
    with contextlib.suppress(OSError):
        return b"synfault-tiny" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def is_script(pid):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe") == os.path.realpath("/bin/sh")
    return False


def hit(program, number, pause_s=0):
    """Sends a signal to any process of the run at any moment. Returns whether it was the client."""
    time.sleep(random.uniform(0, 0.6))
    # Leave out scripts that start synfault.
    victims = [pid for pid in (program.pid, *quota.descendants(program.pid)) if not is_script(pid)]
    if not victims:
        return False
    victim = random.choice(victims)
    client = is_client(victim)
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, number)
        if pause_s:
            time.sleep(pause_s)
            os.kill(victim, signal.SIGCONT)
    return client


def kill(program):
    return hit(program, signal.SIGKILL)


def stop(program):
    return hit(program, signal.SIGSTOP, random.uniform(0.01, 0.4))


def nothing(_program):
    return False


def few_processes():
    """Counts all processes of the user, also those outside; only an ordinary user's are limited."""
    resource.setrlimit(resource.RLIMIT_NPROC, (random.randint(1, 12),) * 2)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def little_memory():
    size = random.randint(30, 150) << 20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def small_files():
    """As on a full disk, but with SIGXFSZ ignored: writing fails with EFBIG."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = random.choice([0, 100, 4000])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


# ---- SYNs ----

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(address, port, flow):
    """Returns an IPv4 packet from an address of the loopback network; the kernel fills in its own checksum."""
    source, destination = socket.inet_aton("127.0.0.1"), socket.inet_aton(address)
    header = struct.pack("!HHIIBBHHH", 20000 + flow, port, flow << 16, 0, 5 << 4, 2, 64240, 0, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(header))
    header = header[:16] + struct.pack("!H", checksum(pseudo + header)) + header[18:]
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(header), flow + 1, 0, 64, socket.IPPROTO_TCP, 0, source,
                       destination) + header


def send_syns(address, port, seconds):
    """Returns how many were sent."""
    packets = [syn(address, port, flow) for flow in range(FLOWS)]
    began, n = time.monotonic(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        while (elapsed := time.monotonic() - began) < seconds:
            if n > elapsed * RATE:
                time.sleep(0.001)
                continue
            for packet in packets[n % FLOWS:n % FLOWS + 50]:
                with contextlib.suppress(OSError):  # no buffers, or a rule refuses it
                    raw.sendto(packet, (address, 0))
                n += 1
    return n


def listener(pid, port):
    """Returns the IPv4 address at which something listens in the network namespace of a process, or None."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and int(local.split(":")[1], 16) == port:
                return socket.inet_ntoa(struct.pack("<I", int(local.split(":")[0], 16)))
    return None


def start_flood(network, address):
    """Sends SYNs from a process of its own in a network namespace."""
    pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            if ctypes.CDLL(None, use_errno=True).setns(network, CLONE_NEWNET) == 0:
                os.write(pipe[1], b"%d" % send_syns(address, NOISY_PORT, FLOOD_S))
        os._exit(0)
    os.close(pipe[1])
    flooded.append((pid, pipe[0]))


def flood(program):
    """Sends SYNs in the sandbox's network as soon as its endpoint is there."""
    until = time.monotonic() + PATIENCE_S
    while program.poll() is None and time.monotonic() < until:
        for pid in quota.descendants(program.pid):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/ns/net", "rb") as network:
                address = listener(pid, NOISY_PORT)
                if address:
                    start_flood(network.fileno(), address)
                    return False
        time.sleep(0.01)
    return False


def overflow(program):
    """Stops those who would read the SYNs for so long that the queue runs over."""
    flood(program)
    time.sleep(random.uniform(0, 0.3))
    victims = [pid for pid in quota.descendants(program.pid) if not is_client(pid)]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, number)
        if number == signal.SIGSTOP:
            time.sleep(OVERFLOW_S)
    return False


# The processes that flood; how many SYNs they sent.
flooded, sent = [], []


def end_floods():
    while flooded:
        pid, pipe = flooded.pop()
        with open(pipe, "rb") as result:
            sent.append(int(result.read() or 0))
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


# ---- what is around a run ----

@contextlib.contextmanager
def full_disk(this):
    """Gives the run a file system of its own on which little fits."""
    size = random.choice(["8k", "32k", "200k"])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes={random.choice([4, 8, 1000])},mode=1777",
                    "tmpfs", this.full], check=True)
    try:
        yield {"cwd": this.full, "TMPDIR": this.full}
    finally:
        subprocess.run(["umount", "--lazy", this.full], check=True)


@contextlib.contextmanager
def group(memory, pids):
    """Gives the run a control group."""
    with limits.group({"memory": memory, "pids": pids}, "faults") as made:
        yield {"join": made.join}
        left_processes()


def group_of_memory(_this):
    return group(random.choice([1, 2, 4, 8, 64]) << 20, 1000)


def group_of_processes(_this):
    return group(1 << 30, random.randint(2, 30))


FOREIGN = """
table inet foreign {
    counter seen { }
    set ports { type inet_service; flags interval; elements = { 22, 8000-9000 }; }
    chain in {
        type filter hook input priority 0; policy drop;
        iif lo ct state new counter name seen accept
        ct state established,related accept
        iif lo accept
        tcp dport @ports accept
    }
    chain out { type filter hook output priority 0; policy accept; meta mark 0x5f accept; }
}
table ip foreign_nat {
    chain out { type nat hook output priority -100; ip daddr 192.0.2.1 dnat to 127.0.0.1; }
    chain post { type nat hook postrouting priority 100; ip saddr 192.0.2.0/24 masquerade; }
}
"""


def ruleset():
    return subprocess.run(["nft", "--stateless", "list", "ruleset"], capture_output=True, text=True, check=False).stdout


@contextlib.contextmanager
def foreign_firewall(this):
    """A firewall that filters, tracks and translates; it has to be as before afterwards."""
    subprocess.run(["nft", "-f", "-"], input=FOREIGN, text=True, check=True)
    before = ruleset()
    try:
        yield {}
        # What synfault may leave are tables of its own, which the next run removes.
        if this.start("right", "shared").wait(LONGEST_S) != 0:
            this.noted.append("a run beside it does not pass")
        if ruleset() != before:
            this.noted.append("the foreign firewall is not as before")
    finally:
        subprocess.run(["nft", "flush", "ruleset"], check=True)


class Fault(NamedTuple):
    prepare: Optional[Callable] = None  # the program, before it begins
    act: Callable = nothing             # while it runs
    around: Optional[Callable] = None   # what is there before and after it
    report: bool = False                # it writes reports
    noisy: bool = False                 # it has an endpoint for others
    modes: tuple = ("private", "shared")


FAULTS = {
    "none": Fault(),
    "kill": Fault(act=kill, modes=("private", "shared", "inject", "exec")),
    "stop": Fault(act=stop, modes=("private", "shared", "inject", "exec")),
    # An ordinary user has no shared sandboxes.
    "processes": Fault(few_processes, modes=("private",)),
    "group processes": Fault(around=group_of_processes),
    "memory": Fault(little_memory),
    "group memory": Fault(around=group_of_memory),
    "file size": Fault(small_files, report=True),
    "disk": Fault(around=full_disk, report=True),
    "flood": Fault(act=flood, noisy=True),
    "overflow": Fault(act=overflow, noisy=True),
    "firewall": Fault(around=foreign_firewall, modes=("shared",)),
}


# ---- one run ----

def others():
    """Returns the processes of this pid namespace but this one, which is its first."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def reap():
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def left_processes():
    until = time.monotonic() + PATIENCE_S
    while others() and time.monotonic() < until:
        reap()
        time.sleep(0.02)
    left = others()
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


class Soak:
    def __init__(self, synfault, directory):
        self.synfault, self.directory = synfault, Path(directory)
        self.temporary, self.full = self.directory / "tmp", self.directory / "full"
        self.noted = []  # what was found around a run
        for directory in (self.temporary, self.full):
            directory.mkdir()
            directory.chmod(0o1777)
        self.directory.chmod(0o777)
        for name, tries in (("right", RIGHT), ("wrong", WRONG)):
            for prefix, scenario in (("", SCENARIO), ("noisy-", NOISY)):
                (self.directory / f"{prefix}{name}.yaml").write_text(scenario.format(tries=tries), encoding="ascii")
        (self.directory / "attached.yaml").write_text(ATTACHED, encoding="ascii")

    def start(self, name, mode, prepare=None, report=False, cwd=None, **environment):
        command = [self.synfault, "run", "-j", "3", "--isolation", mode, self.directory / f"{name}.yaml"]
        if mode in SCRIPTS:
            command = ["sh", "-c", SCRIPTS[mode], "sh", self.synfault, str(RIGHT if name == "right" else WRONG)]
        if report:
            command += ["--json", "run.json", "--capture", "always"]
        # Alone in its process group: what is left of a run can't reach this script.
        return subprocess.Popen(command, cwd=cwd or self.directory, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL,
                                env={**os.environ, "TMPDIR": str(self.temporary), **environment},
                                preexec_fn=prepare, start_new_session=True)

    def run(self, name, mode, fault):
        """Returns the outcome, and whether the client itself was hit."""
        with fault.around(self) if fault.around else contextlib.nullcontext({}) as around:
            prepare = around.pop("join", fault.prepare)
            with self.start(("noisy-" if fault.noisy else "") + name, mode, prepare, fault.report,
                            **{key: str(value) for key, value in around.items()}) as program:
                client = fault.act(program)
                try:
                    status = program.wait(LONGEST_S)
                except subprocess.TimeoutExpired:
                    program.kill()
                    return "hang", client
                finally:
                    end_floods()
        # A script has the status of a shell.
        if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return "killed", client
        return OUTCOMES.get(status, f"status {status}"), client

    def left(self, mode):
        """Returns what is left: at once of processes, and after another run of anything else."""
        left = [f"process {pid}" for pid in left_processes()] + self.noted
        self.noted = []
        if self.start("right", "shared" if mode in SCRIPTS else mode).wait(LONGEST_S) != 0:
            left.append("a run after it does not pass")
        left += [f"process {pid}" for pid in left_processes()]
        rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
        left += ["rules"] if rules.strip() else []
        left += [f"file {path.name}" for path in self.temporary.iterdir()]
        return left


def is_false(name, outcome, client):
    return outcome == "pass" if name == "wrong" else outcome == "fail" and not client


def soak(options, directory):
    """Prints a row for each fault, sandbox and client. Returns whether all is well."""
    this, good = Soak(options.synfault, directory), True
    print(f"{'':32}{'pass':>6}{'fail':>6}{'error':>6}{'killed':>7}{'false':>6}{'left':>6}  other")
    for fault in options.faults.split(","):
        for mode in FAULTS[fault].modes:
            for name in ("right", "wrong"):
                counts, wrong, left, notes = Counter(), 0, 0, Counter()
                try:
                    for _ in range(options.runs):
                        outcome, client = this.run(name, mode, FAULTS[fault])
                        counts[outcome] += 1
                        wrong += is_false(name, outcome, client)
                        rest = this.left(mode)
                        left += bool(rest)
                        notes.update(rest)
                except limits.Unavailable as error:
                    print(f"{fault + ', ' + mode + ', ' + name:32}skipped: {error}")
                    continue
                if sent:
                    notes[f"up to {max(sent)} SYNs a run"] += 1
                    sent.clear()
                other = {key: count for key, count in counts.items() if key not in ("pass", "fail", "error", "killed")}
                print(f"{fault + ', ' + mode + ', ' + name:32}{counts['pass']:6}{counts['fail']:6}{counts['error']:6}"
                      f"{counts['killed']:7}{wrong:6}{left:6}  {dict(other) or ''} {dict(notes) or ''}", flush=True)
                good = good and not wrong and not left and "hang" not in counts
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("synfault", type=os.path.abspath)
    parser.add_argument("targets", type=os.path.abspath)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    if INSIDE not in os.environ:
        arguments = [options.synfault, options.targets, "--runs", str(options.runs), "--faults", options.faults,
                     "--seed", str(options.seed)]
        os.execvpe("unshare", ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", sys.executable,
                               __file__, *arguments], {**os.environ, INSIDE: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ["PATH"] = options.targets + ":" + os.environ["PATH"]
    random.seed(options.seed)
    print(f"--seed {options.seed}")
    with tempfile.TemporaryDirectory() as directory:
        return 0 if soak(options, directory) else 1


sys.exit(main())
