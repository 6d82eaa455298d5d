/* exp(x) for x <= 0, to 1 unit in the last place; below -708 it is 0.  x = n ln 2 + r, |r| <= ln 2 / 2 */
static inline lanes exp_lanes(lanes x)
{
    const lanes magic = (lanes){} + 6755399441055744.0, tiny = (lanes){} - 708.0;
    const lanes_int gone = x < tiny;
    x = (lanes)(((lanes_int)x & ~gone) | ((lanes_int)tiny & gone));
    const lanes shifted = x * 1.4426950408889634 + magic, n = shifted - magic;
    lanes r = x - n * 0.693147180369123816490;
    r = r - n * 1.90821492927058770002e-10;
    lanes p = r * (1.0 / 479001600) + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    const lanes_int scaled = (lanes_int)p + ((lanes_int)shifted << 52);
    return (lanes)(scaled & ~gone);
}
