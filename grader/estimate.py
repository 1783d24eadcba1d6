"""How long a grading run takes, from what is to be done and what each of it takes. Pure.

work = Work(students=8, tasks=5, probes_stored=0, trainings_known=40, trainings=22)
sentence(work, Pace(1.5, 25.0, places=2))     # "about 5 min: 40 probes, 22 trainings on 2 places"
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """What is to be done, and what is not since it is there.

    Attributes:
        students, tasks: to be graded; each student's tasks are probed.
        probes_stored: of these probes; also those that are not needed, where nothing was written.
        trainings_known: distinct networks that the reference runs have trained.
        trainings_stored: distinct ones that were trained here before.
        trainings: distinct ones that are to be trained.
        may_grow: whether the networks of some students are not known before they are probed, so that more may
            have to be trained.
    """

    students: int
    tasks: int
    probes_stored: int = 0
    trainings_known: int = 0
    trainings_stored: int = 0
    trainings: int = 0
    may_grow: bool = False

    @property
    def probes(self) -> int:
        """Those that are to be made."""
        return max(0, self.students * self.tasks - self.probes_stored)


@dataclass(frozen=True)
class Pace:
    """What it takes here, by the clock, beside what else runs.

    Attributes:
        probe: seconds for one task of one student; None if nobody knows.
        training: seconds for one network, its start included; likewise.
        places: probes and trainings at a time, all together.
    """

    probe: float | None
    training: float | None
    places: int = 1


UNKNOWN = Pace(None, None)


def seconds(probes: int, trainings: float, pace: Pace) -> float | None:
    """How long so much takes; None if that is not known.

    All places work until nothing is left; but a training is not divided, so that three on two places take as
    long as four, and the first begins after a probe. Where each place takes what is next, that may take a
    training longer, or a probe less (a test schedules them).

    Args:
        probes, trainings: to be done; an expected number of trainings need not be whole.
    """
    if (probes and pace.probe is None) or (trainings and pace.training is None):
        return None
    probe, training = pace.probe or 0.0, pace.training or 0.0
    shared = (probes * probe + trainings * training) / pace.places
    whole = math.ceil(trainings / pace.places) * training
    return max(shared, whole + (probe if probes and trainings else 0.0))


def of(work: Work, pace: Pace) -> float | None:
    """Seconds that a run takes; None if that is not known."""
    return seconds(work.probes, work.trainings, pace)


def sentence(work: Work, pace: Pace) -> str:
    """How long a run takes and what for, such as "about 12 min: 40 probes, 22 trainings on 2 places"."""
    to_do = [counted(work.probes, "probe"), counted(work.trainings, "training")]
    to_do = [one for one in to_do if one]
    there = [
        counted(count, f"{what} {how}")
        for count, what, how in (
            (work.probes_stored, "probe", "stored or not needed"),
            (work.trainings_stored, "training", "stored"),
            (work.trainings_known, "training", "known"),
        )
        if count
    ]
    besides = f" ({', '.join(there)})" if there else ""
    if not to_do:
        return f"a few seconds: nothing to probe and nothing to train{besides}"
    on = f"on {counted(pace.places, 'place')}"
    what = f"{', '.join(to_do)} {on}{besides}"
    took = of(work, pace)
    if took is None:
        return f"{what}; how long that takes here is not known yet"
    if work.may_grow:
        return f"{in_words(took, 'at least')}: {what}; what the probes find may have to be trained besides"
    return f"{in_words(took)}: {what}"


def in_words(seconds: float, about: str = "about") -> str:
    """A time as a person would say it: "about 20 s", "about 12 min", "about 3 h 20 min", "about 2 days 5 h".

    >>> in_words(731)
    'about 12 min'
    """
    if seconds < 95:
        return f"{about} {max(10, 10 * round(seconds / 10))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{about} {minutes} min"
    if (tens := 10 * round(minutes / 10)) < 48 * 60:
        return f"{about} {tens // 60} h" + (f" {tens % 60} min" if tens % 60 else "")
    hours = round(minutes / 60)
    return f"{about} {hours // 24} days" + (f" {hours % 24} h" if hours % 24 else "")


def counted(count: int, what: str) -> str:
    """Such as "1 probe", "22 trainings", "3 probes stored"; "" for none."""
    if not count:
        return ""
    noun, _, rest = what.partition(" ")
    return f"{count} {noun}{'' if count == 1 else 's'}{' ' if rest else ''}{rest}"
