"""What this kit costs on this machine, beside other tools and beside itself at an earlier commit.

measuring.py   one command as a fresh process: time, processor time, memory, and what else the machine did
record.py      what was measured, as reference/bench.json has it
subjects.py    a figure: what is measured on which sides, how often, and what is aimed at
figures/       the figures, by what they are about
peers.py       the other tools: their environments, and the same task for each of them
trainings.py   `python -m grader.benchmark.trainings`: the six trainings of a profile, afresh
bench.py       `nox -s bench`: which figures, in which order, the table and the file

What belongs to the other tools (requirements, tests of the task, scripts) lies in bench/ and is imported by
nobody here.
"""
