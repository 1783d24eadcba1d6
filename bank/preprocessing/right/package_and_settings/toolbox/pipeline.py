from . import encoding, scaling, splitting
from .types_ import PreparedData


def run(images, labels, num_classes, test_fraction, seed):
    order = {}
    order["train"], order["test"] = splitting.split_indices(
        len(images), test_fraction=test_fraction, seed=seed
    )
    statistics = scaling.channel_statistics(images[order["train"]])
    out = {}
    for part, indices in order.items():
        out["x_" + part] = scaling.standardise(images[indices], *statistics)
        out["y_" + part] = encoding.one_hot(labels[indices], num_classes)
    return PreparedData(**out)
