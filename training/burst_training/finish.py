"""What a trained network leaves: calibration, predictions, figures, card, exported file."""
import platform
import time

import numpy as np
import torch

from burst_training import calibrate, card, export, loop, metrics, runs

SNR_EDGES = [3, 4, 5, 6, 7, 8, 10, 15, 30, 100, None]


def save_predictions(path, part, logit, found):
    """logit: calibrated when divided by `temperature`; an offset is already in it. What burst-eval reads."""
    reserved = {"logit", "y", "group", "temperature"}
    columns = {k: v for k, v in part.columns.items() if k not in reserved}
    np.savez_compressed(path, logit=logit + found["offset"], y=part.y, group=part.group, temperature=found["temperature"], **columns)


def part_figures(part, logit, found, draws=400):
    """Figures of one part; soft labels (unclear rows) are left out, and their number told."""
    sure = (part.y == 0) | (part.y == 1)
    y, group, z = part.y[sure].astype(int), np.asarray(part.group)[sure], (logit + found["offset"])[sure]
    out = {"n_burst": int((y == 1).sum()), "n_other": int((y == 0).sum()), "n_unclear": int((~sure).sum()),
           "figures": metrics.figures(z, y, group, found["temperature"], draws=draws)}
    right = (z > 0) == (y == 1)
    columns = {k: np.asarray(v)[sure] for k, v in part.columns.items()}
    if "family" in columns:
        out["false_positive_by_family"] = metrics.by_name(columns["family"][y == 0], ~right[y == 0], group[y == 0])
        out["recall_by_family"] = metrics.by_name(columns["family"][y == 1], right[y == 1], group[y == 1])
    if "snr" in columns:
        out["recall_by_snr"] = metrics.by_bin(columns["snr"][y == 1], SNR_EDGES, right[y == 1], group[y == 1])
    return out


def calibration_table(validate, test):
    """ECE and Brier score on test rows of each way of calibrating, all fitted on validation rows."""
    (zv, yv), (zt, yt) = validate, test
    t, b = calibrate.platt(zv, yv)
    ways = {"as it comes": calibrate.sigmoid(zt), "temperature": calibrate.sigmoid(zt / calibrate.temperature(zv, yv)),
            "temperature and offset": calibrate.sigmoid((zt + b) / t), "isotonic": calibrate.apply_isotonic(calibrate.isotonic(zv, yv), zt)}
    return {name: {"ece": metrics.ece(p, yt), "brier": metrics.brier(p, yt)} for name, p in ways.items()}


def sure_rows(part, logit):
    sure = (part.y == 0) | (part.y == 1)
    return logit[sure], part.y[sure].astype(int)


def validation_loss(part, logit, found):
    """Cross-entropy of the calibrated probabilities: by it the seed that is shipped is chosen, never by the test part."""
    z, y = sure_rows(part, logit)
    return loop.cross_entropy((z + found["offset"]) / found["temperature"], y)


def machine(training):
    device = training.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
    return {"device": name, "threads": torch.get_num_threads(), "torch": torch.__version__.split("+")[0], "bf16": training.o["bf16"]}


def cpu_name():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def how_it_was_made(training, parts):
    """Sets and their burst-sim, so that a card tells where its rows come from."""
    return {name: {"rows": len(part), "simulated": part.simulated, "source": training.config["data"][name],
                   "made_by": part.made_by} for name, part in parts.items()}


def finish(training, parts, earlier):
    """Predictions, figures.json, run.json, the exported file where the experiment asks for one, card.md."""
    config, folder, began = training.config, training.folder, time.monotonic()
    logit = {name: loop.predict(training.net, training.task, part, training.device)
             for name, part in parts.items() if name != "train"}
    found = calibrate.fit(config["calibrate"], *sure_rows(parts["validate"], logit["validate"]))
    for name in logit:
        save_predictions(folder / f"predictions-{name}.npz", parts[name], logit[name], found)
    figures = {"name": config["name"], "seed": training.seed, "calibration": found, "data": how_it_was_made(training, parts),
               "parameters": sum(p.numel() for p in training.net.parameters()), "epochs": training.state["epoch"],
               "best_epoch": training.state["best_epoch"], "seconds": round(training.state["seconds"]), "machine": machine(training),
               "validation_loss": validation_loss(parts["validate"], logit["validate"], found),
               "parts": {name: part_figures(parts[name], logit[name], found) for name in logit},
               "calibration_on_test": calibration_table(sure_rows(parts["validate"], logit["validate"]), sure_rows(parts["test"], logit["test"]))}
    if config["export"]:
        figures["parity"] = export.export_run(training, parts["test"], logit["test"], figures)
    figures["finish_seconds"] = round(time.monotonic() - began)
    runs.write_json(folder / "figures.json", figures)
    (folder / "card.md").write_text(card.text(config, figures, training.task))
    if config["export"]:
        (folder / "export" / "card.md").write_text(card.text(config, figures, training.task))
    trained_on = sorted(earlier | parts["train"].origin, key=str)
    runs.write_json(folder / "run.json", {"config": config, "seed": training.seed, "trained_on": trained_on, "key": training.key,
                                          "seconds": figures["seconds"] + figures["finish_seconds"], "machine": figures["machine"]})
    test = figures["parts"]["test"]["figures"]
    runs.say(f"{config['name']} seed {training.seed}: accuracy {card.interval(test['accuracy'])}, AUC {card.number(test['auc'])}, "
             f"T {found['temperature']:.3f}" + (f", C runtime within {figures['parity']['largest_difference']:.1e}" if config["export"] else ""))
