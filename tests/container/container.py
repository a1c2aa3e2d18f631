# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts containers for tests. Overlays and containers live in mount and pid namespaces of the test, and
end with it, however it ends."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import oci
import rootfs

SKIPPED = 77  # the exit status that meson counts as "skipped"
PROGRAMS = ("runc", "debootstrap", "unshare", "mount")
# Where things are in every container.
HOME = Path("/synfault")
REPORTS = Path("/report")


def give_up(reason):
    """Ends the test as skipped, or as failed if privileges are required."""
    required = os.environ.get("SYNFAULT_REQUIRE_PRIVILEGES") == "1"
    print(f"1..0 # SKIP {reason}" if not required else f"Bail out! {reason}", flush=True)
    print(f"container tests did not run: {reason}", file=sys.stderr)
    sys.exit(1 if required else SKIPPED)


def enter_namespaces(programs=PROGRAMS):
    """Starts this script again in namespaces of its own; returns there. programs: what the script needs."""
    if os.environ.get("SYNFAULT_CONTAINER_INSIDE") == "1":
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=True)
        return
    if os.geteuid() != 0:
        give_up("only root can start containers")
    for program in programs:
        if not shutil.which(program):
            give_up(f"{program} is not installed")
    os.environ["SYNFAULT_CONTAINER_INSIDE"] = "1"
    command = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child",
               "--mount-proc", "--"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        give_up("no mount and pid namespaces can be made here")
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def sanitizer_binds(environment):
    """Sanitizers write their reports to a directory outside, which has the same path inside."""
    for options in (environment.get("ASAN_OPTIONS", ""), environment.get("UBSAN_OPTIONS", "")):
        match = re.search(r"log_path=([^:]+)", options)
        if match:
            directory = str(Path(match[1]).parent)
            return [oci.bind(directory, directory, "rw")]
    return []


class Containers:
    """What containers share: the root, the program and what it runs."""

    def __init__(self, source, build):
        self.source, self.build = Path(source), Path(build)
        self.root = rootfs.ensure(self.source, "/mnt")
        self.directory = Path(tempfile.mkdtemp(dir="/mnt"))
        self.directory.chmod(0o755)
        for name in ("targets", "program"):
            (self.directory / name).mkdir()
        for name in ("synfault-backoff", "synfault-curl-retry", "synfault-tiny"):
            shutil.copy(self.build / "targets" / name, self.directory / "targets" / name)
        shutil.copy(self.build / "program/synfault", self.directory / "program/synfault")

    def bundle(self, name, lower=None):
        """Makes a directory with an overlay over the root (or lower), and one for the container's reports."""
        bundle = self.directory / name
        for part in ("upper", "work", "rootfs", "report"):
            (bundle / part).mkdir(parents=True)
        (bundle / "report").chmod(0o777)
        subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir={lower or self.root},upperdir={bundle / 'upper'},workdir={bundle / 'work'}",
             bundle / "rootfs"], check=True)
        return bundle

    def mounts(self, bundle):
        hosts = bundle / "hosts"
        hosts.write_text("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n", encoding="ascii")
        return [
            oci.bind(hosts, "/etc/hosts", "rw"),
            oci.bind(bundle / "report", REPORTS, "rw"),
            oci.bind(self.source / "scenarios", HOME / "scenarios"),
            oci.bind(self.source / "targets", HOME / "targets"),
            oci.bind(self.source / "tests/container/inside.py", HOME / "inside.py"),
            oci.bind(self.source / "tests/container/scenarios/privileges.yaml",
                     HOME / "privileges.yaml"),
            oci.bind(self.source / "tests/container/scenarios/plain.yaml", HOME / "plain.yaml"),
            oci.bind(self.directory / "targets", HOME / "bin"),
            oci.bind(self.directory / "program", HOME / "program"),
        ]

    def run(self, name, command, *, mounts=(), prepare=None, join=None, timeout=300, **options):
        """Runs the command in a new container. Returns its bundle and the finished process.

        prepare(bundle) may change files before the start; join() is called in the process that
        becomes runc; the options are those of oci.config()."""
        bundle = self.bundle(name)
        if prepare:
            prepare(bundle)
        environment = {"PATH": f"{HOME}/bin:{HOME}/program:/usr/sbin:/usr/bin:/sbin:/bin",
                       # Which scenarios failed is kept on purpose, so not as a leftover in /tmp.
                       "HOME": "/tmp", "XDG_STATE_HOME": REPORTS / "state"}
        for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if variable in os.environ:
                environment[variable] = os.environ[variable]
        config = oci.config(command, environment=environment,
                            mounts=[*self.mounts(bundle), *sanitizer_binds(environment), *mounts],
                            **options)
        (bundle / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
        process = subprocess.run(
            ["runc", "--rootless=true", f"--root={self.directory}/runc", "run", "--no-new-keyring",
             f"--bundle={bundle}", name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=timeout, preexec_fn=join, check=False)
        return bundle, process

    def run_in_chroot(self, name, command, *, user=0, mount_point=False, read_only_sys=False,
                      timeout=300):
        """Runs the command in a plain chroot, with all privileges of root, as build systems do, and in a
        network namespace of its own. mount_point: its directory is a mount point. read_only_sys:
        /proc/sys is not writable.

        Returns its bundle and the finished process, as run() does."""
        bundle = self.bundle(name, self.root.parent)
        root = bundle / "rootfs" / self.root.name
        lines = ["ip link set lo up", f"mount --rbind {root} {root}" if mount_point else "",
                 f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev",
                 f"mount -t sysfs sysfs {root}/sys"]
        for bind in self.mounts(bundle):
            place = root / bind["destination"].lstrip("/")
            if Path(bind["source"]).is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            lines.append(f'mount --bind {bind["source"]} {place}')
        if read_only_sys:
            lines += [f"mount --bind {root}/proc/sys {root}/proc/sys",
                      f"mount -o remount,bind,ro {root}/proc/sys"]
        lines.append(f'exec chroot --userspec={user}:{user} {root} env -i "$@"')
        environment = {"PATH": f"{HOME}/bin:{HOME}/program:/usr/sbin:/usr/bin:/sbin:/bin",
                       "HOME": "/tmp", "XDG_STATE_HOME": REPORTS / "state"}
        process = subprocess.run(
            ["unshare", "--net", "--mount", "--propagation=private", "sh", "-ec", "\n".join(lines), "sh",
             *(f"{key}={value}" for key, value in environment.items()), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=timeout, check=False)
        return bundle, process


if __name__ == "__main__":
    # container.py SOURCE makes the root file system ahead of the tests.
    enter_namespaces()
    rootfs.ensure(Path(sys.argv[1]), "/mnt")
