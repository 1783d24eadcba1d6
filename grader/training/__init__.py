"""Trainings: what a job is, where it runs, what is kept of it."""
