"""The image encoder: DINOv2 ViT-S/14 (Oquab et al. 2023), with the parameter names of its checkpoints."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 14
WIDTH, DEPTH, HEADS, MLP = 384, 12, 6, 1536
# Positions were learned on a square of this many patches a side.
SIDE = 37
# Blocks, from 0, whose output the head sees.
TAPS = (2, 5, 8, 11)
EPSILON = 1e-6
# DINOv2 enlarges its positions by (patches + 0.1) / 37, not by patches / 37, and all weights were trained so.
OFFSET = 0.1
# Keys' parameter of cubic interpolation, as PyTorch and ONNX have it.
CUBIC = -0.75


def cubic(distance: Tensor) -> Tensor:
    """Weights of cubic convolution (Keys 1981) at distances in samples."""
    d = distance.abs()
    near = ((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * CUBIC - 4 * CUBIC
    return torch.where(d <= 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def cubic_matrix(count: Tensor, scale: Tensor) -> Tensor:
    """[count, SIDE]: what each of `count` patches takes from each learned position when a line of SIDE is
    enlarged by `scale`. Positions beyond the ends are those at the ends.

    Cubic interpolation is linear in the values, so a matrix a direction does it for any size, and sizes stay free
    in an exported graph.
    """
    at = (torch.arange(count, dtype=torch.float32) + 0.5) / scale - 0.5
    inside = torch.arange(SIDE, dtype=torch.float32)
    weights = cubic(at[:, None] - inside)
    # Of the samples beyond the ends, at most two have weight, but `at` itself may lie out there too.
    beyond = torch.arange(1, 5, dtype=torch.float32)
    first = cubic(at[:, None] + beyond).sum(1, keepdim=True)
    last = cubic(at[:, None] - (SIDE - 1) - beyond).sum(1, keepdim=True)
    middle = weights[:, 1:-1]
    return torch.cat([weights[:, :1] + first, middle, weights[:, -1:] + last], 1)


class PatchEmbedding(nn.Module):
    """Squares of 14 × 14 pixels as tokens."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, WIDTH, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention of all tokens, 6 heads of 64 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.scale = (WIDTH // HEADS) ** -0.5

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)
        if self.scale != 1.0:
            q = q * self.scale
        weights = (q @ k.transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, MLP)
        self.fc2 = nn.Linear(MLP, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A learned factor for each channel of a branch."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class TransformerBlock(nn.Module):
    """Attention and perceptron, normalised before, each beside a short cut."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, EPSILON)
        self.attn = Attention()
        self.ls1: nn.Module = LayerScale()
        self.norm2 = nn.LayerNorm(WIDTH, EPSILON)
        self.mlp = Mlp()
        self.ls2: nn.Module = LayerScale()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))

    @torch.no_grad()
    def fold(self) -> None:
        """Puts the factors of branches and queries into the layers beside them: the same function, fewer steps."""
        for scale, layer in ((self.ls1, self.attn.proj), (self.ls2, self.mlp.fc2)):
            layer.weight.mul_(scale.gamma[:, None])
            layer.bias.mul_(scale.gamma)
        self.ls1, self.ls2 = nn.Identity(), nn.Identity()
        self.attn.qkv.weight[:WIDTH].mul_(self.attn.scale)
        self.attn.qkv.bias[:WIDTH].mul_(self.attn.scale)
        self.attn.scale = 1.0


class Encoder(nn.Module):
    """`forward` gives the tokens of the patches after four blocks, [n, rows · columns, 384] each."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + SIDE * SIDE, WIDTH))
        # Of DINOv2's own training; nothing reads it, but every checkpoint has it.
        self.mask_token = nn.Parameter(torch.zeros(1, WIDTH))
        self.patch_embed = PatchEmbedding(channels)
        self.blocks = nn.ModuleList(TransformerBlock() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH, EPSILON)

    def positions(self, rows: Tensor, columns: Tensor) -> Tensor:
        """[1, 1 + rows · columns, 384]: the learned positions, enlarged to a grid of patches."""
        rows, columns = torch.as_tensor(rows), torch.as_tensor(columns)
        own, grid = self.pos_embed[:, :1], self.pos_embed[0, 1:].unflatten(0, (SIDE, SIDE))
        # The square that they were learned on is taken as it is.
        offset = OFFSET * (1.0 - ((rows == SIDE) & (columns == SIDE)).float())
        down = cubic_matrix(rows, (rows.float() + offset) / SIDE)
        across = cubic_matrix(columns, (columns.float() + offset) / SIDE)
        grid = (down.type_as(grid) @ grid.flatten(1)).unflatten(1, (SIDE, WIDTH))
        grid = across.type_as(grid) @ grid
        return torch.cat([own, grid.flatten(0, 1)[None]], 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        rows, columns = x.shape[-2] // PATCH, x.shape[-1] // PATCH
        x = self.patch_embed(x)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.positions(rows, columns)
        taps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                taps.append(self.norm(x)[:, 1:])
        return taps
