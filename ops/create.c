/* create.c - int32 tensors from nothing, and values from one type to the
 * other. No gradient passes here. */
#include "ops/create.h"
#include "ops/reduce.h"
#include "tensor/complaint.h"

#include <string.h>

/* ---- arange ------------------------------------------------------------- */

static bool arange_shape(hg_tensor *z, hg_shape *out)
{
    int64_t n = ((const hg_arange_attr *)z->attr)->n;
    *out = HG_SHAPE(n);
    return (n >= 0 && n <= INT32_MAX) ||
           hg_fail(HG_ERROR_ARGUMENT,
                   "%lld numbers are not possible; use 0 to %d", (long long)n,
                   INT32_MAX);
}

static void arange_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out_int[i] = (int32_t)i;
}

static const hg_op arange_op = {
    .name = "arange",
    .shape = arange_shape,
    .attr_size = sizeof(hg_arange_attr),
    .cpu = arange_cpu,
    .cuda = HG_CUDA(hg_arange_cuda),
    .out_int = true,
    .doc = "0, 1, ..., n - 1",
};

hg_tensor *hg_arange(int64_t n)
{
    return hg_apply_n(&arange_op, &(hg_arange_attr){n}, NULL, 0);
}

/* ---- one_hot ------------------------------------------------------------ */

static bool one_hot_shape(hg_tensor *z, hg_shape *out)
{
    int64_t classes = ((const hg_one_hot_attr *)z->attr)->classes;
    *out = z->in[0]->shape;
    if (out->rank == HG_MAX_RANK || classes < 0)
        return hg_fail(HG_ERROR_SHAPE,
                       "%lld classes cannot be added as an axis to %s; use "
                       "at least 0, and fewer than %d axes",
                       (long long)classes, HG_SHAPE_TEXT(*out), HG_MAX_RANK);
    out->dim[out->rank++] = classes;
    return true;
}

static void one_hot_cpu(const hg_kernel *k)
{
    int64_t classes = ((const hg_one_hot_attr *)k->attr)->classes;
    if (!hg_indices_fit(k, 0, classes))
        return;
    memset(k->out, 0, (size_t)k->n * sizeof *k->out);
    for (int64_t i = 0; i * classes < k->n; i++)
        k->out[i * classes + k->in_int[0][i]] = 1;
}

static const hg_op one_hot_op = {
    .name = "one_hot",
    .arity = 1,
    .contiguous = true,
    .shape = one_hot_shape,
    .attr_size = sizeof(hg_one_hot_attr),
    .cpu = one_hot_cpu,
    .cuda = HG_CUDA(hg_one_hot_cuda),
    .int_inputs = 1u << 0 | 1u << 16,
    .doc = "1 at the index, 0 elsewhere, along a new last axis",
};

hg_tensor *hg_one_hot(hg_tensor *index, int64_t classes)
{
    return hg_apply(&one_hot_op, &(hg_one_hot_attr){classes}, index);
}

/* ---- From one type to the other ----------------------------------------- */

static bool convert_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

static void to_real(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    for (int64_t i = from; i < to; i++)
        k->out[i] = (hg_real)k->in_int[0][i];
}

static void real_of_cpu(const hg_kernel *k)
{
    hg_parallel_for(k->threads, k->n, 1 << 16, to_real, (void *)(uintptr_t)k);
}

static const hg_op real_of_op = {
    .name = "real_of",
    .arity = 1,
    .contiguous = true,
    .shape = convert_shape,
    .cpu = real_of_cpu,
    .cuda = HG_CUDA(hg_real_of_cuda),
    .int_inputs = 1u << 0 | 1u << 16,
    .doc = "int32 values as real ones",
};

hg_tensor *hg_real_of(hg_tensor *index)
{
    return hg_apply(&real_of_op, NULL, index);
}

static void to_int(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    for (int64_t i = from; i < to; i++)
        k->out_int[i] = (int32_t)k->in[0][i];
}

static void int_of_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++) {
        double x = (double)k->in[0][i];
        if (hg_is_int32(x))
            continue;
        hg_fail_int32(k->in_shape[0], i, x);
        return;
    }
    hg_parallel_for(k->threads, k->n, 1 << 16, to_int, (void *)(uintptr_t)k);
}

static const hg_op int_of_op = {
    .name = "int_of",
    .arity = 1,
    .contiguous = true,
    .shape = convert_shape,
    .cpu = int_of_cpu,
    .cuda = HG_CUDA(hg_int_of_cuda),
    .out_int = true,
    .doc = "real values as int32 ones, fractions dropped",
};

hg_tensor *hg_int_of(hg_tensor *x)
{
    return hg_apply(&int_of_op, NULL, x);
}
