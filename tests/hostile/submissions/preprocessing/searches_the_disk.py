"""Tries to search every file that it can see for marks, labels and other people's work; gains nothing because
what it can see are libraries, its own files and the probe.
"""

import json
import os
import time

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
word, found, looked_at = TARGETS["word"].encode(), [], 0
start = time.monotonic()
print("attack: searching", flush=True)
tops = ["/work", "/root", "/home", "/tmp", "/var", "/srv", "/mnt", "/opt", "/etc", "/run", "/dev/shm", "/kit", "/sys/fs", "/"]
for top in tops:
    for folder, folders, files in os.walk(top):
        if folder == "/":
            folders[:] = [f for f in folders if f not in ("proc", "sys", "usr", "lib", "lib64", "dev")]
        if time.monotonic() - start > 2:
            break
        folders[:] = [f for f in folders if f not in ("site-packages", "dist-packages")]
        for name in files:
            path = os.path.join(folder, name)
            if path.startswith("/submission"):
                continue
            try:
                looked_at += 1
                with open(path, "rb") as file:
                    content = file.read(4_000_000)
                if word in content or "gradebook" in name or "hidden" in folder:
                    found.append(path.encode() + b": " + content)
            except OSError:
                pass
print("attack: looked at", looked_at, "files, found", [f[:80] for f in found], flush=True)
with open("/output/found", "wb") as file:
    file.write(b"\n".join(found))


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
