/* 02_gradients.c - the tape, gradients, and gradients of gradients. */
#include <hourglass.h>

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_scope *s = hg_scope_open(ctx, HG_TRAIN);

    /* y = x^3 at x = 2: the tape holds what was computed, in order. */
    hg_tensor *x = hg_watch(hg_full(HG_SCALAR, 2));
    hg_tensor *y = hg_mul(hg_mul(x, x), x);
    bool ok = hg_tape_write(stdout, HG_TEXT);

    /* hg_grad gives 3 x^2 as a tensor that is itself on the tape ... */
    hg_tensor *slope = hg_grad(y, x, NULL);
    printf("dy/dx   = %g\n", (double)hg_item(slope));
    /* ... so that it can be differentiated again: 6 x. */
    printf("d2y/dx2 = %g\n", (double)hg_item(hg_grad(slope, x, NULL)));

    /* hg_backward adds into x->grad, as training does. */
    ok = ok && hg_backward(y);
    printf("x->grad = %g\n", (double)hg_item(x->grad));

    /* The same loss cannot be used twice: its tape is spent. */
    if (!hg_backward(y))
        printf("%s\n", hg_error());
    hg_error_clear();

    hg_scope_close(s);
    hg_context_free(ctx);
    return !ok;
}
