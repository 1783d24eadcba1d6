"""Memory that is freed goes back to the system."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Blocks with something small above each, as arrays with results between them; then the blocks are freed.
CODE = """
import sys
from pathlib import Path
from grader import memory
if sys.argv[1] == "given back":
    memory.give_back()
for _ in range(2):
    block = b"x" * (30 << 20)
    del block
blocks, small = [], []
for _ in range(8):
    blocks.append(b"x" * (20 << 20))
    small.append(b"y" * 200_000)
blocks.clear()
print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_blocks_go_back() -> None:
    """Without, glibc keeps most of 160 MiB."""
    left = {
        how: int(subprocess.check_output([sys.executable, "-c", CODE, how], cwd=ROOT, text=True))
        for how in ("kept", "given back")
    }
    assert left["given back"] < 60 < 120 < left["kept"]
