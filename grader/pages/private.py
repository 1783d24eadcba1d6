"""What must not be on a page that a student is handed: other students, and where the grader's files are."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from grader.gradebook import Standing
from grader.text import plain

_LEFT_OUT = "(a remark that names somebody else: ask your instructor)"
# An absolute path of two parts or more, of Linux, macOS or Windows. Its last part stays.
_PATH = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?(?:[\\/][^\s/\\:'\"<>|,;()\[\]{}]+){2,}")
_SHORTEST = 3  # letters of a name that is looked for


class Private:
    """Cleans text for one student's page.

    Args:
        standings: of the whole class.
        roots: folders of the grader and of the class, which no page names.
    """

    def __init__(self, standings: Iterable[Standing], roots: Iterable[Path]) -> None:
        self._names = {
            one.student.key: {
                name.casefold()
                for name in (
                    one.student.key,
                    one.student.name,
                    one.attempt.said.name,
                    *one.student.ids.values(),
                )
                if len(name) >= _SHORTEST
            }
            for one in standings
        }
        self._all = {name for names in self._names.values() for name in names}
        known = {str(root.resolve()) for root in (*roots, Path.home(), Path(tempfile.gettempdir()))}
        self._roots = sorted((root for root in known if len(root) > 1), key=len, reverse=True)

    def text(self, text: str, limit: int = 1000) -> str:
        """One line without absolute paths: of each the last part stays."""
        return plain(self._without_paths(text), limit)

    def remark(self, text: str, key: str) -> str:
        """Likewise what a person or intake wrote; one that names another student is left out.

        Args:
            text: the remark.
            key: of the student whose page it is on.
        """
        own, lower = self._names.get(key, set()), text.casefold()
        for name in own:
            lower = lower.replace(name, " ")
        if any(name in lower and _is_word(name, lower) for name in self._all - own):
            return _LEFT_OUT
        return self.text(text)

    def _without_paths(self, text: str) -> str:
        for root in self._roots:
            text = text.replace(root + "/", "").replace(root, "…")
        return _PATH.sub(lambda found: re.split(r"[\\/]", found.group())[-1], text)


def _is_word(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
