# SPDX-License-Identifier: GPL-2.0-or-later
"""A control group with limits of memory and processes, as `docker run --memory --pids-limit` makes it: in
version 2 if that has the controllers, otherwise in version 1. Removed after the test."""

import contextlib
import secrets
from pathlib import Path

import oci

TOP = Path("/sys/fs/cgroup")
PREFIX = "synfault-test-"
# The file of each limit, in both versions.
FILES = {
    "memory": ("memory.max", "memory.limit_in_bytes"),
    "pids": ("pids.max", "pids.max"),
}


class Unavailable(Exception):
    """This test can't make control groups."""


def parents():
    """Returns the directories in which a group has to be made, and the version."""
    controllers = TOP / "cgroup.controllers"
    if controllers.exists():
        if not set(FILES) <= set(controllers.read_text(encoding="ascii").split()):
            raise Unavailable("cgroup v2 without the controllers memory and pids")
        try:
            (TOP / "cgroup.subtree_control").write_text("+memory +pids", encoding="ascii")
        except OSError as error:
            raise Unavailable(f"cgroup v2 is not delegated: {error}") from error
        return {name: TOP for name in FILES}, 2
    found = {name: TOP / name for name in FILES if (TOP / name / "cgroup.procs").exists()}
    if len(found) < len(FILES):
        raise Unavailable("no control groups for memory and pids are mounted")
    return found, 1


class Group:
    """A group for one container: join() in its parent, mounts() in its configuration."""

    def __init__(self, name, limits):
        directories, self.version = parents()
        self.paths = {kind: path / f"{PREFIX}{name}" for kind, path in directories.items()}
        try:
            for kind, path in self.paths.items():
                path.mkdir(exist_ok=True)
                (path / FILES[kind][2 - self.version]).write_text(
                    str(limits[kind]), encoding="ascii")
        except OSError as error:
            self.remove()
            raise Unavailable(f"no control group can be made: {error}") from error

    def join(self):
        for path in set(self.paths.values()):
            (path / "cgroup.procs").write_text("0", encoding="ascii")

    def binds(self):
        """Returns pairs of paths outside and inside, as engines mount them: the group is on top."""
        if self.version == 2:
            return [(self.paths["pids"], TOP)]
        return [(path, TOP / kind) for kind, path in self.paths.items()]

    def mounts(self):
        """Returns the same as mounts of a container; version 1 needs a place for its directories."""
        return [*([oci.mount("/sys/fs/cgroup", "tmpfs", "tmpfs", "mode=755")]
                  if self.version == 1 else []),
                *(oci.bind(source, destination) for source, destination in self.binds())]

    def remove(self):
        for path in set(self.paths.values()):
            with contextlib.suppress(OSError):
                path.rmdir()


def sweep():
    """Removes what a killed run left: groups without processes. A living run's groups stay."""
    for path in (*TOP.glob(f"{PREFIX}*"), *TOP.glob(f"*/{PREFIX}*")):
        with contextlib.suppress(OSError):
            path.rmdir()


@contextlib.contextmanager
def group(limits, name="packs"):
    """name: for people who look at the groups."""
    # Not a process id, which would be one of our own namespace.
    made = Group(f"{name}-{secrets.token_hex(4)}", limits)
    try:
        yield made
    finally:
        made.remove()
