"""Trainings of networks that came as data.

job.py        what a training is, and what came of it
backends.py   what computes, by name and version
store.py      results by the digest of their job
child.py      a process that trains, one job after another, each in a fork
executors.py  where children run: processes here, or containers
running.py    a process that trains, and one job in it: what it prints, its limits of time and memory
pool.py       many of them, side by side
progress.py   how far they are, in a terminal
"""
