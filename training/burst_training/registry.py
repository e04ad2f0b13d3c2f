"""Networks, tasks and sources of samples by the names that experiments use. Importing this needs no PyTorch; discover() does.

A module of this package whose name starts with one of MODULES registers what it brings:

    @model("resnet_mscfm")                     build(options) -> torch.nn.Module with forward(x) -> logits. A `head` attribute is
    def build(width=128, kernels=(7, 5, 3)):   what `start: {train: head}` trains; features(x) with forward = head(features(x))
        ...                                    lets that be done from features made once.

    @made("lightcurves")                       the Part of a folder that `burst-sim lightcurves` has made
    def open_set(folder, prepare, augment): ...

    @loader("gbm-2s")                          the Part of `{load: gbm-2s, split: test}`: the other keys are the function's own
    def load(prepare, augment, split): ...

    @task("light_curve")                       a class as burst_training.tasks.Task: loss, score, metadata of the exported file
"""
import importlib
import inspect
import pkgutil

MODULES = ("tasks", "data", "lightcurve", "short", "gbm2s", "image")

MODELS, MADE, LOADERS, TASKS = {}, {}, {}, {}


class Unknown(ValueError):
    """A name that nothing has registered, or an option that its function does not have."""


def _registrar(table):
    def named(name):
        def keep(thing):
            if name in table and table[name].__qualname__ != thing.__qualname__:
                raise ValueError(f"'{name}' is registered twice: {table[name].__module__} and {thing.__module__}")
            table[name] = thing
            return thing
        return keep
    return named


model, made, loader, task = (_registrar(t) for t in (MODELS, MADE, LOADERS, TASKS))
register = model


def discover():
    """Import what registers itself."""
    package = importlib.import_module("burst_training")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        if module.startswith(MODULES):
            importlib.import_module(f"burst_training.{module}")


def find(table, name, what):
    if name not in table:
        raise Unknown(f"there is no {what} '{name}' (known: {', '.join(sorted(table)) or 'none'})")
    return table[name]


def options_of(function, given=()):
    """Names of the keyword options of a registered function, and whether it takes any other."""
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in given]
    return names, any(p.kind == p.VAR_KEYWORD for p in parameters)


def build(options):
    """The network of a configuration's `model`."""
    options = dict(options)
    function = find(MODELS, options.pop("kind"), "model kind")
    return function(**options)
