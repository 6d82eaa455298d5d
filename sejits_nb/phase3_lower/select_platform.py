"""Platform selection: the first of the wanted platforms that can run here, and why not the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..contracts import Platform


def select_platform(
    wanted: Sequence[Platform], languages: Collection[str]
) -> tuple[Platform | None, tuple[str, ...]]:
    """The first usable platform whose language a specializer lowers to, and one phrase for each
    reason to pass platforms over; ``None`` when only the plain Python is left."""
    skipped: dict[str, list[str]] = {}
    chosen: Platform | None = None
    for platform in wanted:
        if platform.language not in languages:
            reason = f"the specializer has no lowering to {platform.language}"
        elif (found := platform.probe()).usable:
            chosen = platform
            break
        else:
            reason = found.text
        skipped.setdefault(reason, []).append(platform.name)
    return chosen, tuple(f"no {' or '.join(names)}: {why}" for why, names in skipped.items())
