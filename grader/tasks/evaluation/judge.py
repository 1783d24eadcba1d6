"""Judges evaluation.py on fresh inputs, against definitions that are as plain as they can be said.

Trusted: all it sees is evidence. What is compared is counted here once more, example by example, and with
nothing that a student would use: the definitions are what the words of the brief mean. A dtype is asked for
by the form checks alone: all others look at the values, and of an answer in another form than promised (flat,
transposed, shares for counts, per cent) at what is meant, where that is plain.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from grader.grading.evidence import Array
from grader.grading.judging import Case, Judge, Unmet
from grader.grading.values import apart, as_array, described, described_array, likeness, wrap
from grader.results.verdict import Verdict
from grader.tasks.arrays import blocked_by, check_kept, finite, whole
from grader.tasks.evaluation import probe

_Call = tuple[str, str, int]  # its name, the probabilities that it was given, and its k
TOLERANCE = 1e-4  # of probabilities and shares: sums in float32 are right


# ------------------------------------------------------------------ definitions


def count_pairs(labels: Array, predictions: Array, num_classes: int) -> Array:
    """The confusion matrix, int64 (num_classes, num_classes): rows are true classes."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    for label, prediction in zip(labels, predictions, strict=True):
        counts[label, prediction] += 1
    return counts


def share_among_first(probabilities: Array, labels: Array, k: int) -> float:
    """The share of rows in which fewer than k classes rank before the true one."""
    among = 0
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        before = [c for c, p in enumerate(row) if p > row[label] or (p == row[label] and c < label)]
        among += len(before) < k
    return among / len(labels)


def sum_by_superclass(fine: Array, coarse_of_fine: Array) -> Array:
    """For each row the sums over the classes of each superclass, float64 (N, largest number + 1)."""
    sums = np.zeros((len(fine), max(coarse_of_fine.tolist()) + 1))
    for column, coarse in enumerate(coarse_of_fine):
        sums[:, coarse] += fine[:, column]
    return sums


# ------------------------------------------------------------------ confusion_matrix


def confusion_form(case: Case) -> Verdict:
    """A square matrix of integers comes back: counts, not shares."""
    try:
        _confusion(case, "confusion")
    except Unmet as unmet:
        if unmet.verdict.rule in ("raises", "argument") and _right_of_all_pairs(case):
            raise Unmet(str(unmet), hint=_EACH_PAIR, rule="special_case", partly=True) from unmet
        raise
    came = case.array("confusion")
    if came.dtype.kind not in "iu":
        case.fail("confusion", described(came), SQUARE, rule="dtype")
    return Verdict.passed()


def confusion_classes(case: Case) -> Verdict:
    """There is a row and a column for each class, whether it occurs or not."""
    with blocked_by("confusion.form"):
        came, size = _confusion(case, "confusion", as_meant=True), case.inputs["num_classes"]
    if len(came) != size:
        expected = f"one of shape {(size, size)}: one row for every class"
        case.fail("confusion", described(case.value("confusion")), expected)
    return Verdict.passed()


def confusion_counts(case: Case) -> Verdict:
    """Each example is counted once; which of its classes is the row is asked by the next check."""
    came, expected = _sized_confusion(case, "confusion"), _expected_confusion(case)
    total = len(case.inputs["labels"])
    mistakes = {
        "each pair of classes counted once, however often it occurs": np.minimum(expected, 1),
        "only the correct predictions": np.diag(np.diag(expected)),
        "the counts with every class number one too low": np.roll(expected, (-1, -1), axis=(0, 1)),
    }
    like = likeness(came, mistakes) or likeness(came.T, mistakes)
    right = max(np.minimum(came, expected).sum(), np.minimum(came, expected.T).sum())
    partly = bool(2 * right > total >= came.sum())
    if came.sum() != total:
        case.fail(
            "confusion",
            f"counts that add up to {came.sum()}{like}",
            f"{total}, the number of examples",
            partly=partly,
        )
    if not np.array_equal(came, expected) and not np.array_equal(came, expected.T):
        row, column = np.argwhere(came != expected)[0]
        shown = f"{came[row, column]} at [{row}, {column}]{like}"
        case.fail("confusion", shown, f"{expected[row, column]}", partly=partly)
    return Verdict.passed()


def confusion_rows(case: Case) -> Verdict:
    """Rows are true classes, columns predicted ones."""
    came, expected = _sized_confusion(case, "confusion"), _expected_confusion(case)
    if not np.array_equal(came, expected):
        row, column = np.argwhere(came != expected)[0]
        case.fail(
            "confusion",
            f"{came[row, column]} at [{row}, {column}], as if rows were predictions",
            f"{expected[row, column]}, the examples of class {row} that were taken for class {column}",
        )
    return Verdict.passed()


def confusion_dtypes(case: Case) -> Verdict:
    """The same whatever integers go in."""
    expected = _expected_confusion(case)
    for dtype in probe.DTYPES:
        came = _sized_confusion(case, f"confusion.{dtype}")
        if not np.array_equal(came, expected) and not np.array_equal(came, expected.T):
            case.fail(f"confusion.{dtype}", "other counts than for int64", "the same")
    return Verdict.passed()


# ------------------------------------------------------------------ top_k_accuracy


def topk_form(case: Case) -> Verdict:
    """One number from 0 to 1 comes back."""
    for name in _plain_shares(case):
        try:
            _share(case, name)
        except Unmet as unmet:
            if unmet.verdict.rule != "argument":
                raise
            # One `k` that is refused leaves the others right, if they are.
            every = [(f"topk.{k}", "probabilities", k) for k in range(1, case.inputs["num_classes"])]
            partly = _right_beyond_chance(case, every)
            raise Unmet(str(unmet), hint=unmet.verdict.hint, rule="argument", partly=partly) from unmet
        value = case.value(name)
        if isinstance(value, np.ndarray) and value.shape != ():
            case.fail(name, described(value), "one number")
    return Verdict.passed()


def topk_first(case: Case) -> Verdict:
    """With k = 1 it is the accuracy."""
    more = [(f"topk.{k}", "probabilities", k) for k in range(2, case.inputs["num_classes"])]
    return _same_shares(case, ["topk"], "probabilities", [1], more)


def topk_values(case: Case) -> Verdict:
    """The true class is among the k most probable ones, for every k and whatever integers labels are."""
    ks = range(1, case.inputs["num_classes"] + 1)
    _same_shares(case, [f"topk.{k}" for k in ks], "probabilities", ks)
    return _same_shares(
        case, [f"topk.{dtype}" for dtype in probe.DTYPES], "probabilities", [3] * len(probe.DTYPES)
    )


def topk_ties(case: Case) -> Verdict:
    """Of equal probabilities that of the lower class number ranks first."""
    ks = case.inputs["ks"]
    return _same_shares(case, [f"ties.{k}" for k in ks], "tied", ks)


# ------------------------------------------------------------------ coarse_probabilities


def coarse_form(case: Case) -> Verdict:
    """Floats of shape (N, num_coarse), where num_coarse is the largest number plus 1."""
    for name in _MAPS:
        _coarse(case, name)
        came = case.array(name)
        if came.dtype.kind != "f":
            case.fail(name, described(came), "an array of floats")
    return Verdict.passed()


def coarse_sum(case: Case) -> Verdict:
    """What adds up to 1 still does."""
    for name, which in _MAPS.items():
        with blocked_by("coarse.form"):
            came = _coarse(case, name, as_meant=True)
        sums = came.sum(axis=1)
        wrong = np.flatnonzero(~np.isclose(sums, 1, atol=TOLERANCE))
        if len(wrong):
            like = likeness(came, _wrong_sums(case.inputs["fine"], case.inputs[which]), atol=TOLERANCE)
            shown, wanted = apart(float(sums[wrong[0]]), 1.0)
            case.fail(name, f"a row that adds up to {shown}{like}", f"{wanted}, as in what went in")
    return Verdict.passed()


def coarse_values(case: Case) -> Verdict:
    """Each superclass has the sum of its classes' probabilities."""
    for name, which in _MAPS.items():
        with blocked_by("coarse.form"):
            came = _coarse(case, name, as_meant=True)
        expected = sum_by_superclass(case.inputs["fine"], case.inputs[which])
        wrong = np.argwhere(~np.isclose(came, expected, atol=TOLERANCE))
        if len(wrong):
            row, column = wrong[0]
            shown, wanted = apart(float(came[row, column]), float(expected[row, column]))
            case.fail(
                name,
                f"{shown} at [{row}, {column}]",
                f"{wanted}, the sum over the classes of superclass {column}",
                partly=2 * len(np.unique(wrong[:, 1])) < came.shape[1],
            )
    return Verdict.passed()


# ------------------------------------------------------------------ all of them


def inputs_kept(case: Case) -> Verdict:
    """No function changes the arrays it is given."""
    drawn = case.inputs
    check_kept(
        case,
        {
            "confusion": {"0": drawn["labels"], "1": drawn["predictions"]},
            "topk": {"0": drawn["probabilities"], "1": drawn["labels"]},
            "coarse": {"0": drawn["fine"], "1": drawn["coarse_of_fine"]},
        },
    )
    return Verdict.passed()


CHECKS: dict[str, Judge] = {
    "confusion.form": confusion_form,
    "confusion.classes": confusion_classes,
    "confusion.counts": confusion_counts,
    "confusion.rows": confusion_rows,
    "confusion.dtypes": confusion_dtypes,
    "topk.form": topk_form,
    "topk.first": topk_first,
    "topk.values": topk_values,
    "topk.ties": topk_ties,
    "coarse.form": coarse_form,
    "coarse.sum": coarse_sum,
    "coarse.values": coarse_values,
    "inputs.kept": inputs_kept,
}


# ------------------------------------------------------------------ what came back


SQUARE = "a square matrix of integers"


def _confusion(case: Case, name: str, *, as_meant: bool = False) -> Array:
    """The matrix, in whatever dtype whole numbers are written; Unmet if it cannot be looked at.

    With `as_meant` also one that is flat or a list of lists, or that was divided by the sums of its rows or
    columns.
    """
    if as_meant and (meant := _counts_meant(case, name, case.inputs["num_classes"])) is not None:
        return meant
    value = case.value(name)
    counts = whole(as_array(value) if as_meant else value)
    if counts is None or counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        case.fail(name, described(value), SQUARE, hint=wrap(value))
    return counts


_EACH_PAIR = "It works only if every class occurs: fill in zeros for those that do not, up to num_classes."


def _right_of_all_pairs(case: Case) -> bool:
    """Whether the matrix is right where every pair of classes comes."""
    numbers = probe.all_pairs(case.inputs["num_classes"])
    call = case.evidence.calls.get("confusion.all")
    came = call.value if call else None
    return isinstance(came, np.ndarray) and np.array_equal(
        came, count_pairs(*numbers, case.inputs["num_classes"])
    )


def _sized_confusion(case: Case, name: str) -> Array:
    size = case.inputs["num_classes"]
    with blocked_by("confusion.form"):
        came = _confusion(case, name, as_meant=True)
    occur = np.union1d(*(case.inputs[key] for key in ("labels", "predictions")))
    if len(came) == len(occur) < size:  # classes that do not occur are left out
        spread = np.zeros((size, size), dtype=np.int64)
        spread[np.ix_(occur, occur)] = came
        came = spread
    if len(came) != size:
        case.fail(name, described(came), f"one of shape {(size, size)}: one row for every class")
    return came


def _counts_meant(case: Case, name: str, size: int) -> Array | None:
    """The counts of a matrix that is flat, or was divided by the sums of its rows or columns; else None."""
    came = as_array(case.value(name))
    if not isinstance(came, np.ndarray) or came.size != size * size or came.dtype.kind not in "iuf":
        return None
    matrix = came.reshape(size, size)
    if whole(matrix) is not None:
        return whole(matrix)
    labels, predictions = (np.asarray(case.inputs[key]) for key in ("labels", "predictions"))
    rows, columns = (np.bincount(numbers, minlength=size) for numbers in (labels, predictions))
    for sums in (rows[:, None], columns[None, :], np.array(len(labels))):
        counts = np.nan_to_num(matrix * sums)
        if np.allclose(counts, np.rint(counts), atol=1e-3) and round(float(counts.sum())) == len(labels):
            return np.rint(counts).astype(np.int64)
    return None


def _expected_confusion(case: Case) -> Array:
    return count_pairs(*(case.inputs[name] for name in ("labels", "predictions", "num_classes")))


def _plain_shares(case: Case) -> list[str]:
    """The calls that the form check looks at: those of int64 labels and probabilities without ties."""
    return ["topk", *(f"topk.{k}" for k in range(1, case.inputs["num_classes"] + 1))]


def _share(case: Case, name: str, *, as_meant: bool = False) -> float:
    """The number, also one in an array of a single element; Unmet if it cannot be looked at.

    With `as_meant` a share for each example is their mean, and what is above 1 is in another unit.
    """
    value = case.value(name)
    if as_meant and isinstance(value, np.ndarray) and value.shape == np.shape(case.inputs["labels"]):
        value = float(value.mean()) if finite(value) else value
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind != "b":
        value = value.item()
    if not isinstance(value, int | float) or isinstance(value, bool):
        case.fail(name, described(value), "one number")
    if as_meant and value > 1:
        value = value / _unit(case)
    if not -TOLERANCE <= value <= 1 + TOLERANCE:
        case.fail(name, described(value), "a share from 0 to 1", rule="unit")
    return float(value)


def _unit(case: Case) -> int:
    """What all examples count as, where it is not 1: their number, if that comes for all classes; or 100."""
    every, count = case.evidence.calls.get(f"topk.{case.inputs['num_classes']}"), len(case.inputs["labels"])
    counts = every is not None and isinstance(every.value, int | float) and every.value == count
    return count if counts else 100


def _same_shares(
    case: Case,
    names: list[str],
    which: str,
    ks: "list[int] | range | tuple[int, ...]",
    more: Sequence[_Call] = (),
) -> Verdict:
    """Whether each of these calls gave the right share.

    Args:
        case: with the calls.
        names: of the calls.
        which: the probabilities that they were given, by the name of the input.
        ks: their k.
        more: other calls on which an explanation of a wrong share is tried.
    """
    formal = _plain_shares(case)
    for name, k in zip(names, ks, strict=True):
        with blocked_by("topk.form") if name in formal else nullcontext():
            came = _share(case, name, as_meant=True)
        expected = share_among_first(case.inputs[which], case.inputs["labels"], k)
        if not math.isclose(came, expected, abs_tol=_tolerance(case, name)):
            every = [(f"topk.{k}", "probabilities", k) for k in range(1, case.inputs["num_classes"])]
            every += [(name, which, k) for name, k in zip(names, ks, strict=True)]
            partly = _right_beyond_chance(case, every)
            group = [*((name, which, k) for name, k in zip(names, ks, strict=True)), *more]
            like, hint = _explained(case, (name, which, k), group)
            shown, wanted = apart(came, expected)
            nearly = all(_off(case, *one) < _NEARLY for one in every)
            rule = "nearly" if nearly else ""
            case.fail(name, f"{shown}{like}", wanted, hint=hint, partly=partly or nearly, rule=rule)
    return Verdict.passed()


def _tolerance(case: Case, name: str) -> float:
    """How far a share may be off: half a per cent where it came in whole ones, which `topk.form` reports."""
    value = case.value(name)
    in_whole = isinstance(value, int | float) and 1 < value <= 100 and value == int(value)
    return 0.5e-2 + TOLERANCE if in_whole else TOLERANCE


def _off(case: Case, name: str, which: str, k: int) -> float:
    """How far a share is from the right one; infinite where there is none."""
    try:
        share = _share(case, name, as_meant=True)
    except Unmet:
        return math.inf
    return abs(share - share_among_first(case.inputs[which], case.inputs["labels"], k))


def _right_beyond_chance(case: Case, every: list[tuple[str, str, int]]) -> bool:
    """Whether a quarter of these calls give the right share: k of n classes, say, is right for one or two."""
    return 4 * sum(_right_share(case, *one) for one in every) > len(every)


def _right_share(case: Case, name: str, which: str, k: int) -> bool:
    """Whether a call gives the right share, and not just because it is that of all examples."""
    expected = share_among_first(case.inputs[which], case.inputs["labels"], k)
    try:
        share = _share(case, name, as_meant=True)
        return expected < 1 and math.isclose(share, expected, abs_tol=_tolerance(case, name))
    except Unmet:
        return False


def _explained(case: Case, wrong: _Call, group: Sequence[_Call]) -> tuple[str, str | None]:
    """What a wrong share is, in words that follow on it, and the hint for it; ("", None) if nothing is known.

    An explanation has to give this share and those of all other calls of the group, two or more in all: two
    shares are often the same by chance.
    """
    shares = {call: _share_or_none(case, call[0]) for call in dict.fromkeys((wrong, *group))}
    for explanation in _EXPLANATIONS:
        pairs = [
            (came, explanation.share(case.inputs[which], case.inputs["labels"], k))
            for (_, which, k), came in shares.items()
        ]
        known = [(came, share) for came, share in pairs if share is not None]
        mine = explanation.share(case.inputs[wrong[1]], case.inputs["labels"], wrong[2])
        if mine is None or len(known) < 2:
            continue
        if all(came is not None and math.isclose(came, share, abs_tol=TOLERANCE) for came, share in known):
            return f", which is {explanation.what}", explanation.hint
    if wrong[1] == "tied" and all(
        came is not None and _least(case, which, k) - TOLERANCE <= came <= _most(case, which, k) + TOLERANCE
        for (_, which, k), came in shares.items()
    ):
        return ", the result of ranking equal probabilities in no fixed order", _NO_ORDER
    return "", None


def _share_or_none(case: Case, name: str) -> float | None:
    try:
        return _share(case, name, as_meant=True)
    except Unmet:
        return None


def _least(case: Case, which: str, k: int) -> float:
    return _sharing_the_worse(case.inputs[which], case.inputs["labels"], k)


def _most(case: Case, which: str, k: int) -> float:
    return _sharing_the_better(case.inputs[which], case.inputs["labels"], k)


def _of_the_true(probabilities: Array, labels: Array) -> Array:
    return np.take_along_axis(probabilities, labels[:, None].astype(int), axis=1)


def _higher_first(probabilities: Array, labels: Array, k: int) -> float:
    return share_among_first(probabilities[:, ::-1], probabilities.shape[1] - 1 - labels, k)


def _sharing_the_better(probabilities: Array, labels: Array, k: int) -> float:
    return float(((probabilities > _of_the_true(probabilities, labels)).sum(axis=1) < k).mean())


def _sharing_the_worse(probabilities: Array, labels: Array, k: int) -> float:
    return float(((probabilities >= _of_the_true(probabilities, labels)).sum(axis=1) <= k).mean())


def _for_another(k_of: Callable[[int], int]) -> Callable[[Array, Array, int], float | None]:
    """The share for another k; None where there is no such k."""

    def share(probabilities: Array, labels: Array, k: int) -> float | None:
        other = k_of(k)
        return (
            share_among_first(probabilities, labels, other) if 1 <= other <= probabilities.shape[1] else None
        )

    return share


@dataclass(frozen=True)
class _Explanation:
    """A well-known mistake: what it is, what it gives for probabilities, labels and k, and what helps."""

    what: str
    share: Callable[[Array, Array, int], float | None]
    hint: str | None = None


_STABLE = 'np.argsort(-p, kind="stable") keeps equal values in their order.'
_NO_ORDER = f"{_STABLE} Without kind= their order is not defined."
_EXPLANATIONS = (
    _Explanation(
        "the share if the higher class number ranks first among equal probabilities",
        _higher_first,
        f"{_STABLE} Reversing np.argsort(p) puts the higher number first, and so does "
        "sklearn.metrics.top_k_accuracy_score.",
    ),
    _Explanation(
        "the share if equal probabilities get the better rank",
        _sharing_the_better,
        f"{_STABLE} Counting only the larger values ranks all equal ones first, and so do Keras's metrics "
        "and tf.math.in_top_k.",
    ),
    _Explanation(
        "the share if equal probabilities get the worse rank",
        _sharing_the_worse,
        f"{_STABLE} Counting with >= ranks all equal values last.",
    ),
    _Explanation(
        "the share for the k least probable classes", lambda p, labels, k: share_among_first(-p, labels, k)
    ),
    _Explanation("the share for k - 1", _for_another(lambda k: k - 1)),
    _Explanation("the share for k + 1", _for_another(lambda k: k + 1)),
    _Explanation("the share for k = 1, whatever k is", _for_another(lambda k: 1)),
    _Explanation("the share for k = 5, whatever k is", _for_another(lambda k: 5)),
)


# Which superclasses each call of coarse_probabilities was given.
_NEARLY = 0.01  # a share that is no further off than this is of use as it is
_MAPS = {"coarse": "coarse_of_fine", "coarse.gap": "with_a_gap", "coarse.uint8": "coarse_of_fine"}


def _wrong_sums(fine: Array, coarse_of_fine: Array) -> dict[str, Array]:
    """What well-known mistakes come to, by name."""
    groups = [fine[:, coarse_of_fine == coarse] for coarse in range(int(coarse_of_fine.max()) + 1)]
    means, largest, last = (np.zeros((len(fine), len(groups))) for _ in range(3))
    for coarse, group in enumerate(groups):
        if group.shape[1]:
            means[:, coarse], largest[:, coarse] = group.mean(axis=1), group.max(axis=1)
            last[:, coarse] = group[:, -1]
    return {
        "the mean over the classes of a superclass": means,
        "the largest of its classes": largest,
        "only the last of its classes": last,
    }


def _coarse(case: Case, name: str, *, as_meant: bool = False) -> Array:
    """The sums as float64; with `as_meant` superclasses may be rows, and those that do not occur left out."""
    drawn = case.inputs
    coarse_of_fine = drawn[_MAPS[name]]
    shape = (len(drawn["fine"]), int(coarse_of_fine.max()) + 1)
    came = as_array(case.value(name)) if as_meant else case.array(name, shape=shape)
    if not isinstance(came, np.ndarray):
        case.fail(name, described(came), described_array(None, shape))
    occur = np.unique(coarse_of_fine)
    if came.shape == shape[::-1] != shape:
        came = came.T
    elif came.shape == (shape[0], len(occur)) != shape:
        spread = np.zeros(shape)
        spread[:, occur] = came
        came = spread
    elif as_meant and came.ndim == 2 and len(came) == shape[0] and not came[:, shape[1] :].any():
        came = came[:, : shape[1]]  # superclasses too many, in which nothing is
    if came.shape != shape:
        case.fail(name, described(came), described_array(None, shape))
    if not finite(came):
        case.fail(name, "an array with values that are not finite", "finite numbers")
    return came.astype(np.float64)
