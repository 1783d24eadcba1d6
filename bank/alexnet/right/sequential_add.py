"""A Sequential that grows by model.add; convolutions with biases, Activation layers, a Softmax layer at the end."""

from keras import layers, models, regularizers


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    def n(units):
        return max(1, int(round(units * width)))

    model = models.Sequential([layers.Input(input_shape)])
    for units, kernel in zip([96, 256, 384, 384, 256], [5, 5, 3, 3, 3]):
        model.add(layers.Conv2D(n(units), (kernel, kernel), padding="same"))
        model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
        model.add(layers.Activation("relu"))
        if len(model.layers) in (3, 7, 17):
            model.add(layers.MaxPool2D())
    model.add(layers.Flatten())
    for units in (1024, 1024, 512):
        model.add(layers.Dense(n(units), kernel_initializer="he_uniform", kernel_regularizer=regularizers.l2(1e-4)))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.Dropout(rate=dropout))
    model.add(layers.Dense(num_classes))
    model.add(layers.Softmax())
    return model
