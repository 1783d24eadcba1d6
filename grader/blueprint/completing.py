"""A network whose last layer gives scores is trained with the softmax that turns them into probabilities."""

from grader.blueprint.network import Blueprint, Budget
from grader.blueprint.reading import read

_PROBABILITIES = ("softmax", "sigmoid")


def with_probabilities(network: Blueprint, budget: Budget) -> Blueprint:
    """The network itself if it ends in probabilities, else the network with a softmax after it.

    Scores ("logits") are a mistake of one line, which any user puts right with `from_logits=True`; trained as
    probabilities they would teach nothing, and say nothing of the layers before them.

    Args:
        network: any.
        budget: the most that it may take; one activation more is within any.
    """
    last = network.output
    if last.op == "Activation" and last.settings["activation"] in _PROBABILITIES:
        return network
    nodes = [*network.canonical["nodes"]]
    nodes.append({"op": "Activation", "settings": {"activation": "softmax"}, "inputs": [last.index]})
    room = Budget(budget.parameters, 2 * budget.flops, 2 * budget.activations, budget.nodes + 1)
    return read({**network.canonical, "nodes": nodes, "output": len(nodes) - 1}, room)
