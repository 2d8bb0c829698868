/* latent.c - codes of the test set: the map, and how they match the prior. */
#include "apps/measures.h"
#include "apps/report.h"
#include "apps/train.h"
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>

enum {
    MATCHED = 10000,
    MAPPED = 5000,
    EMBEDDED = 2000, /* three seconds */
    FEWEST_EMBEDDED = 100
};

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

/* Points of a map, and what its axes are called. */
typedef struct {
    double *x, *y;
    char left[64], below[64];
} places;

/* One dimension is drawn along x, two as they are, more by their principal
 * plane. */
static bool in_the_plane(const trainer *t, const cloud *c, places *at)
{
    double share;
    if (c->width > 2) {
        snprintf(at->left, sizeof at->left, "first principal component");
        if (!hg_principal_plane(t->w.context, c->values, c->count, c->width,
                                at->x, at->y, &share))
            return false;
        snprintf(at->below, sizeof at->below,
                 "second (together %.0f %% of the variance)", 100 * share);
        return true;
    }
    snprintf(at->left, sizeof at->left, "code 1");
    snprintf(at->below, sizeof at->below, "code 2");
    for (int64_t i = 0; i < c->count; i++) {
        at->x[i] = c->values[i * c->width];
        at->y[i] = c->width == 2 ? c->values[i * c->width + 1] : 0;
    }
    return true;
}

/* Neighbours of the code beside one another: what no plane can show. */
static bool by_neighbours(const trainer *t, const cloud *c, places *at)
{
    hg_tsne_options o = {.perplexity = 30, .iterations = 500};
    double kl, *map = malloc((size_t)(2 * c->count) * sizeof *map + 1);
    bool ok = map ? hg_tsne(t->w.context, cloud_points(c), o, map, &kl)
                  : hg_fail(HG_ERROR_MEMORY, "no memory for the map");
    for (int64_t i = 0; ok && i < c->count; i++) {
        at->x[i] = map[2 * i];
        at->y[i] = map[2 * i + 1];
    }
    free(map);
    snprintf(at->left, sizeof at->left, "t-SNE 1");
    snprintf(at->below, sizeof at->below, "t-SNE 2 (perplexity %g)",
             o.perplexity);
    return ok;
}

typedef bool placing(const trainer *, const cloud *, places *);

static bool draw_map(const trainer *t, hg_data *data, const cloud *c,
                     placing *place, const char *file)
{
    char title[128];
    size_t n = (size_t)c->count;
    double *xy = malloc(2 * n * sizeof *xy + 1);
    int32_t *labels = malloc(n * sizeof *labels + 1);
    bool ok = (xy && labels) ||
              hg_fail(HG_ERROR_MEMORY, "no memory for the latent map");
    places at = {.x = xy, .y = xy ? xy + n : NULL};
    for (size_t i = 0; ok && i < n; i++)
        labels[i] = hg_data_label(data, (int64_t)i);
    snprintf(title, sizeof title, "%s: codes of %zu test image%s",
             t->s.model->name, n, plural(c->count));
    ok = ok && place(t, c, &at) &&
         figure_scatter(path_join(t->folder, file).text, title, at.left,
                        at.below, at.x, at.y, labels, c->count, t->w.all);
    free(labels);
    free(xy);
    return ok;
}

/* The map, and where a plane shows a part only, one by neighbours too. */
static bool latent_maps(const trainer *t)
{
    hg_data *many = some(&t->w, MAPPED), *fewer = some(&t->w, EMBEDDED);
    cloud c = {0}, e = {0};
    bool ok = cloud_items(&c, &t->w, t->s.model, many, 0, CODES) &&
              draw_map(t, many, &c, in_the_plane, "latent/map.png");
    if (ok && c.width > 2 && c.count >= FEWEST_EMBEDDED)
        ok = cloud_items(&e, &t->w, t->s.model, fewer, 0, CODES) &&
             draw_map(t, fewer, &e, by_neighbours, "latent/tsne.png");
    cloud_free(&e);
    cloud_free(&c);
    return ok;
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
    return !hg_model_has_code(t->s.model) || (latent_maps(t) && marginals(t));
}
