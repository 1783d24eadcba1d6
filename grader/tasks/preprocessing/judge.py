"""Judges preprocessing.py by what must hold of any right answer. Trusted: all it sees is evidence.

How a split is drawn and in what order things are computed is the student's choice, so nothing is compared
with the solution. What `prepare` did is worked out from what it returned: each image is recognised by its
texture, which no scaling changes, and the mean and deviation that were used follow from its pixels.

A dtype is asked for by the form checks alone: all others look at the values. Of an answer in another form
than promised they look at what is meant, where that is plain: masks, labels as numbers, another order. Order
and seed are looked at in a partition alone: parts of one element are in any order and decided by any seed.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from grader.grading.evidence import Array
from grader.grading.judging import Blocked, Case, Unmet
from grader.grading.values import described, likeness, number, numbers
from grader.results.record import Status
from grader.results.verdict import Verdict
from grader.tasks.arrays import blocked_by, check_kept
from grader.tasks.preprocessing import probe
from grader.tasks.preprocessing.findings import (
    TOLERANCE,
    in_order,
    in_words,
    incomplete,
    look_alike,
    loss_rule,
    mean_and_std,
    ones_of,
    order_rule,
    other_part,
    renamed,
    repeated,
    right_size,
    run_of,
    same_statistics,
    size_rule,
    start_of,
    used_statistics,
)
from grader.tasks.preprocessing.reading import (
    INDICES,
    MEAN_AND_STD,
    fail_later,
    float_array,
    four_arrays,
    in_second_process,
    is_numbers,
    one_hot_rows,
    prepared_partition,
    prepared_parts,
    require_float32,
    split_partition,
    split_parts,
    statistics_of,
    two_parts,
    usable_arrays,
)

DEFAULT_FRACTION = 0.2
ONE_HOT_CALLS = ("one_hot.uint8", "one_hot.int32", "one_hot.int64")
PREPARE_CALLS = ("prepare", "prepare.other")
SPLIT_CALLS = ("split", "split.other")

# ------------------------------------------------------------------ split_indices


def split_form(case: Case) -> Verdict:
    """Two arrays of integers come back."""
    special = [name for name in _SPECIAL if case.evidence.calls.get(name) and _returned(case, name)]
    for name in ("split", "split.again", "split.other", *special):
        two_parts(case, name)
        parts = case.items(name, 2, INDICES)
        if any(part.dtype.kind not in "iu" for part in parts):
            case.fail(name, described(parts), INDICES, rule="unusable")
    return Verdict.passed()


def split_complete(case: Case) -> Verdict:
    """Every index is in exactly one part."""
    for name in SPLIT_CALLS:
        train, test = split_parts(case, name)
        fault = incomplete(train, test, case.inputs["num_examples"])
        if fault:
            rule = loss_rule(train, test, case.inputs["num_examples"])
            expected = "every index in exactly one part"
            for part, which in ((train, "training"), (test, "test")):
                index, times = repeated(part)
                if times:
                    came = f"a {which} part in which the index {index} is there {times} times"
                    case.fail(name, came, expected, hint=_REPEATED, rule=rule)
            case.fail(name, f"parts in which {fault}", expected, rule=rule)
    return Verdict.passed()


def split_size(case: Case) -> Verdict:
    """The test part has its share, however that is rounded; without `test_fraction` it is a fifth."""
    count = case.inputs["num_examples"]
    for name, fraction in zip(SPLIT_CALLS, (case.inputs["test_fraction"], DEFAULT_FRACTION), strict=True):
        _, test = split_parts(case, name)
        if not right_size(len(test), count, fraction):
            rule = size_rule(len(test), count, fraction, default=name == SPLIT_CALLS[1])
            case.fail(
                name,
                f"a test part of {len(test)}",
                f"{number(fraction * count)}, rounded as you like",
                rule=rule,
            )
    _, test = _special_split(case, "split.most")
    if not right_size(len(test), count, probe.MOST):
        expected = f"{number(probe.MOST * count)}, rounded as you like"
        case.fail("split.most", f"a test part of {len(test)}", expected, rule="special_case")
    return Verdict.passed()


def split_shuffled(case: Case) -> Verdict:
    """Both parts are in random order, and the test part is drawn from everywhere."""
    for name in SPLIT_CALLS:
        train, test = split_partition(case, name)
        if run := run_of(test, case.inputs["num_examples"]):
            came = f"a test part of {run} indices, as the examples are stored"
            case.fail(name, came, "indices from everywhere", hint=_BEFORE_THE_CUT, rule="classes_missing")
        for part, which in ((train, "training"), (test, "test")):
            if in_order(part):
                came = f"a {which} part that starts {start_of(part)}"
                case.fail(name, came, "random order", rule=order_rule(train, test))
    return Verdict.passed()


_BEFORE_THE_CUT = (
    "Shuffle before you split. The data is stored class by class, so this test part has classes that "
    "the training part lacks."
)
_REPEATED = (
    "The same one is used again and again. In a loop, the index has to change: "
    "images[i], with another i in each round."
)


def split_seeded(case: Case) -> Verdict:
    """The same seed gives the same split, in another Python process too; another seed gives another one."""
    first, other = (split_partition(case, name) for name in SPLIT_CALLS)
    if all(run_of(parts[1], case.inputs["num_examples"]) for parts in (first, other)):
        raise Blocked("split.shuffled")  # what is not drawn is the same for every seed
    again = split_parts(case, "split.again")
    if not all(np.array_equal(a, b) for a, b in zip(first, again, strict=True)):
        case.fail(
            "split.again", "another split than the first time", "the same, because the seed is the same"
        )
    later = in_second_process(case, "later.split", "split_indices", partial(two_parts, as_meant=True))
    if not all(np.array_equal(a, b) for a, b in zip(first, later, strict=True)):
        fail_later(case, "later.split", "split")
    smaller = min(len(np.unique(first[1])), len(np.unique(other[1])))
    common = len(np.intersect1d(first[1], other[1]))
    # Two random parts share about a third; sharing nearly all means that the seed does not decide.
    if smaller and common > 0.9 * smaller:
        case.fail(
            "split.other",
            f"{common} of the test indices that seed={case.inputs['seed']} gives",
            "another split, because the seed differs",
        )
    zero, zero_again = (_special_split(case, name) for name in ("split.zero", "split.zero.again"))
    if not all(np.array_equal(a, b) for a, b in zip(zero, zero_again, strict=True)):
        case.fail(
            "split.zero.again",
            "another split than the first time",
            "the same, because 0 is a seed like any other",
            hint="`if seed:` and `seed or None` treat 0 as no seed. Pass the seed on as it is.",
            rule="special_case",
        )
    return Verdict.passed()


_SPECIAL = ("split.zero", "split.zero.again", "split.most")  # calls that only some code goes wrong at


def _returned(case: Case, name: str) -> bool:
    return case.evidence.calls[name].status == "returned"


def _special_split(case: Case, name: str) -> tuple[Array, Array]:
    """The parts of such a call; Unmet, as a special case, if it did not return."""
    try:
        case.call(name)
    except Unmet as unmet:
        raise Unmet(str(unmet), hint=unmet.verdict.hint, rule="special_case") from unmet
    return split_parts(case, name)


# ------------------------------------------------------------------ channel_statistics, standardise, one_hot


def statistics_form(case: Case) -> Verdict:
    """Two float32 arrays of shape (3,) come back."""
    statistics_of(case)
    items = case.items("statistics", 2, MEAN_AND_STD)
    if any(item.dtype != np.float32 for item in items):
        case.fail("statistics", described(items), MEAN_AND_STD, rule="dtype")
    return Verdict.passed()


def statistics_values(case: Case) -> Verdict:
    """Mean and deviation per channel, of images / 255, over images, rows and columns."""
    images = case.inputs["images"]
    mistakes = {
        "that of images not divided by 255": tuple(255 * part for part in mean_and_std(images)),
        "that of images // 255, which are 0 nearly everywhere": tuple(
            255 * part for part in mean_and_std(images // 255)
        ),
        "that of all channels together": (np.full(3, images.mean() / 255), np.full(3, images.std() / 255)),
        "that of the first image alone": mean_and_std(images[:1]),
        "the variance": (np.full(3, np.nan), mean_and_std(images)[1] ** 2),
    }
    with blocked_by("statistics.form"):
        measured = statistics_of(case, as_meant=True)
    for part, (came, right) in enumerate(zip(measured, mean_and_std(images), strict=True)):
        if not np.allclose(came, right, rtol=TOLERANCE):
            what = ("mean", "std")[part]
            like = likeness(came, {name: wrong[part] for name, wrong in mistakes.items()}, rtol=TOLERANCE)
            # Within a factor of two of the right ones, images are centred and scaled all the same.
            close = np.allclose(came, right, rtol=0.5)
            case.fail(
                "statistics",
                f"{what} = {numbers(came)}{like}",
                f"{what} = {numbers(right)}",
                rule="close_values" if close else "",
            )
    return Verdict.passed()


def standardise_form(case: Case) -> Verdict:
    """A float32 array of the images' shape comes back."""
    try:
        float_array(case, "standardise", case.inputs["images"].shape)
    except Unmet as unmet:
        images, mean, std = (case.inputs[name] for name in ("images", "mean", "std"))
        usual = probe.usual(images)
        call, expected = case.evidence.calls.get("standardise.usual"), (usual / 255 - mean) / std
        came = call.value if call else None
        if not is_numbers(came) or came.shape != usual.shape:
            raise
        if not np.allclose(came, expected, rtol=1e-3, atol=1e-3):
            raise
        # Written in fixed: it serves the images of the course, and no others.
        raise Unmet(str(unmet), hint=unmet.verdict.hint, rule="argument", partly=True) from unmet
    require_float32(case, "standardise")
    return Verdict.passed()


def standardise_values(case: Case) -> Verdict:
    """Every pixel is (pixel / 255 - mean) / std, with the statistics that were handed in."""
    images, mean, std = (case.inputs[name] for name in ("images", "mean", "std"))
    with blocked_by("standardise.form"):
        came = float_array(case, "standardise", images.shape, as_meant=True)
    expected = (images / 255 - mean) / std
    wrong = np.argwhere(~np.isclose(came, expected, rtol=1e-3, atol=1e-3))
    if len(wrong):
        at = tuple(wrong[0])
        own = mean_and_std(images)
        mistakes = {
            "(pixel - mean) / std, without the division by 255": (images - mean) / std,
            "(pixel // 255 - mean) / std, with whole numbers": (images // 255 - mean) / std,
            "standardised with the mean and std of the images": (images / 255 - own[0]) / own[1],
            "pixel / 255 - mean, not divided by std": images / 255 - mean,
            "pixel / 255 / std, with no mean subtracted": images / 255 / std,
            "standardised twice": (expected - mean) / std,
        }
        like = likeness(came, mistakes, rtol=1e-3, atol=1e-3)
        # Of so many pixels that differ hardly any two are alike when they are right.
        levels = len(np.unique(np.round(came[..., 0], 6))) / len(np.unique(images[..., 0]))
        nearly = np.allclose(came, expected, rtol=0.03, atol=0.03)
        rule = "information" if levels < 0.1 else "nearly" if nearly else ""
        case.fail(
            "standardise",
            f"{number(float(came[at]))} for a pixel of {images[at]} in channel {at[-1]}{like}",
            f"({images[at]} / 255 - {number(float(mean[at[-1]]))}) / {number(float(std[at[-1]]))} "
            f"= {number(float(expected[at]))}",
            rule=rule,
            partly=rule == "nearly",
        )
    return Verdict.passed()


def one_hot_form(case: Case) -> Verdict:
    """A float32 array (N, num_classes) comes back, whatever integers go in."""
    for name in ONE_HOT_CALLS:
        one_hot_rows(case, name)
        require_float32(case, name)
    return Verdict.passed()


def one_hot_values(case: Case) -> Verdict:
    """Each row has its 1 in its label's column and 0 elsewhere."""
    labels = case.inputs["class_numbers"]
    for name in ONE_HOT_CALLS:
        with blocked_by("one_hot.form"):
            came = one_hot_rows(case, name, as_meant=True)
        wrong = np.flatnonzero((came != np.eye(came.shape[1])[labels]).any(axis=1))
        if len(wrong):
            row, label = came[wrong[0]], labels[wrong[0]]
            classes = np.eye(came.shape[1])
            mistakes = {
                "one column too early": classes[labels - 1],
                "one too late": classes[labels - len(classes) + 1],
            }
            like = likeness(came, mistakes)
            case.fail(
                name, f"for the label {label} a row with {ones_of(row)}{like}", f"a 1 in column {label} alone"
            )
    return Verdict.passed()


# ------------------------------------------------------------------ prepare


def prepare_form(case: Case) -> Verdict:
    """Four float32 arrays come back, whose rows are images and one-hot labels that went in."""
    for name in PREPARE_CALLS:
        prepared_parts(case, name)
        expected = four_arrays(case)
        items = case.items(name, 4, expected)
        wrong = {
            which: item.dtype for which, item in zip(FOUR, items, strict=True) if item.dtype != np.float32
        }
        if wrong:
            hint = " ".join(_IN_FLOAT32[kind] for kind in ("x", "y") if any(w[0] == kind for w in wrong))
            came = " and ".join(f"{which} as {dtype}" for which, dtype in wrong.items())
            case.fail(name, came, "all four arrays as float32", hint=hint, rule="dtype")
    return Verdict.passed()


FOUR = ("x_train", "y_train", "x_test", "y_test")
_IN_FLOAT32 = {
    "x": (
        "Images: NumPy computes in float64 as soon as one operand is, so end standardise with "
        ".astype('float32')."
    ),
    "y": (
        "Labels: keras.utils.to_categorical, np.eye and np.zeros give float64 unless dtype='float32' is "
        "passed; .astype('float32') fixes it."
    ),
}


def prepare_complete(case: Case) -> Verdict:
    """Promise 1: every image is in exactly one part, and the test part has its share."""
    count = len(case.inputs["images"])
    for name, fraction in zip(PREPARE_CALLS, (case.inputs["test_fraction"], DEFAULT_FRACTION), strict=True):
        with blocked_by("prepare.form"):
            train, test = prepared_parts(case, name, as_meant=True)
        fault = incomplete(train.indices, test.indices, count)
        if fault:
            rule = loss_rule(train.indices, test.indices, count)
            expected = "every image in exactly one part"
            for part in (train, test):
                image, times = repeated(part.indices)
                if times:
                    came = f"a {part.name} part in which image {image} is there {times} times"
                    case.fail(name, came, expected, hint=_REPEATED, rule=rule)
            case.fail(name, f"parts in which {fault}", expected, rule=rule)
        if not right_size(len(test.x), count, fraction):
            expected = f"{number(fraction * count)}, rounded as you like"
            rule = size_rule(len(test.x), count, fraction, default=name == PREPARE_CALLS[1])
            case.fail(name, f"a test part of {len(test.x)} images", expected, rule=rule)
    return Verdict.passed()


def prepare_pairs(case: Case) -> Verdict:
    """Promise 2: every image keeps its label."""
    labels = case.inputs["labels"]
    for name in PREPARE_CALLS:
        for part in prepared_partition(case, name):
            expected = np.eye(part.y.shape[1])[labels[part.indices]]
            wrong = np.flatnonzero((part.y != expected).any(axis=1))
            if len(wrong):
                row, label = part.y[wrong[0]], labels[part.indices[wrong[0]]]
                case.fail(
                    name,
                    f"wrong labels for {len(wrong)} of {len(part.y)} images in the {part.name} part, "
                    f"such as {ones_of(row)} for an image of class {label}",
                    "each image's own label",
                    rule="renamed" if renamed(part.y, labels[part.indices]) else "",
                )
    return Verdict.passed()


def prepare_shuffled(case: Case) -> Verdict:
    """Promise 3: both parts are in random order, and the test part is drawn from everywhere."""
    for name in PREPARE_CALLS:
        parts = prepared_partition(case, name)
        if run := run_of(parts[1].indices, len(case.inputs["images"])):
            came = f"a test part of {run} images, as they are stored"
            case.fail(name, came, "images from everywhere", hint=_BEFORE_THE_CUT, rule="classes_missing")
        for part in parts:
            if in_order(part.indices):
                case.fail(
                    name,
                    f"a {part.name} part that starts with images {start_of(part.indices)}",
                    "random order",
                )
    return Verdict.passed()


def prepare_seeded(case: Case) -> Verdict:
    """Promise 3: the seed alone decides."""
    first, other = (prepared_partition(case, name) for name in PREPARE_CALLS)
    if all(run_of(parts[1].indices, len(case.inputs["images"])) for parts in (first, other)):
        raise Blocked("prepare.shuffled")  # what is not drawn is the same for every seed
    again = prepared_parts(case, "prepare.again", as_meant=True)
    if fault := other_part(first, again):
        came = f"another {fault} part than the first time"
        case.fail("prepare.again", came, "the same, because the seed is the same")
    later = in_second_process(case, "later.prepare", "prepare", partial(prepared_parts, as_meant=True))
    if fault := other_part(first, later):
        fail_later(case, "later.prepare", f"{fault} part")
    smaller = min(len(np.unique(first[1].indices)), len(np.unique(other[1].indices)))
    common = len(np.intersect1d(first[1].indices, other[1].indices))
    if smaller and common > 0.9 * smaller:
        came = f"{common} of the test images that seed={case.inputs['seed']} gives"
        case.fail("prepare.other", came, "others, because the seed differs")
    return Verdict.passed()


def prepare_train_statistics(case: Case) -> Verdict:
    """Promise 4: the training part is standardised with its own statistics, not those of all images."""
    images = case.inputs["images"]
    for name in PREPARE_CALLS:
        train, test = prepared_partition(case, name)
        used = used_statistics(case, name, train)
        right = mean_and_std(images[train.indices])
        if not same_statistics(used, right):
            rule = "" if look_alike(used, used_statistics(case, name, test)) else "unlike"
            if same_statistics(used, mean_and_std(images)):
                rule = "statistics_leak"
            others = {"of all images": images, "of the test part": images[test.indices]}
            whose = [
                f" ({what})" for what, some in others.items() if same_statistics(used, mean_and_std(some))
            ]
            case.fail(
                name,
                f"a training part standardised with {in_words(used)}{whose[0] if whose else ''}",
                f"{in_words(right)}, those of the training part",
                rule=rule,
            )
    return Verdict.passed()


def prepare_test_statistics(case: Case) -> Verdict:
    """Promise 5: the test part is standardised with the very numbers that the training part was."""
    images = case.inputs["images"]
    for name in PREPARE_CALLS:
        train, test = prepared_partition(case, name)
        with blocked_by("prepare.train_statistics"):  # of a training part without any, it has reported that
            right = used_statistics(case, name, train)
        used = used_statistics(case, name, test)
        if np.allclose(used[0], 0, atol=0.01):
            mean = numbers(mean_and_std(images[train.indices])[0])
            came = "a test part from which no mean was subtracted"
            case.fail(name, came, f"the training part's, {mean}", rule="unlike")
        if not same_statistics(used, right):
            whose = " (its own)" if same_statistics(used, mean_and_std(images[test.indices])) else ""
            case.fail(
                name,
                f"a test part standardised with {in_words(used)}{whose}",
                f"{in_words(right)}, as the training part was",
                rule="" if look_alike(used, right) else "unlike",
            )
    return Verdict.passed()


def inputs_kept(case: Case) -> Verdict:
    """No function changes the arrays it is given."""
    images, labels, numbers_ = (case.inputs[name] for name in ("images", "labels", "class_numbers"))
    given: dict[str, dict[str, Array]] = {
        "statistics": {"0": images},
        "standardise": {"0": images, "1": case.inputs["mean"], "2": case.inputs["std"]},
        **{name: {"0": numbers_} for name in ONE_HOT_CALLS},
        "prepare": {"0": images, "1": labels},
    }
    check_kept(case, given)
    return Verdict.passed()


def prepared(case: Case, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """What `prepare.learns` comes to where nothing has to be trained; None where a training decides.

    A right `prepare` has nothing to show by a training: its arrays were looked at value by value. One whose
    arrays no network takes has none to be trained.

    Args:
        case: of the probe.
        verdicts: of all other checks.
    """
    about = [verdict for check, verdict in verdicts.items() if check.startswith("prepare.")]
    if all(verdict.status is Status.PASSED for verdict in about) and _keeps_inputs(case):
        return Verdict.passed(
            "The arrays that prepare returned were verified, value by value. How a network learns from them "
            "is known, so no training was needed."
        )
    try:
        for name in PREPARE_CALLS:
            usable_arrays(case, name)
    except Unmet as unmet:
        return Verdict(
            status=Status.BLOCKED,
            message=f"No network can be trained on this: {unmet}",
            in_share=_would_be_usable(case) or _is_followed("prepare.form", case, verdicts),
        )
    return None


def _would_be_usable(case: Case) -> bool:
    """Whether a network could be trained on the arrays if they came in the form that was promised."""
    try:
        for name in PREPARE_CALLS:
            usable_arrays(case, name, as_meant=True)
    except Unmet:
        return False
    return True


def _is_followed(check: str, case: Case, verdicts: Mapping[str, Verdict]) -> bool:
    """Whether a check fails because of a mistake that another one has reported."""
    (follows,) = (one.follows for one in case.task.checks if one.id == check)
    return any(verdicts[cause].status is Status.FAILED for cause in follows if cause in verdicts)


def _keeps_inputs(case: Case) -> bool:
    try:
        check_kept(case, {"prepare": {"0": case.inputs["images"], "1": case.inputs["labels"]}})
    except (Unmet, Blocked):
        return False
    return True


CHECKS: dict[str, Callable[[Case], Verdict]] = {
    "split.form": split_form,
    "split.complete": split_complete,
    "split.size": split_size,
    "split.shuffled": split_shuffled,
    "split.seeded": split_seeded,
    "statistics.form": statistics_form,
    "statistics.values": statistics_values,
    "standardise.form": standardise_form,
    "standardise.values": standardise_values,
    "one_hot.form": one_hot_form,
    "one_hot.values": one_hot_values,
    "prepare.form": prepare_form,
    "prepare.complete": prepare_complete,
    "prepare.pairs": prepare_pairs,
    "prepare.shuffled": prepare_shuffled,
    "prepare.seeded": prepare_seeded,
    "prepare.train_statistics": prepare_train_statistics,
    "prepare.test_statistics": prepare_test_statistics,
    "inputs.kept": inputs_kept,
}
