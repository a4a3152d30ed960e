"""Which sweep is shown next: those with objects of rare classes more often than others. And how much objects count."""

import numpy as np

from .network import CLASSES
from .sweeps import ManySweeps, Sweeps

# A class that is in fewer sweeps than this share is rare. Its sweeps are shown more often by the root of what is
# missing (Gupta et al. 2019), and no sweep more often than this many times another.
COMMON, MOST = 0.3, 4.0


def weights(found: np.ndarray) -> np.ndarray:
    """How often each sweep is shown in a pass, [sweeps], one in the mean."""
    share = found.mean(0).clip(min=1e-9)
    factor = np.sqrt(COMMON / share).clip(1, MOST)
    weight = np.where(found, factor, 1.0).max(1)
    return weight / weight.mean()


class Draw:
    """Sweeps in an order that changes with each pass. A sweep comes as often as its weight says, rounded up or down."""

    def __init__(self, sweeps: Sweeps | ManySweeps, seed: int) -> None:
        self.sweeps, self.seed = sweeps, seed
        self.counts = sweeps.counts(len(CLASSES))
        self.weights = weights(self.counts > 0)
        self.turn, self.order = -1, np.zeros(0, np.int64)

    def frame(self, number: int) -> int:
        """The sweep of sample `number`."""
        turn, place = divmod(number, len(self.sweeps))
        if turn != self.turn:
            random = np.random.default_rng([self.seed, 7, turn])
            shuffled = random.permutation(len(self.sweeps))
            reach = np.cumsum(self.weights[shuffled])
            at = np.arange(len(self.sweeps)) + random.random()
            shown = shuffled[np.searchsorted(reach, at).clip(max=len(self.sweeps) - 1)]
            self.turn, self.order = turn, random.permutation(shown)
        return int(self.order[place])

    def shares(self, balance: float) -> np.ndarray:
        """How much an object of each class counts in the loss, [classes], one in the mean over those that are shown.
        `balance` 0: all alike; 1: each class counts as much as any other in all. Classes that are nowhere count as the
        most frequent one does."""
        shown = self.weights @ self.counts
        if not shown.any():
            return np.ones(len(shown))
        shares = np.where(shown > 0, shown.max() / shown.clip(min=1), 1.0) ** balance
        return shares * shown.sum() / (shares @ shown)
