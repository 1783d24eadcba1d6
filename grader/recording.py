"""What a run of grading records: who handed in what, each mark the moment it is decided, and how it ended.

Between what grades, which knows no gradebook, and the gradebook, which knows nothing of grading.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import intake
from grader.config.course import Course
from grader.errors import SubmissionError
from grader.gradebook import ContentKey, Gradebook, StudentId, Submitted, Writer, derive, kept
from grader.gradebook.derive import Rules
from grader.grading.course import to_grade
from grader.intake import Attempt, Class, HandedIn, Shelf, Source, Student
from grader.kit import kit_version
from grader.results.record import Run, SubmissionResult
from grader.session import Session
from grader.text import plain
from lab.errors import KitError


@dataclass(frozen=True)
class Entry:
    """One attempt of a student or a group that needs a mark.

    Attributes:
        handed_in: whose it is.
        attempt: which; None where there is nothing to grade.
        files: the digest over what is graded; empty where there is nothing.
        problem: why it cannot be graded; empty if it can.
        job: what the run calls it: no two attempts have one name.
        notes: what was tidied or left behind when it was read, each a sentence.
    """

    handed_in: HandedIn
    attempt: Attempt | None
    files: str
    problem: str
    job: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The folder that results are filed under."""
        return self.handed_in.name

    @property
    def source(self) -> Source:
        """Its files, under the name of the job; only of an entry with an attempt."""
        assert self.attempt is not None
        return replace(self.attempt.source, name=self.job)


def read_in(
    handed_in: Class,
    course: Course,
    shelf: Shelf,
    *,
    workers: int = 1,
    on_read: Callable[[int, int], object] = lambda read, of: None,
) -> list[Entry]:
    """What needs a mark, each with the digest of its files: all of them are read now.

    Args:
        handed_in: the class.
        course: its choices: which attempts count.
        shelf: reads them, and keeps them for the grading.
        workers: how many are read at a time.
        on_read: called with how many are read, and of how many, in the calling thread.
    """
    entries = [entry for one in handed_in.handed_in for entry in _wanted(one, course)]
    to_read = sum(not entry.problem for entry in entries)
    done: list[Entry] = []
    read = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="reading") as pool:
        try:
            for entry in pool.map(lambda entry: _read(entry, shelf), entries):
                done.append(entry)
                read += entry.attempt is not None
                on_read(min(read, to_read), to_read)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return done


def _wanted(one: HandedIn, course: Course) -> Iterator[Entry]:
    """The attempts that are to be graded, before they are read."""
    wanted = set(to_grade(course, _ids(one), one.attempts)) if one.attempts else set()
    graded = [attempt for attempt in one.attempts if attempt.number in wanted]
    if not graded or one.problem:
        last = one.attempts[-1] if one.attempts else None
        yield Entry(one, last, "", one.problem or "no attempt was before the cut-off", one.name)
        return
    for attempt in graded:
        yield Entry(
            one,
            attempt,
            files="",
            problem="",
            job=one.name if attempt is graded[-1] else f"{one.name} · attempt {attempt.number}",
        )


def _read(entry: Entry, shelf: Shelf) -> Entry:
    if entry.problem:
        return entry
    try:
        read = shelf.read(entry.source)
    except SubmissionError as error:
        why = " ".join(f"{part.rstrip('.')}." for part in (error.message, error.fix) if part)
        return replace(entry, problem=why)
    return replace(entry, files=read.digest, notes=read.notes)


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


def stored_marks(book: Gradebook, key: ContentKey, entries: Iterable[Entry]) -> dict[str, int]:
    """Marks of before that depend on the very same things: their numbers, by the name of the job.

    Args:
        book: the gradebook.
        key: all that marks depend on but the files.
        entries: whose.
    """
    found = {}
    for entry in entries:
        if entry.files and (number := book.stored(_key(key, entry))) is not None:
            found[entry.job] = number
    return found


def _key(key: ContentKey, entry: Entry) -> ContentKey:
    return key.model_copy(update={"files": entry.files})


@dataclass
class Recorder:
    """Appends what a run finds out, and writes what is derived from it.

    Attributes:
        book: the gradebook.
        out: the folder of results.
        rules: the course's own.
        key: all that marks depend on but the files.
        entries: what is graded, by the name of the job.
        shelf: has its files.
        unwritten: why the files of a name could not be written, by that name.
    """

    book: Writer
    out: Path
    rules: Rules
    key: ContentKey
    entries: Mapping[str, Entry]
    shelf: Shelf
    unwritten: dict[str, str] = field(default_factory=dict)
    _run: str = ""

    def stored(self) -> dict[str, int]:
        """Marks of before that depend on the very same things: their numbers, by the name of the job."""
        return stored_marks(self.book, self.key, self.entries.values())

    def take_over(self, job: str, number: int) -> None:
        """Records a mark of before for a job; its number is of `stored`."""
        result = self.book.result(number)
        assert result is not None  # nothing is erased while this writes
        self.decided(result.model_copy(update={"name": job}))

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
            self.book.marked(self._run, entry.name, attempt=number, key=_key(self.key, entry), result=result)
        else:
            why = result.problem or "the grader failed on some checks"
            self.book.failed(
                self._run, entry.name, attempt=number, files=entry.files, message=why, result=result
            )
        self._derived(derive.of_name(self.book, self.out, entry.name, rules=self.rules))
        self._keep_files(entry.name)

    def _keep_files(self, name: str) -> None:
        """Has the files of the attempt that counts beside its mark; an earlier run's stay there."""
        for standing in self.book.current(choose=self.rules.choose, about=name).values():
            mark = standing.mark
            for entry in self.entries.values():
                if mark and entry.name == name and entry.files == mark.said.key.files:
                    files = self.shelf.files(entry.job)
                    assert files is not None  # it has a digest, so that it was read
                    try:
                        kept.place(self.out, name, files)
                    except OSError as error:
                        where = plain(self.out / name / kept.FOLDER)
                        self.unwritten.setdefault(
                            name, f"{where} cannot be written: {error.strerror or error}"
                        )
                    return

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
