import numpy as np


def count_cells(rows, columns, size):
    """counts[i, j]: how often rows is i where columns is j"""
    # a pair becomes a complex number, and those np.unique can count
    pairs, counts = np.unique(rows.astype(float) + 1j * columns.astype(float), return_counts=True)
    result = np.zeros((size, size), dtype=np.int64)
    result[pairs.real.astype(int), pairs.imag.astype(int)] = counts
    return result


def add_up(probabilities, groups):
    """cumulated sums over the columns, sorted by group: what a group adds is a difference of two"""
    order = np.argsort(groups, kind="stable")
    running = np.cumsum(probabilities[:, order], axis=1, dtype=np.float64)
    running = np.concatenate([np.zeros((len(running), 1)), running], axis=1)
    ends = np.searchsorted(groups[order], np.arange(int(groups.max()) + 1), side="right")
    return np.diff(running[:, ends], axis=1, prepend=0)
