"""Tries every way out: TCP to this machine and its gateway, UDP, IPv6, DNS, a cloud's metadata service, HTTP
through urllib and its proxies; gains nothing because the sandbox has no network at all.
"""

import json
import os
import socket
import urllib.request

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
SAID = []


def _try(what, action):
    try:
        SAID.append(f"{what}: {action()}")
    except Exception as error:
        SAID.append(f"{what}: {type(error).__name__}")


def _tcp(host, port, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(0.5)
        client.connect((host, port))
        return client.recv(1000)


def _udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        client.sendto(b"marks", ("127.0.0.1", TARGETS["udp"]))
        return client.recv(1000)


for host in ("127.0.0.1", "localhost", "0.0.0.0", "10.0.2.2", "172.17.0.1", "192.168.1.1", "169.254.169.254"):
    _try(host, lambda host=host: _tcp(host, TARGETS["tcp"] if host != "169.254.169.254" else 80))
_try("ipv6", lambda: _tcp("::1", TARGETS["tcp"], socket.AF_INET6))
_try("udp", _udp)
_try("dns", lambda: socket.getaddrinfo("marks.example.org", 80))
for url in (f"http://127.0.0.1:{TARGETS['tcp']}/", "http://169.254.169.254/latest/meta-data/", "https://pypi.org/"):
    _try(url, lambda url=url: urllib.request.urlopen(url, timeout=0.5).read())
print("attack:", SAID, flush=True)


def split_indices(*args, **kwargs):
    raise OSError("; ".join(SAID))


channel_statistics = standardise = one_hot = prepare = split_indices
