"""The pool: trainings side by side, each once; what is kept of them, and how they are ended."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grader.blueprint import Budget
from grader.config.profiles import Backend
from grader.errors import TrainerFault
from grader.slots import Slots
from grader.training import backends, pool, store
from grader.training.executors import Local
from grader.training.job import Job, Overrun, Result
from grader.training.pool import Listener, Pool, run
from grader.training.running import Worker
from lab import synthetic
from tests.grader.training.tiny import FINISH, NETWORK, PROFILE, Doing, Heard, job, serving

ROOT = Path(__file__).resolve().parents[3]
HERE = Local()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Worker]]:
    """Every process that a pool starts; none may be left when the test ends."""
    started: list[Worker] = []

    class Recorded(Worker):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            started.append(self)

    monkeypatch.setattr(pool, "Worker", Recorded)
    yield started
    assert all(child.process.returncode is not None for child in started)


def soon(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits until something holds, and fails if it does not come to that."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def gone(process: str) -> bool:
    return not Path("/proc", process).exists()


class Waiting(Doing):
    """Its children wait for a file `go-SEED` before they hand in a result; each says so in `here-SEED`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        super().__init__(
            f"import json, pathlib\nfolder = pathlib.Path({str(folder)!r})\n"
            "seed = json.load(open(sys.argv[1]))['seed']\n"
            "(folder / f'here-{seed}').touch()\n"
            "while not (folder / f'go-{seed}').exists(): time.sleep(0.01)\n" + FINISH
        )

    def go(self, seed: int) -> None:
        (self.folder / f"go-{seed}").touch()

    def here(self) -> list[int]:
        """The seeds of the jobs whose children were started."""
        return sorted(int(path.name.removeprefix("here-")) for path in self.folder.glob("here-*"))


class TestPool:
    """Pool, with children that train nothing."""

    def test_no_barrier(self, tmp_path: Path, children: list[Worker]) -> None:
        """A job that is submitted while another trains starts beside it, and its result is there first."""
        waiting = Waiting(tmp_path / "signs")
        with Pool(waiting, tmp_path / "store", slots=Slots(2)) as trainings:
            first = trainings.submit(job(1))
            soon(lambda: waiting.here() == [1])
            waiting.go(2)
            assert isinstance(trainings.submit(job(2)).result(20), Result)
            assert not first.done()
            waiting.go(1)
            assert isinstance(first.result(20), Result)
        assert len(children) == 2

    def test_no_more_than_there_are_slots(self, tmp_path: Path) -> None:
        """A training waits while others, whatever they are, hold all slots; then they start in order."""
        waiting, slots = Waiting(tmp_path / "signs"), Slots(2)
        with Pool(waiting, tmp_path / "store", slots=slots) as trainings:
            with slots.turn():
                futures = [trainings.submit(job(seed)) for seed in (1, 2, 3)]
                soon(lambda: waiting.here() == [1])
                time.sleep(0.1)
                assert waiting.here() == [1]
            soon(lambda: waiting.here() == [1, 2])
            for seed in (1, 2, 3):
                waiting.go(seed)
            assert all(isinstance(future.result(20), Result) for future in futures)

    def test_alone(self, tmp_path: Path) -> None:
        """It starts when nothing else runs, and nothing else starts until it has ended."""
        waiting = Waiting(tmp_path / "signs")
        with Pool(waiting, tmp_path / "store", slots=Slots(2)) as trainings:
            first = trainings.submit(job(1))
            soon(lambda: waiting.here() == [1])
            alone = trainings.submit(job(2), alone=True)
            after = trainings.submit(job(3))
            time.sleep(0.1)
            assert waiting.here() == [1]
            waiting.go(1)
            first.result(20)
            soon(lambda: waiting.here() == [1, 2])
            time.sleep(0.1)
            assert waiting.here() == [1, 2]
            waiting.go(2)
            alone.result(20)
            waiting.go(3)
            assert isinstance(after.result(20), Result)

    def test_equal_jobs_are_one(self, tmp_path: Path, children: list[Worker]) -> None:
        """While the first trains, when it is done, and when it failed; what differs in limits is equal."""
        heard = Heard()
        with Pool(Doing(FINISH), tmp_path, slots=Slots(2), listener=heard) as trainings:
            first = trainings.submit(job())
            assert trainings.submit(job(limit_seconds=1.0)) is first
            assert isinstance(first.result(20), Result)
            assert trainings.submit(job()) is first
        assert heard.calls == [("started", 0), ("ended", 0)]
        with Pool(Doing("sys.exit(3)"), tmp_path, slots=Slots(2)) as trainings:
            fault = trainings.submit(job(1)).result(20)
            assert isinstance(fault, TrainerFault)
            assert trainings.submit(job(1)).result(20) is fault
        assert len(children) == 2

    def test_afresh(self, tmp_path: Path, children: list[Worker]) -> None:
        """What is stored, or was submitted, is trained again, and the new result takes its place."""
        stored = Doing(FINISH.replace("accuracy=0.5", "accuracy=0.25"))
        run([job()], executor=stored, store=tmp_path)
        with Pool(Doing(FINISH), tmp_path, slots=Slots(1)) as trainings:
            before = trainings.submit(job()).result(20)
            after = trainings.submit(job(), afresh=True, alone=True).result(20)
            assert trainings.submit(job()).result(20) is after
        assert isinstance(before, Result)
        assert isinstance(after, Result)
        assert (before.accuracy, after.accuracy) == (0.25, 0.5)
        assert store.find(job(), tmp_path) == after
        assert len(children) == 2

    def test_left(self, tmp_path: Path, children: list[Worker]) -> None:
        """On leaving, what trains is ended and what waits is cancelled, though another holds the slots."""
        slots = Slots(2)
        with slots.turn():
            with Pool(Doing("time.sleep(60)"), tmp_path, slots=slots) as trainings:
                futures = [trainings.submit(job(seed)) for seed in range(4)]
                soon(lambda: len(children) == 1)
                began = time.monotonic()
            assert time.monotonic() - began < 5
        for future in futures:
            with pytest.raises(CancelledError):
                future.result(0)
        with slots.turn(alone=True):  # no slot is lost
            pass
        assert list(tmp_path.iterdir()) == []

    def test_waits_without_work(self, tmp_path: Path) -> None:
        """While a child is silent, next to no processor time goes into watching it."""
        began = time.process_time()
        run([job()], executor=Doing("time.sleep(2)\n" + FINISH), store=tmp_path)
        assert time.process_time() - began < 0.5

    def test_calls_come_one_at_a_time(self, tmp_path: Path) -> None:
        """From several threads, but never two at once; what a library prints is no step."""

        class Slow(Heard):
            inside = 0
            most = 0

            def step(self, job: Job, step: Any) -> None:
                self.inside += 1
                self.most = max(self.most, self.inside)
                time.sleep(0.01)
                super().step(job, step)
                self.inside -= 1

        line = '{"epoch": 0, "step": 1, "steps": 2, "accuracy": 0.5, "seconds_left": 1.0}'
        code = f"for _ in range(20): print('a word'); print({line!r}, flush=True)\n{FINISH}"
        heard = Slow()
        run([job(seed) for seed in range(3)], executor=Doing(code), store=tmp_path, workers=3, listener=heard)
        assert len(heard.steps) == 60
        assert heard.most == 1

    def test_says_what_is_to_come_before_it_starts_and_not_of_what_is_stored(self, tmp_path: Path) -> None:
        heard: list[tuple[str, int]] = []

        class Heard(Listener):
            def queued(self, job: Job) -> None:
                heard.append(("queued", job.seed))

            def started(self, job: Job) -> None:
                heard.append(("started", job.seed))

            def stored(self, job: Job, result: Result) -> None:
                heard.append(("stored", job.seed))

        run([job(0)], executor=Doing(FINISH), store=tmp_path)
        run([job(0), job(1), job(2)], executor=Doing(FINISH), store=tmp_path, workers=1, listener=Heard())
        assert sorted(heard) == [
            ("queued", 1),
            ("queued", 2),
            ("started", 1),
            ("started", 2),
            ("stored", 0),
        ]
        for seed in (1, 2):
            assert heard.index(("queued", seed)) < heard.index(("started", seed))

    def test_store_that_cannot_be_made(self, tmp_path: Path) -> None:
        """It is reported once, before anything is trained; each result is there all the same."""
        (tmp_path / "file").write_text("")
        heard = Heard()
        jobs = [job(seed) for seed in range(3)]
        outcomes = run(jobs, executor=Doing(FINISH), store=tmp_path / "file", listener=heard)
        assert [type(outcome) for outcome in outcomes.values()] == [Result] * 3
        (line,) = heard.unkept_lines
        assert f"results of trainings cannot be kept in {tmp_path / 'file'}: File exists" in line
        assert heard.calls[0] == ("unkept", -1)

    def test_store_that_cannot_be_written(self, tmp_path: Path) -> None:
        """A result that could not be kept is no fault: its training is over, and it decides."""
        folder = tmp_path / "store"

        class Spoiler(Heard):
            def started(self, job: Job) -> None:
                super().started(job)
                folder.rmdir()
                folder.write_text("")

        heard = Spoiler()
        (result,) = run([job()], executor=Doing(FINISH), store=folder, listener=heard).values()
        assert isinstance(result, Result)
        assert result.accuracy == 0.5
        assert heard.calls == [("started", 0), ("unkept", -1), ("ended", 0)]

    def test_child_that_cannot_be_started(self, tmp_path: Path) -> None:
        """It is a fault of its own job."""

        class Missing(Doing):
            def _command(self, arguments: list[str]) -> list[str]:
                return [str(tmp_path / "no-such-program")]

        executor = Missing("", memory_bytes=None)
        executor._memory_bytes = None
        (fault,) = run([job()], executor=executor, store=tmp_path).values()
        assert isinstance(fault, TrainerFault)
        assert "could not be started" in fault.message

    @pytest.mark.parametrize(
        ("number", "child"), [(signal.SIGINT, "time.sleep(60)"), (signal.SIGKILL, "sys.stdin.read()")]
    )
    def test_ended_from_outside(self, tmp_path: Path, number: signal.Signals, child: str) -> None:
        """Ctrl-C ends every child; and where the grader itself is killed, they see that it is gone."""
        (tmp_path / "pids").mkdir()
        sign = f"import os, pathlib; (pathlib.Path({str(tmp_path / 'pids')!r}) / str(os.getpid())).touch()"
        code = (
            "from pathlib import Path\nfrom grader.training import pool\n"
            "from tests.grader.training.tiny import Doing, job\n"
            f"pool.run([job(0), job(1), job(2)], executor=Doing({sign + chr(10) + child!r}), "
            f"store=Path({str(tmp_path / 'store')!r}))"
        )
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE) as process:
            soon(lambda: len(list((tmp_path / "pids").iterdir())) == 2, 60)
            process.send_signal(number)
            said = process.communicate(timeout=20)[1].decode()
        assert process.returncode == -number
        assert ("KeyboardInterrupt" in said) == (number == signal.SIGINT)
        for path in (tmp_path / "pids").iterdir():
            soon(partial(gone, path.name), 10)
        assert len(list((tmp_path / "pids").iterdir())) == 2


class TestOneProcessForMany:
    """Processes that do one job after another, and train nothing."""

    def test_as_many_as_work_at_a_time(self, tmp_path: Path, children: list[Worker]) -> None:
        """Each that is free does the next job; what was for the jobs before is removed."""
        jobs = [job(seed) for seed in range(7)]
        outcomes = run(jobs, executor=serving("pass"), store=tmp_path, workers=2)
        assert [type(outcome) for outcome in outcomes.values()] == [Result] * 7
        assert len(children) <= 2
        assert sum(child.jobs for child in children) == 7

    def test_crash(self, tmp_path: Path, children: list[Worker]) -> None:
        """What fails in a process that did others before is done again in a new one."""
        code = "if done and job['seed'] == 2: sys.exit(3)\nif job['seed'] == 3: sys.exit('no')"
        heard = Heard()
        jobs = [job(seed) for seed in range(5)]
        outcomes = list(run(jobs, executor=serving(code), store=tmp_path, workers=1, listener=heard).values())
        fault = outcomes.pop(3)
        assert isinstance(fault, TrainerFault)
        assert "ended with code 1: no" in fault.message
        assert all(isinstance(outcome, Result) for outcome in outcomes)
        # 0, 1 and 2, which ends it; 2 and 3, which ends it; 3, alone; 4
        assert [child.jobs for child in children] == [3, 2, 1, 1]
        assert [seed for what, seed in heard.calls if what == "ended"] == [0, 1, 2, 3, 4]

    def test_limits_are_each_job_s(self, tmp_path: Path, children: list[Worker]) -> None:
        """What the jobs before took does not count; an overrun ends the process, and is of its job alone."""
        code = (
            "end = time.process_time() + (60 if job['seed'] == 3 else 0.6)\n"
            "while time.process_time() < end: pass"
        )
        jobs = [job(seed, limit_seconds=1.2) for seed in range(5)]
        outcomes = list(run(jobs, executor=serving(code), store=tmp_path, workers=1).values())
        overrun = outcomes.pop(3)
        assert isinstance(overrun, Overrun)
        assert overrun.what == "time"
        assert all(isinstance(outcome, Result) for outcome in outcomes)
        assert [child.jobs for child in children] == [4, 1]

    def test_forks_count(self, tmp_path: Path, children: list[Worker]) -> None:
        """The processor time of a fork is its job's, and an overrun leaves no fork."""
        signs = tmp_path / "signs"
        signs.mkdir()
        code = (
            f"import os, pathlib\nchild = os.fork()\nif not child:\n"
            f"    (pathlib.Path({str(signs)!r}) / str(os.getpid())).touch()\n    while True: pass\n"
            "os.waitpid(child, 0)"
        )
        (overrun,) = run([job(limit_seconds=0.5)], executor=serving(code), store=tmp_path / "s").values()
        assert isinstance(overrun, Overrun)
        (sign,) = signs.iterdir()
        soon(partial(gone, sign.name), 10)

    def test_afresh(self, tmp_path: Path, children: list[Worker]) -> None:
        """What is to be measured has a process of its own."""
        with Pool(serving("pass"), tmp_path, slots=Slots(1)) as trainings:
            trainings.submit(job(0)).result(20)
            trainings.submit(job(1), afresh=True).result(20)
        assert [child.jobs for child in children] == [1, 1]

    def test_no_more_than_so_many(
        self, tmp_path: Path, children: list[Worker], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process is replaced after a number of jobs."""
        monkeypatch.setattr(pool, "_MOST_JOBS", 2)
        run([job(seed) for seed in range(5)], executor=serving("pass"), store=tmp_path, workers=1)
        assert [child.jobs for child in children] == [2, 2, 1]


@pytest.mark.slow
class TestRun:
    """run."""

    def test_trains_each_once_and_repeats_to_the_bit(self, tmp_path: Path, children: list[Worker]) -> None:
        """Equal jobs train once, a second run trains nothing, and a job done anew gives the same numbers."""
        heard = Heard()
        outcomes = run([job(), job(1), job()], executor=HERE, store=tmp_path, listener=heard)
        assert len(children) == len(outcomes) == 2
        assert sorted(heard.calls) == [("ended", 0), ("ended", 1), ("started", 0), ("started", 1)]
        assert heard.steps[-1].step == heard.steps[-1].steps == 8
        first = outcomes[job().digest]
        assert isinstance(first, Result)
        assert first.parameters == NETWORK.parameters
        assert 0 <= first.accuracy <= 1

        again = Heard()
        assert run([job(1), job()], executor=HERE, store=tmp_path, listener=again) == outcomes
        assert again.calls == [("stored", 1), ("stored", 0)]
        assert len(children) == 2

        (tmp_path / f"{job().digest}.json").write_text('{"cut off')
        anew = run([job()], executor=HERE, store=tmp_path)[job().digest]
        assert isinstance(anew, Result)
        times = {name: getattr(first, name) for name in ("seconds", "cpu_seconds", "content")}
        assert anew.model_copy(update=times) == first

    def test_the_fifth_is_as_the_first(self, tmp_path: Path, children: list[Worker]) -> None:
        """The fifth job of a process, all different, gives what it gives in a new one, to the last bit."""
        more = {"validation": 100}
        other = {"recipe": PROFILE.recipe.model_copy(update={"batch": 40, "epochs": 1})}
        jobs = [job(1), job(2, conditions=other), job(3, conditions=more), job(2), job(9, conditions=more)]
        several = run(jobs, executor=HERE, store=tmp_path / "several", workers=1)
        assert [child.jobs for child in children] == [5]
        (alone,) = run(jobs[-1:], executor=HERE, store=tmp_path / "alone").values()
        fifth = several[jobs[-1].digest]
        assert isinstance(fifth, Result), fifth
        assert isinstance(alone, Result), alone
        assert len(alone.validation_loss) == 2
        times = {name: getattr(alone, name) for name in ("seconds", "cpu_seconds", "content")}
        assert fifth.model_copy(update=times) == alone

    def test_validation(self, tmp_path: Path) -> None:
        """A training with validation images tells more, and all that both tell is the same."""
        plain, watched = job(), job(conditions={"validation": 100})
        outcomes = run([plain, watched], executor=HERE, store=tmp_path, workers=1)
        one, other = outcomes[plain.digest], outcomes[watched.digest]
        assert isinstance(one, Result)
        assert isinstance(other, Result)
        assert (one.validation_accuracy, one.validation_predictions) == ((), "")
        assert len(other.validation_accuracy) == len(other.validation_loss) == 2
        labels = synthetic.embedded_course().following(200, 100).coarse_labels
        assert (other.predictions == labels).mean() == other.validation_accuracy[-1]
        assert (one.accuracy, one.loss, one.train_loss) == (other.accuracy, other.loss, other.train_loss)
        assert store.find(watched, tmp_path) == other
        assert other.cpu_seconds > 0
        assert other.intact

    def test_jax(self, tmp_path: Path) -> None:
        """A job for JAX trains on it, twice to the same bits; a child on TensorFlow refuses it."""
        name = backends.name("cpu", "jax")
        wanted = job(conditions=job().conditions.model_copy(update={"backend": name}))
        refused = run([wanted], executor=HERE, store=tmp_path)[wanted.digest]
        assert isinstance(refused, TrainerFault)
        assert "keras" in refused.message
        first, again = (
            run([wanted], store=tmp_path / place, executor=Local("cpu", "jax"))[wanted.digest]
            for place in ("one", "two")
        )
        assert isinstance(first, Result), first
        assert isinstance(again, Result), again
        assert first.backend == name
        assert (first.loss, first.train_loss) == (again.loss, again.train_loss)

    @pytest.mark.parametrize("backend", ["tensorflow", "jax"])
    def test_gpu_that_is_not_there(self, tmp_path: Path, backend: Backend) -> None:
        """A job for a GPU is a fault where there is none: nothing trains it on the CPU."""
        name = backends.name("cpu", backend).removesuffix("cpu") + "gpu"
        wanted = job(conditions=job().conditions.model_copy(update={"backend": name}))
        (outcome,) = run([wanted], store=tmp_path, executor=Local("gpu", backend)).values()
        if isinstance(outcome, Result):
            assert outcome.backend == name
        else:
            assert "finds no GPU" in outcome.message

    def test_one_fault_leaves_the_others_alone(self, tmp_path: Path) -> None:
        """A training that fails is a fault of its own job; nothing is stored for it."""
        wrong = job(conditions=job().conditions.model_copy(update={"backend": "keras 9"}))
        outcomes = run([wrong, job()], executor=HERE, store=tmp_path, workers=1)
        fault = outcomes[wrong.digest]
        assert isinstance(fault, TrainerFault)
        assert "keras 9" in fault.message
        assert isinstance(outcomes[job().digest], Result)
        assert [path.name for path in tmp_path.iterdir()] == [f"{job().digest}.json"]

    def test_over_budget(self, tmp_path: Path) -> None:
        """The child reads the blueprint as strictly as if it came from a sandbox."""
        small = Budget(parameters=10, flops=10, activations=10, nodes=50)
        (fault,) = run([job(budget=small)], executor=HERE, store=tmp_path).values()
        assert isinstance(fault, TrainerFault)
        assert "BlueprintRefused" in fault.message

    def test_too_long(self, tmp_path: Path, children: list[Worker]) -> None:
        """A training past its limit is killed."""
        (fault,) = run([job(limit_seconds=0.1)], executor=HERE, store=tmp_path).values()
        assert isinstance(fault, Overrun)
        assert "longer than" in fault.message

    def test_killed(self, tmp_path: Path, children: list[Worker]) -> None:
        """A child that the system kills is a fault that says what usually kills it."""

        class Killer(Listener):
            def started(self, job: Job) -> None:
                children[-1].process.send_signal(signal.SIGKILL)

        (fault,) = run([job()], executor=HERE, store=tmp_path, listener=Killer()).values()
        assert isinstance(fault, TrainerFault)
        assert "SIGKILL" in fault.message
        assert "memory" in fault.fix

    def test_listener_that_raises(self, tmp_path: Path, children: list[Worker]) -> None:
        """What is no fault of a training is raised, and every child is ended before `run` is left."""

        class Impatient(Listener):
            def started(self, job: Job) -> None:
                if job.seed == 1:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run([job(0), job(1), job(2)], executor=HERE, store=tmp_path, listener=Impatient())
        assert len(children) >= 2
        assert list(tmp_path.iterdir()) == []
