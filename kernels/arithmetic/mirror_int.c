/* mirrored about the last point itself: c b | a b c d | c b */
$head $name($T i, $T n)
{
    if (n == 1) return 0;
    $T r = i % (2 * n - 2);
    if (r < 0) r += 2 * n - 2;
    return r < n ? r : 2 * n - 2 - r;
}
