"""Tries to confuse whoever lists its output: names with newlines, ANSI codes, no UTF-8, 255 bytes, leading
dashes, and folders without permissions; gains nothing because only evidence.json and the arrays that it
names are looked for.
"""

import os

NAMES = [b"-rf", b"a\nb.npy", b"\x1b[2J", b"\xff\xfe", b"x" * 255, b"=cmd()", b"<script>", b"evidence.json ", b"NUL", b"..."]
print("attack:", len(NAMES), "odd names", flush=True)
for name in NAMES:
    with open(b"/output/" + name, "wb") as file:
        file.write(b"odd")
path = b"/output"
for _ in range(60):
    path += b"/deep"
    os.mkdir(path)
os.mkdir("/output/closed", 0)
os.chmod("/output", 0)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
