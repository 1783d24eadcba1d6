"""What Keras runs on where a task is probed: NumPy, unless the code that it reaches names TensorFlow."""

import importlib.util
import os
import re
from pathlib import Path, PurePosixPath
from typing import Literal

from grader.config.manifest import Task
from grader.errors import MissingTensorFlow

Backend = Literal["numpy", "tensorflow"]

# More than this is no program that somebody wrote; nobody reads it to learn what it names.
MOST_BYTES = 2 * 1024 * 1024

_KERAS = re.compile(rb"\bkeras\b")
# Lines that import, and the words in them.
_IMPORT = re.compile(rb"^[^\n]{0,200}?\bimport[^\n]{0,200}", re.MULTILINE)
_WORD = re.compile(rb"\w+")
_TENSORFLOW = re.compile(rb"\b(tensorflow|jax|torch)\b")


def of(task: Task, submission: Path) -> Backend:
    """The backend on which a task is probed first.

    A module that reaches no Keras needs none; it has TensorFlow's, which is imported when it is asked for.

    Args:
        task: which; its network is one of Keras's, whatever the module names.
        submission: the folder that was taken in: regular files within bounds.
    """
    code = reached(task.module, submission)
    if sum(map(len, code.values())) > MOST_BYTES or any(
        _TENSORFLOW.search(content) for content in code.values()
    ):
        return "tensorflow"
    if task.builder or any(_KERAS.search(content) for content in code.values()):
        return "numpy"
    return "tensorflow"


def require_tensorflow(task: Task, submission: Path) -> None:
    """MissingTensorFlow if a task's code needs it and this Python has none, as students' have at first."""
    if importlib.util.find_spec("tensorflow") is not None:
        return
    code = reached(task.module, submission)
    if task.builder or any(_TENSORFLOW.search(one) or _KERAS.search(one) for one in code.values()):
        raise MissingTensorFlow(
            f"{task.module} needs TensorFlow, which is not installed yet",
            fix="nox installs it when it is first needed: call this by nox -s, or run: nox -s notebook",
        )


def reached(module: str, submission: Path) -> dict[str, bytes]:
    """The files of a submission that a module can come to, the module first, by their paths in it.

    Those whose name, or whose top folder's, is in a line of it that imports, and what these import. A file
    that is found in another way at most makes a probe longer: NumPy is tried in vain. Reading ends
    beyond MOST_BYTES.
    """
    tops: dict[str, list[Path]] = {}
    for path in sorted(submission.rglob("*")):
        if path.is_file():
            top = PurePosixPath(path.relative_to(submission).as_posix()).parts[0]
            tops.setdefault(top.partition(".")[0], []).append(path)
    found: dict[str, bytes] = {}
    waiting, left = [submission / module], MOST_BYTES
    while waiting and left >= 0:
        path = waiting.pop(0)
        name = path.relative_to(submission).as_posix()
        if name in found or not path.is_file():
            continue
        with path.open("rb") as file:
            found[name] = content = file.read(left + 1)
        left -= len(content)
        words = {word for line in _IMPORT.finditer(content) for word in _WORD.findall(line[0])}
        for top in [top for top in tops if os.fsencode(top) in words]:
            waiting += tops.pop(top)
    return found
