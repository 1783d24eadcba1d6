"""A hidden test of the ResNet as instructors write them.

Its calls are those of grader/tasks/resnet/probe.py at seed 1.
"""


def test_resnet(bottleneck_block, build_resnet):
    import keras

    blocks = {
        "same": ((10, 14, 20), 5, {}),
        "channels": ((10, 14, 4), 4, {}),
        "both": ((10, 14, 14), 7, {"stride": 2}),
        "size": ((10, 14, 12), 3, {"stride": 2}),
    }
    for shape, filters, options in blocks.values():
        x = keras.Input(shape)
        y = bottleneck_block(x, filters, **options)
        stride = options.get("stride", 1)
        assert keras.Model(x, y).output_shape == (None, 10 // stride, 14 // stride, 4 * filters)
    networks = {
        "default": build_resnet(100),
        "small": build_resnet(8, blocks=(1, 2, 1, 1, 1), width=3),
        "shape": build_resnet(11, input_shape=(48, 32, 4), blocks=(3, 1), width=5),
        "coarse": build_resnet(20, blocks=(1, 1, 1, 1), width=8),
        "fine": build_resnet(100, blocks=(1, 1, 1, 1), width=8),
    }
    parameters = {name: network.count_params() for name, network in networks.items()}
    expected = {"default": 23758372, "small": 76655, "shape": 5091, "coarse": 134988, "fine": 155548}
    assert parameters == expected
    assert networks["default"].output_shape == (None, 100)
    assert networks["shape"].input_shape == (None, 48, 32, 4)
    additions = [
        sum(type(layer).__name__ == "Add" for layer in network.layers) for network in networks.values()
    ]
    assert additions == [16, 6, 4, 4, 4]
