"""Where runs lie on disk, and what they keep: checkpoints that survive a killed process, a log as a table and for TensorBoard.

$BURST_TRAINING (default build/training) holds data/<hash of the make line>/ and runs/<name>/<seed>/."""
import csv
import hashlib
import json
import math
import os
import pathlib
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
EXPERIMENTS = REPOSITORY / "training" / "experiments"
EXTRA_PACKAGES = REPOSITORY / "build" / "training-packages"  # deploy/install-deps --train puts there what Debian has not


def root():
    return pathlib.Path(os.environ.get("BURST_TRAINING") or REPOSITORY / "build" / "training").resolve()


def build_folder():
    """Where burst-sim and libburst_train.so are."""
    return pathlib.Path(os.environ.get("BURST_BUILD") or REPOSITORY / "build" / "release").resolve()


def run_folder(name, seed):
    return root() / "runs" / name / str(seed)


def digest(value, length=16):
    """A short name for a JSON value; equal values have equal names."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]


def data_folder(make):
    return root() / "data" / digest([str(word) for word in make])


def write_json(path, value):
    """A reader never sees half a file."""
    path = pathlib.Path(path)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")
    part.replace(path)


def read_json(path):
    return json.loads(pathlib.Path(path).read_text())


def save_checkpoint(folder, state):
    import torch
    part = folder / "checkpoint.pt.part"
    torch.save(state, part)
    part.replace(folder / "checkpoint.pt")


def load_checkpoint(folder):
    """None where there is none."""
    import torch
    path = folder / "checkpoint.pt"
    return torch.load(path, map_location="cpu") if path.exists() else None


def say(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def clock(seconds):
    seconds = int(seconds + 0.5)
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}" if seconds >= 3600 else f"{seconds // 60}:{seconds % 60:02d}"


class Progress:
    """A bar with the time left, on a terminal only. The first step of a leg may be slow and is not counted."""

    def __init__(self, total, done=0):
        self.total, self.first, self.began = total, done, None

    def show(self, done, text=""):
        if self.began is None:
            self.began, self.first = time.monotonic(), done
        if not sys.stderr.isatty():
            return
        spent, steps = time.monotonic() - self.began, done - self.first
        left = f"{clock(spent / steps * (self.total - done))} left" if steps else ""
        bar = "#" * (30 * done // self.total)
        print(f"\r[{bar:<30}] {done}/{self.total} {text} {left}  ", end="\n" if done == self.total else "", file=sys.stderr, flush=True)


def tensorboard_writer(folder):
    """An event writer, or None where no package is at hand (said once by the caller)."""
    if EXTRA_PACKAGES.is_dir() and str(EXTRA_PACKAGES) not in sys.path:
        sys.path.append(str(EXTRA_PACKAGES))  # last: Debian's own numpy and protobuf go first
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return None
    return SummaryWriter(str(folder))


class Log:
    """log.csv with one row per epoch, and the same as TensorBoard events. Rows after `epoch` are of a leg that was lost."""

    def __init__(self, folder, columns, epoch, quiet_about_tensorboard):
        self.path, self.columns = folder / "log.csv", columns
        kept = []
        if self.path.exists():
            with open(self.path, newline="") as table:
                kept = [row for row in csv.DictReader(table) if int(row["epoch"]) <= epoch]
        with open(self.path, "w", newline="") as table:
            out = csv.DictWriter(table, columns, extrasaction="ignore")
            out.writeheader()
            out.writerows(kept)
        self.writer = tensorboard_writer(folder)
        if self.writer is None and not quiet_about_tensorboard:
            say("no TensorBoard events: neither tensorboardX nor tensorboard is installed (deploy/install-deps --train)")

    def row(self, values):
        with open(self.path, "a", newline="") as table:
            csv.DictWriter(table, self.columns).writerow(values)
        if self.writer:
            for name in self.columns:
                if name != "epoch" and math.isfinite(values[name]):
                    self.writer.add_scalar(name, values[name], values["epoch"])
            self.writer.flush()

    def close(self):
        if self.writer:
            self.writer.close()
