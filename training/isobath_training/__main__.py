"""The command: python -m isobath_training export-data|export-bag|train|pack|soup|prune|measure|export|quantize …."""

import argparse
import json
from pathlib import Path

from . import depth_baseline, detection_baseline
from .export_data import SPLITS, export_data
from .figures import measured
from .folder import write_folder

BASELINES = {"depth_baseline": depth_baseline, "detection_baseline": detection_baseline}
# Whether the network takes radar.
DEPTH_MODELS = {"depth_s": True, "depth_s_vision": False}
DETECTORS = ("detector_s", "detector_xs", "detector_xxs", "detector_s_dense", "detector_xs_dense")
# Samples that a training sees by default.
SAMPLES = {
    "depth_s": 520_000, "depth_s_vision": 328_000,
    "detector_s": 300_000, "detector_s_dense": 4_000,
    "detector_xs": 20_000, "detector_xxs": 20_000, "detector_xs_dense": 20_000,
}  # fmt: skip
# Networks whose checkpoints others publish.
PUBLISHED = ("depth_rmv_vits", "depth_da2_vits")


def main() -> None:
    parser = argparse.ArgumentParser(prog="isobath_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for add in (
        add_export_data, add_export_bag, add_train, add_pack, add_soup, add_prune, add_measure, add_export, add_quantize,
    ):  # fmt: skip
        add(commands)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except OSError as error:
        # A file that is not there is told, not traced.
        raise SystemExit(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None


def add_export_data(commands) -> None:
    data = commands.add_parser("export-data", help="simulate frames to train on, as arrays")
    data.add_argument("scenes", type=Path, nargs="+", help="scene files, taken in turn")
    data.add_argument("--split", choices=sorted(SPLITS), required=True, help="decides the seeds")
    data.add_argument("--frames", type=int, required=True)
    data.add_argument("--out", type=Path, required=True, help="new folder of the arrays")
    data.add_argument("--sensors", default="camera,radar", help="of camera, lidar, radar")
    data.add_argument("--image-size", default="320x240", help="columns x rows")
    data.add_argument(
        "--any-mount", action="store_true", help="cameras anywhere from ankle to head height, looking up or down"
    )
    data.add_argument(
        "--sweeps", action="store_true",
        help="sweeps of LiDARs of 16 to 128 beams, at any height, packed as detectors are trained on them",
    )  # fmt: skip
    data.add_argument("--first-seed", type=int, default=0, help="within the split")
    data.add_argument("--frames-per-scene", type=int, default=4, help="frames before the next seed is drawn")
    data.add_argument("--every", type=int, default=7, help="take every n-th image")
    data.add_argument("--isobath", help="the command; default: on the path, else built in the checkout")
    data.set_defaults(run=run_export_data)


def add_export_bag(commands) -> None:
    bags = commands.add_parser("export-bag", help="recordings of your own robot as arrays, LiDAR as truth")
    bags.add_argument(
        "bags", type=Path, nargs="+", help="with camera, camera info, LiDAR, tf; radars if there are"
    )
    bags.add_argument("--out", type=Path, required=True, help="new folder of the arrays")
    bags.add_argument("--image-size", type=size, default="320x240", help="columns x rows")
    bags.add_argument("--every", type=int, default=5, help="take every n-th image: neighbours teach little")
    bags.add_argument(
        "--remap", type=renamed, action="append", default=[], metavar="FROM:=TO",
        help="image, camera_info, lidar/points, radar_0/points … radar_3/points := topic of the bag",
    )  # fmt: skip
    bags.add_argument(
        "--doppler-sign", type=float, choices=(1.0, -1.0), default=1.0, help="1: receding is positive"
    )
    bags.set_defaults(run=run_export_bag)


def add_train(commands) -> None:
    train = commands.add_parser("train", help="train a network; started again it goes on from its checkpoint")
    train.add_argument("--model", choices=sorted([*DEPTH_MODELS, *DETECTORS]), required=True)
    train.add_argument(
        "--data", type=Path, nargs="+", required=True,
        help="folders of arrays of the training split; for a detector those of --sweeps",
    )  # fmt: skip
    train.add_argument(
        "--validation", type=Path, help="arrays of the validation split, measured now and then"
    )
    train.add_argument(
        "--checkpoint", type=Path, required=True, help="written every five minutes, read if it is there"
    )
    train.add_argument("--samples", type=int, help="how many are seen in all; default: what the bundled model saw")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--teacher", type=Path, help="a model folder or a checkpoint, to learn from as well")
    train.add_argument(
        "--teacher-weight", type=float, default=0.5, help="of its loss beside that of the truth"
    )
    train.add_argument(
        "--distill", help="detectors: what is learned from the teacher: outputs, features, points, weights, or several joined by +"
    )
    train.add_argument(
        "--prune", metavar="METHOD:SHARE",
        help="detectors: go on without a share of the weights: magnitude, random, n_m, blocks, taps",
    )  # fmt: skip
    train.add_argument(
        "--from", dest="start", type=Path, help="checkpoint whose weights a new run begins with"
    )
    train.add_argument("--rate", type=float, help="learning rate; default: of a run from nothing")
    train.add_argument(
        "--curriculum", action="store_true", help="detectors: sweeps corrupted more and more by what hurts most"
    )
    train.add_argument(
        "--balance", type=float, default=0.0, metavar="SHARE",
        help="detectors: how much more an object of a rare class counts; 0: not at all, 1: each class as much as any other in all",
    )  # fmt: skip
    train.add_argument(
        "--levels", type=int, default=0,
        help="detectors: levels of the network, each half as fine; default: four, and at most seven",
    )  # fmt: skip
    train.add_argument(
        "--dilated", action="store_true", help="detectors: coarser levels compute around active sites as well"
    )
    train.add_argument(
        "--resize", action="store_true", help="detectors: vehicles in sizes that the simulator does not make, too"
    )
    train.add_argument(
        "--prepared", type=Path,
        help="detectors: folder where batches are kept for other runs of the same seed; a run takes some gigabytes",
    )  # fmt: skip
    train.set_defaults(run=run_train)


def add_pack(commands) -> None:
    pack = commands.add_parser(
        "pack", help="a checkpoint without the optimizer's state, small enough to keep"
    )
    pack.add_argument("--checkpoint", type=Path, required=True)
    pack.add_argument("--out", type=Path, required=True)
    pack.set_defaults(run=run_pack)


def add_soup(commands) -> None:
    soup = commands.add_parser("soup", help="the mean of the weights of detectors that were pruned alike")
    soup.add_argument("checkpoints", type=Path, nargs="+")
    soup.add_argument("--out", type=Path, required=True)
    soup.set_defaults(run=run_soup)


def add_prune(commands) -> None:
    prune = commands.add_parser("prune", help="two of every four weights of a published network left out")
    prune.add_argument("--model", choices=PUBLISHED, required=True)
    prune.add_argument("--checkpoint", type=Path, required=True, help="a downloaded .pth")
    prune.add_argument(
        "--data", type=Path, nargs="+", required=True, help="frames of the training split: it learns to say what it said"
    )
    prune.add_argument("--samples", type=int, default=4_000, help="frames it learns on; 0: none")
    prune.add_argument("--image-size", type=size, default="336x252", help="columns x rows, multiples of 14")
    prune.add_argument("--max-depth", type=float, help="metres that the checkpoint was trained for")
    prune.add_argument("--threads", type=int, default=1)
    prune.add_argument("--out", type=Path, required=True, help="the new .pth")
    prune.set_defaults(run=run_prune)


def add_measure(commands) -> None:
    measure = commands.add_parser("measure", help="figures of a checkpoint on arrays, as JSON")
    measure.add_argument("--checkpoint", type=Path, required=True)
    measure.add_argument("--data", type=Path, required=True)
    measure.add_argument("--without-radar", action="store_true")
    measure.set_defaults(run=run_measure)


def add_export(commands) -> None:
    export = commands.add_parser("export", help="write a model folder: ONNX, golden output, manifest, card")
    export.add_argument("--model", choices=sorted([*BASELINES, *DEPTH_MODELS, *DETECTORS, *PUBLISHED]), required=True)
    export.add_argument("--checkpoint", type=Path, help="of a trained model, or a downloaded .pth")
    export.add_argument(
        "--data", type=Path, nargs="+", help="frames of the training split, to calibrate INT8 with"
    )
    export.add_argument("--figures", type=Path, help="JSON of `evaluate` on the test split, for the card")
    export.add_argument("--threads", type=int, default=1)
    published = export.add_argument_group("published checkpoints")
    published.add_argument(
        "--image-size", type=size, default="336x252", help="columns x rows, multiples of 14"
    )
    published.add_argument("--dynamic", action="store_true", help="leave columns and rows free in the files")
    published.add_argument("--max-depth", type=float, help="metres that the checkpoint was trained for")
    published.add_argument("--compress", action="store_true", help="files as .onnx.zst")
    export.add_argument("--out", type=Path, required=True, help="the model folder to write")
    export.set_defaults(run=run_export)


def add_quantize(commands) -> None:
    quantize = commands.add_parser("quantize", help="add 8-bit files to the folder of a detector, without training")
    quantize.add_argument("--model", type=Path, required=True, help="model folder with a file sparse_fp32")
    data = quantize.add_mutually_exclusive_group(required=True)
    data.add_argument("--bag", type=Path, help="recording with a LiDAR to calibrate with")
    data.add_argument("--data", type=Path, help="sweeps of the training split, as export-data --sweeps writes them")
    quantize.add_argument("--topic", help="clouds of the bag; default: the only ones that are not a radar's")
    quantize.add_argument("--frames", type=int, default=128, help="sweeps at most")
    quantize.add_argument(
        "--method", choices=("lidar_ptq", "grid", "grid_global", "min_max", "entropy", "percentile", "mse", "qat"),
        default="lidar_ptq", help="lidar_ptq, or less of it, or a plain one to compare with; qat trains, with labels",
    )  # fmt: skip
    quantize.add_argument("--samples", type=int, default=20_000, help="how many qat sees")
    quantize.add_argument("--replace", action="store_true", help="where the model has 8-bit files already")
    quantize.add_argument("--threads", type=int, default=2)
    quantize.add_argument("--out", type=Path, required=True, help="new model folder")
    quantize.set_defaults(run=run_quantize)


def size(text: str) -> tuple[int, int]:
    """Columns x rows → rows, columns."""
    columns, rows = (int(part) for part in text.split("x"))
    return rows, columns


def renamed(text: str) -> tuple[str, str]:
    """`FROM:=TO`, relative and absolute names alike."""
    name, topic = text.split(":=")
    return name.lstrip("/"), topic


def run_export_bag(arguments) -> None:
    from .bag.export import export_bags

    export_bags(
        arguments.bags, arguments.out, size=arguments.image_size, every=arguments.every,
        remap=dict(arguments.remap), doppler_sign=arguments.doppler_sign,
    )  # fmt: skip


def run_export_data(arguments) -> None:
    a = arguments
    shared = {
        "first_seed": a.first_seed, "frames_per_scene": a.frames_per_scene, "every": a.every, "isobath": a.isobath,
    }  # fmt: skip
    if a.sweeps:
        from .detector_s.sweeps import export_sweeps

        return export_sweeps(a.scenes, a.split, a.frames, a.out, **shared)
    export_data(
        a.scenes, a.split, a.frames, a.out,
        any_mount=a.any_mount, sensors=a.sensors, image_size=a.image_size, **shared,
    )  # fmt: skip


def run_train(arguments) -> None:
    if arguments.samples is None:
        arguments.samples = SAMPLES[arguments.model]
    if arguments.model in DETECTORS:
        return train_detector(arguments)
    of_detectors = ("curriculum", "distill", "prune", "prepared", "balance", "levels", "dilated", "resize")
    if any(getattr(arguments, name) for name in of_detectors):
        raise SystemExit(f"{arguments.model}: expected none of {', '.join(f'--{name}' for name in of_detectors)}")
    from .depth_s.distillation import Teacher
    from .depth_s.train import Recipe, train

    rate = {} if arguments.rate is None else {"rate": arguments.rate}
    recipe = Recipe(DEPTH_MODELS[arguments.model], arguments.seed, arguments.samples, **rate)
    teacher = Teacher.open(arguments.teacher, arguments.teacher_weight) if arguments.teacher else None
    train(
        recipe, arguments.data, arguments.validation, arguments.checkpoint,
        threads=arguments.threads, teacher=teacher, start=arguments.start,
    )  # fmt: skip


def train_detector(arguments) -> None:
    from .detector_s.distillation import Teacher
    from .detector_s.pruning import Pruning
    from .detector_s.train import Recipe, train

    if arguments.levels and not 4 <= arguments.levels <= 7:
        raise SystemExit(f"--levels: expected 4 to 7, found {arguments.levels}")
    if arguments.dilated and arguments.model.endswith("_dense"):
        raise SystemExit(f"{arguments.model}: expected no --dilated, it computes every cell")
    if not 0 <= arguments.balance <= 1:
        raise SystemExit(f"--balance: expected 0 to 1, found {arguments.balance}")
    if arguments.prune:
        Pruning.parse(arguments.prune)
        if arguments.start is None:
            raise SystemExit("--prune: expected --from, a network that has learned what matters")
    if (arguments.teacher is None) != (arguments.distill is None):
        raise SystemExit(f"{arguments.model}: expected --teacher and --distill together")
    teacher = Teacher(arguments.teacher, arguments.distill, arguments.teacher_weight) if arguments.teacher else None
    rate = {} if arguments.rate is None else {"rate": arguments.rate}
    recipe = Recipe(
        arguments.model, arguments.seed, arguments.samples, curriculum=arguments.curriculum,
        prune=arguments.prune or "", balance=arguments.balance, levels=arguments.levels,
        dilated=arguments.dilated, resize=arguments.resize, **rate,
    )  # fmt: skip
    train(
        recipe, arguments.data, arguments.validation, arguments.checkpoint,
        threads=arguments.threads, start=arguments.start, teacher=teacher, prepared=arguments.prepared,
    )  # fmt: skip


def run_pack(arguments) -> None:
    from .runs import pack

    pack(arguments.checkpoint, arguments.out)


def run_soup(arguments) -> None:
    from .checkpoint import read_checkpoint
    from .detector_s.pruning import soup
    from .runs import write

    states = [read_checkpoint(path) for path in arguments.checkpoints]
    for path, state in zip(arguments.checkpoints, states, strict=True):
        recipe, first = state.get("recipe", {}), states[0].get("recipe", {})
        if recipe.get("model") not in DETECTORS:
            raise SystemExit(f"{path}: expected a checkpoint of a detector")
        asked = {"model": first.get("model"), "prune": first.get("prune")}
        if not recipe.get("prune"):
            raise SystemExit(f"{path}: expected a run that was pruned")
        if asked.items() - recipe.items():
            raise SystemExit(f"{path}: expected the model and the pruning of {arguments.checkpoints[0]}")
    mean = soup(states)
    kept = {key: value for key, value in states[0].items() if key not in ("optimizer", "started", "helper")}
    write(arguments.out, kept | {"network": mean, "average": mean})


def run_prune(arguments) -> None:
    import torch

    from .depth_vits.network import VARIANTS, load
    from .depth_vits.pruning import learn_back

    torch.set_num_threads(arguments.threads)
    network = load(arguments.checkpoint, VARIANTS[arguments.model], arguments.max_depth)
    pruned = learn_back(network, arguments.data, arguments.samples, arguments.image_size)
    torch.save({"model": pruned.state_dict()}, arguments.out)
    print(f"wrote {arguments.out}")


def run_measure(arguments) -> None:
    from .depth_s.export import load
    from .depth_s.metrics import measure
    from .depth_s.samples import Frames

    network, recipe = load(arguments.checkpoint)
    frames = Frames(arguments.data, seed=0, training=False)
    figures = measure(network, frames, (240, 320), radar=not arguments.without_radar)
    print(json.dumps({"recipe": recipe, "figures": figures}, indent=1))


def run_export(arguments) -> None:
    name = arguments.model
    if arguments.compress and name not in PUBLISHED:
        raise SystemExit(f"{name}: expected no --compress")
    if name in BASELINES:
        folder = BASELINES[name].folder()
    elif name in PUBLISHED:
        from .depth_vits.folder import folder as published_folder

        if arguments.checkpoint is None:
            raise SystemExit(f"{name}: expected --checkpoint")
        folder = published_folder(
            name, arguments.checkpoint, arguments.data,
            size=arguments.image_size, dynamic=arguments.dynamic, max_m=arguments.max_depth,
            compressed=arguments.compress,
        )  # fmt: skip
    else:
        import torch

        torch.set_num_threads(arguments.threads)
        if arguments.checkpoint is None or arguments.data is None:
            raise SystemExit(f"{name}: expected --checkpoint and --data")
        kind = "detection" if name in DETECTORS else "depth"
        figures = measured(arguments.figures, kind) if arguments.figures else {}
        if name in DETECTORS:
            from .detector_s.folder import folder as detector_folder

            folder = detector_folder(name, arguments.checkpoint, arguments.data[0], figures)
        else:
            from .depth_s.folder import folder as depth_folder

            folder = depth_folder(name, arguments.checkpoint, arguments.data, figures)
    write_folder(folder, arguments.out)
    print(f"wrote {arguments.out}")


def run_quantize(arguments) -> None:
    import torch

    from .quantization.command import quantize_folder
    from .quantization.layers import QuantizationError

    torch.set_num_threads(arguments.threads)
    try:
        quantize_folder(
            arguments.model, arguments.out, bag=arguments.bag, data=arguments.data, topic=arguments.topic,
            most=arguments.frames, method=arguments.method, samples=arguments.samples,
            replace=arguments.replace,
        )  # fmt: skip
    except QuantizationError as error:
        raise SystemExit(str(error)) from None
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
