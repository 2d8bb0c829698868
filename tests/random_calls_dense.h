/* random_calls_dense.h - for test_random_shapes.c: products, convolutions,
 * windows, norms, draws, densities and losses. */
#ifndef RANDOM_CALLS_DENSE_H
#define RANDOM_CALLS_DENSE_H

/* ---- Products ----------------------------------------------------------- */

/* Up to two leading axes, which broadcast; a vector on either side. */
static void choose_matmul(void)
{
    hg_shape lead = some_shape_of(0, 2);
    int64_t m = between(1, MOST_SIZE), k = between(1, MOST_SIZE);
    hg_shape sides[2] = {HG_SHAPE(m, k), HG_SHAPE(k, between(1, MOST_SIZE))};
    for (int d = 0; d < lead.rank; d++)
        lead.dim[d] = lead.dim[d] > 3 ? 3 : lead.dim[d];
    for (int i = 0; i < 2; i++) {
        hg_shape a = smaller(lead);
        for (int d = 0; d < 2; d++)
            a.dim[a.rank++] = sides[i].dim[d];
        take(draw(5) ? a : HG_SHAPE(k), ANYWHERE);
    }
}

static void choose_linear(void)
{
    int64_t in = between(1, MOST_SIZE), out = between(1, MOST_SIZE);
    hg_shape x = some_shape_of(0, 2);
    for (int d = 0; d < x.rank; d++)
        x.dim[d] = x.dim[d] > 9 ? 9 : x.dim[d];
    x.dim[x.rank++] = in;
    take(x, ANYWHERE);
    take(HG_SHAPE(out, in), ANYWHERE);
    if (draw(2))
        take(HG_SHAPE(out), ANYWHERE);
}

static void choose_points(void)
{
    int64_t n = between(1, MOST_SIZE), m = between(1, MOST_SIZE);
    int64_t d = between(1, 4);
    take(HG_SHAPE(n, d), ANYWHERE);
    take(draw(2) ? HG_SHAPE(m, d) : HG_SHAPE(2, m, d), ANYWHERE);
}

FUNCTION(matmul, hg_matmul(x, y))
FUNCTION(linear, hg_linear(x, y, z))
FUNCTION(cdist, hg_cdist_squared(x, y))

/* ---- Convolutions and windows ------------------------------------------- */

static hg_shape image(int channels)
{
    return HG_SHAPE(between(1, 2), channels, between(2, 5), between(2, 5));
}

static void choose_window(int64_t kh, int64_t kw)
{
    now.number = kh;
    now.other = kw;
    now.window = (hg_conv_options){.stride = between(1, 3),
                                   .padding = between(1, 2),
                                   .dilation = between(1, 2)};
    if (kh < 3 && kw < 3) /* so that a window fits */
        return;
    now.window.padding = 2;
}

static void choose_conv(void)
{
    int64_t c = between(1, 3), o = between(1, 3);
    choose_window(between(1, 3), between(1, 3));
    take(image((int)c), ANYWHERE);
    take(HG_SHAPE(o, c, now.number, now.other), ANYWHERE);
    if (draw(2))
        take(HG_SHAPE(o), ANYWHERE);
}

static void choose_conv_transpose(void)
{
    int64_t c = between(1, 3), o = between(1, 3);
    choose_window(between(2, 3), between(2, 3));
    now.window.padding = draw(2);
    now.window.output_padding = draw((uint32_t)now.window.stride);
    take(image((int)c), ANYWHERE);
    take(HG_SHAPE(c, o, now.number, now.other), ANYWHERE);
    if (draw(2))
        take(HG_SHAPE(o), ANYWHERE);
}

static void choose_unfold(void)
{
    choose_window(between(1, 3), between(1, 3));
    take(image(between(1, 2)), ANYWHERE);
}

static int64_t places_along(int64_t size, int64_t kernel)
{
    const hg_conv_options *o = &now.window;
    return (size + 2 * o->padding - o->dilation * (kernel - 1) - 1) /
               o->stride +
           1;
}

/* Columns of the windows of an image of now.shape. */
static void choose_fold(void)
{
    choose_window(between(1, 2), between(1, 2));
    now.shape = image(between(1, 2));
    int64_t h = places_along(now.shape.dim[2], now.number);
    int64_t w = places_along(now.shape.dim[3], now.other);
    take(HG_SHAPE(now.shape.dim[0], now.shape.dim[1] * now.number * now.other,
                  h * w),
         ANYWHERE);
}

static void choose_pool(void)
{
    now.pool =
        (hg_pool_options){.kernel = between(1, 3), .stride = between(1, 3)};
    now.pool.padding = now.pool.kernel / 2;
    take(image(between(1, 3)), APART);
}

static void choose_resize(void)
{
    take(image(between(1, 2)), ANYWHERE);
    now.number = between(1, 7);
    now.other = between(1, 7);
}

FUNCTION(conv, hg_conv2d(x, y, z, now.window))
FUNCTION(conv_transpose, hg_conv_transpose2d(x, y, z, now.window))
FUNCTION(unfold, hg_square(hg_unfold(x, now.number, now.other, now.window)))
FUNCTION(fold, hg_square(hg_fold(x, now.shape.dim[2], now.shape.dim[3],
                                 now.number, now.other, now.window)))
FUNCTION(max_pool, hg_square(hg_max_pool2d(x, now.pool)))
FUNCTION(avg_pool, hg_square(hg_avg_pool2d(x, now.pool)))
FUNCTION(nearest, hg_square(hg_resize(x, now.number, now.other, HG_NEAREST)))
FUNCTION(bilinear, hg_square(hg_resize(x, now.number, now.other, HG_BILINEAR)))

/* ---- Normalisation ------------------------------------------------------ */

/* x [N, C, ...] with groups of channels, and weight and bias. */
static void choose_channels(void)
{
    now.number = between(1, 2);
    int64_t channels = now.number * between(1, 2);
    hg_shape x = {.rank = between(2, 4), .dim = {between(2, 4), channels}};
    for (int d = 2; d < x.rank; d++)
        x.dim[d] = between(2, 3);
    take_as(x, ANYWHERE, 3);
    take(HG_SHAPE(channels), OFF_ZERO);
    take(HG_SHAPE(channels), ANYWHERE);
}

static void choose_features(void)
{
    hg_shape x = some_shape_of(0, 2), w = some_shape_of(1, 1);
    w.dim[0] += 1;
    for (int d = 0; d < x.rank; d++)
        x.dim[d] = x.dim[d] > 5 ? 5 : x.dim[d];
    x.dim[x.rank++] = w.dim[0];
    take_as(x, ANYWHERE, 2);
    take(w, OFF_ZERO);
    take(w, ANYWHERE);
}

FUNCTION(batch_norm, hg_batch_norm(x, y, z, NULL, NULL, 0.1, 0.1))
FUNCTION(layer_norm, hg_layer_norm(x, y, z, 0.1))
FUNCTION(group_norm, x->shape.rank > 2 ? hg_group_norm(x, now.number, y, z, 0.1)
                                       : hg_group_norm(x, 1, y, z, 0.1))

/* ---- where, and draws --------------------------------------------------- */

static void choose_where(void)
{
    now.shape = some_shape_of(0, 4);
    choose_places(hg_shape_numel(now.shape), 2);
    take(smaller(now.shape), ANYWHERE);
    take(smaller(now.shape), ANYWHERE);
}

static void choose_any(void)
{
    take(some_shape_of(0, 4), ANYWHERE);
}

/* The second is a deviation. */
static void choose_normal(void)
{
    hg_shape s = some_shape_of(0, 3);
    take(s, ANYWHERE);
    take(smaller(s), POSITIVE);
}

FUNCTION(where, hg_square(hg_where(hg_real_of(places(now.shape)), x, y)))
FUNCTION(dropout, hg_square(hg_dropout(x, 0.4)))
FUNCTION(normal_sample, hg_square(hg_normal_sample(x, y)))

/* ---- Densities and losses ----------------------------------------------- */

/* x, mu far from x, a scale, and more that is positive; x has all axes. */
static void choose_density(void)
{
    hg_shape s = some_shape_of(1, 3);
    take(s, OFF_TIES);
    take(smaller(s), OFF_TIES);
    take(smaller(s), POSITIVE);
    take(smaller(s), POSITIVE);
}

static void choose_classes(void)
{
    hg_shape s = some_shape_of(1, 3), labels = s;
    labels.rank--;
    take(s, ANYWHERE);
    now.shape = labels;
    now.mode = (hg_reduce_mode)draw(3);
    choose_places(hg_shape_numel(labels), s.dim[s.rank - 1]);
}

static void choose_loss(void)
{
    hg_shape s = some_shape_of(1, 3);
    take(s, OFF_TIES);
    take(smaller(s), OFF_TIES);
    now.mode = (hg_reduce_mode)draw(3);
    now.number = draw(2);
}

static void choose_probabilities(void)
{
    hg_shape s = some_shape_of(1, 3);
    take(s, OPEN_UNIT);
    take(smaller(s), OPEN_UNIT);
    take(smaller(s), POSITIVE);
    now.mode = (hg_reduce_mode)draw(3);
}

FUNCTION(normal, hg_normal_logpdf(x, y, z))
FUNCTION(laplace, hg_laplace_logpdf(x, y, z))
FUNCTION(logistic, hg_logistic_logpdf(x, y, z))
FUNCTION(student_t, hg_student_t_logpdf(x, t, y, z))
FUNCTION(kl_between, hg_normal_kl_between(x, z, y, t))
FUNCTION(mixture, hg_mixture_logpdf(hg_log_softmax(x, -1),
                                    hg_normal_logpdf(x, y, z), -1))
FUNCTION(kl, hg_normal_kl(x, y))
FUNCTION(bernoulli, hg_bernoulli_logpmf(x, hg_log(y)))
FUNCTION(categorical, hg_categorical_logpmf(places(now.shape), x))
FUNCTION(cross_entropy, nn_cross_entropy_loss(x, places(now.shape), now.mode))
FUNCTION(mse, nn_mse_loss(x, y, now.mode))
FUNCTION(l1, nn_l1_loss(x, y, now.mode))
FUNCTION(huber, nn_huber_loss(x, y, now.number ? 9 : 0.25, now.mode))
FUNCTION(bce, nn_bce_loss(x, y, now.mode))
FUNCTION(bce_logits, nn_bce_with_logits_loss(hg_log(x), y, now.mode))
FUNCTION(gaussian_nll, nn_gaussian_nll_loss(x, y, z, now.mode))

#/* clang-format off */
#define DENSE_CALLS                                                            \
    CALL(matmul, choose_matmul)                                                \
    CALL(linear, choose_linear)                                                \
    CALL(cdist, choose_points)                                                 \
    CALL(conv, choose_conv)                                                    \
    CALL(conv_transpose, choose_conv_transpose)                                \
    CALL(unfold, choose_unfold)                                                \
    CALL(fold, choose_fold)                                                    \
    CALL(max_pool, choose_pool)                                                \
    CALL(avg_pool, choose_pool)                                                \
    CALL(nearest, choose_resize)                                               \
    CALL(bilinear, choose_resize)                                              \
    CALL(batch_norm, choose_channels)                                          \
    CALL(layer_norm, choose_features)                                          \
    CALL(group_norm, choose_channels)                                          \
    CALL(where, choose_where)                                                  \
    CALL(dropout, choose_any)                                                  \
    CALL(normal_sample, choose_normal)                                         \
    CALL(normal, choose_density)                                               \
    CALL(laplace, choose_density)                                              \
    CALL(logistic, choose_density)                                             \
    CALL(student_t, choose_density)                                            \
    CALL(kl_between, choose_density)                                           \
    CALL(mixture, choose_density)                                              \
    CALL(kl, choose_normal)                                                    \
    CALL(bernoulli, choose_probabilities)                                      \
    CALL(categorical, choose_classes)                                          \
    CALL(cross_entropy, choose_classes)                                        \
    CALL(mse, choose_loss)                                                     \
    CALL(l1, choose_loss)                                                      \
    CALL(huber, choose_loss)                                                   \
    CALL(bce, choose_probabilities)                                            \
    CALL(bce_logits, choose_probabilities)                                     \
    CALL(gaussian_nll, choose_probabilities)
/* clang-format on */

#endif
