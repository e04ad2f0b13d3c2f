"""Sets of sub-images for training, and what burst-train must know of the question "is this alert true?"."""
import numpy as np

from burst_training import data, image_augment, registry, runs, tasks
from burst_training.image import CLIP, MASK_SCALE, SCALE, SIDE
from burst_training.image_explain import occlusion

GOLDEN_FAMILIES, LOST_PIXELS, N_OCCLUSION = ("true", "badsub", "column"), 300, 2

FAMILY = {"true": "new source", "outburst": "catalogued source in outburst", "setting": "new source at the Earth's limb",
          "badsub": "bad subtraction", "saa": "particle background", "column": "detector columns",
          "xrdpix": "module inhomogeneity", "hotpix": "hot pixels", "artefact": "bright-source artefact",
          "noise": "noise or coding peak", "moon": "the Moon"}


class Images(data.Part):
    """A folder of `burst-sim images`; every image is a sky, a pointing and an exposure of its own. without: families whose rows
    are left out."""

    def __init__(self, folder, augment=None, without=()):
        facts, y, columns = data.read_set(folder, "images")
        self.x, self.augment = np.load(folder / "x.npy", mmap_mode="r"), dict(augment or {})
        if self.x.shape != (facts["n"], 2, SIDE, SIDE):
            raise ValueError(f"{folder}: images of shape {self.x.shape}")
        unknown = set(without) - set(columns["family"])
        if unknown:
            raise ValueError(f"{folder} has no family {', '.join(sorted(unknown))}")
        self.row = np.flatnonzero(~np.isin(columns["family"], list(without)))
        self.y, self.columns = y[self.row], {name: values[self.row] for name, values in columns.items()}
        self.group = np.char.add(np.char.add(self.columns["seed"].astype(str), "-"), self.columns["index"].astype(str))
        self.origin = frozenset(("burst-sim", int(seed)) for seed in np.unique(self.columns["seed"]))

    def take(self, pick, draw=None):
        x = np.array(self.x[self.row[pick]])
        if draw is not None and self.augment:
            x = image_augment.change(self.augment, x, draw)
        return x, self.y[pick]


@registry.made("images")
def open_images(folder, prepare, augment):
    return Images(folder, augment)


@registry.loader("eclairs")
def load_images(prepare, augment, n, seed, without=()):
    """The set of `burst-sim images --n N --seed S` less some families: for training that has never seen them."""
    return Images(data.make_set(["images", "--n", n, "--seed", seed]), augment, without)


for source in (open_images, load_images):
    source.PREPARE_OPTIONS, source.AUGMENT_OPTIONS = {}, image_augment.OPTIONS


@registry.task("image")
class Image(tasks.OneLogit):
    input_name = "image"
    limits = ("What it is not: no judge of a known source's flux (a perfectly shaped dot on a catalogued source is an outburst or a subtraction",
              "error: the image can hardly tell, and it errs there); blind to energy, duration and light curve; no classifier of kinds. An image",
              "whose trigger pixel is missing is called unclear before it is asked. The mask pattern of the simulator is a stand-in: the flight",
              "pattern is not public. No real sub-image was at hand.")

    def metadata(self, config, figures):
        return {"burst.kind": "image", "burst.image_clip": CLIP, "burst.image_scale": SCALE,
                "burst.mask_encoding": {"kind": "scalar", "scale": MASK_SCALE}, "burst.classes": ["false", "true"]}

    def golden_rows(self, part, score):
        """The first row of each kind that is called rightly: a new source, a bad subtraction, columns, and a true one with lost
        packets. A kind that has none gives way to the clearest row of its class."""
        right = (score > 0) == (part.y == 1)
        family, lost = part.columns["family"], part.columns["n_missing"] > LOST_PIXELS
        kinds = [right & (family == f) & (part.columns["n_missing"] == 0) for f in GOLDEN_FAMILIES] + [right & lost & (part.y == 1)]
        spare = [np.argmax(np.where(part.y == label, score if label else -score, -np.inf)) for label in (1, 0, 0, 1)]
        return np.array([np.argmax(kind) if kind.any() else other for kind, other in zip(kinds, spare)])

    def golden_explanations(self, net, x):
        return {"image_occlusion_0": np.stack([occlusion(net, one) for one in x[:N_OCCLUSION]]).astype(np.float32)}

    def card_intro(self, config):
        return ["A 56 x 56 ECLAIRs sub-image (S/N clipped to [-10, 30] over 5) and its mask (0 ignore, 1 background, 2 known source,",
                "3 trigger pixel; over 3) to one logit: above 0 is a true alert.", *super().card_intro(config), *member_lines(config["model"])]


def member_lines(model):
    """How the members of an ensemble were trained; nothing for other networks. (The recipe that the card tells is the ensemble's,
    which is trained no more.)"""
    if model["kind"] != "image_ensemble":
        return []
    kept = runs.read_json(runs.run_folder(model["of"], model["members"][0]) / "run.json")
    o, how = kept["config"]["optimise"], ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in kept["config"]["augment"].items())
    options = ", ".join(f"{k} {v}" for k, v in kept["config"]["model"].items() if k != "kind") or "its defaults"
    seeds = ", ".join(map(str, model["members"]))
    return ["", f"Members: seeds {seeds} of `{model['of']}` (`{kept['config']['model']['kind']}`, {options}): {o['optimiser']}, batch {o['batch']}, "
            f"rate {o['rate']:g} ({o['schedule'].replace('_', ' ')}), weight decay {o['decay']:g}, label smoothing {o['smooth']:g}, "
            f"{o['epochs']} passes; augmented: {how or 'not at all'}; {kept['seconds']} s each on {kept['machine']['device']}. Nothing is trained here:",
            f"the answer is the mean of their logits over {model.get('views', 1)} view{'s' if model.get('views', 1) > 1 else ''} of the image."]
