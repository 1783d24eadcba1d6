"""`python -m grader.thresholds reference/gpu`: thresholds.json from estimates.yaml."""

import sys
from collections.abc import Sequence
from pathlib import Path

from grader.thresholds import save_estimates


def main(arguments: Sequence[str]) -> int:
    """Writes the thresholds of each folder's estimates."""
    for folder in arguments:
        for threshold in save_estimates(Path(folder)).thresholds:
            print(f"{threshold.task} on {threshold.labels} labels: {threshold.threshold:.1%}, an estimate")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
