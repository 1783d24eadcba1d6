"""A hidden test of AlexNet as instructors write them.

Its calls are those of grader/tasks/alexnet/probe.py at seed 1.
"""


def test_alexnet(build_alexnet):
    networks = {
        "default": build_alexnet(8),
        "small": build_alexnet(5, width=0.1875, dropout=0.22),
        "shape": build_alexnet(10, input_shape=(56, 32, 2), width=0.09375, dropout=0.71),
        "rounding": build_alexnet(12, width=0.033),
        "tiny": build_alexnet(7, width=0.003),
        "coarse": build_alexnet(20, width=0.1875, dropout=0.0),
        "fine": build_alexnet(100, width=0.1875, dropout=0.0),
    }
    parameters = {name: network.count_params() for name, network in networks.items()}
    assert parameters == {
        "default": 9505192,
        "small": 338003,
        "shape": 113368,
        "rounding": 11040,
        "tiny": 263,
        "coarse": 339458,
        "fine": 347218,
    }
    assert networks["default"].output_shape == (None, 8)
    assert networks["default"].input_shape == (None, 32, 32, 3)
    assert networks["shape"].input_shape == (None, 56, 32, 2)
    for network in networks.values():
        kinds = [type(layer).__name__ for layer in network.layers]
        assert kinds.count("Conv2D") == 5
        assert kinds.count("Dense") == 4
        assert kinds.count("MaxPooling2D") == 3
        assert kinds.count("BatchNormalization") == 8
