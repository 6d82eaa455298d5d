/* An event's responsibilities in place of its joint log-densities, one each `rows` elements; its
   log-likelihood */
static $T softmax(__global $T *restrict joint, long rows)
{
    $T top = joint[0], sum = 0;
    for (int k = 1; k < $K; k++) top = joint[k * rows] > top ? joint[k * rows] : top;
    for (int k = 0; k < $K; k++) sum += joint[k * rows] = exp(joint[k * rows] - top);
    for (int k = 0; k < $K; k++) joint[k * rows] /= sum;
    return top + log(sum);
}
