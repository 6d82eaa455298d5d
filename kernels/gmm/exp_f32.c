/* exp(x) for x <= 0, to 2 units in the last place; below -87 it is 0.  x = n ln 2 + r, |r| <= ln 2 / 2 */
static inline lanes exp_lanes(lanes x)
{
    const lanes magic = (lanes){} + 12582912.0f, tiny = (lanes){} - 87.0f;
    const lanes_int gone = x < tiny;
    x = (lanes)(((lanes_int)x & ~gone) | ((lanes_int)tiny & gone));
    const lanes shifted = x * 1.44269504f + magic, n = shifted - magic;
    lanes r = x - n * 0.693145752f;
    r = r - n * 1.42860677e-6f;
    lanes p = r * (1.0f / 720) + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const lanes_int scaled = (lanes_int)p + ((lanes_int)shifted << 23);
    return (lanes)(scaled & ~gone);
}
