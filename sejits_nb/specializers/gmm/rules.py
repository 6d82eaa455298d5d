"""The mixture language's diagnostics: code -> message, why, try."""

from __future__ import annotations

from ...errors import Rule
from ...phase1_frontend.diagnose import PYTHON_RULES

RULES: dict[str, Rule] = PYTHON_RULES | {
    "L002": Rule("no function in this cell", "the kernel is a Python function",
                 "start with: def {name}(x, mix):"),
    "L004": Rule("the parameter list may not use {what}",
                 "an EM iteration is given the events, the mixture, and numbers",
                 "plain parameters: def {name}(x, mix, reg=1e-6)", "{what}"),
    "L010": Rule("{what} is not in the language", "the generated code has no counterpart for it",
                 "assignments, and the loops over events and components", "{what}"),
    "L011": Rule("{what} is not in the language", "the generated code has no counterpart for it",
                 "arithmetic, densities, and sums over the events", "{what}"),
    "L017": Rule("only a single name or a value of the mixture can be assigned",
                 "each line computes one value", "one assignment a line: a = ...", "{what}"),
    "L020": Rule("{name!r} is assigned, but it is a {role}", "parameters and loop variables keep "
                 "their meaning in the whole iteration", "use another name for the local value",
                 "a {role}"),
    "G001": Rule("an EM iteration has two parameters or more, not {got}",
                 "it is given the events, the mixture that it improves, and numbers",
                 "def {name}(x, mix):, or def {name}(x, mix, reg=1e-6):"),
    "G002": Rule("the iteration has no E-step", "responsibilities come from a loop over the events",
                 "for n in {x}.events():"),
    "G003": Rule("the iteration has no M-step", "parameters are updated in a loop over the components "
                 "that follows the E-step", "for k in {mix}.components():"),
    "G004": Rule("the E-step has no loop over the components", "every event has a log-density in each "
                 "of them", "for k in {mix}.components():", "no loop over components"),
    "G005": Rule("the E-step ends with the softmax of the joint log-densities",
                 "responsibilities are posterior probabilities: they sum to one for every event",
                 "{mix}.responsibility[{n}] = softmax({mix}.joint[{n}])", "{label}"),
    "G006": Rule("the E-step stores no joint log-density", "the softmax takes it from there",
                 "{mix}.joint[{n}, {k}] = log({mix}.weight[{k}]) + log_normal(...)",
                 "joint is not set"),
    "G007": Rule("this statement belongs to neither step", "an iteration is numbers, the E-step, the "
                 "M-step, and what follows from sums over the components",
                 "move it into a step, or in front of both", "{what}"),
    "G008": Rule("a second {step}", "an iteration has one E-step and one M-step",
                 "put it into the first one", "second {step}"),
    "G009": Rule("this loop is over neither events nor components", "those are the loops of the "
                 "language", "for n in {x}.events():, or for k in {mix}.components():",
                 "another loop"),
    "G010": Rule("{what} does not take {left} and {right}", "NumPy would refuse or repeat one of them",
                 "{hint}", "{left}, {right}"),
    "G011": Rule("{target} takes {want}, not {got}", "each value of the mixture has one shape",
                 "{hint}", "{got}"),
    "G012": Rule("{mix}.{field} has no value here", "the E-step sets it further down, or nowhere",
                 "{hint}", "not set"),
    "G013": Rule("{what} is not read or set like this", "in this place it has one form", "{form}",
                 "another form"),
    "G014": Rule("the shared covariance is set after the loop", "with covariance='tied' all components "
                 "have one: it takes the sum over them",
                 "total = total + ..., and after the loop {mix}.covariance[:] = total", "one of all"),
    "G015": Rule("only a tied covariance is set as a whole", "this mixture has one for each component "
                 "(covariance={kind!r})", "{mix}.covariance[k] = ..., or covariance='tied'",
                 "not tied"),
    "G016": Rule("{name}() has no place in the {step}", "{why}", "{hint}", "not here"),
    "G017": Rule("{name}() takes {want}", "the construct has a fixed form", "{example}", "{got}"),
    "G018": Rule("coordinates of an event are not computed with", "the generated code knows their "
                 "squared distances only", "log_normal, mahalanobis, or d @ inverse(C) @ d with "
                 "d = {x}[{n}] - {mix}.mean[{k}]", "not a squared distance"),
    "G019": Rule("the {role} of a density depends on the event", "it is prepared once for each "
                 "component, before the events", "compute it from the mixture and constants",
                 "depends on the event"),
    "G020": Rule("a weight depends on {what}", "sums over the events are collected before the M-step, "
                 "from responsibilities, values of the E-step and constants",
                 "take it out of the sum: {example}", "not a value of the events"),
    "G021": Rule("the constant {name!r} is no vector or matrix of this mixture", "an array has "
                 "{dimension} or {dimension} by {dimension} numbers, 4096 at most", "a list or array "
                 "with one number for each dimension of the events", "{got}"),
    "G022": Rule("{name!r} is used as no sum over the components", "components are computed in any "
                 "order: what lasts from one to the next is a sum that starts as 0",
                 "{name} = 0.0 in front of the loop, {name} = {name} + ... in it, read it after",
                 "{label}"),
    "G023": Rule("if is not in the language", "every event goes the same way through the code",
                 "a value: p if test else q", "a branch"),
    "G024": Rule("{what} is not in the mixture language", "it computes with real numbers",
                 "+ - * / ** @, log exp sqrt abs min max pow lgamma ..., and p if a > b else q",
                 "{what}"),
    "G025": Rule("{name!r} of the {place} hides the language's own", "the plain Python would find "
                 "that one", "{hint}", "{kind}"),
    "G026": Rule("{target} is not set in the {step}", "{why}", "{hint}", "not here"),
    "G027": Rule("{name!r} is {kind}, not a number", "{why}", "{hint}", "{kind}"),
    "G028": Rule("the number of events is not known in the E-step", "events may come in several parts",
                 "use it in the M-step", "not known"),
    "G029": Rule("{name}() stands between differences only", "it is never computed: a "
                 "factorisation does its work", "d @ inverse(C) @ d, or d @ solve(C, d)",
                 "not a squared distance"),
    "G030": Rule("{name!r} is a {kind}, which is not updated in place", "NumPy would change it under "
                 "every name that it has", "a name for the new value: {name} = {name} {op} ...",
                 "in place"),
    "G031": Rule("{mix}.converged is not set {place}", "whether a training ends is known once the "
                 "M-step is done", "{mix}.converged = ..., after the loop over the components",
                 "not here"),
    "G032": Rule("a second stopping rule", "a cell has one condition under which a training ends",
                 "{mix}.converged = one or another", "second rule"),
    "G033": Rule("the stopping rule is {got}, not a condition", "it says whether the training ends",
                 "{mix}.converged = abs({mix}.log_likelihood - {mix}.previous_log_likelihood) < "
                 "1e-3 * len({x})", "{got}"),
    "G034": Rule("{mix}.{field} is known to the stopping rule alone", "it is about all events, and "
                 "iterations before", "{mix}.converged = ... {mix}.{field} ..., after the M-step",
                 "not known"),
}  # fmt: skip

CALL_RULES: dict[str, Rule] = {
    "A010": Rule("the arguments do not fit an EM iteration", "it is called with events, a mixture, "
                 "and numbers if it has any", "kernel(X, mix)"),
    "A011": Rule("the second argument is no mixture of this kernel",
                 "components, dimension and covariance are compiled in",
                 "mix = sj.Mixture(components, dimension, covariance)"),
    "A012": Rule("the events are no table", "each row is an event, each column a dimension",
                 "X[:, None] for one dimension"),
    "A013": Rule("the events are no real numbers", "densities are of float32 or float64 numbers",
                 "X.astype('float64')"),
    "A014": Rule("a covariance is not positive definite", "its density does not exist; nothing was "
                 "updated", "add a little to the diagonal: ... + 1e-6 * eye"),
    "A015": Rule("the result is no finite number", "one number that is not finite spoils a "
                 "whole mixture; nothing was updated", "X[np.isfinite(X).all(axis=1)]"),
    "A016": Rule("a number parameter is no finite number", "parameters after the mixture are numbers "
                 "(float64), given at each call", "kernel(X, mix, reg=1e-6)"),
}  # fmt: skip
"""What can be wrong with a call; the findings themselves carry the call's own words."""
