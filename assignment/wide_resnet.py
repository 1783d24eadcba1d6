"""Task 4: a wide residual network, after McDonnell (2018).

ResNet-50 is deep and narrow; this network is shallow and wide, and it normalises *before* each convolution
instead of after it. Its shortcuts have no weights: where the shape changes, average pooling makes the image
smaller, and channels of zeros are added.

M. D. McDonnell, "Training wide residual networks for deployment using a single bit for each weight",
ICLR 2018, https://arxiv.org/abs/1802.08530.
"""

import keras


def build_wide_resnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    depth: int = 20,
    width: int = 10,
) -> keras.Model:
    """Builds a wide ResNet; its name is depth-width, and the defaults are the 20-10.

    1. Stem: batch normalisation of the image, with learned scale and offset, then a 3x3 convolution to
       `16 * width` channels. No ReLU.
    2. Three stages, counted from 0, of n blocks each, where `depth = 6 * n + 2`. Stage i has
       `16 * width * 2**i` channels.
    3. Tail: batch normalisation, ReLU, a 1x1 convolution to `num_classes` channels, batch normalisation,
       global average pooling, softmax. No dense layer.

    A block is batch normalisation, ReLU and a 3x3 convolution, twice, then the addition of its shortcut.
    Nothing follows the addition: the next block normalises first.

    The first block of every stage but stage 0 has stride 2, on its first convolution. There the shortcut is
    3x3 average pooling with stride 2 and padding 'same', then channels of zeros are added, up to the
    stage's number. Everywhere else the shortcut is the block's input as it is.

    Convolutions have padding 'same' and no bias. Every batch normalisation but that of the image has
    `scale=False` and `center=False`; in all of them `epsilon` is 1e-5.

    Args:
        num_classes: channels of the last convolution.
        input_shape: (H, W, channels) of one image.
        depth: 8, 14, 20, 26 and so on.
        width: multiplies the channels of every stage.

    Returns:
        A `keras.Model`, not compiled, from (batch, *input_shape) to probabilities (batch, num_classes).

    Raises:
        ValueError: if `num_classes` or `width` is not above 0, or `depth` is not 6 * n + 2 for an n above 0.

    Example:
        >>> model = build_wide_resnet(20, depth=8, width=1)
        >>> model.input_shape, model.output_shape
        ((None, 32, 32, 3), (None, 20))

        The defaults have 26,808,692 parameters with 100 classes, of which 26,794,726 are trained;
        `build_wide_resnet(100).summary()` shows yours.
    """
    raise NotImplementedError("build_wide_resnet is not written yet: replace this line")
