/* golden_cases.h - the inputs of golden/ops.json, as golden/README.md says, and
 * values to compare. */
#ifndef HG_TEST_GOLDEN_CASES_H
#define HG_TEST_GOLDEN_CASES_H

#include "golden_calls.h"

/* ---- Inputs ------------------------------------------------------------- */

static float uniform(const hg_philox *p, int64_t element)
{
    return hg_word_uniform(hg_philox_word(p, (uint64_t)element));
}

/* The input with this number ("g": the gradient of the output) of a case. */
static hg_tensor *drawn(const char *name, const char *number_text,
                        const json_t *spec)
{
    const char *dtype = json_string_value(json_object_get(spec, "dtype"));
    char key[256];
    hg_shape s = shape(spec);
    int64_t n = hg_shape_numel(s);
    snprintf(key, sizeof key, "%s:%s", name, number_text);
    hg_philox p = hg_philox_make(11, HG_DOMAIN_DATA, hg_hash_text(key));
    float *value = malloc((size_t)n * sizeof *value);
    for (int64_t i = 0; i < n; i++) {
        float u = uniform(&p, i);
        if (!dtype) {
            float low = (float)number(spec, "low");
            float high = (float)number(spec, "high");
            value[i] = low + (high - low) * u;
        } else if (!strcmp(dtype, "binary")) {
            value[i] = u < 0.5f;
        } else {
            value[i] = floorf((float)number(spec, "below") * u);
        }
    }
    hg_tensor *t = hg_from(value, "f4", s);
    free(value);
    if (dtype && !strcmp(dtype, "int32"))
        return hg_int_of(t);
    return dtype || json_is_true(json_object_get(spec, "target")) ? t
                                                                  : hg_watch(t);
}

/* The gradient of the output. */
static hg_tensor *drawn_like(const char *name, const hg_tensor *y)
{
    json_t *spec = json_pack("{s:[], s:i, s:i}", "shape", "low", -1, "high", 1);
    for (int k = 0; k < y->shape.rank; k++)
        json_array_append_new(json_object_get(spec, "shape"),
                              json_integer(y->shape.dim[k]));
    hg_tensor *v = hg_detach(drawn(name, "g", spec));
    json_decref(spec);
    return v;
}

static hg_tensor *view(hg_tensor *x, const json_t *spec)
{
    const json_t *v;
    if ((v = json_object_get(spec, "permute")))
        x = hg_permute(x, axes_of(v, false));
    if ((v = json_object_get(spec, "slice")))
        x = hg_slice(x, (int)element(v, 0), (int64_t)element(v, 1),
                     (int64_t)element(v, 2), (int64_t)element(v, 3));
    if ((v = json_object_get(spec, "expand")))
        x = hg_expand(x, shape_of(v));
    return x;
}

/* All values as double, to be freed. */
static double *values_of(const hg_tensor *t, int64_t n)
{
    double *out = malloc((size_t)(n + 1) * sizeof *out);
    hg_real *real = malloc((size_t)(n + 1) * sizeof *real);
    int32_t *whole_value = malloc((size_t)(n + 1) * sizeof *whole_value);
    bool ok = t->dtype == HG_INT32 ? hg_read_int(t, whole_value, n)
                                   : hg_read(t, real, n);
    ck_assert_msg(ok, "%s", hg_error());
    for (int64_t i = 0; i < n; i++)
        out[i] = t->dtype == HG_INT32 ? whole_value[i] : (double)real[i];
    free(real);
    free(whole_value);
    return out;
}

#endif
