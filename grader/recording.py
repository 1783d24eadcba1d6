"""What a run of grading records: who handed in what, each mark the moment it is decided, and how it ended.

Between what grades, which knows no gradebook, and the gradebook, which knows nothing of grading.
"""

import hashlib
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from grader import intake
from grader.config.course import Course
from grader.errors import SubmissionError
from grader.gradebook import ContentKey, StudentId, Submitted, Writer, derive
from grader.gradebook.derive import Rules
from grader.grading.course import to_grade
from grader.intake import Attempt, Class, HandedIn, Source, Student
from grader.results.record import Run, SubmissionResult
from grader.session import Session
from lab.errors import KitError

PACKAGES = ("grader", "lab")


@dataclass(frozen=True)
class Entry:
    """One attempt of a student or a group that needs a mark.

    Attributes:
        handed_in: whose it is.
        attempt: which; None where there is nothing to grade.
        files: the digest over what is graded; empty where there is nothing.
        problem: why it cannot be graded; empty if it can.
        job: what the run calls it: no two attempts have one name.
    """

    handed_in: HandedIn
    attempt: Attempt | None
    files: str
    problem: str
    job: str

    @property
    def name(self) -> str:
        """The folder that results are filed under."""
        return self.handed_in.name

    @property
    def source(self) -> Source:
        """Its files, under the name of the job; only of an entry with an attempt."""
        assert self.attempt is not None
        return replace(self.attempt.source, name=self.job)


def read_in(handed_in: Class, course: Course, modules: Sequence[str]) -> Iterator[Entry]:
    """What needs a mark, each with the digest of its files, which are unpacked for it and removed again.

    Args:
        handed_in: the class.
        course: its choices: which attempts count.
        modules: the names of the task files.
    """
    for one in handed_in.handed_in:
        wanted = set(to_grade(course, _ids(one), one.attempts)) if one.attempts else set()
        graded = [attempt for attempt in one.attempts if attempt.number in wanted]
        if not graded or one.problem:
            last = one.attempts[-1] if one.attempts else None
            why = one.problem or "no attempt was before the cut-off"
            yield Entry(one, last, "", why, one.name)
            continue
        for attempt in graded:
            job = one.name if attempt is graded[-1] else f"{one.name} · attempt {attempt.number}"
            try:
                with tempfile.TemporaryDirectory(prefix="kit-reading-") as folder:
                    files = intake.digest(intake.take_in(attempt.source, modules, Path(folder)))
                yield Entry(one, attempt, files, "", job)
            except SubmissionError as error:
                yield Entry(
                    one,
                    attempt,
                    "",
                    " ".join(f"{part.rstrip('.')}." for part in (error.message, error.fix) if part),
                    job,
                )


def _ids(one: HandedIn) -> tuple[str, ...]:
    """All that the members of a group go by, or a student."""
    return tuple(name for student in one.students for name in (student.key, *student.ids.values()))


def content_key(session: Session, seed: int) -> ContentKey:
    """All that marks of a run depend on but the files."""
    reference = hashlib.sha256()
    for path in sorted(session.reference.glob("*.json")):
        reference.update(path.read_bytes())
    return ContentKey(
        files="-",
        seed=seed,
        kit=kit_version(session.root),
        profile=session.profile.name,
        manifest=hashlib.sha256(session.manifest.model_dump_json().encode()).hexdigest(),
        pins={"data": session.pin, "reference": reference.hexdigest(), "engine": session.engine.name},
    )


@cache
def kit_version(root: Path) -> str:
    """The version of the grader, with a digest over its code: "0.1.0+3f6a0c1b2d4e"."""
    code = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            code.update(f"{path.relative_to(root).as_posix()}\0".encode())
            code.update(path.read_bytes())
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['version']}+{code.hexdigest()[:12]}"


@dataclass
class Recorder:
    """Appends what a run finds out, and writes what is derived from it.

    Attributes:
        book: the gradebook.
        out: the folder of results.
        rules: the course's own.
        key: all that marks depend on but the files.
        entries: what is graded, by the name of the job.
        unwritten: why the files of a name could not be written, by that name.
    """

    book: Writer
    out: Path
    rules: Rules
    key: ContentKey
    entries: Mapping[str, Entry]
    unwritten: dict[str, str] = field(default_factory=dict)
    _run: str = ""

    def stored(self) -> dict[str, SubmissionResult]:
        """Marks of before that depend on the very same things, by the name of the job."""
        found = {}
        for job, entry in self.entries.items():
            if entry.files and (result := self.book.stored(self._key(entry))) is not None:
                found[job] = result.model_copy(update={"name": entry.name})
        return found

    @contextmanager
    def run(
        self, command: str, about: Run, handed_in: Class, *, new_seed: bool, course: str
    ) -> Iterator[None]:
        """Records that a run begins, who handed in what, and in the end how it ended."""
        with self.book.together():
            self._run = self.book.begin_run(
                command=command,
                kit=self.key.kit,
                about=about,
                pins=self.key.pins,
                new_seed=new_seed,
                course=course,
            )
            self.book.submitted(self._run, list(self._submitted(handed_in)))
        how = "stopped"
        try:
            yield
            how = "finished"
        except KeyboardInterrupt:
            how = "stopped by Ctrl-C"
            raise
        except KitError as error:
            how = f"failed: {error.message}"
            raise
        finally:
            self.book.end_run(self._run, how)
            self._derived(
                derive.everything(self.book, self.out, names=self._without_files(), rules=self.rules)
            )

    def decided(self, result: SubmissionResult) -> None:
        """Records what came of a job, and writes its files."""
        entry = self.entries[result.name]
        assert entry.attempt is not None
        result = result.model_copy(update={"name": entry.name})
        number = entry.attempt.number
        if result.has_mark and result.tasks:
            self.book.marked(self._run, entry.name, attempt=number, key=self._key(entry), result=result)
        else:
            why = result.problem or "the grader failed on some checks"
            self.book.failed(
                self._run, entry.name, attempt=number, files=entry.files, message=why, result=result
            )
        self._derived(derive.of_name(self.book, self.out, entry.name, rules=self.rules))

    def _key(self, entry: Entry) -> ContentKey:
        return self.key.model_copy(update={"files": entry.files})

    def _derived(self, derived: derive.Derived) -> None:
        self.unwritten |= derived.unwritten

    def _without_files(self) -> list[str]:
        """Names of this run whose files are not there, or that had nothing to decide."""
        return [
            entry.name
            for entry in self.entries.values()
            if not entry.files or not (self.out / entry.name / "results.json").is_file()
        ]

    def _submitted(self, handed_in: Class) -> Iterator[Submitted]:
        by_attempt = {
            (entry.name, entry.attempt.number): entry for entry in self.entries.values() if entry.attempt
        }
        for one in handed_in.handed_in:
            for attempt in one.attempts or (None,):
                number = attempt.number if attempt else 1
                entry = by_attempt.get((one.name, number))
                for student in one.students:
                    yield Submitted(
                        student=_id(student, one.name if len(one.students) == 1 else ""),
                        name=one.name,
                        attempt=number,
                        files=entry.files if entry else "",
                        handed_in=attempt.handed_in if attempt else None,
                        late=attempt.late if attempt else None,
                        source=str(attempt.source.path) if attempt else "",
                        notes=one.notes,
                        problem=entry.problem if entry else one.problem,
                    )
        taken = {one.name.casefold() for one in handed_in.handed_in}
        for student in handed_in.absent:
            name = intake.folder_name(student.key)
            while name.casefold() in taken:
                name += " (absent)"
            taken.add(name.casefold())
            yield Submitted(student=_id(student), name=name, attempt=0, problem="nothing was handed in")


def _id(student: Student, folder: str = "") -> StudentId:
    """Whoever has no name is called as the folder is, which says more than a platform's number."""
    name = student.name or (folder if folder != student.key else "")
    return StudentId(key=student.key, name=name, ids=dict(student.ids), section=student.section)
