"""Files on their way into a sandbox and out of it: regular ones alone, no further than a budget."""

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from grader.sandbox.base import MIB


def staged(source: Path, target: Path) -> Path:
    """Copies what is to be read, so that another user can, and so that no path of the grader's is seen.

    Mounts are listed with their sources in /proc/self/mountinfo: a folder's name may be a student's.
    """
    source = source.resolve(strict=True)
    if source.is_dir():
        target.mkdir()
        target.chmod(0o755)
        with opened(source, os.O_RDONLY | os.O_DIRECTORY) as read, opened(target, os.O_RDONLY) as copy:
            copy_files(read, copy, sys.maxsize)
    else:
        shutil.copyfile(source, target)
        target.chmod(0o644)
    return target


def copy_files(source: int, target: int, budget: int, depth: int = 32) -> int:
    """Copies the regular files from one open folder to another, and their folders; nothing else.

    Links, devices and pipes are left out, and so is what cannot be read or named. A machine that is full
    or broken raises, for that is not the submission's doing.

    Returns:
        What is left of the budget of bytes; less than nothing if not all fitted. A sparse file counts
        with its whole length.
    """
    for name in os.listdir(source):
        with ExitStack() as open_files, _leaving_out():
            mode = os.stat(name, dir_fd=source, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode) and depth > 0:
                inner = open_files.enter_context(opened(name, os.O_RDONLY | os.O_DIRECTORY, source))
                os.mkdir(name, dir_fd=target)
                copy = open_files.enter_context(opened(name, os.O_RDONLY | os.O_DIRECTORY, target))
                os.fchmod(copy, 0o755)
                budget = copy_files(inner, copy, budget, depth - 1)
            elif stat.S_ISREG(mode):
                inner = open_files.enter_context(opened(name, os.O_RDONLY | os.O_NONBLOCK, source))
                budget -= os.fstat(inner).st_size
                if budget >= 0:
                    copy = open_files.enter_context(
                        opened(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, target)
                    )
                    os.fchmod(copy, 0o644)
                    with (
                        os.fdopen(inner, "rb", closefd=False) as read,
                        os.fdopen(copy, "wb", closefd=False) as to,
                    ):
                        shutil.copyfileobj(read, to, MIB)
        if budget < 0:
            break
    return budget


@contextmanager
def _leaving_out() -> Iterator[None]:
    """Passes over what cannot be copied for reasons that lie in itself: its name, its mode."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE):
            raise


@contextmanager
def opened(path: str | Path, flags: int, folder: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
