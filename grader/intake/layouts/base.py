"""What layouts share: the entries that they account for, and how parts become what somebody handed in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Protocol

from grader.errors import SubmissionError, UsageError
from grader.intake import archives
from grader.intake.assembling import nothing
from grader.intake.model import Attempt, HandedIn, Part, Source, Student
from grader.intake.naming import near
from grader.intake.tree import MOST, Node, has_work, is_archive, is_results
from grader.text import plain


class Layout(Protocol):
    """One way in which a class is handed out.

    Attributes:
        name: as `--layout` has it.
        title: as the line that says it begins.
    """

    name: str
    title: str

    def count(self, top: Node) -> int:
        """How many entries of a folder have this layout's form."""
        ...

    def read(self, top: Node, reading: "Reading") -> list[HandedIn]:
        """What was handed in, each under the name that it would like; what is left out goes to `reading`."""
        ...


@dataclass
class Reading:
    """One folder that is read.

    Attributes:
        modules: the names of the task files.
        section: of all in it; may be empty.
        left_out: sentences, each beginning with a path.
        before: what such a path begins with.
        files: single files of students that lay flat, as the line that says how a class was read counts them.
    """

    modules: Sequence[str]
    section: str = ""
    left_out: list[str] = field(default_factory=list)
    before: str = ""
    files: int = 0

    def leave(self, node: Node, why: str) -> None:
        """Leaves an entry out, in a sentence."""
        self.left_out.append(f"{plain(self.before + node.name, 200)}: {why}.")

    def begin(self, folder: Node) -> None:
        """Names what systems and tools left in a folder of a class.

        Raises:
            UsageError: it has more entries than are looked at.
        """
        visible = {child.name for child in folder.visible}
        if folder.is_cut:
            raise UsageError(
                f"{plain(folder.path)} has more than {MOST:,} entries",
                fix="Name the folder of the class, or parts of it one by one",
            )
        litter = [self.before + child.name for child in folder.children if child.name not in visible]
        for at in range(0, len(litter), 10):
            named = ", ".join(plain(name, 200) for name in litter[at : at + 10])
            self.left_out.append(f"{named}: left by systems and tools, nobody's work.")

    def key(self, text: str) -> str:
        """A student's key from a folder's or file's name."""
        return plain(f"{self.section}/{text}" if self.section else text, 200) or "unnamed"

    def handed_in(
        self,
        label: str,
        students: Sequence[Student],
        attempts: Sequence["Try"],
        notes: Sequence[str] = (),
    ) -> HandedIn:
        """What a student or group handed in, with the problem of the last attempt if names show one."""
        made = tuple(
            Attempt(one.number or at, one.source(label), one.handed_in, one.late)
            for at, one in enumerate(attempts, 1)
        )
        return HandedIn(label, tuple(students), made, tuple(notes), self._problem(attempts[-1]))

    def others(self, nodes: Sequence[Node], title: str) -> list[HandedIn]:
        """Entries that have no form of the platform's: work is somebody's, all else is left out."""
        found = []
        for node in nodes:
            if is_results(node, self.modules):
                self.leave(node, "results of a grading, nobody's work")
            elif node.kind == "link" or (
                (node.kind == "folder" or is_archive(node)) and has_work(node, self.modules)
            ):
                label = archives.stem(node.name) if is_archive(node) else node.name
                note = f"{plain(node.name, 80)} is not named as in a {title}: read as a student's own."
                found.append(self.handed_in(label, [Student(self.key(label))], [Try([(node, "")])], [note]))
            elif node.kind == "folder":
                self.leave(node, f"a folder without a task file, not named as in a {title}")
            else:
                self.leave(node, f"not named as in a {title}, so that it is not known whose it is")
        return found

    def _problem(self, attempt: "Try") -> str:
        files = []
        for node, under in attempt.parts:
            if node.kind == "folder":
                listed = list(node.files())
                if any(child.kind != "file" for _, child in listed) or len(listed) > 1000:
                    return ""
                files += [path for path, _ in listed]
            elif node.kind == "file":
                files += [PurePosixPath(under or node.name)]
            else:
                return ""  # taking it in says what it is
        for file in files:
            archive = archives.suffix(file.name)
            if (archive and archive not in archives.REFUSED) or file.name in self.modules:
                return ""
            if near(file.name, self.modules):
                return ""
        error: SubmissionError = nothing(files)
        return (
            f"{error.message}" if not error.fix else f"{error.message}: {error.fix[0].lower()}{error.fix[1:]}"
        )


@dataclass(frozen=True)
class Try:
    """One attempt before it has a source.

    Attributes:
        parts: what it consists of: each a node, and its name in the submission (empty: at its top).
        handed_in, late: as in Attempt.
        number: of the attempt, where the platform says; 0 where its place among the others does.
    """

    parts: Sequence[tuple[Node, str]]
    handed_in: datetime | None = None
    late: bool | None = None
    number: int = 0

    def source(self, name: str) -> Source:
        """A folder or an archive by itself where it is all of the attempt, else its parts."""
        first, under = self.parts[0]
        if len(self.parts) == 1 and (not under or is_archive(first)):
            return Source(name, first.path, named=False)
        parts = tuple(
            Part(node.path, "" if node.kind == "folder" and not under else (under or node.name))
            for node, under in self.parts
        )
        return Source(name, first.path.parent, named=False, parts=parts)


def after_shared(names: Sequence[str], joints: str) -> dict[str, str]:
    """Of each name what follows the beginning that all have in common, up to one of the joints.

    >>> after_shared(["lab-jane", "lab-john"], "-_")
    {'lab-jane': 'jane', 'lab-john': 'john'}
    """
    distinct = sorted(set(names))
    length = 0
    if len(distinct) > 1:
        first, last = distinct[0], distinct[-1]  # what these two share, all share
        same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        length = max(first.rfind(joint, 0, same) for joint in joints) + 1
    return {name: name[length:] or name for name in distinct}
