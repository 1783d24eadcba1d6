"""Packages for platforms that run a grader of their own: Gradescope's autograder, a workflow for GitHub.

gradescope.py  builds the autograder zip
supervise.py   runs in Gradescope's container: starts the grading, kills what is left, writes results.json
autograde.py   is started by it: grades one submission, trains nothing
rules.py       what Gradescope accepts as results.json
github.py      writes the workflow

supervise.py and rules.py import the standard library alone: they have to stand when all else fails.
"""
