/* shape.c - sizes, strides, sets of axes. */
#include "tensor/internal.h"

#include <string.h>

int64_t hg_shape_numel(hg_shape s)
{
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++)
        n *= s.dim[i];
    return n;
}

bool hg_shape_legal(hg_shape s)
{
    if (s.rank < 0 || s.rank > HG_MAX_RANK)
        return hg_fail(HG_ERROR_SHAPE, "rank %d is not between 0 and %d",
                       s.rank, HG_MAX_RANK);
    int64_t most = INT64_MAX / (int64_t)sizeof(double), n = 1;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] < 0)
            return hg_fail(HG_ERROR_SHAPE, "size %lld of axis %d is negative",
                           (long long)s.dim[i], i);
        int64_t size = s.dim[i] > 0 ? s.dim[i] : 1; /* strides need the rest */
        if (n > most / size)
            return hg_fail(HG_ERROR_SHAPE,
                           "shape %s has more elements than can be addressed",
                           HG_SHAPE_TEXT(s));
        n *= size;
    }
    return true;
}

bool hg_shape_equal(hg_shape a, hg_shape b)
{
    return a.rank == b.rank &&
           !memcmp(a.dim, b.dim, (size_t)a.rank * sizeof a.dim[0]);
}

const char *hg_shape_text(hg_shape s, char *text, size_t size)
{
    size_t at = 0;
    for (int i = 0; i < s.rank && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? ", " : "[",
                               (long long)s.dim[i]);
    if (at < size)
        snprintf(text + at, size - at, "%s", s.rank ? "]" : "[]");
    return text;
}

void hg_strides_of(hg_shape s, int64_t stride[HG_MAX_RANK])
{
    int64_t step = 1;
    for (int i = s.rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= s.dim[i];
    }
}

size_t hg_dtype_size(hg_dtype dtype)
{
    return dtype == HG_INT32 ? sizeof(int32_t) : sizeof(hg_real);
}

int64_t hg_numel(const hg_tensor *t)
{
    return t ? hg_shape_numel(t->shape) : 0;
}

bool hg_is_contiguous(const hg_tensor *t)
{
    int64_t step = 1;
    for (int i = t->shape.rank - 1; i >= 0; i--) {
        if (t->shape.dim[i] != 1 && t->stride[i] != step)
            return hg_numel(t) == 0;
        step *= t->shape.dim[i];
    }
    return true;
}

int hg_axis_of(int axis, int rank)
{
    int positive = axis < 0 ? axis + rank : axis;
    if (positive >= 0 && positive < rank)
        return positive;
    hg_fail(HG_ERROR_SHAPE, "axis %d is out of range for rank %d; use %d to %d",
            axis, rank, -rank, rank - 1);
    return -1;
}

bool hg_axes_mask(hg_axes axes, int rank, bool mask[HG_MAX_RANK])
{
    memset(mask, 0, HG_MAX_RANK * sizeof mask[0]);
    if (axes.count < 0 || axes.count > HG_MAX_RANK)
        return hg_fail(HG_ERROR_SHAPE, "%d axes are not between 0 and %d",
                       axes.count, HG_MAX_RANK);
    if (axes.rest && (axes.axis[0] == 0 || axes.axis[0] == rank)) {
        for (int i = axes.axis[0]; i < rank; i++)
            mask[i] = true;
        return true;
    }
    for (int i = 0; i < axes.count; i++) {
        int axis = hg_axis_of(axes.axis[i], rank);
        if (axis < 0)
            return false;
        if (mask[axis])
            return hg_fail(HG_ERROR_SHAPE, "axis %d is named twice", axis);
        mask[axis] = true;
        for (int j = axis + 1; axes.rest && j < rank; j++)
            mask[j] = true;
    }
    return true;
}
