"""What preprocessing.py is called with. Runs in the sandbox; the judge calls `draw` again with the same seed.

Sizes are odd and channels unlike, so that an axis or a channel mistaken for another shows. Nothing here
says what is right: that is for judge.py, which no sandbox holds.
"""

from typing import Any

import numpy as np

MOST = 0.75  # a test fraction above one half


def draw(seed: int) -> dict[str, Any]:
    """Inputs for one run, from the seed alone.

    Returns:
        num_examples, test_fraction, seed, other_seed: for split_indices and prepare.
        images: uint8 (N, H, W, 3), H unlike W. Per image and channel a brightness, mostly dark and
            seldom bright, so that no two parts of the images have the same statistics; and a texture of
            noise, by which an image is recognised after any scaling.
        labels: int64 (N,), in class order as the course set is; num_classes is one more than occur.
        mean, std: float32 (3,), not those of the images.
        class_numbers: integers (M,), the first class among them, the last and some others not;
            `num_labels` is how many classes there are for these.
    """
    rng = np.random.default_rng(seed)
    count, height, width = rng.integers(90, 110), 8, 11
    brightness = 15 + 225 * rng.random((count, 1, 1, 3)) ** 4
    texture = rng.uniform(20, 35, (count, 1, 1, 3)) * rng.standard_normal((count, height, width, 3))
    images = np.clip(brightness + texture, 0, 255).astype(np.uint8)
    num_classes = int(rng.integers(5, 12))
    num_labels = int(rng.integers(40, 90))
    occurring = np.append(rng.choice(np.arange(1, num_labels - 1), num_labels // 2, replace=False), 0)
    seeds = rng.choice(10_000, 2, replace=False)
    return {
        "num_examples": int(rng.integers(150, 250)),
        "test_fraction": round(float(rng.uniform(0.33, 0.42)), 2),
        "seed": int(seeds[0]),
        "other_seed": int(seeds[1]),
        "images": images,
        "labels": np.sort(
            np.append(np.arange(num_classes - 1), rng.integers(0, num_classes - 1, count))[:count]
        ),
        "num_classes": num_classes,
        "mean": rng.uniform(0.2, 0.6, 3).astype(np.float32),
        "std": rng.uniform(0.15, 0.4, 3).astype(np.float32),
        "class_numbers": rng.permutation(np.repeat(occurring, 2)),
        "num_labels": num_labels,
    }


def usual(images: Any) -> Any:
    """Of the same pixels, uint8 (3, 32, 32, 3), as the images of the course are."""
    return np.resize(images, (3, 32, 32, 3))


def probe(calls: Any, inputs: dict[str, Any]) -> None:
    """Calls every function; `calls` is the harness's Calls."""
    count, fraction = inputs["num_examples"], inputs["test_fraction"]
    seed, other_seed = inputs["seed"], inputs["other_seed"]
    images, labels, num_classes = inputs["images"], inputs["labels"], inputs["num_classes"]

    calls.call("split", "split_indices", count, test_fraction=fraction, seed=seed)
    calls.call("split.again", "split_indices", count, test_fraction=fraction, seed=seed)
    calls.call("split.other", "split_indices", count, seed=other_seed)
    for name in ("split.zero", "split.zero.again"):
        calls.call(name, "split_indices", count, seed=0)
    calls.call("split.most", "split_indices", count, test_fraction=MOST, seed=seed)
    calls.call("statistics", "channel_statistics", images, keep_inputs=True)
    calls.call("standardise", "standardise", images, inputs["mean"], inputs["std"], keep_inputs=True)
    calls.call("standardise.usual", "standardise", usual(images), inputs["mean"], inputs["std"])
    for dtype in ("uint8", "int32", "int64"):
        numbers = inputs["class_numbers"].astype(dtype)
        calls.call(f"one_hot.{dtype}", "one_hot", numbers, inputs["num_labels"], keep_inputs=True)
    arguments = (images, labels, num_classes)
    calls.call("prepare", "prepare", *arguments, test_fraction=fraction, seed=seed, keep_inputs=True)
    calls.call("prepare.again", "prepare", *arguments, test_fraction=fraction, seed=seed)
    calls.call("prepare.other", "prepare", *arguments, seed=other_seed)


def later(calls: Any, inputs: dict[str, Any]) -> None:
    """Asks again for what the seed alone decides: in a second process, later and with other hashes."""
    fraction, seed = inputs["test_fraction"], inputs["seed"]
    calls.call("later.split", "split_indices", inputs["num_examples"], test_fraction=fraction, seed=seed)
    arguments = (inputs["images"], inputs["labels"], inputs["num_classes"])
    calls.call("later.prepare", "prepare", *arguments, test_fraction=fraction, seed=seed)
