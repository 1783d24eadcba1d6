"""What `prepare` hands over of a few thousand images: called in a sandbox, read as bounded arrays.

This is asked for only where what `prepare` returned to the probe (probing.py) did not hold before the judge:
a network that is trained on it then shows what the mistakes do to learning. Nothing of the hidden set has a
part in it. The images are those of the course set; their true labels are known here, and a test image is
recognised by its texture, so that no submission can hand over answers of its own.
"""

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.config.manifest import Task
from grader.config.profiles import CLASSES
from grader.grading import probing
from grader.grading.evidence import Array
from grader.grading.judging import Case, Unmet, uncallable
from grader.grading.textures import RECOGNISED, recognise, texture
from grader.grading.to_train import IMAGE
from grader.grading.values import described
from grader.results.verdict import Verdict
from grader.sandbox import GUEST, Engine, Limits
from grader.slots import Slots
from grader.training.handed import Handed
from lab.data import DataSet

FUNCTION = "prepare"
PROBE = "handed.py"
# The most images that are handed in: with the share that becomes the test part as many as profile cpu's
# recipe trains on, and both parts fit what a sandbox may leave behind even if each has all of them.
MOST_IMAGES = 6000
TEST_FRACTION = 0.2  # of `prepare`, by default
# Of this call, besides those of the task's probe: a right `prepare` takes a second of processor time. On disk
# two parts of MOST_IMAGES images take 150 MiB; the sandbox ends what writes more.
LIMITS = Limits(wall_seconds=120.0, cpu_seconds=60.0, output_bytes=192 * 1024 * 1024)
SAME = 0.9  # the least likeness of an image of the test part to what it is of the images given
MOST_OF_ONE_CLASS = 0.1  # of a test part; drawn by chance, each has about half of it
LEAST_TEST = 100  # images of a test part that tell anything
EXPECTED = "four arrays of finite numbers, (x_train, y_train, x_test, y_test)"


@dataclass(frozen=True)
class Given:
    """The images that `prepare` is given, and where they lie for a sandbox to show.

    Attributes:
        images: uint8 (N, 32, 32, 3), in class order.
        labels: uint8 (N,), coarse.
        folder: holds them as files, beside the probe that reads them.
        turn: to be held from calling `hand_over` until its arrays are done with. They take some 75 MiB, and
            150 at the most: no more than those of one submission lie in memory, however large the class.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    folder: Path
    turn: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, course: DataSet, trained_on: int, folder: Path) -> "Given":
        """As many as it takes for a training part of a profile's size, or MOST_IMAGES; writes the files."""
        classes = len(course.fine_names)
        wanted = round(trained_on / (1 - TEST_FRACTION)) // classes * classes
        part = course.prefix(min(wanted, MOST_IMAGES))
        np.save(folder / "images.npy", part.images)
        np.save(folder / "labels.npy", part.coarse_labels)
        # Without a sandbox paths are the real ones: what the probe finds beside itself has to be there.
        (folder / PROBE).write_bytes((GUEST / PROBE).read_bytes())
        return cls(part.images, part.coarse_labels, folder)

    @cached_property
    def textures(self) -> npt.NDArray[np.float32]:
        """Of the images; see `texture`."""
        return texture(self.images)


def hand_over(
    engine: Engine,
    task: Task,
    submission: Path,
    given: Given,
    *,
    seed: int,
    least: int,
    slots: Slots | None = None,
    limits: Limits = LIMITS,
) -> Handed | Verdict:
    """What `prepare` of a submission makes of these images, or the verdict where that cannot be trained on.

    Args:
        engine: where it is called.
        task: whose module has the function.
        submission: the folder.
        given: the images.
        seed: that `prepare` is given.
        least: images that a training takes: one batch.
        slots: shared with all other probes and trainings.
        limits: of the call, with all that is tried again.

    Raises:
        SandboxFault: the sandbox did not come up.
    """
    arguments = {"num_classes": CLASSES["coarse"]}
    probed = probing.probe(
        engine,
        task,
        submission,
        seed=seed,
        builder_arguments=arguments,
        limits=limits,
        slots=slots,
        file=given.folder / PROBE,
        beside={name: given.folder / name for name in ("images.npy", "labels.npy")},
    )
    # Without the bytes of its files, each array goes as soon as it is put together (`_four`).
    evidence = replace(probed.evidence, left={})
    case = Case(task, evidence, arguments, probed.ended, probed.refused)
    del probed, evidence
    if (nothing := uncallable(case)) is not None:
        return nothing
    try:
        x_train, y_train, x_test, y_test = _four(case, len(given.images))
        if len(x_train) < least:
            case.fail(
                FUNCTION,
                f"a training part of {len(x_train)} images for {len(given.images):,}",
                f"enough for one batch of {least}",
                hint="",
            )
        if len(x_test) < LEAST_TEST:
            case.fail(FUNCTION, f"a test part of {len(x_test)} images", f"{LEAST_TEST} or more", hint="")
    except Unmet as unmet:
        return unmet.verdict
    del y_test  # what is true of the test part is not for a submission to say
    return Handed(x_train, y_train, x_test, _answers(x_train, x_test, given))


def _answers(x_train: Array, x_test: Array, given: Given) -> npt.NDArray[np.int16]:
    """The true class of each image of a test part, int16 (n,); -1 where it says nothing of what was learned.

    That is an image that is none of those given, one that the training part has too, one that came before in
    the test part, and what one class has beyond MOST_OF_ONE_CLASS of all. Else one image that was learned by
    heart, or one class alone, would look like a network that knows them all.
    """
    found, likeness = recognise(x_test, given.textures)
    trained, sure = recognise(x_train, given.textures)
    same = np.flatnonzero(likeness >= SAME)
    says = np.zeros(len(found), bool)
    says[same[np.unique(found[same], return_index=True)[1]]] = True
    says &= ~np.isin(found, trained[sure >= RECOGNISED])
    answers = np.where(says, given.labels[found].astype(np.int16), -1).astype(np.int16)
    for label in range(CLASSES["coarse"]):
        answers[np.flatnonzero(answers == label)[int(MOST_OF_ONE_CLASS * len(answers)) :]] = -1
    return answers


def _four(case: Case, count: int) -> list[npt.NDArray[np.float32]]:
    """The four arrays, put together from their pieces; Unmet if they cannot be trained on."""
    items = case.items(FUNCTION, 4, EXPECTED)
    classes = CLASSES["coarse"]
    arrays = []
    for item, shape in zip(items, 2 * (IMAGE, (classes,)), strict=True):
        pieces = _pieces(item)
        if pieces is not None and shape == (classes,):
            # Columns that no class has change nothing.
            pieces = [piece[:, :classes] if _wider(piece, classes) else piece for piece in pieces]
        # Sizes are looked at before anything is put together.
        if pieces is None or any(piece.shape[1:] != shape for piece in pieces):
            what = described(pieces[0] if pieces else item)
            shapes = f"(n, 32, 32, 3) and (n, {classes})"
            case.fail(FUNCTION, f"{what} for one of them", f"{EXPECTED}, of shapes {shapes}")
        if not 0 < sum(map(len, pieces)) <= count:
            case.fail(FUNCTION, f"a part of {sum(map(len, pieces)):,} rows for {count:,} images", EXPECTED)
        array = _together(pieces)
        if not np.isfinite(array).all():
            case.fail(FUNCTION, "an array with values that are not finite, in float32", "finite numbers")
        arrays.append(array)
    for x, y in (arrays[:2], arrays[2:]):
        if len(x) != len(y):
            case.fail(FUNCTION, f"{len(x):,} images with {len(y):,} labels", "a label for each image")
    return arrays


def _together(pieces: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """The pieces as one array; each is dropped when it is copied, so that memory has it once."""
    array = np.empty((sum(map(len, pieces)), *pieces[0].shape[1:]), np.float32)
    at = 0
    while pieces:
        piece = pieces.pop(0)
        array[at : at + len(piece)] = piece
        at += len(piece)
    return array


def _wider(labels: Array, classes: int) -> bool:
    """Whether labels have columns beyond those of the classes, in which nothing is."""
    return labels.ndim == 2 and labels.shape[1] > classes and not labels[:, classes:].any()


def _pieces(item: Any) -> list[npt.NDArray[np.float32]] | None:
    """The pieces of one array, as the probe writes them; None if they are anything else."""
    # Several pieces of one length might have been written as the rows of one array.
    if not isinstance(item, list) or not item:
        return None
    if not all(isinstance(piece, np.ndarray) and piece.dtype == np.float32 and piece.ndim for piece in item):
        return None
    return item
