"""The arrays of `isobath simulate --arrays`, as training opens them."""

import json

import numpy as np
import pytest
from isobath_training.arrays import FORMAT, Arrays


@pytest.fixture
def folder(tmp_path):
    index = {"format": FORMAT, "scenes": ["hall"], "classes": ["car"], "columns": {"radar": ["x"]}}
    (tmp_path / "dataset.json").write_text(json.dumps(index))
    np.save(tmp_path / "frames.npy", np.array([[0, 799_999, 0], [0, 799_999, 5]], np.int64))
    np.save(tmp_path / "depth.npy", np.arange(24, dtype=np.float16).reshape(2, 3, 4))
    np.save(tmp_path / "radar.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    np.save(tmp_path / "radar_offsets.npy", np.array([0, 2, 3], np.int64))
    return tmp_path


def test_frames_are_mapped_and_ragged_rows_found(folder):
    data = Arrays(folder)
    assert len(data) == 2 and data.image is None and data.lidar is None
    assert isinstance(data.depth, np.memmap)
    assert data.depth[1, 0, 0] == 12
    assert data.radar[0].tolist() == [[0, 1], [2, 3]] and data.radar[1].tolist() == [[4, 5]]
    with pytest.raises(IndexError):
        data.radar[2]
    assert not data.held_back()


def test_other_formats_and_held_back_seeds_are_noticed(folder):
    np.save(folder / "frames.npy", np.array([[0, 800_000, 0]], np.int64))
    assert Arrays(folder).held_back()
    (folder / "dataset.json").write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(ValueError, match="expected format"):
        Arrays(folder)
