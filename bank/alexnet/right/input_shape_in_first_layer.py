"""A Sequential whose first layer is told input_shape, as old tutorials do."""

from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Dropout, Flatten, Activation
from tensorflow.keras.layers import Conv2D, MaxPooling2D, BatchNormalization


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    filters = [96, 256, 384, 384, 256]
    kernels = [(5, 5), (5, 5), (3, 3), (3, 3), (3, 3)]
    pool_after = [0, 1, 4]
    dense_units = [1024, 1024, 512]

    # apply the width
    for i in range(len(filters)):
        filters[i] = max(1, round(width * filters[i]))
    for i in range(len(dense_units)):
        dense_units[i] = max(1, round(width * dense_units[i]))

    model = Sequential()

    # Convolutions
    for i in range(len(filters)):
        if i == 0:
            model.add(Conv2D(filters[i], kernels[i], padding='same', input_shape=input_shape))
        else:
            model.add(Conv2D(filters[i], kernels[i], padding='same'))
        model.add(BatchNormalization())
        model.add(Activation('relu'))
        if i in pool_after:
            model.add(MaxPooling2D(pool_size=(2, 2)))

    # Classifier
    model.add(Flatten())
    for units in dense_units:
        model.add(Dense(units))
        model.add(BatchNormalization())
        model.add(Activation('relu'))
        model.add(Dropout(dropout))
    model.add(Dense(num_classes, activation='softmax'))

    return model
