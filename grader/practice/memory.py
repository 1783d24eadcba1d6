"""What is remembered of a folder between two commands: small JSON files that may be missing or unwritable."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.files import write_atomically

MOST_BYTES = 1024 * 1024


class Memory:
    """What is remembered of one student folder.

    Args:
        root: the checkout.
        folder: the student's files; another folder has a memory of its own.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        name = hashlib.sha256(str(folder.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
        self._place = root / ".kit" / "practice" / name

    def read(self, what: str) -> dict[str, Any]:
        """What was written under a name; empty if that is nothing, or no JSON object."""
        with suppress(OSError, ValueError, RecursionError):
            path = self._place / f"{what}.json"
            if path.stat().st_size <= MOST_BYTES:
                found = json.loads(path.read_text(encoding="utf-8"))
                return found if isinstance(found, dict) else {}
        return {}

    def write(self, what: str, content: dict[str, Any]) -> None:
        """Remembers it, if that is possible."""
        with suppress(OSError):
            write_atomically(self._place / f"{what}.json", json.dumps(content, indent=1) + "\n")
