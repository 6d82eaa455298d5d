"""The Gaussian-mixture specializer: one value, registered by entry point like any other's."""

from ...contracts import Setting, Specializer
from ...errors import GmmError
from .calls import bind, code_signature, completed, examples, interface_of, sample, signature_of
from .cases import cases, plain_run
from .dast_passes import PASSES
from .dast_to_c import lower_to_c
from .dast_to_opencl import lower_to_opencl
from .fitting import ANSWERS, estimator, fit, fit_predict
from .interface import read_components, read_covariance
from .kinds import COVARIANCES
from .knobs import knobs
from .py_to_dast import parse
from .reference import reference
from .rules import CALL_RULES, RULES
from .training import evaluate, train
from .work import work

SPECIALIZER = Specializer(
    name="gmm",
    error=GmmError,
    interface=interface_of,
    bind=bind,
    signature=signature_of,
    parse=parse,
    passes=PASSES,
    lower={"c": lower_to_c, "opencl": lower_to_opencl},
    knobs=knobs,
    work=work,
    exact=lambda gmm: False,  # sums over the events are taken in another order anyway
    reference=reference,
    cases=cases,
    plain_run=plain_run,
    sample=sample,
    completed=completed,
    examples=examples,
    rules=RULES | CALL_RULES,
    methods={"train": train, "evaluate": evaluate},
    makers={"estimator": estimator, "fit": fit, "fit_predict": fit_predict},
    answers=ANSWERS,
    code_signature=code_signature,
    settings={
        "components": Setting(
            read_components, (), "components of the mixture (default: as called)"
        ),
        "covariance": Setting(read_covariance, COVARIANCES, "what a component's covariance is"),
    },
)
