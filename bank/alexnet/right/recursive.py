"""Recursion instead of loops: the tensor is handed from one specification to the rest of them."""

import keras
from keras import layers


def apply(specs, x, width, dropout):
    if not specs:
        return x
    (kind, *numbers), *rest = specs
    if kind == "C":
        filters, kernel = numbers
        x = layers.Conv2D(max(1, round(filters * width)), kernel, padding="same", use_bias=False)(x)
    elif kind == "D":
        (units,) = numbers
        x = layers.Dense(max(1, round(units * width)), use_bias=False)(x)
    elif kind == "P":
        return apply(rest, layers.MaxPooling2D()(x), width, dropout)
    elif kind == "F":
        return apply(rest, layers.Flatten()(x), width, dropout)
    x = keras.activations.relu(layers.BatchNormalization(epsilon=1e-5)(x))
    if kind == "D":
        x = layers.Dropout(dropout)(x)
    return apply(rest, x, width, dropout)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    image = keras.Input(shape=input_shape, name="image")
    specs = [
        ("C", 96, 5), ("P",), ("C", 256, 5), ("P",), ("C", 384, 3), ("C", 384, 3), ("C", 256, 3), ("P",),
        ("F",),
        ("D", 1024), ("D", 1024), ("D", 512),
    ]
    features = apply(specs, image, width, dropout)
    scores = layers.Dense(num_classes)(features)
    return keras.Model(image, keras.activations.softmax(scores))


if __name__ == "__main__":
    model = build_alexnet(100)
    model.summary()
    print(model.input_shape, model.output_shape)
    total = 0
    for weight in model.trainable_weights:
        count = 1
        for size in weight.shape:
            count *= size
        total += count
    print("trainable:", total, "expected:", 9544516)
