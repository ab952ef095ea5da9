#!/usr/bin/env python3
"""What rude clients do to PORT; prints the status of each request that was answered, or how many were."""
# SPDX-License-Identifier: ISC
import random
import socket
import sys

port, how = int(sys.argv[1]), sys.argv[2]


def dial():
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    s.settimeout(60)
    return s


def answer(s):
    got = b""
    try:
        while len(got) < 1 << 20:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except OSError:
        pass
    return got


def tell(data):
    s = dial()
    try:
        s.sendall(data)
    except OSError:
        pass
    return answer(s)


GOOD = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
if how == "loris":      # many that never finish; one that does is answered all the same
    slow = []
    for n in range(300):
        s = dial()
        try:
            s.sendall(b"GET /livez HT"[:n % 13])
        except OSError:
            pass
        slow.append(s)
    print(tell(GOOD).split(b"\r\n")[0].decode())
elif how == "long":
    for data in (b"GET /" + b"a" * 100000, b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 20000, b"\n" * 5000):
        print(tell(data).split(b"\r\n")[0].decode())
elif how == "garbage":
    chance = random.Random(7)
    statuses = set()
    for n in range(400):
        data = bytearray(GOOD)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if n % 2:
            data = chance.randbytes(chance.randrange(1, 300))
        s = dial()
        try:
            s.sendall(bytes(data))
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        statuses.add(answer(s)[:12].decode())
    print(" ".join(sorted(statuses - {""})))
elif how == "gone":     # away without reading the answer
    for n in range(300):
        s = dial()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.sendall(GOOD.replace(b"livez", b"metrics"))
        s.close()
    print(tell(GOOD).split(b"\r\n")[0].decode())
elif how == "slowly":   # a byte at a time is a request, too
    s = dial()
    for byte in GOOD:
        s.sendall(bytes([byte]))
    print(answer(s).split(b"\r\n")[0].decode())
elif how == "free":     # a port that nobody has
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
