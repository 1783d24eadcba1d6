EXPANSION = 4  # output channels / bottleneck channels
INITIALIZER = "he_normal"
WEIGHT_DECAY = 1e-4
MOMENTUM = 0.9
EPOCHS = 200  # not used here
