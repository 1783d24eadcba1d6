"""Batch normalisation in one operation of TensorFlow instead of some twenty.

Keras writes it out: means, variances, products, each a pass over the layer's output, and as many again in
the gradient. TensorFlow has one operation for all of it, and PyTorch uses such a one too. The function is the
same, the moving statistics too; the last bits differ.
"""

from __future__ import annotations

from functools import cache
from typing import Any

FUSIBLE = ("relu", "softmax", "sigmoid")  # activations that may follow: see rebuilding.build


@cache
def layer_class() -> Any:
    """What batch normalisations are built from, with the backend that Keras has: its own class or ours."""
    import keras

    # On a GPU and under JAX, XLA fuses what Keras writes out.
    on_gpu = keras.backend.backend() == "tensorflow" and any(
        name.startswith("gpu") for name in keras.distribution.list_devices()
    )
    if keras.backend.backend() != "tensorflow" or on_gpu:
        return keras.layers.BatchNormalization

    import tensorflow as tf
    from keras import ops

    class Fused(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
        """Batch normalisation over the last axis of images."""

        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            # For other numbers of channels oneDNN's code is slower than what Keras writes out; for float64
            # there is none.
            fits = len(inputs.shape) == 4 and self.compute_dtype != "float64" and mask is None
            if not fits or inputs.shape[-1] % 8:
                return super().call(inputs, training=training, mask=mask)
            channels = inputs.shape[-1]
            learns = bool(training and self.trainable)
            images = ops.cast(inputs, "float32")
            none = tf.zeros(0)
            outputs, mean, corrected, *_ = tf.raw_ops.FusedBatchNormV3(
                x=images,
                scale=tf.convert_to_tensor(self.gamma) if self.scale else tf.ones(channels),
                offset=tf.convert_to_tensor(self.beta) if self.center else tf.zeros(channels),
                mean=none if learns else tf.convert_to_tensor(self.moving_mean),
                variance=none if learns else tf.convert_to_tensor(self.moving_variance),
                epsilon=self.epsilon,
                is_training=learns,
            )
            if learns:
                # Keras's variance is divided by n, this one by n - 1.
                values = tf.cast(tf.size(images) // channels, "float32")
                variance = corrected * ((values - 1) / values)
                keep = self.momentum
                self.moving_mean.assign(self.moving_mean * keep + mean * (1 - keep))
                self.moving_variance.assign(self.moving_variance * keep + variance * (1 - keep))
            return ops.cast(outputs, self.compute_dtype)

    return Fused
