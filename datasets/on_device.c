/* on_device.c - the arrays of a data set on a context's GPU, sent there at the
 * first batch. A set that is too large for the device stays on the host, and
 * its batches are sent one by one. */
#include "datasets/on_device.h"

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

bool hg_data_is_there(const hg_data *data, int64_t size)
{
    hg_context *context = data->context;
    bool as_it_is = !data->transforms.count && !data->mapping;
    return context->gpu && as_it_is && size && size <= MOST_ITEMS &&
           array_there(context, data->values, value_bytes(data)) &&
           (!data->labels ||
            array_there(context, data->labels, label_bytes(data)));
}

bool hg_data_gather_there(const hg_data *data, const int64_t *source,
                          const int32_t *row, int64_t size, hg_batch *b)
{
    hg_context *context = data->context;
    size_t first = (size_t)size * sizeof *source;
    size_t second = (size_t)size * sizeof *row;
    char *both = hg_region_take(&hg_scope_here()->owner.region, first + second);
    if (!both)
        return false;
    memcpy(both, source, first);
    memcpy(both + first, row, second);
    const char *there = hg_control_put(context, both, first + second);
    hg_gather_job job;
    memset(&job, 0, sizeof job); /* compared byte by byte */
    job.values = find(context, data->values, value_bytes(data))->there;
    if (data->labels)
        job.labels = find(context, data->labels, label_bytes(data))->there;
    job.source = (const int64_t *)there;
    job.row = (const int32_t *)(there + first);
    job.size = size;
    job.features = data->features;
    job.kind = data->kind;
    job.low = data->low;
    job.span = data->span;
    job.x = hg_tensor_data(b->x);
    job.index = hg_tensor_data(b->index);
    job.label = b->label ? hg_tensor_data(b->label) : NULL;
    return there && hg_gather_on_device(context, &job);
}
