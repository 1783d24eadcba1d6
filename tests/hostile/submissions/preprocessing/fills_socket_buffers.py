"""Tries to hold more memory than it may in buffers of local sockets, which no process shows as its own; gains
nothing because a control group counts them, or they cannot be had.
"""

import json
import os
import socket
import time

LIMIT = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))["memory_mib"]
WANTED, PROCESSES = LIMIT + 400, 12
print("attack: filling sockets", flush=True)


def fill(bound, kind):
    held, kept, block = 0, [], b"x" * (1 << 16)
    while held < bound and len(kept) < 900:
        try:
            pair = socket.socketpair(socket.AF_UNIX, kind)
        except OSError:
            break
        kept += pair
        try:
            pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
            pair[0].setblocking(False)
            while held < bound:
                held += pair[0].send(block)
        except OSError:
            pass
    return held, kept


answers = []
for number in range(PROCESSES):
    reading, writing = os.pipe()
    if os.fork() == 0:
        kind = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)[number % 3]
        held, kept = fill((WANTED << 20) // PROCESSES, kind)
        os.write(writing, b"%d" % (held >> 20))
        time.sleep(4)
        os._exit(0)
    os.close(writing)
    answers.append(reading)
held = sum(int(os.read(answer, 20) or 0) for answer in answers)
time.sleep(0.5)  # whoever counts has had time to
print(f"attack: {held} MiB in sockets", flush=True)
if held > LIMIT:
    print("attack: took more memory than the limit, in sockets", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
