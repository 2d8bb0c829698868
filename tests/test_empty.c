/* test_empty.c - sizes of zero are legal: every operation that means something
 * for them passes forward and backward. */
#include "ops_fixture.h"

/* The gradients of what was made from nothing: empty too, or zeros. */
static void expect_passes(const char *what, hg_tensor *y, hg_tensor *x)
{
    ck_assert_msg(y != NULL, "%s: %s", what, hg_error());
    ck_assert_msg(hg_backward(total(y)), "%s: %s", what, hg_error());
    ck_assert_msg(x->grad != NULL, "%s: no gradient", what);
    ck_assert_str_eq(HG_SHAPE_TEXT(x->grad->shape), HG_SHAPE_TEXT(x->shape));
    hg_tensor *g = hg_grad(y, x, NULL);
    ck_assert_msg(g != NULL, "%s: %s", what, hg_error());
    ck_assert_msg(!hg_error(), "%s: %s", what, hg_error());
    hg_clear_gradient(x);
}

#define passes(y) expect_passes(#y, y, x)

START_TEST(operations_on_rows_take_none)
{
    hg_tensor *x = hg_watch(hg_zeros(HG_SHAPE(0, 3)));
    hg_tensor *row = hg_ones(HG_SHAPE(3)), *none = hg_arange(0);
    passes(hg_mul(hg_exp(x), row));
    passes(hg_maximum(x, row));
    passes(hg_where(x, x, row));
    passes(hg_sum(x, HG_OVER(0)));
    passes(hg_mean(x, HG_OVER(1)));
    passes(hg_max(x, HG_OVER(1)));
    passes(hg_logsumexp(x, HG_KEEP(1)));
    passes(hg_norm(x, 2, HG_ALL));
    passes(hg_cumsum(x, 0));
    passes(hg_topk(x, 2, 1, NULL));
    passes(hg_softmax(x, 0));
    passes(hg_log_softmax(x, 1));
    passes(hg_reshape(x, HG_SHAPE(3, 0, 2)));
    passes(hg_transpose(x));
    passes(hg_expand(hg_unsqueeze(x, 0), HG_SHAPE(4, 0, 3)));
    passes(hg_sum_to(x, HG_SHAPE(1, 3)));
    passes(hg_slice(x, 1, 0, HG_END, 2));
    passes(hg_pad(x, 0, 1, 2));
    passes(hg_flip(x, HG_ALL));
    passes(hg_concat(0, x, hg_ones(HG_SHAPE(2, 3)), x));
    passes(hg_stack(1, x, x));
    passes(hg_index_select(x, 0, none));
    passes(hg_scatter_add(x, 0, none, 4));
    passes(hg_take_along(x, 1, hg_int_of(hg_zeros(HG_SHAPE(0, 1)))));
    passes(hg_add_along(x, 1, hg_int_of(x), 2));
    passes(hg_matmul(x, hg_ones(HG_SHAPE(3, 2))));
    passes(hg_matmul(hg_transpose(x), x));
    passes(hg_linear(x, hg_ones(HG_SHAPE(2, 3)), hg_ones(HG_SHAPE(2))));
    passes(hg_cdist_squared(x, hg_ones(HG_SHAPE(2, 3))));
    passes(hg_layer_norm(x, row, row, 1e-5));
    passes(hg_dropout(x, 0.5));
    passes(hg_normal_sample(x, row));
}
END_TEST

START_TEST(operations_on_images_take_none)
{
    hg_conv_options window = {.stride = 2, .padding = 1};
    hg_pool_options pool = {.kernel = 2};
    hg_tensor *x = hg_watch(hg_zeros(HG_SHAPE(0, 2, 4, 4)));
    hg_tensor *w = hg_watch(hg_ones(HG_SHAPE(2, 2, 3, 3)));
    passes(hg_conv2d(x, w, hg_ones(HG_SHAPE(2)), window));
    passes(hg_conv_transpose2d(x, w, NULL, window));
    passes(hg_unfold(x, 2, 2, window));
    passes(hg_fold(hg_reshape(x, HG_SHAPE(0, 8, 4)), 3, 3, 2, 2,
                   (hg_conv_options){0}));
    passes(hg_max_pool2d(x, pool));
    passes(hg_avg_pool2d(x, pool));
    passes(hg_upsample(x, 2, HG_NEAREST));
    passes(hg_resize(x, 3, 5, HG_BILINEAR));
    passes(hg_group_norm(x, 2, NULL, NULL, 1e-5));
    hg_clear_gradient(w);
    expect_ok(hg_backward(total(hg_conv2d(x, w, NULL, window))));
    ck_assert(hg_item(hg_norm(w->grad, 1, HG_ALL)) == 0);
}
END_TEST

#define LOSSES(check, x, y, labels, how)                                       \
    do {                                                                       \
        check(nn_mse_loss(x, y, how));                                         \
        check(nn_l1_loss(x, y, how));                                          \
        check(nn_huber_loss(x, y, 1, how));                                    \
        check(nn_bce_loss(x, y, how));                                         \
        check(nn_bce_with_logits_loss(x, y, how));                             \
        check(nn_cross_entropy_loss(x, labels, how));                          \
        check(nn_gaussian_nll_loss(x, y, y, how));                             \
    } while (0)

START_TEST(densities_and_losses_take_none)
{
    hg_tensor *x = hg_watch(hg_zeros(HG_SHAPE(0, 3)));
    hg_tensor *one = scalar(1), *none = hg_arange(0);
    passes(hg_normal_logpdf(x, one, one));
    passes(hg_laplace_logpdf(x, one, one));
    passes(hg_logistic_logpdf(x, one, one));
    passes(hg_student_t_logpdf(x, one, one, one));
    passes(hg_mixture_logpdf(hg_log_softmax(x, 1), x, 1));
    passes(hg_bernoulli_logpmf(one, x));
    passes(hg_categorical_logpmf(none, x));
    passes(hg_normal_kl(x, one));
    passes(hg_normal_kl_between(x, one, one, one));
    LOSSES(passes, x, one, none, HG_SUM);
}
END_TEST

#define refuses(call)                                                          \
    do {                                                                       \
        ck_assert_msg(!(call), "%s", #call);                                   \
        expect_error(SHAPE, "mean over nothing", "HG_SUM");                    \
    } while (0)

START_TEST(every_mean_loss_over_nothing_is_an_error)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(0, 3)), *none = hg_arange(0);
    LOSSES(refuses, x, x, none, HG_MEAN);
}
END_TEST

TEST_MAIN("empty", operations_on_rows_take_none, operations_on_images_take_none,
          densities_and_losses_take_none,
          every_mean_loss_over_nothing_is_an_error)
