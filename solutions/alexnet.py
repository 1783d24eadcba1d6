"""Task 2: an AlexNet for 32x32 images, after Krizhevsky, Sutskever and Hinton (2012).

The original was designed for images of 224x224. On 32x32, its 11x11 convolution with stride 4 would lose most
of the picture in one step, so the kernels here are smaller and every convolution has stride 1.
"""

import keras


def build_alexnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    width: float = 1.0,
    dropout: float = 0.5,
) -> keras.Model:
    """Builds the network: nine weight layers, five convolutions and four dense layers.

    | layer          | units | kernel | then                                                  |
    |----------------|-------|--------|-------------------------------------------------------|
    | convolution 1  | 96    | 5x5    | batch normalisation, ReLU, 2x2 max pooling            |
    | convolution 2  | 256   | 5x5    | batch normalisation, ReLU, 2x2 max pooling            |
    | convolution 3  | 384   | 3x3    | batch normalisation, ReLU                             |
    | convolution 4  | 384   | 3x3    | batch normalisation, ReLU                             |
    | convolution 5  | 256   | 3x3    | batch normalisation, ReLU, 2x2 max pooling, flatten   |
    | dense 1        | 1024  |        | batch normalisation, ReLU, dropout                    |
    | dense 2        | 1024  |        | batch normalisation, ReLU, dropout                    |
    | dense 3        | 512   |        | batch normalisation, ReLU, dropout                    |
    | dense 4        | num_classes |  | softmax                                               |

    Convolutions have stride 1 and padding 'same'. The network takes what `preprocessing.prepare` returns:
    it does not scale its input.

    Args:
        num_classes: units of the last layer.
        input_shape: (H, W, channels) of one image.
        width: scales every layer but the last: a layer of n units gets `max(1, round(width * n))`.
        dropout: the share of units that is dropped, at least 0 and below 1.

    Returns:
        A `keras.Model`, not compiled, from (batch, *input_shape) to probabilities (batch, num_classes).

    Raises:
        ValueError: if `num_classes` or `width` is not above 0, or `dropout` is not in [0, 1).

    Example:
        >>> model = build_alexnet(100)
        >>> model.input_shape, model.output_shape
        ((None, 32, 32, 3), (None, 100))

        It has 9,544,516 trainable parameters, without biases before a batch normalisation;
        `model.summary()` shows yours.
    """
    # BEGIN SOLUTION
    if num_classes < 1:
        raise ValueError(f"`num_classes` must be above 0. Received: num_classes={num_classes}")
    if width <= 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be at least 0 and below 1. Received: dropout={dropout}")

    inputs = keras.Input(shape=input_shape)
    x = inputs  # (batch, H, W, channels)
    for number, (filters, kernel, pool) in enumerate(
        [(96, 5, True), (256, 5, True), (384, 3, False), (384, 3, False), (256, 3, True)], start=1
    ):
        x = keras.layers.Conv2D(
            max(1, round(width * filters)),
            kernel,
            padding="same",
            use_bias=False,  # the batch normalisation that follows subtracts any bias again
            kernel_initializer="he_normal",  # keeps the variance from ReLU to ReLU
            name=f"conv{number}",
        )(x)
        x = keras.layers.BatchNormalization(name=f"conv{number}_bn")(x)
        x = keras.layers.ReLU(name=f"conv{number}_relu")(x)
        if pool:
            x = keras.layers.MaxPooling2D(2, name=f"conv{number}_pool")(x)

    x = keras.layers.Flatten(name="flatten")(x)  # (batch, H/8 * W/8 * filters)
    for number, units in enumerate([1024, 1024, 512], start=1):
        x = keras.layers.Dense(
            max(1, round(width * units)),
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"dense{number}",
        )(x)
        x = keras.layers.BatchNormalization(name=f"dense{number}_bn")(x)
        x = keras.layers.ReLU(name=f"dense{number}_relu")(x)
        x = keras.layers.Dropout(dropout, name=f"dense{number}_dropout")(x)

    outputs = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="alexnet")
    # END SOLUTION
