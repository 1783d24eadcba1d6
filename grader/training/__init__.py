"""Trainings of networks that came as data.

job.py        what a training is, and what came of it
backends.py   what computes, by name and version
store.py      results by the digest of their job
child.py      a process that trains, one job after another, each in a fork
executors.py  where children run: processes here, or containers
running.py    a process that trains, and one job in it: what it prints, its limits of time and memory
pool.py       many of them, side by side
tally.py      how far a run is, counted: students, trainings, the time left
progress.py   how far it is, shown: in a terminal, in a log
"""
