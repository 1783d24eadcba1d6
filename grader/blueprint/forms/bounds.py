"""What is open, in numbers, and the course's own choice in its place. The brief states them."""

from collections.abc import Mapping
from typing import Any

HE_NORMAL: Mapping[str, Any] = {
    "name": "VarianceScaling",
    "scale": 2.0,
    "mode": "fan_in",
    "distribution": "truncated_normal",
}

# Bounds of what is open; the brief states them. Spreads are measured in he_normal's for the same kernel. With
# all kernels beyond the larger one no network learns. Below the smaller one neither AlexNet nor ResNet does,
# but the wide ResNet with any spread other than 0: docs/training-form.md has what was measured.
SMALLEST_SPREAD, LARGEST_SPREAD = 0.001, 15.0
LARGEST_L2 = 1e-3
SMALLEST_EPSILON, LARGEST_EPSILON = 1e-8, 1e-2
LARGEST_MOMENTUM = 0.99
# The standard deviation of what is drawn; biases may be ones as well.
LARGEST_BIAS, LARGEST_OFFSET = 1.0, 0.1

EPSILON = 1e-3
ZEROS, ONES = {"name": "Zeros"}, {"name": "Ones"}
