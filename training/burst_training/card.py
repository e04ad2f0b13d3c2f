"""The card of a run, written from its figures: data, recipe, figures with intervals, known failures, simulated or real."""

# What is told as a known failure: at least this part of a look-alike called a burst, or less than this part of bursts found.
FALSE_MOST, RECALL_LEAST = 0.05, 0.80

FIGURES = (("accuracy", "accuracy"), ("balanced accuracy", "balanced_accuracy"), ("precision", "precision"), ("recall", "recall"), ("F1", "f1"),
           ("false positives, all families", "false_positive_rate"), ("recall at 1 % false positives", "recall_at_fpr_0.01"),
           ("recall at 0.1 % false positives", "recall_at_fpr_0.001"), ("area under the ROC curve", "auc"),
           ("average precision", "average_precision"), ("calibration error (15 bins)", "ece"), ("Brier score", "brier"))
AS_NUMBER = {"auc", "average_precision", "ece", "brier"}


def interval(figure):
    """A fraction in percent with its interval and n."""
    if figure["value"] is None:
        return "nothing to say" if not figure["n"] else "not defined"
    if figure["low"] is None:
        return f"{100 * figure['value']:.2f} % (n = {figure['n']:,})"
    return f"{100 * figure['value']:.2f} [{100 * figure['low']:.2f}, {100 * figure['high']:.2f}] % (n = {figure['n']:,})"


def number(figure):
    if figure["value"] is None:
        return "not defined"
    if figure["low"] is None:
        return f"{figure['value']:.4f} (n = {figure['n']:,})"
    return f"{figure['value']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}] (n = {figure['n']:,})"


def source_line(name, facts):
    source = facts["source"]
    how = "burst-sim " + " ".join(str(w) for w in source["make"]) if "make" in source else ", ".join(f"{k} {v}" for k, v in source.items())
    first = f", the first {source['first']:,}" if "make" in source and source.get("first") else ""
    return f"| {name} | {facts['rows']:,} | {'simulated' if facts['simulated'] else '**real**'} | `{how}`{first} |"


def data_lines(figures):
    lines = ["| part | rows | | from |", "|---|---|---|---|", *(source_line(n, f) for n, f in figures["data"].items()), ""]
    if all(facts["simulated"] for facts in figures["data"].values()):
        lines += ["**Simulated data only.** No figure here says how it does on real data, and none may be compared with a published one.", ""]
    return lines


def recipe_lines(config, figures):
    o, m = config["optimise"], figures["machine"]
    pieces = f" in pieces of {o['micro']}" if o["micro"] else ""
    text = [f"{figures['parameters']:,} parameters; {o['optimiser']}, batch {o['batch']}{pieces}, rate {o['rate']:g} ({o['schedule'].replace('_', ' ')}), "
            f"weight decay {o['decay']:g}, label smoothing {o['smooth']:g}; {figures['epochs']} pass{'es' if figures['epochs'] != 1 else ''}, of which number {figures['best_epoch']} had "
            f"the least validation loss{' and is kept' if o['keep'] == 'best' else '; the last is kept'}."]
    if config["start"]:
        what = {"all": "all layers were trained", "head": "only the head was trained: convolutions and the statistics of their "
                "normalisation are the earlier run's", "none": "nothing was trained"}[config["start"]["train"]]
        text.append(f"It starts from `{config['start']['run']}`; {what}.")
    if config["augment"]:
        text.append("Augmented: " + ", ".join(f"{k} {v}" for k, v in config["augment"].items()) + ".")
    if config["prepare"]:
        text.append("Prepared: " + ", ".join(f"{k} {v}" for k, v in config["prepare"].items()) + ".")
    text.append(f"Seed {figures['seed']}; {figures['seconds']:,} s on {m['device']} with {m['threads']} thread{'s' if m['threads'] > 1 else ''}"
                f"{', convolutions in bfloat16' if m['bf16'] else ''}, PyTorch {m['torch']}.")
    return [" ".join(text), ""]


def figure_lines(name, facts):
    part = facts["parts"][name]
    kind = "simulated" if facts["data"][name]["simulated"] else "real"
    unclear = f", {part['n_unclear']:,} unclear ones left out" if part["n_unclear"] else ""
    lines = [f"## {name}: {part['n_burst']:,} bursts and {part['n_other']:,} others, {kind}{unclear}", "",
             "| figure (threshold 0.5) | value [95 %, by burst] |", "|---|---|"]
    lines += [f"| {title} | {(number if key in AS_NUMBER else interval)(part['figures'][key])} |" for title, key in FIGURES if key in part["figures"]]
    return [*lines, ""]


def table(title, head, rows):
    return [f"| {title} | {head} |", "|---|---|", *(f"| {name} | {interval(figure)} |" for name, figure in rows), ""] if rows else []


def snr_rows(part):
    return [(f"{r['low']:g}-{r['high']:g}" if r["high"] is not None else f"over {r['low']:g}", r["figure"])
            for r in part.get("recall_by_snr", []) if r["figure"]["n"]]


def detail_lines(part):
    return [*table("S/N", "recall [95 %]", snr_rows(part)),
            *table("burst family", "recall [95 %]", sorted(part.get("recall_by_family", {}).items()) if len(part.get("recall_by_family", {})) > 1 else []),
            *table("look-alike", "called a burst [95 %]", sorted(part.get("false_positive_by_family", {}).items()))]


def other_lines(facts):
    """The parts beside validate and test, a row each."""
    names = [name for name in facts["parts"] if name not in ("validate", "test")]
    rows = []
    for name in names:
        f = facts["parts"][name]["figures"]
        kind = "simulated" if facts["data"][name]["simulated"] else "real"
        rows.append(f"| {name} ({kind}) | {interval(f['accuracy'])} | {interval(f['recall'])} | {interval(f['false_positive_rate'])} | {number(f['auc'])} |")
    return ["## Other parts", "", "| part | accuracy | recall | false positives | area under the ROC curve |", "|---|---|---|---|---|", *rows, ""] if rows else []


def known_failures(part):
    """Sentences about what the test part shows it to be bad at."""
    said = [f"{name}: {interval(figure)} called a burst" for name, figure in sorted(part.get("false_positive_by_family", {}).items())
            if figure["value"] is not None and figure["value"] > FALSE_MOST]
    said += [f"S/N {name}: only {interval(figure)} of bursts found" for name, figure in snr_rows(part)
             if figure["value"] is not None and figure["value"] < RECALL_LEAST]
    return said


def failure_lines(part, limits):
    said = known_failures(part)
    head = f"Look-alikes called a burst in more than {100 * FALSE_MOST:g} %, and S/N at which fewer than {100 * RECALL_LEAST:g} % of bursts are found:"
    return ["## Known failures", "", head if said else head[:-1] + ": none in the test part.", *(["", *(f"- {line}" for line in said)] if said else []), "",
            *limits, *([""] if limits else [])]


def calibration_lines(figures):
    found = figures["calibration"]
    how = {"none": "None", "temperature": f"Temperature {found['temperature']:.3f}",
           "platt": f"Temperature {found['temperature']:.3f} after an offset of {found['offset']:+.3f}"}[found["kind"]]
    lines = ["## Calibration", "", f"{how}, fitted on the validation part. Calibration error and Brier score on the test part:", "",
             "| way | error (15 bins) | Brier |", "|---|---|---|"]
    return [*lines, *(f"| {name} | {row['ece']:.4f} | {row['brier']:.4f} |" for name, row in figures["calibration_on_test"].items()), ""]


def text(config, figures, task):
    title = f"{config['export']['model']}, version {config['export']['version']}" if config["export"] else config["name"]
    lines = [f"# {title}", "", f"Experiment `{config['name']}`, seed {figures['seed']}.", "", *task.card_intro(config), "",
             "## Data", "", *data_lines(figures), "## Recipe", "", *recipe_lines(config, figures)]
    lines += [*figure_lines("test", figures), *detail_lines(figures["parts"]["test"]), *other_lines(figures)]
    lines += [*calibration_lines(figures), *failure_lines(figures["parts"]["test"], task.limits)]
    if "parity" in figures:
        p = figures["parity"]
        lines += [f"The C runtime's logits differ from PyTorch's by at most {p['largest_difference']:.1e} on {p['rows']} test rows "
                  f"(largest logit {p['largest_logit']:.1f}).", ""]
    return "\n".join(lines)
