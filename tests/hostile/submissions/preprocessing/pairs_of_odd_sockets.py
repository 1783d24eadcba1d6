"""Tries to make sockets of other families in pairs, since only those made one by one were refused: internet,
netlink, packets, vsock, TIPC, crypto, Bluetooth, CAN, XDP; gains nothing because pairs are refused by their
family as well.
"""

import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
REFUSED = {errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT}
# Stream, datagram, raw, sequenced packets: each family knows some of them.
FAMILIES = {"INET": 2, "INET6": 10, "KEY": 15, "NETLINK": 16, "PACKET": 17, "PPPOX": 24, "CAN": 29, "TIPC": 30}
FAMILIES |= {"BLUETOOTH": 31, "ALG": 38, "VSOCK": 40, "KCM": 41, "QIPCRTR": 42, "SMC": 43, "XDP": 44, "MCTP": 45}
print("attack: in pairs", flush=True)
calls = {"x86_64": (53, 41), "aarch64": (199, 198)}.get(os.uname().machine, ())
for name, family in FAMILIES.items():
    for kind in (1, 2, 3, 5):
        for call in calls:
            pair = (ctypes.c_int * 2)()
            result = libc.syscall(*map(ctypes.c_long, (call, family, kind, 0)), pair)
            if result >= 0 or ctypes.get_errno() == errno.EOPNOTSUPP:  # made, and then found to have no pairs
                print(f"attack: took a socket of {name}", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
