"""How far marks agree with people who rated the same mistakes without knowing points, judges or this grader.

    bank/ratings.csv    each rated mutant, with the share of its task's mark that each rater would take off
    bank/ratings.md     who the raters were, and what they were given
    bank/unseen.csv     the same of mistakes that nobody had seen who set weights and rules
    bank/reasons.toml   why a mutant's mark may be far from what raters say

A rating is of a mutant as it was when it was rated: it carries a digest of the change, and one whose mutant
has changed since is stale and compares with nothing. All shares here are points in 100, save where a share
that a mark lost comes in: that is 0 to 1.
"""

import csv
import hashlib
import io
import json
import statistics
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from grader.errors import ManifestError
from grader.proof.bank import Change
from lab.strict import Strict, explained

RATINGS = Path("bank") / "ratings.csv"
UNSEEN = Path("bank") / "unseen.csv"
REASONS = Path("bank") / "reasons.toml"
RATERS = 3
FAR = 20  # points in 100: more than this off, a mark needs a written reason
FEWEST = 3  # mutants below which a correlation says nothing
HALVES = ("odd", "even")

Key = tuple[str, str]  # task and mutant


class Rating(Strict):
    """What raters say of one mutant.

    Attributes:
        task: its task.
        mutant: its name.
        change: the digest of its change when it was rated.
        half: whether it stood at an odd place of its file then (the 1st, the 3rd ...) or at an even one:
            whoever sets weights looks at one half, and the other shows whether they hold.
        shares: for each rater what to take off, points in 100 of the task's mark.
        reasons: for each rater why, in a few words.
    """

    task: str = Field(min_length=1)
    mutant: str = Field(min_length=1)
    change: str = Field(pattern=r"^[0-9a-f]{12}$")
    half: str = Field(pattern=r"^(odd|even)$")
    shares: tuple[float, ...] = Field(min_length=2)
    reasons: tuple[str, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for number, share in enumerate(self.shares, start=1):
            if not 0 <= share <= 100:
                raise ValueError(f"rater {number} must say 0 to 100. Received: {share:g}")
        if len(self.reasons) != len(self.shares):
            raise ValueError("there must be a reason for each rating")
        return self

    @property
    def key(self) -> Key:
        """Which mutant."""
        return self.task, self.mutant

    @property
    def mean(self) -> float:
        """What the raters say together, points in 100."""
        return statistics.fmean(self.shares)


class Reason(Strict):
    """Why the mark of a mutant is far from what raters say, and stays so."""

    task: str = Field(min_length=1)
    mutant: str = Field(min_length=1)
    reason: str = Field(min_length=20)


class _Reasons(Strict):
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Rated:
    """The ratings beside the bank as it is.

    Attributes:
        current: those of mutants as they are.
        stale: those whose mutant has changed since, or is gone.
        unrated: mutants without a current rating.
    """

    current: tuple[Rating, ...]
    stale: tuple[Rating, ...]
    unrated: tuple[Key, ...]


@dataclass(frozen=True)
class Off:
    """A mutant whose mark is far from what raters say.

    Attributes:
        task, mutant: which.
        lost: the share of its task's mark that it loses, points in 100.
        rated: what each rater says.
        mean: what they say together.
        reason: why that stays so; empty if nobody wrote one.
    """

    task: str
    mutant: str
    lost: float
    rated: tuple[float, ...]
    mean: float
    reason: str = ""


@dataclass(frozen=True)
class Agreement:
    """How far marks, and raters among each other, agree on some mutants.

    Attributes:
        rated: the number of mutants that were compared.
        correlation: Spearman's rank correlation of the share lost and the raters' mean; None for fewer than
            FEWEST mutants, or where all have one value.
        gap: the mean absolute difference of the two, points in 100; None for no mutant.
        raters_correlation: the mean of Spearman's rank correlations of each two raters; None likewise.
        raters_gap: the mean absolute difference of one rater from the mean of the others, points in 100.
    """

    rated: int
    correlation: float | None
    gap: float | None
    raters_correlation: float | None
    raters_gap: float | None


@dataclass(frozen=True)
class Compared:
    """Marks beside ratings.

    Attributes:
        overall: all mutants that have a mark and a current rating.
        tasks: those of each task, in the order of the bank.
        halves: those at odd places of their files and those at even ones.
        off: those more than FAR off, the farthest first.
        trained: whether marks are with trainings.
        mutants: how many the bank has of these tasks.
        left_out: those that are rated and have no mark yet: only training can tell.
        stale: ratings whose mutant has changed or is gone.
        unrated: mutants without a current rating.
        wrong: what has to be done about reasons, a sentence each; empty if all is as it should be.
    """

    overall: Agreement
    tasks: Mapping[str, Agreement]
    halves: Mapping[str, Agreement]
    off: tuple[Off, ...]
    trained: bool
    mutants: int
    left_out: int
    stale: tuple[Key, ...]
    unrated: tuple[Key, ...]
    wrong: tuple[str, ...] = field(default=())


# --- reading and writing ----------------------------------------------------------------------------------


def change_digest(change: Change) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of what a change does: its edits and its code.

    What is expected of a mutant (its check, message, hint) is no part of it: raters never saw that.
    """
    canonical = {"code": change.code.strip(), "edits": [list(edit) for edit in change.edits]}
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def load(path: Path) -> tuple[Rating, ...]:
    """The ratings of a file, in its order; none if there is no such file.

    Raises:
        ManifestError: it cannot be read, a rating is missing or is none, or a mutant is there twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    rows = csv.DictReader(io.StringIO(text), strict=True)
    found: dict[Key, Rating] = {}
    try:
        for row in rows:
            if None in row or None in row.values():
                raise ManifestError(f"{path}, line {rows.line_num}: it has not as many columns as the first")
            rating = _rating(row, f"{path}, line {rows.line_num}")
            if rating.key in found:
                raise ManifestError(f"{path}, line {rows.line_num}: {rating.mutant!r} is there twice")
            found[rating.key] = rating
    except csv.Error as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    return tuple(found.values())


def _rating(row: Mapping[str, str], where: str) -> Rating:
    shares = []
    for number in range(1, RATERS + 1):
        said = row.get(f"rater {number}", "")
        if not said.strip():
            raise ManifestError(f"{where}: there is no rating by rater {number}")
        shares.append(said)
    fields = {name: row.get(name, "") for name in ("task", "mutant", "change", "half")}
    reasons = tuple(row.get(f"reason {number}", "") for number in range(1, RATERS + 1))
    try:
        return Rating.model_validate({**fields, "shares": shares, "reasons": reasons})
    except ValidationError as error:
        raise ManifestError(f"{where}: {explained(error)}") from error


def as_csv(ratings: Sequence[Rating]) -> str:
    """What `load` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    numbers = range(1, RATERS + 1)
    names = (f"{what} {number}" for what in ("rater", "reason") for number in numbers)
    writer.writerow(["task", "mutant", "change", "half", *names])
    for one in ratings:
        shares = (f"{share:g}" for share in one.shares)
        writer.writerow([one.task, one.mutant, one.change, one.half, *shares, *one.reasons])
    return text.getvalue()


def load_reasons(path: Path) -> dict[Key, str]:
    """Why marks are far from ratings, by mutant; none if there is no such file.

    Raises:
        ManifestError: it cannot be read, or a mutant is there twice.
    """
    try:
        listed = _Reasons.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}") from error
    found: dict[Key, str] = {}
    for one in listed.reasons:
        if (one.task, one.mutant) in found:
            raise ManifestError(f"{path}: {one.mutant!r} is there twice")
        found[one.task, one.mutant] = " ".join(one.reason.split())
    return found


def beside(ratings: Sequence[Rating], bank: Mapping[Key, Change]) -> Rated:
    """The ratings of a bank: which of them are of its mutants, or unseen mistakes, as they are."""
    digests = {key: change_digest(mutant) for key, mutant in bank.items()}
    current = tuple(one for one in ratings if digests.get(one.key) == one.change)
    stale = tuple(one for one in ratings if digests.get(one.key) != one.change)
    rated = {one.key for one in current}
    return Rated(current, stale, tuple(key for key in bank if key not in rated))


# --- comparing --------------------------------------------------------------------------------------------


def compare(
    lost: Mapping[Key, float],
    rated: Rated,
    reasons: Mapping[Key, str],
    *,
    trained: bool,
    provisional: frozenset[Key] = frozenset(),
) -> Compared:
    """Compares marks with ratings.

    Args:
        lost: the share of its task's points that each mutant loses, 0 to 1; of those that have a mark.
        rated: the ratings, beside the same tasks' mutants.
        reasons: why marks are far from ratings; of these tasks alone.
        trained: whether marks are with trainings.
        provisional: mutants whose marks may still change, by a training: nobody has to give a reason for
            those, or to drop one.
    """
    both = [one for one in rated.current if one.key in lost]
    distance = {one.key: abs(100 * lost[one.key] - one.mean) for one in both}
    off = tuple(
        Off(
            task=one.task,
            mutant=one.mutant,
            lost=100 * lost[one.key],
            rated=one.shares,
            mean=one.mean,
            reason=reasons.get(one.key, ""),
        )
        for one in sorted(both, key=lambda one: -distance[one.key])
        if _far(distance[one.key])
    )
    far = {(one.task, one.mutant) for one in off}
    wrong = [
        f"{one.task}: {one.mutant} loses {one.lost:.0f} in 100, raters say {one.mean:.0f}: "
        f"write the reason into {REASONS.as_posix()}, or change the weights"
        for one in off
        if not one.reason and (one.task, one.mutant) not in provisional
    ]
    current = {one.key for one in rated.current}
    for task, mutant in reasons:
        if (task, mutant) not in current:
            wrong.append(f"{task}: {mutant} has no rating, and {REASONS.as_posix()} has a reason: drop it")
        elif (task, mutant) in distance and (task, mutant) not in far | provisional:
            wrong.append(
                f"{task}: {mutant} is near what raters say, and {REASONS.as_posix()} has a reason: drop it"
            )
    tasks = dict.fromkeys(task for task, _ in (*(one.key for one in rated.current), *rated.unrated))
    return Compared(
        overall=agreement(lost, both),
        tasks={task: agreement(lost, [one for one in both if one.task == task]) for task in tasks},
        halves={half: agreement(lost, [one for one in both if one.half == half]) for half in HALVES},
        off=off,
        trained=trained,
        mutants=len(current) + len(rated.unrated),
        left_out=len(rated.current) - len(both),
        stale=tuple(one.key for one in rated.stale),
        unrated=rated.unrated,
        wrong=tuple(wrong),
    )


def agreement(lost: Mapping[Key, float], ratings: Sequence[Rating]) -> Agreement:
    """How far marks agree with these ratings, and the raters with each other.

    Args:
        lost: the share of its task's points that each mutant loses, 0 to 1; those of all ratings are in it.
        ratings: of one or more mutants; of none, all figures are None.
    """
    if not ratings:
        return Agreement(0, None, None, None, None)
    marks = 100 * np.array([lost[one.key] for one in ratings])  # (mutants,)
    means = np.array([one.mean for one in ratings])
    correlation, gap = rank_correlation(marks, means), float(np.abs(marks - means).mean())
    return Agreement(len(ratings), correlation, gap, *among_raters(ratings))


def among_raters(ratings: Sequence[Rating]) -> tuple[float | None, float | None]:
    """The mean rank correlation of each two raters, and the mean gap of one from the mean of the others.

    Returns:
        The correlation, None as of `rank_correlation` for any two; the gap in points in 100, None without
        ratings.
    """
    if not ratings:
        return None, None
    shares = np.array([one.shares for one in ratings])  # (mutants, raters)
    raters = range(shares.shape[1])
    each = [rank_correlation(shares[:, a], shares[:, b]) for a in raters for b in raters if a < b]
    others = [np.delete(shares, rater, axis=1).mean(axis=1) for rater in raters]
    gap = statistics.fmean(float(np.abs(shares[:, r] - others[r]).mean()) for r in raters)
    known = [one for one in each if one is not None]
    return (statistics.fmean(known) if len(known) == len(each) else None), gap


def rank_correlation(left: "np.ndarray[Any, Any]", right: "np.ndarray[Any, Any]") -> float | None:
    """Spearman's: equals share the mean of their ranks. None for fewer than FEWEST pairs, or one value."""
    from scipy import stats  # here: it takes as long to import as all the rest of this package

    if len(left) < FEWEST or np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    return float(stats.spearmanr(left, right).statistic)


def _far(distance: float) -> bool:
    """Whether a mark is more than FAR off; a mark of half points that is exactly FAR off is not."""
    return distance > FAR + 1e-9


# --- for reference/proof.json -----------------------------------------------------------------------------


def document(compared: Compared) -> dict[str, Any]:
    """What is kept of a comparison, rounded: correlations to three digits, points to one."""
    return {
        "trained": compared.trained,
        "mutants": compared.mutants,
        "left_out": compared.left_out,
        "overall": _rounded(compared.overall),
        "tasks": {task: _rounded(one) for task, one in compared.tasks.items()},
        "halves": {half: _rounded(one) for half, one in compared.halves.items()},
        "off": [
            {**asdict(one), "lost": round(one.lost, 1), "rated": list(one.rated), "mean": round(one.mean, 1)}
            for one in compared.off
        ],
        "stale": [list(key) for key in compared.stale],
    }


def _rounded(one: Agreement) -> dict[str, Any]:
    digits = {"correlation": 3, "gap": 1, "raters_correlation": 3, "raters_gap": 1}
    return {
        name: round(value, digits[name]) if name in digits and value is not None else value
        for name, value in asdict(one).items()
    }
