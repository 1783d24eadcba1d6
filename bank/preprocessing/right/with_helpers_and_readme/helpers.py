import numpy as np

__all__ = ["channel_statistics", "split_indices", "standardise"]


def split_indices(num_examples, *, test_fraction=0.2, seed):
    rng = np.random.default_rng(seed)
    train_size = num_examples - int(np.ceil(num_examples * test_fraction))
    shuffled = rng.permuted(np.arange(num_examples))
    return shuffled[:train_size], shuffled[train_size:]


def channel_statistics(images):
    scaled = images / 255
    axes = tuple(range(images.ndim - 1))
    return scaled.mean(axes).astype(np.float32), scaled.std(axes).astype(np.float32)


def standardise(images, mean, std):
    return np.asarray((images / 255 - mean) / std, dtype=np.float32)


def to_rows(labels, num_classes):
    from keras.utils import to_categorical  # here, so that the file can be imported without TensorFlow

    return to_categorical(labels, num_classes=num_classes).astype(np.float32)
