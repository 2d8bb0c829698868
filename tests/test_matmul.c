/* test_matmul.c - products of matrices, batches and vectors, fully connected
 * layers; against plain loops, across kernels, threads and layouts. */
#include "ops_fixture.h"
#include "ops/gemm.h"
#include "ops/onednn.h"
#include "tensor/cpu.h"

/* Where the matrix of these leading indices begins in dense values of t, whose
 * leading axes are broadcast to those of a result of rank rc. */
static int64_t matrix_at(const hg_tensor *t, const int64_t *at, int rc)
{
    int r = t->shape.rank;
    int64_t i = 0;
    for (int d = 0; d < r - 2; d++)
        i = i * t->shape.dim[d] + (t->shape.dim[d] == 1 ? 0 : at[rc - r + d]);
    return i * t->shape.dim[r - 2] * t->shape.dim[r - 1];
}

/* c[..., m, n] against the sum of products, with broadcast leading axes. */
static void expect_product(const hg_tensor *a, const hg_tensor *b,
                           const hg_tensor *c)
{
    ck_assert_msg(c != NULL, "%s", hg_error());
    int rc = c->shape.rank;
    int64_t depth = a->shape.dim[a->shape.rank - 1], n = c->shape.dim[rc - 1];
    hg_real *x = values_of(a), *y = values_of(b), *z = values_of(c), *got = z;
    for_each_index(at, c->shape)
    {
        const hg_real *row = x + matrix_at(a, at, rc) + at[rc - 2] * depth;
        const hg_real *column = y + matrix_at(b, at, rc) + at[rc - 1];
        double sum = 0;
        for (int64_t l = 0; l < depth; l++)
            sum += (double)row[l] * (double)column[l * n];
        double error = fabs((double)*got - sum);
        ck_assert_msg(error <= CLOSE * (1 + sqrt((double)depth)),
                      "%s by %s: %.9g is not %.9g", HG_SHAPE_TEXT(a->shape),
                      HG_SHAPE_TEXT(b->shape), (double)*got, sum);
        got++;
    }
    free(x), free(y), free(z);
}

START_TEST(a_product_of_small_matrices_is_what_one_computes_by_hand)
{
    hg_tensor *a = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    hg_tensor *b = tensor((3, 2), 1, 0, -1, 2, 0.5, 1);
    expect_values(hg_matmul(a, b), 0.5, 7, 2, 16);
    expect_values(hg_matmul(a, vector(1, 1, 2)), 9, 21);
    expect_values(hg_matmul(vector(1, 2), a), 9, 12, 15);
    hg_tensor *dot = hg_matmul(vector(1, 2, 3), vector(4, 5, 6));
    ck_assert_int_eq(dot->shape.rank, 0);
    expect_values(dot, 32);
}
END_TEST

START_TEST(products_of_random_layouts_agree_with_plain_loops)
{
    for (int i = 0; i < 120; i++) {
        int64_t m = draw(40), k = draw(40), n = draw(70);
        hg_tensor *a = i & 1 ? uniform(HG_SHAPE(m, k))
                             : hg_transpose(uniform(HG_SHAPE(k, m)));
        hg_tensor *b = i & 2 ? uniform(HG_SHAPE(k, n))
                             : hg_transpose(uniform(HG_SHAPE(n, k)));
        if (i % 5 == 0)
            a = hg_slice(uniform(HG_SHAPE(2 * m, 3 * k + 1)), 0, 0, HG_END, 2);
        if (i % 5 == 0)
            a = hg_slice(a, 1, 1, HG_END, 3);
        expect_product(a, b, hg_matmul(a, b));
    }
}
END_TEST

START_TEST(leading_axes_broadcast)
{
    hg_tensor *a = uniform(HG_SHAPE(2, 1, 4, 5));
    hg_tensor *b = uniform(HG_SHAPE(3, 5, 6)), *w = uniform(HG_SHAPE(5, 6));
    expect_product(a, b, hg_matmul(a, b));
    expect_product(a, w, hg_matmul(a, w));
    hg_tensor *v = uniform(HG_SHAPE(6, 4));
    expect_product(v, a, hg_matmul(v, a));
}
END_TEST

START_TEST(products_across_blocks_of_every_kernel_agree_with_the_reference)
{
    static const int64_t sizes[][3] = {
        {33, 2100, 70}, {14, 1025, 32}, {15, 300, 257},  {100, 513, 129},
        {1, 40, 1000},  {300, 17, 1},   {127, 1024, 33}, {3, 1, 3}};
    int best = on_cpu() ? ctx->isa : 0;
    /* In every layout; an emulated device, which is slow, has one of each. */
    for (int i = 0; i < 8 * 4; i += on_cpu() ? 1 : 5) {
        int64_t m = sizes[i / 4][0], k = sizes[i / 4][1], n = sizes[i / 4][2];
        hg_tensor *a = i & 1 ? uniform(HG_SHAPE(m, k))
                             : hg_transpose(uniform(HG_SHAPE(k, m)));
        hg_tensor *w = i & 2 ? uniform(HG_SHAPE(n, k))
                             : hg_transpose(uniform(HG_SHAPE(k, n)));
        hg_tensor *bias = uniform(HG_SHAPE(n));
        hg_context_set_reference(ctx, true);
        hg_tensor *plain = hg_linear(a, w, bias);
        hg_context_set_reference(ctx, false);
        for (ctx->isa = 0; ctx->isa <= best; ctx->isa++) {
            hg_tensor *fast = hg_linear(a, w, bias);
            expect_same(fast, plain, CLOSE * 30);
        }
        ctx->isa = best;
    }
}
END_TEST

START_TEST(products_do_not_depend_on_the_number_of_threads)
{
    if (!on_cpu())
        skip_test("its kernels have no threads of the CPU");
    static const int64_t sizes[][3] = {
        {32, 784, 256}, {200, 300, 500}, {96, 64, 96}, {20, 33, 2000}};
    for (int i = 0; i < 8; i++) {
        const int64_t *s = sizes[i / 2];
        hg_tensor *a = uniform(HG_SHAPE(s[0], s[1]));
        hg_tensor *b = i & 1 ? uniform(HG_SHAPE(s[1], s[2]))
                             : hg_transpose(uniform(HG_SHAPE(s[2], s[1])));
        hg_context_set_threads(ctx, 1);
        hg_tensor *one = hg_matmul(a, b);
        for (int threads = 2; threads < 6; threads++) {
            hg_context_set_threads(ctx, threads);
            ck_assert(same_bits(one, hg_matmul(a, b)));
        }
    }
}
END_TEST

/* Some elements of a [..., m, k] by b [..., k, n] + bias against plain loops.
 */
static void expect_some(const hg_tensor *a, const hg_tensor *b,
                        const hg_tensor *bias, const hg_tensor *c)
{
    ck_assert_msg(c != NULL, "%s", hg_error());
    int last = c->shape.rank - 1;
    int64_t depth = a->shape.dim[last], at[HG_MAX_RANK] = {0};
    for (int round = 0; round < 300; round++) {
        for (int d = 0; d <= last; d++)
            at[d] = draw((uint32_t)c->shape.dim[d]);
        int64_t ia[HG_MAX_RANK], ib[HG_MAX_RANK];
        memcpy(ia, at, sizeof at);
        memcpy(ib, at, sizeof at);
        double sum = bias ? value_at(bias, &at[last]) : 0;
        for (int64_t l = 0; l < depth; l++) {
            ia[last] = ib[last - 1] = l;
            sum += value_at(a, ia) * value_at(b, ib);
        }
        ck_assert_double_eq_tol(value_at(c, at), sum,
                                CLOSE * (1 + sqrt((double)depth)));
    }
}

START_TEST(large_products_have_the_right_elements)
{
    hg_tensor *x = uniform(HG_SHAPE(401, 17)), *w = uniform(HG_SHAPE(350, 17));
    hg_tensor *bias = uniform(HG_SHAPE(350));
    expect_some(x, hg_transpose(w), bias, hg_linear(x, w, bias));
    hg_tensor *a = uniform(HG_SHAPE(3, 260, 20));
    hg_tensor *b = uniform(HG_SHAPE(3, 20, 200));
    expect_some(a, b, NULL, hg_matmul(a, b));
    hg_axes swapped = HG_OVER(1, 0, 2, 3);
    a = hg_permute(uniform(HG_SHAPE(2, 3, 310, 5)), swapped);
    b = uniform(HG_SHAPE(3, 2, 5, 300));
    expect_some(a, b, NULL, hg_matmul(a, b));
    a = uniform(HG_SHAPE(2, 3, 5000));
    b = uniform(HG_SHAPE(2, 5000, 4));
    expect_some(a, b, NULL, hg_matmul(a, b));
}
END_TEST

/* On a GPU tf32 and bf16 multiply with fewer bits; a CPU refuses. */
START_TEST(faster_products_are_asked_for_by_name)
{
    hg_tensor *a = uniform(HG_SHAPE(33, 20)), *b = uniform(HG_SHAPE(20, 41));
    hg_tensor *plain = hg_matmul(a, b);
    for (hg_precision p = HG_TF32; p <= HG_BF16; p++) {
        bool taken = hg_context_set_precision(ctx, p);
        ck_assert_int_eq(taken, !on_cpu());
        if (!taken)
            expect_error(DEVICE, p == HG_TF32 ? "tf32" : "bf16", "use fp32");
        expect_same(hg_matmul(a, b), plain, 0.1);
    }
    expect_ok(hg_context_set_precision(ctx, HG_FP32));
    expect_same(hg_matmul(a, b), plain, 0);
}
END_TEST

START_TEST(large_products_by_onednn_agree_with_our_own)
{
    if (!on_cpu())
        skip_test("oneDNN multiplies on the CPU");
    hg_tensor *a = uniform(HG_SHAPE(700, 640));
    hg_tensor *b = uniform(HG_SHAPE(640, 700));
    hg_tensor *ta = hg_transpose(uniform(HG_SHAPE(640, 700)));
    hg_tensor *tb = hg_transpose(uniform(HG_SHAPE(700, 640)));
    for (int i = 0; i < 4; i++) {
        hg_tensor *x = i & 1 ? ta : a, *y = i & 2 ? tb : b;
        hg_tensor *rows = hg_matmul(hg_slice(x, 0, 5, 9, 1), y);
        hg_tensor *all = hg_matmul(x, y);
        expect_same(hg_slice(all, 0, 5, 9, 1), rows, 1e-4);
    }
    char version[32];
    const char *name = hg_onednn_version(version);
    ck_assert(!name || strchr(name, '.'));
}
END_TEST

START_TEST(nothing_times_something_is_zeros_or_nothing)
{
    hg_tensor *z =
        hg_matmul(hg_zeros(HG_SHAPE(2, 0)), hg_zeros(HG_SHAPE(0, 3)));
    expect_values(z, 0, 0, 0, 0, 0, 0);
    hg_tensor *bias = hg_linear(hg_zeros(HG_SHAPE(2, 0)),
                                hg_zeros(HG_SHAPE(3, 0)), vector(1, 2, 3));
    expect_values(bias, 1, 2, 3, 1, 2, 3);
    ck_assert_int_eq(
        hg_numel(hg_matmul(hg_zeros(HG_SHAPE(0, 4)), hg_zeros(HG_SHAPE(4, 3)))),
        0);
    ck_assert_int_eq(hg_numel(hg_matmul(hg_zeros(HG_SHAPE(0, 2, 4)),
                                        hg_zeros(HG_SHAPE(4, 3)))),
                     0);
    expect_no_error();
}
END_TEST

START_TEST(nan_and_infinity_pass_through_products)
{
    hg_real inf = INFINITY, nan = NAN;
    expect_values(
        hg_matmul(tensor((2, 2), nan, 1, 0, 1), tensor((2, 2), 0, 1, 1, inf)),
        NAN, NAN, 1, INFINITY);
    expect_values(hg_matmul(tensor((1, 2), 0, 1), tensor((2, 1), inf, 1)), NAN);
}
END_TEST

START_TEST(linear_is_x_times_the_transposed_weight_plus_bias)
{
    for (int i = 0; i < 30; i++) {
        int64_t in = 1 + draw(50), out = 1 + draw(50), n = draw(40);
        hg_tensor *x = uniform(HG_SHAPE(n, in)),
                  *w = uniform(HG_SHAPE(out, in));
        hg_tensor *b = uniform(HG_SHAPE(out));
        hg_tensor *z = hg_linear(x, w, b);
        expect_same(z, hg_add(hg_matmul(x, hg_transpose(w)), b), CLOSE * 10);
        expect_same(hg_linear(x, w, NULL), hg_matmul(x, hg_transpose(w)),
                    CLOSE * 10);
    }
    hg_tensor *x = uniform(HG_SHAPE(2, 3, 4)), *w = uniform(HG_SHAPE(5, 4));
    expect_same(hg_linear(x, w, NULL), hg_matmul(x, hg_transpose(w)), CLOSE);
    hg_tensor *turned = hg_permute(x, HG_OVER(1, 0, 2));
    expect_same(hg_linear(turned, w, NULL), hg_matmul(turned, hg_transpose(w)),
                CLOSE);
    expect_shape(hg_linear(uniform(HG_SHAPE(4)), w, NULL), 5);
}
END_TEST

static hg_tensor *matmul_of(hg_tensor *const *in)
{
    return hg_matmul(in[0], in[1]);
}

static hg_tensor *linear_of(hg_tensor *const *in)
{
    return hg_linear(in[0], in[1], in[2]);
}

static hg_tensor *linear_without_bias(hg_tensor *const *in)
{
    return hg_linear(in[0], in[1], NULL);
}

static hg_tensor *tied(hg_tensor *const *in)
{
    hg_tensor *code = hg_linear(in[0], in[1], NULL);
    return hg_linear(code, hg_transpose(in[1]), NULL);
}

static hg_tensor *gram(hg_tensor *const *in)
{
    return hg_matmul(in[0], hg_transpose(in[0]));
}

START_TEST(gradients_of_products_are_right_twice)
{
    check_gradients(matmul_of, HG_SHAPE(3, 4), HG_SHAPE(4, 2));
    check_gradients(matmul_of, HG_SHAPE(2, 3, 4), HG_SHAPE(2, 4, 2));
    check_gradients(matmul_of, HG_SHAPE(4), HG_SHAPE(4));
    check_gradients(gram, HG_SHAPE(3, 4));
    check_gradients(linear_without_bias, HG_SHAPE(3, 4), HG_SHAPE(2, 4));
}
END_TEST

static void check_once(test_function *f, const char *name, hg_shape x,
                       hg_shape y, hg_shape z)
{
    static hg_real value[3][256];
    const hg_real *values[3] = {value[0], value[1], value[2]};
    hg_shape shapes[3] = {x, y, z};
    int count = z.rank ? 3 : 2;
    if (sizeof(hg_real) != sizeof(double))
        return;
    for (int i = 0; i < count; i++)
        fill_apart(value[i], hg_shape_numel(shapes[i]), i + 1);
    test_call c = {f, false};
    bool ok = hg_check_function(ctx, call, &c, values, shapes, count,
                                (hg_check_options){.second = true});
    ck_assert_msg(ok, "%s: %s", name, hg_error());
}

START_TEST(gradients_of_broadcast_products_and_layers_are_right_twice)
{
    check_once(matmul_of, "broadcast", HG_SHAPE(2, 1, 3, 4), HG_SHAPE(3, 4, 2),
               HG_SCALAR);
    check_once(matmul_of, "one matrix", HG_SHAPE(2, 3, 4), HG_SHAPE(4, 2),
               HG_SCALAR);
    check_once(matmul_of, "matrix by vector", HG_SHAPE(3, 4), HG_SHAPE(4),
               HG_SCALAR);
    check_once(matmul_of, "vector by matrix", HG_SHAPE(3), HG_SHAPE(3, 4),
               HG_SCALAR);
    check_once(linear_of, "linear", HG_SHAPE(3, 4), HG_SHAPE(2, 4),
               HG_SHAPE(2));
    check_once(linear_of, "linear of rank 3", HG_SHAPE(2, 3, 4), HG_SHAPE(2, 4),
               HG_SHAPE(2));
    check_once(tied, "tied weights", HG_SHAPE(3, 4), HG_SHAPE(2, 4), HG_SCALAR);
}
END_TEST

START_TEST(the_gradient_of_a_transposed_operand_is_not_copied)
{
    hg_tensor *x = uniform(HG_SHAPE(4, 3));
    hg_tensor *w = hg_watch(uniform(HG_SHAPE(5, 3)));
    hg_tensor *z = hg_matmul(x, hg_transpose(w));
    hg_tensor *g = hg_grad(z, w, NULL);
    ck_assert_msg(g != NULL, "%s", hg_error());
    ck_assert(hg_is_contiguous(g));
    expect_same(g, hg_expand(hg_sum(x, HG_KEEP(0)), HG_SHAPE(5, 3)), CLOSE);
}
END_TEST

START_TEST(matmul_of_mismatched_shapes_reports_both_shapes)
{
    hg_tensor *a = hg_zeros(HG_SHAPE(2, 3)), *b = hg_zeros(HG_SHAPE(4, 3));
    ck_assert_ptr_null(hg_matmul(a, b));
    expect_error(SHAPE, "matmul", "[2, 3]", "[4, 3]", "hg_transpose");
    ck_assert_ptr_null(hg_matmul(a, hg_zeros(HG_SHAPE(2))));
    expect_error(SHAPE, "matmul", "[2, 3]", "[2]");
    ck_assert_ptr_null(hg_matmul(a, scalar(1)));
    expect_error(SHAPE, "scalar", "hg_mul");
    ck_assert_ptr_null(
        hg_matmul(hg_zeros(HG_SHAPE(2, 2, 3)), hg_zeros(HG_SHAPE(3, 3, 2))));
    expect_error(SHAPE, "matmul", "broadcast");
    ck_assert_ptr_null(hg_matmul(a, NULL));
    expect_error(ARGUMENT, "matmul", "NULL");
}
END_TEST

/* Its axis of size 1 has a stride that says nothing. */
START_TEST(linear_of_permuted_batches_of_one_reads_the_right_rows)
{
    hg_tensor *x = hg_reshape(hg_real_of(hg_arange(12)), HG_SHAPE(1, 4, 3));
    hg_tensor *w = hg_ones(HG_SHAPE(1, 3));
    hg_tensor *y = hg_linear(hg_permute(x, HG_OVER(1, 0, 2)), w, NULL);
    expect_values(hg_reshape(y, HG_SHAPE(4)), 3, 12, 21, 30);
}
END_TEST

START_TEST(linear_of_mismatched_shapes_reports_weight_and_bias)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 3));
    ck_assert_ptr_null(hg_linear(x, hg_zeros(HG_SHAPE(3, 4)), NULL));
    expect_error(SHAPE, "linear", "[2, 3]", "[3, 4]",
                 "is the weight transposed, or x the layer's output already?");
    ck_assert_ptr_null(
        hg_linear(x, hg_zeros(HG_SHAPE(4, 3)), hg_zeros(HG_SHAPE(3))));
    expect_error(SHAPE, "linear", "bias [3]", "[4, 3]", "[4]");
    ck_assert_ptr_null(hg_linear(x, NULL, NULL));
    expect_error(ARGUMENT, "linear", "NULL");
}
END_TEST

TEST_MAIN("matmul", a_product_of_small_matrices_is_what_one_computes_by_hand,
          products_of_random_layouts_agree_with_plain_loops,
          leading_axes_broadcast,
          products_across_blocks_of_every_kernel_agree_with_the_reference,
          products_do_not_depend_on_the_number_of_threads,
          large_products_have_the_right_elements,
          faster_products_are_asked_for_by_name,
          large_products_by_onednn_agree_with_our_own,
          nothing_times_something_is_zeros_or_nothing,
          nan_and_infinity_pass_through_products,
          linear_is_x_times_the_transposed_weight_plus_bias,
          linear_of_permuted_batches_of_one_reads_the_right_rows,
          gradients_of_products_are_right_twice,
          gradients_of_broadcast_products_and_layers_are_right_twice,
          the_gradient_of_a_transposed_operand_is_not_copied,
          matmul_of_mismatched_shapes_reports_both_shapes,
          linear_of_mismatched_shapes_reports_weight_and_bias)
