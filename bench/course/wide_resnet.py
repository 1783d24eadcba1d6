"""A hidden test of the wide ResNet as instructors write them.

Its calls are those of grader/tasks/wide_resnet/probe.py at seed 1.
"""


def test_wide_resnet(build_wide_resnet):
    networks = {
        "default": build_wide_resnet(100),
        "small": build_wide_resnet(8, depth=14, width=1),
        "shape": build_wide_resnet(9, input_shape=(16, 20, 2), depth=8, width=3),
        "coarse": build_wide_resnet(20, depth=8, width=1),
        "fine": build_wide_resnet(100, depth=8, width=1),
    }
    parameters = {name: network.count_params() for name, network in networks.items()}
    assert parameters == {
        "default": 26808692,
        "small": 172396,
        "shape": 667610,
        "coarse": 75972,
        "fine": 81252,
    }
    assert networks["default"].output_shape == (None, 100)
    assert networks["shape"].input_shape == (None, 16, 20, 2)
    for network in networks.values():
        assert not any(type(layer).__name__ == "Dense" for layer in network.layers)
