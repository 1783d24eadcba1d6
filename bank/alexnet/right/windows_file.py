"""Written on Windows: a byte order mark, CRLF line ends, tabs, comments in German; tf.keras throughout."""

import tensorflow as tf

# Übungsblatt 4, Aufgabe 2 – gelöst von Jörg & Zoë


def gewichtsschicht(x, schicht):
	x = schicht(x)
	x = tf.keras.layers.BatchNormalization(momentum = 0.95)(x)
	return tf.keras.layers.ReLU()(x)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
	# Größe einer Schicht
	größe = lambda n: max(1, round(width * n))

	if num_classes <= 0:
		raise ValueError("num_classes muss größer als 0 sein")
	if width <= 0:
		raise ValueError("width muss größer als 0 sein")
	if dropout < 0 or dropout >= 1:
		raise ValueError("dropout muss in [0, 1) liegen")

	eingabe = tf.keras.Input(shape = input_shape)
	x = eingabe

	# Faltungen: (Filter, Kern, Pooling danach?)
	faltungen = [
		(96, 5, True),
		(256, 5, True),
		(384, 3, False),
		(384, 3, False),
		(256, 3, True),
	]
	for filter_, kern, pooling in faltungen:
		x = gewichtsschicht(x, tf.keras.layers.Conv2D(größe(filter_), (kern, kern), padding = "same"))
		if pooling:
			x = tf.keras.layers.MaxPooling2D(pool_size = (2, 2))(x)

	x = tf.keras.layers.Flatten()(x)

	# Dichte Schichten
	for einheiten in [1024, 1024, 512]:
		x = gewichtsschicht(x, tf.keras.layers.Dense(größe(einheiten)))
		x = tf.keras.layers.Dropout(dropout)(x)

	ausgabe = tf.keras.layers.Dense(num_classes, activation = "softmax")(x)
	return tf.keras.Model(inputs = eingabe, outputs = ausgabe)
