"""One ReLU and one average pooling layer used everywhere, glorot kernels, pooling with keepdims and a squeeze."""

import keras
from keras import backend, layers, ops


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    backend.clear_session()

    relu = layers.ReLU()
    shrink = layers.AveragePooling2D((3, 3), strides=2, padding="same")
    bn = lambda: layers.BatchNormalization(center=False, scale=False, epsilon=1e-5)
    conv = lambda f, k=3, s=1: layers.Conv2D(f, k, strides=s, padding="same", use_bias=False)

    blocks_per_stage = (depth - 2) // 6
    channels = 16 * width

    img = keras.Input(input_shape)
    net = layers.BatchNormalization(center=True, scale=True, epsilon=1e-5)(img)
    net = conv(channels)(net)

    for block in range(3 * blocks_per_stage):
        first_of_stage = block % blocks_per_stage == 0
        res = net
        if first_of_stage and block > 0:
            channels *= 2
            res = shrink(res)
            res = layers.concatenate([ops.zeros_like(res), res], axis=3)
        out = bn()(net)
        out = relu(out)
        out = conv(channels, s=2 if first_of_stage and block > 0 else 1)(out)
        out = bn()(out)
        out = relu(out)
        out = conv(channels)(out)
        out += res
        net = out

    net = relu(bn()(net))
    net = bn()(conv(num_classes, k=1)(net))
    net = layers.GlobalAveragePooling2D(keepdims=True)(net)
    net = ops.squeeze(net, axis=(1, 2))
    net = layers.Softmax()(net)

    # just to be sure
    assert net.shape == (None, num_classes)
    return keras.Model(img, net)


if __name__ == "__main__":
    m = build_wide_resnet(100)
    print(m.count_params(), "should be 26,808,692")
