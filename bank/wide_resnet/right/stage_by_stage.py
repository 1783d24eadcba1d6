"""Copy and paste for the three stages, `import tensorflow as tf` for everything, x * 0 for the zeros."""

import tensorflow as tf


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    n = int((depth - 2) / 6)
    k = width

    inp = tf.keras.layers.Input(shape=input_shape)

    # Stem
    x = tf.keras.layers.BatchNormalization(scale=True, center=True, epsilon=0.00001)(inp)
    x = tf.keras.layers.Conv2D(16*k, (3,3), padding='same', use_bias=False, kernel_initializer='he_normal')(x)

    # ---------- Stage 0 : 16*k channels, stays at full resolution ----------
    for i in range(n):
        y = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(x)
        y = tf.keras.layers.ReLU()(y)
        y = tf.keras.layers.Conv2D(16*k, (3,3), padding='same', use_bias=False, kernel_initializer='he_normal')(y)
        y = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(y)
        y = tf.keras.layers.ReLU()(y)
        y = tf.keras.layers.Conv2D(16*k, (3,3), padding='same', use_bias=False, kernel_initializer='he_normal')(y)
        x = x + y

    # ---------- Stage 1 : 32*k channels, 1st block has stride 2 ----------
    for i in range(n):
        if i == 0:
            s = (2,2)
        else:
            s = (1,1)
        y = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(x)
        y = tf.keras.layers.ReLU()(y)
        y = tf.keras.layers.Conv2D(32*k, (3,3), strides=s, padding='same', use_bias=False, kernel_initializer='he_normal')(y)
        y = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(y)
        y = tf.keras.layers.ReLU()(y)
        y = tf.keras.layers.Conv2D(32*k, (3,3), padding='same', use_bias=False, kernel_initializer='he_normal')(y)
        if i == 0:
            x = tf.keras.layers.AveragePooling2D(pool_size=(3,3), strides=(2,2), padding='same')(x)
            zeros = x * 0.0
            x = tf.keras.layers.Concatenate()([x, zeros])
        x = x + y

    # ---------- Stage 2 : 64*k channels, 1st block has stride 2 ----------
    for i in range(n):
        if i == 0:
            s = (2,2)
        else:
            s = (1,1)
        y = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(x)
        y = tf.keras.layers.ReLU()(y)
        y = tf.keras.layers.Conv2D(64*k, (3,3), strides=s, padding='same', use_bias=False, kernel_initializer='he_normal')(y)
        y = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(y)
        y = tf.keras.layers.ReLU()(y)
        y = tf.keras.layers.Conv2D(64*k, (3,3), padding='same', use_bias=False, kernel_initializer='he_normal')(y)
        if i == 0:
            x = tf.keras.layers.AveragePooling2D(pool_size=(3,3), strides=(2,2), padding='same')(x)
            zeros = x * 0.0
            x = tf.keras.layers.Concatenate()([x, zeros])
        x = x + y

    # Tail
    x = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(x)
    x = tf.keras.layers.ReLU()(x)
    x = tf.keras.layers.Conv2D(num_classes, (1,1), padding='same', use_bias=False, kernel_initializer='he_normal')(x)
    x = tf.keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.00001)(x)
    x = tf.keras.layers.GlobalAveragePooling2D()(x)
    out = tf.keras.layers.Softmax()(x)

    model = tf.keras.Model(inputs=inp, outputs=out)
    print(model.summary())
    return model
