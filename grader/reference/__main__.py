"""`python -m grader.reference STAGE ...`: one stage of dvc.yaml; see grader/cli/stages.py."""

import sys

from grader import safe_path

if __name__ == "__main__":
    safe_path.ensure()
    from grader.cli import stages

    sys.exit(stages.main())
