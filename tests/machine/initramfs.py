# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a file system that the kernel unpacks into memory (Linux, driver-api/early-userspace/
buffer-format.rst: the "new ASCII" format of cpio)."""

import os
import stat


class Archive:
    """An archive to fill and to close."""

    def __init__(self, path):
        self.file = open(path, "wb", buffering=1 << 20)
        self.n_entries = 0

    def _entry(self, name, mode, data=b""):
        self.n_entries += 1
        name = os.fsencode(name) + b"\0"
        # inode, mode, user, group, links, time, size, two device numbers, length of the name, checksum
        numbers = (self.n_entries, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        head = b"070701" + b"".join(b"%08x" % number for number in numbers) + name
        for part in (head, data):
            self.file.write(part + bytes(-len(part) % 4))

    def directory(self, name):
        self._entry(name, stat.S_IFDIR | 0o755)

    def data(self, name, data, mode=0o755):
        self._entry(name, stat.S_IFREG | mode, data)

    def copy(self, source, name):
        """Adds a file, a link or an empty directory; everything belongs to root."""
        mode = os.lstat(source).st_mode
        if stat.S_ISLNK(mode):
            self._entry(name, mode, os.fsencode(os.readlink(source)))
        elif stat.S_ISREG(mode):
            with open(source, "rb") as file:
                self._entry(name, mode, file.read())
        elif stat.S_ISDIR(mode):
            self._entry(name, mode)

    def tree(self, source, name="", without=()):
        """Adds what is below the directory; without: beginnings of paths to leave out."""
        for directory, directories, files in os.walk(source):
            place = os.path.relpath(directory, source)
            kept = []
            for entry in sorted(directories) + sorted(files):
                path = os.path.normpath(os.path.join(place, entry))
                if path.startswith(tuple(without)):
                    continue
                self.copy(os.path.join(directory, entry), os.path.join(name, path))
                kept.append(entry)
            directories[:] = [entry for entry in directories if entry in kept]

    def close(self):
        self._entry("TRAILER!!!", 0)
        self.file.close()
