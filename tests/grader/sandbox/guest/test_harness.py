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

from grader.grading import evidence
from grader.grading.evidence import Call, Evidence, Network, Other, Raised
from grader.sandbox.guest import harness

ROOT = Path(__file__).parents[4]
HARNESS = ROOT / "grader/sandbox/guest/harness.py"

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
            ("def f(:\n", "SyntaxError: invalid syntax: def f(: (task.py, line 1)"),
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
                "ValueError: here there (task.py, line 2)",
            ),
            ("raise ValueError('a' * 10**8)", f"ValueError: {'a' * 498} … (task.py, line 2)"),
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

    @pytest.mark.parametrize(
        ("body", "kind", "time"),
        [
            ("while True: pass", "ProcessorTimeIsUp", "0.3 s of processor time"),
            ("time.sleep(60)", "ClockTimeIsUp", "0.8 s"),
        ],
    )
    def test_it_is_said_which_time_was_up_and_where(self, run: Run, body: str, kind: str, time: str) -> None:
        """Computing and waiting have limits of their own; a later call of the function says the same."""
        task = f"import time\ndef f():\n    {body}"
        found = run(task, "for name in 'ab': calls.call(name, 'f')", "--seconds", "0.3", "--clock", "0.8")
        if kind == "ProcessorTimeIsUp":  # on a machine that has no time for it, the clock may be first
            found = run(task, "for name in 'ab': calls.call(name, 'f')", "--seconds", "0.3", "--clock", "60")
        for call in found.calls.values():
            assert (call.status, call.exception) == ("timed out", Raised(kind, time, "task.py", 3))

    def test_a_call_that_computes_on_in_c_is_ended_by_the_system(self, run: Run) -> None:
        """No handler of Python's runs there; which call it was is known."""
        task = "import itertools\ndef f(): return sum(itertools.repeat(0))\ndef g(): return 1"
        start = time.monotonic()
        probe = "for name in 'gf': calls.call(name, name)"
        found = run(task, probe, "--seconds", "0.3", "--clock", "60")
        assert (found.finished, found.running_function, found.calls["g"].value) == (False, "f", 1)
        assert time.monotonic() - start < 60

    @pytest.mark.slow
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

    def test_the_builder_arguments_are_part_of_the_inputs(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "builder-arguments.json").write_text(json.dumps({"width": 3}))
        probe = "calls.call('f', 'f', **inputs.get('builder_arguments', {}))"
        found = run(
            "def f(width=0): return width",
            probe,
            "--builder-arguments",
            str(tmp_path / "builder-arguments.json"),
        )
        assert found.calls["f"].value == 3
        assert run("def f(width=0): return width", probe).calls["f"].value == 0


# What code does to files, and the paths that the message names.
REFUSED = {
    "open('x', 'w')": "'x'",
    "open('task.py', 'r+')": "'task.py'",
    "open(HERE + '/x', 'x')": "'{here}/x'",
    "os.open('x', os.O_CREAT)": "'x'",
    "pathlib.Path('x').write_text('')": "'x'",
    "pathlib.Path('task.py').touch()": "'task.py'",
    "numpy.save('x', [1])": "'x.npy'",
    "os.mkdir('x')": "'x'",
    "os.makedirs('x/y')": "'x'",
    "os.remove('task.py')": "'task.py'",
    "os.rename('task.py', 'x')": "'task.py' -> 'x'",
    "os.symlink('task.py', 'x')": "'task.py' -> 'x'",
    "os.link('task.py', 'x')": "'task.py' -> 'x'",
    "os.truncate('task.py', 0)": "'task.py'",
    "os.chmod('task.py', 0)": "'task.py'",
    "shutil.copy('task.py', 'x')": "'x'",
    "shutil.rmtree('folder')": "'kept'",
}
# What fails for another reason.
OTHERS = {
    "open('no/x', 'w')": "[Errno 2] No such file or directory: 'no/x'",
    "os.mkdir('folder')": "[Errno 17] File exists: 'folder'",
    "open('folder', 'w')": "[Errno 21] Is a directory: 'folder'",
}


class TestFilesThatCannotBeWritten:
    """Without a sandbox as within one."""

    @pytest.fixture
    def calls(self, run: Run, tmp_path: Path) -> Callable[[list[str]], list[Call]]:
        """Calls a function for each of these lines, beside a folder with a file in it."""
        folder = tmp_path / "submission" / "folder"
        folder.mkdir(parents=True)
        (folder / "kept").write_text("")

        def calls(lines: list[str]) -> list[Call]:
            task = "import numpy, os, pathlib, shutil\nHERE = os.getcwd()\n"
            task += "".join(f"def f{n}(): {line}\n" for n, line in enumerate(lines))
            probe = f"for n in range({len(lines)}): calls.call(f'f{{n}}', f'f{{n}}')"
            found = run(task, probe).calls
            return [found[f"f{n}"] for n in range(len(lines))]

        return calls

    def test_the_message_is_the_file_systems(
        self, calls: Callable[[list[str]], list[Call]], tmp_path: Path
    ) -> None:
        """Nothing has changed afterwards."""
        came = calls(list(REFUSED))
        here = str(tmp_path / "submission")
        for number, (call, names) in enumerate(zip(came, REFUSED.values(), strict=True)):
            wanted = f"[Errno 30] Read-only file system: {names}".replace("{here}", here)
            assert call.exception == Raised("OSError", wanted, "task.py", 3 + number)
        left = sorted(str(path.relative_to(here)) for path in Path(here).rglob("*"))
        assert left == ["folder", "folder/kept", "task.py"]

    def test_another_complaint_comes_first(self, calls: Callable[[list[str]], list[Call]]) -> None:
        """As the kernel has it."""
        came = calls(list(OTHERS))
        assert [call.exception and call.exception.message for call in came] == list(OTHERS.values())

    def test_temporary_files_can_be_written_and_files_be_read(self, run: Run) -> None:
        """What works in a sandbox."""
        task = """
            import os, pathlib, shutil, tempfile
            def f():
                with tempfile.TemporaryDirectory() as folder:
                    pathlib.Path(folder, "x").write_text("1")
                    os.rename(f"{folder}/x", f"{folder}/y")
                    os.makedirs(f"{folder}/a/b")
                    shutil.rmtree(f"{folder}/a")
                with tempfile.TemporaryFile() as file, open(os.devnull, "w") as null:
                    file.write(b"1")
                    null.write("1")
                os.makedirs(".", exist_ok=True)
                return open("task.py").read(1)
        """
        call = run(task).calls["f"]
        assert (call.exception, call.status) == (None, "returned")


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

    @pytest.mark.slow
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


class TestMade:
    """What a builder makes is written down where it returns no model."""

    def test_ends(self, run: Run) -> None:
        """Returned, forgotten, half-made; and forgotten again for the next call."""
        evidence = run(
            """
            import keras
            L = keras.layers
            def network():
                x = keras.Input((4, 4, 3))
                return x, L.Dense(2)(L.Flatten()(L.Conv2D(2, 3)(x)))
            def whole(): return keras.Model(*network())
            def forgotten(): whole()
            def tensor(): return network()[1]
            def pair(): return network()
            def inside(): return {"model": [whole()]}
            def raises(): return L.Add()([network()[1], keras.Input((7,))])
            def bare(): return 3
            def own(): L.Lambda(lambda x: x)(keras.Input((3,)))
            """,
            """
            for f in ("whole", "forgotten", "tensor", "pair", "inside", "raises", "bare", "own"):
                calls.call(f, f, builds=True)
            calls.call("unasked", "tensor")
            """,
            "--backend=numpy",
        )
        calls = evidence.calls
        assert {name: call.layers for name, call in calls.items() if call.made} == {
            **dict.fromkeys(("forgotten", "tensor", "pair", "inside", "raises"), 3),
            "own": 1,
        }
        description = calls["whole"].value.description
        for name in ("forgotten", "tensor", "pair", "inside", "raises"):
            made = calls[name].made
            assert made
            assert [node["op"] for node in made.description["nodes"]] == [
                node["op"] for node in description["nodes"]
            ]
        assert calls["raises"].status == "raised"
        assert calls["own"].made
        assert "is your own code" in calls["own"].made.refused

    def test_a_stand_in(self, run: Run) -> None:
        """The module's own function is back afterwards."""
        evidence = run(
            """
            import keras
            def block(x, filters, *, stride=1): raise NotImplementedError
            def f():
                x = keras.Input((8, 8, 3))
                return keras.Model(x, block(block(x, 4, stride=2), 2, name="odd"))
            """,
            """
            calls.call("with", "f", builds=True)
            calls.call("alone.with", "f", builds=True, without="block")
            calls.call("again", "f", builds=True)
            calls.call("block", "block", 1, 2)
            """,
            "--backend=numpy",
        )
        calls = evidence.calls
        assert [calls[name].status for name in ("with", "again")] == ["raised", "raised"]
        assert calls["block"].status == "not implemented"
        nodes = calls["alone.with"].value.description["nodes"]
        assert [node["settings"] for node in nodes[1:]] == [
            {"filters": 4, "stride": 2, "channels": 3},
            {"filters": 2, "stride": 1, "channels": 16},
        ]
