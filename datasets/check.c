/* check.c - are the values and labels of a set what its options say? */
#include "datasets/internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What a batch holds of values that no range maps. */
#ifdef HG_DOUBLE
#define GREATEST DBL_MAX
#define FINITE   "finite numbers"
#else
#define GREATEST ((double)FLT_MAX)
#define FINITE   "finite numbers of float32"
#endif

typedef struct {
    double least, greatest;
    int64_t bad, first_bad; /* NaN, infinite or out of range */
} survey;

static double value_at(const hg_data *data, int64_t i)
{
    if (data->kind == HG_BYTES)
        return ((const uint8_t *)data->values)[i];
    if (data->kind == HG_FLOATS)
        return (double)((const float *)data->values)[i];
    return ((const double *)data->values)[i];
}

/* The least and the greatest are of the finite values. */
static survey survey_values(const hg_data *data, double low, double high)
{
    survey s = {INFINITY, -INFINITY, 0, -1};
    for (int64_t i = 0, n = data->rows * data->features; i < n; i++) {
        double v = value_at(data, i);
        if (!(v >= low && v <= high) && !s.bad++)
            s.first_bad = i;
        if (v < s.least && v >= -GREATEST)
            s.least = v;
        if (v > s.greatest && v <= GREATEST)
            s.greatest = v;
    }
    return s;
}

static bool refuse_values(const hg_data *data, survey s, hg_data_options o)
{
    char range[96] = FINITE, seen[96] = "";
    if (o.low < o.high)
        snprintf(range, sizeof range, "values in the declared range [%g, %g]",
                 o.low, o.high);
    if (s.least <= s.greatest)
        snprintf(seen, sizeof seen, "; finite ones go from %g to %g", s.least,
                 s.greatest);
    return hg_fail(
        HG_ERROR_DATA,
        "%s: %lld of %lld values are not %s (the first, %g, is "
        "feature %lld of item %lld%s); mend or leave out those items",
        data->name, (long long)s.bad, (long long)(data->rows * data->features),
        range, value_at(data, s.first_bad),
        (long long)(s.first_bad % data->features),
        (long long)(s.first_bad / data->features), seen);
}

static bool check_options(hg_data_options o)
{
    bool declared = o.low != 0 || o.high != 0; /* NaN counts as declared */
    if (declared && !(o.low < o.high && o.low >= -DBL_MAX && o.high <= DBL_MAX))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "data options: the range [%g, %g] is not one; low must "
                       "be below high, both finite (or both 0 for as it is)",
                       o.low, o.high);
    return true;
}

/* They were checked when they were packed, perhaps for doubles. */
static bool packed_values_fit(const hg_data *data)
{
    const double *range = data->range;
    return (range[0] >= -GREATEST && range[1] <= GREATEST) ||
           hg_fail(HG_ERROR_DATA,
                   "%s: its values go from %g to %g and are not all " FINITE
                   "; declare their range when you pack it",
                   data->name, range[0], range[1]);
}

static bool check_values(hg_data *data, hg_data_options o)
{
    bool declared = o.low < o.high;
    if (data->mapped && !declared)
        return packed_values_fit(data);
    data->low = declared ? o.low : 0;
    data->span = declared ? o.high - o.low : 1;
    data->range[1] = 1;
    if (data->kind == HG_BYTES && !declared) {
        data->span = 255;
        return true;
    }
    survey s = survey_values(data, declared ? o.low : -GREATEST,
                             declared ? o.high : GREATEST);
    if (s.bad)
        return refuse_values(data, s, o);
    if (!declared && s.least <= s.greatest) {
        data->range[0] = s.least;
        data->range[1] = s.greatest;
    }
    return true;
}

static bool check_labels(hg_data *data)
{
    int32_t most = -1;
    for (int64_t i = 0; data->labels && i < data->rows; i++) {
        int32_t label = data->labels[i];
        if (label < 0 || label == INT32_MAX)
            return hg_fail(HG_ERROR_DATA,
                           "%s: label %d of item %lld is no class; classes are "
                           "counted from 0",
                           data->name, label, (long long)i);
        most = label > most ? label : most;
    }
    data->classes = most + 1;
    if (data->classes < data->named_classes)
        data->classes = data->named_classes;
    return true;
}

bool hg_data_finish(hg_data *data, hg_data_options options)
{
    hg_data *test = data->test;
    if (!check_options(options) || !check_values(data, options) ||
        !check_labels(data))
        return false;
    if (!test)
        return true;
    if (!hg_shape_equal(data->item, test->item))
        return hg_fail(HG_ERROR_DATA,
                       "%s: training items are %s but test items %s; both must "
                       "have one shape",
                       data->name, HG_SHAPE_TEXT(data->item),
                       HG_SHAPE_TEXT(test->item));
    if (test->values == data->values) /* one array, checked as a whole */
        test->low = data->low, test->span = data->span,
        memcpy(test->range, data->range, sizeof test->range);
    else if (!check_values(test, options) || !check_labels(test))
        return false;
    if (test->classes > data->classes)
        data->classes = test->classes;
    test->classes = data->classes;
    return true;
}
