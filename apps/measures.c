/* measures.c - figures of images, codes and likelihoods, by name. */
#include "apps/measures.h"
#include "apps/report.h"

#include <math.h>
#include <stdlib.h>

enum { AGGREGATED = 5000, COMPARED = 2000 };

/* ---- Images ------------------------------------------------------------- */

static bool measure_ssim(view *v, json_t *report)
{
    cloud x = {0}, y = {0};
    double mean = NAN;
    if (!hg_model_reconstructs(v->model))
        return true;
    bool ok = cloud_items(&x, &v->w, v->model, v->data, 0, PIXELS) &&
              cloud_items(&y, &v->w, v->model, v->data, 0, RECONSTRUCTIONS) &&
              hg_mean_ssim(v->w.context, x.values, y.values, x.count,
                           hg_data_shape(v->w.all), &mean);
    put_number(report, "ssim", mean);
    cloud_free(&x);
    cloud_free(&y);
    return ok;
}

bool measure_images(view *v, int64_t batch_size, json_t *report)
{
    hg_metrics m;
    if (!hg_model_evaluate_with(v->model, v->w.state, v->data, batch_size,
                                measured_by(&v->w), &m))
        return false;
    json_t *found = metrics_json(&m);
    json_object_update(report, found);
    json_decref(found);
    put_number(report, "rate", m.kl);
    put_number(report, "distortion", -m.elbo - m.kl);
    return measure_ssim(v, report);
}

/* ---- Codes -------------------------------------------------------------- */

bool measure_codes(view *v, json_t *report)
{
    hg_latent latent;
    if (!hg_model_has_code(v->model))
        return true;
    if (!hg_model_latent(v->model, v->w.state, v->data, &latent) ||
        !put_match(report, &v->w, v->model, v->data))
        return false;
    json_object_set_new(report, "latent", json_integer(latent.width));
    json_object_set_new(report, "active_units", json_integer(latent.active));
    if (!v->model->posterior)
        return true;
    json_t *dims = json_array();
    for (int64_t j = 0; j < latent.width; j++)
        json_array_append_new(dims, json_real(latent.kl[j]));
    json_object_set_new(report, "kl_dims", dims);
    return true;
}

bool measure_aggregate(view *v, json_t *report)
{
    cloud codes = {0}, draws = {0};
    double squared, kl, information;
    bool ok = true;
    if (hg_model_has_code(v->model) && hg_model_has_prior(v->model)) {
        ok = cloud_items(&codes, &v->w, v->model,
                         hg_data_spread(v->data, COMPARED), 0, POSTERIOR) &&
             cloud_prior(&draws, &v->w, v->model, codes.count) &&
             cloud_drop_condition(&codes, &v->w, v->model, v->data) &&
             cloud_drop_condition(&draws, &v->w, v->model, v->data) &&
             hg_mmd(v->w.context, cloud_points(&codes), cloud_points(&draws),
                    &squared);
        if (ok)
            put_number(report, "mmd", squared);
    }
    cloud_free(&codes);
    cloud_free(&draws);
    if (!ok || !v->model->posterior)
        return ok;
    ok = hg_model_aggregate(v->w.context, v->model, v->w.state, v->data,
                            AGGREGATED, &kl, &information);
    if (ok) {
        put_number(report, "aggregate_kl", kl);
        put_number(report, "information", information);
    }
    return ok;
}

/* ---- Likelihood --------------------------------------------------------- */

bool measure_bound(view *v, hg_bound *b, json_t *report)
{
    if (!hg_model_likelihood(v->model, v->w.state, v->data, b))
        return false;
    json_t *curve = json_array();
    for (int i = 0; i < b->points; i++)
        json_array_append_new(curve,
                              json_pack("{s:I, s:f}", "k", (json_int_t)b->k[i],
                                        "nats", -b->bound[i]));
    json_object_set_new(report, "nll",
                        json_pack("{s:I, s:I, s:b, s:o}", "samples",
                                  (json_int_t)b->samples, "images",
                                  (json_int_t)b->images, "binarised",
                                  (int)b->binarise, "curve", curve));
    return true;
}

bool draw_bound(view *v, const hg_bound *b, const char *path)
{
    double x[HG_BOUND_POINTS], y[HG_BOUND_POINTS];
    char title[160];
    for (int i = 0; i < b->points; i++) {
        x[i] = log10((double)b->k[i]);
        y[i] = -b->bound[i];
    }
    curve line = {"bound", x, y, b->points};
    snprintf(title, sizeof title, "%s: importance-weighted bound, %lld image%s",
             v->model->name, (long long)b->images, plural(b->images));
    return figure_curves(path, title, "samples k, as log10 k",
                         "-log p(x) is at most, nats", &line, 1, false) &&
           say_picture(path) == EXIT_DONE;
}

/* ---- Probes ------------------------------------------------------------- */

int32_t *labels_of(const hg_data *data, int64_t count)
{
    int32_t *label = malloc((size_t)count * sizeof *label + 1);
    if (!label)
        hg_fail(HG_ERROR_MEMORY, "no memory for the labels");
    for (int64_t i = 0; label && i < count; i++) {
        label[i] = hg_data_label(data, i);
        if (label[i] >= 0)
            continue;
        hg_fail(HG_ERROR_DATA,
                "%s has no labels, which this needs; pictures have them by "
                "lying in one folder a class",
                hg_data_name(data));
        free(label);
        return NULL;
    }
    return label;
}

static hg_tensor *logit_rows(void *user, int64_t from, int64_t n)
{
    const view *v = user;
    hg_batch b;
    if (!hg_data_batch_from(v->data, from, n, &b))
        return NULL;
    return v->model->classify(v->w.state,
                              hg_model_input(v->model, v->w.state, &b));
}

bool classes_by_model(view *v, int64_t count, int32_t *guess, int *classes)
{
    cloud logits = {0};
    bool ok = cloud_fill(&logits, v->w.context, count, logit_rows, v);
    *classes = (int)logits.width;
    for (int64_t i = 0; ok && i < count; i++) {
        const double *row = cloud_row(&logits, i);
        guess[i] = 0;
        for (int j = 1; j < *classes; j++)
            if (row[j] > row[guess[i]])
                guess[i] = j;
    }
    cloud_free(&logits);
    return ok;
}

/* One representation of training and test images, with their labels. */
typedef struct {
    view *v;
    cloud train, test;
    const int32_t *train_label, *test_label;
} probed;

static bool probe_with(probed *p, int64_t labels, const char *suffix,
                       json_t *row)
{
    char name[32];
    double linear, nearest;
    hg_context *context = p->v->w.context;
    hg_points train = cloud_points(&p->train), test = cloud_points(&p->test);
    if (labels > train.count)
        return true;
    train.count = labels ? labels : train.count;
    int k = train.count < 500 ? 1 : 5;
    if (!hg_linear_probe(context, train, p->train_label, test, p->test_label,
                         hg_data_classes(p->v->w.all), p->v->seed, &linear) ||
        !hg_knn_accuracy(context, train, p->train_label, test, p->test_label,
                         train.count < k ? (int)train.count : k, &nearest))
        return false;
    snprintf(name, sizeof name, "linear%s", suffix);
    put_number(row, name, linear);
    snprintf(name, sizeof name, "knn%s", suffix);
    put_number(row, name, nearest);
    return true;
}

static bool probe_row(probed *p, const char *on, json_t *table)
{
    json_t *row =
        json_pack("{s:s, s:I}", "on", on, "width", (json_int_t)p->train.width);
    json_array_append_new(table, row);
    return row && probe_with(p, 0, "", row) &&
           probe_with(p, 1000, "_1000", row) && probe_with(p, 100, "_100", row);
}

/* Replaces pixels by their first `k` components, fitted to training images. */
static bool reduce(probed *p, int64_t k)
{
    int64_t d = p->train.width;
    cloud axes = {0}, train = {0}, test = {0};
    k = k < d ? k : d;
    bool ok = cloud_room(&axes, k + 2, d) &&
              cloud_room(&train, p->train.count, k) &&
              cloud_room(&test, p->test.count, k);
    double *mean = ok ? cloud_row(&axes, k) : NULL;
    ok = ok && hg_pca(p->v->w.context, cloud_points(&p->train), k, mean,
                      axes.values, cloud_row(&axes, k + 1));
    if (ok) {
        hg_pca_apply(cloud_points(&p->train), mean, axes.values, k,
                     train.values);
        hg_pca_apply(cloud_points(&p->test), mean, axes.values, k, test.values);
        cloud_free(&p->train);
        cloud_free(&p->test);
        p->train = train;
        p->test = test;
    } else {
        cloud_free(&train);
        cloud_free(&test);
    }
    cloud_free(&axes);
    return ok;
}

static bool take(probed *p, cloud_kind kind)
{
    view *v = p->v;
    cloud_free(&p->train);
    cloud_free(&p->test);
    return cloud_items(&p->train, &v->w, v->model, v->w.train, 0, kind) &&
           cloud_items(&p->test, &v->w, v->model, v->data, 0, kind);
}

bool measure_probe(view *v, json_t *report)
{
    probed p = {.v = v};
    json_t *table = json_array();
    int32_t *train = labels_of(v->w.train, hg_data_size(v->w.train));
    int32_t *test = train ? labels_of(v->data, hg_data_size(v->data)) : NULL;
    p.train_label = train;
    p.test_label = test;
    json_object_set_new(report, "probe", table);
    bool ok = train && test &&
              view_can(v, hg_model_has_code(v->model), "has no encoder") &&
              take(&p, CODES);
    int64_t width = p.train.width;
    ok = ok && probe_row(&p, "codes", table) && take(&p, PIXELS) &&
         probe_row(&p, "pixels", table) && reduce(&p, width) &&
         probe_row(&p, "PCA", table);
    cloud_free(&p.train);
    cloud_free(&p.test);
    free(train);
    free(test);
    return ok;
}
