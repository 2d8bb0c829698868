/* test_random_shapes.c - every operation at random shapes, axes, windows and
 * views: in double its first and second derivatives against differences, in
 * float the fast kernels against the reference ones. */
#include "random_calls.h"

typedef struct {
    const char *name;
    void (*choose)(void);
    test_function *function;
} random_call;

/* x and the inputs after it, as the views that they are. */
#define FUNCTION(name, expression)                                             \
    static hg_tensor *f_##name(hg_tensor *const *in)                           \
    {                                                                          \
        hg_tensor *x = in[0], *y = in[1], *z = in[2], *t = in[3];              \
        (void)x, (void)y, (void)z, (void)t;                                    \
        return expression;                                                     \
    }

/* ---- Rows of pointwise.def ---------------------------------------------- */

static void choose_row(void)
{
    hg_shape s = some_shape_of(0, 4);
    if (s.rank && !draw(8))
        s.dim[draw((uint32_t)s.rank)] = 0;
    take(s, now.row->domain);
    if (now.row->inputs == 2)
        take(smaller(s), now.row->domain);
}

static hg_tensor *call_row(hg_tensor *const *in)
{
    return now.row->call(NULL, in, now.count);
}

/* ---- Reductions --------------------------------------------------------- */

static void choose_axes(int domain)
{
    hg_shape s = some_shape_of(1, 4);
    take(s, domain);
    now.axis = between(-s.rank, s.rank - 1);
    now.axes = (hg_axes){.keep = draw(2)};
    for (int d = 0; d < s.rank; d++)
        if (draw(2))
            now.axes.axis[now.axes.count++] = draw(2) ? d : d - s.rank;
    now.number =
        1 + draw((uint32_t)s.dim[now.axis < 0 ? now.axis + s.rank : now.axis]);
}

static void choose_reduction(void)
{
    choose_axes(ANYWHERE);
}

static void choose_apart(void)
{
    choose_axes(APART);
}

FUNCTION(sum, hg_square(hg_sum(x, now.axes)))
FUNCTION(mean, hg_square(hg_mean(x, now.axes)))
FUNCTION(var, hg_var(x, now.axes, 0))
FUNCTION(max, hg_square(hg_max(x, now.axes)))
FUNCTION(min, hg_square(hg_min(x, now.axes)))
FUNCTION(logsumexp, hg_logsumexp(x, now.axes))
FUNCTION(norm_1, hg_square(hg_norm(x, 1, now.axes)))
FUNCTION(norm_2, hg_norm(x, 2, now.axes))
FUNCTION(norm_3, hg_norm(x, 3, now.axes))
FUNCTION(norm_inf, hg_square(hg_norm(x, INFINITY, now.axes)))
FUNCTION(softmax, hg_softmax(x, now.axis))
FUNCTION(log_softmax, hg_log_softmax(x, now.axis))
FUNCTION(cumsum, hg_square(hg_cumsum(x, now.axis)))
FUNCTION(topk, hg_square(hg_topk(x, now.number, now.axis, NULL)))

/* ---- Shapes ------------------------------------------------------------- */

static void choose_factors(void)
{
    int64_t left = hg_shape_numel(now.in[0].seen);
    now.shape.rank = 0;
    while (now.shape.rank < 3) {
        int64_t size = between(1, 6);
        if (left % size)
            continue;
        now.shape.dim[now.shape.rank++] = size;
        left /= size;
    }
    now.shape.dim[now.shape.rank++] = -1;
}

static void choose_view(void)
{
    choose_axes(ANYWHERE);
    choose_factors();
    now.in[0].order = random_order(now.in[0].seen.rank);
    now.number = draw(3);
    now.other = draw(3);
}

static void choose_expand(void)
{
    now.shape = some_shape_of(0, 4);
    take(smaller(now.shape), ANYWHERE);
}

static void choose_sum_to(void)
{
    hg_shape s = some_shape_of(0, 4);
    take(s, ANYWHERE);
    now.shape = smaller(s);
}

/* Those of size 1 of a shape with one more. */
static hg_tensor *squeezed(hg_tensor *x)
{
    hg_tensor *more = hg_unsqueeze(x, now.axis);
    return more ? hg_mul(more, hg_unsqueeze(hg_squeeze(more, HG_OVER(now.axis)),
                                            now.axis))
                : NULL;
}

static int64_t size_along(const hg_tensor *x, int axis)
{
    return x->shape.dim[axis < 0 ? axis + x->shape.rank : axis];
}

static hg_tensor *part_of(hg_tensor *x)
{
    int64_t n = size_along(x, now.axis), start = now.number % n;
    return hg_slice(x, now.axis, start, HG_END, 1 + now.other);
}

static hg_tensor *split(hg_tensor *x)
{
    int64_t n = size_along(x, now.axis);
    int parts = n % 3 ? n % 2 ? (int)(n < 16 ? n : 1) : 2 : 3;
    hg_tensor *out[16];
    return hg_split(x, now.axis, parts, out) ? hg_mul(out[0], out[parts - 1])
                                             : NULL;
}

FUNCTION(reshape, hg_square(hg_reshape(x, now.shape)))
FUNCTION(permute, hg_square(hg_permute(x, now.in[0].order)))
FUNCTION(transpose, hg_square(x->shape.rank > 1 ? hg_transpose(x) : x))
FUNCTION(expand, hg_square(hg_expand(x, now.shape)))
FUNCTION(sum_to, hg_square(hg_sum_to(x, now.shape)))
FUNCTION(squeeze, squeezed(x))
FUNCTION(slice, hg_square(part_of(x)))
FUNCTION(select, hg_square(hg_select(x, now.axis,
                                     now.number % size_along(x, now.axis))))
FUNCTION(pad, hg_square(hg_pad(x, now.axis, now.number, now.other)))
FUNCTION(flip, hg_mul(x, hg_flip(x, now.axes.count ? now.axes : HG_ALL)))
FUNCTION(split, split(x))

/* Three of which only the sizes along an axis differ, or none. */
static void choose_join(void)
{
    hg_shape s = some_shape_of(1, 4);
    now.axis = (int)draw((uint32_t)s.rank);
    for (int i = 0; i < 3; i++) {
        take(s, ANYWHERE);
        s.dim[now.axis] = between(1, 3);
    }
}

static void choose_stack(void)
{
    hg_shape s = some_shape_of(0, 4);
    now.axis = between(-s.rank - 1, s.rank);
    take(s, ANYWHERE);
    take(s, ANYWHERE);
}

FUNCTION(concat, hg_square(hg_concat(now.axis, x, y, z)))
FUNCTION(stack, hg_square(hg_stack(now.axis, x, hg_mul(x, y))))

/* ---- Indices ------------------------------------------------------------ */

static void choose_index(void)
{
    hg_shape s = some_shape_of(1, 4);
    take(s, ANYWHERE);
    now.axis = (int)draw((uint32_t)s.rank);
    now.number = between(1, 4);
    choose_places(now.number, s.dim[now.axis]);
}

static void choose_scatter(void)
{
    hg_shape s = some_shape_of(1, 4);
    take(s, ANYWHERE);
    now.axis = (int)draw((uint32_t)s.rank);
    now.number = between(1, 4);
    choose_places(s.dim[now.axis], now.number);
}

static void choose_along(void)
{
    hg_shape s = some_shape_of(1, 4);
    take(s, ANYWHERE);
    now.axis = (int)draw((uint32_t)s.rank);
    now.number = s.dim[now.axis];
    choose_places(hg_shape_numel(s), now.number);
}

FUNCTION(index_select,
         hg_square(hg_index_select(x, now.axis, places(HG_SHAPE(now.number)))))
FUNCTION(scatter_add,
         hg_square(hg_scatter_add(x, now.axis,
                                  places(HG_SHAPE(size_along(x, now.axis))),
                                  now.number)))
FUNCTION(take_along, hg_square(hg_take_along(x, now.axis, places(x->shape))))
FUNCTION(add_along,
         hg_square(hg_add_along(x, now.axis, places(x->shape), now.number)))

#include "random_calls_dense.h"

/* ---- All of them -------------------------------------------------------- */

#define CALL(name, choose) {#name, choose, f_##name},

static const random_call calls[] = {
    /* clang-format off */
    CALL(sum, choose_reduction)
    CALL(mean, choose_reduction)
    CALL(var, choose_reduction)
    CALL(max, choose_apart)
    CALL(min, choose_apart)
    CALL(logsumexp, choose_reduction)
    CALL(norm_1, choose_apart)
    CALL(norm_2, choose_apart)
    CALL(norm_3, choose_apart)
    CALL(norm_inf, choose_apart)
    CALL(softmax, choose_reduction)
    CALL(log_softmax, choose_reduction)
    CALL(cumsum, choose_reduction)
    CALL(topk, choose_apart)
    CALL(reshape, choose_view)
    CALL(permute, choose_view)
    CALL(transpose, choose_view)
    CALL(expand, choose_expand)
    CALL(sum_to, choose_sum_to)
    CALL(squeeze, choose_reduction)
    CALL(slice, choose_view)
    CALL(select, choose_view)
    CALL(pad, choose_view)
    CALL(flip, choose_view)
    CALL(split, choose_view)
    CALL(concat, choose_join)
    CALL(stack, choose_stack)
    CALL(index_select, choose_index)
    CALL(scatter_add, choose_scatter)
    CALL(take_along, choose_along)
    CALL(add_along, choose_along)
    DENSE_CALLS
    /* clang-format on */
};

enum { CALLS = sizeof calls / sizeof *calls, TRIALS = 20 };

/* The trial that this number stands for, whatever ran before. */
static void begin_trial(const random_call *c, int number)
{
    test_random_state = (uint32_t)hg_hash_text(c->name) + (uint32_t)number * 77;
    now.count = 0;
    now.number = number;
    c->choose();
    for (int i = 0; i < now.count; i++)
        fill(&now.in[i], i);
}

static hg_tensor *call_seen(test_function *f, hg_tensor *const *in)
{
    hg_tensor *seen[MOST_INPUTS] = {NULL};
    for (int i = 0; i < now.count; i++)
        if (!(seen[i] = view_of(&now.in[i], in[i])))
            return NULL;
    return f(seen);
}

static const char *description(const char *name, int trial)
{
    static char text[512];
    int n = snprintf(text, sizeof text, "%s, trial %d:", name, trial);
    for (int i = 0; i < now.count; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %s%s",
                      HG_SHAPE_TEXT(now.in[i].seen),
                      (const char *const[]){"", " permuted", " sliced",
                                            " expanded"}[now.in[i].kind]);
    return text;
}

#ifdef HG_DOUBLE

static hg_tensor *checked(void *user, hg_tensor *const *in, int count)
{
    (void)count;
    return call_seen(((const random_call *)user)->function, in);
}

/* First and second derivatives, in every input. */
static void try_call(const random_call *c, int trial)
{
    const hg_real *values[MOST_INPUTS];
    hg_shape shapes[MOST_INPUTS];
    begin_trial(c, trial);
    for (int i = 0; i < now.count; i++) {
        values[i] = now.in[i].value;
        shapes[i] = now.in[i].made;
    }
    bool ok =
        hg_check_function(ctx, checked, (void *)(uintptr_t)c, values, shapes,
                          now.count, (hg_check_options){.second = true});
    ck_assert_msg(ok, "%s: %s", description(c->name, trial), hg_error());
}

#else

/* Output and all gradients, which by the reference kernels are `right`. */
static void compare_kernels(const random_call *c, int trial, hg_tensor **right)
{
    hg_tensor *in[MOST_INPUTS] = {NULL}, *got[MOST_INPUTS + 1];
    for (int i = 0; i < now.count; i++)
        in[i] = hg_watch(hg_from(now.in[i].value, REALS, now.in[i].made));
    ctx->draws = 7;
    got[0] = call_seen(c->function, in);
    ck_assert_msg(got[0] != NULL, "%s: %s", description(c->name, trial),
                  hg_error());
    test_random_state = 99;
    hg_tensor *v = uniform(got[0]->shape);
    for (int i = 0; i < now.count; i++)
        got[i + 1] = hg_grad_or_none(got[0], in[i], v);
    ck_assert_msg(!hg_error(), "%s: %s", description(c->name, trial),
                  hg_error());
    for (int i = 0; i <= now.count; i++)
        if (!right[i])
            right[i] = got[i];
        else
            expect_same(got[i], right[i], 2e-4);
}

static void try_call(const random_call *c, int trial)
{
    int best = ctx->isa;
    hg_tensor *right[MOST_INPUTS + 1] = {NULL};
    begin_trial(c, trial);
    hg_context_set_reference(ctx, true);
    compare_kernels(c, trial, right);
    hg_context_set_reference(ctx, false);
    for (ctx->isa = 0; ctx->isa <= best; ctx->isa++)
        compare_kernels(c, trial, right);
    ctx->isa = best;
}

#endif

static void try_often(const random_call *c)
{
    for (int trial = 0; trial < TRIALS; trial++) {
        hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
        try_call(c, trial);
        hg_scope_close(s);
    }
}

START_TEST(pointwise_rows_are_right_at_random_shapes)
{
    for (int i = 0; i < ROWS; i++) {
        random_call c = {rows[i].name, choose_row, call_row};
        now.row = &rows[i];
        try_often(&c);
    }
}
END_TEST

START_TEST(operations_are_right_at_random_shapes)
{
    for (int i = 0; i < CALLS; i++)
        try_often(&calls[i]);
}
END_TEST

TEST_MAIN("random shapes", pointwise_rows_are_right_at_random_shapes,
          operations_are_right_at_random_shapes)
