"""Whether radar returns are of an image at all, told from what the finished network makes of them.

A small network on top of `DepthNetwork.evidence`: how well the returns agree with each other and with the image,
beside what kind of place it is, because a field agrees less than a corridor. It is fitted after the training of
depth, in minutes, to own and foreign returns in equal numbers.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .network import DepthNetwork
from .samples import Frames

# Frames that are looked at with own and with foreign returns, passes over them, and the size of images.
FRAMES, STEPS, SIZE = 800, 120, (240, 320)
# Fewer returns in an image say nothing.
LEAST_RETURNS = 1.0
RATE, DECAY, NOISE = 3e-3, 0.1, 0.1


class Matcher(nn.Module):
    """Evidence [n, k] → logit [n, 1] of the returns being of the image."""

    def __init__(self, evidence: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", evidence.mean(0))
        self.register_buffer("scale", 1.0 / (evidence.std(0) + 1e-3))
        self.decide = nn.Sequential(nn.Linear(evidence.shape[1], 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, evidence: Tensor) -> Tensor:
        return self.decide((evidence - self.mean) * self.scale)


@torch.no_grad()
def collect(network: DepthNetwork, frames: Frames, count: int) -> tuple[Tensor, Tensor]:
    """Evidence of `count` frames, each with its own returns and with those of another, and which is which."""
    random = np.random.default_rng(0)
    evidence, belongs = [], []
    for frame in random.permutation(len(frames))[:count].tolist():
        image, own, directions, *_ = frames.sample(frame, frame, SIZE)
        other = frames.other(frame, random)
        for label, prior in ((1.0, own), (0.0, frames.sample(other, other, SIZE)[1])):
            if prior[1].sum() >= LEAST_RETURNS:
                evidence.append(network(image[None], prior[None], directions[None])[4][0])
                belongs.append(label)
    return torch.stack(evidence), torch.tensor(belongs)


def fit(network: DepthNetwork, frames: Frames, *, count: int = FRAMES) -> Matcher:
    """Fits to frames of the training split, which are given as they are (`training=False`)."""
    evidence, belongs = collect(network.eval(), frames, count)
    torch.manual_seed(0)
    matcher = Matcher(evidence)
    optimizer = torch.optim.AdamW(matcher.parameters(), RATE, weight_decay=DECAY)
    scale = evidence.std(0)
    for _ in range(STEPS):
        # Noise, as a few hundred frames are not all places there are.
        noisy = evidence + NOISE * scale * torch.randn_like(evidence)
        error = F.binary_cross_entropy_with_logits(matcher(noisy)[:, 0], belongs)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return matcher.eval()


def auroc(own: Tensor, foreign: Tensor) -> float:
    """Probability that own returns score higher than foreign ones; ties count half."""
    difference = own[:, None] - foreign[None]
    return float((difference > 0).float().mean() + 0.5 * (difference == 0).float().mean())
