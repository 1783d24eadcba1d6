"""Hostile submissions that no repository could hold: bombs, links, odd names, and changed solutions.

    hand_ins.py    in the form of what is handed in: zips, folders, sources that are none
    networks.py    networks that are others when they are trained than when they are looked at
    splits.py      splits that change from one process to the next

Each builder writes one into an empty folder and returns what is handed in: that folder, or a zip in it. Its
docstring has the form that corpus.py describes.
"""

from tests.hostile.generated import hand_ins, networks, registry, splits

MODULES = (hand_ins, networks, splits)  # to import them is to list their builders
BUILDERS = registry.BUILDERS
