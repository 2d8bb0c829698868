/* conv_tables.c - places and taps as offsets, for conv_lanes.c. */
#include "ops/conv_tables.h"

void hg_place_table(const hg_planes *s)
{
    for (int64_t h = 0; h < s->height; h++)
        for (int64_t w = 0; w < s->width; w++)
            s->at[h * s->width + w] =
                (int32_t)((h + s->top) * s->cols + w + s->left);
}

hg_planes hg_forward_planes(const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    return (hg_planes){
        .values = job->x,
        .count = s->c,
        .height = s->h,
        .width = s->w,
        .top = s->padding,
        .left = s->padding,
        .rows = s->h + 2 * s->padding,
        .cols = s->w + 2 * s->padding,
    };
}

void hg_forward_tables(const hg_conv *s, const hg_planes *in, int32_t *base,
                       int32_t *tap)
{
    int64_t cols = in->cols, room = hg_room(in);
    for (int64_t i = 0; i < s->oh; i++)
        for (int64_t j = 0; j < s->ow; j++)
            *base++ = (int32_t)((i * cols + j) * s->stride);
    for (int64_t c = 0; c < s->c; c++)
        for (int64_t i = 0; i < s->kh; i++)
            for (int64_t j = 0; j < s->kw; j++)
                *tap++ = (int32_t)(c * room + (i * cols + j) * s->dilation);
}

/* ---- The input gradient ------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* Zeros that the places of y need before and after them along an axis. */
static int64_t zeros_before(const hg_conv *s, int64_t kernel)
{
    int64_t least =
        floor_div(s->padding - (kernel - 1) * s->dilation, s->stride);
    return least < 0 ? -least : 0;
}

static int64_t zeros_after(const hg_conv *s, int64_t size, int64_t places)
{
    int64_t most = (size - 1 + s->padding) / s->stride;
    return most > places - 1 ? most - places + 1 : 0;
}

hg_planes hg_input_planes(const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    int64_t top = zeros_before(s, s->kh), left = zeros_before(s, s->kw);
    return (hg_planes){
        .values = job->y,
        .count = s->o,
        .height = s->oh,
        .width = s->ow,
        .top = top,
        .left = left,
        .rows = top + s->oh + zeros_after(s, s->h, s->oh),
        .cols = left + s->ow + zeros_after(s, s->w, s->ow),
    };
}

int64_t hg_phase_places(const hg_conv *s, const hg_planes *in, int64_t a,
                        int64_t b, int32_t *base, int32_t *dest)
{
    int64_t count = 0;
    for (int64_t h = 0; h < s->h; h++)
        for (int64_t w = 0; w < s->w; w++) {
            int64_t i = h + s->padding - a, j = w + s->padding - b;
            if (i % s->stride || j % s->stride)
                continue;
            i = floor_div(i, s->stride) + in->top;
            j = floor_div(j, s->stride) + in->left;
            base[count] = (int32_t)(i * in->cols + j);
            dest[count++] = (int32_t)(h * s->w + w);
        }
    return count;
}

int64_t hg_phase_taps(const hg_conv *s, const hg_planes *in, int64_t a,
                      int64_t b, int32_t *tap, int32_t *index)
{
    int64_t count = 0, d = s->dilation;
    for (int64_t o = 0; o < s->o; o++)
        for (int64_t i = 0; i < s->kh; i++)
            for (int64_t j = 0; j < s->kw; j++) {
                if (i * d % s->stride != a || j * d % s->stride != b)
                    continue;
                int64_t up = (i * d - a) / s->stride;
                int64_t back = (j * d - b) / s->stride;
                tap[count] = (int32_t)(o * hg_room(in) - up * in->cols - back);
                index[count++] = (int32_t)((o * s->c * s->kh + i) * s->kw + j);
            }
    return count;
}
