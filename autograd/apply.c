/* apply.c - the funnel. Every operation passes here, so every policy lives
 * here: pending errors, shape rules, devices, allocation, recording, versions
 * and the hunt for NaN. */
#include "autograd/internal.h"
#include "autograd/parts.h"

#include <string.h>

static bool count_fits(const hg_op *op, int count)
{
    if (count > HG_MAX_INPUTS || (op->arity >= 0 && op->arity != count))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "takes %d inputs (at most %d), got %d", op->arity,
                       HG_MAX_INPUTS, count);
    return true;
}

static bool inputs_usable(const hg_op *op, hg_tensor *const *in, int count)
{
    static const char *const names[] = {"input 0", "input 1", "input 2",
                                        "input 3", "input 4", "input 5",
                                        "input 6", "input 7"};
    for (int i = 0; i < count; i++) {
        if (!hg_usable(in[i], names[i]) || !hg_of_scope(in[i], names[i]))
            return false;
        if (in[i]->dtype == HG_INT32 && !(op->int_inputs >> i & 1))
            return hg_fail(HG_ERROR_ARGUMENT,
                           "input %d holds int32 values, real ones are "
                           "needed; convert it with hg_real_of",
                           i);
        if (in[i]->dtype == HG_REAL && op->int_inputs >> (16 + i) & 1)
            return hg_fail(HG_ERROR_ARGUMENT,
                           "input %d holds real values, int32 indices are "
                           "needed; convert it with hg_int_of",
                           i);
    }
    return true;
}

static bool gather_inputs(const hg_op *op, hg_tensor *const *in, int count,
                          hg_tensor *draft)
{
    draft->arity = count;
    for (int i = 0; i < count; i++) {
        draft->in[i] = op->contiguous ? hg_dense(in[i]) : in[i];
        if (!draft->in[i])
            return false;
    }
    return true;
}

static hg_tensor *result_of(const hg_op *op, hg_scope *s,
                            const hg_tensor *draft)
{
    hg_dtype dtype = op->out_int ? HG_INT32 : HG_REAL;
    hg_tensor *z = op->view ? hg_tensor_view(&s->owner, draft->in[0])
                            : hg_tensor_new(&s->owner, draft->shape, dtype);
    if (!z)
        return NULL;
    z->op = op;
    z->arity = draft->arity;
    z->shape = draft->shape;
    memcpy(z->in, draft->in, (size_t)z->arity * sizeof z->in[0]);
    z->name = hg_ambient_here()->path;
    hg_block_of(z)->mode = s->mode;
    if (op->attr_size) {
        void *attr = hg_region_take(&s->owner.region, op->attr_size);
        if (!attr) {
            hg_tensor_drop(z);
            return NULL;
        }
        z->attr = memcpy(attr, draft->attr, op->attr_size);
    }
    return z;
}

/* A stride along an axis of size 1 says nothing: kernels see the dense one. */
static void dense_where_one(hg_shape shape, int64_t stride[HG_MAX_RANK])
{
    int64_t step = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        if (shape.dim[i] == 1)
            stride[i] = step;
        step = stride[i] * shape.dim[i];
    }
}

/* A queued operation: its attributes were copied behind it. */
static hg_kernel queued(const void *arguments)
{
    hg_kernel k = *(const hg_kernel *)arguments;
    if (k.op->attr_size)
        k.attr = HG_QUEUED_AFTER(arguments, sizeof k);
    return k;
}

static void run_queued(hg_stream *stream, const void *arguments)
{
    hg_kernel k = queued(arguments);
    k.stream = stream;
    k.op->cuda(&k);
}

void hg_run_without_last(hg_stream *stream, const void *arguments)
{
    hg_kernel k = queued(arguments);
    k.stream = stream;
    k.arity--;
    k.op->cuda(&k);
}

static int parts_of_queued(const void *arguments, hg_part *parts)
{
    hg_kernel k = queued(arguments);
    return k.op->parts ? k.op->parts(&k, parts) : 0;
}

static const hg_work operation = {run_queued, parts_of_queued};

/* What differs from step to step must not be part of what is compared. */
static bool queue(hg_kernel *k)
{
    const void *attr = k->attr;
    k->step = 0;
    k->step_at = hg_control_step(k->context);
    k->attr = NULL;
    return !k->n || hg_queue(k->context, k->op->name, &operation, k, sizeof *k,
                             attr, k->op->attr_size);
}

/* Neither padding nor unused axes are copied: a device compares calls byte by
 * byte. */
static void copy_shape(hg_shape *to, const hg_shape *from)
{
    to->rank = from->rank;
    memcpy(to->dim, from->dim, (size_t)from->rank * sizeof to->dim[0]);
}

static bool launch(const hg_op *op, hg_context *context, hg_tensor *z)
{
    hg_kernel k;
    if (context->gpu)
        memset(&k, 0, sizeof k);
    k.out = hg_data(z);
    copy_shape(&k.out_shape, &z->shape);
    k.arity = z->arity;
    for (int i = 0; i < z->arity; i++) {
        k.in[i] = hg_data(z->in[i]);
        int rank = z->in[i]->shape.rank;
        copy_shape(&k.in_shape[i], &z->in[i]->shape);
        memcpy(k.in_stride[i], z->in[i]->stride,
               (size_t)rank * sizeof k.in_stride[i][0]);
        dense_where_one(k.in_shape[i], k.in_stride[i]);
    }
    k.n = hg_numel(z);
    k.attr = z->attr;
    k.op = op;
    k.stream = NULL;
    k.context = context;
    k.seed = context->control.seed;
    k.step = context->control.step;
    k.domain = context->control.domain;
    k.threads = context->threads;
    k.isa = context->isa;
    k.precision = context->precision;
    k.reference = context->reference;
    k.step_at = NULL;
    if (context->gpu)
        return queue(&k);
    context->launches++;
    op->cpu(&k);
    return true;
}

/* A gradient that the user builds on must not be recycled when its leaf is
 * cleared: it then lives as long as the scope. */
static void keep_gradients(const hg_tensor *z)
{
    for (int i = 0; i < z->arity; i++) {
        hg_block_of(z->in[i])->temporary = false;
        hg_base_of(z->in[i])->temporary = false;
    }
}

/* Is the result recorded: does a gradient have to pass through it? */
static void record(const hg_op *op, hg_scope *s, hg_tensor *z)
{
    hg_block *b = hg_block_of(z);
    bool wanted = false;
    for (int i = 0; i < z->arity; i++) {
        wanted |= z->in[i]->wants_grad;
        b->in_version[i] = z->in[i]->storage->version;
    }
    b->out_version = z->storage->version;
    if (!wanted || !op->backward || !(s->mode & HG_RECORD))
        return;
    z->wants_grad = true;
    b->recorded = true;
    b->serial = ++s->owner.context->serial;
    b->earlier = s->tape_newest;
    if (s->tape_newest)
        s->tape_newest->later = b;
    else
        s->tape_oldest = b;
    s->tape_newest = b;
}

static hg_tensor *apply(const hg_op *op, const void *attr, hg_tensor *const *in,
                        int count)
{
    hg_scope *s = hg_scope_here();
    hg_tensor draft = {.op = op, .attr = attr};
    if (!s || !count_fits(op, count) || !inputs_usable(op, in, count) ||
        !gather_inputs(op, in, count, &draft))
        return NULL;
    if (op->attr_size && !attr) {
        hg_fail(HG_ERROR_ARGUMENT, "its attributes are NULL");
        return NULL;
    }
    if (!op->shape(&draft, &draft.shape)) {
        hg_fail(HG_ERROR_SHAPE, "the shapes do not fit");
        return NULL;
    }
    if (!hg_shape_legal(draft.shape))
        return NULL;
    if (!op->view && !(s->owner.context->gpu ? op->cuda : op->cpu)) {
        hg_fail(HG_ERROR_DEVICE, "there is no kernel for device %s",
                s->owner.context->device);
        return NULL;
    }
    hg_tensor *z = result_of(op, s, &draft);
    if (!z)
        return NULL;
    if (op->view)
        op->view(z);
    else if (!launch(op, s->owner.context, z))
        return NULL;
    record(op, s, z);
    if (!s->owner.context->in_pass && (op->view || z->wants_grad))
        keep_gradients(z);
    if (s->owner.context->anomaly && !hg_anomaly_check(z))
        return NULL;
    return hg_error() ? NULL : z;
}

hg_tensor *hg_apply_n(const hg_op *op, const void *attr,
                      hg_tensor *const *inputs, int count)
{
    hg_ambient *here = hg_ambient_here();
    if (here->code)
        return NULL;
    if (!op || !op->shape) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_apply: the operation %s",
                op ? "has no shape rule" : "is NULL");
        return NULL;
    }
    const char *outer = here->op;
    here->op = op->name;
    hg_tensor *z = apply(op, attr, inputs, count);
    here->op = outer;
    return z;
}

bool hg_needs(const hg_tensor *z, int i)
{
    return hg_block_of(z)->needs >> i & 1;
}

bool hg_creates_graph(const hg_tensor *z)
{
    return z->storage->context->create_graph;
}
