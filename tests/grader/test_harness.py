"""What a submission does is written down in full, and nothing it does keeps the rest from being seen.

The harness is started as in a sandbox, in a process of its own, on small submissions with small probes.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import numpy as np
import pytest

from grader import evidence
from grader.evidence import Call, Evidence, Network, Other
from grader.inside import harness

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "grader/inside/harness.py"

Run = Callable[..., Evidence]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the harness on task.py with the body of a probe, and reads the evidence.

    Other files of the submission may be given by name; `options` are those of the harness. The process may
    end as it likes.
    """

    def run(task: str | bytes, probe: str = "calls.call('f', 'f')", *options: str, **files: str) -> Evidence:
        submission, output = tmp_path / "submission", tmp_path / "output"
        for folder in (submission, output):
            folder.mkdir(exist_ok=True)
        code = task if isinstance(task, bytes) else dedent(task).encode()
        (submission / "task.py").write_bytes(code)
        for name, text in files.items():
            (submission / f"{name}.py").write_text(dedent(text))
        body = indent(dedent(probe), "    ")
        (tmp_path / "probe.py").write_text(
            "import numpy as np\n\n"
            "def draw(seed):\n    return {'x': np.random.default_rng(seed).random(4)}\n\n"
            f"def probe(calls, inputs):\n{body}\n"
        )
        command = [
            sys.executable,
            "-I",
            "-B",
            HARNESS,
            "--module",
            "task.py",
            "--probe",
            tmp_path / "probe.py",
        ]
        command += ["--submission", submission, "--output", output, "--seed", "7", *options]
        subprocess.run(command, timeout=120, capture_output=True)
        return Evidence.read(output)

    return run


def returned(run: Run, expression: str) -> Any:
    """What comes back as evidence where a function returns the value of an expression."""
    call = run(f"import numpy as np\ndef f():\n    return {expression}\n").calls["f"]
    assert call.status == "returned", call
    return call.value


class TestImport:
    def test_a_module_is_imported_with_bom_and_crlf_line_ends(self, run: Run) -> None:
        found = run(b"\xef\xbb\xbfdef f():\r\n    return 1\r\n")
        assert (found.imported, found.calls["f"].value, found.finished) == ("ok", 1, True)

    def test_a_missing_module_is_said(self, run: Run, tmp_path: Path) -> None:
        found = run("", "pass", "--module", "other.py")
        assert (found.started, found.imported, found.finished) == (True, "missing file", True)

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("import nn_tools", "ModuleNotFoundError: No module named 'nn_tools' (task.py, line 1)"),
            ("x = 1\nx.y", "AttributeError: 'int' object has no attribute 'y' (task.py, line 2)"),
            ("def f(:\n", "SyntaxError: invalid syntax (task.py, line 1)"),
            ("\n\nraise SystemExit(0)", "SystemExit: 0 (task.py, line 3)"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt (task.py, line 1)"),
            ("input()", "EOFError: EOF when reading a line (task.py, line 1)"),
            ("import helper", "ZeroDivisionError: division by zero (helper.py, line 1)"),
            (
                "open('C:/cifar')",
                "FileNotFoundError: [Errno 2] No such file or directory: 'C:/cifar' (task.py, line 1)",
            ),
        ],
    )
    def test_what_it_raises_is_said_with_the_line_of_the_students_own(
        self, run: Run, code: str, message: str
    ) -> None:
        found = run(code, helper="1 / 0")
        assert found.imported == "raised"
        assert str(found.import_error) == message
        assert found.finished
        assert not found.calls

    def test_an_import_that_ends_the_process_has_started(self, run: Run) -> None:
        found = run("import os; os._exit(0)")
        assert (found.started, found.finished, found.running) == (True, False, "import")
        assert found.running_function is None

    def test_an_import_that_does_not_end_is_stopped(self, run: Run) -> None:
        assert run("while True: pass", "pass", "--seconds", "0.2").imported == "timed out"

    def test_the_folder_is_the_working_directory_and_helpers_are_found(self, run: Run) -> None:
        task = "import helper\nHERE = open('helper.py').read()\ndef f(): return helper.ONE, HERE"
        assert run(task, helper="ONE = 1").calls["f"].value == (1, "ONE = 1")

    def test_no_file_of_a_submission_stands_in_for_a_library(self, run: Run) -> None:
        found = run(
            "import numpy, json\ndef f(): return numpy.__name__, json.dumps(1)", numpy="1/0", json="1/0"
        )
        assert found.calls["f"].value == ("numpy", "1")

    def test_inputs_are_drawn_before_the_submission_can_change_the_generator(self, run: Run) -> None:
        task = "import numpy\nnumpy.random.default_rng = None\ndef f(x): return x"
        value = run(task, "calls.call('f', 'f', inputs['x'])").calls["f"].value
        assert np.array_equal(value, np.random.default_rng(7).random(4))


class TestCalls:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("1 / 0", "ZeroDivisionError: division by zero (task.py, line 2)"),
            ("raise SystemExit", "SystemExit (task.py, line 2)"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt (task.py, line 2)"),
            ("raise MemoryError", "MemoryError (task.py, line 2)"),
            ("f()", "RecursionError: maximum recursion depth exceeded (task.py, line 2)"),
            (
                "import json; json.loads('')",
                "JSONDecodeError: Expecting value: line 1 column 1 (char 0) (task.py, line 2)",
            ),
            (
                "raise ValueError('\\x1b[2J\\u202ehere\\nthere')",
                "ValueError: [2J here there (task.py, line 2)",
            ),
            ("raise ValueError('a' * 10**8)", f"ValueError: {'a' * 500} (task.py, line 2)"),
            ("raise StopIteration", "StopIteration (task.py, line 2)"),
        ],
    )
    def test_what_a_function_raises_is_said_and_the_next_is_called(
        self, run: Run, body: str, message: str
    ) -> None:
        found = run(f"def f():\n    {body}\ndef g(): return 2", "calls.call('f', 'f'); calls.call('g', 'g')")
        assert found.calls["f"].status == "raised"
        assert str(found.calls["f"].exception) == message
        assert found.calls["g"].value == 2

    def test_an_exception_that_cannot_be_printed_is_said(self, run: Run) -> None:
        found = run("class E(Exception):\n    def __str__(self): 1 / 0\ndef f(): raise E")
        assert str(found.calls["f"].exception) == "E: (no text: ZeroDivisionError) (task.py, line 3)"

    def test_the_stub_is_not_implemented_but_a_function_that_calls_it_has_raised(self, run: Run) -> None:
        task = "def f(): raise NotImplementedError('later')\ndef g(): return f()"
        found = run(task, "calls.call('f', 'f'); calls.call('g', 'g')")
        assert [call.status for call in found.calls.values()] == ["not implemented", "raised"]
        assert str(found.calls["g"].exception) == "NotImplementedError: later (task.py, line 1)"

    def test_a_function_that_is_not_there_is_missing_and_one_that_is_no_function_raises(
        self, run: Run
    ) -> None:
        assert run("").calls["f"].status == "missing"
        assert str(run("f = 3").calls["f"].exception) == "TypeError: 'int' object is not callable"

    def test_a_call_that_does_not_end_is_stopped_once_and_not_made_again(self, run: Run) -> None:
        task = "import time\ndef f():\n    time.sleep(60)\ndef g(): return 2"
        start = time.monotonic()
        probe = "for n in range(50): calls.call(f'f{n}', 'f')\ncalls.call('g', 'g')"
        found = run(task, probe, "--seconds", "0.5")
        assert {found.calls[f"f{n}"].status for n in range(50)} == {"timed out"}
        assert found.calls["g"].value == 2
        assert time.monotonic() - start < 20

    def test_a_function_that_catches_everything_is_stopped_as_well(self, run: Run) -> None:
        task = """
            import time
            def f():
                for _ in range(2):
                    try:
                        time.sleep(60)
                    except BaseException:
                        pass
                time.sleep(60)
        """
        assert run(task, "calls.call('f', 'f')", "--seconds", "0.2").calls["f"].status == "timed out"

    def test_a_call_that_ends_the_process_is_known_and_can_be_skipped(self, run: Run) -> None:
        task = "import os\ndef f(): return 1\ndef g(): os._exit(0)\ndef h(): return 3"
        probe = "for name in 'fgh': calls.call(name, name)"
        found = run(task, probe)
        assert (found.finished, found.running, found.running_function) == (False, "g", "g")
        assert (found.calls["f"].value, found.calls["g"].status) == (1, "running")
        assert "h" not in found.calls
        found = run(task, probe, "--skip", "g,x")
        assert [call.status for call in found.calls.values()] == ["returned", "skipped", "returned"]
        assert found.finished

    def test_a_thread_or_an_exit_handler_left_behind_does_not_keep_the_process(self, run: Run) -> None:
        task = """
            import atexit, sys, threading, time
            def f():
                atexit.register(time.sleep, 60)
                threading.Thread(target=time.sleep, args=(60,)).start()
                sys.stdout.close()
        """
        start = time.monotonic()
        assert run(task).finished
        assert time.monotonic() - start < 20

    def test_arguments_are_copies_and_what_became_of_them_is_kept_on_request(self, run: Run) -> None:
        task = "def f(x, n, *, y):\n    x += n\n    y[0] = 0"
        probe = """
            x = np.ones(2, np.float32)
            calls.call('first', 'f', x, 1, y=x, keep_inputs=True)
            calls.call('second', 'f', x, 5, y=x, keep_inputs=True)
        """
        after = run(task, probe).calls["second"].inputs_after
        assert {key: value.tolist() for key, value in after.items()} == {"0": [6, 6], "y": [0, 1]}

    def test_a_call_can_be_shown_as_it_might_stand_in_the_source(self, run: Run) -> None:
        probe = "calls.call('f', 'f', np.zeros((2, 3), np.uint8), 'a', n=1.5, m=np.float32([1, 2.5]))"
        assert str(run("def f(*args, **kwargs): pass", probe).calls["f"]) == (
            "f(uint8 (2, 3), 'a', n=1.5, m=[1, 2.5])"
        )

    def test_a_live_result_can_go_into_another_call_or_be_looked_at_before_it_is_kept(self, run: Run) -> None:
        task = "def f(): return {1, 2}\ndef g(x): return len(x)"
        probe = """
            live = calls.call('f', 'f', then=sorted)
            calls.call('g', 'g', live)
            calls.call('h', 'f', then=lambda value: value.no)
        """
        calls = run(task, probe).calls
        assert calls["f"].value.tolist() == [1, 2]
        assert calls["g"].value == 2
        assert calls["h"].value == Other("set", "AttributeError: 'set' object has no attribute 'no'")

    def test_the_recipe_is_part_of_the_inputs(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "recipe.json").write_text(json.dumps({"width": 3}))
        probe = "calls.call('f', 'f', **inputs.get('recipe', {}))"
        found = run("def f(width=0): return width", probe, "--recipe", str(tmp_path / "recipe.json"))
        assert found.calls["f"].value == 3
        assert run("def f(width=0): return width", probe).calls["f"].value == 0


class TestValues:
    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("None", None),
            ("True", True),
            ("np.bool_(False)", False),
            ("3", 3),
            ("np.uint8(200)", 200),
            ("0.1", 0.1),
            ("float('inf')", math.inf),
            ("'text\\x1b\\n'", "text"),
            ("()", ()),
            ("(1, None, 'a')", (1, None, "a")),
            ("[[1, 'b'], ()]", [[1, "b"], ()]),
            ("{1: 2}", Other("dict")),
            ("10**30", Other("int", "too large a number")),
            ("np.array([None])", Other("ndarray", "of object values")),
            ("np.zeros(2, complex)", Other("ndarray", "of complex128 values")),
            ("np.zeros([1] * 7)", Other("ndarray", "of 7 dimensions")),
            ("['a'] * 1000", Other("list", "of 1000 items")),
            ("[[[[[['deep']]]]]]", [[[[Other("list", "of 1 items")]]]]),
            (
                "np.broadcast_to(0.0, (10**5, 10**5))",
                Other("ndarray", "float64 of shape (100000, 100000): too large to be looked at"),
            ),
            (
                "np.zeros(70 * 2**20, bool)",
                Other("ndarray", "bool of shape (73400320,): too large to be looked at"),
            ),
        ],
    )
    def test_a_value_comes_back_as_what_it_was(self, run: Run, expression: str, value: object) -> None:
        came = returned(run, expression)
        assert came == value
        assert type(came) is type(value)

    @pytest.mark.parametrize(
        "expression",
        [
            "np.arange(6, dtype='u1').reshape(2, 3)",
            "np.arange(6, dtype='>f4').reshape(2, 3).T",
            "np.float16([[1.5]])",
            "np.zeros((0, 3), bool)",
            "np.array(2.5)",
            "np.ma.masked_array([1, 2], [0, 1])",
            "[1, 2, 3]",
            "(0.5, 2)",
        ],
    )
    def test_an_array_or_a_list_of_numbers_comes_back_as_an_array(self, run: Run, expression: str) -> None:
        came, original = returned(run, expression), np.asarray(eval(expression))
        assert type(came) is np.ndarray
        assert came.dtype == original.dtype.newbyteorder("=")
        assert np.array_equal(came, original)
        assert not came.flags.writeable

    def test_a_named_tuple_is_a_tuple(self, run: Run) -> None:
        task = "from typing import NamedTuple\nclass P(NamedTuple):\n    a: str\ndef f(): return P('x')"
        assert run(task).calls["f"].value == ("x",)

    def test_arrays_beyond_the_cap_are_named_and_the_rest_is_kept(self, run: Run) -> None:
        task = "import numpy as np\ndef f(): return np.zeros(1)\ndef g(): return 'still here'"
        probe = "for n in range(195): calls.call(str(n), 'f')\ncalls.call('g', 'g')"
        calls = run(task, probe).calls
        assert isinstance(calls["189"].value, np.ndarray)
        assert isinstance(calls["190"].value, Other)
        assert calls["g"].value == "still here"

    def test_an_array_whose_conversion_raises_is_named(self, run: Run) -> None:
        task = "class A:\n    def __array__(self, *args, **kwargs): 1 / 0\ndef f(): return A()"
        assert run(task).calls["f"].value == Other("A", "ZeroDivisionError: division by zero")

    def test_models_are_described_and_tensors_become_arrays(self, run: Run) -> None:
        task = """
            import keras
            def f():
                x = keras.Input((4, 4, 3))
                return keras.Model(x, keras.layers.Flatten()(x))
            class Own(keras.Model):
                pass
            def g(): return Own()
            def h(): return keras.ops.ones((2,))
            def k(x): return keras.layers.Dense(2)(x)
        """
        probe = """
            import keras
            for name in 'fgh': calls.call(name, name)
            calls.call('k', 'k', keras.Input((3,)), then=lambda y: 1 / 0)
            calls.call('l', 'k', keras.Input((3,)))
        """
        calls = run(task, probe).calls
        assert isinstance(calls["f"].value, Network)
        assert [node["op"] for node in calls["f"].value.description["nodes"]] == ["Input", "Flatten"]
        assert isinstance(calls["g"].value, Network)
        assert "Own" in calls["g"].value.refused
        assert calls["h"].value.tolist() == [1, 1]
        assert calls["k"].value == Other("KerasTensor", "ZeroDivisionError: division by zero")
        assert str(calls["k"]) == "k(keras.Input((3,)))"
        assert calls["l"].value.type == "KerasTensor"


class TestCaps:
    @pytest.mark.parametrize(
        "name", ["MAX_FILE_BYTES", "MAX_TOTAL_BYTES", "MAX_JSON_BYTES", "MAX_DIMENSIONS"]
    )
    def test_the_harness_keeps_to_what_the_reader_takes(self, name: str) -> None:
        assert getattr(harness, name) == getattr(evidence, name)

    def test_what_a_call_is_shown_as_fits(self) -> None:
        assert len(str(Call("f", harness.in_source(["a" * 60] * 9), "returned"))) <= 203
