#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""As waits.c, in the ways of Python: waits.py SECONDS SLACK-MS HOST:PORT."""

import asyncio
import concurrent.futures
import errno
import multiprocessing
import queue
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

SECONDS, SLACK = int(sys.argv[1]), float(sys.argv[2]) / 1000
SERVER = sys.argv[3].rsplit(":", 1)
ADDRESS = (SERVER[0], int(SERVER[1]))


class Alarm(Exception):
    pass


def on_alarm(number, frame):
    raise Alarm


def raises(kind, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except kind:
        return True
    return False


def pair():
    return socket.socketpair()


def waits_for_epoll():
    ours, _ = ends = pair()
    with select.epoll() as epoll:
        epoll.register(ours, select.EPOLLIN)
        empty = epoll.poll(SECONDS) == []
    for end in ends:
        end.close()
    return empty


def receives_with_a_timeout():
    ours, theirs = pair()
    ours.settimeout(SECONDS)
    with ours, theirs:
        return raises(TimeoutError, ours.recv, 1)


def receives_with_an_option():
    ours, theirs = pair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SECONDS, 0))
    with ours, theirs:
        return raises(BlockingIOError, ours.recv, 1)


def connects_with_an_option():
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SECONDS, 0))
        return ours.connect_ex(ADDRESS) == errno.EINPROGRESS


def is_cut_short():
    """A signal with a handler that raises ends the sleep, and half of a second alarm is left."""
    signal.alarm(SECONDS)
    cut = raises(Alarm, time.sleep, 2 * SECONDS)
    signal.alarm(SECONDS)
    return cut and signal.alarm(0) == SECONDS


def has_an_interval():
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 2 * SECONDS)
    alarmed = raises(Alarm, signal.pause)
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    return alarmed and interval == 2 * SECONDS and 2 * SECONDS - SLACK < left <= 2 * SECONDS


def waits_for_a_timer_thread():
    done = []
    timer = threading.Timer(SECONDS, done.append, [True])
    timer.start()
    timer.join()
    return done == [True]


def waits_for_a_future():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        release = threading.Event()
        future = pool.submit(release.wait)
        late = raises(concurrent.futures.TimeoutError, future.result, SECONDS)
        release.set()
    return late


async def times_out_in_asyncio():
    try:
        await asyncio.wait_for(asyncio.open_connection(*ADDRESS), SECONDS)
    except asyncio.TimeoutError:
        return True
    return False


WAITS = {
    "time.sleep": lambda: time.sleep(SECONDS) is None,
    "select": lambda: select.select([], [], [], SECONDS) == ([], [], []),
    "poll": lambda: select.poll().poll(SECONDS * 1000) == [],
    "epoll": waits_for_epoll,
    "threading.Event": lambda: not threading.Event().wait(SECONDS),
    "threading.Semaphore": lambda: not threading.Semaphore(0).acquire(timeout=SECONDS),
    "threading.Timer": waits_for_a_timer_thread,
    "queue.get": lambda: raises(queue.Empty, queue.Queue().get, timeout=SECONDS),
    "Future.result": waits_for_a_future,
    "multiprocessing.Event": lambda: not multiprocessing.Event().wait(SECONDS),
    "subprocess.run": lambda: raises(subprocess.TimeoutExpired, subprocess.run,
                                     ["sleep", str(100 * SECONDS)], timeout=SECONDS),
    "a child that sleeps": lambda: subprocess.run(["sleep", str(SECONDS)], check=True).returncode == 0,
    "signal.alarm": lambda: (signal.alarm(SECONDS), raises(Alarm, signal.pause))[1],
    "signal.setitimer": has_an_interval,
    "sigtimedwait": lambda: signal.sigtimedwait([signal.SIGUSR1], SECONDS) is None,
    "time.sleep cut short": is_cut_short,
    "socket.settimeout": receives_with_a_timeout,
    "SO_RCVTIMEO": receives_with_an_option,
    "connect with SO_SNDTIMEO": connects_with_an_option,
    "create_connection": lambda: raises(TimeoutError, socket.create_connection, ADDRESS, SECONDS),
    "asyncio.sleep": lambda: asyncio.run(asyncio.sleep(SECONDS, True)),
    "asyncio.wait_for": lambda: asyncio.run(times_out_in_asyncio()),
}


def main():
    wrong = 0
    signal.signal(signal.SIGALRM, on_alarm)
    for name, wait in WAITS.items():
        monotonic, realtime = time.monotonic(), time.time()
        right = wait()
        monotonic, realtime = time.monotonic() - monotonic, time.time() - realtime
        # poll() and its kind wait for whole milliseconds.
        right = right and all(SECONDS - 0.002 < took < SECONDS + SLACK for took in (monotonic, realtime))
        print(f"{name:36} {monotonic:8.3f} s {realtime:8.3f} s {'right' if right else 'WRONG'}", flush=True)
        wrong += not right
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
