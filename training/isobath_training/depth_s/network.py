"""The network of `depth_s`: image, radar prior and viewing rays → metric depth, confidence, sky.

It looks twice. First the image alone gives a depth: its shape is good, its scale a guess. Then every radar
return tells how far it is from that guess at its place. What most of them agree on is the error of the scale and
is added everywhere; where they say that near and far are further apart, or less, than the look shows, it is stretched.
What remains is compared with what the returns around say, and what the network trusts of it
is spread over the image (normalised convolution from coarse to fine); a second, lighter pass sees image features
and differences together and corrects the rest. Without returns the first depth stands.

Everything is computed at a quarter of the image's size or less, with plain 3×3 convolutions, batch
normalisation and ReLU: what trains fast on a CPU and loses nothing as INT8.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Image pixels per cell of the prior, the rays and the finest features.
CELL = 4
MIN_M, MAX_M = 0.2, 120.0
# Log of the depth, metres, that an untrained network sees everywhere.
START = 1.6
# Differences of log depth beyond this are ghosts whatever the scene.
MOST_DIFFERENCE = 2.5
# Where training starts: widths, in log depth, within which returns are taken to agree, from step to step, and
# the returns that it takes to move the first look half the way.
AGREEMENT, LONELY = (1.0, 0.6, 0.4, 0.3), 0.3
# Scales over which differences are spread: cells of 1, 2, 4, 8, 16, then the whole image.
LEVELS = 5
# Difference, its size, weight; then what is spread and how much stands behind it.
RETURN_FEATURES, SPREAD_FEATURES = 3, 2
# How a return differs from those around it, its size, how much stands behind these, the mean size in the image.
ODD_FEATURES = 4
# Where training of the relief starts: width, in log depth, beyond which returns say nothing; how many returns a log
# depth apart, squared, half a slope takes; its most.
RELIEF_WIDTH, RELIEF_RIDGE, MOST_RELIEF = 0.6, 0.5, 0.8
# Slope, share that it explains, spread of the look and of the differences at the returns, their number, mean look.
RELIEF_FEATURES = 6
# Sizes of the differences, of what neighbours share of them, of the noise; their ratio; the number of returns.
GAIN_FEATURES = 5
# Logarithm.
MOST_GAIN = 4.0
# Log depth within which a return agrees, from strict to lenient.
AGREES = (0.08, 0.25, 0.6)
# Pixels of one cell, unfolded.
SUBPIXELS = CELL * CELL


class Block(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels)
        self.second = ConvUnit(channels, channels, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class ConvUnit(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, *, size: int = 3, stride: int = 1, relu: bool = True
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.convolution(x))
        return F.relu(x) if self.relu else x


def pooled_sum(x: Tensor) -> Tensor:
    """Sums of 2×2 cells; beyond an odd border there is nothing."""
    x = F.pad(x, (0, int(x.shape[-1]) % 2, 0, int(x.shape[-2]) % 2))
    return 4.0 * F.avg_pool2d(x, 2)


class Stem(ConvUnit):
    """The pixels of each cell and its neighbours, and where they look."""

    def __init__(self, outputs: int) -> None:
        super().__init__(3 * SUBPIXELS + 2, outputs)

    def forward(self, image: Tensor, rays: Tensor) -> Tensor:
        return super().forward(torch.cat([F.pixel_unshuffle(image, CELL), rays], 1))


class Agreement(nn.Module):
    """The difference that most returns of an image tell, [n, 1, 1, 1]; none without returns.

    It takes the first look's scale out, however wrong that is: what is left tells a return that fits its
    surroundings from one that does not. A weighted mean, again and again without what is far from it. Which
    returns speak for the scale is learned: one that its uncertain elevation put on the ground before its
    reflector says nothing.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.say = nn.Sequential(nn.Conv2d(features + 4, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1))
        nn.init.zeros_(self.say[-1].weight)
        nn.init.constant_(self.say[-1].bias, 2.0)
        self.widths = nn.Parameter(torch.log(torch.tensor(AGREEMENT)))
        self.lonely = nn.Parameter(torch.log(torch.tensor(LONELY)))

    def forward(
        self, features: Tensor, guess: Tensor, difference: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The difference, and what each return has to say about it."""
        known = torch.cat([guess, difference, difference.abs(), weight.sqrt()], 1)
        weight = weight * torch.sigmoid(self.say(torch.cat([features, known.to(features.dtype)], 1)).float())
        widths, lonely = self.widths.exp(), self.lonely.exp()
        trusted = weight
        for step in range(len(AGREEMENT)):
            total = (difference * trusted).sum((2, 3), keepdim=True)
            offset = total / (trusted.sum((2, 3), keepdim=True) + lonely)
            trusted = weight * torch.exp(-(((difference - offset) / widths[step]) ** 2))
        total = (difference * trusted).sum((2, 3), keepdim=True)
        return total / (trusted.sum((2, 3), keepdim=True) + lonely), weight


class Spread(nn.Module):
    """What returns say about their surroundings.

    Each scale is the weighted mean of its returns, pulled towards the coarser scale where they weigh little
    (normalised convolution, Knutsson and Westin 1993); the whole image is pulled towards no difference.
    """

    def __init__(self) -> None:
        super().__init__()
        # Logarithms of the pulls, in returns, from the finest scale to the whole image.
        self.pull = nn.Parameter(torch.full((LEVELS + 1,), -2.5))

    def forward(self, difference: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """[n, 1, h, w] each → spread difference, support 0..1."""
        pull = self.pull.exp()
        sums = [torch.cat([difference * weight, weight], 1)]
        for _ in range(LEVELS - 1):
            sums.append(pooled_sum(sums[-1]))
        total, count = sums[-1].sum((2, 3), keepdim=True).split(1, 1)
        spread, support = total / (count + pull[LEVELS]), count / (count + pull[LEVELS])
        for level in reversed(range(LEVELS)):
            near = sums[level]
            if level > 0:
                # What a cell's neighbours know counts too.
                near = F.avg_pool2d(near, 3, 1, 1) * 9.0
            total, count = near.split(1, 1)
            coarser = torch.cat([spread, support], 1)
            if level < LEVELS - 1:
                coarser = F.interpolate(coarser, size=near.shape[-2:], mode="bilinear", align_corners=False)
            spread, support = coarser.split(1, 1)
            spread = (total + pull[level] * spread) / (count + pull[level])
            support = 0.5 * (support + count / (count + pull[level]))
        return spread + torch.zeros_like(difference), support + torch.zeros_like(difference)


class Relief(nn.Module):
    """How much deeper or flatter the scene is than the first look shows: what to add to it, [n, 1, h, w].

    A look that errs on a scene unlike all in training errs mostly in how far near and far are apart. Returns tell
    that: their differences are regressed on the look itself. Returns whose elevation is uncertain flatten any
    regression, so that how much of it is believed is learned from how well it explains the returns.
    """

    def __init__(self) -> None:
        super().__init__()
        self.width = nn.Parameter(torch.log(torch.tensor(RELIEF_WIDTH)))
        self.ridge = nn.Parameter(torch.log(torch.tensor(RELIEF_RIDGE)))
        self.believe = nn.Sequential(nn.Conv2d(RELIEF_FEATURES, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1))
        nn.init.zeros_(self.believe[-1].weight)
        nn.init.constant_(self.believe[-1].bias, -2.0)

    def forward(self, guess: Tensor, difference: Tensor, weight: Tensor) -> Tensor:
        """`difference`: of the returns to `guess`, without what most of them agree on; `weight`: what each has to say."""
        weight = weight * torch.exp(-((difference / self.width.exp()) ** 2))
        total = weight.sum((2, 3), keepdim=True)

        def mean(x: Tensor) -> Tensor:
            return (x * weight).sum((2, 3), keepdim=True) / (total + 1e-3)

        arm = guess - mean(guess)
        centered = difference - mean(difference)
        covariance, variance, spread = mean(centered * arm), mean(arm * arm), mean(centered * centered)
        slope = covariance / (variance + self.ridge.exp() / (total + 1e-3))
        slope = slope.clamp(-MOST_RELIEF, MOST_RELIEF)
        explained = covariance * covariance / (variance * spread + 1e-6)
        features = torch.cat(
            [slope, explained, (variance + 1e-6).sqrt(), (spread + 1e-6).sqrt(), torch.log1p(total), mean(guess)], 1
        )
        return torch.sigmoid(self.believe(features)) * slope * arm


class Gain(nn.Module):
    """How much more, or less, the returns of an image weigh than their trust tells, [n, 1, 1, 1].

    Differences that neighbours share are errors of the first look, as in places that no training has seen; those
    that they do not share are noise. Only all returns together tell which of the two an image has more of.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weigh = nn.Sequential(nn.Conv2d(GAIN_FEATURES, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1))
        nn.init.zeros_(self.weigh[-1].weight)
        nn.init.zeros_(self.weigh[-1].bias)

    def forward(self, difference: Tensor, around: Tensor, noise: Tensor, weight: Tensor) -> Tensor:
        """`around`: what the surroundings of each return say; `noise`: mean distance of returns from that."""
        size = mean_of(difference.abs(), weight)[..., None, None]
        shared = mean_of(around.abs(), weight)[..., None, None]
        count = torch.log1p(weight.sum((2, 3), keepdim=True))
        features = torch.cat([size, shared, noise, shared / (noise + 0.05), count], 1)
        return torch.exp(self.weigh(features).clamp(-MOST_GAIN, MOST_GAIN))


def mean_of(x: Tensor, weight: Tensor) -> Tensor:
    """Weighted means over the image, [n, channels]; 0 without weight."""
    return (x * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-3)


class DepthNetwork(nn.Module):
    """`forward` gives log depth, logit of the confidence and logit of the sky at image size, the log depth of
    the image alone at a quarter of it, and what tells whether the returns are of this image (see `match.py`)."""

    def __init__(
        self, widths: tuple[int, int, int, int] = (32, 64, 96, 128), *, uses_prior: bool = True
    ) -> None:
        super().__init__()
        a, b, c, d = widths
        self.uses_prior = uses_prior
        self.stem = Stem(a)
        self.fine = Block(a)
        self.down_8, self.encode_8 = ConvUnit(a, b, stride=2), nn.Sequential(Block(b), Block(b))
        self.down_16, self.encode_16 = ConvUnit(b, c, stride=2), nn.Sequential(Block(c), Block(c))
        self.down_32, self.encode_32 = ConvUnit(c, d, stride=2), nn.Sequential(Block(d), Block(d))
        self.context = nn.Conv2d(d, d, 1)
        self.up_16, self.decode_16 = ConvUnit(d, c, size=1, relu=False), Block(c)
        self.up_8, self.decode_8 = ConvUnit(c, b, size=1, relu=False), Block(b)
        self.up_4, self.decode_4 = ConvUnit(b, a, size=1, relu=False), Block(a)
        self.guess = nn.Conv2d(a, 1, 1)

        self.agreement = Agreement(a)
        self.trust = nn.Sequential(
            nn.Conv2d(a + RETURN_FEATURES + ODD_FEATURES, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1)
        )
        self.relief = Relief()
        self.gain = Gain()
        self.spread = Spread()
        m, n = 3 * a // 2, 2 * a
        self.join = ConvUnit(a + RETURN_FEATURES + SPREAD_FEATURES, a)
        self.again_4 = Block(a)
        self.again_down_8, self.again_8 = ConvUnit(a, m, stride=2), Block(m)
        self.again_down_16, self.again_16 = ConvUnit(m, n, stride=2), Block(n)
        self.again_context = nn.Conv2d(n, n, 1)
        self.again_up_8, self.last_8 = ConvUnit(n, m, size=1, relu=False), Block(m)
        self.again_up_4, self.last_4 = ConvUnit(m, a, size=1, relu=False), ConvUnit(a, 2 * a)
        self.head = nn.Conv2d(2 * a, 2 * SUBPIXELS + 1, 1)
        for start in (self.guess, self.head):
            nn.init.zeros_(start.weight)
            nn.init.zeros_(start.bias)

    def forward(
        self, image: Tensor, prior: Tensor | None, rays: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """`image` [n, 3, h, w], normalised; `prior` [n, 2, h/4, w/4]: metres (0 = none) and weight;
        `rays` [n, 2, h/4, w/4]: x/z and y/z of what a cell sees."""
        features, first = self.look(image, rays)
        guess = first
        if self.uses_prior:
            z, weight = prior.float().split(1, 1)
            known = (weight > 0).to(guess.dtype)
            difference = (torch.log(z.clamp(MIN_M, MAX_M)) - guess).clamp(
                -MOST_DIFFERENCE, MOST_DIFFERENCE
            ) * known
            offset, said = self.agreement(features, guess, difference, weight)
            difference = (difference - offset) * known
            relief = self.relief(guess, difference, said)
            difference = (difference - relief) * known
            returns = torch.cat([difference, difference.abs(), weight.sqrt()], 1)
            # Returns that agree with those around them are right even where the first look is not.
            around, behind = self.spread(difference, weight)
            odd = (difference - around) * known
            noise = mean_of(odd.abs(), weight)[..., None, None]
            company = torch.cat([odd, odd.abs(), behind * known, noise * known], 1)
            trust = torch.sigmoid(
                self.trust(torch.cat([features, returns, company.to(features.dtype)], 1)).float()
            )
            gain = self.gain(difference, around * known, noise, weight)
            spread, support = self.spread(difference, weight * trust * gain)
            guess = guess + offset + relief
            evidence = self.evidence(difference, odd, weight, said, trust, offset)
        else:
            returns = torch.zeros_like(guess).expand(-1, RETURN_FEATURES, -1, -1)
            spread = support = torch.zeros_like(guess)
            evidence = guess.new_zeros(len(guess), 0)
        local = torch.cat([features, torch.cat([returns, spread, support], 1).to(features.dtype)], 1)
        corrected, context = self.correct(local)
        evidence = torch.cat([evidence, context.float()], 1)
        y = self.head(corrected).float()
        base = F.interpolate(guess + spread, scale_factor=CELL, mode="bilinear", align_corners=False)
        log_depth = base + F.pixel_shuffle(y[:, :SUBPIXELS], CELL)
        sky = F.pixel_shuffle(y[:, SUBPIXELS : 2 * SUBPIXELS], CELL)
        confidence = F.interpolate(
            y[:, 2 * SUBPIXELS :], scale_factor=CELL, mode="bilinear", align_corners=False
        )
        return log_depth, confidence, sky, first, evidence

    def look(self, image: Tensor, rays: Tensor) -> tuple[Tensor, Tensor]:
        """The image alone: features and log depth of the cells."""
        x = self.fine(self.stem(image, rays))
        x_8 = self.encode_8(self.down_8(x))
        x_16 = self.encode_16(self.down_16(x_8))
        x_32 = self.encode_32(self.down_32(x_16))
        x_32 = F.relu(x_32 + self.context(x_32.mean((2, 3), keepdim=True)))
        y = self.decode_16(F.relu(enlarge(self.up_16(x_32), x_16) + x_16))
        y = self.decode_8(F.relu(enlarge(self.up_8(y), x_8) + x_8))
        y = self.decode_4(F.relu(enlarge(self.up_4(y), x) + x))
        return y, START + self.guess(y).float()

    @staticmethod
    def evidence(
        difference: Tensor, odd: Tensor, weight: Tensor, said: Tensor, trust: Tensor, offset: Tensor
    ) -> Tensor:
        """How the returns fit, [n, 15]: shares that agree, sizes of the differences, number, error of the scale."""
        agreeing = torch.cat([torch.exp(-((difference / width) ** 2)) for width in AGREES], 1)
        size = difference.abs()
        offset = offset.flatten(1)
        means = [mean_of(x, w) for x in (agreeing, size) for w in (said, weight)]
        means += [mean_of(odd.abs(), weight), mean_of(trust, weight), mean_of(trust, said)]
        counts = [torch.log1p(x.sum((2, 3))) for x in (weight, said)]
        return torch.cat([*means, *counts, offset, offset.abs()], 1)

    def correct(self, local: Tensor) -> tuple[Tensor, Tensor]:
        """The second pass: features to correct with, and means over the image."""
        x = self.again_4(self.join(local))
        x_8 = self.again_8(self.again_down_8(x))
        x_16 = self.again_16(self.again_down_16(x_8))
        context = x_16.mean((2, 3), keepdim=True)
        x_16 = F.relu(x_16 + self.again_context(context))
        y = self.last_8(F.relu(enlarge(self.again_up_8(x_16), x_8) + x_8))
        return self.last_4(F.relu(enlarge(self.again_up_4(y), x) + x)), context.flatten(1)


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """To twice the size; one row or column less where the finer grid is odd."""
    x = F.interpolate(x, scale_factor=2, mode="nearest")
    return x[..., : like.shape[-2], : like.shape[-1]]
