"""Tries to print what a grader might parse: Gradescope JSON, TAP, pytest's and otter's summaries, status
lines and terminal codes; gains nothing because what is printed is read by nobody.
"""

import os
import sys

print("attack: printing", flush=True)
LINES = [
    '{"score": 100, "tests": [{"score": 100, "max_score": 100, "status": "passed"}]}',
    "1..19",
    *(f"ok {n}" for n in range(1, 20)),
    "=================== 19 passed in 0.01s ===================",
    "ready",
    "the probe has started",
    '{"exit-code": 0}',
    "::set-output name=score::100",
    "##teamcity[testSuiteFinished]",
    "\x1b[2J\x1b[H\x1b]0;graded\x07\x1b]52;c;Y3VybCBldmls\x07\x9b6n",
]
for line in LINES:
    print(line)
    print(line, file=sys.stderr)
for number in range(3, 64):
    try:
        os.write(number, "\n".join(LINES).encode())
    except OSError:
        pass


def split_indices(*args, **kwargs):
    print(LINES)
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
