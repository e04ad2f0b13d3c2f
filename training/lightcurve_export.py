#!/usr/bin/python3
"""Write a trained light-curve network as models/NAME/VERSION: model.onnx, golden vectors, card; and its golden Grad-CAM."""
import argparse
import json
import os
import warnings

import numpy as np
import torch

import common
from lightcurve_model import N_BAND, N_BIN, N_PARAMETER, LightCurveNet, grad_cam

BANDS_KEV = [[25, 50], [50, 100], [50, 300], [100, 300], [100, 500], [100, 900], [300, 500], [300, 900], [500, 900]]
FEATURES = "feature_map"


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--run", required=True, help="folder of lightcurve_train.py: checkpoint.pt, figures.json")
    p.add_argument("--samples", required=True, help="folder of samples: the golden inputs are its first clear burst and quiet sky")
    p.add_argument("--version", default="1")
    p.add_argument("--before", default="", help="for the card: what the network had learned before this run")
    p.add_argument("--seen", default="", help="for the card: what it did on data that no sample was drawn from")
    p.add_argument("--out", required=True, help="models/gecam-resnet-mscfm/VERSION")
    p.add_argument("--cam", required=True, help="folder for the golden Grad-CAM")
    return p.parse_args()


def golden_input(net, samples):
    """One burst of S/N 15-40 and one quiet window, both called rightly, neither without doubt (a saturated answer tests
    little)."""
    picks = {}
    for i in range(len(samples)):
        row = samples.meta[i]
        kind = "burst" if row["label"] == "1" and 15 < float(row["snr"]) < 40 else row["family"]
        if kind not in ("burst", "quiet") or kind in picks or row["n_valid"] != str(N_BIN):
            continue
        with torch.no_grad():
            z = net(torch.from_numpy(np.array(samples.x[i:i + 1])))[0]
        if (z[1] > z[0]) == (kind == "burst"):
            picks[kind] = i
        if len(picks) == 2:
            return np.array(samples.x[[picks["burst"], picks["quiet"]]])
    raise ValueError("no clear burst and quiet window among the samples")


def name_features(model):
    """Give the map before global pooling a name that explanations can ask for."""
    pools = [n for n in model.graph.node if n.op_type == "GlobalAveragePool"]
    assert len(pools) == 1, [n.op_type for n in model.graph.node]
    old = pools[0].input[0]
    for node in model.graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = FEATURES


def unshare_initializers(model):
    """The exporter stores equal tensors once and copies them by Identity nodes: give each user its own."""
    stored = {t.name: t for t in model.graph.initializer}
    for node in [n for n in model.graph.node if n.op_type == "Identity" and n.input[0] in stored]:
        copy = model.graph.initializer.add()
        copy.CopyFrom(stored[node.input[0]])
        copy.name = node.output[0]
        model.graph.node.remove(node)


def metadata(version, figures):
    test = figures["test"]
    text = (f"Light-curve network trained on simulated windows alone; accuracy {test['accuracy'][0]:.3f} on {test['n']} "
            "simulated windows; see card.md")
    return {"burst.kind": "light_curve", "burst.version": version, "burst.bands_kev": BANDS_KEV, "burst.bin_s": 0.064,
            "burst.n_bin": N_BIN, "burst.standardise": "band", "burst.classes": ["background", "burst"],
            "burst.temperature": round(figures["temperature"], 4),
            "burst.thresholds": {"open": 0.5, "low": 0.2, "high": 0.8}, "burst.card": text}


def export_onnx(net, path, props):
    net.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PRESERVE keeps batch norm as nodes: the runtime folds, the file stays as trained
        torch.onnx.export(net, torch.zeros(1, N_BAND, N_BIN), path, opset_version=13, input_names=["light_curve"],
                          output_names=["logits"], do_constant_folding=False,
                          training=torch.onnx.TrainingMode.PRESERVE,
                          dynamic_axes={"light_curve": {0: "N"}, "logits": {0: "N"}})
    common.finish_onnx(path, props, unshare_initializers, name_features)


def card(version, f, before, seen):
    test, probes = f["test"], f["leak_probes"]
    lines = [
        f"# gecam-resnet-mscfm, version {version}", "",
        "One detector's 120 s of counts (9 bands x 1,875 bins of 64 ms, each band standardised) to two logits: background,",
        "burst. The network is science.md A.10: four residual units of 128 filters with multi-scale fusion,",
        f"{N_PARAMETER:,} parameters.", "",
        "**Simulated data only.** It was trained, validated and measured on windows of `burst-sim lightcurves`: pulse",
        "avalanches and Norris pulses with Band spectra through a measured effective-area table, Poisson background with",
        "measured trends, and nine families of look-alikes, for GECAM-B GRD and Fermi/GBM NaI rates. No figure in the tables says",
        "how it does on real data, and none may be compared with a published one.", "",
        f"Training: {f['n_train']:,} windows (seed {f['seeds']['train']}), {f['epochs']} passes, batch {f['batch']}, one-cycle",
        f"rate up to {f['rate']:g}, label smoothing 0.02, PyTorch {f['torch']}",
        f"{'(convolutions in bfloat16)' if f['bf16'] else ''}. {before}", f"Temperature {f['temperature']:.3f}, fitted on seed "
        f"{f['seeds']['validate']}; figures from seed {f['seeds']['test']}.", "Every window is a burst or a sky of its own, "
        "so no burst is in two parts. A burst is labelled so from an expected",
        "S/N of 5 (best of 64 ms to 8.2 s, 25-900 keV) upward.", "",
        f"| figure (threshold 0.5, n = {test['n']:,}: {test['n_burst']:,} bursts, {test['n_background']:,} others) | value [95 %] |",
        "|---|---|"]
    for name, key in (("accuracy", "accuracy"), ("precision", "precision"), ("recall", "recall"),
                      ("false positives, all families", "false_positive_rate"),
                      ("recall at 1 % false positives", "recall_at_1_percent_fpr"),
                      ("recall at 0.1 % false positives", "recall_at_0.1_percent_fpr")):
        lines.append(f"| {name} | {common.percent(test[key])} |")
    lines += [f"| area under the ROC curve | {test['auc'][0]:.4f} [{test['auc'][1]:.4f}, {test['auc'][2]:.4f}] |",
              f"| calibration error (15 bins) after temperature | {test['calibration_error']:.3f} |",
              f"| Brier score | {test['brier']:.3f} |", "", "| S/N | recall [95 %] | n |", "|---|---|---|"]
    lines += [f"| {k} | {common.percent(v)} | {v[3]} |" for k, v in test["recall_by_snr"].items()]
    lines += ["", "| look-alike | called a burst [95 %] | n |", "|---|---|---|"]
    lines += [f"| {k} | {common.percent(v)} | {v[3]} |" for k, v in test["false_positive_by_family"].items()]
    lines += ["", "Leak probes, AUC of one number alone (0.5: it knows nothing); bursts of S/N 5-7 against quiet windows for the",
              f"first two (n = {probes['n_matched']}): mean counts {probes['mean_counts_matched_snr']:.2f}, "
              f"scatter of counts {probes['dispersion_matched_snr']:.2f}",
              "(a burst's own counts scatter: this one cannot be 0.5); number of valid bins "
              f"{probes['valid_bins_without_ramps']:.2f}, missing", f"bins inside {probes['missing_inside_without_ramps']:.2f}.",
              *(["", seen] if seen else []), "", "What it is not: no judge of one detector alone at the false-alarm rates of a watch (thousands of windows a day:",
              "detectors must agree); not trained on SGR bursts, galactic transients, oscillating precipitation or pile-up; not a",
              "classifier of kinds. Its recall at S/N 5-7 is that of one detector.", ""]
    return "\n".join(lines)


def main():
    args = parse()
    with open(os.path.join(args.run, "figures.json")) as text:
        figures = json.load(text)
    net = LightCurveNet()
    net.load_state_dict(torch.load(os.path.join(args.run, "checkpoint.pt")))
    net.eval()
    os.makedirs(args.out, exist_ok=True)
    export_onnx(net, os.path.join(args.out, "model.onnx"), metadata(args.version, figures))
    x = golden_input(net, common.Samples(args.samples))
    with torch.no_grad():
        y = net(torch.from_numpy(x)).numpy()
    common.write_tensor(os.path.join(args.out, "test_data_set_0", "input_0.pb"), x, "light_curve")
    common.write_tensor(os.path.join(args.out, "test_data_set_0", "output_0.pb"), y, "logits")
    common.write_tensor(os.path.join(args.cam, "lightcurve_cam_0.pb"), grad_cam(net, torch.from_numpy(x)).numpy(), "cam")
    with open(os.path.join(args.out, "card.md"), "w") as out:
        out.write(card(args.version, figures, args.before, args.seen))
    print(f"{args.out}: logits of the golden inputs {y.round(4).tolist()}")


if __name__ == "__main__":
    main()
