"""The one list of what is open: RULES, in the order in which they are applied."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from grader.blueprint.forms.bounds import (
    EPSILON,
    LARGEST_BIAS,
    LARGEST_EPSILON,
    LARGEST_L2,
    LARGEST_MOMENTUM,
    LARGEST_OFFSET,
    LARGEST_SPREAD,
    SMALLEST_EPSILON,
    SMALLEST_SPREAD,
)
from grader.blueprint.forms.channels import zeros_behind
from grader.blueprint.forms.editing import Edit
from grader.blueprint.forms.numbers import (
    epsilon_too_large,
    momentum_too_large,
    one_epsilon,
    one_momentum,
    penalised_too_much,
    without_l2,
)
from grader.blueprint.forms.starts import (
    far_from_zeros,
    from_zeros,
    gammas_of_ones,
    gammas_too_small,
    he_normal,
    spread_too_far,
    with_scale,
)
from grader.blueprint.forms.structure import (
    padded_alike,
    padded_for_stride,
    padded_once,
    pooled_before_zeros,
    pooled_by_one,
    rectified,
    without_bias,
)
from grader.blueprint.network import Blueprint, Node

Kind = Literal["exact", "in distribution", "decree"]


@dataclass(frozen=True)
class Rule:
    """One thing that is open.

    Attributes:
        id: names it in results.
        kind: "exact": the same function, in training as in inference, under weights that are carried over.
            "in distribution": the same but for an order of channels, in which first weights are as likely.
            "decree": another network, which the course takes for this one.
        open: what may be written, with its bounds, as in the brief; empty where the brief need not say it.
        trained: what is trained in its place, as in "biases that nothing reads are left out".
        why: what makes it this kind of rule.
        apply: the description with the replacements.
        beyond: what a network has that is outside the bounds: for each node, a sentence. A decree replaces
            nothing in a network of which there is any.
    """

    id: str
    kind: Kind
    open: str
    trained: str
    why: str
    apply: Callable[[Blueprint], Edit]
    beyond: Callable[[Blueprint], Iterator[tuple[Node, str]]] = lambda _: iter(())


RULES: tuple[Rule, ...] = (
    Rule(
        id="paddings in a row",
        kind="exact",
        open="",
        trained="zeros that are put around an image in several steps are put there in one",
        why="zeros around zeros are zeros",
        apply=padded_once,
    ),
    Rule(
        id="ReLU twice",
        kind="exact",
        open="",
        trained="a ReLU of what is not negative is left out",
        why="it changes no value, and where the value is 0 no gradient arrives either way",
        apply=rectified,
    ),
    Rule(
        id="pooling by one",
        kind="exact",
        open="",
        trained="a pooling over windows of 1x1 with stride 1 is left out",
        why="the largest of one value and the mean of one value are that value",
        apply=pooled_by_one,
    ),
    Rule(
        id="kernel start",
        kind="decree",
        open="any random initialiser for kernels (He, Glorot, LeCun, orthogonal, normal, uniform) whose "
        f"standard deviation is {SMALLEST_SPREAD:g} to {LARGEST_SPREAD:g} times that of `he_normal` for the "
        "same layer; that of `RandomNormal(stddev=0.01)`, as in the AlexNet of 2012, always is",
        trained="kernels start from he_normal, and the last dense layer's from glorot_uniform",
        why="normalisation takes a kernel's scale out of what the network computes, though not out of how "
        "far a step turns it",
        apply=he_normal,
        beyond=spread_too_far,
    ),
    Rule(
        id="padding like same",
        kind="exact",
        open='for stride 1, padding `"same"` or as many zeros of your own around the image',
        trained='zeros put around an image before a convolution, where "same" would put them, are "same"',
        why="the convolution reads the same pixels",
        apply=padded_alike,
    ),
    Rule(
        id="padding for stride 2",
        kind="decree",
        open='for stride 2, padding `"same"` or zeros of your own that give the same size, on each side no '
        "more than half a window",
        trained='zeros put around an image before a stride of 2 are those of "same"',
        why="windows lie one pixel further up and left, and an average counts the zeros at the border",
        apply=padded_for_stride,
    ),
    Rule(
        id="zeros after pooling",
        kind="exact",
        open="whether the wide ResNet's channels of zeros are joined before or after the pooling",
        trained="channels of zeros are joined after the pooling",
        why="the average of zeros is 0",
        apply=pooled_before_zeros,
    ),
    Rule(
        id="zeros behind",
        kind="in distribution",
        open="whether these channels of zeros come before, behind or around the others",
        trained="channels of zeros come behind the others",
        why="it is the same network with its channels in another order, and in any order the first weights "
        "are as likely",
        apply=zeros_behind,
    ),
    Rule(
        id="bias before normalisation",
        kind="exact",
        open="biases before a batch normalisation or not (the numbers of parameters in the docstrings are "
        "without)",
        trained="biases before a batch normalisation are left out",
        why="the normalisation subtracts each channel's mean, and the bias with it; so it gets no gradient",
        apply=without_bias,
    ),
    Rule(
        id="bias start",
        kind="decree",
        open=f"other biases that start from zeros, ones or any spread up to {LARGEST_BIAS:g}",
        trained="biases start from zeros",
        why="the first steps of the training undo the difference",
        apply=from_zeros("bias"),
        beyond=far_from_zeros("bias"),
    ),
    Rule(
        id="offset start",
        kind="decree",
        open=f"betas that start from zeros or any spread up to {LARGEST_OFFSET:g}",
        trained="the betas of batch normalisations start from zeros",
        why="the first steps of the training undo the difference",
        apply=from_zeros("beta"),
        beyond=far_from_zeros("beta"),
    ),
    Rule(
        id="gamma start",
        kind="decree",
        open="gammas that start from ones; from zeros only in the last batch normalisation before an "
        "addition, and not on both of its paths",
        trained="the gammas of batch normalisations start from ones",
        why="it starts as a network with fewer blocks, which takes a few steps longer",
        apply=gammas_of_ones,
        beyond=gammas_too_small,
    ),
    Rule(
        id="scale left out",
        kind="decree",
        open="in the AlexNet, `scale=False` in a batch normalisation: layers with weights follow",
        trained="batch normalisations that have an offset learn a scale as well",
        why="the kernel that follows can scale as well",
        apply=with_scale,
    ),
    Rule(
        id="L2",
        kind="decree",
        open=f"L2 regularisation up to {LARGEST_L2:g}, or none",
        trained="there is no L2 regularisation; the recipe has a weight decay of its own",
        why="how weights are kept small is the recipe's business, the same for everyone",
        apply=without_l2,
        beyond=penalised_too_much,
    ),
    Rule(
        id="epsilon",
        kind="decree",
        open=f"the `epsilon` of batch normalisations, from {SMALLEST_EPSILON:g} to {LARGEST_EPSILON:g}",
        trained=f"the epsilon of batch normalisations is {EPSILON:g}",
        why="it is small beside the variance of what is normalised",
        apply=one_epsilon,
        beyond=epsilon_too_large,
    ),
    Rule(
        id="momentum",
        kind="exact",
        open=f"the `momentum` of batch normalisations, up to {LARGEST_MOMENTUM:g}",
        trained=f"the momentum of batch normalisations is {LARGEST_MOMENTUM:g}",
        why="training never reads the moving statistics, and they are taken afresh before anything is scored",
        apply=one_momentum,
        beyond=momentum_too_large,
    ),
)
