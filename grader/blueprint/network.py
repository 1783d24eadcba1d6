"""What a network is to the grader: nodes in order, each with its operation, settings, inputs and shape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FORMAT = 1  # of the description; part of the canonical form and so of every digest


@dataclass(frozen=True)
class Budget:
    """The most that a network may take; all of it is checked before anything is built.

    Attributes:
        parameters: weights, the moving statistics of batch normalisation included.
        flops: operations for one example, forward; a multiply-add is two.
        activations: floats that all nodes together put out for one example.
        nodes: layers and operations, before and after `activation=` is split off.
    """

    parameters: int
    flops: int
    activations: int
    nodes: int


@dataclass(frozen=True)
class Node:
    """One layer or operation. Its settings are those of this table, all of them, always:

    ====================== ===================================================================
    op                     settings
    ====================== ===================================================================
    Input                  none; the first node, and the only one without inputs
    Conv2D                 filters, kernel_size (h, w), strides (h, w), padding, use_bias,
                           kernel_initializer, bias_initializer, kernel_l2, bias_l2
    Dense                  units, use_bias,
                           kernel_initializer, bias_initializer, kernel_l2, bias_l2
    BatchNormalization     momentum, epsilon, center, scale,
                           beta_initializer, gamma_initializer, beta_l2, gamma_l2
    Activation             activation: "relu", "softmax", "sigmoid" or "tanh"
    MaxPooling2D           pool_size (h, w), strides (h, w), padding
    AveragePooling2D       the same
    GlobalAveragePooling2D keepdims
    GlobalMaxPooling2D     keepdims
    Flatten                none
    Dropout                rate
    Pad                    widths ((before, after), one pair for each axis of the shape); zeros
    Add                    none; two inputs or more, in no order
    Concatenate            none; two inputs or more, along the last axis
    Unknown                shape, joins: a layer that a blueprint has no word for; it is never trained
    ====================== ===================================================================

    `padding` is "same" or "valid"; "same" where it adds nothing (a 1x1 kernel) is written "valid".
    An initialiser is a dictionary with a `name`, or None where there is no such weight. The L2 factors are
    floats, 0.0 where there is no penalty. Axes are always the last, `strides` of a pooling always stated.
    `activation=` of a layer is a node of its own after it, and "linear" is no node at all. What does the same
    is written the same: zeros joined by concatenation are a Pad; an average pooling over all of the image is
    a GlobalAveragePooling2D with keepdims, and a Flatten after that is one without; two nodes that are bound
    to give the same values (the same activation of the same node) are one.

    Attributes:
        index: its place in `Blueprint.nodes`.
        op: what it is.
        settings: read-only; sizes are tuples.
        inputs: indices of the nodes it reads, all smaller than its own.
        shape: of its output, without the batch.
        parameters: all its weights.
        trainable_parameters: those that training changes.
        name: what the student called it, for messages: no part of the canonical form.
        flops: for one example, forward; a multiply-add is two.
    """

    index: int
    op: str
    settings: Mapping[str, Any]
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    parameters: int = 0
    trainable_parameters: int = 0
    name: str = field(default="", compare=False)
    flops: int = 0

    def __str__(self) -> str:
        return f"{self.op} '{self.name}'" if self.name else self.op


@dataclass(frozen=True)
class Blueprint:
    """A network that is on the allowlist and within budget, in its canonical form.

    Attributes:
        nodes: in topological order; the first is the input, the last the output.
        canonical: the canonical form as JSON-able data; `read` takes it and gives this blueprint again.
        digest: SHA-256 of the canonical form, hexadecimal: the same for the same network, however written.
        flops: for one example, forward; a multiply-add is two.
        activations: floats that all nodes together put out for one example.
    """

    nodes: tuple[Node, ...]
    canonical: dict[str, Any] = field(repr=False)
    digest: str
    flops: int
    activations: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Without the batch."""
        return self.nodes[0].shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Without the batch."""
        return self.nodes[-1].shape

    @property
    def output(self) -> Node:
        """The last node."""
        return self.nodes[-1]

    @cached_property
    def parameters(self) -> int:
        """All weights, moving statistics included."""
        return sum(node.parameters for node in self.nodes)

    @cached_property
    def trainable_parameters(self) -> int:
        """The weights that training changes."""
        return sum(node.trainable_parameters for node in self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def of(self, *ops: str) -> tuple[Node, ...]:
        """The nodes of these operations, in order."""
        return tuple(node for node in self.nodes if node.op in ops)
