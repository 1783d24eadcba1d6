"""Tries to take over the terminal of whoever reads its messages: colours, cursor, title, clipboard,
hyperlinks, bells and reversed text; gains nothing because what is shown has no control and no format
characters left.
"""

print("attack: painting", flush=True)
CODES = (
    "\x1b[2J\x1b[H\x1b[31mgraded 100/100\x1b[0m\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b]8;;http://evil\x07link\x1b]8;;\x07"
    "\x9b31m\r100\n\n\x08\x08\x7f\u202e001/001\u2066\u200b\ufeff\u2028\u2029\x85\x00"
)
Odd = type(f"Odd{CODES}Error", (Exception,), {})


def split_indices(*args, **kwargs):
    raise ValueError(CODES)


def channel_statistics(images):
    raise Odd("odd")


def standardise(images, mean, std):
    return CODES


def one_hot(labels, num_classes):
    return type(f"Odd{CODES}", (), {})()


def prepare(*args, **kwargs):
    exec(compile("raise ValueError('from a file with an odd name')", f"/submission/{CODES}.py", "exec"))
