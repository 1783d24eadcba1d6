"""The main path is a Sequential, the shortcut a condition after it."""

import keras


def bottleneck_block(x, filters, *, stride=1):
    main = keras.Sequential([
        keras.layers.Conv2D(filters, 1, use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Conv2D(4 * filters, 1, use_bias=False),
        keras.layers.BatchNormalization(),
    ])
    if stride == 1 and x.shape[-1] == 4 * filters:
        shortcut = keras.layers.Identity()(x)
    else:
        shortcut = keras.layers.Conv2D(4 * filters, 1, stride, use_bias=False)(x)
        shortcut = keras.layers.BatchNormalization()(shortcut)
    return keras.layers.ReLU()(keras.layers.add([shortcut, main(x)]))


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    model_input = keras.layers.Input(shape=input_shape)
    x = keras.layers.Conv2D(width, 3, padding="same", kernel_initializer="he_uniform")(model_input)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    for index in range(len(blocks)):
        for number in range(blocks[index]):
            x = bottleneck_block(x, width * (2 ** index), stride=2 if number == 0 and index != 0 else 1)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model_output = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(inputs=model_input, outputs=model_output)
