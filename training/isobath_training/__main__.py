"""The command: python -m isobath_training export --model <name> --out <folder>."""

import argparse
from pathlib import Path

from . import depth_baseline, detection_baseline
from .folder import write_folder

MODELS = {"depth_baseline": depth_baseline, "detection_baseline": detection_baseline}


def main() -> None:
    parser = argparse.ArgumentParser(prog="isobath_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write a model folder: ONNX, golden output, manifest, card")
    export.add_argument("--model", choices=sorted(MODELS), required=True)
    export.add_argument("--out", type=Path, required=True, help="the model folder to write")
    arguments = parser.parse_args()
    write_folder(MODELS[arguments.model], arguments.out)
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
