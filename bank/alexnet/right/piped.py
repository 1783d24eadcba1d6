"""Keras calls hidden behind a >> operator of a little class, and layers looked up by their names."""

import keras


class Pipe:
    """Pipe(x) >> "ReLU" applies keras.layers.ReLU() to x; ("Conv2D", {...}) passes on settings."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __rshift__(self, step):
        if isinstance(step, str):
            step = (step, {})
        if isinstance(step, list):
            result = self
            for one in step:
                result = result >> one
            return result
        name, settings = step
        layer = getattr(keras.layers, name)(**settings)
        return Pipe(layer(self.tensor))


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    if num_classes <= 0: raise ValueError(num_classes)
    if width <= 0: raise ValueError(width)
    if dropout < 0 or dropout >= 1: raise ValueError(dropout)

    def conv(n, k):
        settings = dict(filters=max(1, round(n * width)), kernel_size=k, padding="same", use_bias=False)
        return [("Conv2D", settings), "BatchNormalization", "ReLU"]

    def dense(n):
        return [
            ("Dense", dict(units=max(1, round(n * width)), use_bias=False)),
            "BatchNormalization",
            "ReLU",
            ("Dropout", {"rate": dropout}),
        ]

    image = keras.Input(batch_shape=(None, *input_shape))
    out = (
        Pipe(image)
        >> conv(96, 5) >> "MaxPooling2D"
        >> conv(256, 5) >> "MaxPooling2D"
        >> conv(384, 3)
        >> conv(384, 3)
        >> conv(256, 3) >> "MaxPooling2D" >> "Flatten"
        >> dense(1024)
        >> dense(1024)
        >> dense(512)
        >> ("Dense", {"units": num_classes, "activation": "softmax"})
    )
    return keras.Model(image, out.tensor)
