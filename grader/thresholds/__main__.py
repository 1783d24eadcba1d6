"""`python -m grader.thresholds reference/gpu`: thresholds.json from estimates.yaml (grader/cli/author.py)."""

import sys

from grader.cli import author, base

if __name__ == "__main__":
    sys.exit(base.run(author.estimates, sys.argv[1:]))
