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
    raise NotImplementedError("build_alexnet is not written yet: replace this line")
