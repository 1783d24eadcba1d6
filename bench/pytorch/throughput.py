"""Images a second while the course's three networks are trained by PyTorch: eager, channels last, one thread.

    .nox/bench-pytorch/bin/python bench/pytorch/throughput.py [--batch 32]

The counterpart of grader/benchmark/throughput.py: the same networks at the sizes of the profile cpu on the
superclasses, the same number of images and epochs, the same augmentation (shift by up to 2, flip) and the
same optimiser (SGD, Nesterov momentum 0.9, weight decay as each library has it). Prints
JSON: images a second of all epochs but the first, and all weights of each network, by which the test sees
that they are the same.
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional

EPOCHS, IMAGES, CLASSES, SHIFT = 3, 2048, 20, 2


def norm(channels: int, *, free: bool = True, momentum: float = 0.01, eps: float = 1e-3) -> nn.BatchNorm2d:
    """Keras's batch normalisation; PyTorch counts momentum from the other end."""
    return nn.BatchNorm2d(channels, eps=eps, momentum=momentum, affine=free)


def alexnet(width: float = 0.1875) -> nn.Module:
    layers: list[nn.Module] = []
    channels = 3
    for filters, kernel, pool in [
        (96, 5, True),
        (256, 5, True),
        (384, 3, False),
        (384, 3, False),
        (256, 3, True),
    ]:
        wide = round(width * filters)
        layers += [nn.Conv2d(channels, wide, kernel, padding="same", bias=False), norm(wide), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
        channels = wide
    layers.append(nn.Flatten())
    size = channels * 16
    for units in (1024, 1024, 512):
        wide = round(width * units)
        layers += [
            nn.Linear(size, wide, bias=False),
            nn.BatchNorm1d(wide, eps=1e-3, momentum=0.01),
            nn.ReLU(),
        ]
        size = wide
    return nn.Sequential(*layers, nn.Linear(size, CLASSES))


class Bottleneck(nn.Module):
    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, filters, 1, bias=False),
            norm(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, stride=stride, padding=1, bias=False),
            norm(filters),
            nn.ReLU(),
            nn.Conv2d(filters, 4 * filters, 1, bias=False),
            norm(4 * filters),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != 4 * filters:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, 4 * filters, 1, stride=stride, bias=False), norm(4 * filters)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.main(x) + self.shortcut(x))


def resnet(width: int = 8) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1, bias=False), norm(width), nn.ReLU()]
    channels = width
    for stage in range(4):
        filters = width * 2**stage
        layers.append(Bottleneck(channels, filters, 2 if stage else 1))
        channels = 4 * filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


class Wide(nn.Module):
    """A block of the wide ResNet."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.stride, self.more = stride, filters - channels
        self.main = nn.Sequential(
            norm(channels, free=False, eps=1e-5),
            nn.ReLU(),
            nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False),
            norm(filters, free=False, eps=1e-5),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.main(x)
        if self.stride == 2:
            x = functional.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            x = functional.pad(x, (0, 0, 0, 0, 0, self.more))
        return y + x


def wide_resnet(width: int = 1) -> nn.Module:
    layers: list[nn.Module] = [norm(3, eps=1e-5), nn.Conv2d(3, 16 * width, 3, padding=1, bias=False)]
    channels = 16 * width
    for stage in range(3):
        filters = 16 * width * 2**stage
        layers.append(Wide(channels, filters, 2 if stage else 1))
        channels = filters
    layers += [norm(channels, free=False, eps=1e-5), nn.ReLU(), nn.Conv2d(channels, CLASSES, 1, bias=False)]
    layers += [norm(CLASSES, free=False, eps=1e-5), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers)


def weights(network: nn.Module) -> int:
    """All of them, moving statistics included, as Keras counts."""
    buffers = sum(b.numel() for name, b in network.named_buffers() if "num_batches" not in name)
    return sum(p.numel() for p in network.parameters()) + buffers


def batch_of(images: torch.Tensor, index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Standardised images (B, C, H, W), each moved and perhaps mirrored; what comes into view is 0."""
    picked = (images[index].float() - 127.5) / 73.6
    count, channels, height, width = picked.shape
    padded = functional.pad(picked, (SHIFT,) * 4)
    top, left = torch.randint(0, 2 * SHIFT + 1, (2, count, 1), generator=generator)
    rows = torch.arange(height) + top  # (B, H)
    columns = torch.arange(width).expand(count, width)
    mirrored = torch.rand((count, 1), generator=generator) < 0.5
    columns = torch.where(mirrored, width - 1 - columns, columns) + left  # (B, W)
    moved = padded.gather(2, rows[:, None, :, None].expand(count, channels, height, padded.shape[3]))
    moved = moved.gather(3, columns[:, None, None, :].expand(count, channels, height, width))
    return moved.contiguous(memory_format=torch.channels_last)


def images_per_second(network: nn.Module, batch: int) -> float:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (IMAGES, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, CLASSES, (IMAGES,), generator=generator)
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    began = 0.0
    for epoch in range(EPOCHS):
        if epoch == 1:
            began = time.perf_counter()
        order = torch.randperm(IMAGES, generator=generator)
        for start in range(0, IMAGES, batch):
            index = order[start : start + batch]
            loss = functional.cross_entropy(network(batch_of(images, index, generator)), labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return (EPOCHS - 1) * IMAGES / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=32)
    batch = parser.parse_args().batch
    torch.set_num_threads(1)
    networks = {"alexnet": alexnet(), "resnet": resnet(), "wide_resnet": wide_resnet()}
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "weights": {name: weights(network) for name, network in networks.items()},
                "images_per_second": {name: images_per_second(net, batch) for name, net in networks.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
