"""Experiments: YAML files in training/experiments/, read strictly. A key that is not known, a value of the wrong kind, a key
given twice: each is an error that names file, line and path, so that no run is made with a setting that was not heard.

    name: lc-gecam-b-scratch              the file's own name
    note: one sentence                    goes into the card
    task: light_curve                     registry.TASKS
    model: {kind: resnet_mscfm, width: 128, ...}
    data:
      train: {make: [lightcurves, --mission, gecam-b, --n, 20000, --seed, 1]}
      validate: {load: gbm-2s, split: validate}        any part may have `first: N`: only its first N rows
    prepare: {...}  augment: {...}        options of the source's Part
    optimise: {recipe: fast, epochs: 12}  RECIPES below, and what overrides them
    start: {run: lc-gbm-pretrain, train: all | head | none}
    seeds: [1, 2, 3]
    calibrate: temperature | platt | none
    export: {model: gecam-resnet-mscfm, version: 2}
    paper: {...}   smoke: {...}           what `--scale paper` and `--smoke` put over the rest; in `data`, {train: {n: 205000}}
"""
import copy
import pathlib
import re

import yaml

from burst_training import registry, runs

RECIPES = {
    # science.md A.10: the papers' settings; the batch is made of pieces of `micro` samples whose gradients are added
    "paper": {"optimiser": "adam", "batch": 1024, "micro": 64, "rate": 1e-5, "schedule": "plateau", "halve_after": 10, "patience": 20,
              "epochs": 500, "decay": 0.0, "smooth": 0.0},
    "fast": {"optimiser": "adamw", "batch": 64, "micro": 0, "rate": 3e-3, "schedule": "one_cycle", "halve_after": 10, "patience": 0,
             "epochs": 12, "decay": 1e-3, "smooth": 0.02},
}
COMMON = {"clip": 0.0, "keep": "best", "bf16": False, "threads": 0, "workers": 0, "device": "auto"}
OPTIMISE = {"optimiser": ("adam", "adamw"), "schedule": ("constant", "one_cycle", "cosine", "plateau"), "keep": ("best", "last"),
            "device": str, "batch": int, "micro": int, "epochs": int, "halve_after": int, "patience": int, "threads": int, "workers": int,
            "rate": float, "decay": float, "smooth": float, "clip": float, "bf16": bool, "recipe": tuple(RECIPES)}
TOP = {"name": str, "note": str, "task": str, "model": dict, "data": dict, "prepare": dict, "augment": dict, "optimise": dict,
       "start": dict, "seeds": list, "calibrate": ("temperature", "platt", "none"), "export": dict, "paper": dict, "smoke": dict}
START = {"run": str, "train": ("all", "head", "none"), "seed": int}
EXPORT = {"model": str, "version": str}
NEEDED = ("name", "task", "model", "data")
SMOKE = {"optimise": {"epochs": 1, "batch": 16, "micro": 0, "threads": 1, "patience": 0}, "seeds": [1]}
SMOKE_ROWS, SMOKE_WIDTH = 64, 8
EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


class Wrong(ValueError):
    """What is wrong with an experiment's file, and where."""


class Document:
    """A YAML file as Python values, with the line of every path."""

    def __init__(self, path):
        self.path, self.lines = pathlib.Path(path), {}
        try:
            node = yaml.compose(self.path.read_text(), yaml.SafeLoader)
        except OSError as why:
            raise Wrong(f"{path}: {why.strerror}") from None
        except yaml.YAMLError as why:
            mark = getattr(why, "problem_mark", None)
            raise Wrong(f"{path}:{mark.line + 1 if mark else 1}: {getattr(why, 'problem', None) or why}") from None
        self.value = self.plain(node, ()) if node else {}
        if not isinstance(self.value, dict):
            self.fail((), "an experiment is a mapping of keys")

    def plain(self, node, path):
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            value = {}
            for key, below in node.value:
                if key.value in value:
                    self.lines[path] = key.start_mark.line + 1
                    self.fail(path, f"'{key.value}' is given twice")
                value[key.value] = self.plain(below, (*path, key.value))
                self.lines[(*path, key.value)] = key.start_mark.line + 1
            return value
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(below, (*path, i)) for i, below in enumerate(node.value)]
        return self.scalar(node)

    def scalar(self, node):
        value = yaml.SafeLoader("").construct_object(node)
        if isinstance(value, str) and node.style is None and EXPONENT.fullmatch(value):
            return float(value)  # YAML 1.1 takes 1e-3 for a word
        return value

    def fail(self, path, why):
        while path not in self.lines and path:
            path = path[:-1]
        at = ".".join(str(p) for p in path)
        raise Wrong(f"{self.path}:{self.lines.get(path, 1)}: {at + ': ' if at else ''}{why}")


def check_value(doc, path, value, want):
    if isinstance(want, tuple):
        if value not in want:
            doc.fail(path, f"'{value}' is none of {', '.join(want)}")
    elif want is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            doc.fail(path, f"'{value}' is no number of 0 or more")
    elif want is int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            doc.fail(path, f"'{value}' is no whole number of 0 or more")
    elif not isinstance(value, want):
        doc.fail(path, f"'{value}' is not {'a mapping' if want is dict else 'a list' if want is list else want.__name__}")


def check_keys(doc, path, value, known):
    for key, one in value.items():
        if key not in known:
            doc.fail((*path, key), f"unknown key '{key}' (known: {', '.join(sorted(known))})")
        check_value(doc, (*path, key), one, known[key])


def check_options(doc, path, given, function, own=()):
    """The keys of a mapping that becomes a registered function's keyword arguments."""
    names, any_other = registry.options_of(function, own)
    for key in given:
        if key not in names and not any_other:
            doc.fail((*path, key), f"unknown key '{key}' (known: {', '.join(sorted(names))})")


def check_part(doc, path, part):
    """{make: [...]} or {load: name, ...}."""
    check_value(doc, path, part, dict)
    if ("make" in part) == ("load" in part):
        doc.fail(path, "a part has either 'make' or 'load'")
    if "first" in part:
        check_value(doc, (*path, "first"), part["first"], int)
    if "make" in part:
        check_keys(doc, path, part, {"make": list, "first": int})
        if not part["make"] or part["make"][0] not in registry.MADE:
            doc.fail((*path, "make"), f"'make' starts with one of {', '.join(sorted(registry.MADE))}")
        if "--out" in part["make"]:
            doc.fail((*path, "make"), "--out is chosen by burst-train")


def check_sources(doc, config):
    """Options of prepare and augment must be known to every source of the experiment."""
    for name, part in config["data"].items():
        path = ("data", name)
        check_part(doc, path, part)
        table, word = (registry.MADE, part["make"][0]) if "make" in part else (registry.LOADERS, part["load"])
        if word not in table:
            doc.fail((*path, "load"), f"there is no loader '{word}' (known: {', '.join(sorted(table)) or 'none'})")
        function = table[word]
        if "load" in part:
            check_options(doc, path, [k for k in part if k not in ("load", "first")], function, ("prepare", "augment"))
        for key in ("prepare", "augment"):
            known = getattr(function, key.upper() + "_OPTIONS", None)
            if known is not None:
                check_keys(doc, (key,), config[key], known)


def check_registered(doc, config):
    if config["task"] not in registry.TASKS:
        doc.fail(("task",), f"there is no task '{config['task']}' (known: {', '.join(sorted(registry.TASKS))})")
    model = config["model"]
    if model.get("kind") not in registry.MODELS:
        doc.fail(("model", "kind"), f"there is no model kind '{model.get('kind')}' (known: {', '.join(sorted(registry.MODELS))})")
    check_options(doc, ("model",), [k for k in model if k != "kind"], registry.MODELS[model["kind"]])
    check_sources(doc, config)


def check_optimise(doc, path, value):
    check_keys(doc, path, value, OPTIMISE)
    for key in ("batch", "rate"):
        if value.get(key) == 0:
            doc.fail((*path, key), f"'{key}' is above 0")


def check_plain(doc, config):
    check_keys(doc, (), config, TOP)
    for key in NEEDED:
        if key not in config:
            doc.fail((), f"'{key}' is missing")
    check_optimise(doc, ("optimise",), config.get("optimise", {}))
    check_keys(doc, ("start",), config.get("start", {}), START)
    check_keys(doc, ("export",), {k: str(v) for k, v in config.get("export", {}).items()}, EXPORT)
    for i, seed in enumerate(config.get("seeds", [1])):
        check_value(doc, ("seeds", i), seed, int)
    for key in ("train", "validate", "test"):
        if key not in config["data"]:
            doc.fail(("data",), f"'{key}' is missing")
    if "start" in config and "run" not in config["start"]:
        doc.fail(("start",), "'run' is missing")
    if config["name"] != doc.path.stem:
        doc.fail(("name",), f"'{config['name']}' is not the name of the file")


def merge(base, over):
    """A mapping with another one laid over it, key by key."""
    out = copy.deepcopy(base)
    for key, value in over.items():
        out[key] = merge(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else copy.deepcopy(value)
    return out


def with_rows(part, n):
    """The same part with another number of rows: `--n` of a make line, `first` of what is loaded."""
    part = copy.deepcopy(part)
    if "make" in part and "--n" in part["make"]:
        whole = n - n % 3 if "best3" in part["make"] else n  # three rows to a sky
        part["make"][part["make"].index("--n") + 1] = whole
    else:
        part["first"] = n
    return part


def check_overlay(doc, name, config):
    """`paper` and `smoke` change what is there; in `data` only the number of rows."""
    over = config.get(name, {})
    check_keys(doc, (name,), over, {k: v for k, v in TOP.items() if k not in ("name", "task", "paper", "smoke", "export")})
    check_optimise(doc, (name, "optimise"), over.get("optimise", {}))
    for part, change in over.get("data", {}).items():
        path = (name, "data", part)
        if part not in config["data"]:
            doc.fail(path, "there is no such part")
        check_value(doc, path, change, dict)
        check_keys(doc, path, change, {"n": int})


def overlay(config, over):
    """Another recipe replaces all settings of the old one; everything else is laid over key by key."""
    sizes, chosen = over.get("data", {}), over.get("optimise", {})
    if "recipe" in chosen:
        config = {**config, "optimise": {}}
    config = merge(config, {k: v for k, v in over.items() if k != "data"})
    for part, change in sizes.items():
        config["data"][part] = with_rows(config["data"][part], change["n"])
    return config


def smoke(config):
    """Minutes become seconds: few rows, narrow, one pass. It says whether an experiment runs, never how good it is."""
    config = overlay(config, SMOKE)
    if "width" in config["model"]:
        config["model"]["width"] = SMOKE_WIDTH
    for part in config["data"]:
        config["data"][part] = with_rows(config["data"][part], SMOKE_ROWS)
    return overlay(config, config.get("smoke", {}))


def renamed(config, word):
    """A run of another scale has a name of its own and starts from a run of its own scale; a smoke run has one seed."""
    config["name"] += f"-{word}"
    if isinstance(config["model"].get("of"), str):
        config["model"]["of"] += f"-{word}"
        if word == "smoke" and "members" in config["model"]:
            config["model"]["members"] = SMOKE["seeds"]
    if config.get("start"):
        config["start"]["run"] += f"-{word}"
    return config


def complete(config):
    """Every setting written out, the recipe's included, so that a run's own record leaves nothing open."""
    for key in ("prepare", "augment", "export", "start"):
        config.setdefault(key, {})
    config.setdefault("note", "")
    config.setdefault("seeds", [1])
    config.setdefault("calibrate", "temperature")
    chosen = config.get("optimise", {})
    recipe = chosen.get("recipe", "fast")
    config["export"] = {k: str(v) for k, v in config["export"].items()}
    config["optimise"] = {**COMMON, **RECIPES[recipe], **chosen, "recipe": recipe}
    if config["start"]:
        config["start"] = {"train": "all", **config["start"]}
        if config["start"]["train"] == "none":
            config["optimise"]["epochs"] = 0
    return config


def find(name):
    """A path, or the name of a file in training/experiments/."""
    path = pathlib.Path(name)
    if path.suffix == ".yaml":
        return path
    found = runs.EXPERIMENTS / f"{name}.yaml"
    if not found.exists():
        raise Wrong(f"there is no experiment '{name}' in {runs.EXPERIMENTS} (burst-train --list)")
    return found


def read(name, scale="", small=False):
    """The complete configuration of an experiment. scale: "paper" or nothing; small: the smoke run. Call registry.discover()
    first: names are checked against what is registered."""
    doc = Document(find(name))
    config = doc.value
    check_plain(doc, config)
    for key in ("prepare", "augment"):
        config.setdefault(key, {})
    for over in ("paper", "smoke"):
        check_overlay(doc, over, config)
    check_registered(doc, config)
    if scale:
        if not config.get("paper"):
            doc.fail((), "the experiment has no 'paper' scale")
        config = renamed(overlay(config, config["paper"]), "paper")
    if small:
        config = renamed(smoke(config), "smoke")
    config.pop("paper", None)
    config.pop("smoke", None)
    return complete(config)
