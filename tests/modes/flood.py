# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""flood.py receive PORT SECONDS: prints how many datagrams came. flood.py send ADDRESS PORT SECONDS: sends them,
from a new port now and then, and prints how many."""
import socket
import sys
import time


def receive(port, seconds):
    end = time.monotonic() + seconds
    count = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", port))
        s.settimeout(0.2)
        while time.monotonic() < end:
            try:
                s.recv(64)
                count += 1
            except TimeoutError:
                pass
    print(count)


def send(address, port, seconds):
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(20):
                try:
                    s.sendto(b"flood", (address, port))
                except PermissionError:
                    pass
                count += 1
            time.sleep(0.001)
    print(count)


if sys.argv[1] == "receive":
    receive(int(sys.argv[2]), float(sys.argv[3]))
else:
    send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
