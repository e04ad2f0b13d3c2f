"""The training loop: every step is a function of (configuration, seed, step), so a run that was stopped goes on as if it had not
been. What is random in a step (rows, augmentation, dropout) is drawn from the seed and the number of the step; a checkpoint
holds weights, the optimiser and the schedule. With one thread and one machine the weights are the same bit for bit."""
import concurrent.futures
import contextlib
import math
import os
import time

import numpy as np
import torch

from burst_training import data, registry, runs

LOG = ["epoch", "loss", "validation_loss", "validation_auc", "validation_accuracy", "rate", "seconds"]
EVALUATE_ROWS = 128


class Stopped(Exception):
    """The time given ran out; the checkpoint holds all that was done."""


def device_of(name):
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def start_threads(n):
    torch.set_num_threads(n or int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))


def make_network(config, seed):
    """The network as this seed begins it."""
    torch.manual_seed(seed)
    return registry.build(config["model"])


def load_start(net, config, seed):
    """Weights of the run that this one starts from, and what must be frozen. Returns the origins it was trained on.

    head: everything but `head` keeps its weights, and its batch norm its statistics."""
    start = config["start"]
    if not start:
        return frozenset()
    folder = runs.run_folder(start["run"], start.get("seed", seed))
    if not (folder / "run.json").exists():
        raise FileNotFoundError(f"{folder}: run '{start['run']}' with seed {start.get('seed', seed)} is not finished; train it first")
    net.load_state_dict(torch.load(folder / "best.pt", map_location="cpu"))
    if start["train"] == "head":
        net.requires_grad_(False)
        net.head.requires_grad_(True)
    return frozenset(tuple(o) if isinstance(o, list) else o for o in runs.read_json(folder / "run.json")["trained_on"])


def set_training(net, config):
    """Training mode; where only the head is trained, batch norm elsewhere keeps its statistics and dropout is off."""
    net.train()
    if config["start"] and config["start"]["train"] == "head":
        net.eval()
        net.head.train()


def make_optimiser(net, o):
    free = [p for p in net.parameters() if p.requires_grad]
    kind = torch.optim.Adam if o["optimiser"] == "adam" else torch.optim.AdamW
    return kind(free, o["rate"], weight_decay=o["decay"])


def make_schedule(optimiser, o, steps):
    """plateau steps once an epoch with the validation loss, the others once a step."""
    if o["schedule"] == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, o["rate"], max(steps, 2), pct_start=0.15)
    if o["schedule"] == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
    if o["schedule"] == "plateau":
        return torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=o["halve_after"])
    return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)


def autocast(device, on):
    return torch.autocast(device.type, dtype=torch.bfloat16) if on else contextlib.nullcontext()


def predict(net, task, part, device, bf16=False):
    """float64 [n] logit of "a real burst" of every row."""
    net.eval()
    out = []
    with torch.no_grad(), autocast(device, bf16):
        for i in range(0, len(part), EVALUATE_ROWS):
            x, _ = part.take(np.arange(i, min(i + EVALUATE_ROWS, len(part))))
            out.append(task.score(net(torch.from_numpy(x).to(device)).float()).cpu().numpy())
    return np.concatenate(out).astype(np.float64)


class Trunked(data.Part):
    """Another part as what a frozen trunk makes of it, computed once: the head alone then trains in seconds."""

    def __init__(self, net, part, device):
        self.y, self.group, self.columns, self.origin = part.y, part.group, part.columns, part.origin
        net.eval()
        with torch.no_grad():
            self.x = np.concatenate([net.trunk(torch.from_numpy(part.take(np.arange(i, min(i + EVALUATE_ROWS, len(part))))[0]).to(device))
                                     .cpu().numpy() for i in range(0, len(part), EVALUATE_ROWS)])

    def take(self, pick, draw=None):
        return self.x[pick], self.y[pick]


def cross_entropy(logit, y):
    return float(np.mean(np.logaddexp(0.0, logit) - y * logit))


def rank_auc(logit, y):
    """Area under the ROC curve by ranks, ties half; NaN where one class is missing. (The figures told come from metrics.py.)"""
    y = np.asarray(y) > 0.5
    n1, n0 = int(y.sum()), int((~y).sum())
    if not n1 or not n0:
        return math.nan
    _, inverse, count = np.unique(logit, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
    return float((rank[y].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def settings_key(config, seed):
    """What a checkpoint must have been made with. How it is judged, told, exported and computed may change."""
    kept = {k: config[k] for k in ("task", "model", "prepare", "augment", "start")}
    kept["data"] = {k: config["data"][k] for k in ("train", "validate")}
    how = {k: v for k, v in config["optimise"].items() if k not in ("threads", "workers", "device")}
    return runs.digest({**kept, "optimise": how, "seed": seed})


class Training:
    """One run: train() goes on from where the folder's checkpoint is."""

    def __init__(self, config, seed, parts, folder, net=None):
        self.config, self.o, self.seed, self.folder = config, config["optimise"], seed, folder
        self.train_part, self.validate_part = parts["train"], parts["validate"]
        self.device, self.task = device_of(self.o["device"]), registry.find(registry.TASKS, config["task"], "task")()
        self.net = self.asked = net.to(self.device)
        if hasattr(net, "wide"):
            net.wide = True
        if config["start"].get("train") == "head" and not config["augment"] and hasattr(net, "trunk"):
            self.asked = self.net.head
            self.train_part, self.validate_part = (Trunked(self.net, p, self.device) for p in (self.train_part, self.validate_part))
        self.steps_per_epoch = max(len(self.train_part) // self.o["batch"], 1)
        self.optimiser = make_optimiser(self.net, self.o)
        self.schedule = make_schedule(self.optimiser, self.o, self.o["epochs"] * self.steps_per_epoch)
        self.state = {"step": 0, "epoch": 0, "sum_loss": 0.0, "best_loss": math.inf, "best_epoch": 0, "seconds": 0.0, "done": False}
        self.key = settings_key(config, seed)
        self.order = (-1, None)

    # --- checkpoints

    def save(self):
        runs.save_checkpoint(self.folder, {"key": self.key, "net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(),
                                           "schedule": self.schedule.state_dict(), "state": self.state})

    def resume(self):
        """Go on from the checkpoint; False where there is none. One of other settings is refused."""
        kept = runs.load_checkpoint(self.folder)
        if kept is None:
            return False
        if kept["key"] != self.key:
            raise ValueError(f"{self.folder}: the checkpoint is of other settings; run without --resume to begin anew")
        self.net.load_state_dict(kept["net"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.schedule.load_state_dict(kept["schedule"])
        self.state = kept["state"]
        return True

    # --- one step

    def rows(self, step):
        """The rows of a step: each epoch is a permutation of its own. What is left over at its end waits for another epoch."""
        epoch, at = divmod(step, self.steps_per_epoch)
        if self.order[0] != epoch:
            self.order = (epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.train_part)))
        return self.order[1][at * self.o["batch"]:(at + 1) * self.o["batch"]]

    def pieces(self, rows):
        size = self.o["micro"] or len(rows)
        return [rows[i:i + size] for i in range(0, len(rows), size)]

    def take(self, step, piece, rows):
        """Runs in another thread: numpy and C only, no order between calls matters."""
        return self.train_part.take(np.sort(rows), np.random.default_rng([self.seed, 1 + step, piece]))

    def batches(self, first, end):
        """(step, number of pieces, x, y) of steps first..end-1; the next ones are prepared meanwhile."""
        jobs = [(step, i, n, rows) for step in range(first, end) for pieces in [self.pieces(self.rows(step))]
                for n in [len(pieces)] for i, rows in enumerate(pieces)]
        ahead = self.o["workers"] or (1 if self.device.type == "cpu" else min(os.cpu_count() or 1, 12))
        with concurrent.futures.ThreadPoolExecutor(ahead) as pool:
            waiting = [pool.submit(self.take, step, i, rows) for step, i, _, rows in jobs[:2 * ahead]]
            for k, (step, i, n, _) in enumerate(jobs):
                x, y = waiting.pop(0).result()
                if k + 2 * ahead < len(jobs):
                    s, j, _, rows = jobs[k + 2 * ahead]
                    waiting.append(pool.submit(self.take, s, j, rows))
                yield step, i, n, x, y

    def gradient(self, step, piece, n_piece, x, y):
        """Add one piece's gradient; its share of the step's loss."""
        torch.manual_seed((self.seed * 1_000_003 + step) * 4_099 + piece)  # dropout
        x, y = torch.from_numpy(x).to(self.device), torch.from_numpy(y).to(self.device)
        with autocast(self.device, self.o["bf16"]):
            z = self.asked(x)
        loss = self.task.loss(z.float(), y, self.o["smooth"]) / n_piece
        loss.backward()
        return float(loss)

    def advance(self):
        if self.o["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.o["clip"])
        self.optimiser.step()
        if self.o["schedule"] != "plateau":
            self.schedule.step()
        self.optimiser.zero_grad(set_to_none=True)

    # --- epochs

    def epoch(self, deadline, bar):
        """Steps up to the end of the epoch, or until the time is up."""
        first = self.state["step"]
        end = (first // self.steps_per_epoch + 1) * self.steps_per_epoch
        set_training(self.net, self.config)
        for step, piece, n_piece, x, y in self.batches(first, end):
            self.state["sum_loss"] += self.gradient(step, piece, n_piece, x, y)
            if piece + 1 < n_piece:
                continue
            self.advance()
            self.state["step"] = step + 1
            done = step + 1 - (end - self.steps_per_epoch)
            bar.show(step + 1, f"epoch {self.state['epoch'] + 1} loss {self.state['sum_loss'] / done:.4f}")
            if time.monotonic() > deadline:
                self.stop_clock()
                self.save()
                raise Stopped

    def stop_clock(self):
        now = time.monotonic()
        self.state["seconds"] += now - self.began
        self.began = now

    def close_epoch(self, log):
        logit, y = predict(self.asked, self.task, self.validate_part, self.device, self.o["bf16"]), self.validate_part.y
        check = cross_entropy(logit, y)
        state, rate = self.state, self.optimiser.param_groups[0]["lr"]
        state["epoch"] += 1
        loss, state["sum_loss"] = state["sum_loss"] / self.steps_per_epoch, 0.0
        if self.o["schedule"] == "plateau":
            self.schedule.step(check)
        if check < state["best_loss"] or self.o["keep"] == "last":
            state["best_loss"], state["best_epoch"] = min(check, state["best_loss"]), state["epoch"]
            torch.save(self.net.state_dict(), self.folder / "best.pt")
        self.stop_clock()
        state["done"] = self.finished()
        row = dict(zip(LOG, (state["epoch"], loss, check, rank_auc(logit, y), float(np.mean((logit > 0) == (y > 0.5))), rate, state["seconds"])))
        log.row({k: round(v, 6) if isinstance(v, float) and k != "rate" else v for k, v in row.items()})
        self.save()
        runs.say(f"epoch {state['epoch']}/{self.o['epochs']} loss {loss:.4f} validation loss {check:.4f} auc {row['validation_auc']:.4f} "
                 f"accuracy {row['validation_accuracy']:.4f} after {runs.clock(state['seconds'])}")

    def finished(self):
        late = self.o["patience"] and self.state["epoch"] - self.state["best_epoch"] >= self.o["patience"]
        return bool(late) or self.state["epoch"] >= self.o["epochs"]

    def train(self, minutes=0.0):
        """Until it is done; Stopped when `minutes` are up (0: never). The best weights are in the folder as best.pt."""
        deadline = time.monotonic() + 60 * minutes if minutes else math.inf
        self.began = time.monotonic()
        log = runs.Log(self.folder, LOG, self.state["epoch"], self.state["epoch"] > 0)
        if self.o["epochs"] == 0 and not self.state["done"]:
            torch.save(self.net.state_dict(), self.folder / "best.pt")
            self.state["done"] = True
            self.save()
        bar = runs.Progress(self.o["epochs"] * self.steps_per_epoch, self.state["step"])
        try:
            while not self.state["done"]:
                if self.state["step"] < (self.state["epoch"] + 1) * self.steps_per_epoch:
                    self.epoch(deadline, bar)
                self.close_epoch(log)
                if time.monotonic() > deadline and not self.state["done"]:
                    raise Stopped
        finally:
            log.close()
        self.net.load_state_dict(torch.load(self.folder / "best.pt", map_location=self.device))


def open_training(config, seed, folder):
    """A run with its data, its network and what it starts from, ready to train or to resume. Returns it and its parts."""
    folder.mkdir(parents=True, exist_ok=True)
    start_threads(config["optimise"]["threads"])
    net = make_network(config, seed)
    earlier = load_start(net, config, seed)
    parts = data.open_parts(config, earlier)
    return Training(config, seed, parts, folder, net), parts, earlier
