/* Coordinate i of a point by the inverse Cholesky factor v[D][D] of a covariance, about g */
static double whitened($G const double *restrict v, const double *restrict point,
                       const double *restrict g, int i)
{
    double s = 0;
    for (int j = 0; j <= i; j++) s += v[i * $D + j] * (point[j] - g[j]);
    return s;
}
