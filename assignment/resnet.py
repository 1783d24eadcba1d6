"""Task 3: residual networks for 32x32 images, after He, Zhang, Ren and Sun (2015).

ResNet-50 was designed for images of 224x224 and begins by making them sixteen times smaller in area. Here the
stem keeps every pixel; the rest is as in the original.
"""

import keras


def bottleneck_block(x: keras.KerasTensor, filters: int, *, stride: int = 1) -> keras.KerasTensor:
    """Applies one bottleneck: three convolutions on the main path, added to a shortcut.

    Main path, a batch normalisation after each convolution and a ReLU after the first two:

    1. 1x1 convolution to `filters`;
    2. 3x3 convolution to `filters`, with the block's stride;
    3. 1x1 convolution to `4 * filters`.

    The shortcut is `x` itself where the main path has kept its shape. Where the main path has changed size
    or number of channels, it is a 1x1 convolution to `4 * filters` with the block's stride, then batch
    normalisation. The two are added, and a ReLU follows the addition.

    Args:
        x: symbolic tensor (batch, H, W, C), as between the layers of a functional model.
        filters: channels of the first two convolutions.
        stride: of the 3x3 convolution and of a convolution on the shortcut.

    Returns:
        symbolic tensor (batch, H / stride, W / stride, 4 * filters).

    Raises:
        ValueError: if `filters` or `stride` is not above 0.

    Example:
        >>> x = keras.Input(shape=(32, 32, 64))
        >>> bottleneck_block(x, 64).shape
        (None, 32, 32, 256)
        >>> bottleneck_block(x, 128, stride=2).shape
        (None, 16, 16, 512)
    """
    raise NotImplementedError("bottleneck_block is not written yet: replace this line")


def build_resnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    blocks: tuple[int, ...] = (3, 4, 6, 3),
    width: int = 64,
) -> keras.Model:
    """Builds a ResNet of bottleneck blocks; the defaults are ResNet-50.

    1. Stem: 3x3 convolution to `width` channels with stride 1 and padding 'same', batch normalisation,
       ReLU. No pooling.
    2. One stage for each entry of `blocks`, counted from 0: stage i has `blocks[i]` bottleneck blocks with
       `filters = width * 2**i`. The first block of every stage but stage 0 has stride 2, all others have
       stride 1.
    3. Global average pooling, then a dense layer to `num_classes` with softmax.

    The network takes what `preprocessing.prepare` returns: it does not scale its input.

    Args:
        num_classes: units of the last layer.
        input_shape: (H, W, channels) of one image.
        blocks: how many bottleneck blocks each stage has.
        width: channels of the stem, and `filters` of the first stage.

    Returns:
        A `keras.Model`, not compiled, from (batch, *input_shape) to probabilities (batch, num_classes).

    Raises:
        ValueError: if `num_classes`, `width` or a number in `blocks` is not above 0, or `blocks` is empty.

    Example:
        >>> model = build_resnet(20, blocks=(1, 1), width=8)
        >>> model.input_shape, model.output_shape
        ((None, 32, 32, 3), (None, 20))

        The defaults have 23,705,252 trainable parameters with 100 classes, without biases before a batch
        normalisation; `build_resnet(100).summary()` shows yours.
    """
    raise NotImplementedError("build_resnet is not written yet: replace this line")
