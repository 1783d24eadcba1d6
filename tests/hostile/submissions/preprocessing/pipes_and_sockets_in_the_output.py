"""Tries to make the grader wait for ever on a pipe called evidence.json, on a socket and on a device; gains
nothing because only regular files leave the sandbox.
"""

import os
import socket
import stat

os.unlink("/output/evidence.json")
for name in ("evidence.json", "a0001.npy"):
    try:
        os.mkfifo(f"/output/{name}")
    except OSError as error:
        print("attack: no pipe", error.errno, flush=True)
try:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("/output/a0002.npy")
except OSError as error:
    print("attack: no socket", error.errno, flush=True)
for name, device in (("zero", os.makedev(1, 5)), ("disk", os.makedev(254, 0))):
    try:
        os.mknod(f"/output/{name}", 0o666 | stat.S_IFCHR, device)
    except OSError as error:
        print("attack: no device", error.errno, flush=True)
print("attack:", sorted(os.listdir("/output")), flush=True)
os._exit(0)
