"""A network's training form, and what of it lies outside what is open."""

from dataclasses import dataclass

from grader.blueprint.forms.editing import described, roomy
from grader.blueprint.forms.rules import RULES, Kind
from grader.blueprint.network import Blueprint, Budget
from grader.blueprint.reading import read


@dataclass(frozen=True)
class Replaced:
    """What one rule replaced in a network.

    Attributes:
        rule: its id in RULES.
        kind: how the replacement is justified.
        nodes: how many nodes it changed.
        says: what was written and what is trained in its place, as a sentence.
    """

    rule: str
    kind: Kind
    nodes: int
    says: str


@dataclass(frozen=True)
class TrainingForm:
    """What is trained of a network.

    Attributes:
        network: what is trained and digested.
        replaced: what is in it in place of what was written; nothing if it was written like this.
    """

    network: Blueprint
    replaced: tuple[Replaced, ...]


@dataclass(frozen=True)
class Outside:
    """Something a rule would replace if it were within the bounds of what is open.

    Attributes:
        rule: its id in RULES.
        layer: what the student called the layer.
        says: what it has and what is open, as a sentence.
    """

    rule: str
    layer: str
    says: str


def training_form(written: Blueprint, budget: Budget) -> TrainingForm:
    """What is trained of a network: with the course's own choice wherever the brief leaves one.

    It costs no more than what was written, but for one number a channel where a batch normalisation is given
    the scale that it was written without; and that only within the budget.

    Args:
        written: as it was read; its training form is its own.
        budget: the most that the network may take.

    Raises:
        BlueprintRefused: what was written is over the budget, and its training form as well.
    """
    network, changed = written, dict.fromkeys((rule.id for rule in RULES), 0)
    # One rule may make way for another, as a padding that is gone does for the bias before it. Each takes
    # something away or sets it for good, so that there is an end.
    before = None
    while before != network.digest:
        before = network.digest
        for rule in RULES:
            # A decree holds for a network or does not: one layer beyond its bounds, and all stay as written.
            if rule.kind == "decree" and any(rule.beyond(network)):
                continue
            edit = rule.apply(network)
            if edit.changed:
                after = read(edit.description(), roomy(network))
                if after.parameters > max(budget.parameters, network.parameters):
                    continue
                network, changed[rule.id] = after, changed[rule.id] + edit.changed
    network = read(described(network), budget)
    return TrainingForm(
        network,
        tuple(
            Replaced(rule.id, rule.kind, changed[rule.id], f"{rule.trained[0].upper()}{rule.trained[1:]}.")
            for rule in RULES
            if changed[rule.id]
        ),
    )


def outside(written: Blueprint) -> tuple[Outside, ...]:
    """Where a network goes beyond what is open: it is trained as written there, and may not learn."""
    # What is left of it in the training form: a bias that a normalisation takes away is no matter.
    network = training_form(written, roomy(written)).network
    return tuple(Outside(rule.id, node.name, says) for rule in RULES for node, says in rule.beyond(network))
