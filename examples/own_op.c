/* own_op.c - an operation from outside the library: one struct, checked by the
 * same gradient tests as the library's own. A function of one variable without
 * parameters is one line, HG_UNARY (ops/unary.h). */
#include <hourglass.h>

struct soft {
    double lambda;
};

static bool soft_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

/* Shrinks towards zero by lambda; NaN passes through. */
static void soft_cpu(const hg_kernel *k)
{
    hg_real l = (hg_real)((const struct soft *)k->attr)->lambda;
    for (int64_t i = 0; i < k->n; i++) {
        hg_real x = k->in[0][i];
        k->out[i] = x > l ? x - l : x < -l ? x + l : 0 * x;
    }
}

/* The slope is 1 where the result is not zero, else 0. */
static void soft_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *zero = hg_zeros(HG_SCALAR);
    dx[0] = hg_mul(g, hg_not_equal(z, zero));
}

static const hg_op soft_op = {
    .name = "soft_threshold",
    .arity = 1,
    .contiguous = true, /* the kernel sees rows without gaps */
    .shape = soft_shape,
    .attr_size = sizeof(struct soft),
    .cpu = soft_cpu,
    .backward = soft_backward,
    .reads = HG_READS_OUT, /* the rule needs z as it was, not x */
};

static hg_tensor *soft_threshold(hg_tensor *x, double lambda)
{
    return hg_apply(&soft_op, &(struct soft){lambda}, x);
}

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_tensor *x = hg_from((float[]){-2, -0.2f, 0.3f, 1}, "f4", HG_SHAPE(4));
    hg_print(stdout, soft_threshold(x, 0.5));
    hg_scope_close(s);

    /* To 2 % in float; linked with hourglass-f64, to one in a million. */
    bool ok =
        hg_check_op(ctx, &soft_op, &(struct soft){0.1}, &HG_SHAPE(3, 4), 1);
    printf("gradients: %s\n", ok ? "right" : hg_error());
    hg_context_free(ctx);
    return !ok;
}
