"""`nox -s report`: what the pipeline measured, as one HTML page and as figures.

    report(profile)     .kit/report/<profile>/index.html, its figures inside it and beside it
    figures(profile)    reference/<profile>/figures/*.png and plots/*.csv, for git and `dvc plots`

It trains nothing. It reads reference/<profile>/: runs/ (all trainings, with their curves and their answers on
validation images), thresholds.json and calibration.json; and the course set, for the validation images.
What is missing leaves a sentence in its place, with the command that brings it.

material.py reads; a module for each section computes what it shows, as plain data and pictures; page.py puts
them together, and the prose around them is in grader/web/templates/report/.
"""

from grader.reference.report.committed import figures
from grader.reference.report.page import report

__all__ = ["figures", "report"]
