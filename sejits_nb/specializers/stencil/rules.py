"""The stencil language's diagnostics: code -> message, why, try."""

from __future__ import annotations

from ...errors import Rule
from ...phase1_frontend.diagnose import PYTHON_RULES

RULES: dict[str, Rule] = PYTHON_RULES | {
    "S001": Rule("the kernel has no loop over points",
                 "a stencil is one sweep: its body is computed at every point",
                 "for x in {grid}.interior_points():"),
    "S002": Rule("the kernel stores to no grid", "its result would be lost",
                 "assign at the point: out[{point}] = ..."),
    "S003": Rule("a value can be stored at the sweep's own point only",
                 "stores elsewhere would race between points", "{grid}[{point}] = ...",
                 "not {point}"),
    "S004": Rule("{what} is not a grid point", "reads are at the sweep's point, a neighbor, or "
                 "either plus a constant offset", "{grid}[{point}] or {grid}[{point} + {offset}]",
                 "no point"),
    "S005": Rule("{grid!r} is read at a neighbor and written in the same sweep",
                 "its value there would depend on the order of the points",
                 "read from another grid, and pass the old values in it", "races"),
    "S006": Rule("{what} is not a grid parameter", "points and neighborhoods belong to a grid that "
                 "the kernel is called with", "one of the parameters: {known}", "no grid"),
    "S007": Rule("the radius must be a constant integer from 0 to {most}",
                 "neighborhoods are unrolled at compile time", "{grid}.neighbors({point}, 1)",
                 "not such a constant"),
    "S008": Rule("{method}() takes {want}", "the domain construct has a fixed form",
                 "{example}", "{got}"),
    "S009": Rule("{name!r} is a point, not a number", "a point is a tuple of coordinates",
                 "read a grid at it: {grid}[{name}], or take a coordinate: {name}[0]", "a point"),
    "S010": Rule("the offset has {got}, but the grid has {want} axes",
                 "an offset moves along every axis", "{example}", "{got}"),
    "S011": Rule("only assignments of numbers may stand outside the sweep",
                 "one kernel is one sweep over the points", "move it into the loop over points",
                 "outside the sweep"),
    "S012": Rule("neighbor offset must be constant", "tiling needs a fixed halo",
                 "{grid}[{point} + {offset}]", "runtime value"),
    "S013": Rule("a second loop over points", "one kernel is one sweep over the points",
                 "put the second sweep into a kernel of its own", "second sweep"),
    "S014": Rule("unknown metric {got}", "a neighborhood is von Neumann (default) or Moore",
                 "metric='moore'", "unknown metric"),
    "S015": Rule("this loop is not over neighbors", "loops of the language are unrolled over a "
                 "neighborhood", "for y in {grid}.neighbors({point}, 1):", "not a neighborhood"),
    "S016": Rule("{name!r} carries a value from one point to the next",
                 "points are computed in any order, and in parallel",
                 "assign {name} inside the loop before it is used", "carried"),
    "S025": Rule("{what} is no neighborhood", "a named neighborhood is a constant sequence of offsets, "
                 "each with one integer an axis", "{example}", "no offsets"),
    "S026": Rule("neighbor_definition has no entry {got}", "with a neighbor_definition the second "
                 "argument is the constant index of one of its neighborhoods",
                 "{own}.neighbors({point}, 0)", "entries: {count}"),
    "S020": Rule("a coordinate is one of {ndim}, by a constant index", "the grid's axes are known at "
                 "compile time", "{point}[0]", "no axis"),
    "S021": Rule("{method}() with reads off the point needs a boundary mode",
                 "reads next to the rim would leave the grid",
                 "boundary='clamp', or {grid}.interior_points()", "reads leave the grid"),
    "S022": Rule("the weights must be a constant table of {ndim} axes with odd lengths",
                 "they are centred on the point and unrolled", "W = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]",
                 "not such a table"),
    "S019": Rule("{name!r} is a grid, not a number", "a grid has a value at each point",
                 "read it at the point: {name}[{point}]", "a grid"),
    "S018": Rule("{name!r} is used as a number, but an array was passed", "grids are read at points",
                 "read it at the point: {name}[{point}]", "an array"),
    "S017": Rule("a kernel with {count} points a neighborhood is too large",
                 "every point becomes a line of C", "a radius of at most {most}",
                 "{count} points"),
}  # fmt: skip

CALL_RULES: dict[str, Rule] = {
    "A001": Rule("the arguments do not fit the kernel's parameters",
                 "a call takes all parameters, or all but the outputs", "help(kernel)"),
    "A002": Rule("the grids of one call differ in shape",
                 "a sweep visits the same points in all of them", "pass grids of one shape"),
    "A003": Rule("an array has a dtype that the language does not hold",
                 "grids hold floats of 32 and 64 bits, integers and bool", "u.astype('float64')"),
    "A004": Rule("an output overlaps another array of the call",
                 "points are computed in any order, so a written value could be read",
                 "pass another array, or leave the output out"),
    "A005": Rule("an output array is read-only", "the kernel writes to it", "pass a copy"),
    "A006": Rule("a grid has a number of axes that the language does not hold",
                 "grids have 1 to 4 axes", "reshape it, or pass a slice"),
    "A007": Rule("a scalar parameter was given something that is no number",
                 "compiled code takes 64-bit integers, floats and truth values", "float(alpha)"),
    "A008": Rule("iterate() cannot feed the outputs back into the inputs",
                 "after each sweep every output becomes an input of the next",
                 "feed=dict(u_new='u', u='u_old')"),
    "A009": Rule("an output's memory cannot be written element by element",
                 "its elements do not stand at multiples of their size", "pass an array of its own"),
    "A020": Rule("an output is no array", "it is copied into an array, so the results would be lost",
                 "pass a NumPy array, or leave the output out"),
}  # fmt: skip
"""What can be wrong with a call; the findings themselves carry the call's own words."""
