"""One ReLU, one pooling and one dropout layer, each used in all places; layers without weights may be shared."""

import keras


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    relu = keras.layers.ReLU()
    pool = keras.layers.MaxPooling2D(pool_size=2)
    drop = keras.layers.Dropout(dropout)
    flat = keras.layers.Flatten()
    BN = keras.layers.BatchNormalization

    def conv(units, kernel):
        return keras.layers.Conv2D(max(1, round(width * units)), kernel, padding="SAME", activation=None)

    def fc(units):
        return keras.layers.Dense(max(1, round(width * units)), activation="linear")

    inputs = keras.Input(shape=input_shape)
    x = pool(relu(BN()(conv(96, 5)(inputs))))
    x = pool(relu(BN()(conv(256, 5)(x))))
    x = relu(BN()(conv(384, 3)(x)))
    x = relu(BN()(conv(384, 3)(x)))
    x = pool(relu(BN()(conv(256, 3)(x))))
    x = flat(x)
    x = drop(relu(BN()(fc(1024)(x))))
    x = drop(relu(BN()(fc(1024)(x))))
    x = drop(relu(BN()(fc(512)(x))))
    outputs = keras.layers.Dense(num_classes, activation="softmax")(x)
    model = keras.Model(inputs, outputs)
    assert model.output_shape == (None, num_classes)
    return model
