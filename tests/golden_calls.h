/* golden_calls.h - which call an `op` of golden/ops.json means, with its
 * attributes; pointwise operations are taken from pointwise.def. */
#ifndef HG_TEST_GOLDEN_CALLS_H
#define HG_TEST_GOLDEN_CALLS_H

#include "golden_fixture.h"

typedef hg_tensor *(*operation)(hg_tensor **x, int n, const json_t *a);

/* ---- Attributes --------------------------------------------------------- */

static int integer(const json_t *a, const char *name)
{
    return (int)whole(a, name);
}

static hg_axes axes_of(const json_t *list, bool keep)
{
    hg_axes axes = {.count = (int)json_array_size(list), .keep = keep};
    for (int i = 0; i < axes.count; i++)
        axes.axis[i] = (int)element(list, (size_t)i);
    return axes;
}

static hg_axes axes(const json_t *a)
{
    bool keep = json_is_true(json_object_get(a, "keep"));
    return axes_of(member(a, "axes"), keep);
}

static hg_shape shape_of(const json_t *list)
{
    hg_shape shape = {.rank = (int)json_array_size(list)};
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = (int64_t)element(list, (size_t)i);
    return shape;
}

static hg_shape shape(const json_t *a)
{
    return shape_of(member(a, "shape"));
}

static int64_t pair(const json_t *a, const char *name, int i)
{
    return (int64_t)element(member(a, name), (size_t)i);
}

static int64_t maybe(const json_t *a, const char *name)
{
    return json_integer_value(json_object_get(a, name)); /* 0 if absent */
}

static hg_conv_options window(const json_t *a)
{
    return (hg_conv_options){maybe(a, "stride"), maybe(a, "padding"),
                             maybe(a, "dilation"), maybe(a, "output_padding")};
}

static hg_pool_options pool(const json_t *a)
{
    return (hg_pool_options){maybe(a, "kernel"), maybe(a, "stride"),
                             maybe(a, "padding")};
}

static hg_interpolation mode(const json_t *a)
{
    return strcmp(text(a, "mode"), "nearest") ? HG_BILINEAR : HG_NEAREST;
}

static hg_reduce_mode reduction(const json_t *a)
{
    const char *name = text(a, "reduction");
    return !strcmp(name, "mean")  ? HG_MEAN
           : !strcmp(name, "sum") ? HG_SUM
                                  : HG_NONE;
}

/* ---- The table ---------------------------------------------------------- */

static hg_tensor *best(hg_tensor *x, const json_t *a, bool index)
{
    hg_tensor *place = NULL;
    hg_tensor *value = hg_topk(x, whole(a, "k"), integer(a, "axis"), &place);
    return index ? place : value;
}

static hg_tensor *part(hg_tensor *x, const json_t *a)
{
    hg_tensor *out[16];
    return hg_split(x, integer(a, "axis"), integer(a, "parts"), out)
               ? out[integer(a, "part")]
               : NULL;
}

static hg_tensor *running[2]; /* mean and variance of the last batch_norm */

static hg_tensor *batch_norm(hg_tensor **x, const json_t *a)
{
    bool training = json_is_true(member(a, "training"));
    hg_shape channels = HG_SHAPE(x[0]->shape.dim[1]);
    running[0] = training ? hg_zeros(channels) : x[3];
    running[1] = training ? hg_ones(channels) : x[4];
    hg_mode was = hg_set_mode(training ? HG_TRAIN : HG_RECORD);
    double momentum = training ? number(a, "momentum") : 0.1;
    hg_tensor *y = hg_batch_norm(x[0], x[1], x[2], running[0], running[1],
                                 momentum, number(a, "eps"));
    hg_set_mode(was);
    return y;
}

#define AXIS integer(a, "axis")

/* clang-format off */
#define CALLS(DO)                                                              \
    DO(sum, hg_sum(x[0], axes(a)))                                             \
    DO(mean, hg_mean(x[0], axes(a)))                                           \
    DO(max, hg_max(x[0], axes(a)))                                             \
    DO(min, hg_min(x[0], axes(a)))                                             \
    DO(logsumexp, hg_logsumexp(x[0], axes(a)))                                 \
    DO(norm, hg_norm(x[0], number(a, "p"), axes(a)))                           \
    DO(var, hg_var(x[0], axes(a), number(a, "correction")))                    \
    DO(cumsum, hg_cumsum(x[0], AXIS))                                          \
    DO(softmax, hg_softmax(x[0], AXIS))                                        \
    DO(log_softmax, hg_log_softmax(x[0], AXIS))                                \
    DO(argmax, hg_argmax(x[0], AXIS))                                          \
    DO(argmin, hg_argmin(x[0], AXIS))                                          \
    DO(topk, best(x[0], a, false))                                             \
    DO(topk_index, best(x[0], a, true))                                        \
    DO(reshape, hg_reshape(x[0], shape(a)))                                    \
    DO(permute, hg_permute(x[0], axes(a)))                                     \
    DO(transpose, hg_transpose(x[0]))                                          \
    DO(expand, hg_expand(x[0], shape(a)))                                      \
    DO(squeeze, hg_squeeze(x[0], axes(a)))                                     \
    DO(unsqueeze, hg_unsqueeze(x[0], AXIS))                                    \
    DO(slice, hg_slice(x[0], AXIS, whole(a, "start"), whole(a, "stop"),        \
                       whole(a, "step")))                                      \
    DO(select, hg_select(x[0], AXIS, whole(a, "position")))                    \
    DO(split, part(x[0], a))                                                   \
    DO(flip, hg_flip(x[0], axes(a)))                                           \
    DO(pad, hg_pad(x[0], AXIS, whole(a, "before"), whole(a, "after")))         \
    DO(concat, hg_concat_n(AXIS, x, n))                                        \
    DO(stack, hg_stack_n(AXIS, x, n))                                          \
    DO(index_select, hg_index_select(x[0], AXIS, x[1]))                        \
    DO(scatter_add, hg_scatter_add(x[0], AXIS, x[1], whole(a, "size")))        \
    DO(take_along, hg_take_along(x[0], AXIS, x[1]))                            \
    DO(add_along, hg_add_along(x[0], AXIS, x[1], whole(a, "size")))            \
    DO(one_hot, hg_one_hot(x[0], whole(a, "classes")))                         \
    DO(matmul, hg_matmul(x[0], x[1]))                                          \
    DO(linear, hg_linear(x[0], x[1], n > 2 ? x[2] : NULL))                     \
    DO(conv2d, hg_conv2d(x[0], x[1], n > 2 ? x[2] : NULL, window(a)))          \
    DO(conv_transpose2d,                                                       \
       hg_conv_transpose2d(x[0], x[1], n > 2 ? x[2] : NULL, window(a)))        \
    DO(unfold, hg_unfold(x[0], pair(a, "kernel", 0), pair(a, "kernel", 1),     \
                         window(a)))                                           \
    DO(fold, hg_fold(x[0], pair(a, "size", 0), pair(a, "size", 1),             \
                     pair(a, "kernel", 0), pair(a, "kernel", 1), window(a)))   \
    DO(max_pool2d, hg_max_pool2d(x[0], pool(a)))                               \
    DO(avg_pool2d, hg_avg_pool2d(x[0], pool(a)))                               \
    DO(resize, hg_resize(x[0], pair(a, "size", 0), pair(a, "size", 1),         \
                         mode(a)))                                             \
    DO(batch_norm, batch_norm(x, a))                                           \
    DO(layer_norm, hg_layer_norm(x[0], x[1], x[2], number(a, "eps")))          \
    DO(group_norm, hg_group_norm(x[0], whole(a, "groups"), x[1], x[2],         \
                                 number(a, "eps")))                            \
    DO(normal_logpdf, hg_normal_logpdf(x[0], x[1], x[2]))                      \
    DO(bernoulli_logpmf, hg_bernoulli_logpmf(x[0], x[1]))                      \
    DO(categorical_logpmf, hg_categorical_logpmf(x[0], x[1]))                  \
    DO(laplace_logpdf, hg_laplace_logpdf(x[0], x[1], x[2]))                    \
    DO(logistic_logpdf, hg_logistic_logpdf(x[0], x[1], x[2]))                  \
    DO(student_t_logpdf, hg_student_t_logpdf(x[0], x[1], x[2], x[3]))          \
    DO(mixture_logpdf, hg_mixture_logpdf(x[0], x[1], AXIS))                    \
    DO(normal_kl, hg_normal_kl(x[0], x[1]))                                    \
    DO(normal_kl_between, hg_normal_kl_between(x[0], x[1], x[2], x[3]))        \
    DO(mse_loss, nn_mse_loss(x[0], x[1], reduction(a)))                        \
    DO(l1_loss, nn_l1_loss(x[0], x[1], reduction(a)))                          \
    DO(huber_loss, nn_huber_loss(x[0], x[1], number(a, "delta"),               \
                                 reduction(a)))                                \
    DO(bce_loss, nn_bce_loss(x[0], x[1], reduction(a)))                        \
    DO(bce_with_logits_loss,                                                   \
       nn_bce_with_logits_loss(x[0], x[1], reduction(a)))                      \
    DO(cross_entropy_loss, nn_cross_entropy_loss(x[0], x[1], reduction(a)))    \
    DO(gaussian_nll_loss,                                                      \
       nn_gaussian_nll_loss(x[0], x[1], x[2], reduction(a)))
/* clang-format on */

#define FUNCTION(name, ...)                                                    \
    static hg_tensor *call_##name(hg_tensor **x, int n, const json_t *a)       \
    {                                                                          \
        (void)n;                                                               \
        (void)a;                                                               \
        return __VA_ARGS__;                                                    \
    }
#define ROW(name, ...) {#name, call_##name},

CALLS(FUNCTION)

#define A                number(a, "a")
#define UNARY(n, ...)    FUNCTION(n, hg_##n(x[0]))
#define UNARY_A(n, ...)  FUNCTION(n, hg_##n(x[0], A))
#define UNARY_AB(n, ...) FUNCTION(n, hg_##n(x[0], A, number(a, "b")))
#define BINARY(n, ...)   FUNCTION(n, hg_##n(x[0], x[1]))
#define LINEAR           BINARY
#define COMPARE          BINARY
#define TERNARY(n, ...)  FUNCTION(n, hg_##n(x[0], x[1], x[2]))
#include "ops/pointwise.def"
#undef UNARY
#undef UNARY_A
#undef UNARY_AB
#undef BINARY
#undef TERNARY

#define UNARY    ROW
#define UNARY_A  ROW
#define UNARY_AB ROW
#define BINARY   ROW
#define TERNARY  ROW

static const struct {
    const char *name;
    operation call;
} table[] = {CALLS(ROW)
#include "ops/pointwise.def"
};

static operation find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name))
            return table[i].call;
    ck_abort_msg("the file has an operation that this test has not: %s", name);
}

#endif
