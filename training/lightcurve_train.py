#!/usr/bin/python3
"""Train the light-curve network on folders made by `burst-sim lightcurves`, and say how good it is on another."""
import argparse
import os
import time

import numpy as np
import torch
from torch import nn

import common
from lightcurve_model import LightCurveNet


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--train", required=True, help="folder of samples")
    p.add_argument("--validate", required=True, help="folder with another seed: temperature")
    p.add_argument("--test", required=True, help="folder with a third seed: the figures told")
    p.add_argument("--out", required=True, help="folder for checkpoint.pt and figures.json")
    p.add_argument("--start", help="checkpoint.pt to go on from")
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rate", type=float, default=1e-3, help="highest learning rate; one cycle, cosine")
    p.add_argument("--smooth", type=float, default=0.02, help="label smoothing")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--bf16", action="store_true", help="convolutions in bfloat16: twice as fast where the CPU has it")
    return p.parse_args()


def logits(net, samples, batch=128):
    """logit(burst) - logit(background) of every sample, in float32."""
    net.eval()
    out = []
    with torch.no_grad():
        for i in range(0, len(samples), batch):
            z = net(torch.from_numpy(np.array(samples.x[i:i + batch])))
            out.append((z[:, 1] - z[:, 0]).numpy())
    return np.concatenate(out).astype(np.float64)


def train_epoch(net, samples, order, args, optimiser, schedule):
    net.train()
    loss_of = nn.CrossEntropyLoss(label_smoothing=args.smooth)
    total, n_step = 0.0, len(order) // args.batch
    for step in range(n_step):
        pick = np.sort(order[step * args.batch:(step + 1) * args.batch])
        x, y = torch.from_numpy(samples.x[pick]), torch.from_numpy(samples.y[pick])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
            z = net(x)
        loss = loss_of(z.float(), y)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        total += float(loss)
        common.progress(step + 1, n_step, f"loss {total / (step + 1):.4f}")
    return total / n_step


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    draw = np.random.default_rng(args.seed)
    part = {name: common.Samples(getattr(args, name)) for name in ("train", "validate", "test")}
    common.check_split(part)
    net = LightCurveNet()
    if args.start:
        net.load_state_dict(torch.load(args.start))
    optimiser = torch.optim.AdamW(net.parameters(), args.rate, weight_decay=1e-3)
    n_step = args.epochs * (len(part["train"]) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, n_step, pct_start=0.15)
    os.makedirs(args.out, exist_ok=True)
    began = time.time()
    for epoch in range(args.epochs):
        loss = train_epoch(net, part["train"], draw.permutation(len(part["train"])), args, optimiser, schedule)
        logit = logits(net, part["validate"])
        common.say(f"epoch {epoch + 1}/{args.epochs} loss {loss:.4f} validation auc {common.auc(logit, part['validate'].y):.5f}"
                   f" accuracy {np.mean((logit > 0) == (part['validate'].y == 1)):.4f} after {time.time() - began:.0f} s")
        torch.save(net.state_dict(), os.path.join(args.out, "checkpoint.pt"))
    temperature = common.fit_temperature(logits(net, part["validate"]), part["validate"].y)
    report = {"temperature": temperature, "epochs": args.epochs, "batch": args.batch, "rate": args.rate, "seed": args.seed,
              "n_train": len(part["train"]), "seconds": round(time.time() - began), "torch": torch.__version__,
              "bf16": args.bf16, "seeds": {name: sorted(p.seeds()) for name, p in part.items()},
              "test": common.figures(part["test"], logits(net, part["test"]), temperature),
              "leak_probes": common.leak_probes(part["test"])}
    common.write_json(os.path.join(args.out, "figures.json"), report)
    test = report["test"]
    common.say(f"temperature {temperature:.3f}, test accuracy {test['accuracy'][0]:.4f} "
               f"[{test['accuracy'][1]:.4f}, {test['accuracy'][2]:.4f}] of n = {test['n']}, auc {test['auc'][0]:.4f}")


if __name__ == "__main__":
    main()
