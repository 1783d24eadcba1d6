"""Tries to have a spreadsheet run its messages as formulas; gains nothing because no message becomes a cell,
and what becomes one gets an apostrophe.
"""

print("attack: calculating", flush=True)


def split_indices(*args, **kwargs):
    raise ValueError("=cmd|' /C calc'!A0")


def channel_statistics(images):
    raise ValueError('","=1+1","')


def standardise(images, mean, std):
    return '@SUM(1+1)*cmd|"/C calc"!A0'


def one_hot(labels, num_classes):
    return "+1;=HYPERLINK(\"http://evil\")\n=1+1\t=1+1\r=1+1"


def prepare(*args, **kwargs):
    return "-2+3;\uff1d1+1"
