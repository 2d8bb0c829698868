/* latent.c - codes of the test set: the map, and how they match the prior. */
#include "apps/measures.h"
#include "apps/report.h"
#include "apps/train.h"
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>

enum { MATCHED = 10000, MAPPED = 5000 };

/* The test set where there is one, else what was trained on. */
hg_data *shown_data(const workbench *w)
{
    return hg_data_size(w->test) ? w->test : w->train;
}

static hg_data *some(const workbench *w, int64_t most)
{
    return hg_data_spread(shown_data(w), most);
}

/* Draws from q(z|x) where the model has them: what should look like the prior
 * is the aggregate posterior, not its means. */
static bool open_clouds(const workbench *w, const hg_model *m, hg_data *data,
                        cloud *codes, cloud *draws)
{
    data = hg_data_spread(data, MATCHED);
    return cloud_items(codes, w, m, data, 0, POSTERIOR) &&
           cloud_prior(draws, w, m, codes->count) &&
           cloud_drop_condition(codes, w, m, data) &&
           cloud_drop_condition(draws, w, m, data);
}

bool put_match(json_t *report, const workbench *w, const hg_model *m,
               hg_data *data)
{
    cloud codes = {0}, draws = {0};
    hg_match found;
    if (!hg_model_has_code(m) || !hg_model_has_prior(m))
        return true;
    bool ok = open_clouds(w, m, data, &codes, &draws) &&
              hg_prior_match(w->context, codes.values, draws.values,
                             codes.count, codes.width, &found);
    cloud_free(&codes);
    cloud_free(&draws);
    if (!ok)
        return false;
    put_number(report, "prior_ks", found.mean);
    put_number(report, "prior_ks_worst", found.worst);
    put_number(report, "prior_ks_line", found.line);
    json_object_set_new(report, "prior_ks_within", json_integer(found.within));
    return true;
}

/* ---- Pictures ----------------------------------------------------------- */

/* One dimension is drawn along x, two as they are, more by their principal
 * plane. */
static bool place(const trainer *t, const cloud *c, double *x, double *y,
                  double *share)
{
    if (c->width > 2)
        return hg_principal_plane(t->w.context, c->values, c->count, c->width,
                                  x, y, share);
    for (int64_t i = 0; i < c->count; i++) {
        x[i] = c->values[i * c->width];
        y[i] = c->width == 2 ? c->values[i * c->width + 1] : 0;
    }
    return true;
}

static bool draw_map(const trainer *t, const cloud *c, double *x,
                     int32_t *labels)
{
    double *y = x + c->count, share = 1;
    char title[128], left[64] = "code 1", below[64] = "code 2";
    hg_data *data = some(&t->w, MAPPED);
    if (!place(t, c, x, y, &share))
        return false;
    for (int64_t i = 0; i < c->count; i++)
        labels[i] = hg_data_label(data, i);
    snprintf(title, sizeof title, "%s: codes of %lld test image%s",
             t->s.model->name, (long long)c->count, plural(c->count));
    if (c->width > 2) {
        snprintf(left, sizeof left, "first principal component");
        snprintf(below, sizeof below,
                 "second (together %.0f %% of the variance)", 100 * share);
    }
    return figure_scatter(path_join(t->folder, "latent/map.png").text, title,
                          left, below, x, y, labels, c->count, t->w.all);
}

static bool latent_map(const trainer *t)
{
    hg_data *data = some(&t->w, MAPPED);
    int64_t n = hg_data_size(data);
    cloud c = {0};
    double *x = malloc((size_t)n * 2 * sizeof *x + 1);
    int32_t *labels = malloc((size_t)n * sizeof *labels + 1);
    bool ok = x && labels &&
              cloud_items(&c, &t->w, t->s.model, data, 0, CODES) &&
              draw_map(t, &c, x, labels);
    cloud_free(&c);
    free(labels);
    free(x);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the latent map");
}

static bool marginals(const trainer *t)
{
    cloud codes = {0}, draws = {0};
    char title[128];
    if (!hg_model_has_prior(t->s.model))
        return true;
    bool ok = open_clouds(&t->w, t->s.model, shown_data(&t->w), &codes, &draws);
    snprintf(title, sizeof title, "%s: codes and prior, all %lld dimension%s",
             t->s.model->name, (long long)codes.width, plural(codes.width));
    ok = ok &&
         figure_histograms(path_join(t->folder, "latent/marginals.png").text,
                           title, "value", codes.values, "codes", draws.values,
                           "prior", codes.count * codes.width);
    cloud_free(&codes);
    cloud_free(&draws);
    return ok;
}

enum { MARGINAL_POINTS = 1000, MARGINAL_DRAWS = 10000 };

bool marginals_picture(trainer *t, void *path)
{
    const hg_model *m = t->s.model;
    cloud codes = {0}, draws = {0};
    char title[192], more[64] = "";
    bool ok = cloud_items(&codes, &t->w, m, some(&t->w, MARGINAL_POINTS), 0,
                          POSTERIOR) &&
              (!hg_model_has_prior(m) ||
               cloud_prior(&draws, &t->w, m, MARGINAL_DRAWS));
    if (codes.width > 16)
        snprintf(more, sizeof more, " (the first 16 of %lld dimensions)",
                 (long long)codes.width);
    snprintf(title, sizeof title, "%s: codes%s after epoch %lld%s", m->name,
             hg_model_has_prior(m) ? " and prior" : "", (long long)t->epoch,
             more);
    bool fits = ok && (!hg_model_has_prior(m) || draws.width == codes.width);
    ok = ok &&
         (!fits || figure_marginals(path, title, codes.width, codes.values,
                                    codes.count, draws.values, draws.count));
    cloud_free(&codes);
    cloud_free(&draws);
    return ok;
}

bool latent_pictures(trainer *t)
{
    return !hg_model_has_code(t->s.model) || (latent_map(t) && marginals(t));
}
