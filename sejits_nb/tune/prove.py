"""Every variant is compared with the plain Python before it may be timed or chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .. import config
from ..contracts import VariantSpace
from ..errors import BackendError
from ..phase5_backend import cache
from ..pipeline import Pipeline
from ..stages import Artifact, Case, Config, KernelSource, Signature, SourceUnit, Trace

Cases = Callable[[], Sequence[Case]]
"""Makes the comparisons with the plain Python, when they are needed."""


@dataclass
class Prover:
    """Builds and checks variants of one kernel on one platform."""

    pipeline: Pipeline
    source: KernelSource
    always_exact: bool = False
    _fronts: dict[Signature, tuple[Trace, VariantSpace]] = field(default_factory=dict)
    _built: dict[tuple[Signature, Config], tuple[Trace, Artifact]] = field(default_factory=dict)

    def front(self, signature: Signature) -> tuple[Trace, VariantSpace]:
        """Phases 1 to 3 and the variant space for *signature*, made once."""
        if signature not in self._fronts:
            trace = self.pipeline.front(self.source, signature)
            self._fronts[signature] = trace, self.pipeline.space(trace, config.threads())
        return self._fronts[signature]

    def optimised(self, signature: Signature) -> Any:
        """The optimised DAST for *signature*."""
        return self.front(signature)[0].last(2).tree

    def emit(self, signature: Signature, chosen: Config) -> tuple[Trace, SourceUnit]:
        """The whole trace and the source of one configuration."""
        trace, space = self.front(signature)
        return self.pipeline.emit(self.pipeline.choose(trace, space, chosen))

    def build(self, signature: Signature, chosen: Config) -> tuple[Trace, Artifact]:
        """The whole trace and the artifact of one configuration, built once.

        Raises :class:`BackendError`.
        """
        if (signature, chosen) not in self._built:
            trace, source = self.emit(signature, chosen)
            artifact = self.pipeline.build(trace, source, self.exact(signature))
            self._built[signature, chosen] = trace, artifact
        return self._built[signature, chosen]

    def exact(self, signature: Signature) -> bool:
        """Whether this kernel is compiled without contraction."""
        return (
            self.always_exact
            or self.pipeline.strict
            or self.pipeline.specializer.exact(self.optimised(signature))
        )

    def build_all(
        self, jobs: Sequence[tuple[Signature, Config]]
    ) -> list[tuple[Trace, Artifact] | BackendError]:
        """:meth:`build` of each job, several compilers at a time; failed builds are values."""

        def one(job: tuple[Signature, Config]) -> tuple[Trace, Artifact] | BackendError:
            try:
                return self.build(*job)
            except BackendError as error:
                return error

        for signature, _ in jobs:
            self.front(signature)
        pool = ThreadPoolExecutor(max(1, config.threads()))
        try:
            return list(pool.map(one, jobs))
        finally:  # an interrupt waits for what is being compiled, not for what has not begun
            pool.shutdown(cancel_futures=True)

    def verdicts(self, built: Sequence[tuple[Config, Artifact]], cases: Cases) -> dict[Config, str]:
        """Configuration -> why its artifact is wrong; the empty text for a right one.

        What was proven before, in any process, is not proven again: the verdict is kept with the
        artifact's key, which holds source, flags, compiler and CPU.  ``cases`` is asked only when
        something is unproven.
        """
        found = {c: "" for c, a in built if cache.read_json("verdicts", self._key(a)) == "correct"}
        unproven = [(c, a) for c, a in built if c not in found]
        if not unproven:
            return found
        comparisons = cases()
        jobs = [(case.signature, c) for case in comparisons for c, _ in unproven]
        artifacts = iter(self.build_all(jobs))
        found |= {c: "" for c, _ in unproven}
        for case in comparisons:  # one after the other: their inputs stay where the code runs
            for chosen, _ in unproven:
                small_or_own = next(artifacts)
                found[chosen] = found[chosen] or self._trial(case, small_or_own)
        for chosen, own in unproven:
            if not found[chosen]:
                cache.write_json("verdicts", self._key(own), "correct")
        return found

    def settle(self) -> None:
        """Give back what the checks of a large call hold."""
        self.pipeline.platform.settle()

    def _trial(self, case: Case, built: tuple[Trace, Artifact] | BackendError) -> str:
        if isinstance(built, BackendError):
            return f"{built} ({case.label})"
        reason = self.pipeline.platform.trial(built[1], case)
        return reason if not reason or case.label in reason else f"{reason} ({case.label})"

    def _key(self, artifact: Artifact) -> str:
        return cache.digest(*self.source.identity, str(self.pipeline.strict), artifact.key)
