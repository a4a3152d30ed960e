"""Published ViT-S depth checkpoints, with weights made here."""

import json

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F

from isobath_training.__main__ import size
from isobath_training.arrays import FORMAT, Joined
from isobath_training.depth_vits import encoder as encoder_module
from isobath_training.depth_vits.encoder import SIDE, Encoder
from isobath_training.depth_vits.export import to_onnx
from isobath_training.depth_vits.folder import folder
from isobath_training.depth_vits.inputs import draw_discs
from isobath_training.depth_vits.network import DEPTH_ANYTHING, RADARMEETSVISION, DepthVit, load
from isobath_training.depth_vits.pruning import batches, distance, inputs_first, is_pruned, learn_back, look, prunable
from isobath_training.folder import run, write_folder

SMALL = (28, 42)


def untrained(variant, max_m=120.0):
    """Weights that use the whole range of the outputs."""
    torch.manual_seed(0)
    network = DepthVit(variant, max_m).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            elif "depth_head" in name:
                torch.nn.init.kaiming_normal_(parameter)
            else:
                parameter.normal_(std=0.04)
        last, logits = network.depth_head.scratch.output_conv2[2], []
        hook = last.register_forward_hook(lambda _module, _inputs, output: logits.append(output))
        network(tensors(network, (126, 168)))
        hook.remove()
        mean, std = logits[0].mean((0, 2, 3)), logits[0].std((0, 2, 3))
        last.weight.div_(std.view(-1, 1, 1, 1))
        last.bias.sub_(mean).div_(std)
    return network


def tensors(network, shape):
    generator = torch.Generator().manual_seed(5)
    x = torch.rand(1, network.variant.channels, *shape, generator=generator)
    x[:, 3:] *= 30 * (x[:, 3:] > 0.97)
    return x


def feeds(network, x):
    parts = {"image": x[:, :3].numpy(), "prior": x[:, 3:].numpy()}
    return parts if network.variant.channels == 4 else {"image": parts["image"]}


@pytest.fixture
def few_blocks(monkeypatch):
    """A third of the encoder, for what does not depend on how deep it is."""
    monkeypatch.setattr(encoder_module, "DEPTH", 4)
    monkeypatch.setattr(encoder_module, "TAPS", (0, 1, 2, 3))


@pytest.fixture
def checkpoint(few_blocks, tmp_path):
    path = tmp_path / "latest_24.pth"
    state = untrained(RADARMEETSVISION).state_dict()
    torch.save({"model": state, "epoch": 24, "previous_best": {"d1": 0.0}}, path)
    return path


def test_keys_are_those_of_the_published_files():
    state = DepthVit(RADARMEETSVISION, 120.0).state_dict()
    shapes = {key: list(value.shape) for key, value in state.items()}
    assert sum(value.numel() for value in state.values()) == 24_860_386
    assert len(shapes) == 175 + 64
    assert shapes["pretrained.patch_embed.proj.weight"] == [384, 4, 14, 14]
    assert shapes["pretrained.blocks.11.attn.qkv.weight"] == [1152, 384]
    assert shapes["pretrained.blocks.0.ls2.gamma"] == [384]
    assert shapes["depth_head.scratch.refinenet4.resConfUnit1.conv2.weight"] == [64, 64, 3, 3]
    assert shapes["depth_head.scratch.output_conv2.2.weight"] == [2, 32, 1, 1]
    assert "depth_head.scratch.layer1_rn.bias" not in shapes and "pretrained.mask_token" in shapes


@pytest.mark.parametrize("grid", [(18, 24), (24, 18), (SIDE, SIDE), (SIDE, 52), (1, 3)])
def test_positions_are_enlarged_as_in_training(grid):
    encoder = Encoder(3)
    torch.nn.init.trunc_normal_(encoder.pos_embed, std=0.05)
    learned = encoder.pos_embed[:, 1:].unflatten(1, (SIDE, SIDE)).permute(0, 3, 1, 2)
    factors = tuple((n + 0.1) / SIDE for n in grid)
    square = grid == (SIDE, SIDE)
    expected = learned if square else F.interpolate(learned, scale_factor=factors, mode="bicubic")
    found = encoder.positions(*grid)
    assert found.shape == (1, 1 + grid[0] * grid[1], 384)
    torch.testing.assert_close(found[:, 0], encoder.pos_embed[:, 0])
    torch.testing.assert_close(found[:, 1:], expected.flatten(2).transpose(1, 2), rtol=0, atol=3e-6)


def agree(network, model, shape):
    """The export gives what the network gives, whose outputs are not all the same."""
    x = tensors(network, shape)
    with torch.no_grad():
        expected = dict(zip(("depth", "confidence"), network(x), strict=True))
    found = run(model.SerializeToString(), feeds(network, x))
    for name, value in expected.items():
        assert found[name].shape == (1, 1, *shape)
        assert np.abs(found[name] - value.numpy()).max() <= 1e-5 * value.abs().max().item(), (shape, name)
    assert expected["depth"].std() > 0.01 * network.max_m
    return expected["confidence"]


def test_the_export_is_the_network():
    network = untrained(RADARMEETSVISION)
    assert agree(network, to_onnx(network, (126, 168)), (126, 168)).std() > 0.1


def test_the_export_is_the_network_at_every_size(few_blocks):
    network = untrained(RADARMEETSVISION)
    free = to_onnx(network, SMALL, dynamic=True)
    for shape in ((126, 168), (84, 70), (14, 56), (518, 28)):
        agree(network, free, shape)


def test_the_export_without_prior_is_sure_everywhere(few_blocks):
    network = untrained(DEPTH_ANYTHING, 20.0)
    assert (agree(network, to_onnx(network, (84, 112)), (84, 112)) == 1).all()


def test_only_the_whole_state_is_loaded(checkpoint, tmp_path):
    loaded = load(checkpoint, RADARMEETSVISION)
    assert loaded.max_m == RADARMEETSVISION.max_m
    state = loaded.state_dict()
    made = untrained(RADARMEETSVISION).state_dict()
    assert all(torch.equal(value, made[key]) for key, value in state.items())
    state["pretrained.register_tokens"] = state.pop("pretrained.norm.bias")
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(
        SystemExit, match=r"missing: pretrained.norm.bias; unexpected: pretrained.register_tokens"
    ):
        load(tmp_path / "other.pth", RADARMEETSVISION)
    with pytest.raises(SystemExit, match=r"proj.weight is \[384, 4, 14, 14\], expected \[384, 3, 14, 14\]"):
        load(checkpoint, DEPTH_ANYTHING, 20.0)
    with pytest.raises(SystemExit, match="--max-depth"):
        load(checkpoint, DEPTH_ANYTHING)
    (tmp_path / "text.pth").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(SystemExit, match=r"text.pth: expected a PyTorch checkpoint"):
        load(tmp_path / "text.pth", RADARMEETSVISION)


def write_arrays(out):
    random = np.random.default_rng(3)
    out.mkdir()
    names = [
        "x",
        "y",
        "z",
        "range_rate",
        "snr",
        "rcs",
        "radar",
        "age",
        "motion",
        "azimuth_std",
        "elevation_std",
    ]
    index = {"format": FORMAT, "scenes": ["hall"], "classes": [], "columns": {"radar": names}}
    (out / "dataset.json").write_text(json.dumps(index))
    np.save(out / "frames.npy", np.array([[0, 1, 0], [0, 2, 0]]))
    np.save(out / "image.npy", random.integers(0, 256, (2, 60, 80, 3), dtype=np.uint8))
    np.save(out / "camera.npy", np.tile(np.float32([50, 50, 39.5, 29.5, 0, 0, 0, 0, 0]), (2, 1)))
    np.save(out / "radar.npy", np.float32([[0, 0, 5, 0, 20, 0, 0, 0.01, 0, 0, 0]] * 4))
    np.save(out / "radar_offsets.npy", np.array([0, 2, 4]))
    return out


def test_a_checkpoint_becomes_a_model_folder(checkpoint, tmp_path):
    data = write_arrays(tmp_path / "frames")
    made = folder("depth_rmv_vits", checkpoint, [data], size=(56, 70), dynamic=True)
    kinds = {name: {node.op_type for node in model.graph.node} for name, model in made.models.items()}
    assert "MatMulInteger" in kinds["int8"] and "MatMulInteger" not in kinds["fp32"]
    assert {"Softmax", "LayerNormalization", "Erf"} <= kinds["int8"]
    # The first convolution and those of the head.
    assert sum(node.op_type == "QuantizeLinear" for node in made.models["int8"].graph.node) > 20
    assert made.golden_inputs["prior"].max() == 5
    write_folder(made, tmp_path / "model")
    manifest = (tmp_path / "model/model.yaml").read_text()
    assert '"name": "prior", "role": "prior", "shape": [1, 1, 56, 70]' in manifest
    assert 'fusion: "prior_mean"' in manifest and 'prior: "discs"' in manifest
    golden = np.load(tmp_path / "model/golden.npz")
    inputs = {name: golden[f"input_{name}"] for name in ("image", "prior")}
    for precision, path in (("fp32", "model.onnx"), ("int8", "model_int8.onnx")):
        found = run((tmp_path / "model" / path).read_bytes(), inputs)
        allowed = made.tolerance[precision]
        for name, value in found.items():
            expected = golden[f"output_{name}"]
            assert (np.abs(value - expected) <= allowed["abs"] + allowed["rel"] * np.abs(expected)).all()


def test_half_of_the_weights_are_left_out_and_made_up_for(checkpoint, tmp_path):
    data = write_arrays(tmp_path / "frames")
    network = load(checkpoint, RADARMEETSVISION)
    once = learn_back(network, [data], 0, SMALL)
    assert is_pruned(once) and not is_pruned(network)
    for name, layer in prunable(network).items():
        left, before = (net.get_submodule(name).weight for net in (once, network))
        assert torch.equal(left, before * (left != 0)) and (left != 0).float().mean() == 0.5
        # What stays is what was larger.
        groups = inputs_first(layer, before.abs()).reshape(len(inputs_first(layer, before)) // 4, 4, -1).sort(1).values
        assert torch.allclose(left.abs().sum(), groups[:, 2:].sum(), rtol=1e-4)
    learned = learn_back(network, [data], 80, SMALL)
    assert is_pruned(learned)
    x = next(batches(Joined([data]), network, SMALL, 4, 3))
    with torch.no_grad():
        wanted = look(network, x)
        assert distance(look(learned, x), wanted)[0] < 0.8 * distance(look(once, x), wanted)[0]
    torch.save({"model": learned.state_dict()}, tmp_path / "pruned.pth")
    made = folder("depth_rmv_vits", tmp_path / "pruned.pth", [data], size=SMALL, compressed=True)
    write_folder(made, tmp_path / "model")
    assert "Of every four weights of a layer two are zero" in (tmp_path / "model/README.md").read_text()
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "model").glob("*.zst")}
    assert set(sizes) == {"model.onnx.zst", "model_int8.onnx.zst"}
    assert sizes["model_int8.onnx.zst"] * 6 < made.models["fp32"].ByteSize()
    with pytest.raises(SystemExit, match="must not be trained on"):
        frames = np.load(data / "frames.npy")
        np.save(data / "frames.npy", frames + np.array([0, 900_000, 0]))
        learn_back(network, [data], 4, SMALL)


def test_without_frames_convolutions_stay(checkpoint):
    made = folder("depth_rmv_vits", checkpoint, None, size=SMALL)
    kinds = {node.op_type for node in made.models["int8"].graph.node}
    assert "MatMulInteger" in kinds and "QuantizeLinear" not in kinds
    assert "convolutions FP32" in made.card
    onnx.checker.check_model(made.models["int8"], full_check=True)


def test_sizes_are_columns_by_rows_and_multiples_of_14(few_blocks):
    assert size("336x252") == (252, 336)
    with pytest.raises(SystemExit, match="multiples of 14"):
        to_onnx(DepthVit(DEPTH_ANYTHING, 20.0), (240, 320))


def test_discs_are_those_of_the_runtime():
    """81 pixels at 640 columns; 21 at 320; the nearest on top."""
    for width, pixels in ((640, 81), (320, 21), (128, 5), (64, 1)):
        camera = np.array([width / 2, width / 2, width / 2, width / 2, 0, 0, 0, 0, 0])
        prior = draw_discs(np.array([[0, 0, 7.5], [0, 0, 9], [0, 0, -1]]), camera, (width, width))
        assert (prior == 7.5).sum() == pixels and (prior > 0).sum() == pixels
