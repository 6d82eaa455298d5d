/* The sum of the numbers that the items of a work-group have put into sums, in its first element; every
   item of the group calls, and there are a power of two of them */
static void group_sum(__local double *sums, long item, long items)
{
    for (long width = items / 2; width > 0; width /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < width) sums[item] += sums[item + width];
    }
}
