/* a place in a table of n entries; negative ones count from the end, and none is outside */
$head $name($T i, $T n)
{
    const $T r = i < 0 ? i + n : i;
    return r < 0 ? 0 : r < n ? r : n - 1;
}
