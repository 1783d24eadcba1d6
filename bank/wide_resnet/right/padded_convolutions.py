"""ops.pad and 'valid' convolutions, asymmetric for stride 2; a generator of blocks; the pooling 'same'."""

import keras
from keras import layers, ops


def same(size, kernel, stride):
    """How many rows of zeros TensorFlow's 'same' puts before and behind."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def convolve(x, filters, kernel=3, stride=1):
    _, height, width, _ = x.shape
    x = ops.pad(x, ((0, 0), same(height, kernel, stride), same(width, kernel, stride), (0, 0)))
    return layers.Conv2D(filters, kernel, strides=stride, use_bias=False, kernel_initializer="he_normal")(x)


def activate(x):
    return ops.relu(layers.BatchNormalization(epsilon=1e-5, center=False, scale=False, momentum=0.95)(x))


def blocks(depth, width):
    for stage in 0, 1, 2:
        for number in range((depth - 2) // 6):
            yield 16 * width * 2**stage, 2 if (stage > 0 and number == 0) else 1


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    assert (depth - 2) % 6 == 0, "depth must be 6n+2"
    image = keras.Input(input_shape)
    x = convolve(layers.BatchNormalization(epsilon=1e-5)(image), 16 * width)
    for channels, stride in blocks(depth, width):
        shortcut = x
        x = convolve(activate(x), channels, stride=stride)
        x = convolve(activate(x), channels)
        if stride != 1:
            shortcut = layers.AvgPool2D((3, 3), (stride, stride), "same")(shortcut)
            while shortcut.shape[-1] < channels:
                shortcut = layers.Concatenate()([shortcut, ops.zeros_like(shortcut)])
        x = layers.Add()([x, shortcut])
    x = convolve(activate(x), num_classes, kernel=1)
    x = layers.BatchNormalization(epsilon=1e-5, center=False, scale=False, momentum=0.95)(x)
    return keras.Model(image, ops.softmax(layers.GlobalAvgPool2D()(x)))
