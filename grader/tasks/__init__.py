"""One folder a task: probe.py runs in the sandbox, judge.py is trusted and never does.

What judges share:

    arrays.py        arrays and numbers that came back
    networks.py      the networks that a case's calls gave
    paths.py         a network as a path of steps
    wanted.py        what a network should be, and the network that is just that
    differences.py   a path compared with what is wanted
    reporting.py     the verdict on a difference, with the line and a drawing
    wording.py       steps and settings in words
    substance.py     networks with next to nothing in them are not judged
    residual.py      blocks and stages of residual networks
"""
