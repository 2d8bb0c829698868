/* conv_reference.c - convolution and its two gradients as nested sums, the
 * oracle of the fast kernels. Each is a gather: one result at a time, so that
 * threads never add to the same place. */
#include "ops/conv.h"
#include "ops/internal.h"

/* Row (or column) of x under tap t of the window at place p, or -1 if that is
 * padding. */
static int64_t under(const hg_conv *s, int64_t p, int64_t t, int64_t size)
{
    int64_t at = p * s->stride - s->padding + t * s->dilation;
    return at >= 0 && at < size ? at : -1;
}

/* The place whose window has x's row (or column) `at` under tap t, or -1. */
static int64_t over(const hg_conv *s, int64_t at, int64_t t, int64_t places)
{
    int64_t p = at + s->padding - t * s->dilation;
    return p >= 0 && p % s->stride == 0 && p / s->stride < places
               ? p / s->stride
               : -1;
}

static hg_real forward_at(const hg_conv_job *job, int64_t n, int64_t o,
                          int64_t p, int64_t q)
{
    const hg_conv *s = &job->shape;
    hg_real sum = job->bias ? job->bias[o] : 0;
    for (int64_t c = 0; c < s->c; c++)
        for (int64_t i = 0; i < s->kh; i++)
            for (int64_t j = 0; j < s->kw; j++) {
                int64_t h = under(s, p, i, s->h), w = under(s, q, j, s->w);
                if (h >= 0 && w >= 0)
                    sum +=
                        job->x[((n * s->c + c) * s->h + h) * s->w + w] *
                        job->weight[((o * s->c + c) * s->kh + i) * s->kw + j];
            }
    return sum;
}

static void forward_planes(void *argument, int64_t from, int64_t to)
{
    const hg_conv_job *job = argument;
    const hg_conv *s = &job->shape;
    for (int64_t i = from; i < to; i++)
        for (int64_t p = 0; p < s->oh * s->ow; p++)
            job->out[i * s->oh * s->ow + p] =
                forward_at(job, i / s->o, i % s->o, p / s->ow, p % s->ow);
}

void hg_conv_forward_reference(const hg_kernel *k, const hg_conv_job *job)
{
    hg_parallel_for(k->threads, job->shape.n * job->shape.o, 1, forward_planes,
                    (void *)(uintptr_t)job);
}

static hg_real input_at(const hg_conv_job *job, int64_t n, int64_t c, int64_t h,
                        int64_t w)
{
    const hg_conv *s = &job->shape;
    hg_real sum = job->bias ? job->bias[c] : 0;
    for (int64_t o = 0; o < s->o; o++)
        for (int64_t i = 0; i < s->kh; i++)
            for (int64_t j = 0; j < s->kw; j++) {
                int64_t p = over(s, h, i, s->oh), q = over(s, w, j, s->ow);
                if (p >= 0 && q >= 0)
                    sum +=
                        job->y[((n * s->o + o) * s->oh + p) * s->ow + q] *
                        job->weight[((o * s->c + c) * s->kh + i) * s->kw + j];
            }
    return sum;
}

static void input_planes(void *argument, int64_t from, int64_t to)
{
    const hg_conv_job *job = argument;
    const hg_conv *s = &job->shape;
    for (int64_t i = from; i < to; i++)
        for (int64_t p = 0; p < s->h * s->w; p++)
            job->out[i * s->h * s->w + p] =
                input_at(job, i / s->c, i % s->c, p / s->w, p % s->w);
}

void hg_conv_input_reference(const hg_kernel *k, const hg_conv_job *job)
{
    hg_parallel_for(k->threads, job->shape.n * job->shape.c, 1, input_planes,
                    (void *)(uintptr_t)job);
}

static hg_real weight_at(const hg_conv_job *job, int64_t o, int64_t c,
                         int64_t i, int64_t j)
{
    const hg_conv *s = &job->shape;
    double sum = 0;
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t p = 0; p < s->oh; p++) {
            int64_t h = under(s, p, i, s->h);
            if (h < 0)
                continue;
            const hg_real *x = job->x + ((n * s->c + c) * s->h + h) * s->w;
            const hg_real *y = job->y + ((n * s->o + o) * s->oh + p) * s->ow;
            for (int64_t q = 0; q < s->ow; q++) {
                int64_t w = under(s, q, j, s->w);
                if (w >= 0)
                    sum += (double)y[q] * (double)x[w];
            }
        }
    return (hg_real)sum;
}

static void weight_windows(void *argument, int64_t from, int64_t to)
{
    const hg_conv_job *job = argument;
    const hg_conv *s = &job->shape;
    int64_t window = s->kh * s->kw;
    for (int64_t i = from; i < to; i++)
        for (int64_t t = 0; t < window; t++)
            job->out[i * window + t] =
                weight_at(job, i / s->c, i % s->c, t / s->kw, t % s->kw);
}

void hg_conv_weight_reference(const hg_kernel *k, const hg_conv_job *job)
{
    hg_parallel_for(k->threads, job->shape.o * job->shape.c, 1, weight_windows,
                    (void *)(uintptr_t)job);
}
