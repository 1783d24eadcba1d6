"""Every layer on a line of its own, a star import from tensorflow.keras, and model.summary() left in.

Homework 2
"""
import os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'
import numpy as np
import matplotlib.pyplot as plt
import tensorflow as tf
from tensorflow.keras.layers import *
from tensorflow.keras.models import Model

np.random.seed(42)

gpus = tf.config.list_physical_devices('GPU')
print("Num GPUs Available: ", len(gpus))


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    # number of units
    n1 = max(1, round(width * 96))
    n2 = max(1, round(width * 256))
    n3 = max(1, round(width * 384))
    n4 = max(1, round(width * 1024))
    n5 = max(1, round(width * 512))

    inp = Input(shape=input_shape, name='input_image')

    # 1st convolutional layer
    x = Conv2D(filters=n1, kernel_size=(5,5), strides=(1,1), padding='same', name='conv_1')(inp)
    x = BatchNormalization(name='bn_1')(x)
    x = ReLU(name='relu_1')(x)
    x = MaxPooling2D(pool_size=(2,2), strides=(2,2), name='pool_1')(x)
    print(x.shape)

    # 2nd convolutional layer
    x = Conv2D(filters=n2, kernel_size=(5,5), strides=(1,1), padding='same', name='conv_2')(x)
    x = BatchNormalization(name='bn_2')(x)
    x = ReLU(name='relu_2')(x)
    x = MaxPooling2D(pool_size=(2,2), strides=(2,2), name='pool_2')(x)
    print(x.shape)

    # 3rd convolutional layer
    x = Conv2D(filters=n3, kernel_size=(3,3), strides=(1,1), padding='same', name='conv_3')(x)
    x = BatchNormalization(name='bn_3')(x)
    x = ReLU(name='relu_3')(x)

    # 4th convolutional layer
    x = Conv2D(filters=n3, kernel_size=(3,3), strides=(1,1), padding='same', name='conv_4')(x)
    x = BatchNormalization(name='bn_4')(x)
    x = ReLU(name='relu_4')(x)

    # 5th convolutional layer
    x = Conv2D(filters=n2, kernel_size=(3,3), strides=(1,1), padding='same', name='conv_5')(x)
    x = BatchNormalization(name='bn_5')(x)
    x = ReLU(name='relu_5')(x)
    x = MaxPooling2D(pool_size=(2,2), strides=(2,2), name='pool_5')(x)
    print(x.shape)

    # Passing it to a fully connected layer
    x = Flatten(name='flatten')(x)

    # 1st dense layer
    x = Dense(n4, name='fc_1')(x)
    x = BatchNormalization(name='bn_6')(x)
    x = ReLU(name='relu_6')(x)
    # Add dropout to prevent overfitting
    x = Dropout(dropout, name='drop_1')(x)

    # 2nd dense layer
    x = Dense(n4, name='fc_2')(x)
    x = BatchNormalization(name='bn_7')(x)
    x = ReLU(name='relu_7')(x)
    x = Dropout(dropout, name='drop_2')(x)

    # 3rd dense layer
    x = Dense(n5, name='fc_3')(x)
    x = BatchNormalization(name='bn_8')(x)
    x = ReLU(name='relu_8')(x)
    x = Dropout(dropout, name='drop_3')(x)

    # output layer
    out = Dense(num_classes, activation='softmax', name='output_layer')(x)

    model = Model(inp, out)
    model.summary()
    return model
