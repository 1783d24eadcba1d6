"""Remembers where in a submission's own files each layer was made, so that messages can name the line.

Runs in the sandbox, next to the student's code; a line is for a student to read, and decides nothing.
"""

import os
import re
import sys
import weakref
from types import FrameType
from typing import Any

from keras.src.ops.operation import Operation

MOST_LAYERS = 600
MOST_LINES = 3  # a helper's line, and those that called it


class Lines:
    """Where each layer and operation of Keras was made, from `watch` on."""

    def __init__(self) -> None:
        self._made: weakref.WeakKeyDictionary[Any, tuple[str, list[int]]] = weakref.WeakKeyDictionary()

    def watch(self, submission: str) -> None:
        """Remembers every layer that code below this folder makes."""
        make = Operation.__new__
        inside = submission + os.sep

        def remembering(cls: Any, *args: Any, **kwargs: Any) -> Any:
            operation = make(cls, *args, **kwargs)
            found = _own_lines(inside)
            if found:
                self._made[operation] = found
            return operation

        Operation.__new__ = remembering  # a layer's own __new__ comes to it as well

    def of(self, model: Any) -> list[dict[str, Any]]:
        """The layers of a model, with those of models inside it: their names, files and lines."""
        places: list[dict[str, Any]] = []
        waiting, seen = [model], {id(model)}
        while waiting and len(places) < MOST_LAYERS:
            for part in getattr(waiting[-1], "operations", None) or waiting[-1].layers:
                if id(part) not in seen:
                    seen.add(id(part))
                    if hasattr(part, "layers"):
                        waiting.insert(0, part)
                    elif part in self._made:
                        file, lines = self._made[part]
                        if re.fullmatch(r"[A-Za-z0-9_./ -]{1,80}", file):
                            places.append({"name": str(part.name)[:64], "file": file, "lines": lines})
            waiting.pop()
        return places[:MOST_LAYERS]


def _own_lines(inside: str) -> tuple[str, list[int]] | None:
    """The innermost file of the submission that is running, its line, and the lines in it that called it."""
    file = ""
    lines: list[int] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and len(lines) < MOST_LINES:
        name = frame.f_code.co_filename
        if name.startswith(inside) and file in ("", name):
            file = name
            # A comprehension is a frame of its own, on the same line; a module is where its import begins.
            if frame.f_lineno not in lines:
                lines.append(frame.f_lineno)
        frame = frame.f_back
    return (file[len(inside) :], lines) if file else None
