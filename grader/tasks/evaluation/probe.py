"""What evaluation.py is called with. Runs in the sandbox; the judge calls `draw` again with the same seed.

Nothing here says what is right: that is for judge.py, which no sandbox holds.
"""

from typing import Any

import numpy as np

DTYPES = ("uint8", "int16", "int64")


def draw(seed: int) -> dict[str, Any]:
    """Inputs for one run, from the seed alone.

    Returns:
        num_classes: above 16, so that class numbers and cells of a matrix do not fit into uint8 alike.
        labels, predictions: int64 (N,); many right, and the wrong ones more often above the diagonal than
            below. The last class is in neither; one more never occurs, and another is never predicted.
        probabilities: float32 (N, num_classes), rows that add up to 1 and in which no two are equal.
        tied: float32 (N, num_classes), rows of few different values; the first row of one value alone.
        ks: the `k` of the calls with ties.
        fine: float32 (M, num_fine), rows that add up to 1.
        coarse_of_fine: int64 (num_fine,), superclasses of very different sizes, in no order, each with a
            class at least.
        with_a_gap: like it, but a superclass in the middle has no class.
    """
    rng = np.random.default_rng(seed)
    num_classes, count = int(rng.integers(18, 25)), int(rng.integers(150, 200))
    absent, unseen = rng.choice(num_classes - 1, 2, replace=False)
    occurring = np.setdiff1d(np.arange(num_classes - 1), absent)
    predicted = np.setdiff1d(np.arange(num_classes - 1), unseen)
    labels = rng.choice(occurring, count)
    wrong = np.maximum(rng.choice(predicted, count), rng.choice(predicted, count))
    right = (rng.random(count) < 0.4) & np.isin(labels, predicted)
    probabilities = rng.dirichlet(np.full(num_classes, 0.7), count).astype(np.float32)
    # Steps that differ from class to class, so that no two of a row can be equal.
    probabilities += (1e-4 * (1 + rng.permuted(np.tile(np.arange(num_classes), (count, 1)), axis=1))).astype(
        np.float32
    )
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    levels = rng.choice([1, 2, 4], (count, num_classes), p=[0.5, 0.3, 0.2])
    levels[0] = 1
    num_fine, num_coarse = int(rng.integers(28, 40)), int(rng.integers(5, 8))
    shares = rng.permutation(np.geomspace(1, 12, num_coarse))
    others = rng.choice(num_coarse, num_fine - num_coarse, p=shares / shares.sum())
    coarse_of_fine = rng.permutation(np.concatenate([np.arange(num_coarse), others]))
    gap = int(rng.integers(1, num_coarse - 1))
    return {
        "num_classes": num_classes,
        "labels": labels.astype(np.int64),
        "predictions": np.where(right, labels, wrong).astype(np.int64),
        "probabilities": probabilities,
        "tied": (levels / 64).astype(np.float32),
        "ks": tuple(sorted({1, 2, *(int(k) for k in rng.integers(3, num_classes - 2, 2))})),
        "fine": rng.dirichlet(np.full(num_fine, 0.5), 20).astype(np.float32),
        "coarse_of_fine": coarse_of_fine.astype(np.int64),
        "with_a_gap": np.where(coarse_of_fine == gap, num_coarse - 1, coarse_of_fine).astype(np.int64),
    }


def all_pairs(num_classes: int) -> tuple[Any, Any]:
    """Labels and predictions, int64 (num_classes**2 + num_classes,): every pair of classes, some twice."""
    labels, predictions = np.divmod(np.arange(num_classes**2 + num_classes) % num_classes**2, num_classes)
    return labels, predictions


def probe(calls: Any, inputs: dict[str, Any]) -> None:
    """Calls every function; `calls` is the harness's Calls."""
    labels, predictions, num_classes = (inputs[name] for name in ("labels", "predictions", "num_classes"))
    calls.call("confusion", "confusion_matrix", labels, predictions, num_classes, keep_inputs=True)
    calls.call("confusion.all", "confusion_matrix", *all_pairs(num_classes), num_classes)
    for dtype in DTYPES:
        numbers = labels.astype(dtype), predictions.astype(dtype)
        calls.call(f"confusion.{dtype}", "confusion_matrix", *numbers, num_classes)

    probabilities = inputs["probabilities"]
    calls.call("topk", "top_k_accuracy", probabilities, labels, 1, keep_inputs=True)
    for k in range(1, num_classes + 1):
        calls.call(f"topk.{k}", "top_k_accuracy", probabilities, labels, k)
    for dtype in DTYPES:
        calls.call(f"topk.{dtype}", "top_k_accuracy", probabilities, labels.astype(dtype), 3)
    for k in inputs["ks"]:
        calls.call(f"ties.{k}", "top_k_accuracy", inputs["tied"], labels, k)

    fine = inputs["fine"]
    calls.call("coarse", "coarse_probabilities", fine, inputs["coarse_of_fine"], keep_inputs=True)
    calls.call("coarse.gap", "coarse_probabilities", fine, inputs["with_a_gap"])
    calls.call("coarse.uint8", "coarse_probabilities", fine, inputs["coarse_of_fine"].astype("uint8"))
