"""Sizes that the code generator and the routines of ``kernels/gmm`` agree on."""

from __future__ import annotations

from dataclasses import dataclass

from .dast import Covariance

VECTOR_BYTES_MOST = 64
FEATURE_TILE = 60
"""A multiple of every number of features that ``accumulate`` takes at a time."""
BLOCK = 64
"""Events of a block: their rows, distances and features stay in the second-level cache."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes for D dimensions, K components, elements of *size_bytes*."""

    dimension: int
    components: int
    covariance: Covariance
    size_bytes: int

    @property
    def whole(self) -> bool:
        """Whether a covariance is a matrix."""
        return self.covariance in ("full", "tied")

    @property
    def features(self) -> int:
        """1, x_d, and the products: x_i x_j for i <= j, or x_d^2."""
        d = self.dimension
        return 1 + d + (d * (d + 1) // 2 if self.whole else d)

    @property
    def padded_features(self) -> int:
        return -(-self.features // FEATURE_TILE) * FEATURE_TILE

    @property
    def padded_components(self) -> int:
        lanes = VECTOR_BYTES_MOST // self.size_bytes
        return -(-self.components // lanes) * lanes

    @property
    def factor_size(self) -> int:
        """Elements of one component's inverse factor with its constants, as ``distance`` reads it."""
        d = self.dimension
        if self.whole:
            return sum(2 + 2 * min(i + 2, d) for i in range(0, d, 2))
        return 2 * d

    def moments_size(self, columns: int) -> int:
        """float64 elements of the ``moments`` argument; the last one counts the events."""
        return columns * self.features * self.components + 1
