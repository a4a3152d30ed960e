"""The command: python -m isobath_training export-data|export …."""

import argparse
from pathlib import Path

from . import depth_baseline, detection_baseline
from .export_data import SPLITS, export_data
from .folder import write_folder

MODELS = {"depth_baseline": depth_baseline, "detection_baseline": detection_baseline}


def main() -> None:
    parser = argparse.ArgumentParser(prog="isobath_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write a model folder: ONNX, golden output, manifest, card")
    export.add_argument("--model", choices=sorted(MODELS), required=True)
    export.add_argument("--out", type=Path, required=True, help="the model folder to write")
    data = commands.add_parser("export-data", help="simulate frames to train on, as arrays")
    data.add_argument("scenes", type=Path, nargs="+", help="scene files, taken in turn")
    data.add_argument("--split", choices=sorted(SPLITS), required=True, help="decides the seeds")
    data.add_argument("--frames", type=int, required=True)
    data.add_argument("--out", type=Path, required=True, help="new folder of the arrays")
    data.add_argument("--sensors", default="camera,radar", help="of camera, lidar, radar")
    data.add_argument("--image-size", default="320x240", help="columns x rows")
    data.add_argument("--isobath", help="the command; default: on the path, else built in the checkout")
    arguments = parser.parse_args()
    if arguments.command == "export":
        write_folder(MODELS[arguments.model], arguments.out)
        print(f"wrote {arguments.out}")
    else:
        export_data(
            arguments.scenes,
            arguments.split,
            arguments.frames,
            arguments.out,
            sensors=arguments.sensors,
            image_size=arguments.image_size,
            isobath=arguments.isobath,
        )


if __name__ == "__main__":
    main()
