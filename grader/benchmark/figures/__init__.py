"""The figures, by what they are about: each file has `subjects(place)`, its rows of the table."""

from grader.benchmark.figures import commands, memory, proof, trainings
from grader.benchmark.figures.place import Place
from grader.benchmark.subjects import Subject

__all__ = ["Place", "subjects"]


def subjects(place: Place) -> list[Subject]:
    """All of them, in the order of the table."""
    return [one for file in (commands, trainings, memory, proof) for one in file.subjects(place)]
