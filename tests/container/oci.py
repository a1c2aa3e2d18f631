# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the config.json of a container like those of Docker and Podman.

Capability sets, seccomp profile, masked and read-only paths are the defaults of these engines. What runc
can't set up without delegated control groups is left out: the cgroup namespace, device rules, limits. (The
tests put the whole container into a group instead.)
"""

import platform

DOCKER = ("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID",
          "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE")
PODMAN = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP",
          "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT")

MASKED = ("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
          "/sys/firmware")
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

NAMESPACES = ("pid", "network", "ipc", "uts", "mount")

ARCHITECTURES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
}

# System calls that the engines' profile permits only with a capability.
GUARDED = {
    "SYS_ADMIN": ("bpf", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick",
                  "lookup_dcookie", "lsm_get_self_attr", "lsm_list_modules",
                  "lsm_set_self_attr", "mount", "mount_setattr", "move_mount", "open_tree",
                  "perf_event_open", "quotactl", "quotactl_fd", "setdomainname", "sethostname",
                  "setns", "syslog", "umount", "umount2", "unshare"),
    "SYS_BOOT": ("reboot",),
    "SYS_CHROOT": ("chroot",),
    "SYS_MODULE": ("delete_module", "finit_module", "init_module"),
    "SYS_NICE": ("get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"),
    "SYS_PACCT": ("acct",),
    "SYS_PTRACE": ("kcmp", "pidfd_getfd", "process_madvise"),
    "SYS_RAWIO": ("ioperm", "iopl"),
    "SYS_TIME": ("clock_settime", "clock_settime64", "settimeofday", "stime"),
    "SYS_TTY_CONFIG": ("vhangup",),
    "DAC_READ_SEARCH": ("open_by_handle_at",),
}
# System calls that it never permits.
FORBIDDEN = ("_sysctl", "add_key", "create_module", "get_kernel_syms", "io_uring_enter",
             "io_uring_register", "io_uring_setup", "kexec_file_load", "kexec_load", "keyctl",
             "migrate_pages", "move_pages", "nfsservctl", "pivot_root", "query_module",
             "request_key", "swapoff", "swapon", "sysfs", "uselib", "userfaultfd", "ustat", "vm86",
             "vm86old")
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
NAMESPACE_FLAGS = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000,
                   0x40000000)
# Socket families that are never permitted: AF_ALG, AF_VSOCK.
SOCKETS = (38, 40)
EPERM, ENOSYS = 1, 38


def refuse(names, errno=EPERM, args=()):
    return {"names": list(names), "action": "SCMP_ACT_ERRNO", "errnoRet": errno, "args": list(args)}


def seccomp(capabilities):
    """Returns the engines' list of permitted system calls, inverted: what it refuses. Arguments of
    personality() can't be expressed that way, and are left out."""
    rules = [refuse(FORBIDDEN)]
    rules += [refuse(names) for capability, names in GUARDED.items()
              if capability not in capabilities]
    rules += [refuse(["socket"], args=[{"index": 0, "value": family, "op": "SCMP_CMP_EQ"}])
              for family in SOCKETS]
    if "SYS_ADMIN" not in capabilities:
        # Its flags are in memory, where no filter can see them. ENOSYS makes libc use clone.
        rules.append(refuse(["clone3"], ENOSYS))
        rules += [refuse(["clone"], args=[{"index": 0, "value": flag, "valueTwo": flag,
                                           "op": "SCMP_CMP_MASKED_EQ"}])
                  for flag in NAMESPACE_FLAGS]
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": list(ARCHITECTURES.get(platform.machine(), ())),
        "syscalls": rules,
    }


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def bind(source, destination, *options):
    return mount(str(destination), "bind", str(source), "bind", "private", *(options or ("ro",)))


def system_mounts():
    return [
        mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666",
              "mode=0620"),
        mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    ]


def capability_sets(capabilities, user, ambient):
    """Returns the sets that Docker gives. Root holds everything it may have; other users hold nothing,
    but may get capabilities from a file. Every user holds ambient ones, across exec."""
    bounding = [f"CAP_{name}" for name in capabilities]
    if user == 0:
        return {"bounding": bounding, "effective": bounding, "permitted": bounding}
    held = [f"CAP_{name}" for name in ambient]
    return {"bounding": bounding, "effective": held, "permitted": held, "inheritable": held,
            "ambient": held}


def config(command, *, capabilities, user=0, ambient=(), environment=None, mounts=(),
           read_only=False, no_new_privileges=False, sysctl=None):
    """Returns the configuration as a dictionary; the root file system is in "rootfs" beside it."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": user, "gid": user},
            "args": [str(word) for word in command],
            "env": [f"{name}={value}" for name, value in (environment or {}).items()],
            "cwd": "/",
            "capabilities": capability_sets(capabilities, user, ambient),
            "noNewPrivileges": no_new_privileges,
        },
        "root": {"path": "rootfs", "readonly": read_only},
        "hostname": "container",
        "mounts": [*system_mounts(), *mounts],
        "linux": {
            "namespaces": [{"type": kind} for kind in NAMESPACES],
            "maskedPaths": list(MASKED),
            "readonlyPaths": list(READ_ONLY),
            "seccomp": seccomp(capabilities),
            "sysctl": sysctl or {},
        },
    }
