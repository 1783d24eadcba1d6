"""Tries local ways out: abstract and named Unix sockets, docker's and systemd's, netlink, vsock, packet and
raw sockets; gains nothing because its network namespace is its own, and other families are refused.
"""

import glob
import json
import os
import socket

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
SAID = []


def _try(what, action):
    try:
        SAID.append(f"{what}: {action()}")
    except Exception as error:
        SAID.append(f"{what}: {type(error).__name__}")


def _connect(address):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.5)
        client.connect(address)
        return client.recv(1000)


_try("abstract", lambda: _connect(f"\0{TARGETS['abstract']}"))
for path in ["/var/run/docker.sock", "/run/podman/podman.sock", "/run/systemd/private", *glob.glob("/run/**/*.sock", recursive=True)]:
    _try(path, lambda path=path: _connect(path))
for family, kind in ((16, 3), (17, 3), (2, 3), (40, 1), (38, 5), (31, 3), (29, 3), (44, 3)):
    _try(f"family {family}", lambda family=family, kind=kind: socket.socket(family, kind).close())
print("attack:", SAID, flush=True)


def split_indices(*args, **kwargs):
    raise OSError("; ".join(SAID))


channel_statistics = standardise = one_hot = prepare = split_indices
