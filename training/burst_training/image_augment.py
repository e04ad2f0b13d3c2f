"""Changes of sub-images that leave their label as it is: turns, lost packets, noise, fractions of a pixel, a scale. All work on
copies of prepared inputs [n, 2, 56, 56]; pixels without data stay 0 in both planes, and the mask's values stay exact."""
import numpy as np

from burst_training.image import CENTRE, MASK_SCALE, SCALE, SIDE

STRIPE = SIDE // 8
BLOCK_CLEAR, BLOCK_SIDE = 4, 22  # a lost block is a corner, this far clear of the middle
OPTIONS = {"turn": ("no", "trigger", "frame"), "lose": float, "noise": float, "shift": float, "scale": float}


def turn_square(x, quarters, mirrored):
    x = np.rot90(x, quarters, (-2, -1))
    return x[..., ::-1] if mirrored else x


def turn(x, draw, keep_trigger=True):
    """One of the eight symmetries of the square, [2, 56, 56]: a sky has no preferred side. The trigger pixel, [28][28] of 56, does
    not stay in place under a turn of the whole frame, so the 55 x 55 pixels around it are turned and row and column 0 stay;
    keep_trigger=False turns the whole frame."""
    x, quarters, mirrored = x.copy(), draw.integers(4), draw.integers(2)
    if not keep_trigger:
        return np.ascontiguousarray(turn_square(x, quarters, mirrored))
    x[:, 1:, 1:] = turn_square(x[:, 1:, 1:], quarters, mirrored)
    return x


def lose_packets(x, draw):
    """One to three of eight stripes of rows, or a corner, without data; never the trigger pixel. As the simulator does it."""
    if draw.random() < 0.7:
        stripes = [s for s in range(8) if s != CENTRE // STRIPE]
        for s in draw.choice(stripes, draw.integers(1, 4)):
            x[:, s * STRIPE:(s + 1) * STRIPE] = 0
    else:
        z, y = (corner * (CENTRE + BLOCK_CLEAR) for corner in draw.integers(0, 2, 2))
        x[:, z:z + BLOCK_SIDE, y:y + BLOCK_SIDE] = 0


def shift_fraction(image, by_z, by_y):
    """Images [n, H, W] moved by [n] fractions of a pixel, either way, between neighbours in a straight line."""
    for axis, by in ((1, by_z), (2, by_y)):
        neighbour = np.where((by > 0)[:, None, None], np.roll(image, 1, axis), np.roll(image, -1, axis))
        part = np.abs(by).astype(np.float32)[:, None, None]
        image = (1 - part) * image + part * neighbour
    return image


def smooth_noise(draw, shape):
    """Unit noise that reaches over three pixels, as the noise of a decoded image does."""
    noise = draw.standard_normal(shape, dtype=np.float32)
    for axis in (-2, -1):
        noise = (np.roll(noise, 1, axis) + noise + np.roll(noise, -1, axis)) / np.float32(3**0.5)
    return noise


def change(options, x, draw):
    """A changed copy of a batch.

    Given     options  turn: trigger or frame; lose: share of images that lose packets; noise: sigma of S/N, at most; shift: pixels
                       either way, at most; scale: of the S/N, at most so far from 1; what is left out is not done"""
    x = np.array(x, dtype=np.float32)
    n, data = len(x), x[:, 1] > 0
    if options.get("shift", 0) > 0:
        x[:, 0] = shift_fraction(x[:, 0], *draw.uniform(-options["shift"], options["shift"], (2, n)))
    if options.get("scale", 0) > 0:
        x[:, 0] *= draw.uniform(1 - options["scale"], 1 + options["scale"], (n, 1, 1)).astype(np.float32)
    if options.get("noise", 0) > 0:
        sigma = draw.uniform(0, options["noise"] / SCALE, (n, 1, 1)).astype(np.float32)
        x[:, 0] += sigma * smooth_noise(draw, x[:, 0].shape)
    x[:, 0] = np.clip(x[:, 0], -10 / SCALE, 30 / SCALE) * data
    for i in np.flatnonzero(draw.random(n) < options.get("lose", 0.0)):
        lose_packets(x[i], draw)
    if options.get("turn", "no") != "no":
        for i in range(n):
            x[i] = turn(x[i], draw, options["turn"] == "trigger")
    return x


def mask_values(x):
    """The whole numbers 0..3 behind a mask plane."""
    return np.rint(x * MASK_SCALE).astype(int)
