/* test_evaluation.c - what is measured on a trained model, against values known
 * from elsewhere. */
#include "models_fixture.h"

/* ---- Slots -------------------------------------------------------------- */

static hg_batch rig_batch(rig *r)
{
    static const int64_t rows[] = {0, 1, 2, 3};
    hg_batch b;
    expect_ok(hg_data_batch(r->data, rows, 4, &b));
    return b;
}

START_TEST(a_posterior_has_the_kl_that_its_model_states)
{
    int seen = 0;
    for
        EACH_MODEL(m)
        {
            rig r = {0};
            hg_real stated[4], computed[4];
            if (!m->posterior || !m->kl || m->log_prior)
                continue;
            expect_ok(rig_open(&r, m) && rig_train(&r, 2));
            hg_scope *s = hg_scope_open(r.context, HG_EVAL);
            hg_tensor *x = rig_batch(&r).x, *std = NULL;
            hg_tensor *mu = m->posterior(r.state, x, &std);
            hg_tensor *kl = hg_sum(hg_normal_kl(mu, std), HG_FROM(1));
            expect_ok(hg_read(kl, computed, 4));
            expect_ok(hg_read(m->kl(r.state, x), stated, 4));
            for (int i = 0; i < 4; i++)
                ck_assert_msg(same_value(stated[i], computed[i], CLOSE),
                              "%s: %g, %g", m->name, (double)stated[i],
                              (double)computed[i]);
            hg_scope_close(s);
            rig_close(&r);
            seen++;
        }
    ck_assert_int_ge(seen, 2);
}
END_TEST

TEST_MAIN("evaluation", a_posterior_has_the_kl_that_its_model_states)
