/* report.c - named terms of the log: running sums that live in the context,
 * and on its device, where nobody waits for a value that is only reported. */
#include "autograd/internal.h"
#include "tensor/device.h"

#include <string.h>

enum { MOST = HG_ECHO_BYTES / sizeof(double) };

typedef struct {
    const char *name;
    double sum;
    int64_t count; /* of elements since the mean was asked for */
} term;

/* Terms as they were once. */
typedef struct {
    int64_t tag;
    bool echo; /* what a device had added up is on its way */
    int terms;
    double sum[MOST];
    int64_t count[MOST];
} note;

typedef struct {
    term list[MOST];
    int terms;
    double *there; /* [MOST], added up on the device, or NULL */
    bool added;    /* since they were collected */
    /* Notes that were not taken yet, a ring; each has the device's slot of
     * its place. */
    note ring[HG_REPORT_NOTES], taken;
    int oldest, waiting;
} reports;

_Static_assert((int)HG_REPORT_NOTES <= (int)HG_ECHOES, "a note has a slot");

/* ---- Terms -------------------------------------------------------------- */

static term *find(const hg_context *context, const char *name)
{
    reports *all = context && name ? context->reports : NULL;
    for (int i = 0; all && i < all->terms; i++)
        if (!strcmp(all->list[i].name, name))
            return &all->list[i];
    return NULL;
}

static reports *reports_of(hg_context *context)
{
    if (!context->reports)
        context->reports =
            hg_region_take_zeroed(&context->region, sizeof(reports));
    return context->reports;
}

/* A new name goes to the end, so that names keep their order. */
static term *add(hg_context *context, const char *name)
{
    reports *all = reports_of(context);
    if (!all)
        return NULL;
    if (all->terms == MOST) {
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_report: %s would be term number %d, and there is room for "
                "%d; report sums of some",
                name, MOST + 1, MOST);
        return NULL;
    }
    term *t = &all->list[all->terms];
    t->name = hg_region_text(&context->region, name);
    all->terms += t->name != NULL;
    return t->name ? t : NULL;
}

static double sum_of(const hg_real *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i];
    return sum;
}

static bool open_there(reports *all, hg_context *context)
{
    size_t bytes = MOST * sizeof *all->there;
    if (!all->there)
        all->there = hg_region_take(&context->there, bytes);
    return all->there && hg_zero_values(context, all->there, bytes);
}

/* Queued. */
static void add_there(term *r, hg_context *context, hg_tensor *t)
{
    reports *all = context->reports;
    const hg_tensor *dense = hg_dense(t);
    if (!dense || (!all->there && !open_there(all, context)))
        return;
    if (!hg_device_add(context, all->there + (r - all->list), hg_data(dense),
                       hg_numel(t)))
        return;
    r->count += hg_numel(t);
    all->added = true;
}

/* What the device has added up since goes to the host's sums. */
static bool collect(hg_context *context)
{
    reports *all = context->reports;
    double there[MOST];
    if (!all || !all->added)
        return true;
    all->added = false;
    if (!hg_device_download(context, there, all->there, sizeof there) ||
        !open_there(all, context))
        return false;
    for (int i = 0; i < all->terms; i++)
        all->list[i].sum += there[i];
    return true;
}

static void add_values(term *r, hg_scope *s, const hg_tensor *t)
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
    static const char what[] = "hg_report: the tensor";
    hg_scope *s = hg_scope_here();
    if (!s || !hg_usable(t, what) || !hg_of_scope(t, what))
        return;
    if (s->owner.context->mute)
        return;
    if (!name || t->dtype != HG_REAL) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_report: needs a name and real values");
        return;
    }
    term *r = find(s->owner.context, name);
    if (!r)
        r = add(s->owner.context, name);
    if (r && s->owner.context->gpu)
        add_there(r, s->owner.context, t);
    else if (r)
        add_values(r, s, t);
}

/* ---- Sums of this moment, waited for ------------------------------------ */

bool hg_report_mean(hg_context *context, const char *name, hg_real *mean)
{
    term *r = find(context, name);
    if (!r || !r->count || !collect(context))
        return false;
    *mean = (hg_real)(r->sum / (double)r->count);
    r->sum = 0;
    r->count = 0;
    return true;
}

bool hg_report_sum(hg_context *context, const char *name, double *sum,
                   int64_t *count)
{
    term *r = find(context, name);
    if (!r || !collect(context))
        return false;
    *sum = r->sum;
    *count = r->count;
    return true;
}

bool hg_report_set(hg_context *context, const char *name, double sum,
                   int64_t count)
{
    term *r = find(context, name);
    if (!context || !name)
        return hg_fail(HG_ERROR_ARGUMENT, "hg_report_set: needs a context and "
                                          "a name");
    if (!r && !(r = add(context, name)))
        return false;
    if (!collect(context))
        return false;
    r->sum = sum;
    r->count = count;
    return true;
}

const char *hg_report_name(const hg_context *context, int i)
{
    const reports *all = context ? context->reports : NULL;
    return all && i >= 0 && i < all->terms ? all->list[i].name : NULL;
}

/* ---- Sums of a moment ago, not waited for ------------------------------- */

static void fill_note(note *n, const reports *all, int64_t tag)
{
    n->tag = tag;
    n->echo = all->there != NULL;
    n->terms = all->terms;
    for (int i = 0; i < all->terms; i++) {
        n->sum[i] = all->list[i].sum;
        n->count[i] = all->list[i].count;
    }
}

bool hg_report_note(hg_context *context, int64_t tag)
{
    if (hg_error() || !hg_context_usable(context, "hg_report_note"))
        return false;
    reports *all = reports_of(context);
    if (!all)
        return false;
    if (all->waiting == HG_REPORT_NOTES)
        return hg_fail(HG_ERROR_STATE,
                       "hg_report_note: %d notes wait already; take the "
                       "oldest first (hg_report_take)",
                       HG_REPORT_NOTES);
    int at = (all->oldest + all->waiting) % HG_REPORT_NOTES;
    fill_note(&all->ring[at], all, tag);
    if (all->there &&
        !hg_device_echo(context, at, all->there, MOST * sizeof(double)))
        return false;
    all->waiting++;
    return true;
}

bool hg_report_take(hg_context *context, bool wait, int64_t *tag)
{
    reports *all = context ? context->reports : NULL;
    if (!all || !all->waiting)
        return false;
    note *n = &all->ring[all->oldest];
    const double *there =
        n->echo ? hg_device_echoed(context, all->oldest, wait) : NULL;
    if (n->echo && !there)
        return false;
    for (int i = 0; there && i < n->terms; i++)
        n->sum[i] += there[i];
    all->taken = *n;
    all->oldest = (all->oldest + 1) % HG_REPORT_NOTES;
    all->waiting--;
    *tag = n->tag;
    return true;
}

bool hg_report_noted(const hg_context *context, const char *name, double *sum,
                     int64_t *count)
{
    const term *r = find(context, name);
    const reports *all = context ? context->reports : NULL;
    int64_t i = r ? r - all->list : 0;
    if (!r || i >= all->taken.terms)
        return false;
    *sum = all->taken.sum[i];
    *count = all->taken.count[i];
    return true;
}
