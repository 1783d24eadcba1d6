"""What an exporter is, and the registry of those that every grading run writes with.

    class Moodle(Exporter):
        name = "moodle"

        def write_class(self, results, folder):
            path = folder / "moodle.csv"
            write_atomically(path, ...)
            return [path]

    exporters.registry.register(Moodle())

An exporter writes one format and decides nothing: points, statuses and hints are in the results.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from grader.results.record import SubmissionResult


class Exporter(Protocol):
    """Writes results in one format: files for each submission, for a whole class, or both.

    A subclass overrides what its format has; what it leaves out writes nothing.

    Attributes:
        name: of the format; unique in a registry.
        files: patterns of what it writes for a submission, so that what is out of date can be removed.
    """

    name: str
    files: tuple[str, ...] = ()

    def write_submission(self, result: SubmissionResult, folder: Path) -> list[Path]:
        """Writes the files of one submission, and removes what an earlier run left of this format.

        Args:
            result: graded or not: a submission without a mark must not look like one with zero points.
            folder: of this submission alone; it may not exist yet.

        Returns:
            the files that are there now.
        """
        return []

    def write_class(self, results: Sequence[SubmissionResult], folder: Path) -> list[Path]:
        """Writes the files of a whole class.

        Args:
            results: one a student, in the order of their names; each may be read anew when it is asked for.
            folder: of the whole run; it may not exist yet.

        Returns:
            the files that are there now.
        """
        return []


class Registry:
    """Exporters by name, which write one after the other in the order in which they were registered."""

    def __init__(self, exporters: Iterable[Exporter] = ()) -> None:
        self._exporters: dict[str, Exporter] = {}
        for exporter in exporters:
            self.register(exporter)

    def __iter__(self) -> Iterator[Exporter]:
        return iter(self._exporters.values())

    def register(self, exporter: Exporter) -> None:
        """Adds an exporter.

        Raises:
            ValueError: one of that name is there already.
        """
        if exporter.name in self._exporters:
            raise ValueError(f"there is an exporter {exporter.name!r} already")
        self._exporters[exporter.name] = exporter

    @property
    def files(self) -> tuple[str, ...]:
        """The patterns of all that is written for a submission."""
        return tuple(pattern for one in self for pattern in one.files)

    def write_submission(self, result: SubmissionResult, out: Path) -> list[Path]:
        """Writes one submission in every format into <out>/<name>/; returns the files."""
        return [path for one in self for path in one.write_submission(result, out / result.name)]

    def write_class(self, results: Sequence[SubmissionResult], out: Path) -> list[Path]:
        """Writes a class in every format into <out>/; returns the files."""
        return [path for one in self for path in one.write_class(results, out)]
