"""One folder a task: probe.py runs in the sandbox, judge.py is trusted and never does."""
