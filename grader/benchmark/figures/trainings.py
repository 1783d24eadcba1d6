"""Trainings: how many a class costs, what one costs, how fast they are beside PyTorch."""

import json
from collections.abc import Sequence
from pathlib import Path

from grader.benchmark import measuring
from grader.benchmark.counting import WITHOUT_FORM, WRONG_ALONE, count_class
from grader.benchmark.figures.place import Place
from grader.benchmark.kit import TITLE_BEFORE, Kit, typed
from grader.benchmark.measuring import CommandFailed, Sample
from grader.benchmark.peers import Pytorch
from grader.benchmark.record import OWN, Goal
from grader.benchmark.subjects import Contender, Measured, Subject, own
from grader.training.executors import local_environment

CELLS = 6  # three tasks, two label sets
STUDENTS, RIGHT, STYLES = 200, 160, 40


def subjects(place: Place) -> list[Subject]:
    """In the order of the table."""
    return [
        Subject(
            "class-trainings",
            f"trainings for a class of {STUDENTS}, {RIGHT * 100 // STUDENTS}% right in {STYLES} styles",
            "trainings",
            (Goal(against=WRONG_ALONE, most=1.0),),
            lambda: _count(place),
            repeats=1,
            remark="Counted, not trained: the networks of a class that have to be trained, since nobody has "
            "yet. Styles are combinations of the bank's right submissions; each other student has one of its "
            "mutants. Trainings that are repeated since they came close to a threshold are not counted.",
        ),
        Subject(
            "training-time",
            "a training's processor time, mean of six",
            "s",
            (Goal(most=23.0),),
            lambda: _training_time(place),
            repeats=1,
            remark="Of the whole command, starts of processes included, divided by the number of trainings.",
        ),
        Subject(
            "throughput",
            "training throughput, beside PyTorch",
            "images/s",
            (Goal(against=Pytorch.package, least=1.0),),
            lambda: _throughput(place),
            repeats=2,
            remark="One thread; the three networks of the profile cpu one after the other, its batch, epochs "
            "after the first; images of all, divided by the seconds of all. PyTorch: eager, channels last.",
        ),
    ]


def _count(place: Place) -> Sequence[Contender]:
    counts: dict[str, float] = {}

    def count(folder: Path) -> Measured:
        counts.update(
            count_class(place.root, folder, STUDENTS, RIGHT, STYLES, wrong=8 if place.quick else None)
        )
        return Measured(counts[OWN])

    def counted(name: str) -> Measured:
        if name not in counts:
            raise CommandFailed("this kit's own side was not counted")
        return Measured(counts[name])

    shown = "grader.benchmark.counting"
    others = (WRONG_ALONE, WITHOUT_FORM)
    return [
        own(shown, count, warms=False),
        *(Contender(name, shown, lambda folder, name=name: counted(name), warms=False) for name in others),  # type: ignore[misc]
    ]


def _training_time(place: Place) -> Sequence[Contender]:
    cells = 2 if place.quick else CELLS
    program = "grader.benchmark.trainings"

    def mine(folder: Path) -> Measured:
        arguments = [str(folder / "out"), f"--cells={cells}"]
        return _each(place.kit.run(program, *arguments, cwd=folder), cells)

    def earlier(kit: Kit) -> Contender:
        # That checkout does not have the program, and its parts are called as they are here.
        script = place.root / "bench" / "before" / "trainings.py"

        def measure(folder: Path) -> Measured:
            return _each(kit.script(script, str(folder / "out"), f"--cells={cells}", cwd=folder), cells)

        return Contender(TITLE_BEFORE, "python bench/before/trainings.py", measure, warms=False)

    sides = [own(typed(program, "OUT"), mine, warms=False)]
    if place.with_before and place.before:
        sides.append(earlier(place.before))
    return sides


def _each(sample: Sample, trainings: int) -> Measured:
    return Measured(sample.cpu_seconds / trainings, (sample,))


def _throughput(place: Place) -> Sequence[Contender]:
    program = "grader.benchmark.throughput"

    def mine(folder: Path) -> Measured:
        variables = {**local_environment(folder, "cpu"), "PYTHONPATH": str(place.root)}
        sample = place.kit.run(program, cwd=folder, environment=variables)
        return Measured(_images_per_second(sample), (sample,))

    sides = [own(typed(program), mine, warms=False)]
    if place.with_peers:
        peer = Pytorch(place.root)

        def theirs(folder: Path) -> Measured:
            batch = place.profile.recipe.batch
            command = [peer.program("python"), str(peer.script), f"--batch={batch}"]
            sample = measuring.run(command, cwd=folder, environment=peer.variables(folder))
            return Measured(_images_per_second(sample), (sample,))

        sides.append(Contender(peer.title, peer.command, theirs, warms=False))
    return sides


def _images_per_second(sample: Sample) -> float:
    """Of all networks one after the other, the same number of images each."""
    try:
        each = json.loads(sample.printed.strip().splitlines()[-1])["images_per_second"].values()
        return float(len(each) / sum(1 / rate for rate in each))
    except (IndexError, KeyError, ValueError, AttributeError) as error:
        raise CommandFailed(f"no throughput was printed: {sample.printed[-300:]}") from error
