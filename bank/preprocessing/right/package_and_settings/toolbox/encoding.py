import numpy as np


def one_hot(labels, num_classes):
    rows = np.arange(len(labels))
    out = np.zeros((len(labels), num_classes), np.float32)
    np.add.at(out, (rows, labels), 1)
    return out
