#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How long a thread waited for a processor is gone when it ends: no counter of the process keeps it.
#
# Seen on Linux 6.18 with Python 3.11. A thread shares one processor with a busy process for half a second, reads its
# own wait from /proc/self/task/TID/schedstat, and ends. Its processor time is added to the process's, its
# wait to nothing:
#
#     the thread waited for more than 100 ms
#     its processor time stays in the process: yes
#     its wait stays in the process: no
#
# struct signal_struct sums up the times, faults and I/O of threads that were released, and even their
# sum_sched_runtime (kernel/exit.c, __exit_signal()), but not sched_info.run_delay. /proc/PID/schedstat is about the
# first thread alone. Who asks at the end whether a program was starved hears of its first thread, so a
# program with short threads has to be watched all the time, or its control group's cpu.pressure be read.
#
# Needs no privilege. Exits 0 while it is so, 1 when it has changed.
set -eu
seen=$(
	python3 - <<'PROGRAM'
import os
import signal
import threading
import time

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
rival = os.fork()
if rival == 0:
    while True:
        pass


def wait_ns(path):
    with open(path, encoding="ascii") as file:
        return int(file.read().split()[1])


def all_waits_ns():
    return wait_ns("/proc/self/schedstat") + sum(
        wait_ns(f"/proc/self/task/{tid}/schedstat") for tid in os.listdir("/proc/self/task"))


def work():
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pass
    waited.append(wait_ns(f"/proc/self/task/{threading.get_native_id()}/schedstat"))


waited = []
before_ns, cpu_before = all_waits_ns(), time.process_time()
thread = threading.Thread(target=work)
thread.start()
thread.join()
os.kill(rival, signal.SIGKILL)
grown_ns, cpu = all_waits_ns() - before_ns, time.process_time() - cpu_before
print("the thread waited for", "more" if waited[0] > 100e6 else "less", "than 100 ms")
print("its processor time stays in the process:", "yes" if cpu > 0.1 else "no")
print("its wait stays in the process:", "yes" if grown_ns > waited[0] / 2 else "no")
PROGRAM
)
printf '%s\n' "$seen"
[ "$seen" = "the thread waited for more than 100 ms
its processor time stays in the process: yes
its wait stays in the process: no" ]
