"""Sizes that the code generator and the routines of ``kernels/gmm`` agree on."""

from __future__ import annotations

from dataclasses import dataclass

from .dast import Covariance

VECTOR_BYTES_MOST = 64
STRIP_BYTES = 32
"""What ``features`` writes at a time."""
BLOCK = 64
"""Events of a block: their rows, distances and features stay in the second-level cache."""
PANEL = 32
"""Blocks of a panel, whose features and weights stay in the last-level cache."""
_COMPONENTS_OF_A_TILE = {3: 8, 4: 6, 5: 4}
"""Vectors of features -> the most components whose sums fit 32 registers beside them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes for D dimensions, K components, elements of *size_bytes*; ``products`` says whether the
    features hold x_i x_j."""

    dimension: int
    components: int
    covariance: Covariance
    size_bytes: int
    products: bool = True

    @property
    def whole(self) -> bool:
        """Whether a covariance is a matrix."""
        return self.covariance in ("full", "tied")

    @property
    def lanes(self) -> int:
        """Elements of the longest vector."""
        return VECTOR_BYTES_MOST // self.size_bytes

    @property
    def padded_dimension(self) -> int:
        return _up(self.dimension, self.lanes)

    @property
    def row(self) -> int:
        """Elements from one event of a block to the next; what is read past its end is its own."""
        return _up(self.dimension + STRIP_BYTES // self.size_bytes - 1, self.lanes)

    @property
    def second(self) -> int:
        """Second moments: x_i x_j for i <= j, or x_d^2."""
        d = self.dimension
        return d * (d + 1) // 2 if self.whole else d

    @property
    def features(self) -> int:
        """1, x_d, and the second moments, if asked for."""
        return self.features_of(2 if self.products else 1)

    def features_of(self, order: int) -> int:
        """The features that moments up to *order* are sums of."""
        return (1, 1 + self.dimension, 1 + self.dimension + self.second)[order]

    @property
    def tile(self) -> tuple[int, int]:
        """Vectors of features and components of a tile: what takes the fewest multiply-adds, and loads
        beside them."""
        vectors = -(-self.features // self.lanes)

        def cost(tile: tuple[int, int]) -> int:
            q, p = tile
            tiles = -(-vectors // q) * -(-self.components // p)
            return 2 * _up(vectors, q) * self.components + tiles * (q + p)

        groups = {q: -(-self.components // most) for q, most in _COMPONENTS_OF_A_TILE.items()}
        return min(((q, -(-self.components // n)) for q, n in groups.items()), key=cost)

    @property
    def tile_features(self) -> int:
        """Features of a tile."""
        return self.tile[0] * self.lanes

    @property
    def padded_features(self) -> int:
        """Features of all tiles."""
        return _up(self.features, self.tile_features)

    def tiles_of(self, order: int) -> int:
        """Tiles that the features of moments up to *order* fill."""
        return -(-self.features_of(order) // self.tile_features)

    @property
    def feature_row(self) -> int:
        """Elements from one event's features, or component's sums, to the next: an odd number of
        vectors, so that a column of them does not fall into few sets of the cache."""
        vectors = self.padded_features // self.lanes
        return (vectors | 1) * self.lanes

    @property
    def padded_components(self) -> int:
        return _up(self.components, self.lanes)

    @property
    def factor_size(self) -> int:
        """Elements of one component's inverse factor with its constants, as ``distance`` reads it."""
        d = self.dimension
        return d + d * (d + 1) // 2 if self.whole else 2 * d

    @property
    def factors_size(self) -> int:
        """Elements of all factors, or of as many coefficients of the features."""
        factors = self.components * self.factor_size
        return max(factors, self.features * self.padded_components)


def _up(number: int, step: int) -> int:
    """The next multiple of *step*."""
    return -(-number // step) * step
