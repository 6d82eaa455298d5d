"""Platform selection: the first of the wanted platforms that can run here, and why not the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..contracts import Platform


def select_platform(
    wanted: Sequence[Platform], languages: Collection[str]
) -> tuple[Platform | None, tuple[str, ...]]:
    """The first usable platform whose language a specializer lowers to, and one sentence for each
    platform passed over; ``None`` when only the plain Python is left."""
    skipped: list[str] = []
    for platform in wanted:
        if platform.language not in languages:
            skipped.append(
                f"{platform.name}: the specializer has no lowering to {platform.language}"
            )
        elif (found := platform.probe()).usable:
            return platform, tuple(skipped)
        else:
            skipped.append(f"{platform.name}: {found.text}")
    return None, tuple(skipped)
