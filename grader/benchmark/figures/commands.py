"""Whole commands: what students and instructors wait for."""

import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.benchmark.figures.place import Place
from grader.benchmark.kit import TITLE_BEFORE, Kit, train_before, typed
from grader.benchmark.measuring import CommandFailed, Sample
from grader.benchmark.peers import TASKS, Nbgrader, Otter, Peer
from grader.benchmark.record import Goal
from grader.benchmark.subjects import Contender, Measured, Subject, own

CLASS = 4  # submissions of the larger of two classes: three further ones
_PROFILE = "--profile=cpu"


def subjects(place: Place) -> list[Subject]:
    """In the order of the table."""
    return [
        _check(place, "check", "check, everything right", 4.0),
        _check(place, "check-network", "check of one network", 2.0, "alexnet"),
        _check(place, "check-preprocessing", "check of preprocessing", 1.0, "preprocessing"),
        _grade(place, "grade-stubs", "grade of untouched stubs", "assignment", 1.5),
        _grade(place, "grade-solutions", "grade of the solutions, nothing to train", "solutions", 5.0),
        Subject(
            "class",
            "each further submission of a class, structure only",
            "s",
            (Goal(most=2.0), Goal(against=Nbgrader.package, most=0.5)),
            lambda: _class(place),
            remark=f"Of a class of {CLASS} and a class of one, the difference divided by {CLASS - 1}. All "
            "networks are known and nothing is trained; every submission has bytes of its own, so that no "
            "probe is kept from before. nbgrader grades one notebook after the other, this kit as many as "
            "there are cores.",
        ),
        Subject(
            "same-task",
            "the same task (three builders, 13 arrays)",
            "s",
            (Goal(against=Otter.package, most=0.6), Goal(against=Nbgrader.package, most=0.6)),
            lambda: _same_task(place),
            remark="The same code of a student and the same calls (bench/course/). This kit isolates what it "
            "runs and looks up what the networks learn; the others do neither.",
        ),
    ]


def _check(place: Place, name: str, title: str, seconds: float, *tasks: str) -> Subject:
    def command(kit: Kit) -> Callable[[Path], Measured]:
        arguments = ["check", "--folder", str(kit.root / "solutions"), *tasks]
        return lambda folder: Measured.wall(_holds(kit.run("grader", *arguments, cwd=folder)))

    return Subject(
        name,
        title,
        "s",
        (Goal(most=seconds),),
        lambda: _then_and_now(place, typed("grader", "check", "--folder", "solutions", *tasks), command),
        repeats=5,
    )


def _grade(place: Place, name: str, title: str, what: str, seconds: float) -> Subject:
    share = 0.0 if what == "assignment" else 1.0

    def command(kit: Kit) -> Callable[[Path], Measured]:
        arguments = ["grade", str(kit.root / what), _PROFILE, "--out"]

        def measure(folder: Path) -> Measured:
            sample = kit.run("grader", *arguments, str(folder / "out"), cwd=folder)
            _marked(folder / "out" / what, share)
            return Measured.wall(sample)

        return measure

    return Subject(
        name,
        title,
        "s",
        (Goal(most=seconds),),
        lambda: _then_and_now(
            place, typed("grader", "grade", what, _PROFILE), command, trains=what == "solutions"
        ),
    )


def _then_and_now(
    place: Place, shown: str, command: Callable[[Kit], Callable[[Path], Measured]], *, trains: bool = False
) -> list[Contender]:
    sides = [own(shown, command(place.kit))]
    if place.with_before and (earlier := place.before):
        if trains:
            train_before(earlier)
        sides.append(Contender(TITLE_BEFORE, shown, command(earlier), at_most=1, warms=False))
    return sides


# --- classes and other tools ------------------------------------------------------------------------------


def _class(place: Place) -> Sequence[Contender]:
    names = [f"student{number}" for number in range(CLASS)]
    shown = f"{typed('grader', 'grade', 'CLASS', _PROFILE)}, of {CLASS} and of 1"
    sides = [own(shown, _own_class(place.kit, names))]
    if place.with_peers:
        peer = Nbgrader(place.root)
        sides.append(
            Contender(
                peer.title,
                f"{peer.command}, of {CLASS} and of 1",
                lambda folder: _peer_class(place.kit, peer, names, folder),
                at_most=2,
                warms=False,
            )
        )
    if place.with_before and (earlier := place.before):
        train_before(earlier)
        sides.append(Contender(TITLE_BEFORE, shown, _own_class(earlier, names), at_most=1, warms=False))
    return sides


def _own_class(kit: Kit, names: Sequence[str]) -> Callable[[Path], Measured]:
    def measure(folder: Path) -> Measured:
        samples = []
        for some in (names[:1], names):
            here = folder / f"class{len(some)}"
            for name in some:
                kit.student(here / name, secrets.token_hex(8))
            paths = [str(here / name) for name in some]
            out = str(folder / f"out{len(some)}")
            samples.append(kit.run("grader", "grade", *paths, _PROFILE, "--out", out, cwd=folder))
            for name in some:
                _marked(Path(out, name), 1.0)
        one, several = samples
        each = (several.wall_seconds - one.wall_seconds) / (len(names) - 1)
        return Measured(each, (one, several))

    return measure


def _peer_class(kit: Kit, peer: Peer, names: Sequence[str], folder: Path) -> Measured:
    samples = []
    for some in (names[:1], names):
        course = folder / f"class{len(some)}"
        course.mkdir()
        students = {name: kit.student(folder / f"work{len(some)}" / name, name) for name in some}
        peer.prepare(course, students)
        samples.append(peer.grade(course))
    one, several = samples
    return Measured((several.wall_seconds - one.wall_seconds) / (len(names) - 1), (one, several))


def _same_task(place: Place) -> Sequence[Contender]:
    def mine(folder: Path) -> Measured:
        student = place.kit.student(folder / "alice", secrets.token_hex(8))
        arguments = ["grade", str(student), _PROFILE, "--out", str(folder / "out")]
        sample = place.kit.run("grader", *arguments, cwd=folder)
        _marked(folder / "out" / "alice", 1.0)
        return Measured.wall(sample)

    def theirs(peer: Peer) -> Callable[[Path], Measured]:
        def measure(folder: Path) -> Measured:
            (folder / "course").mkdir()
            peer.prepare(folder / "course", {"alice": place.kit.student(folder / "alice", "alice")})
            return Measured.wall(peer.grade(folder / "course"))

        return measure

    sides = [own(typed("grader", "grade", "alice", _PROFILE), mine)]
    peers: list[Peer] = [Otter(place.root), Nbgrader(place.root)] if place.with_peers else []
    return [*sides, *(Contender(peer.title, peer.command, theirs(peer)) for peer in peers)]


# --- only what came out right is a figure -----------------------------------------------------------------


def _holds(sample: Sample) -> Sample:
    """What `check` of right code took; CommandFailed if it found something."""
    if "every check passes" not in sample.printed:
        raise CommandFailed(f"check does not find the solutions right: {sample.printed[-600:]}")
    return sample


def _marked(folder: Path, share: float) -> None:
    """CommandFailed unless a submission has that share of the points of the tasks that are handed in."""
    try:
        tests = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"]
        of_task = [test for test in tests if test["tags"][0] in TASKS]
        got, most = (sum(test[field] for test in of_task) for field in ("score", "max_score"))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise CommandFailed(f"grade left no marks in {folder}: {error}") from error
    if not most or got != share * most:
        raise CommandFailed(f"grade gave {got:g} of {most:g} points where {share * most:g} are due")
