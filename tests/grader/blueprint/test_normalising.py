"""Batch normalisation in one operation against what Keras writes out."""

from typing import Any

import keras
import numpy as np
import pytest

from grader.blueprint import ACTIVATIONS, FORMAT, Budget, build, normalising, read

SETTINGS: list[dict[str, Any]] = [
    {},
    {"scale": False, "center": False, "epsilon": 1e-5},
    {"momentum": 0.0},
]


@pytest.mark.slow
class TestLayerClass:
    """layer_class, on TensorFlow and a CPU."""

    @pytest.mark.parametrize("channels", [8, 24, 18])
    @pytest.mark.parametrize("settings", SETTINGS)
    def test_the_same_function(self, settings: dict[str, Any], channels: int) -> None:
        """Outputs, gradients, moving statistics and scores are Keras's, up to how float32 rounds."""
        import tensorflow as tf

        draw = np.random.default_rng(0)
        images = tf.constant(draw.normal(3.0, 2.0, (6, 5, 5, channels)).astype(np.float32))
        weights = tf.constant(draw.normal(size=images.shape).astype(np.float32))
        found: list[list[Any]] = []
        for kind in (keras.layers.BatchNormalization, normalising.layer_class()):
            layer = kind(**settings)
            layer.build(images.shape)
            for variable in layer.trainable_variables:
                variable.assign(np.linspace(0.5, 1.5, channels, dtype=np.float32))
            with tf.GradientTape() as tape:
                tape.watch(images)
                outputs = layer(images, training=True)
                loss = tf.reduce_sum(outputs * outputs * weights)
            learned = [images, *(variable.value for variable in layer.trainable_variables)]
            found.append(
                [outputs, *tape.gradient(loss, learned), *layer.weights, layer(images, training=False)]
            )
        assert len(found[0]) == len(found[1])
        for one, other in zip(*found, strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=2e-4, atol=2e-4)

    @pytest.mark.parametrize("activation", ACTIVATIONS)
    @pytest.mark.parametrize("op", ["Conv2D", "Dense"])
    def test_every_activation_may_follow(self, activation: str, op: str) -> None:
        """TensorFlow takes convolution, normalisation and what follows for one operation, if it has that."""
        description = {
            "format": FORMAT,
            "input_shape": [8, 8, 3],
            "nodes": [
                {"op": "Input", "settings": {}, "inputs": []},
                *(
                    [
                        {
                            "op": "Conv2D",
                            "settings": {"filters": 16, "kernel_size": 3, "use_bias": False},
                            "inputs": [0],
                        }
                    ]
                    if op == "Conv2D"
                    else [{"op": "Dense", "settings": {"units": 16}, "inputs": [0]}]
                ),
                {"op": "BatchNormalization", "settings": {}, "inputs": [1]},
                {"op": "Activation", "settings": {"activation": activation}, "inputs": [2]},
                {"op": "GlobalAveragePooling2D", "settings": {}, "inputs": [3]},
                {"op": "Dense", "settings": {"units": 4, "activation": "softmax"}, "inputs": [4]},
            ],
            "output": 5,
        }
        images = np.random.default_rng(0).normal(size=(6, 8, 8, 3)).astype(np.float32)
        scores = []
        for fused in (False, True):
            keras.utils.set_random_seed(1)
            network = build(read(description, Budget(10**6, 10**9, 10**6, 100)), fused=fused)
            network.compile(optimizer="sgd", loss="categorical_crossentropy")
            network.fit(images, np.eye(4)[[0, 1, 2, 3, 0, 1]], batch_size=3, verbose=0)
            scores.append(network.predict(images, verbose=0))
        np.testing.assert_allclose(scores[0], scores[1], rtol=2e-4, atol=2e-4)

    def test_where_it_is_used(self) -> None:
        """It is Keras's own layer to whoever asks, and one operation in the graph where that is faster."""
        import tensorflow as tf

        kind = normalising.layer_class()
        assert issubclass(kind, keras.layers.BatchNormalization)

        def operations(*shape: int) -> set[str]:
            layer = kind()
            layer.build(shape)
            graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(tf.TensorSpec(shape))
            return {operation.type for operation in graph.graph.get_operations()}

        assert "FusedBatchNormV3" in operations(2, 4, 4, 16)
        assert "FusedBatchNormV3" not in operations(2, 4, 4, 18)
        assert "FusedBatchNormV3" not in operations(2, 16)
