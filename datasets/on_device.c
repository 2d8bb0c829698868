/* on_device.c - the arrays of a data set on a context's GPU, sent there at the
 * first batch. A set that is too large for the device stays on the host, and
 * its batches are sent one by one. */
#include "datasets/on_device.h"

static bool (*const gather)(hg_context *, const hg_gather_job *) =
    HG_CUDA(hg_gather_on_device);

/* The arrays are those of the host: parts of a set share them, and one part
 * may reach further than another. */
typedef struct resident resident;
struct resident {
    resident *next;
    const void *here;
    void *there; /* NULL: does not fit */
    size_t bytes;
};

static resident *find(const hg_context *context, const void *here, size_t bytes)
{
    resident *r = context->residents;
    while (r && (r->here != here || r->bytes < bytes))
        r = r->next;
    return r;
}

/* Half of what is free is left to the model. */
static bool fits(hg_context *context, size_t bytes)
{
    return bytes <= hg_device_free(context) / 2;
}

static const void *array_there(hg_context *context, const void *here,
                               size_t bytes)
{
    resident *r = find(context, here, bytes);
    if (r)
        return r->there;
    r = hg_region_take(&context->region, sizeof *r);
    if (!r)
        return NULL;
    *r = (resident){context->residents, here, NULL, bytes};
    if (fits(context, bytes)) {
        r->there = hg_device_allocate(context, bytes);
        if (!r->there || !hg_device_upload(context, r->there, here, bytes))
            return NULL;
        context->device_data += bytes;
    }
    context->residents = r;
    return r->there;
}

void hg_data_leave_device(hg_context *context, const void *here)
{
    for (resident *r; here && (r = find(context, here, 0));) {
        hg_device_release(context, r->there, r->there ? r->bytes : 0);
        context->device_data -= r->there ? r->bytes : 0;
        r->here = r->there = NULL;
    }
}

enum { MOST_ITEMS = 4096 }; /* whose rows go through the control block */

static size_t value_bytes(const hg_data *data)
{
    return (size_t)(data->rows * data->features) * hg_value_size(data->kind);
}

static size_t label_bytes(const hg_data *data)
{
    return (size_t)data->rows * sizeof(int32_t);
}

/* As far as the set reaches: chosen items are fewer than rows. */
static size_t order_bytes(const hg_data *data)
{
    return (size_t)(data->first + data->size) * sizeof(int32_t);
}

enum { QUANTILE_BYTES = (HG_QUANTILES + 1) * sizeof(float) };

static bool table_there(const hg_data *data, const void *table, size_t bytes)
{
    return !table || array_there(data->context, table, bytes);
}

bool hg_data_is_there(const hg_data *data, int64_t size)
{
    hg_context *context = data->context;
    return context->gpu && !data->mapping && size && size <= MOST_ITEMS &&
           array_there(context, data->values, value_bytes(data)) &&
           table_there(data, data->labels, label_bytes(data)) &&
           table_there(data, data->order, order_bytes(data)) &&
           table_there(data, data->transforms.quantile, QUANTILE_BYTES);
}

static const void *table_at(const hg_data *data, const void *table,
                            size_t bytes)
{
    return table ? find(data->context, table, bytes)->there : NULL;
}

static void put_transforms(const hg_data *data, hg_gather_job *job)
{
    const hg_transforms *t = &data->transforms;
    job->quantile = table_at(data, t->quantile, QUANTILE_BYTES);
    job->height = data->item.dim[1];
    job->width = data->item.dim[2];
    job->seed = data->context->control.seed;
    job->transforms = t->count;
    for (int i = 0; i < t->count; i++)
        job->transform[i] =
            (hg_gather_transform){t->list[i].kind, t->list[i].amount};
}

/* What is the same for every batch. */
static hg_gather_job job_of(const hg_data *data)
{
    hg_context *context = data->context;
    hg_gather_job job;
    memset(&job, 0, sizeof job); /* compared byte by byte */
    job.values = find(context, data->values, value_bytes(data))->there;
    job.labels = table_at(data, data->labels, label_bytes(data));
    job.sorted = table_at(data, data->order, order_bytes(data));
    job.permuted = data->permuted;
    if (data->permuted)
        job.split = data->split;
    job.first = data->first;
    job.features = data->features;
    job.kind = data->kind;
    job.low = data->low;
    job.span = data->span;
    if (data->transforms.count)
        put_transforms(data, &job);
    return job;
}

static const int32_t *put_rows(const hg_data *data, const int64_t *rows,
                               int64_t size)
{
    size_t bytes = (size_t)size * sizeof(int32_t);
    int32_t *row = hg_region_take(&hg_scope_here()->owner.region, bytes);
    for (int64_t i = 0; row && i < size; i++)
        row[i] = (int32_t)rows[i];
    return row ? hg_control_put(data->context, row, bytes) : NULL;
}

bool hg_data_gather(const hg_data *data, const int64_t *rows,
                    const hg_gather_turn *turn, hg_batch *b)
{
    hg_context *context = data->context;
    hg_gather_job job = job_of(data);
    job.turn = hg_control_put(context, turn, sizeof *turn);
    job.row = rows ? put_rows(data, rows, b->size) : NULL;
    if (!job.turn || (rows && !job.row))
        return false;
    job.size = b->size;
    job.x = hg_tensor_data(b->x);
    job.target = b->target == b->x ? NULL : hg_tensor_data(b->target);
    job.index = hg_tensor_data(b->index);
    job.label = b->label ? hg_tensor_data(b->label) : NULL;
    return gather(context, &job);
}
