"""Keeps what a submission prints, under the call that printed it, so that a student sees their own output.

Runs in the sandbox, next to the student's code. What is kept is bounded, shown to the student alone and
decides nothing.
"""

import contextlib
from collections.abc import Callable
from typing import Any

MOST = 2000  # characters that are kept of one call
MOST_IN_ALL = 100_000


class Printing:
    """A stream that passes text on and keeps the beginning of it.

    Args:
        stream: where it goes.
        record: gives what is written down of the call that runs: a dictionary, or None while none does.
        left: how many characters may still be kept, in a list of one that streams share.
    """

    def __init__(self, stream: Any, record: Callable[[], Any], left: list[int]) -> None:
        self._stream, self._record, self._left = stream, record, left

    def write(self, text: str) -> int:
        """As of a text stream."""
        written: int = self._stream.write(text)
        with contextlib.suppress(Exception):  # whatever becomes of the record, printing works
            record = self._record()
            if isinstance(record, dict):
                kept = record.setdefault("printed", {"text": "", "characters": 0})
                room = min(MOST - len(kept["text"]), self._left[0])
                kept["text"] += text[: max(0, room)]
                kept["characters"] = min(kept["characters"] + len(text), 10**9)
                self._left[0] -= max(0, min(room, len(text)))
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
