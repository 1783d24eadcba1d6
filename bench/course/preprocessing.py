"""A hidden test of the preprocessing as instructors write them.

Its calls are those of grader/tasks/preprocessing/probe.py at seed 1. `draw` is that probe's own.
"""


def test_preprocessing(split_indices, channel_statistics, standardise, one_hot, prepare):
    import numpy as np

    given = draw(1)  # noqa: F821
    count, fraction, seed, other = (
        given[name] for name in ("num_examples", "test_fraction", "seed", "other_seed")
    )
    images, labels, num_classes = given["images"], given["labels"], given["num_classes"]

    train, test = split_indices(count, test_fraction=fraction, seed=seed)
    again = split_indices(count, test_fraction=fraction, seed=seed)
    default, _ = split_indices(count, seed=other)
    later = split_indices(count, test_fraction=fraction, seed=seed)
    zero, zero_again = split_indices(count, seed=0)[1], split_indices(count, seed=0)[1]
    most = split_indices(count, test_fraction=0.75, seed=seed)[1]
    assert sorted([*train, *test]) == list(range(count))
    assert abs(len(test) - fraction * count) < 1
    assert abs(len(default) - 0.8 * count) < 1
    assert (train == again[0]).all()
    assert (test == later[1]).all()
    assert list(train) != sorted(train)
    assert (zero == zero_again).all()
    assert abs(len(most) - 0.75 * count) <= 1

    before = images.copy()
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, (images / 255).mean(axis=(0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(std, (images / 255).std(axis=(0, 1, 2)), rtol=1e-4)
    scaled = standardise(images, given["mean"], given["std"])
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, (images / 255 - given["mean"]) / given["std"], rtol=1e-3, atol=1e-4)
    assert (images == before).all()
    usual = np.resize(images, (3, 32, 32, 3))
    scaled = standardise(usual, given["mean"], given["std"])
    np.testing.assert_allclose(scaled, (usual / 255 - given["mean"]) / given["std"], rtol=1e-3, atol=1e-4)

    for dtype in ("uint8", "int32", "int64"):
        numbers = given["class_numbers"].astype(dtype)
        rows = one_hot(numbers, given["num_labels"])
        assert rows.dtype == np.float32
        assert (rows == (numbers[:, None] == np.arange(given["num_labels"]))).all()

    data = prepare(images, labels, num_classes, test_fraction=fraction, seed=seed)
    twice = prepare(images, labels, num_classes, test_fraction=fraction, seed=seed)
    third = prepare(images, labels, num_classes, seed=other)
    fourth = prepare(images, labels, num_classes, test_fraction=fraction, seed=seed)
    x_train, y_train, x_test, y_test = data
    assert [len(x_train), len(x_test), len(third[0])] == [len(y_train), len(y_test), len(third[1])]
    assert len(x_train) + len(x_test) == len(images)
    assert abs(x_train.mean()) < 1e-3
    assert abs(x_train.std() - 1) < 1e-2
    assert abs(x_test.mean()) > 1e-4
    assert all((a == b).all() and (a == c).all() for a, b, c in zip(data, twice, fourth, strict=True))
