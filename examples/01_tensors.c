/* 01_tensors.c - making tensors, shapes, broadcasting, and who owns them. */
#include <hourglass.h>

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);

    /* A tensor belongs to the scope that is open; nothing is freed by hand. */
    hg_tensor *a = hg_from((float[]){1, 2, 3, 4, 5, 6}, "f4", HG_SHAPE(2, 3));
    hg_print(stdout, a);

    /* Sizes that are 1 or missing stretch: [2, 3] + [3]. */
    hg_tensor *row = hg_from((float[]){10, 20, 30}, "f4", HG_SHAPE(3));
    hg_print(stdout, hg_add(a, row));

    /* Axes are named one by one, kept, or from one on. */
    hg_print(stdout, hg_sum(a, HG_OVER(0)));
    hg_print(stdout, hg_mean(a, HG_KEEP(1)));
    hg_print(stdout, hg_sum(a, HG_ALL));

    /* A transpose is a view: no number is copied. */
    hg_print(stdout, hg_matmul(a, hg_transpose(a)));

    /* A mistake is a sentence. It sticks until it is cleared. */
    if (!hg_matmul(a, a))
        printf("%s\n", hg_error());
    hg_error_clear();

    hg_scope_close(s);
    hg_context_free(ctx);
    return hg_error() != NULL;
}
