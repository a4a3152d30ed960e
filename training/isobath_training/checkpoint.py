"""Reads checkpoints, ours and others'."""

import pickle
from pathlib import Path

import torch

# What PyTorch's unpickler raises on files that are none of its own.
UNREADABLE = (pickle.PickleError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError)


def read_checkpoint(path: Path) -> dict:
    """The dictionary in a file of `torch.save`; no code in it is run."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from None
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0]
        raise SystemExit(f"{path}: expected a PyTorch checkpoint: {reason}") from None
    if not isinstance(state, dict):
        raise SystemExit(f"{path}: expected a checkpoint with a dictionary, found {type(state).__name__}")
    return state
