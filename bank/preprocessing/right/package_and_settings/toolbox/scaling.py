import numpy as np

from .settings import SETTINGS

AXES, TOP = tuple(SETTINGS["axes"]), SETTINGS["max_value"]


def channel_statistics(images):
    # sum of squares: in int64, because uint8 would overflow
    x = images.astype(np.int64)
    n = x[..., 0].size
    mean = x.sum(axis=AXES) / n
    var = (x * x).sum(axis=AXES) / n - mean**2
    return (mean / TOP).astype(np.float32), (np.sqrt(var) / TOP).astype(np.float32)


def standardise(images, mean, std):
    return ((images.astype(np.float32) / TOP) - mean.astype(np.float32)) / std.astype(np.float32)
