/* report.c - named terms of the log: running sums that live in the context.
 */
#include "autograd/internal.h"
#include "tensor/device.h"

#include <string.h>

typedef struct report report;
struct report {
    report *next;
    const char *name;
    double sum;
    double *there; /* the sum on a device, where the host does not wait */
    int64_t count; /* of elements since the mean was asked for */
};

static report *find(const hg_context *context, const char *name)
{
    report *r = context->reports;
    while (r && strcmp(r->name, name))
        r = r->next;
    return r;
}

/* A new name goes to the end, so that names keep their order. */
static report *add(hg_context *context, const char *name)
{
    report *r = hg_region_take_zeroed(&context->region, sizeof *r);
    if (!r || !(r->name = hg_region_text(&context->region, name)))
        return NULL;
    if (!context->reports)
        return context->reports = r;
    report *last = context->reports;
    while (last->next)
        last = last->next;
    return last->next = r;
}

static double sum_of(const hg_real *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i];
    return sum;
}

/* Queued: nobody waits for a value that is only reported. */
static void add_there(report *r, hg_context *context, hg_tensor *t)
{
    const hg_tensor *dense = hg_dense(t);
    if (!r->there) {
        static const double zero = 0;
        r->there = hg_region_take(&context->there, sizeof *r->there);
        if (!r->there ||
            !hg_device_upload(context, r->there, &zero, sizeof zero))
            return;
    }
    if (dense && hg_device_add(context, r->there, hg_data(dense), hg_numel(t)))
        r->count += hg_numel(t);
}

/* What the device has added up since goes to the host's sum. */
static bool collect(report *r, hg_context *context)
{
    static const double zero = 0;
    double there = 0;
    if (r->there &&
        (!hg_device_download(context, &there, r->there, sizeof there) ||
         !hg_device_upload(context, r->there, &zero, sizeof zero)))
        return false;
    r->sum += there;
    return true;
}

static void add_values(report *r, hg_scope *s, const hg_tensor *t)
{
    size_t bytes = (size_t)hg_numel(t) * sizeof(hg_real);
    hg_real *dense = hg_region_take(&s->owner.region, bytes);
    if (!dense || !hg_gather_values(t, dense))
        return;
    r->sum += sum_of(dense, hg_numel(t));
    r->count += hg_numel(t);
    hg_region_give(&s->owner.region, dense, bytes);
}

void hg_report(const char *name, hg_tensor *t)
{
    hg_scope *s = hg_scope_here();
    if (!s || !hg_usable(t, "hg_report: the tensor"))
        return;
    if (s->owner.context->mute)
        return;
    if (!name || t->dtype != HG_REAL) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_report: needs a name and real values");
        return;
    }
    report *r = find(s->owner.context, name);
    if (!r)
        r = add(s->owner.context, name);
    if (r && s->owner.context->gpu)
        add_there(r, s->owner.context, t);
    else if (r)
        add_values(r, s, t);
}

bool hg_report_mean(hg_context *context, const char *name, hg_real *mean)
{
    report *r = context && name ? find(context, name) : NULL;
    if (!r || !r->count || !collect(r, context))
        return false;
    *mean = (hg_real)(r->sum / (double)r->count);
    r->sum = 0;
    r->count = 0;
    return true;
}

bool hg_report_sum(hg_context *context, const char *name, double *sum,
                   int64_t *count)
{
    report *r = context && name ? find(context, name) : NULL;
    if (!r || !collect(r, context))
        return false;
    *sum = r->sum;
    *count = r->count;
    return true;
}

bool hg_report_set(hg_context *context, const char *name, double sum,
                   int64_t count)
{
    report *r = context && name ? find(context, name) : NULL;
    if (!r && context && name)
        r = add(context, name);
    if (!r)
        return hg_fail(HG_ERROR_ARGUMENT, "hg_report_set: needs a context and "
                                          "a name");
    if (!collect(r, context))
        return false;
    r->sum = sum;
    r->count = count;
    return true;
}

const char *hg_report_name(const hg_context *context, int i)
{
    const report *r = context ? context->reports : NULL;
    for (; r && i > 0; i--)
        r = r->next;
    return r && i == 0 ? r->name : NULL;
}
