/* conv.cu - convolution and its two gradients on a GPU, as implicit products:
 * one operand is read from where it would lie if the windows were unfolded,
 * but nothing is. Where such a product would waste most of its tiles, the
 * kernels of conv_direct.cu serve. */
#include "ops/conv.cuh"
#include "ops/product_parts.cuh"

/* ---- Choice ------------------------------------------------------------- */

/* Tiles as large as there is work for. Calls act(problem, 0, 1 or 2). */
template <template <typename> class P, typename F>
static void with_tiles(const hg_conv_job *job, F act)
{
    P<hg_wide_tile> large(*job);
    if (large.m <= 16)
        act(P<hg_flat_tile>(*job), 0);
    else if (large.m <= 32 || (hg_tiles_of(large) < 2 * HG_ENOUGH_TILES &&
                               large.k < HG_LONG_SUM))
        act(P<hg_square_tile>(*job), 1);
    else
        act(large, 2);
}

template <template <typename> class P>
static void run(const hg_kernel *k, const hg_conv_job *job)
{
    with_tiles<P>(job, [&](const auto &p, int) { hg_run_product(k, p); });
}

/* Those of products with the largest tiles, and of kernels for each result,
 * have launches of their own. */
template <template <typename> class P>
static int parts(const hg_kernel *k, const hg_conv_job *job, hg_part *p,
                 int maker)
{
    int count = 0;
    with_tiles<P>(job, [&](const auto &problem, int tile) {
        count = tile > 1 ? hg_alone_parts(k, p)
                         : hg_product_parts(k, p, problem, maker + tile,
                                            maker + HG_CONV_ADD_PARTS);
    });
    return count;
}

/* Indices of the products' sides are 32-bit. */
static bool fits(const hg_kernel *k, const hg_conv *s)
{
    int64_t most = INT64_C(1) << 31, side = s->stride - 1;
    int64_t channels = s->c > s->o ? s->c : s->o;
    return !k->reference && s->n * s->oh * s->ow < most &&
           s->n * (s->h + side) * (s->w + side) < most &&
           channels * (s->kh + side) * (s->kw + side) < most;
}

enum { SHORT_SUM = 32, FEW_CHANNELS = 4 };

static bool forward_fits(const hg_kernel *k, const hg_conv *s)
{
    bool wide = s->o >= FEW_CHANNELS, deep = s->c * s->kh * s->kw >= SHORT_SUM;
    return wide && deep && fits(k, s);
}

extern "C" void hg_conv_forward_cuda(const hg_kernel *k, const hg_conv_job *job)
{
    if (forward_fits(k, &job->shape))
        run<hg_conv_y>(k, job);
    else
        hg_conv_forward_direct(k, job);
}

extern "C" int hg_conv_forward_parts_cuda(const hg_kernel *k,
                                          const hg_conv_job *job, hg_part *p)
{
    return forward_fits(k, &job->shape)
               ? parts<hg_conv_y>(k, job, p, HG_MAKER_CONV_Y)
               : hg_alone_parts(k, p);
}

static bool input_fits(const hg_kernel *k, const hg_conv *s)
{
    bool regular = s->stride == 1 || s->dilation == 1;
    return s->c >= FEW_CHANNELS && regular && fits(k, s);
}

extern "C" void hg_conv_input_cuda(const hg_kernel *k, const hg_conv_job *job)
{
    if (input_fits(k, &job->shape))
        run<hg_conv_x>(k, job);
    else
        hg_conv_input_direct(k, job);
}

extern "C" int hg_conv_input_parts_cuda(const hg_kernel *k,
                                        const hg_conv_job *job, hg_part *p)
{
    return input_fits(k, &job->shape)
               ? parts<hg_conv_x>(k, job, p, HG_MAKER_CONV_X)
               : hg_alone_parts(k, p);
}

extern "C" void hg_conv_weight_cuda(const hg_kernel *k, const hg_conv_job *job)
{
    if (fits(k, &job->shape))
        run<hg_conv_w>(k, job);
    else
        hg_conv_weight_direct(k, job);
}

extern "C" int hg_conv_weight_parts_cuda(const hg_kernel *k,
                                         const hg_conv_job *job, hg_part *p)
{
    return fits(k, &job->shape) ? parts<hg_conv_w>(k, job, p, HG_MAKER_CONV_W)
                                : hg_alone_parts(k, p);
}
