"""Tries to return objects that are equal to everything, from every function; gains nothing because nothing is
compared in the process where such an object lives: what cannot be written down as numbers is named, not
asked.
"""


class Agreeable:
    def __eq__(self, other):
        print("attack: asked whether it is equal", flush=True)
        return True

    __lt__ = __le__ = __gt__ = __ge__ = __ne__ = lambda self, other: True
    __hash__ = object.__hash__

    def __bool__(self):
        return True

    def __len__(self):
        return 2

    def __iter__(self):
        return iter((self, self))

    def __getitem__(self, key):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return self


def split_indices(num_examples, *, test_fraction=0.2, seed):
    print("attack: returning an object that agrees", flush=True)
    return Agreeable()


channel_statistics = standardise = one_hot = prepare = lambda *args, **kwargs: Agreeable()
