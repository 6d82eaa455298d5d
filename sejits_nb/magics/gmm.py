"""``%%gmm``."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, cell_magic, magics_class

from .arguments import cell_parser
from .language import run_cell


@magics_class
class GmmMagics(Magics):
    """Cells in the mixture language."""

    @cell_magic
    def gmm(self, line: str, cell: str) -> Any:
        return run_cell("gmm", self.shell, line, cell)


GmmMagics.gmm.__doc__ = f"""Specialize an EM iteration of a mixture: fast, checked, visible.

%%gmm speech --components 16 --on "X, mix"
def speech(x, mix):
    for n in x.events():                                   # E-step
        for k in mix.components():
            mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], mix.covariance[k])
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():                             # M-step
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r)
        mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye

%%gmm speech --components 16 --on X         a mixture that starts from these events
%%gmm speech --covariance diag              a built-in sample; or full, tied, spherical
%%gmm speech -t none -b openmp              the model's choice, no timing

def speech(x, mix, reg=1e-6)                a number of each call: speech(X, mix, 1e-3)
mix.converged = mix.iteration >= 20         as a last line: when a training stops

--components K       components of the mixture (default: as many as the one of the call)
--covariance KIND    what mix.covariance[k] is: a matrix, a vector of variances, or one variance

{cell_parser("%gmm").format_help()}"""
