"""A package of its own (toolbox/), a settings.json that it reads, and notes beside it."""

from toolbox import PreparedData, channel_statistics, one_hot, split_indices, standardise
from toolbox.pipeline import run


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed) -> PreparedData:
    return run(images, labels, num_classes, test_fraction, seed)


if __name__ == "__main__":
    print(
        PreparedData._fields, [f.__name__ for f in (channel_statistics, one_hot, split_indices, standardise)]
    )
