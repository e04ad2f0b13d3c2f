#!/usr/bin/python3
"""Train the image network on folders made by `burst-sim images`, and say how good it is on another.

    burst-sim images --n 2400 --seed 101 --out train   (likewise validate, test with other seeds)
    training/image_train.py --train train --validate validate --test test --out run
"""
import argparse
import os
import time

import numpy as np
import torch
from torch import nn

import common
import image_model


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--train", required=True, help="folder of samples")
    p.add_argument("--validate", required=True, help="folder with another seed: when to stop, temperature")
    p.add_argument("--test", required=True, help="folder with a third seed: the figures told")
    p.add_argument("--out", required=True, help="folder for checkpoint.pt and figures.json")
    p.add_argument("--first", type=int, default=0, help="use only this many training samples (0: all)")
    p.add_argument("--epochs", type=int, default=24, help="at most; the rate falls to 0 along a cosine over them")
    p.add_argument("--patience", type=int, default=8, help="epochs without a better validation loss before stopping")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, default=7e-4)
    p.add_argument("--decay", type=float, default=0.0, help="weight decay")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def turn(x, draw):
    """One of the eight symmetries of the square: a sky has no preferred side. The trigger pixel, [28][28] of 56, does not
    stay in place under a flip of the whole frame, so the 55 x 55 pixels around it are turned and row and column 0 stay."""
    x = x.copy()
    square = np.rot90(x[:, 1:, 1:], draw.integers(4), (1, 2))
    x[:, 1:, 1:] = square[:, :, ::-1] if draw.integers(2) else square
    return x


def train_epoch(net, x, y, args, optimiser, draw):
    net.train()
    loss_of, total = nn.BCEWithLogitsLoss(), 0.0
    order, n_step = draw.permutation(len(x)), len(x) // args.batch
    for step in range(n_step):
        pick = order[step * args.batch:(step + 1) * args.batch]
        batch = torch.from_numpy(np.stack([turn(x[i], draw) for i in pick]))
        loss = loss_of(net(batch)[:, 0], torch.from_numpy(y[pick].astype(np.float32)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        total += float(loss)
        common.progress(step + 1, n_step, f"loss {total / (step + 1):.4f}")
    return total / n_step


def fit(net, part, args, draw):
    """Train until the validation loss stops falling; returns the epochs run and the best one, whose weights are kept."""
    n = args.first or len(part["train"])
    x, y = np.array(part["train"].x[:n]), part["train"].y[:n]
    optimiser = torch.optim.Adam(net.parameters(), args.rate, weight_decay=args.decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, args.epochs)
    best, best_epoch, path = np.inf, 0, os.path.join(args.out, "checkpoint.pt")
    for epoch in range(1, args.epochs + 1):
        began = time.time()
        loss = train_epoch(net, x, y, args, optimiser, draw)
        schedule.step()
        logit, label = image_model.logits(net, part["validate"].x), part["validate"].y
        check = float(np.mean(np.logaddexp(0.0, np.where(label == 1, -logit, logit))))
        common.say(f"epoch {epoch}/{args.epochs} loss {loss:.4f} validation loss {check:.4f} accuracy "
                   f"{np.mean((logit > 0) == (label == 1)):.4f} auc {common.auc(logit, label):.4f} {time.time() - began:.0f} s")
        if check < best:
            best, best_epoch = check, epoch
            torch.save(net.state_dict(), path)
        elif epoch - best_epoch >= args.patience:
            break
    net.load_state_dict(torch.load(path))
    return epoch, best_epoch


def figures(samples, logit, temperature):
    """Figures of merit; fractions as [value, low, high] of a 95 % Wilson interval with the n they stand on."""
    y, p = samples.y, common.probability(logit, temperature)
    call, n1, n0 = p > 0.5, int((y == 1).sum()), int((y == 0).sum())
    hit, false = int((call & (y == 1)).sum()), int((call & (y == 0)).sum())
    recall, specificity = common.wilson(hit, n1), common.wilson(n0 - false, n0)
    family, snr = samples.column("family", str), samples.column("snr")
    sure = (p <= 0.2) | (p >= 0.8)
    by_family = {f: [*common.wilson(int((call == (y == 1))[family == f].sum()), int((family == f).sum())),
                     int((family == f).sum())] for f in sorted(set(family))}
    by_snr = {f"{a}-{b}": [*common.wilson(int((call == (y == 1))[m].sum()), int(m.sum())), int(m.sum())]
              for a, b in ((5, 7), (7, 8), (8, 10), (10, 15), (15, 41)) for m in [(snr >= a) & (snr < b)]}
    return {"n": len(y), "n_true": n1, "n_false": n0,
            "accuracy": common.wilson(int((call == (y == 1)).sum()), len(y)),
            "balanced_accuracy": (recall[0] + specificity[0]) / 2, "recall": recall,
            "precision": common.wilson(hit, hit + false), "specificity": specificity,
            "auc": common.auc_interval(logit, y), "calibration_error": common.calibration_error(p, y),
            "brier": float(np.mean((p - y) ** 2)), "share_decided": common.wilson(int(sure.sum()), len(y)),
            "accuracy_where_decided": common.wilson(int((sure & (call == (y == 1))).sum()), int(sure.sum())),
            "accuracy_by_family": by_family, "accuracy_by_snr": by_snr}


def leak_probes(samples):
    """AUC of one-number classifiers: what the label must not be told by."""
    y = samples.y
    fold = lambda a: float(max(a, 1 - a))
    return {name: fold(common.auc(samples.column(column), y)) for name, column in
            (("frame_deviation", "frame_sd"), ("sky_deviation", "sd"), ("peak_snr", "snr"), ("missing_pixels", "n_missing"),
             ("exposure", "exposure_s"), ("nearest_known_source", "nearest_px"))}


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    part = {name: common.Samples(getattr(args, name)) for name in ("train", "validate", "test")}
    common.check_split(part)
    os.makedirs(args.out, exist_ok=True)
    net, began = image_model.ImageNet(), time.time()
    n_epoch, best_epoch = fit(net, part, args, np.random.default_rng(args.seed))
    seconds = round(time.time() - began)
    temperature = common.fit_temperature(image_model.logits(net, part["validate"].x), part["validate"].y)
    report = {"temperature": temperature, "epochs": n_epoch, "best_epoch": best_epoch, "batch": args.batch,
              "rate": args.rate, "decay": args.decay, "seed": args.seed, "n_train": args.first or len(part["train"]),
              "n_validate": len(part["validate"]), "seconds": seconds, "torch": torch.__version__,
              "seeds": {name: sorted(p.seeds()) for name, p in part.items()},
              "test": figures(part["test"], image_model.logits(net, part["test"].x), temperature),
              "leak_probes": leak_probes(part["test"])}
    common.write_json(os.path.join(args.out, "figures.json"), report)
    test = report["test"]
    common.say(f"temperature {temperature:.3f}, test accuracy {test['accuracy'][0]:.4f} "
               f"[{test['accuracy'][1]:.4f}, {test['accuracy'][2]:.4f}] of n = {test['n']}, auc {test['auc'][0]:.4f}")


if __name__ == "__main__":
    main()
