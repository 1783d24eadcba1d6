"""What is shown of an exception: whole sentences, and what to write where a function takes no Keras tensor.

Runs in the sandbox, next to the student's code; words are for a student to read, and decide nothing. The
standard library alone.
"""

import ast
import linecache
import re
import types
from typing import Any

# What to write in place of a function, by its name: of TensorFlow, of NumPy or of Keras's old backend.
INSTEAD = {
    **dict.fromkeys(("zeros_like", "zeros"), "keras.ops.zeros_like(x)"),
    "pad": "keras.ops.pad(x, ...)",
    **dict.fromkeys(("concat", "concatenate", "stack"), "keras.ops.concatenate([x, y])"),
    "relu": "keras.layers.ReLU()(x)",
    "softmax": "keras.layers.Softmax()(x)",
    **dict.fromkeys(("add", "add_n"), "keras.layers.Add()([x, y])"),
    **dict.fromkeys(("mean", "reduce_mean"), "keras.layers.GlobalAveragePooling2D()(x)"),
    **dict.fromkeys(("amax", "reduce_max"), "keras.layers.GlobalMaxPooling2D()(x)"),
    **dict.fromkeys(("avg_pool", "avg_pool2d", "pool2d"), "keras.layers.AveragePooling2D(...)(x)"),
    **dict.fromkeys(("max_pool", "max_pool2d"), "keras.layers.MaxPooling2D(...)(x)"),
    "conv2d": "keras.layers.Conv2D(...)(x)",
    "dropout": "keras.layers.Dropout(...)(x)",
    **dict.fromkeys(("reshape", "flatten", "batch_flatten"), "keras.layers.Flatten()(x)"),
    **dict.fromkeys(
        ("batch_normalization", "local_response_normalization", "lrn"),
        "keras.layers.BatchNormalization()(x)",
    ),
}

_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Of what Keras puts around what a layer says: which layer it was, and all that it was given.
_AROUND = re.compile(r"^Exception encountered when calling (\w+)\.call\(\)\.\s*", re.DOTALL)
_GIVEN = re.compile(r"\s*Arguments received by \w+\.call\(\):.*", re.DOTALL)
_SYMBOLIC = re.compile(r"A KerasTensor (cannot be used as input to a TensorFlow function|is symbolic)")


def of_exception(error: BaseException, inside: str) -> str:
    """The message of an exception, in whole sentences and without what colours a terminal.

    Args:
        error: what was raised.
        inside: the submission's folder, with a separator at its end.
    """
    text = str(error)
    if _SYMBOLIC.search(text):
        return _of_symbolic(error, inside)
    plain = _GIVEN.sub("", _ESCAPE.sub("", text)).strip()
    return _AROUND.sub(r"\1: ", plain)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters: to the end of a sentence, or else of a word."""
    if len(text) <= limit:
        return text
    whole = text[:limit]
    ends = [found.end() for found in re.finditer(r"[.!?](?=\s)", whole)]
    if ends and ends[-1] > limit // 4:
        return whole[: ends[-1]]
    return whole[: limit - 2].rsplit(" ", 1)[0] + " …"


def _of_symbolic(error: BaseException, inside: str) -> str:
    frame, line = _last_own(error, inside)
    for called, name in _called(frame, line) if frame else ():
        if name in INSTEAD:
            return f"{called} cannot take a Keras tensor: {INSTEAD[name]} does the same"
        return f"{called} cannot take a Keras tensor: use a layer, or a function of keras.ops"
    return "only layers and the functions of keras.ops can take a Keras tensor"


def _last_own(error: BaseException, inside: str) -> tuple[Any, int]:
    """The last frame of the submission's own that was running, and its line."""
    found, line = None, 0
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.startswith(inside):
            found, line = step.tb_frame, step.tb_lineno
        step = step.tb_next
    return found, line


def _called(frame: Any, line: int) -> list[tuple[str, str]]:
    """The functions that are not Keras's and are called in a line: as they stand there, and their names."""
    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or 0):
            written = ast.unparse(node.func)
            if re.fullmatch(r"\w+(\.\w+)*", written) and _is_foreign(written, frame):
                found.append((written, written.rpartition(".")[2]))
    return found[::-1]  # the innermost call first: what it is given comes from Keras


def _is_foreign(written: str, frame: Any) -> bool:
    """Whether a dotted name stands for a function of TensorFlow or NumPy that is not Keras's."""
    first = written.partition(".")[0]
    value = {**frame.f_globals, **frame.f_locals}.get(first)
    home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", "")
    if re.search(r"\bkeras\b", f"{home}.{written}"):
        return False
    return isinstance(home, str) and home.split(".")[0] in ("tensorflow", "numpy")
