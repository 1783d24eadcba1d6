"""Writes the pages of a class: each file whole or not at all, the start page last."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from grader import similar, web
from grader.gradebook import Gradebook, Standing, derive
from grader.gradebook.derive import Rules
from grader.pages import sides
from grader.pages.classroom import Alike, AlikePart, Classroom, Similar, Who
from grader.pages.private import Private
from grader.pages.student import Source
from grader.pages.trainings import Trainings
from grader.results.record import SubmissionResult
from grader.similar import Found, Work
from grader.text import plain
from lab.files import write_atomically

FOLDER = "pages"  # in the folder of results
STUDENTS, SIMILAR = "students", "similar"
MARK = b'<meta name="generator" content="cifar100-course-kit">'  # in every page: others are not removed
_HEAD = 2048  # bytes in which it is


def _as_it_is(result: SubmissionResult) -> SubmissionResult:
    return result


@dataclass
class Written:
    """What was written.

    Attributes:
        start: the page to open.
        students: how many have a page.
        pairs: how many pages of similar sources there are.
        why_not_similar: why sources were not compared; empty if they were.
        trainings: how many were drawn.
    """

    start: Path
    students: int = 0
    pairs: int = 0
    why_not_similar: str = ""
    trainings: int = 0
    files: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Site:
    """How pages are written.

    Attributes:
        root: of the checkout: trainings, reference runs and stubs are there.
        out: the folder of results, with what was kept of each student.
        to: the folder of the pages.
        rules: the course's own.
        compare: whether to look for similar sources; a reason not to, which the page shows, or empty.
        release: what of a result a student is shown; the class's page has all of it.
        held_back: what is not shown to students yet, as a sentence; empty if all is.
    """

    root: Path
    out: Path
    to: Path
    rules: Rules
    not_compared: str = ""
    release: Callable[[SubmissionResult], SubmissionResult] = _as_it_is
    held_back: str = ""

    def write(self, book: Gradebook, *, step: Callable[[str], None] = lambda _: None) -> Written:
        """Writes all pages, and removes those of students who are no longer there.

        Args:
            book: of one state: within `unchanging`.
            step: is called when a student's page is there, with the name.

        Raises:
            OSError: a file cannot be written.
        """
        standings = book.current(choose=self.rules.choose)
        pages = _addresses(standings)
        classroom = Classroom(standings, self.rules, pages)
        trainings = Trainings(self.root)
        private = Private(standings.values(), (self.root, self.out, self.to))
        source = Source(book, private, trainings, self.held_back)
        written = Written(self.to / "index.html")
        for standing, result in derive.results(book, self.rules):
            classroom.add(standing, result)
            page = source.page(standing, self.release(result))
            self._put(written, pages[standing.student.key], "student.html.j2", page)
            step(standing.student.shown)
        written.students, written.trainings = len(standings), trainings.drawn
        found, works = self._compare(standings)
        alike = self._similar(written, found, works, _by_name(standings, classroom.who))
        written.why_not_similar = alike.why_not
        made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        self._put(
            written,
            "index.html",
            "class.html.j2",
            classroom.page(
                made=made,
                runs=book.runs(),
                overrides=book.entries(kind="override"),
                similar=alike,
                head=book.head(),
            ),
        )
        self._remove_others(written)
        return written

    def _compare(self, standings: Mapping[str, Standing]) -> tuple[Found, dict[str, Work]]:
        if self.not_compared:
            return Found(why_not=self.not_compared), {}
        names = [one.attempt.said.name for one in standings.values()]
        works, left_out = similar.kept(self.out, names)
        if not works:
            return Found(why_not="no files of students are kept in the folder of results"), {}
        found = similar.search(works, similar.handed_out(self.root / "assignment"))
        found = found.model_copy(update={"left_out": (*left_out, *found.left_out)})
        return found, {work.name: work for work in works}

    def _similar(
        self, written: Written, found: Found, works: dict[str, Work], who: dict[str, Who]
    ) -> Similar:
        """Writes a page for each pair; returns what the class's page shows of them."""
        pairs = []
        for number, pair in enumerate(found.pairs, 1):
            address = f"{SIMILAR}/{number}.html"
            self._put(written, address, "similar.html.j2", sides.page(pair, works, who))
            pairs.append(
                Alike(
                    first=who[pair.names[0]],
                    second=who[pair.names[1]],
                    share=pair.strength[0],
                    parts=tuple(
                        AlikePart(plain(part.sides[0].file), part.share, part.run) for part in pair.parts
                    ),
                    group=pair.group,
                    page=address,
                )
            )
        written.pairs = len(pairs)
        return Similar(
            pairs=tuple(pairs),
            files=found.files,
            more=found.more,
            left_out=tuple(plain(one) for one in found.left_out),
            why_not=plain(found.why_not, 500),
        )

    def _put(self, written: Written, address: str, template: str, page: object) -> None:
        path = self.to / address
        write_atomically(path, web.render(template, page=page))
        written.files.append(path)

    def _remove_others(self, written: Written) -> None:
        """Removes pages of an earlier time."""
        remove(self.to, kept=written.files)


def remove(folder: Path, kept: Collection[Path] = ()) -> int:
    """Removes the pages of a class from a folder, but those that are to be kept; returns how many.

    What is none of ours stays.
    """
    removed = 0
    for place in (folder, folder / STUDENTS, folder / SIMILAR):
        for path in place.glob("*.html"):
            if path in kept or not path.is_file():
                continue
            with path.open("rb") as file:
                ours = MARK in file.read(_HEAD)
            if ours:
                path.unlink()
                removed += 1
    return removed


def _addresses(standings: Mapping[str, Standing]) -> dict[str, str]:
    """Where each student's page is, by key: under the folder's name, with a number for members of a group."""
    members: dict[str, list[str]] = {}
    for key, one in standings.items():
        members.setdefault(one.attempt.said.name, []).append(key)
    taken = {name.casefold() for name in members}
    found = {}
    for name, keys in members.items():
        safe = Path(name).name == name
        for number, key in enumerate(sorted(keys), 1):
            own = name if safe else f"student-{number}"
            if len(keys) > 1 or not safe:
                own = f"{own}-{number}"
                while own.casefold() in taken:
                    own += "-"
                taken.add(own.casefold())
            found[key] = f"{STUDENTS}/{own}.html"
    return found


def _by_name(standings: Mapping[str, Standing], who: Mapping[str, Who]) -> dict[str, Who]:
    """What to call whoever is filed under a name: all members of a group."""
    found: dict[str, Who] = {}
    for key, one in standings.items():
        name, member = one.attempt.said.name, who[key]
        before = found.get(name)
        found[name] = Who(f"{before.name}, {member.name}", before.page) if before else member
    return found
