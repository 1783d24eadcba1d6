"""The page of a training: what is worst, what is confused, and that names and numbers are text."""

import numpy as np

from grader.practice.experiments import Experiment, differences
from grader.practice.run_page import confusion_counts, curves, most_confused, page, worst
from lab import synthetic
from lab.training import Recipe

RECIPE = Recipe(
    epochs=2,
    batch=32,
    peak_rate=0.2,
    warm_up=0.6,
    momentum=0.9,
    weight_decay=5e-4,
    label_smoothing=0.1,
    shift=0,
    flip=True,
    settle=16,
)
RUN = Experiment(
    id="1-alexnet-coarse",
    task="alexnet",
    labels="coarse",
    written="ab" * 32,
    trained="cd" * 32,
    replaced=("<b>an initialiser</b>",),
    parameters=1000,
    recipe=RECIPE,
    profile="offline",
    data="the embedded set",
    pin="0123",
    train=400,
    validation=100,
    seed=0,
    train_accuracy=(0.1, 0.2),
    train_loss=(2.0, None),
    validation_accuracy=(0.1, 0.3),
    validation_loss=(2.0, None),
    stopped=True,
    seconds=3.0,
    when="2026-11-26T20:00:00+00:00",
    backend="keras",
)


class TestPage:
    """All of it in one file."""

    def test_whole(self) -> None:
        validation = synthetic.embedded_course().prefix(200)
        probabilities = np.random.default_rng(0).dirichlet(np.ones(20), 200).astype(np.float32)
        made = page(RUN, "AlexNet", validation, probabilities)
        assert "AlexNet on 20 superclasses: 30.0%" in made
        assert "&lt;b&gt;an initialiser" in made
        assert "It was stopped" in made
        assert "ran away" in made
        assert made.count("data:image/png;base64,") == 12

    def test_a_loss_that_ran_away(self) -> None:
        made = page(RUN, "AlexNet", synthetic.embedded_course().prefix(200), None)
        assert "Worst mistakes" not in made
        assert "The loss ran away" in made


class TestWorst:
    """The mistakes that the network is surest of."""

    def test_surest_first_and_none_that_is_right(self) -> None:
        images = np.zeros((4, 2, 2, 3), np.uint8)
        labels = np.array([0, 1, 0, 1])
        said = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]], np.float32)
        found = worst(images, labels, said, ("cat", "dog"))
        assert [(one.true, one.said, round(one.confidence, 2)) for one in found] == [
            ("cat", "dog", 0.8),
            ("dog", "cat", 0.6),
        ]

    def test_confused(self) -> None:
        counts = confusion_counts(np.array([0, 0, 0, 1]), np.array([1, 1, 0, 1]), 2)
        (one,) = most_confused(counts, ("cat", "dog"))
        assert (one.true, one.said, one.times, one.images) == ("cat", "dog", 2, 3)


class TestRuns:
    """Several beside each other."""

    def test_what_differs(self) -> None:
        other = RUN.model_copy(
            update={"id": "2-alexnet-coarse", "recipe": RECIPE.model_copy(update={"epochs": 5})}
        )
        assert differences([RUN, other]) == {"recipe: epochs": ["2", "5"]}
        assert differences([RUN, RUN]) == {}

    def test_curves_are_the_same_bytes_each_time(self) -> None:
        assert curves([RUN, RUN]) == curves([RUN, RUN])
