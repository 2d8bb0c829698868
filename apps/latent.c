/* latent.c - codes of the test set: the map, and how they match the prior. */
#include "apps/report.h"
#include "apps/train.h"
#include "models/measure.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_POINTS = 5000, AT_ONCE = 250 };

/* The test set where there is one, else what was trained on. */
hg_data *shown_data(const workbench *w)
{
    return hg_data_size(w->test) ? w->test : w->train;
}

/* ---- Codes -------------------------------------------------------------- */

/* Values of [n, width] tensors, gathered batch by batch. */
typedef struct {
    double *values;
    int64_t count, width;
} cloud;

static bool add_rows(cloud *c, int64_t from, const hg_tensor *z)
{
    int64_t size = hg_numel(z);
    hg_real *values = malloc((size_t)size * sizeof *values + 1);
    if (!c->values && z) {
        c->width = z->shape.dim[1];
        c->values =
            malloc((size_t)(c->count * c->width) * sizeof *c->values + 1);
    }
    bool ok = z && values && c->values && hg_read(z, values, size);
    for (int64_t i = 0; ok && i < size; i++)
        c->values[from * c->width + i] = (double)values[i];
    free(values);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the codes");
}

static hg_tensor *codes_at(const workbench *w, const hg_model *m, int64_t from,
                           int64_t n)
{
    int64_t rows[AT_ONCE];
    hg_batch b;
    for (int64_t i = 0; i < n; i++)
        rows[i] = from + i;
    if (!hg_data_batch(shown_data(w), rows, n, &b))
        return NULL;
    return m->encode(w->state, hg_model_input(m, w->state, &b));
}

/* Codes of the first test images, or as many draws from the prior. */
static bool fill(cloud *c, const workbench *w, const hg_model *m, bool draws)
{
    for (int64_t from = 0; from < c->count; from += AT_ONCE) {
        int64_t n = c->count - from < AT_ONCE ? c->count - from : AT_ONCE;
        hg_scope *s = hg_scope_open(w->context, HG_EVAL);
        if (!s)
            return false;
        bool ok = add_rows(
            c, from, draws ? m->prior(w->state, n) : codes_at(w, m, from, n));
        hg_scope_close(s);
        if (!ok)
            return false;
    }
    return true;
}

/* Codes, or draws from q(z|x) where the model has them: what should look like
 * the prior is the aggregate posterior, not its means. */
static bool fill_posterior(cloud *c, const workbench *w, const hg_model *m)
{
    hg_model drawing = *m;
    if (m->sample)
        drawing.encode = m->sample;
    return fill(c, w, &drawing, false);
}

static bool open_clouds(const workbench *w, const hg_model *m, cloud *codes,
                        cloud *draws)
{
    int64_t n = hg_data_size(shown_data(w));
    codes->count = draws->count = n < MOST_POINTS ? n : MOST_POINTS;
    return fill_posterior(codes, w, m) && fill(draws, w, m, true);
}

bool match_prior(const workbench *w, const hg_model *m, double *mean,
                 double *worst)
{
    cloud codes = {0}, draws = {0};
    *mean = *worst = NAN;
    if (!m->encode || !m->prior)
        return true;
    bool ok = open_clouds(w, m, &codes, &draws) &&
              hg_prior_match(w->context, codes.values, draws.values,
                             codes.count, codes.width, mean, worst);
    free(codes.values);
    free(draws.values);
    return ok;
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
    if (!place(t, c, x, y, &share))
        return false;
    for (int64_t i = 0; i < c->count; i++)
        labels[i] = hg_data_label(shown_data(&t->w), i);
    snprintf(title, sizeof title, "%s: codes of %lld test images",
             t->s.model->name, (long long)c->count);
    if (c->width > 2) {
        snprintf(left, sizeof left, "first principal component");
        snprintf(below, sizeof below,
                 "second (together %.0f %% of the variance)", 100 * share);
    }
    int classes = hg_data_classes(t->w.all);
    return figure_scatter(path_join(t->folder, "latent/map.png").text, title,
                          left, below, x, y, classes ? labels : NULL, c->count,
                          classes);
}

static bool latent_map(const trainer *t)
{
    int64_t n = hg_data_size(shown_data(&t->w));
    cloud c = {.count = n < MOST_POINTS ? n : MOST_POINTS};
    double *x = malloc((size_t)c.count * 2 * sizeof *x + 1);
    int32_t *labels = malloc((size_t)c.count * sizeof *labels + 1);
    bool ok = x && labels && fill(&c, &t->w, t->s.model, false) &&
              draw_map(t, &c, x, labels);
    free(c.values);
    free(labels);
    free(x);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the latent map");
}

static bool marginals(const trainer *t)
{
    cloud codes = {0}, draws = {0};
    char title[128];
    if (!t->s.model->prior)
        return true;
    bool ok = open_clouds(&t->w, t->s.model, &codes, &draws);
    snprintf(title, sizeof title, "%s: codes and prior, all %lld dimensions",
             t->s.model->name, (long long)codes.width);
    ok = ok &&
         figure_histograms(path_join(t->folder, "latent/marginals.png").text,
                           title, "value", codes.values, "codes", draws.values,
                           "prior", codes.count * codes.width);
    free(codes.values);
    free(draws.values);
    return ok;
}

bool latent_pictures(trainer *t)
{
    return !t->s.model->encode || (latent_map(t) && marginals(t));
}
