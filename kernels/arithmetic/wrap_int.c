/* a periodic axis of n points */
$head $name($T i, $T n)
{
    const $T r = i % n;
    return r < 0 ? r + n : r;
}
