"""Pasted from a notebook: Matplotlib imported, prints and globals left in, one seed for everything."""
# coding: utf-8

# In[1]:


import numpy as np
import matplotlib.pyplot as plt
from sklearn.utils import shuffle
import sys

print(sys.version)
print('numpy', np.__version__)

SEED = 42
TEST = 0.2
np.random.seed(SEED)
plt.rcParams['figure.dpi'] = 100

# In[2]:


def show(imgs, n=5):
    fig, axs = plt.subplots(1, n, figsize=(10, 3))
    for i in range(n):
        axs[i].imshow(imgs[i])
        axs[i].axis('off')
    plt.show()


# In[5]:


def split_indices(num_examples, *, test_fraction=TEST, seed):
    all_idx = shuffle(np.arange(num_examples), random_state=seed)
    print('all_idx', all_idx[:10])
    n_tr = int(num_examples * (1 - test_fraction))
    tr, te = all_idx[0:n_tr], all_idx[n_tr:]
    print(len(tr), len(te))
    #assert len(tr) + len(te) == num_examples
    return tr, te


# In[7]:


def channel_statistics(images):
    m = []
    s = []
    for c in [0, 1, 2]:
        ch = images[:, :, :, c] / 255
        m.append(np.mean(ch))
        s.append(np.std(ch))
    print('mean', m, 'std', s)
    return np.array(m, dtype=np.float32), np.array(s, dtype=np.float32)


# In[8]:


def standardise(images, mean, std):
    X = images.copy()
    X = X.astype('float32')
    X = X / 255.0
    X = X - mean.reshape(1, 1, 1, 3)
    X = X / std.reshape(1, 1, 1, 3)
    print(X.dtype, X.min(), X.max())
    return X


# In[11]:


def one_hot(labels, num_classes):
    print(labels[:20])
    oh = np.zeros((labels.size, num_classes))
    oh[np.arange(labels.size), labels] = 1
    return oh.astype('float32')


# In[14]:


def prepare(images, labels, num_classes, *, test_fraction=TEST, seed):
    tr, te = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    X_tr = images[tr]; Y_tr = labels[tr]
    X_te = images[te]; Y_te = labels[te]
    m, s = channel_statistics(X_tr)
    X_tr = standardise(X_tr, m, s)
    X_te = standardise(X_te, m, s)
    # X_te = standardise(X_te, *channel_statistics(X_te))   # WRONG!!! see README
    return X_tr, one_hot(Y_tr, num_classes), X_te, one_hot(Y_te, num_classes)


# In[15]:


if __name__ == '__main__':
    images = np.random.randint(0, 256, (100, 32, 32, 3)).astype(np.uint8)
    labels = np.sort(np.random.randint(0, 20, 100))
    X_tr, Y_tr, X_te, Y_te = prepare(images, labels, 20, seed=SEED)
    show(images)
    plt.hist(X_tr[..., 0].ravel(), bins=50)
    plt.hist(X_te[..., 0].ravel(), bins=50, alpha=.5)
    plt.show()
