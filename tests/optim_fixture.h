/* optim_fixture.h - parameters with given values, scopes one after another,
 * and an ear for messages. */
#ifndef HG_TEST_OPTIM_FIXTURE_H
#define HG_TEST_OPTIM_FIXTURE_H

#include "tests/support.h"
#include "nn/nn.h"
#include "tests/golden/optim.h"

static char said[1024];
static int said_count;

UNUSED static void listen(void *user, const char *text)
{
    (void)user;
    said_count++;
    snprintf(said, sizeof said, "%s", text);
}

/* A parameter that begins at these values. */
#define parameter(p, name, ...)                                                \
    parameter_n(p, name, (const hg_real[]){__VA_ARGS__},                       \
                HG_COUNT(hg_real, __VA_ARGS__))
UNUSED static hg_tensor *parameter_n(hg_params *p, const char *name,
                                     const hg_real *values, int64_t n)
{
    hg_tensor *t = hg_param(p, name, HG_SHAPE(n), HG_INIT(HG_INIT_ZEROS));
    ck_assert_ptr_nonnull(t);
    expect_ok(hg_write(t, values, n));
    return t;
}

UNUSED static void next_scope(void)
{
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_TRAIN);
}

/* ---- The problem of golden/optim.py ------------------------------------- */

typedef struct {
    hg_params *p;
    hg_tensor *w, *u;
} problem;

UNUSED static problem golden_problem(void)
{
    hg_params *p = hg_params_new(ctx);
    return (problem){
        p,
        parameter(p, "w", 0.5, -1.25, 2, 0, -0.375),
        parameter(p, "u", 1.5, -0.75),
    };
}

/* sum(c w) + sum(w^2) / 8 + sum(d u), see golden/optim.py. */
UNUSED static hg_tensor *golden_loss(const problem *q, int t)
{
    hg_real c[5], d[2];
    for (int i = 0; i < 5; i++)
        c[i] = (hg_real)((7 * t + 3 * i) % 11 - 5) / 8;
    for (int i = 0; i < 2; i++)
        d[i] = (hg_real)((5 * t + 2 * i) % 7 - 3) / 4;
    hg_tensor *a = total(hg_mul(hg_from(c, REALS, HG_SHAPE(5)), q->w));
    hg_tensor *b = hg_scale(total(hg_square(q->w)), 0.125);
    hg_tensor *e = total(hg_mul(hg_from(d, REALS, HG_SHAPE(2)), q->u));
    return hg_add(hg_add(a, b), e);
}

#endif
