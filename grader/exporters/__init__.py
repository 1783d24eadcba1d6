"""Ways to hand results on: each module writes one format and decides nothing.

`registry` has the formats that every grading run writes; base.py says how to add one.
"""

from grader.exporters.base import Exporter, Registry
from grader.exporters.drawing import Drawings
from grader.exporters.gradescope import Gradescope
from grader.exporters.marks_csv import MarksCsv
from grader.exporters.terminal import TextReport

__all__ = ["Exporter", "Registry", "registry"]

registry = Registry([Gradescope(), TextReport(), Drawings(), MarksCsv()])
