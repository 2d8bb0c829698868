/* test_pointwise_gradient.c - first and second derivatives of every row of
 * pointwise.def against central differences (in double), broadcast and
 * transposed; and whether each row reads what it says it reads. */
#include "pointwise_rows.h"

/* ---- Derivatives -------------------------------------------------------- */

#ifdef HG_DOUBLE

/* Values of two inputs, the second away from the first where they may not
 * tie. */
static void choose_values(const row *r, hg_real *x, int nx, hg_real *y, int ny)
{
    for (int i = 0; i < nx; i++)
        x[i] = inside(r->domain, noise((uint64_t)i));
    for (int i = 0; i < ny; i++)
        y[i] = inside(r->domain, noise((uint64_t)(100 + i)));
    for (int i = 0; i < ny && r->domain == OFF_TIES; i++)
        y[i] = i % 2 ? 3 + y[i] : -3 + y[i];
}

static void expect_right(hg_function f, const row *r, hg_shape a, hg_shape b)
{
    hg_real x[24], y[24];
    choose_values(r, x, (int)hg_shape_numel(a), y, (int)hg_shape_numel(b));
    bool ok = hg_check_function(ctx, f, (void *)(uintptr_t)r,
                                (const hg_real *[]){x, y}, (hg_shape[]){a, b},
                                r->inputs, (hg_check_options){.second = true});
    ck_assert_msg(ok, "%s: %s", r->name, hg_error());
}

START_TEST(first_and_second_derivatives_are_those_of_the_value)
{
    for (int i = 0; i < ROWS; i++)
        expect_right(rows[i].call, &rows[i], HG_SHAPE(5, 4), HG_SHAPE(5, 4));
}
END_TEST

START_TEST(broadcast_operands_get_summed_derivatives)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].inputs == 2) {
            expect_right(rows[i].call, &rows[i], HG_SHAPE(3, 1), HG_SHAPE(4));
            expect_right(rows[i].call, &rows[i], HG_SCALAR, HG_SHAPE(2, 3));
        }
}
END_TEST

static hg_tensor *transposed_call(void *user, hg_tensor *const *in, int count)
{
    const row *r = user;
    hg_tensor *x = hg_transpose(in[0]), *y = count > 1 ? in[1] : NULL;
    return r->call(NULL, (hg_tensor *[]){x, y}, count);
}

START_TEST(transposed_operands_have_the_same_derivatives)
{
    for (int i = 0; i < ROWS; i++)
        expect_right(transposed_call, &rows[i], HG_SHAPE(3, 2), HG_SHAPE(2, 3));
}
END_TEST

static hg_tensor *chosen(void *user, hg_tensor *const *in, int count)
{
    (void)user, (void)count;
    return hg_where(hg_greater(in[0], in[1]), hg_square(in[0]),
                    hg_mul(in[0], hg_exp(in[1])));
}

START_TEST(where_has_the_derivatives_of_the_chosen_side)
{
    static const row where = {.name = "where", .inputs = 2, .domain = OFF_TIES};
    expect_right(chosen, &where, HG_SHAPE(3, 2), HG_SHAPE(2));
}
END_TEST

#endif

/* ---- A user's own row
 * ------------------------------------------------------------ */

HG_UNARY(softsign, x / (1 + fabs((double)x)), g *pow(1 - fabs((double)z), 2),
         -2 * copysign(pow(1 + fabs((double)x), -3), (double)x),
         "x / (1 + |x|)")

START_TEST(a_line_of_the_user_s_has_two_derivatives_and_refuses_the_third)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    hg_tensor *x = hg_watch(vector(1, -3)), *y = softsign(x);
    expect_values(y, 0.5, -0.75);
    hg_tensor *d = hg_grad(y, x, NULL);
    expect_values(d, 0.25, 0.0625);
    hg_tensor *dd = hg_grad(d, x, NULL);
    expect_values(dd, -0.25, 0.03125);
    ck_assert_ptr_null(hg_grad(dd, x, NULL));
    expect_error(STATE, "third derivatives", "softsign");
#ifdef HG_DOUBLE
    expect_ok(hg_check_op(ctx, &softsign_op, NULL, &HG_SHAPE(3, 2), 1));
#endif
}
END_TEST

/* ---- Stale values: the column `reads` ----------------------------------- */

#define POINTS 64

/* The gradient kernels of a row, with NaN in place of one operand. */
static void gradients(const row *r, int spoilt, hg_real out[2][POINTS])
{
    hg_real g[POINTS], x[POINTS], y[POINTS], z[POINTS], nan[POINTS];
    hg_real a = (hg_real)PARAMETER_A, b = (hg_real)PARAMETER_B;
    for (int i = 0; i < POINTS; i++) {
        g[i] = (hg_real)(1 + noise((uint64_t)i) / 2);
        x[i] = (hg_real)(0.5 + noise((uint64_t)(100 + i)));
        y[i] = (hg_real)(0.5 + noise((uint64_t)(200 + i)));
        nan[i] = NAN;
    }
    const hg_real *operand[] = {x, y};
    hg_pointwise_reference[r->first](z, operand, POINTS, a, b);
    const hg_real *unary[] = {g, spoilt == X ? nan : x, spoilt == Z ? nan : z};
    const hg_real *binary[] = {g, unary[1], spoilt == Y ? nan : y, unary[2]};
    for (int side = 0; side < r->inputs; side++)
        hg_pointwise_reference[r->first + 1 + side](
            out[side], r->inputs == 1 ? unary : binary, POINTS, a, b);
}

static bool equal(const row *r, hg_real a[2][POINTS], hg_real b[2][POINTS])
{
    for (int side = 0; side < r->inputs; side++)
        for (int i = 0; i < POINTS; i++)
            if (!same_value((double)a[side][i], (double)b[side][i], 0))
                return false;
    return true;
}

START_TEST(a_row_reads_exactly_what_it_declares)
{
    static const int operand[] = {X, Y, Z};
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 3 && rows[i].last > rows[i].first; j++) {
            hg_real right[2][POINTS], spoilt[2][POINTS];
            gradients(&rows[i], 0, right);
            gradients(&rows[i], operand[j], spoilt);
            bool reads = rows[i].reads & operand[j];
            if (rows[i].inputs == 1 && operand[j] == Y)
                continue;
            ck_assert_msg(reads == !equal(&rows[i], right, spoilt),
                          "%s %s operand %d", rows[i].name,
                          reads ? "does not read" : "reads", j);
        }
}
END_TEST

START_TEST(what_a_rule_does_not_read_may_change_before_backward)
{
    hg_tensor *x = hg_watch(vector(1, 2)), *e = hg_watch(vector(1, 2));
    hg_tensor *shifted = hg_shift(x, 3), *power = hg_exp(e);
    hg_tensor *sum = hg_sum(hg_add(shifted, hg_scale(x, 2)), HG_ALL);
    hg_tensor *product = hg_sum(power, HG_ALL);
    hg_set(x, 7);
    expect_ok(hg_backward(sum));
    expect_values(x->grad, 3, 3);
    hg_set(power, 7);
    ck_assert(!hg_backward(product));
    expect_error(STATE, "exp", "changed since");
}
END_TEST

#ifdef HG_DOUBLE
TEST_MAIN("pointwise gradients",
          first_and_second_derivatives_are_those_of_the_value,
          broadcast_operands_get_summed_derivatives,
          transposed_operands_have_the_same_derivatives,
          where_has_the_derivatives_of_the_chosen_side,
          a_line_of_the_user_s_has_two_derivatives_and_refuses_the_third,
          a_row_reads_exactly_what_it_declares,
          what_a_rule_does_not_read_may_change_before_backward)
#else
TEST_MAIN("pointwise gradients",
          a_line_of_the_user_s_has_two_derivatives_and_refuses_the_third,
          a_row_reads_exactly_what_it_declares,
          what_a_rule_does_not_read_may_change_before_backward)
#endif
