#!/usr/bin/python3
"""Write a trained image network as models/NAME/VERSION: model.onnx, golden vectors, card; and its golden occlusion maps."""
import argparse
import json
import os

import numpy as np
import torch

import common
import image_model
from image_model import CLIP, MASK_SCALE, N_PARAMETER, SCALE, SIDE, ImageNet

GOLDEN, N_OCCLUSION = ["true", "badsub", "column", "lost"], 2


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--run", required=True, help="folder of image_train.py: checkpoint.pt, figures.json")
    p.add_argument("--samples", required=True, help="folder of samples the golden inputs are taken from")
    p.add_argument("--version", default="1")
    p.add_argument("--out", required=True, help="models/eclairs-cnn/VERSION")
    p.add_argument("--golden", required=True, help="folder for the golden occlusion maps")
    return p.parse_args()


def golden_input(net, samples):
    """The first sample of each kind that is called rightly; "lost" is a true one with a lost stripe or block."""
    logit, picks = image_model.logits(net, samples.x), {}
    for i in range(len(samples)):
        row = samples.meta[i]
        if (logit[i] > 0) != (row["label"] == "1"):
            continue
        whole = int(row["n_missing"]) == 0
        kind = row["family"] if whole else "lost" if row["label"] == "1" and int(row["n_missing"]) > 300 else ""
        picks.setdefault(kind, i)
    return np.array(samples.x[[picks[kind] for kind in GOLDEN]])


def metadata(version, figures):
    test = figures["test"]
    card = (f"Image network trained on {figures['n_train']} simulated ECLAIRs sub-images; accuracy {test['accuracy'][0]:.3f} "
            f"on {test['n']} simulated ones; see card.md")
    return {"burst.kind": "image", "burst.version": version, "burst.image_clip": CLIP, "burst.image_scale": SCALE,
            "burst.mask_encoding": {"kind": "scalar", "scale": MASK_SCALE}, "burst.classes": ["false", "true"],
            "burst.temperature": round(figures["temperature"], 4),
            "burst.thresholds": {"open": 0.5, "low": 0.2, "high": 0.8}, "burst.card": card}


def export_onnx(net, path, props):
    net.eval()
    torch.onnx.export(net, torch.zeros(1, 2, SIDE, SIDE), path, opset_version=13, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}})
    common.finish_onnx(path, props)


FAMILY = {"true": "new source", "outburst": "catalogued source in outburst", "setting": "new source at the Earth's limb",
          "badsub": "bad subtraction", "saa": "particle background", "column": "detector columns",
          "xrdpix": "module inhomogeneity", "hotpix": "hot pixels", "artefact": "bright-source artefact",
          "noise": "noise or coding peak"}


def figure_table(test):
    rows = [f"| figure (threshold 0.5, n = {test['n']:,}: {test['n_true']:,} true, {test['n_false']:,} false) | value [95 %] |",
            "|---|---|"]
    for name in ("accuracy", "precision", "recall", "specificity"):
        rows.append(f"| {name} | {common.percent(test[name])} |")
    rows += [f"| area under the ROC curve | {test['auc'][0]:.4f} [{test['auc'][1]:.4f}, {test['auc'][2]:.4f}] |",
             f"| calibration error (15 bins) after temperature | {test['calibration_error']:.3f} |",
             f"| Brier score | {test['brier']:.3f} |",
             f"| called (p at most 0.2 or at least 0.8), not unclear | {common.percent(test['share_decided'])} |",
             f"| accuracy of what is called | {common.percent(test['accuracy_where_decided'])} |", "",
             "| family | called rightly [95 %] | n |", "|---|---|---|"]
    rows += [f"| {label} | {common.percent(test['accuracy_by_family'][key])} | {test['accuracy_by_family'][key][3]} |"
             for key, label in FAMILY.items() if key in test["accuracy_by_family"]]
    rows += ["", "| S/N of the trigger | called rightly [95 %] | n |", "|---|---|---|"]
    return rows + [f"| {key} | {common.percent(v)} | {v[3]} |" for key, v in test["accuracy_by_snr"].items()]


def card(version, f):
    probes, seeds = f["leak_probes"], {k: ", ".join(map(str, v)) for k, v in f["seeds"].items()}
    lines = [
        f"# eclairs-cnn, version {version}", "",
        "A 56 x 56 ECLAIRs sub-image (SNR clipped to [-10, 30] over 5) and its mask (0 ignore, 1 background, 2 known source,",
        "3 trigger pixel; over 3) to one logit: above 0 is a true alert. Two 3 x 3 convolutions (32, 64 filters), two poolings,",
        f"dense 128 and 1 (science.md B.4): {N_PARAMETER:,} parameters.", "",
        "**Simulated data only.** It was trained, validated and measured on `burst-sim images`: a coded-mask telescope of",
        "ECLAIRs' geometry with a stand-in mask pattern (the flight pattern is not public), random pointings over the real sky",
        "of known sources, and ten families of alerts that all pass one trigger. No real sub-image was available. No figure",
        "below says how it does in flight, and none may be compared with a published one.", "",
        f"Training: {f['n_train']:,} images (seed {seeds['train']}), Adam from {f['rate']:g} down along a cosine, batch",
        f"{f['batch']}, the eight symmetries of the square, {f['epochs']} passes of which number {f['best_epoch']} had the least "
        "loss on", f"{f['n_validate']:,} images of seed {seeds['validate']} and is kept; {f['seconds']} s on one busy CPU core, "
        f"PyTorch {f['torch']}. Temperature {f['temperature']:.3f},", f"fitted on the same images; all figures from seed "
        f"{seeds['test']}, used for nothing else. Every image is a sky, a pointing and", "an exposure of its own.", ""]
    lines += figure_table(f["test"])
    lines += [
        "", "S/N and the share of lost packets are the same in both classes by construction, the width of the background nearly. AUC",
        f"of one number alone (0.5: it knows nothing): deviation of the frame {probes['frame_deviation']:.2f}, of the sky "
        f"{probes['sky_deviation']:.2f}, S/N of the peak", f"{probes['peak_snr']:.2f}, missing pixels {probes['missing_pixels']:.2f}, "
        f"exposure {probes['exposure']:.2f}, distance to the nearest known source {probes['nearest_known_source']:.2f}.",
        "", "The golden occlusion maps (tests/golden/occlusion/image_occlusion_0.pb, float32 [2, 56, 56]) belong to the first two golden",
        "inputs. Value [z][y]: logit of the input minus its logit once the 5 x 5 pixels around [z][y] (cut at the edge) have SNR 0",
        "and mask 1; pixels without data (mask 0) stay as they are.", "",
        "What it is not: no judge of a known source's flux (a perfectly shaped dot on a catalogued source is an outburst or a",
        "subtraction error: the image cannot tell, and it errs there); not trained on the Moon, the Earth's limb inside the frame,",
        "star-tracker errors or images whose trigger pixel is missing (those are called unclear before it is asked); not a",
        "classifier of kinds; blind to energy, duration and light curve.", ""]
    return "\n".join(lines)


def main():
    args = parse()
    torch.set_num_threads(1)
    with open(os.path.join(args.run, "figures.json")) as text:
        figures = json.load(text)
    net = ImageNet()
    net.load_state_dict(torch.load(os.path.join(args.run, "checkpoint.pt")))
    net.eval()
    os.makedirs(args.out, exist_ok=True)
    export_onnx(net, os.path.join(args.out, "model.onnx"), metadata(args.version, figures))
    x = golden_input(net, common.Samples(args.samples))
    with torch.no_grad():
        y = net(torch.from_numpy(x)).numpy()
    common.write_tensor(os.path.join(args.out, "test_data_set_0", "input_0.pb"), x, "image")
    common.write_tensor(os.path.join(args.out, "test_data_set_0", "output_0.pb"), y, "logits")
    maps = np.stack([image_model.occlusion(net, x[i]) for i in range(N_OCCLUSION)]).astype(np.float32)
    common.write_tensor(os.path.join(args.golden, "image_occlusion_0.pb"), maps, "occlusion")
    with open(os.path.join(args.out, "card.md"), "w") as out:
        out.write(card(args.version, figures))
    print(f"{args.out}: logits of the golden inputs {y[:, 0].round(4).tolist()}")


if __name__ == "__main__":
    main()
