"""Known networks: found where everything is the same that could change a result, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest

from grader import blueprint, thresholds
from grader.blueprint import Blueprint, training_form
from grader.config.profiles import LabelSet, Profile
from grader.thresholds import KnownNetworks, ReferenceRun, Runs
from grader.training.job import Conditions, Job
from tests.grader.training.tiny import NETWORK, PIN, PROFILE, result

ELSEWHERE = "keras 9.9 tensorflow 9.9 cpu"
SEEDS = (PROFILE.grading_seed, *PROFILE.reference_seeds)
FORM = training_form(NETWORK, PROFILE.budget).network


def measured(**changes: Any) -> Runs:
    """Reference runs of the network on coarse labels, on another machine."""
    jobs = [Job.of(FORM, "coarse", seed, PROFILE, PIN, ELSEWHERE) for seed in SEEDS]
    runs = [
        ReferenceRun(
            task="alexnet",
            blueprint=FORM.digest,
            result=result(job, accuracy=0.3 + job.seed / 100, machine="AMD EPYC 9B14, 2 cores, Linux x86_64"),
        )
        for job in jobs
    ]
    return Runs(
        profile="tiny",
        conditions=Conditions.of(PROFILE, PIN, ELSEWHERE),
        grading_seed=PROFILE.grading_seed,
        builders={"alexnet": {}},
        runs=tuple(runs),
    ).model_copy(update=changes)


def known(runs: Runs | None = None, profile: Profile = PROFILE, pin: str = PIN) -> KnownNetworks:
    return KnownNetworks.of(runs or measured(), profile, pin)


def other(**settings: Any) -> Blueprint:
    """The network with another layer in the second place."""
    nodes = [dict(node) for node in FORM.canonical["nodes"]]
    nodes[1] = {**nodes[1], "settings": {**nodes[1]["settings"], **settings}}
    return blueprint.read({**FORM.canonical, "nodes": nodes}, PROFILE.budget)


class TestFind:
    """KnownNetworks.find."""

    def test_known(self) -> None:
        """Whatever computes here: the run of the grading seed, with what the others came to."""
        found = known().find("alexnet", "coarse", FORM)
        assert found is not None
        assert (found.result.seed, found.result.backend) == (PROFILE.grading_seed, ELSEWHERE)
        assert (found.n, found.mean) == (5, pytest.approx(0.33))
        assert known()
        assert known().why == ""

    def test_in_words(self) -> None:
        """In one line: which network, how often it was trained, and which run counts, made where and when."""
        found = known().find("alexnet", "coarse", FORM)
        assert found is not None
        assert found.in_words() == (
            "The reference network; trained 5 times, 33.0% on average; run of seed 0: 30.0%, "
            "AMD EPYC 9B14, 2026-11-26."
        )

    @pytest.mark.parametrize(
        ("task", "labels", "network"),
        [
            ("alexnet", "fine", FORM),
            ("resnet", "coarse", FORM),
            ("alexnet", "coarse", other(filters=5)),
            ("alexnet", "coarse", other(kernel_l2=0.1)),
        ],
    )
    def test_another(self, task: str, labels: LabelSet, network: Blueprint) -> None:
        """Other labels, another task, or a network that differs in anything, are not known."""
        assert known().find(task, labels, network) is None

    def test_reference_seeds_are_no_marks(self) -> None:
        """A run under a reference seed is never taken for that of the grading seed."""
        runs = measured()
        others = runs.model_copy(update={"runs": runs.runs[1:]})
        assert known(others).find("alexnet", "coarse", FORM) is None

    def test_an_edited_file(self) -> None:
        """Runs that are said to be another network's are not found for that: a result is of one training."""
        runs = measured()
        edited = tuple(run.model_copy(update={"blueprint": other(filters=5).digest}) for run in runs.runs)
        assert (
            known(runs.model_copy(update={"runs": edited})).find("alexnet", "coarse", other(filters=5))
            is None
        )


class TestStale:
    """What is known of a profile that has changed since: nothing, and why."""

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"train": 300}, "train was 200, is 300"),
            ({"hidden": 200}, "hidden was 100, is 200"),
            ({"validation": 100}, "validation was 0, is 100"),
            ({"grading_seed": 8}, "grading_seed was 0, is 8"),
            ({"recipe": PROFILE.recipe.model_copy(update={"epochs": 3})}, "recipe.epochs was 2, is 3"),
            ({"builders": {"alexnet": {"width": 2}}}, "builders.alexnet.width was None, is 2"),
        ],
    )
    def test_params(self, changes: dict[str, Any], said: str) -> None:
        """Each change is named with what it was and is."""
        stale = known(profile=PROFILE.model_copy(update=changes))
        assert not stale
        assert stale.find("alexnet", "coarse", FORM) is None
        assert stale.why == f"the reference runs were made under other conditions ({said})"

    def test_data(self) -> None:
        """So it is with other images."""
        assert "pin was" in known(pin="other").why

    def test_none(self, tmp_path: Path) -> None:
        """Where nothing was measured, that is why."""
        nothing = KnownNetworks.of(thresholds.find_runs(tmp_path), PROFILE, PIN)
        assert not nothing
        assert nothing.why == "profile tiny has no reference runs"
