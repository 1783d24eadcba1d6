"""A plain class that holds the settings and the tensor so far; orthogonal kernels, L2 and BN settings as constants."""

import keras
from keras import initializers, layers, regularizers


class AlexNetBuilder:
    """Builds the network step by step. Not a layer and not a model itself."""

    WEIGHT_DECAY = 1e-4
    BN_MOMENTUM = 0.9
    BN_EPSILON = 1e-5

    def __init__(self, num_classes, input_shape, width, dropout):
        self.num_classes = num_classes
        self.width = width
        self.dropout = dropout
        self.inputs = keras.Input(shape=input_shape)
        self.x = self.inputs
        self.count = 0

    # ------------------------------------------------------------------
    # small steps, each returns self so that they can be chained
    # ------------------------------------------------------------------

    def units(self, n):
        return max(1, round(self.width * n))

    def weights(self):
        """Keyword arguments of all layers with weights."""
        return {
            "kernel_initializer": initializers.Orthogonal(),
            "kernel_regularizer": regularizers.L2(self.WEIGHT_DECAY),
        }

    def norm_relu(self):
        bn = layers.BatchNormalization(
            axis=-1,
            momentum=self.BN_MOMENTUM,
            epsilon=self.BN_EPSILON,
            name="bn%d" % self.count,
        )
        self.x = bn(self.x)
        self.x = layers.Activation("relu", name="act%d" % self.count)(self.x)
        return self

    def conv(self, n, kernel):
        self.count += 1
        layer = layers.Conv2D(
            self.units(n), kernel, padding="same", name="conv%d" % self.count, **self.weights()
        )
        self.x = layer(self.x)
        return self.norm_relu()

    def pool(self):
        self.x = layers.MaxPooling2D((2, 2), 2)(self.x)
        return self

    def flatten(self):
        self.x = layers.Flatten()(self.x)
        return self

    def dense(self, n):
        self.count += 1
        self.x = layers.Dense(self.units(n), name="fc%d" % self.count, **self.weights())(self.x)
        self.norm_relu()
        self.x = layers.Dropout(self.dropout)(self.x)
        return self

    def classify(self):
        self.x = layers.Dense(self.num_classes, name="logits", **self.weights())(self.x)
        self.x = layers.Softmax(name="probabilities")(self.x)
        return self

    def model(self):
        return keras.Model(self.inputs, self.x, name="alexnet")


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    if num_classes < 1:
        raise ValueError("num_classes")
    if width <= 0:
        raise ValueError("width")
    if not (0 <= dropout < 1):
        raise ValueError("dropout")
    builder = AlexNetBuilder(num_classes, input_shape, width, dropout)
    builder.conv(96, 5).pool().conv(256, 5).pool()
    builder.conv(384, 3).conv(384, 3).conv(256, 3).pool().flatten()
    builder.dense(1024).dense(1024).dense(512)
    return builder.classify().model()
