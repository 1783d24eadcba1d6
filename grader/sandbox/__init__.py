"""Runs a program that is not trusted. The engines live beside this file and nowhere else."""

from grader.sandbox.base import Engine, Job, Limits, Outcome

__all__ = ["Engine", "Job", "Limits", "Outcome"]
