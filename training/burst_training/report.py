"""docs/science.md: the frame is written here, every figure of ours is read from docs/science/figures/*.json. What is not on disk is
"not measured yet". Simulated and real figures are never in one table. Numbers that stand here are others': the papers' and the
prototype's, each with its source."""
import json
import pathlib

from burst_training import cam, gbm2s_table, plots

MISSING = "not measured yet"

INTRO = """# The science, measured

Written by `training/burst-eval report` from `docs/science/figures`; each table tells the commands that make its figures again.
How the simulators, networks and runs are made: `training/README.md`, `man burst-sim`; what each shipped network is: its card under
`models/`.

How to read the figures:

- Intervals are 95 %: Wilson's for fractions, with as many trials as the groups are worth; a bootstrap of whole groups for the rest.
  A group is a burst or a quiet sky: its detectors are no independent trials. n is rows, and the groups after the stroke.
- Several seeds: the mean, then the mean interval; least and most of the seeds in a column of their own.
- **Simulated and real figures are never in one table, and none may be compared with the other.** A simulated accuracy says how
  hard the simulator is as much as how good the network is.
- Thresholds are 0.5 of the calibrated probability where no other is told. `false alarm` is an alarm in which no burst is.
"""

# science.md 0 and D.4: scratch work of the design, on bursts from 2017-01-01 on; kept as what was to be reached.
PROTOTYPE = """| the prototype's, bursts from 2017 on (3,291 windows, 3,650 quiet) | balanced accuracy | AUC | recall at 1 % FPR | S/N 4-6 | 6-10 | ECE |
|---|---|---|---|---|---|---|
| simulation only | 96.6-96.8 | 0.9945-0.9953 | 94.8-95.4 | 66-70 | 96-98 | 0.044-0.046 |
| real only | 97.5 | 0.9956 | 95.0 | 71 | 96 | |
| simulation, then real | 97.4-97.5 | 0.9964-0.9966 | 95.2-95.3 | 72-75 | 96-97 | 0.009 |
| three detectors, simulation only | 98.3 | 0.9964 | 96.7 | | | |
| three detectors, simulation, then real | 97.7 | 0.9978 | 97.8 | | | |
| greatest S/N, no network | | 0.9903 | 81.8 | 0 | 43 | |
"""

PAPER_LIGHT = """| the paper's (arXiv 2408.13598), its own data | accuracy | precision | recall |
|---|---|---|---|
| source: Fermi/GBM, ResNet with multi-scale fusion | 97.37 | 97.96 | 95.56 |
| source, table 2: each band standardised by itself | 97.15 | | |
| target: GECAM-B, transferred (114 bursts, 500 others) | 96.41 | 91.07 | 89.47 |
"""

PAPER_IMAGES = """| SVOM/ECLAIRs, published on slides, real alerts | accuracy | images tested |
|---|---|---|
| the 1,624,993-parameter network | 94 | 34 |
| the same, later | 92 | 113 |
"""

LIGHT = [("lc-gecam-b-scratch", "GECAM-B, from nothing"), ("lc-gecam-b-resnet", "the same without multi-scale fusion"),
         ("lc-gbm-pretrain", "Fermi/GBM, from nothing"), ("lc-gecam-b-head", "pre-trained on Fermi/GBM, head alone on GECAM-B"),
         ("lc-gecam-b-transfer", "pre-trained on Fermi/GBM, all layers on GECAM-B")]
TABLE_2 = [("lc-t2-normalise-all", "normalised, one scale"), ("lc-t2-normalise-band", "normalised, each band"),
           ("lc-t2-standardise-all", "standardised, one scale"), ("lc-base", "standardised, each band"),
           ("lc-t2-running-band", "distance from a running median, each band")]
TABLE_3 = [("lc-t3-resnet-batch", "without fusion, batch normalisation"), ("lc-t3-resnet-instance", "without fusion, instance normalisation"),
           ("lc-base", "with fusion, batch normalisation"), ("lc-t3-mscfm-instance", "with fusion, instance normalisation"),
           ("lc-recipe-paper", "with fusion, the paper's recipe")]
TABLE_5 = [("lc-t5-pretrain", "source, asked about Fermi/GBM"), ("lc-t5-source", "source as it is, asked about GECAM-B"),
           ("lc-t5-scratch", "small GECAM-B set, from nothing"), ("lc-t5-head", "source, head alone trained on the small set"),
           ("lc-t5-all", "source, all layers trained on the small set")]
GBM = [("gbm-2s-sim", "simulation only"), ("gbm-2s-real", "real only"), ("gbm-2s-transfer", "simulation, then real")]
IMAGES = [("ec-1624993-450", "1,624,993 parameters, 450 images"), ("ec-1624993", "1,624,993 parameters, 2,000 images"),
          ("ec-1624993-views", "the same, all eight views"), ("ec-resnet50", "ResNet-50 at 224 x 224, pre-trained here on simulation"),
          ("ec-small", "small network"), ("ec-small-views", "small network, all eight views"), ("ec-d4", "our symmetric network"),
          ("ec-d4-image-only", "the same without the mask"), ("ec-d4-plain", "the same, no augmentation")]
COLUMNS = [("accuracy", "accuracy", True), ("precision", "precision", True), ("recall", "recall", True), ("f1", "F1", True), ("auc", "AUC", False),
           ("ece", "ECE", False)]
REAL_COLUMNS = [("balanced_accuracy", "balanced accuracy", True), ("auc", "AUC", False), ("recall_at_fpr_0.01", "recall at 1 % FPR", True),
                ("recall_snr_4_6", "S/N 4-6", True), ("recall_snr_6_10", "S/N 6-10", True), ("ece", "ECE", False)]


def percent(f):
    return MISSING if f is None or f["value"] is None else f"{100 * f['value']:.1f} [{100 * f['low']:.1f}, {100 * f['high']:.1f}]"


def number(f, digits=4):
    if f is None or f["value"] is None:
        return MISSING
    return f"{f['value']:.{digits}f} [{f['low']:.{digits}f}, {f['high']:.{digits}f}]"


def small_rate(f):
    return f"{f['value']:.2g} [{f['low']:.2g}, {f['high']:.2g}]"


def mean_figure(sets, name):
    """The mean over seeds of value, low and high."""
    found = [s["figures"].get(name) for s in sets]
    if any(f is None or f["value"] is None for f in found):
        return None
    return {k: sum(f[k] for f in found) / len(found) for k in ("value", "low", "high")}


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(map(str, r)) + " |" for r in rows), ""])


def commands(found):
    """The commands of the files that were read, as a list that can be folded."""
    if not found:
        return ""
    every = [c for f in found for c in [*f.get("made_by", []), f["command"]]]
    lines = "\n".join(f"- `{c}`" for c in dict.fromkeys(every))
    return f"<details><summary>commands</summary>\n\n{lines}\n</details>\n"


def run_row(figure, label, columns):
    sets = figure["sets"]
    cells = [percent(mean_figure(sets, name)) if share else number(mean_figure(sets, name)) for name, _, share in columns]
    key = columns[0][0]
    seeds = figure["seeds"].get(key)
    spread = f"{100 * seeds['least']:.1f}-{100 * seeds['most']:.1f} ({len(sets)})" if seeds and len(sets) > 1 else str(len(sets))
    n = sets[0]["figures"]["accuracy"]
    return [label, *cells, f"{n['n']:,} / {n['n_group']:,}", spread]


def runs_table(all_figures, wanted, columns, data):
    """Rows of experiments, in order; those of other data are refused, those absent are told so."""
    rows, found = [], []
    for name, label in wanted:
        f = all_figures.get(name)
        if f is None or f["what"] != "predictions":
            rows.append([label, *[MISSING] + [""] * (len(columns) + 1)])
            continue
        if f["data"] != data:
            raise ValueError(f"{name} is {f['data']}: it has no place in a table of {data} figures")
        rows.append(run_row(f, label, columns))
        found.append(f)
    head = ["", *(title + (", %" if share else "") for _, title, share in columns), "n", f"{columns[0][1]} of the seeds"]
    return table(head, rows) + "\n" + commands(found)


def present(all_figures, wanted):
    return [(label, all_figures[name]) for name, label in wanted if name in all_figures and all_figures[name]["what"] == "predictions"]


def run_plots(all_figures, wanted, folder, stem, title):
    """ROC, precision-recall, reliability and recall by S/N of the first seed of each run there is. Returns Markdown."""
    found = present(all_figures, wanted)[:6]
    if not found:
        return ""
    one = [(label, f["sets"][0]) for label, f in found]
    names = [plots.roc([(k, s["roc"]) for k, s in one], folder / f"{stem}-roc", title),
             plots.precision_recall([(k, s["precision_recall"]) for k, s in one], folder / f"{stem}-pr", title),
             plots.reliability([(k, s["reliability"]) for k, s in one], folder / f"{stem}-reliability", title)]
    seen = [(k, s["recall_by_snr"]) for k, s in one if "recall_by_snr" in s]
    if seen:
        names.append(plots.by_snr(seen, folder / f"{stem}-snr", title))
    return "".join(f"![{n[:-4]}](science/{n})\n" for n in names) + "\n"


def other_runs(all_figures, prefix, known, data):
    """Experiments of a group that no table above names."""
    named = {name for name, _ in known}
    return [(n, n) for n, f in sorted(all_figures.items())
            if n.startswith(prefix) and n not in named and f["what"] == "predictions" and f["data"] == data]


def real_section(figures, folder):
    found = figures.get("gbm-2s-table")
    body = gbm2s_table.section(found) if found else runs_table(figures, GBM, REAL_COLUMNS, "real")
    return f"""## Real: Fermi/GBM light curves of 2.048 s

One band, 60 bins; tested on bursts of 2017. The best three detectors of a burst by S/N are
rows of one group; quiet windows lie more than 60 s behind T90 of the same triggers and may hold tails and particles.

{body}
{run_plots(figures, GBM, folder, "real-gbm", "real Fermi/GBM, 2.048 s")}
To be reached, from scratch work that is no part of the project (another test set: bursts from 2017 on, not 2017 alone):

{PROTOTYPE}"""


def cam_section(figures):
    body = cam.section(figures["grad-cam"]) if "grad-cam" in figures else MISSING
    return f"""## What the network looks at

{body}
"""


def light_section(figures, folder):
    return f"""## Simulated: light curves of 64 ms in nine bands

Held-out bursts and skies of `burst-sim lightcurves`, half bursts.

{runs_table(figures, LIGHT + other_runs(figures, "shipped-", LIGHT, "simulated"), COLUMNS, "simulated")}
{run_plots(figures, LIGHT, folder, "light", "simulated light curves")}
Table 2 of the paper, what scaling is worth (width 32):

{runs_table(figures, TABLE_2, COLUMNS, "simulated")}
Table 3, what fusion and normalisation are worth (width 32):

{runs_table(figures, TABLE_3, COLUMNS, "simulated")}
Table 5, transfer to a small GECAM-B set (width 32):

{runs_table(figures, TABLE_5, COLUMNS, "simulated")}
Beside them, not to be compared: real data, another test set each.

{PAPER_LIGHT}"""


def days_rows(f):
    rows = []
    for word, at in f["at"].items():
        label = f"as many as one a {word}" if word in ("day", "week") else f"p over {at['p']:g}"
        rows.append([label, f"{at['p']:.4f}" if at["p"] < 0.99995 else f"logit {at['logit']:.2f}", at["alarms"], small_rate(at["rate"])])
    return table(["threshold", "probability", "false alarms", "a day"], rows)


def causes_table(f):
    at = f["at"]["p0.5"]
    rows = [[c["family"], c["alarms"], c["happened"], small_rate(c["rate"])] for c in at.get("causes", [])]
    return table(["what lies in the window", "false alarms at p 0.5", "happened in these days", "alarms a day"], rows)


def one_watch(f, folder):
    seen = "one detector" if f["detectors"] == 1 else f"{f['detectors']} detectors, mean logit"
    name = plots.rates([("all that happens", f["curve"]), ("clear sky", f["clear_curve"])], folder / f["name"], f"{f['model']}, {seen}")
    real = f["real_bursts"]
    caught = sum(b["caught"] for b in real)
    return f"""### {f['title'] or f['model']}

{f['model']} over {f['days']} simulated days of {f['of']['mission']}, {seen}: {f['windows']:,} windows, one every {f['stride_s']:.3f} s,
{f['live_days']:.2f} days of live time outside the anomaly ({f['clear_live_days']:.2f} of clear sky: neither look-alike nor lost packets nor red noise in
the window). Of {len(real)} bursts
at the real rate that this detector sees at all, {caught} pass 0.5.

{days_rows(f)}
{causes_table(f)}
![{f['name']}](science/{name})

{commands([f])}"""


def of_kind(figures, what):
    return [f for _, f in sorted(figures.items()) if f["what"] == what]


def days_section(figures, folder):
    found = of_kind(figures, "days")
    body = "\n".join(one_watch(f, folder) for f in found) if found else MISSING + "\n"
    return f"""## Simulated: false alarms of a watch

Continuous days in orbit (`burst-sim days`): trends of the orbit, outages in the South Atlantic Anomaly with their edges, every family of
look-alikes as often as a spacecraft meets it, red noise in 2.2 % of the time, bursts at the real rate. Alarms nearer than a window (120 s)
are one; one that goes on is told anew every ten minutes. How often spikes, bit flips, pulsars and slews come is a choice
(`tools/sim/family.c`): the second table lets figures be scaled to another.

{body}"""


def snr_table(sky):
    methods = sky["methods"]
    rows = []
    for i, row in enumerate(methods["network"]["recall"]):
        rows.append([plots.bin_name(row), row["figure"]["n"], *(percent(m["recall"][i]["figure"]) for m in methods.values())])
    rows.append(["**4–6**", methods["network"]["recall_4_6"]["n"], *(percent(m["recall_4_6"]) for m in methods.values())])
    rows.append(["threshold", "", *(f"{m['threshold']:.2f}" for m in methods.values())])
    rows.append(["false alarms a day", "", *(small_rate(m["rate"]) for m in methods.values())])
    names = {"network": "network, recall %", "focus": "FOCuS, recall %", "trigger": "flight-like S/N trigger, recall %"}
    return table(["S/N", "n", *(names[m] for m in methods)], rows)


def one_sensitivity(f, folder):
    parts = []
    words = {"clear": "clear sky (neither look-alike nor lost packets nor red noise in the window)", "all": "all that happens in orbit"}
    short = {"clear": "clear sky", "all": "all that happens"}
    labels = {"network": f["model"], "focus": "Poisson-FOCuS", "trigger": "S/N trigger"}
    for word in ("clear", "all"):
        sky = f["skies"][word]
        name = plots.by_snr([(labels[m], v["recall"]) for m, v in sky["methods"].items()], folder / f"{f['name']}-{word}",
                            f"one detector, {f['per_day']:g} false alarm a day, {short[word]}")
        parts.append(f"**{words[word].capitalize()}**, {sky['live_days']:.2f} live days:\n\n{snr_table(sky)}\n![{f['name']}](science/{name})\n")
    return f"""### {f['title'] or f['model']}

{f['model']} beside Poisson-FOCuS and the flight-like trigger, one {f['of']['mission']} detector, each at a threshold with at most {f['per_day']:g} false alarm
a day over the same {f['days']} days; bursts injected over {f['injected_days']} others. FOCuS has the mean of {f['focus'].get('window_s', 60):g} s, ending
4.1 s before, for its background and looks for {f['focus'].get('mu_min', 1.2):g} times the background or more, in five energy ranges.

{parts[0]}
{parts[1]}
{commands([f])}"""


def snr_section(figures, folder):
    found = of_kind(figures, "snr")
    body = "\n".join(one_sensitivity(f, folder) for f in found) if found else MISSING + "\n"
    return f"""## Simulated: recall against S/N

S/N is what is expected, over 25-900 keV, best of 64 ms to 8.192 s; a burst is caught by an alarm between its onset and 115 s after its
peak. The trigger and FOCuS are online: they know no data after the alarm. The network sees 120 s, of which a burst's first window has
its first seconds only. Where all that happens counts, edges of the anomaly, bit flips and red noise set the classical thresholds: flight
software switches off there, or asks for two detectors.

{body}"""


def onset_section(figures, folder):
    found, body = of_kind(figures, "onset"), ""
    for f in found:
        rows = [[plots.bin_name(b), b["n"], b["called"], f"{b['median_s']:.1f}" if b["median_s"] is not None else "over half never"] for b in f["bins"]]
        name = plots.onset([(f"S/N {plots.bin_name(b)}", [x["seconds"] for x in b["by"]], [x["share"]["value"] or 0 for x in b["by"]]) for b in f["bins"]],
                           folder / f["name"], f"{f['model']}, threshold {f['threshold']:g}")
        body += f"### {f['title'] or f['model']}\n\n" + table(["S/N", "bursts", "called within 100 s", "median, s"], rows)
        body += f"\n![{f['name']}](science/{name})\n\n{commands([f])}\n"
    return f"""## Simulated: from onset to the first call

Windows that end every 1.024 s from the onset on; the onset is the first bin with 5 % of the brightest bin's counts.

{body or MISSING}
"""


def families_section(figures):
    body = ""
    for f in of_kind(figures, "families"):
        rows = [[r["family"], percent(r["unseen"]), percent(r["seen"]), percent(r["recall"]), number(r["auc"])] for r in f["rows"]]
        worst = max(f["rows"], key=lambda r: r["unseen"]["value"] or 0)["family"]
        body += f"### {f['title'] or f['name']}\n\n" + table(["family", "false positives unseen, %", "seen, %", "recall of bursts, %", "AUC"], rows)
        body += f"\nThe worst is {worst}.\n\n{commands([f])}\n"
    return f"""## Simulated: families never seen

Trained without one family, tested on it: the worst case counts, not the mean.

{body or MISSING}
"""


def shift_section(figures):
    body = ""
    for f in of_kind(figures, "shift"):
        rows = [[r["label"], *(percent(r["figures"][n]) if share else number(r["figures"][n]) for n, _, share in COLUMNS),
                 f"{r['figures']['accuracy']['n']:,}"] for r in f["rows"]]
        body += f"### {f['title'] or f['name']}\n\n" + table(["set", *(t + (", %" if s else "") for _, t, s in COLUMNS), "n"], rows)
        body += f"\n{commands([f])}\n"
    return f"""## Simulated: other parameters

Trained on one set of the simulator's parameters, tested on others (`--shift`).

{body or MISSING}
"""


def images_section(figures, folder):
    return f"""## Simulated: ECLAIRs sub-images

Held-out sub-images of `burst-sim images`, the hard mix.

{runs_table(figures, IMAGES, COLUMNS, "simulated")}
{run_plots(figures, IMAGES[:1] + IMAGES[3:5] + IMAGES[6:7], folder, "images", "simulated ECLAIRs sub-images")}
Beside them, not to be compared: real alerts.

{PAPER_IMAGES}"""


def realism_section(found):
    """found: docs/science/realism.json of training/burst-realism, or None."""
    body = MISSING + "\n"
    if found:
        rows = [[kind, name, number(f, 3), f"{sample['n_simulated']:,}", f"{sample['n_real']:,}", sample["real"]]
                for kind, sample in found["samples"].items() for name, f in sample["network"].items()]
        body = table(["windows", "what the network sees", "AUC", "simulated", "real", "real ones from"], rows)
        body += f"\nThe limit is {found['limit']:g}.\n\n<details><summary>commands</summary>\n\n- `training/burst-realism`\n</details>\n"
    return f"""## Simulation against sky

A small network is trained to tell simulated windows from real ones: 0.5 is a simulation that cannot be told.

{body}"""


LIMITS = """## What these figures do not say

- No labelled GECAM or ECLAIRs data is at hand: for both missions everything is simulated.
- The real Fermi/GBM set is one band of 2.048 s. The 64 ms network has seen one real event file.
- False alarms of one detector are not those of burstd: it asks for detectors that agree, which removes most of what a single one calls.
- The number of days bounds what can be said of rare families: intervals of rates are Poisson's.
- Windows are asked every fourth first; those between only beside one of more than 2 %: the others get their neighbours' larger answer.
"""


def read_figures(folder):
    return {p.stem: json.loads(p.read_text()) for p in sorted(pathlib.Path(folder).glob("*.json"))}


def text(figures, plot_folder, realism=None):
    return "\n".join([INTRO, real_section(figures, plot_folder), realism_section(realism), light_section(figures, plot_folder),
                      days_section(figures, plot_folder),
                      snr_section(figures, plot_folder), onset_section(figures, plot_folder), cam_section(figures), families_section(figures), shift_section(figures),
                      images_section(figures, plot_folder), LIMITS])


def write(figures_folder, docs):
    """Write DOCS/science.md and DOCS/science/*.svg; returns the files."""
    docs = pathlib.Path(docs)
    page, realism = docs / "science.md", docs / "science/realism.json"
    found = json.loads(realism.read_text()) if realism.exists() else None
    page.write_text(text(read_figures(figures_folder), docs / "science", found))
    return [page, *sorted((docs / "science").glob("*.svg"))]
