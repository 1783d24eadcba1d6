"""A Sequential for the features, continued at its output; Reshape for Flatten; seeds set and the session cleared."""

import warnings

import keras
import numpy as np
import tensorflow as tf
from keras import backend as K

warnings.filterwarnings("ignore")

SEED = 1234


def set_seeds():
    np.random.seed(SEED)
    tf.random.set_seed(SEED)
    keras.utils.set_random_seed(SEED)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    """Builds AlexNet for CIFAR-100.

    Parameters
    ----------
    num_classes : int
    input_shape : tuple
    width : float
        multiplies the units
    dropout : float

    Returns
    -------
    keras.Model
    """
    K.clear_session()
    set_seeds()

    def u(n):
        return max(1, round(width * n))

    he = lambda: keras.initializers.HeNormal(seed=SEED)

    # --- feature extractor ---
    features = keras.Sequential(name="feature_extractor")
    features.add(keras.layers.InputLayer(shape=input_shape))
    for filters, kernel, pooling in [
        [u(96), 5, 1],
        [u(256), 5, 1],
        [u(384), 3, 0],
        [u(384), 3, 0],
        [u(256), 3, 1],
    ]:
        features.add(keras.layers.Conv2D(filters, kernel, 1, "same", kernel_initializer=he()))
        features.add(keras.layers.BatchNormalization())
        features.add(keras.layers.Activation(keras.activations.relu))
        if pooling:
            features.add(keras.layers.MaxPooling2D(2, 2))

    # --- classifier on top ---
    h, w, c = features.output_shape[1:]
    x = keras.layers.Reshape((h * w * c,))(features.outputs[0])
    for units in (u(1024), u(1024), u(512)):
        x = keras.layers.Dense(units, kernel_initializer=he())(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Activation(keras.activations.relu)(x)
        x = keras.layers.Dropout(dropout, seed=SEED)(x)
    x = keras.layers.Dense(num_classes, activation="softmax", kernel_initializer="glorot_normal")(x)

    model = keras.Model(inputs=features.inputs, outputs=[x])
    print("AlexNet with %d parameters" % model.count_params())
    return model
