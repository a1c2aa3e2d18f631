# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel of the test machine: Debian's for cloud machines, downloaded once, kept between runs.

It is kept beside the root file system of the test containers (see ../container/rootfs.py), and comes from
the same mirror. Only the image and the modules below are kept, in the order in which they have to be loaded.
"""

import fcntl
import hashlib
import lzma
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import rootfs

# Increase this when other parts of a package are kept.
VERSION = "1"
PACKAGE = "linux-image-cloud-{}"
# What a host's modprobe loads on demand, which the machine lacks; modules that a kernel does not have are
# built into it. ipip is here because it interferes: each new network namespace gets a tunl0.
MODULES = ("nf_tables", "nft_queue", "nft_compat", "nft_counter", "nft_limit", "nft_log", "nft_ct",
           "nft_reject_inet", "nfnetlink_queue", "nf_log_syslog", "xt_NFQUEUE", "inet_diag",
           "tcp_diag", "udp_diag", "af_packet", "veth", "ipip", "nfnetlink_log", "drop_monitor",
           "sch_netem")


def read_module(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def needs(module):
    """Returns the modules that this one needs, according to its section .modinfo."""
    _, _, rest = module.partition(b"\0depends=")
    names = rest.partition(b"\0")[0].decode("ascii")
    return [name.replace("-", "_") for name in names.split(",") if name]


def in_order(unpacked):
    """Returns names and images of MODULES, each after the modules that it needs."""
    paths = {path.name.partition(".ko")[0].replace("-", "_"): path
             for path in unpacked.rglob("*.ko*")}
    found = {}

    def add(name):
        if name not in paths or name in found:
            return
        image = read_module(paths[name])
        for needed in needs(image):
            add(needed)
        found[name] = image

    for name in MODULES:
        add(name)
    return found


def unpack(packages, path):
    """Keeps what is needed of the packages in a directory that appears when it is complete."""
    unfinished = path.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        for package in packages:
            rootfs.run("dpkg-deb", "-x", package, scratch)
        # In boot, or with newer kernels beside the modules.
        shutil.copy(next(Path(scratch).rglob("vmlinuz*")), unfinished / "vmlinuz")
        for number, (name, image) in enumerate(in_order(Path(scratch)).items()):
            (unfinished / f"{number:02}-{name}.ko").write_bytes(image)
    unfinished.rename(path)


def fetch(memory, release, architecture):
    """Downloads the release's packages with this machine's apt and lists of its own. Returns their paths."""
    scratch = Path(tempfile.mkdtemp(dir=memory))
    (scratch / "lists/partial").mkdir(parents=True)
    (scratch / "cache/archives/partial").mkdir(parents=True)
    mirror = rootfs.mirror()
    if not mirror:
        raise RuntimeError(f"this machine's apt knows no mirror of Debian {rootfs.SUITE}")
    (scratch / "sources.list").write_text(f"deb {mirror[0]} {release} main\n", encoding="ascii")
    options = {"APT::Architecture": architecture, "APT::Architectures": architecture,
               "APT::Sandbox::User": "root", "Acquire::Retries": "3",
               # A mirror may be a snapshot of a day that is long past.
               "Acquire::Check-Valid-Until": "false", "Acquire::Languages": "none",
               "Dir::State::Lists": scratch / "lists", "Dir::State::status": "/dev/null",
               "Dir::Cache": scratch / "cache", "Dir::Etc::SourceParts": "/dev/null",
               "Dir::Etc::SourceList": scratch / "sources.list"}
    arguments = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    rootfs.run("apt-get", "-qq", *arguments, "update")

    def depends(package):
        result = subprocess.run(["apt-cache", *arguments, "depends", "--important", package],
                                capture_output=True, text=True, check=True)
        return [word for word in result.stdout.split() if word != package]

    image = next(word for word in depends(PACKAGE.format(architecture)) if word.startswith("linux-image-"))
    # Newer kernels consist of more packages.
    parts = [word for word in depends(image) if word.startswith(("linux-binary-", "linux-modules-"))]
    rootfs.run("env", f"--chdir={scratch}", "apt-get", "-qq", *arguments, "download", image, *parts)
    return sorted(scratch.glob("linux-*.deb"))


def ensure(memory, architecture, kernel=None):
    """Returns the directory with the image and the modules. kernel: a package's file or a release of
    Debian; None: this machine's release. memory: a directory on a tmpfs of our own."""
    if kernel and Path(kernel).is_file():
        path = Path(memory) / "kernel"
        unpack([Path(kernel)], path)
        return path
    release = kernel or rootfs.SUITE
    package = PACKAGE.format(architecture)
    key = hashlib.sha256(" ".join((VERSION, release, package, *MODULES)).encode())
    directory = rootfs.cache_directory()
    path = directory / f"kernel-{key.hexdigest()[:12]}"
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_dir():
            print(f"# fetching {package} of {release}; this takes some seconds, once", file=sys.stderr)
            unpack(fetch(memory, release, architecture), path)
    return path
