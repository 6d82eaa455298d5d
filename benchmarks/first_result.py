"""Seconds from source to the first result of a 2-D kernel, in this one fresh process.

Prints one JSON line: ``import_s`` (``import sejits_nb`` with NumPy already there), ``libraries_s``
(everything else that is imported on the way), ``first_s`` (decorated function to first result, check
against the plain Python included).  Cold or warm depends on the cache directory that the caller sets.
"""

import json
import time

import numpy as np

start = time.perf_counter()
import sejits_nb as sj  # noqa: E402

imported = time.perf_counter()
import sejits_nb.kernel  # noqa: E402
import sejits_nb.platforms.c_openmp  # noqa: E402
import sejits_nb.specializers.stencil  # noqa: E402

image = np.random.default_rng(0).random((512, 512))
ready = time.perf_counter()


@sj.stencil(fallback=False)
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0


blur(image)
done = time.perf_counter()
print(
    json.dumps(
        {"import_s": imported - start, "libraries_s": ready - imported, "first_s": done - ready}
    )
)
