"""`python -m grader COMMAND ...`: see grader/cli."""

import sys

from grader import safe_path

if __name__ == "__main__":
    safe_path.ensure()
    from grader.cli import app

    sys.exit(app.main())
