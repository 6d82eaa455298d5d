/* mirrored about the edge of the last point: b a | a b c d | d c */
$head $name($T i, $T n)
{
    $T r = i % (2 * n);
    if (r < 0) r += 2 * n;
    return r < n ? r : 2 * n - 1 - r;
}
