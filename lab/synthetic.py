"""The embedded set: 100 classes of drawn pictures, the same bytes on every machine.

It stands in for CIFAR-100 where that cannot be had: in tests, and on a first run without network. 20
families of figures and textures (the superclasses) come in 5 variants each (the fine classes): "balls:
three", "stripes: very fine". Position, size, angle, colours, light, clutter and noise are drawn anew for
every picture, and which of two colours is the figure's is a coin toss, so that no pixel by itself says much:
a linear model does little better than chance, a small convolutional network much better, and neither nears
100%.

Everything is integer arithmetic on the raw output of PCG64, which numpy promises never to change. The tables
of sines and angles are rounded to integers far coarser than any difference between two C libraries.
"""

import functools
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.data import DataSet

VERSION = 1  # of the pictures: see grader/reference/versions.py

SIZE = 32
COURSE_PER_CLASS = 100
HIDDEN_PER_CLASS = 20
SEED = 20_100

Ints = npt.NDArray[np.int32]

# Fixed point: lengths in 1/256 pixel, angles in 1/1024 turn, sines in 1/16384, coverage from 0 (ground) to
# 256 (figure). int32 holds every product: no length exceeds 2**14.
PIXEL = 256
TURN = 1024
ONE = 16384
FULL = 256


def embedded_course() -> DataSet:
    """The 10,000 pictures to learn from, 100 of each fine class; drawn once a process, in some 2 seconds."""
    return _embedded(0, COURSE_PER_CLASS)


def embedded_hidden() -> DataSet:
    """The 2,000 pictures to be marked on, 20 of each fine class."""
    return _embedded(1, HIDDEN_PER_CLASS)


@functools.cache
def _embedded(part: int, per_class: int) -> DataSet:
    images = np.concatenate([draw(fine, per_class, SEED, part) for fine in range(len(FINE_NAMES))])
    fine_labels = np.repeat(np.arange(len(FINE_NAMES), dtype=np.uint8), per_class)
    coarse_labels = np.array(COARSE_OF_FINE, np.uint8)[fine_labels]
    digest = hashlib.md5(usedforsecurity=False)
    for array in (images, fine_labels, coarse_labels):
        digest.update(array.tobytes())
    pin = digest.hexdigest()
    return DataSet("the embedded set", pin, images, fine_labels, coarse_labels, FINE_NAMES, COARSE_NAMES)


# --- tables -------------------------------------------------------------------------------------------------


@functools.cache
def _sines() -> Ints:
    return np.array([round(ONE * math.sin(2 * math.pi * i / TURN)) for i in range(TURN)], np.int32)


@functools.cache
def _angles() -> Ints:
    """Angle of (u, v), each a quarter pixel from -128 to 127 quarters, as (256, 256) in 1/1024 turn."""
    quarter = range(-128, 128)
    table = [
        [round(TURN * math.atan2(2 * v + 1, 2 * u + 1) / (2 * math.pi)) for u in quarter] for v in quarter
    ]
    return np.array(table, np.int32) % TURN


@functools.cache
def _roots() -> Ints:
    """Entry i is the square root of 4096 * i, as far as the corner of the widest picture."""
    return np.array([math.isqrt(i << 12) for i in range(1 << 15)], np.int32)


@functools.cache
def _hues() -> Ints:
    """The colour circle in 1024 steps, (1024, 3), each channel 0 to 255."""
    at = np.arange(TURN, dtype=np.int32)[:, None] + np.array([0, -TURN // 3, TURN // 3], np.int32)
    from_peak = abs((at + TURN // 2) % TURN - TURN // 2)
    channels: Ints = np.clip(510 - from_peak * 255 // (TURN // 6), 0, 255)
    return channels


def _sine(phase: Ints) -> Ints:
    return _sines().take(phase & (TURN - 1))


def _radius(u: Ints, v: Ints) -> Ints:
    square: Ints = (u * u + v * v) >> 12
    return _roots().take(np.minimum(square, (1 << 15) - 1))


def _angle(u: Ints, v: Ints) -> Ints:
    column, row = (np.clip((axis >> 6) + 128, 0, 255) for axis in (u, v))
    where: Ints = row * 256 + column
    return _angles().take(where)


# --- chance -------------------------------------------------------------------------------------------------


class _Dice:
    """Integers from raw PCG64 output alone: how Generator makes integers of it may change."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))

    def between(self, low: int, high: int, *shape: int) -> Ints:
        """Uniform from low to high inclusive, int32 of `shape`; the span stays below 2**20."""
        raw = self._bits.random_raw(math.prod(shape)).reshape(shape) >> np.uint64(32)
        steps: Ints = (raw * np.uint64(high - low + 1) >> np.uint64(32)).astype(np.int32)
        return steps + np.int32(low)

    def bytes(self, *shape: int) -> Ints:
        """Uniform 0 to 255, eight to a draw; the last axis is a multiple of 8."""
        raw = self._bits.random_raw(math.prod(shape) // 8).astype("<u8")
        drawn: Ints = raw.view(np.uint8).reshape(shape).astype(np.int32)
        return drawn


@dataclass(frozen=True)
class _View:
    """How n pictures are looked at: turned, shifted, scaled coordinates, and dice for what a family draws."""

    u: Ints  # (n, 32, 32)
    v: Ints  # (n, 32, 32)
    dice: _Dice

    @property
    def n(self) -> int:
        return len(self.u)

    def each(self, low: int, high: int) -> Ints:
        """One number for each picture, (n, 1, 1)."""
        return self.dice.between(low, high, self.n, 1, 1)

    def moved(self, x: Ints, y: Ints, turn: Ints) -> "_View":
        """The same pictures seen from (x, y) and turned, all (n, 1, 1)."""
        u, v, sin, cos = self.u - x, self.v - y, _sine(turn), _sine(turn + TURN // 4)
        return _View((u * cos + v * sin) >> 14, (v * cos - u * sin) >> 14, self.dice)


# --- families: what covers a pixel, 0 to 256, for variant 0 to 4 --------------------------------------------


def _inside(distance: Ints) -> Ints:
    """Coverage of an edge one pixel soft; `distance` to it is positive inside, in 1/256 pixel."""
    cover: Ints = np.clip(distance + PIXEL // 2, 0, FULL)
    return cover


def _band(wave: Ints, period: Ints | int) -> Ints:
    """Coverage by the upper half of a wave in 1/16384, its flanks about a pixel wide whatever the period."""
    cover: Ints = np.clip((wave * period >> 13) + FULL // 2, 0, FULL)  # a sine's slope is 2 pi per period
    return cover


def _phase(length: Ints, period: Ints | int) -> Ints:
    """How far along a wave a length is, in 1/1024 turn; `period` in 1/256 pixel."""
    return length * TURN // period


PERIODS = (3 * 256, 4 * 256 + 64, 6 * 256, 8 * 256 + 128, 12 * 256)


def _period(view: _View, variant: int) -> Ints:
    return PERIODS[variant] * view.each(232, 282) >> 8


def _stripes(view: _View, variant: int) -> Ints:
    period = _period(view, variant)
    return _band(_sine(_phase(view.u, period) + view.each(0, TURN)), period)


def _waves(view: _View, variant: int) -> Ints:
    period, length = view.each(4 * 256, 6 * 256), (6, 8, 11, 15, 22)[variant] * view.each(232, 282)
    bend = _sine(_phase(view.v, length) + view.each(0, TURN)) * (length >> 3) >> 14
    return _band(_sine(_phase(view.u + bend, period) + view.each(0, TURN)), period)


def _zigzag(view: _View, variant: int) -> Ints:
    period, length = view.each(4 * 256, 6 * 256), (6, 8, 11, 15, 22)[variant] * view.each(232, 282)
    bend = abs((view.v + view.each(0, 4096)) % length - length // 2)
    return _band(_sine(_phase(view.u + bend, period)), period)


def _checks(view: _View, variant: int) -> Ints:
    period = _period(view, variant) * 5 >> 2
    across, along = (_sine(_phase(axis, period) + view.each(0, TURN)) for axis in (view.u, view.v))
    return _band(across * (along >> 2) >> 12, period)


def _dots(view: _View, variant: int) -> Ints:
    period = _period(view, variant) * 5 >> 2
    across, along = (_sine(_phase(axis, period) + view.each(0, TURN)) for axis in (view.u, view.v))
    return _band((across + along >> 1) - ONE // 4, period)


def _net(view: _View, variant: int) -> Ints:
    period = _period(view, variant) * 3 >> 1
    lines = [abs((axis + view.each(0, 4096)) % period - period // 2) for axis in (view.u, view.v)]
    return _inside(160 - np.minimum(*lines))


def _bricks(view: _View, variant: int) -> Ints:
    height, width = view.each(4 * 256, 5 * 256), (3, 5, 7, 10, 15)[variant] * view.each(232, 282)
    v = view.v + view.each(0, 4096)
    u = view.u + (v // height) * (width // 2)
    joint = np.minimum(abs(u % width - width // 2), abs(v % height - height // 2))
    return _inside(joint - 140)


def _rings(view: _View, variant: int) -> Ints:
    period = _period(view, variant)
    return _band(_sine(_phase(_radius(view.u, view.v), period) + view.each(0, TURN)), period)


def _rays(view: _View, variant: int) -> Ints:
    rays = (3, 4, 6, 8, 11)[variant]
    return _band(_sine(_angle(view.u, view.v) * rays), _radius(view.u, view.v) * 6 // rays)


def _spirals(view: _View, variant: int) -> Ints:
    arms, period = variant + 1, view.each(5 * 256, 7 * 256)
    hand = 1 - 2 * view.each(0, 1)
    phase = _angle(view.u, view.v) * arms * hand + _phase(_radius(view.u, view.v), period)
    return _band(_sine(phase), period)


def _flowers(view: _View, variant: int) -> Ints:
    edge = 9 * 256 + (_sine(_angle(view.u, view.v) * (variant + 3)) * 3 * 256 >> 14)
    return _inside(edge - _radius(view.u, view.v))


def _polygon_edge(view: _View, sides: int) -> Ints:
    """How far a pixel is from the centre, measured square to the nearest side of a regular polygon."""
    off = _angle(view.u, view.v) * sides % TURN // sides - TURN // (2 * sides)
    return _radius(view.u, view.v) * (_sine(off + TURN // 4) >> 2) >> 12


def _polygons(view: _View, variant: int) -> Ints:
    return _inside(8 * 256 - _polygon_edge(view, (3, 4, 5, 6, 8)[variant]))


def _stars(view: _View, variant: int) -> Ints:
    points = (3, 4, 5, 6, 8)[variant]
    spike = abs(_angle(view.u, view.v) * points % TURN - TURN // 2)  # 0 between two points, 512 at a point
    return _inside(4 * 256 + spike * 5 - _radius(view.u, view.v))


def _scattered(view: _View, count: int, draw: Callable[[_View], Ints]) -> Ints:
    """`count` small figures on a jittered ring round the middle, so that they seldom overlap."""
    cover = np.zeros_like(view.u)
    start, distance = view.each(0, TURN), 0 if count == 1 else 7 * PIXEL
    for i in range(count):
        turn = start + i * TURN // count + view.each(-40, 40)
        x, y = (_sine(turn + quarter) * distance // ONE + view.each(-256, 256) for quarter in (TURN // 4, 0))
        cover = np.maximum(cover, draw(view.moved(x, y, view.each(0, TURN))))
    return cover


def _balls(view: _View, variant: int) -> Ints:
    return _scattered(view, variant + 1, lambda at: _inside(3 * 256 - _radius(at.u, at.v)))


def _hoops(view: _View, variant: int) -> Ints:
    return _scattered(view, variant + 1, lambda at: _inside(240 - abs(_radius(at.u, at.v) - 3 * 256)))


def _boxes(view: _View, variant: int) -> Ints:
    return _scattered(view, variant + 1, lambda at: _inside(11 * 64 - np.maximum(abs(at.u), abs(at.v))))


def _crosses(view: _View, variant: int) -> Ints:
    def cross(at: _View) -> Ints:
        u, v = abs(at.u), abs(at.v)
        return _inside(np.minimum(4 * 256 - np.maximum(u, v), 240 - np.minimum(u, v)))

    return _scattered(view, variant + 1, cross)


def _bars(view: _View, variant: int) -> Ints:
    return _scattered(view, variant + 1, lambda at: _inside(np.minimum(5 * 256 - abs(at.u), 240 - abs(at.v))))


def _lattice(view: _View, cell: Ints) -> Callable[[int, int], Ints]:
    """Random bytes at the corners of square cells; what is returned looks up the corner (i, j) further on."""
    table = view.dice.bytes(view.n, 64 * 64)
    # Half the table away from the middle, so that no cell number is negative.
    i, j = ((axis + 32 * PIXEL) // cell for axis in (view.u, view.v))
    picture = np.arange(view.n, dtype=np.int32)[:, None, None] * table.shape[1]
    return lambda right, down: table.take(picture + (j + down & 63) * 64 + (i + right & 63))


def _mosaic(view: _View, variant: int) -> Ints:
    corner = _lattice(view, _period(view, variant) * 3 >> 2)
    return (corner(0, 0) >> 7) * FULL


def _clouds(view: _View, variant: int) -> Ints:
    cell = _period(view, variant)
    corner = _lattice(view, cell)
    right, down = ((axis + 32 * PIXEL) % cell * 256 // cell for axis in (view.u, view.v))
    near = corner(0, 0) + ((corner(1, 0) - corner(0, 0)) * right >> 8)
    far = corner(0, 1) + ((corner(1, 1) - corner(0, 1)) * right >> 8)
    height = near + ((far - near) * down >> 8)
    cover: Ints = np.clip((height - 128) * 4 + FULL // 2, 0, FULL)
    return cover


WIDTHS = ("very fine", "fine", "medium", "wide", "very wide")
COUNTS = ("one", "two", "three", "four", "five")
SIDES = ("three-sided", "four-sided", "five-sided", "six-sided", "eight-sided")
POINTS = ("three-pointed", "four-pointed", "five-pointed", "six-pointed", "eight-pointed")

# name, its five variants, how it is drawn
FAMILIES: tuple[tuple[str, tuple[str, ...], Callable[[_View, int], Ints]], ...] = (
    ("balls", COUNTS, _balls),
    ("bars", COUNTS, _bars),
    ("boxes", COUNTS, _boxes),
    ("bricks", ("very short", "short", "medium", "long", "very long"), _bricks),
    ("checks", WIDTHS, _checks),
    ("clouds", WIDTHS, _clouds),
    ("crosses", COUNTS, _crosses),
    ("dots", WIDTHS, _dots),
    ("flowers", tuple(f"{n}-petalled" for n in ("three", "four", "five", "six", "seven")), _flowers),
    ("hoops", COUNTS, _hoops),
    ("mosaics", WIDTHS, _mosaic),
    ("nets", WIDTHS, _net),
    ("polygons", SIDES, _polygons),
    ("rays", ("three", "four", "six", "eight", "eleven"), _rays),
    ("rings", WIDTHS, _rings),
    ("spirals", tuple(f"{n}-armed" for n in COUNTS), _spirals),
    ("stars", POINTS, _stars),
    ("stripes", WIDTHS, _stripes),
    ("waves", WIDTHS, _waves),
    ("zigzags", WIDTHS, _zigzag),
)
COARSE_NAMES = tuple(name for name, _, _ in FAMILIES)
# Superclasses alternate through the fine classes, as they do in CIFAR-100: nobody gets by with `fine // 5`.
COARSE_OF_FINE = tuple(fine % len(FAMILIES) for fine in range(100))
FINE_NAMES = tuple(f"{FAMILIES[fine % 20][0]}: {FAMILIES[fine % 20][1][fine // 20]}" for fine in range(100))


# --- pictures -----------------------------------------------------------------------------------------------


def _colours(dice: _Dice, n: int, variant: int) -> tuple[Ints, Ints]:
    """Ground and figure of n pictures, (n, 1, 1, 3) each: a dark colour and a light one, or the reverse."""
    hue = dice.between(0, TURN - 1, n)
    # A variant's two hues stand at an angle of their own: a hint that only a network can take.
    apart = TURN * variant // 5 + dice.between(-60, 60, n)
    dark = _colour(hue, dice.between(30, 140, n), dice.between(60, 130, n))
    light = _colour(hue + apart, dice.between(30, 140, n), dice.between(185, 255, n))
    swap = (light - dark) * dice.between(0, 1, n, 1, 1, 1)
    return dark + swap, light - swap


def _colour(hue: Ints, saturation: Ints, value: Ints) -> Ints:
    """RGB, (n, 1, 1, 3), 0 to 255; hue in 1/1024 turn, saturation and value 0 to 255, all (n,)."""
    pure = _hues().take(hue & (TURN - 1), axis=0)
    tinted = 255 - (255 - pure) * saturation[:, None] // 255
    rgb: Ints = tinted * value[:, None] // 255
    return rgb[:, None, None]


def draw(fine: int, n: int, *seed: int) -> npt.NDArray[np.uint8]:
    """n pictures of one fine class, uint8 (n, 32, 32, 3); the same `seed` draws the same ones."""
    dice = _Dice(*seed, fine)
    _, _, family = FAMILIES[COARSE_OF_FINE[fine]]
    variant = fine // len(FAMILIES)

    centres = (2 * np.arange(SIZE, dtype=np.int32) - (SIZE - 1)) * (PIXEL // 2)
    x, y = (np.broadcast_to(axis, (n, SIZE, SIZE)) for axis in (centres[None, None], centres[None, :, None]))
    level = _View(x, y, dice)

    def somewhere(reach: int, lean: int) -> _View:
        return level.moved(level.each(-reach, reach), level.each(-reach, reach), level.each(-lean, lean))

    view, scale = somewhere(4 * PIXEL, TURN // 8), level.each(215, 300)
    cover = family(_View(view.u * scale >> 8, view.v * scale >> 8, dice), variant)
    ground, figure = _colours(dice, n, variant)
    picture = ground + ((figure - ground) * cover[..., None] >> 8)

    # Light falls off across the picture in some direction.
    light = somewhere(0, TURN // 2).u * level.each(0, 5) >> 8
    picture += light[..., None]

    # Clutter: two blots of any colour, each a square or a slab, that may cover a bit of the figure.
    for _ in range(2):
        at = somewhere(SIZE * PIXEL // 2, TURN // 2)
        blot = _inside(level.each(256, 1024) - np.maximum(abs(at.u), abs(at.v) >> level.each(0, 1)))
        picture += (dice.between(0, 255, n, 1, 1, 3) - picture) * blot[..., None] >> 8

    # Noise, triangular from the sum of two bytes, stronger in some pictures than in others.
    noise = dice.bytes(n, SIZE, SIZE * 3) + dice.bytes(n, SIZE, SIZE * 3) - 255
    picture += noise.reshape(picture.shape) * level.each(8, 48)[..., None] >> 8
    pixels: npt.NDArray[np.uint8] = np.clip(picture, 0, 255).astype(np.uint8)
    return pixels
