#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who reads /proc/pressure/cpu often makes its total stand still, for everybody.
#
# Seen on Linux 6.18 (CONFIG_HZ=250) with Python 3.11. Two busy processes share one processor for two seconds, so
# that one of them always waits, and "some ... total=" is read at the beginning and the end; then the same
# with 2,000 further readings a second by another process:
#
#     alone, the total grew by more than a quarter of the time
#     beside a frequent reader, by less than a quarter of that
#
# (1,072 ms and 31 ms of 1,500 ms.) Each reading adds the time since the one before to the total, as an average over
# all processors, weighted by how long each was not idle; these weights are counted in whole ticks, so that an
# interval shorter than a tick weighs nothing and is lost (collect_percpu_times() in kernel/sched/psi.c). The weights
# also mean that a thread can wait for longer than the total grows: it grows at half the speed if two processors are
# busy and threads wait for one of them. The averages before it come from the same sums.
#
# Needs no privilege; the machine should do little else. Exits 0 while it is so, 1 when it has changed.
set -eu
seen=$(
	python3 - <<'PROGRAM'
import os
import re
import signal
import time

SECONDS = 2
cpu = min(os.sched_getaffinity(0))


def total_us():
    with open("/proc/pressure/cpu", encoding="ascii") as file:
        return int(re.search(r"some .*total=(\d+)", file.read())[1])


def start(work):
    pid = os.fork()
    if pid == 0:
        while True:
            work()
    return pid


def busy():
    os.sched_setaffinity(0, {cpu})
    while True:
        pass


def read_often():
    total_us()
    time.sleep(1 / 2000)


def growth():
    before = total_us()
    time.sleep(SECONDS)
    return (total_us() - before) / 1e6


children = [start(busy), start(busy)]
time.sleep(0.5)
alone = growth()
children.append(start(read_often))
watched = growth()
for child in children:
    os.kill(child, signal.SIGKILL)
print("alone, the total grew by", "more" if alone > SECONDS / 4 else "less", "than a quarter of the time")
print("beside a frequent reader, by", "less" if watched < alone / 4 else "more", "than a quarter of that")
PROGRAM
)
printf '%s\n' "$seen"
[ "$seen" = "alone, the total grew by more than a quarter of the time
beside a frequent reader, by less than a quarter of that" ]
