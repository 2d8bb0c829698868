/* 03_fit.c - a straight line through noisy points by gradient descent. */
#include <hourglass.h>

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = hg_param(p, "w", HG_SCALAR, HG_INIT(HG_INIT_ZEROS));
    hg_tensor *b = hg_param(p, "b", HG_SCALAR, HG_INIT(HG_INIT_ZEROS));
    hg_optimizer *sgd = hg_sgd(p, "sgd", (hg_sgd_options){.rate = 0.1});

    for (int step = 0; step <= 400; step++) {
        hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
        hg_tensor *x = hg_randn(HG_SHAPE(64));
        hg_tensor *noise = hg_randn(HG_SHAPE(64));
        hg_tensor *y = hg_shift(hg_scale(x, 3), -1); /* the truth: 3 x - 1 */
        y = hg_add(y, hg_scale(noise, 0.1));

        hg_tensor *guess = hg_add(hg_mul(w, x), b);
        hg_tensor *loss = hg_mean(hg_square(hg_sub(guess, y)), HG_ALL);
        if (step % 100 == 0)
            printf("step %3d  w %5.2f  b %5.2f\n", step, (double)hg_item(w),
                   (double)hg_item(b));
        /* Clears the gradients of w and b, runs hg_backward, and then w becomes
         * w - rate * gradient, b likewise. */
        if (!hg_minimize(loss, sgd))
            return fprintf(stderr, "%s\n", hg_error()), 1;
        hg_scope_close(s);
    }
    hg_context_free(ctx);
    return 0;
}
