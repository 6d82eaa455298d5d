"""The kernels that the benchmarks run."""

import sejits_nb as sj


@sj.stencil(fallback=False)
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0


@sj.stencil(fallback=False)
def laplacian(u, out, alpha, beta):
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = alpha * u[x] + beta * acc


@sj.stencil(fallback=False)
def divergence(u, v, w, out, alpha, beta, gamma):
    for x in out.interior_points():
        dx = u[x + (1, 0, 0)] - u[x - (1, 0, 0)]
        dy = v[x + (0, 1, 0)] - v[x - (0, 1, 0)]
        dz = w[x + (0, 0, 1)] - w[x - (0, 0, 1)]
        out[x] = alpha * dx + beta * dy + gamma * dz
