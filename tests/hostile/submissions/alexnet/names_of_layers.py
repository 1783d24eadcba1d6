"""Tries to collect points a layer at a time: one convolution, one batch normalisation, a ReLU, a pooling, a
dropout, all of one unit, in the order of the brief; gains nothing because a check of what surrounds the
layers needs the layers.

Baseline: 2
"""

import keras

print("attack: one of each layer", flush=True)
L = keras.layers


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    inputs = x = keras.Input(input_shape)
    for layer in (L.Conv2D(1, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(2)):
        x = layer(x)
    x = L.Dropout(dropout)(L.ReLU()(L.BatchNormalization()(L.Dense(1)(L.Flatten()(x)))))
    return keras.Model(inputs, L.Dense(num_classes, activation="softmax")(x))
