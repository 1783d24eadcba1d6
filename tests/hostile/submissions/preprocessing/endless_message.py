"""Tries to flood reports with messages of a gigabyte, and with text that never ends or raises when it is
asked for; gains nothing because no more than a few hundred characters of a message are kept.
"""

print("attack: talking", flush=True)


class Endless(Exception):
    def __str__(self):
        return "x" * 200_000_000


class Unprintable(Exception):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__


class Lying(str):
    def __str__(self):
        return 42

    def __getitem__(self, key):
        return self


def split_indices(*args, **kwargs):
    raise Endless


def channel_statistics(images):
    raise Unprintable


def standardise(images, mean, std):
    return "x" * 100_000_000


def one_hot(labels, num_classes):
    return Lying("x" * 1000)


def prepare(*args, **kwargs):
    raise ValueError(*["x" * 1000] * 10_000)
