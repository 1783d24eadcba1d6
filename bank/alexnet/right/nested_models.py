"""Two models in a third, with tf.keras: a functional one for the features, a Sequential that classifies."""

import tensorflow as tf


def convolutions(input_shape, n):
    x = images = tf.keras.Input(input_shape, name="images")
    for i, (units, kernel) in enumerate([(96, 5), (256, 5), (384, 3), (384, 3), (256, 3)]):
        x = tf.keras.layers.ZeroPadding2D(kernel // 2)(x)
        x = tf.keras.layers.Conv2D(n(units), kernel, kernel_regularizer=tf.keras.regularizers.L2(1e-4))(x)
        x = tf.keras.layers.BatchNormalization()(x)
        x = tf.keras.activations.relu(x)
        if i in (0, 1, 4):
            x = tf.keras.layers.MaxPooling2D((2, 2), strides=(2, 2), padding="same")(x)
    return tf.keras.Model(images, x, name="features")


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    def n(units):
        return max(1, round(width * units))

    features = convolutions(input_shape, n)
    classifier = tf.keras.Sequential(name="classifier")
    classifier.add(tf.keras.layers.Flatten())
    for units in [1024, 1024, 512]:
        classifier.add(tf.keras.layers.Dense(n(units)))
        classifier.add(tf.keras.layers.BatchNormalization(scale=False))
        classifier.add(tf.keras.layers.ReLU())
        classifier.add(tf.keras.layers.Dropout(dropout))
    classifier.add(tf.keras.layers.Dense(num_classes, activation="softmax"))
    inputs = tf.keras.Input(input_shape)
    return tf.keras.Model(inputs, classifier(features(inputs)))
