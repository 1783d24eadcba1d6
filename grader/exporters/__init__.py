"""Ways to hand results on: each module writes one format and decides nothing.

`registry` has the formats that every grading run writes; base.py says how to add one. What is written when
somebody asks for it (`nox -s export`) is a function from students to a file:

    canvas      the gradebook that Canvas exported, filled in
    moodle      grades to import, or the offline worksheet, filled in
    everything  one table with all that there is
    junit       JUnit XML
    matching    whose row of a template is whose
    templates   a platform's CSV, kept to the byte but for what is filled in
    students    a student's mark on its way to a platform
"""

from grader.exporters.base import Exporter, Registry
from grader.exporters.drawing import Drawings
from grader.exporters.gradescope import Gradescope
from grader.exporters.marks_csv import MarksCsv
from grader.exporters.terminal import TextReport

__all__ = ["Exporter", "Registry", "registry"]

registry = Registry([Gradescope(), TextReport(), Drawings(), MarksCsv()])
