"""From logits to probabilities. Everything here is fitted on validation data and on nothing else. numpy only.

A temperature T divides the logit; Platt's form adds an offset first, (logit + b) / T; isotonic regression takes any rising
step function. burstd divides by burst.temperature, and an offset goes into the exported network's last bias; isotonic
regression is told beside them, as what a form without a formula would reach."""
import numpy as np

T_LEAST, T_MOST = 0.05, 20.0


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-np.clip(z, -60, 60)))


def temperature(logit, y):
    """The T of least cross-entropy. Its derivative in 1/T rises, so it is found by halving; T_LEAST or T_MOST where there is
    no least (all rows called right, or the score says nothing)."""
    margin = np.where(np.asarray(y) > 0, 1.0, -1.0) * np.asarray(logit, float)
    low, high = 1 / T_MOST, 1 / T_LEAST
    for _ in range(80):
        middle = (low + high) / 2
        if np.mean(margin * sigmoid(-middle * margin)) > 0:
            low = middle
        else:
            high = middle
    return float(2 / (low + high))


def platt(logit, y):
    """(T, b) of least cross-entropy against Platt's targets, which keep separable rows finite, by Newton's method.
    Source: Platt 1999, Advances in Large Margin Classifiers; Lin, Lin and Weng 2007."""
    logit, y = np.asarray(logit, float), np.asarray(y) > 0
    n1, n0 = y.sum(), (~y).sum()
    target = np.where(y, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    scale = max(np.abs(logit).mean(), 1e-9)
    x = np.stack([logit / scale, np.ones(len(logit))])
    w = np.array([1.0, 0.0])

    def loss(w):
        return np.mean(np.logaddexp(0, w @ x) - target * (w @ x))
    for _ in range(100):
        p = sigmoid(w @ x)
        slope = x @ (p - target) / len(logit)
        step = np.linalg.solve((x * (p * (1 - p))) @ x.T / len(logit) + 1e-12 * np.eye(2), slope)
        size = 1.0
        while loss(w - size * step) > loss(w) and size > 1e-6:
            size /= 2
        w = w - size * step
        if np.abs(size * step).max() < 1e-10:
            break
    a = float(np.clip(w[0] / scale, 1 / T_MOST, 1 / T_LEAST))
    return 1 / a, float(w[1] / a)


def isotonic(logit, y):
    """Rising steps of least squared error: (scores, probabilities) of the blocks, by pooling neighbours that fall.
    Source: Ayer and others 1955; Zadrozny and Elkan 2002."""
    order = np.argsort(logit, kind="stable")
    score, index = np.unique(np.asarray(logit, float)[order], return_inverse=True)
    weight, total = np.bincount(index).astype(float), np.bincount(index, np.asarray(y, float)[order])
    blocks = []  # [sum, weight, first score, last score]
    for s, t, w in zip(score, total, weight):
        blocks.append([t, w, s, s])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            t1, w1, _, last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + t1, blocks[-1][1] + w1, blocks[-1][2], last]
    edges = [edge for block in blocks for edge in (block[2], block[3])]
    values = [value for block in blocks for value in [block[0] / block[1]] * 2]
    return np.array(edges), np.array(values)


def apply_isotonic(fit, logit):
    """Between blocks along a straight line, beyond the ends as at the ends."""
    return np.interp(np.asarray(logit, float), *fit)


def fit(kind, logit, y):
    """{temperature, offset} of a configuration's `calibrate`."""
    if kind == "none":
        return {"kind": kind, "temperature": 1.0, "offset": 0.0}
    t, b = platt(logit, y) if kind == "platt" else (temperature(logit, y), 0.0)
    return {"kind": kind, "temperature": t, "offset": b}


def probability(found, logit):
    return sigmoid((np.asarray(logit, float) + found["offset"]) / found["temperature"])
