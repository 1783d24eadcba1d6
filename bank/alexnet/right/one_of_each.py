"""Every layer starts in another way, each of them open: a comparison of initialisers that was left in."""

import itertools

import keras
from keras import initializers as first
from keras import layers

KERNELS = [
    "he_uniform",
    "glorot_normal",
    first.LecunUniform(),
    first.TruncatedNormal(stddev=0.02),
    first.RandomUniform(-0.1, 0.1),
    first.Orthogonal(gain=2.0),
    first.VarianceScaling(scale=1.5, mode="fan_out", distribution="untruncated_normal"),
    first.RandomNormal(),
    "random_uniform",
]
EPSILONS = [1e-7, 1e-5, 1.001e-5, 1e-4, 1e-3, 5e-3, 1e-2, 1e-3]
MOMENTA = [0.5, 0.9, 0.95, 0.97, 0.98, 0.99, 0.0, 0.9]


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    kernels, epsilons, momenta = iter(KERNELS), iter(EPSILONS), iter(MOMENTA)
    bias = itertools.cycle([True, False, False])

    def settings(l2):
        use = next(bias)
        penalty = keras.regularizers.L2(l2)
        return {
            "use_bias": use,
            "kernel_initializer": next(kernels),
            "kernel_regularizer": penalty,
            "bias_initializer": first.RandomNormal(stddev=0.1),
            "bias_regularizer": penalty if use else None,
        }

    def norm(x):
        beta = first.RandomNormal(stddev=0.05)
        return layers.BatchNormalization(
            momentum=next(momenta), epsilon=next(epsilons), beta_initializer=beta
        )(x)

    x = inputs = keras.Input(input_shape)
    for filters, kernel, pool in [(96, 5, 2), (256, 5, 2), (384, 3, 0), (384, 3, 0), (256, 3, 2)]:
        x = layers.Conv2D(max(1, round(width * filters)), kernel, padding="SAME", **settings(1e-3))(x)
        x = layers.ReLU()(norm(x))
        if pool:
            x = layers.MaxPooling2D(pool)(x)
    x = layers.Flatten()(x)
    for units in (1024, 1024, 512):
        x = layers.Dense(max(1, round(width * units)), **settings(1e-4))(x)
        x = layers.Dropout(dropout)(layers.ReLU()(norm(x)))
    x = layers.Dense(num_classes, kernel_initializer=next(kernels), bias_initializer="random_normal")(x)
    return keras.Model(inputs, layers.Activation("softmax")(x))
