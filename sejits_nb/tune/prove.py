"""Every variant is compared with the plain Python before it may be timed or chosen."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .. import config
from ..contracts import VariantSpace
from ..errors import BackendError
from ..phase5_backend import cache
from ..pipeline import Pipeline
from ..stages import Artifact, Case, Config, KernelSource, Signature, Trace


@dataclass
class Prover:
    """Builds and checks variants of one kernel on one platform.

    ``strict`` asks for equality to the bit: then nothing is compiled with contraction.
    """

    pipeline: Pipeline
    source: KernelSource
    strict: bool
    _fronts: dict[Signature, tuple[Trace, VariantSpace]] = field(default_factory=dict)

    def front(self, signature: Signature) -> tuple[Trace, VariantSpace]:
        """Phases 1 to 3 and the variant space for *signature*, made once."""
        if signature not in self._fronts:
            trace = self.pipeline.front(self.source, signature)
            self._fronts[signature] = trace, self.pipeline.space(trace, config.threads())
        return self._fronts[signature]

    def optimised(self, signature: Signature) -> Any:
        """The optimised DAST for *signature*."""
        return self.front(signature)[0].last(2).tree

    def build(self, signature: Signature, chosen: Config) -> tuple[Trace, Artifact]:
        """The whole trace and the artifact of one configuration; raises :class:`BackendError`."""
        trace, space = self.front(signature)
        trace, source = self.pipeline.emit(self.pipeline.choose(trace, space, chosen))
        return trace, self.pipeline.build(trace, source, self.exact(signature))

    def exact(self, signature: Signature) -> bool:
        """Whether this kernel is compiled without contraction."""
        return self.strict or self.pipeline.specializer.exact(self.optimised(signature))

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
        with ThreadPoolExecutor(max(1, config.threads())) as pool:
            return list(pool.map(one, jobs))

    def verdict(self, chosen: Config, cases: Sequence[Case]) -> str:
        """Why the configuration is wrong, or nothing: a right one is remembered on disk.

        Raises :class:`BackendError` if it does not compile.
        """
        artifacts = [self.build(case.signature, chosen)[1] for case in cases]
        key = cache.digest(
            self.source.code,
            repr(self.source.captured),
            str(self.strict),
            *(a.key for a in artifacts),
        )
        if cache.read_json("verdicts", key) == "correct":
            return ""
        for artifact, case in zip(artifacts, cases, strict=True):
            if reason := self.pipeline.platform.trial(artifact, case):
                return reason if case.label in reason else f"{reason} ({case.label})"
        cache.write_json("verdicts", key, "correct")
        return ""
