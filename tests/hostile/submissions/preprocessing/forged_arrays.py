"""Tries to break the array reader: a pickle called .npy, a header that is code, sizes beyond all memory,
negative and overflowing shapes; gains nothing because headers are matched as text and compared with the
file's size first.
"""

import json
import os
import pickle
import struct


def npy(header):
    header = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


FILES = [
    pickle.dumps(print),
    npy("__import__('os').system('touch /tmp/kit-attack-was-here')\n"),
    npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n") + pickle.dumps([print]),
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000000000000), }\n"),
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 999999999999, 999999999999), }\n"),
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n"),
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1, " * 20000 + "), }\n"),
    npy("{'descr': [('f0', '<f4')], 'fortran_order': False, 'shape': (), }\n"),
]
calls = {}
for number, content in enumerate(FILES, start=1):
    with open(f"/output/a{number:04d}.npy", "wb") as file:
        file.write(content)
choice = ord(os.urandom(1)) % len(FILES) + 1
for name in ("split", "split.again", "split.other", "statistics"):
    calls[name] = {
        "function": "split_indices",
        "arguments": "",
        "status": "returned",
        "exception": None,
        "seconds": 0.0,
        "value": {"kind": "array", "file": f"a{choice:04d}.npy", "type": "ndarray"},
        "inputs_after": None,
    }
with open("/output/evidence.json", "w") as file:
    json.dump(
        {
            "format": 1,
            "started": True,
            "finished": True,
            "running": None,
            "import": {"status": "ok", "exception": None},
            "calls": calls,
        },
        file,
    )
print("attack: file", choice, flush=True)
os._exit(0)
