"""Tries to pass comparisons with floats and ints of its own kind, for which every other number is near; gains
nothing because a number is written down by its value, which the judge compares with its own arithmetic.
"""


class Close(float):
    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__

    def __eq__(self, other):
        return True

    def __le__(self, other):
        return True

    __lt__ = __ge__ = __gt__ = __le__
    __hash__ = float.__hash__

    def __abs__(self):
        return 0.0


class Whole(int):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
    __hash__ = int.__hash__

    def __int__(self):
        print("attack: asked for its value", flush=True)
        return 10**30

    __index__ = __int__


def split_indices(*args, **kwargs):
    return Whole(1), Whole(2)


def channel_statistics(images):
    print("attack: numbers that are close to everything", flush=True)
    return Close(0.5), Close(0.5)


def standardise(*args, **kwargs):
    return Close(1)


one_hot = prepare = standardise
