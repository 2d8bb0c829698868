/* gradient.c - what is done with the gradients of whole sets: clearing,
 * clipping, and a backward into chosen sets. */
#include "nn/on_device.h"
#include "autograd/internal.h"
#include "tensor/cpu.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const hg_update_table *hg_update_kernels(const hg_context *context)
{
#if defined(__x86_64__) && !defined(HG_DOUBLE)
    if (!context->reference && context->isa == HG_ISA_V4)
        return &hg_update_v4;
    if (!context->reference && context->isa == HG_ISA_V3)
        return &hg_update_v3;
#endif
    (void)context;
    return &hg_update_base;
}

void hg_zero_grad(hg_params *p)
{
    hg_entries e = p ? hg_entries_below(p) : (hg_entries){0, 0};
    for (int64_t i = e.from; i < e.to; i++)
        hg_clear_gradient(p->store->sorted[i]->tensor);
}

/* "encoder" of the set with the prefix "encoder.". */
static void add_set_name(char *text, size_t size, const hg_params *p, int count)
{
    char name[64] = "the whole store";
    if (p->prefix[0])
        snprintf(name, sizeof name, "%.*s", (int)strlen(p->prefix) - 1,
                 p->prefix);
    hg_add_name(text, size, name, count);
}

/* Each context counts its own marks: one of another could be ours too. */
static bool set_is_of(const hg_params *set, const hg_tensor *loss, int i)
{
    return hg_params_context(set) == loss->storage->context ||
           hg_fail(HG_ERROR_ARGUMENT,
                   "hg_backward_to: set %d (\"%s\") belongs to another context "
                   "than the loss",
                   i, set->prefix);
}

bool hg_backward_to_n(hg_tensor *loss, hg_params *const *sets, int n)
{
    if (!hg_usable(loss, "hg_backward_to: the loss"))
        return false;
    if (n < 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_backward_to: no set of parameters is given");
    for (int i = 0; i < n; i++)
        if (!hg_params_usable(sets[i], "hg_backward_to") ||
            !set_is_of(sets[i], loss, i))
            return false;
    uint64_t mark = ++hg_params_context(sets[0])->serial;
    char who[200] = "hg_backward_to: ";
    for (int i = 0; i < n; i++) {
        hg_mark_set(sets[i], mark);
        add_set_name(who, sizeof who, sets[i], i);
    }
    return hg_backward_among(loss, &(hg_leaves){hg_is_marked, &mark, who});
}

/* ---- Clipping ----------------------------------------------------------- */

const hg_real *hg_dense_gradient(hg_tensor *leaf)
{
    hg_tensor *home = hg_block_of(leaf)->grad_home;
    if (hg_is_contiguous(leaf->grad))
        return hg_data(leaf->grad);
    hg_copy_values(home, leaf->grad);
    home->storage->version++;
    return hg_data(home);
}

#define CHUNK  8192 /* elements; fixed, so that threads change no bit */
#define CHUNKS 256

typedef struct {
    const hg_update_table *kernels;
    const hg_real *g;
    int64_t n;
    hg_real most;
    double sum[CHUNKS];
} squares_job;

static void square_chunks(void *argument, int64_t from, int64_t to)
{
    squares_job *job = argument;
    for (int64_t c = from; c < to; c++) {
        int64_t rest = job->n - c * CHUNK;
        job->sum[c] = job->kernels->squares(
            job->g + c * CHUNK, rest < CHUNK ? rest : CHUNK, job->most);
    }
}

double hg_sum_of_squares(hg_context *context, const hg_real *g, int64_t n,
                         hg_real most)
{
    if (context->gpu)
        return hg_squares_on_device(context, g, n, most);
    squares_job job = {.kernels = hg_update_kernels(context), .most = most};
    double sum = 0;
    for (int64_t from = 0; from < n; from += (int64_t)CHUNK * CHUNKS) {
        int64_t rest = n - from, whole = (int64_t)CHUNK * CHUNKS;
        job.g = g + from;
        job.n = rest < whole ? rest : whole;
        int64_t chunks = (job.n + CHUNK - 1) / CHUNK;
        hg_parallel_for(context->threads, chunks, 4, square_chunks, &job);
        for (int64_t c = 0; c < chunks; c++)
            sum += job.sum[c];
    }
    return sum;
}

hg_real hg_clip_factor(hg_real norm, hg_real most)
{
    hg_real factor = most / (norm + (hg_real)1e-6);
    return factor > 1 ? 1 : factor;
}

/* The gradient in the leaf's own buffer, cut and scaled: others may look at
 * the buffer it was in. */
static void rewrite(hg_tensor *leaf, hg_real most, hg_real factor)
{
    hg_tensor *home = hg_block_of(leaf)->grad_home;
    const hg_real *g = hg_dense_gradient(leaf);
    hg_real *out = hg_data(home);
    hg_context *context = leaf->storage->context;
    if (context->gpu)
        hg_rework_each(context, &(hg_rework_row){out, g, NULL, hg_numel(leaf)},
                       1, HG_REWORK_CUT, factor, most);
    for (int64_t i = 0, n = hg_numel(leaf); !context->gpu && i < n; i++) {
        hg_real low = g[i] < -most ? -most : g[i];
        out[i] = (low > most ? most : low) * factor;
    }
    home->storage->version++;
    hg_clear_gradient(leaf);
    leaf->grad = home;
}

static bool bound_is_legal(hg_params *p, hg_real most, const char *who)
{
    if (!hg_params_usable(p, who))
        return false;
    return most > 0 ||
           hg_fail(HG_ERROR_ARGUMENT, "%s: the bound %g is not positive", who,
                   (double)most);
}

hg_real hg_clip_grad_norm(hg_params *p, hg_real most)
{
    if (!bound_is_legal(p, most, "hg_clip_grad_norm"))
        return 0;
    double sum = 0;
    hg_entries e = hg_entries_below(p);
    for (int64_t i = e.from; i < e.to; i++) {
        hg_tensor *t = p->store->sorted[i]->tensor;
        if (t->grad)
            sum += hg_sum_of_squares(hg_params_context(p), hg_dense_gradient(t),
                                     hg_numel(t), (hg_real)INFINITY);
    }
    hg_real norm = (hg_real)sqrt(sum), factor = hg_clip_factor(norm, most);
    for (int64_t i = e.from; i < e.to && factor != 1; i++)
        if (p->store->sorted[i]->tensor->grad)
            rewrite(p->store->sorted[i]->tensor, (hg_real)INFINITY, factor);
    return norm;
}

void hg_clip_grad_value(hg_params *p, hg_real most)
{
    if (!bound_is_legal(p, most, "hg_clip_grad_value"))
        return;
    hg_entries e = hg_entries_below(p);
    for (int64_t i = e.from; i < e.to; i++)
        if (p->store->sorted[i]->tensor->grad)
            rewrite(p->store->sorted[i]->tensor, most, 1);
}
