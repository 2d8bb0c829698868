/* quality.c - how good samples are, in the features of a small classifier that
 * is trained once for a data set and kept in the cache. */
#include "apps/measures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LEARNT = 30000, JUDGED = 10000 };

/* ---- The classifier ----------------------------------------------------- */

/* The cache's root, as that of the data: $XDG_CACHE_HOME or ~/.cache. */
static bool cache_folder(path_text *folder)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *folder = cache && *cache
                  ? path_join(cache, "hourglass/features")
                  : path_join(home ? home : ".", ".cache/hourglass/features");
    return make_folder(folder->text);
}

/* A name that tells data sets apart: kind, size, shape and the labels' sum. */
static void cache_name(const view *v, const int32_t *label, int64_t count,
                       char *name, size_t size)
{
    hg_shape item = hg_data_shape(v->w.all);
    int64_t sum = 0;
    char kind[48];
    snprintf(kind, sizeof kind, "%.40s", hg_data_name(v->w.all));
    for (char *c = kind; *c; c++)
        if (*c == '/' || *c == ':')
            *c = '-';
    for (int64_t i = 0; i < count; i++)
        sum += label[i] * (i + 1);
    snprintf(name, size,
             "%s-%" PRId64 "-%" PRId64 "x%" PRId64 "x%" PRId64 "-%" PRIx64
             ".safetensors",
             kind, count, item.dim[0], item.dim[1], item.dim[2], (uint64_t)sum);
}

static bool train_and_keep(view *v, hg_features *f, const int32_t *label,
                           const char *file)
{
    cloud x = {0};
    fprintf(stderr, "training the classifier for features, once: %s\n", file);
    hg_data *data = hg_data_spread(v->w.train, LEARNT);
    bool ok = cloud_items(&x, &v->w, v->model, data, 0, PIXELS) &&
              hg_features_train(f, cloud_points(&x), label) &&
              hg_features_save(f, file);
    cloud_free(&x);
    return ok;
}

static bool open_features(view *v, hg_features *f)
{
    char name[160];
    path_text folder;
    struct stat s;
    hg_data *data = hg_data_spread(v->w.train, LEARNT);
    int64_t count = hg_data_size(data);
    int32_t *label = labels_of(data, count);
    bool ok = label && cache_folder(&folder);
    if (ok) {
        cache_name(v, label, count, name, sizeof name);
        path_text file = path_join(folder.text, name);
        ok = !stat(file.text, &s) ? hg_features_load(f, file.text)
                                  : train_and_keep(v, f, label, file.text);
    }
    free(label);
    return ok;
}

/* ---- Judging ------------------------------------------------------------ */

typedef struct {
    view *v;
    hg_features *f;
    cloud real; /* features of the images that are looked at */
    json_t *out;
} judge;

static bool features_of(judge *q, cloud *images, cloud *features,
                        int32_t *guess)
{
    return cloud_room(features, images->count, hg_features_width()) &&
           hg_features_apply(q->f, cloud_points(images), features->values,
                             guess);
}

/* Adds the distance of these images from the real ones; frees them. */
static bool add_distance(judge *q, const char *name, cloud *images,
                         bool coverage)
{
    cloud fake = {0};
    double distance, precision, recall;
    hg_context *context = q->v->w.context;
    hg_points real = cloud_points(&q->real);
    bool ok = features_of(q, images, &fake, NULL) &&
              hg_frechet(context, real, cloud_points(&fake), &distance);
    if (ok)
        put_number(q->out, name, distance);
    if (ok && coverage) {
        ok = hg_precision_recall(context, real, cloud_points(&fake), &precision,
                                 &recall);
        if (ok) {
            put_number(q->out, "precision", precision);
            put_number(q->out, "recall", recall);
        }
    }
    cloud_free(&fake);
    cloud_free(images);
    return ok;
}

static bool judge_real(judge *q)
{
    view *v = q->v;
    char name[64];
    cloud x = {0};
    double right = 0;
    hg_data *data = hg_data_spread(v->data, JUDGED);
    int64_t n = hg_data_size(data);
    int32_t *label = labels_of(data, n), *guess = labels_of(data, n);
    bool ok = label && guess &&
              cloud_items(&x, &v->w, v->model, data, 0, PIXELS) &&
              features_of(q, &x, &q->real, guess);
    for (int64_t i = 0; ok && i < n; i++)
        right += (label[i] == guess[i]) / (double)n;
    snprintf(name, sizeof name, "%016" PRIx64, hg_features_hash(q->f));
    json_object_set_new(q->out, "features", json_string(name));
    json_object_set_new(q->out, "images", json_integer(n));
    put_number(q->out, "accuracy", right);
    cloud_free(&x);
    free(label);
    free(guess);
    return ok;
}

static bool judge_model(judge *q)
{
    view *v = q->v;
    const hg_model *m = v->model;
    cloud codes = {0}, images = {0};
    bool ok = true;
    view_reseed(v);
    if (hg_model_has_prior(m) && m->decode)
        ok = cloud_prior(&codes, &v->w, m, q->real.count) &&
             cloud_decoded(&images, &v->w, m, &codes) &&
             add_distance(q, "draws", &images, true);
    cloud_free(&codes);
    if (ok && hg_model_reconstructs(m))
        ok = cloud_items(&images, &v->w, m, hg_data_spread(v->data, JUDGED), 0,
                         RECONSTRUCTIONS) &&
             add_distance(q, "reconstructions", &images, false);
    return ok &&
           cloud_items(&images, &v->w, m,
                       hg_data_spread(v->w.train, q->real.count), 0, PIXELS) &&
           add_distance(q, "training_images", &images, false);
}

bool measure_quality(view *v, json_t *report)
{
    judge q = {.v = v, .out = json_object()};
    json_object_set_new(report, "classifier_frechet", q.out);
    q.f = hg_features_new(v->w.context, hg_data_shape(v->w.all),
                          hg_data_classes(v->w.all));
    bool ok = q.f && open_features(v, q.f) && judge_real(&q) && judge_model(&q);
    cloud_free(&q.real);
    return ok;
}
