"""The stencil specializer: one value, registered by entry point like any other's."""

from ...contracts import Setting, Specializer
from ...errors import StencilError
from .boundaries import MODES, parse_boundary, write_boundary
from .calls import bind, sample, signature_of
from .cases import cases, plain_run
from .dast_passes import PASSES, must_be_exact
from .dast_to_c import lower_to_c
from .dast_to_opencl import lower_to_opencl
from .interface import read_interface
from .iterate import iterate
from .knobs import knobs
from .py_to_dast import parse
from .reference import reference
from .rules import CALL_RULES, RULES
from .work import work

SPECIALIZER = Specializer(
    name="stencil",
    error=StencilError,
    interface=read_interface,
    bind=bind,
    signature=signature_of,
    parse=parse,
    passes=PASSES,
    lower={"c": lower_to_c, "opencl": lower_to_opencl},
    knobs=knobs,
    work=work,
    exact=must_be_exact,
    reference=reference,
    cases=cases,
    plain_run=plain_run,
    sample=sample,
    rules=RULES | CALL_RULES,
    settings={
        "boundary": Setting(
            parse_boundary, MODES, "what a read outside the grid means, by axis", write_boundary
        )
    },
    methods={"iterate": iterate},
    by_layout=True,
)
