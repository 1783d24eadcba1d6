"""Tries parts of the kernel that a list of refused calls forgets: watching files of the host, moving memory
between nodes, sealing it, listing mounts, handles of processes, new security interfaces, numbers that no
kernel has yet; gains nothing because what is not on the list of allowed calls is refused before it is read.
"""

import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
REFUSED = {errno.EPERM, errno.ENOSYS}
CALLS = {
    "inotify_init": (253,),
    "inotify_init1": (294, 0),
    "fanotify_init": (300, 0, 0),
    "mbind": (237, 0, 0, 0, 0, 0, 0),
    "set_mempolicy": (238, 0, 0, 0),
    "set_mempolicy_home_node": (450, 0, 0, 0, 0),
    "migrate_pages": (256, 0, 0, 0, 0),
    "move_pages": (279, 0, 0, 0, 0, 0, 0),
    "mseal": (462, 0, 0, 0),
    "statmount": (457, 0, 0, 0, 0),
    "listmount": (458, 0, 0, 0, 0),
    "lsm_get_self_attr": (459, 0, 0, 0, 0),
    "lsm_list_modules": (461, 0, 0, 0),
    "landlock_create_ruleset": (444, 0, 0, 1),
    "cachestat": (451, -1, 0, 0, 0),
    "userfaultfd": (323, 0),
    "memfd_secret": (447, 0),
    "process_madvise": (440, -1, 0, 0, 0, 0),
    "process_mrelease": (448, -1, 0),
    "pidfd_getfd": (438, -1, 0, 0),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "vmsplice": (278, -1, 0, 0, 0),
    "tee": (276, -1, -1, 0, 0),
    "io_cancel": (210, 0, 0, 0),
    "lookup_dcookie": (212, 0, 0, 0),
    "quotactl": (179, 0, 0, 0, 0),
    "name_to_handle_at": (303, -1, 0, 0, 0, 0),
    "open_tree": (428, -1, 0, 0),
    "open_tree_attr": (467, -1, 0, 0, 0, 0),
    "ioprio_set": (251, 1, 0, 0),
    "remap_file_pages": (216, 0, 0, 0, 0, 0),
    "modify_ldt": (154, 0, 0, 0),
    "acct": (163, 0),
    "syslog": (103, 10, 0, 0),
    "semget": (64, 0, 1, 0o1600),
    "mq_open": (240, 0, 0, 0, 0),
    **{f"number {number}": (number,) for number in (335, 423, 480, 500, 512, 1000, 0x7FFFFFFF)},
}
print("attack: knocking", flush=True)
came = {}
if os.uname().machine == "x86_64":
    for name, (number, *arguments) in CALLS.items():
        result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in arguments])
        error = ctypes.get_errno()
        came[name] = result if result >= 0 else errno.errorcode.get(error, error)
        # EBADF or EFAULT are answers of the call itself: it was let through.
        if result >= 0 or error not in REFUSED:
            print("attack: took", name, flush=True)
print("attack: came to", came, flush=True)


def split_indices(*args, **kwargs):
    raise OSError(str(came))


channel_statistics = standardise = one_hot = prepare = split_indices
