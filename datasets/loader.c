/* loader.c - batches: one pass that gathers rows and scales them.
 *
 * Where the next batch comes from is a function of (seed, epoch, position);
 * a loader keeps no table and no state of a generator, so that a resumed run
 * sees the batches it would have seen. */
#include "datasets/on_device.h"
#include "tensor/random.h"

struct hg_loader {
    hg_data *data;
    int64_t batch_size, epoch, position; /* in batches */
    bool shuffle, drop_last;
};

#define FEW 16 /* items whose values are fetched ahead: they fit a cache */

/* ---- Gathering ---------------------------------------------------------- */

/* Which rows make up a batch: given, or a stretch of an epoch's order. */
typedef struct {
    const hg_data *data;
    const int64_t *rows; /* or NULL: */
    int64_t first, epoch;
    bool shuffle;
    hg_permutation order; /* of the epoch, where it is shuffled */
    hg_real *x;           /* [size, features] */
    int32_t *label;       /* [size] or NULL */
    int32_t *index;       /* [size] */
    hg_real *target;      /* of transforms that spoil x, or NULL */
} gather;

static int64_t row_of(const gather *g, int64_t i)
{
    if (g->rows)
        return g->rows[i];
    if (!g->shuffle)
        return g->first + i;
    return hg_permutation_at(&g->order, g->first + i);
}

/* A batch of an epoch, from its place on. */
static gather stretch(const hg_data *data, int64_t epoch, int64_t first,
                      bool shuffle)
{
    gather g = {
        .data = data, .first = first, .epoch = epoch, .shuffle = shuffle};
    if (shuffle)
        g.order = hg_permutation_of(data->context->control.seed,
                                    (uint64_t)epoch, data->size);
    return g;
}

/* Both in hg_real: low and span of bytes are small whole numbers as a rule,
 * and v / 255 is then what every other library has. */
static void scale_bytes(const hg_data *data, const uint8_t *in, hg_real *out)
{
    hg_real low = (hg_real)data->low, span = (hg_real)data->span;
    for (int64_t i = 0, n = data->features; i < n; i++)
        out[i] = ((hg_real)in[i] - low) / span;
}

/* In double, so that a value in the range cannot be rounded out of [0, 1]. */
static void scale_floats(const hg_data *data, const float *in, hg_real *out)
{
    double low = data->low, span = data->span;
    int64_t n = data->features;
    if (low == 0 && span == 1)
        for (int64_t i = 0; i < n; i++)
            out[i] = (hg_real)in[i];
    else
        for (int64_t i = 0; i < n; i++)
            out[i] = (hg_real)(((double)in[i] - low) / span);
}

static void scale_doubles(const hg_data *data, const double *in, hg_real *out)
{
    double low = data->low, span = data->span;
    for (int64_t i = 0, n = data->features; i < n; i++)
        out[i] = (hg_real)((in[i] - low) / span);
}

/* Rows lie anywhere in the set: their way from memory is begun early. */
static void fetch_ahead(const char *item, int64_t bytes)
{
#ifdef __GNUC__
    for (int64_t i = 0; i < bytes && i < 4096; i += 64)
        __builtin_prefetch(item + i);
#else
    (void)item;
    (void)bytes;
#endif
}

static void scale_item(const hg_data *data, const char *item, hg_real *x)
{
    const void *values = item;
    if (data->kind == HG_BYTES)
        scale_bytes(data, values, x);
    else if (data->kind == HG_FLOATS)
        scale_floats(data, values, x);
    else
        scale_doubles(data, values, x);
}

static void transform_item(const gather *g, int64_t i)
{
    const hg_data *data = g->data;
    int64_t row = hg_data_source_row(data, g->index[i]), n = data->features;
    hg_item_place at = {.seed = data->context->control.seed,
                        .epoch = (uint64_t)g->epoch,
                        .row = (uint64_t)row,
                        .item = data->item,
                        .isa = data->context->isa};
    hg_transforms_apply(&data->transforms, &at, g->x + i * n,
                        g->target ? g->target + i * n : NULL);
}

/* At most FEW items. */
static void gather_few(const gather *g, int64_t from, int64_t to)
{
    const hg_data *data = g->data;
    int64_t bytes = data->features * (int64_t)hg_value_size(data->kind);
    const char *values = data->values, *item[FEW];
    for (int64_t i = from; i < to; i++) {
        int64_t row = row_of(g, i), at = hg_data_source_row(data, row);
        g->index[i] = (int32_t)row;
        if (g->label)
            g->label[i] = data->labels[at];
        item[i - from] = values + at * bytes;
        fetch_ahead(item[i - from], bytes);
    }
    for (int64_t i = from; i < to; i++) {
        scale_item(data, item[i - from], g->x + i * data->features);
        if (data->transforms.count)
            transform_item(g, i);
    }
}

static void gather_items(void *argument, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i += FEW)
        gather_few(argument, i, i + FEW < to ? i + FEW : to);
}

/* On the device the host only says which rows, or where the epoch stands. */
static bool gather_there(const gather *g, hg_batch *b)
{
    const hg_data *data = g->data;
    hg_gather_turn turn = {g->order, g->first, g->shuffle, g->epoch};
    return hg_data_gather(data, g->rows, &turn, b);
}

/* Fills `batch` in the open scope. */
static bool make_batch(gather *g, int64_t size, hg_batch *batch)
{
    const hg_data *data = g->data;
    hg_scope *s = hg_scope_here();
    if (!s)
        return false;
    if (s->owner.context != data->context)
        return hg_fail(HG_ERROR_STATE,
                       "hg_data_batch: %s belongs to another context than the "
                       "open scope; open one of its own (hg_data_context)",
                       data->name);
    hg_batch b = {.size = size, .unlabelled = !data->labels};
    hg_shape many = {1, {size}}, flat = {2, {size, data->features}};
    if (!hg_shape_legal(flat))
        return false;
    bool spoilt = hg_transforms_spoil(&data->transforms);
    b.x = b.target = hg_tensor_new(&s->owner, flat, HG_REAL);
    if (spoilt)
        b.target = hg_tensor_new(&s->owner, flat, HG_REAL);
    b.index = hg_tensor_new(&s->owner, many, HG_INT32);
    if (data->labels)
        b.label = hg_tensor_new(&s->owner, many, HG_INT32);
    if (!b.x || !b.target || !b.index || (data->labels && !b.label))
        return false;
    *batch = b;
    if (hg_data_is_there(data, size))
        return gather_there(g, batch);
    if (hg_error())
        return false;
    g->x = hg_room_for(b.x);
    g->target = spoilt ? hg_room_for(b.target) : NULL;
    g->index = hg_room_for(b.index);
    g->label = b.label ? hg_room_for(b.label) : NULL;
    if (!g->x || !g->index || (b.label && !g->label) || (spoilt && !g->target))
        return false;
    hg_parallel_for(data->context->threads, size, 1 + 32768 / data->features,
                    gather_items, g);
    return hg_send_values(b.x, g->x) && hg_send_values(b.index, g->index) &&
           (!spoilt || hg_send_values(b.target, g->target)) &&
           (!b.label || hg_send_values(b.label, g->label));
}

bool hg_data_batch(const hg_data *data, const int64_t *rows, int64_t count,
                   hg_batch *batch)
{
    return hg_data_batch_in(data, 0, rows, count, batch);
}

bool hg_data_batch_in(const hg_data *data, int64_t epoch, const int64_t *rows,
                      int64_t count, hg_batch *batch)
{
    if (hg_error())
        return false;
    if (!data || !batch || (!rows && count) || count < 0)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_data_batch: %s; pass a set, count rows and where "
                       "the batch goes",
                       !data       ? "the data set is NULL"
                       : !batch    ? "the batch is NULL"
                       : count < 0 ? "the count is negative"
                                   : "rows is NULL");
    for (int64_t i = 0; i < count; i++)
        if (rows[i] < 0 || rows[i] >= data->size)
            return hg_fail(HG_ERROR_ARGUMENT,
                           "hg_data_batch: row %lld is out of range; %s has "
                           "rows 0 to %lld",
                           (long long)rows[i], data->name,
                           (long long)data->size - 1);
    gather g = {.data = data, .rows = rows, .epoch = epoch};
    return make_batch(&g, count, batch);
}

bool hg_data_batch_from(const hg_data *data, int64_t first, int64_t count,
                        hg_batch *batch)
{
    if (hg_error())
        return false;
    if (!data || !batch)
        return hg_fail(HG_ERROR_ARGUMENT, "hg_data_batch_from: the %s is NULL",
                       data ? "batch" : "data set");
    if (first < 0 || count < 0 || count > data->size - first)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_data_batch_from: %lld rows from %lld on are out of "
                       "range; %s has %lld",
                       (long long)count, (long long)first, data->name,
                       (long long)data->size);
    gather g = stretch(data, 0, first, false);
    return make_batch(&g, count, batch);
}

/* ---- Loaders ------------------------------------------------------------ */

hg_loader *hg_loader_new(hg_data *data, int64_t batch_size, bool shuffle)
{
    if (hg_error())
        return NULL;
    if (!data || batch_size < 1) {
        hg_fail(HG_ERROR_ARGUMENT,
                data ? "hg_loader_new: a batch of %lld items; ask for at "
                       "least one"
                     : "hg_loader_new: the data set is NULL (batch size %lld)",
                (long long)batch_size);
        return NULL;
    }
    hg_loader *l = hg_region_take(&data->context->region, sizeof *l);
    if (l)
        *l = (hg_loader){
            .data = data, .batch_size = batch_size, .shuffle = shuffle};
    return l;
}

void hg_loader_free(hg_loader *l)
{
    if (l)
        hg_region_give(&l->data->context->region, l, sizeof *l);
}

int64_t hg_loader_batches(const hg_loader *l)
{
    if (!l)
        return 0;
    bool rest = l->data->size % l->batch_size > 0 && !l->drop_last;
    return l->data->size / l->batch_size + rest;
}

void hg_loader_drop_last(hg_loader *l, bool on)
{
    if (l)
        l->drop_last = on;
    else
        hg_fail(HG_ERROR_ARGUMENT, "hg_loader_drop_last: the loader is NULL");
}

/* A step that failed shall not have drawn random numbers. */
static hg_scope *abandon(hg_context *context, hg_scope *s,
                         const uint64_t steps[2])
{
    hg_scope_close(s);
    hg_context_set_steps(context, steps);
    return NULL;
}

enum { AHEAD = 4 }; /* batches whose rows are on their way from the disk */

/* Of a packed set: the rows of a batch to come. */
static void expect_batch(const hg_loader *l, int64_t batch)
{
    gather g = stretch(l->data, l->epoch, batch * l->batch_size, l->shuffle);
    int64_t left = l->data->size - g.first;
    for (int64_t i = 0; i < l->batch_size && i < left; i++)
        hg_pack_expect(l->data, hg_data_source_row(l->data, row_of(&g, i)));
}

static void expect_batches(const hg_loader *l)
{
    bool first = l->position == 1; /* nothing was expected before */
    for (int64_t i = first ? 0 : AHEAD - 1; i < AHEAD; i++)
        expect_batch(l, l->position + i);
}

hg_scope *hg_next(hg_loader *l, hg_mode mode, hg_batch *batch)
{
    if (hg_error())
        return NULL;
    if (!l || !batch) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_next: the %s is NULL",
                l ? "batch" : "loader");
        return NULL;
    }
    if (l->position >= hg_loader_batches(l)) {
        l->position = 0;
        l->epoch++;
        return NULL;
    }
    hg_context *context = l->data->context;
    uint64_t steps[2];
    hg_context_steps(context, steps);
    hg_scope *s = hg_scope_open(context, mode);
    if (!s)
        return NULL;
    gather g =
        stretch(l->data, l->epoch, l->position * l->batch_size, l->shuffle);
    int64_t left = l->data->size - g.first;
    if (!make_batch(&g, left < l->batch_size ? left : l->batch_size, batch))
        return abandon(context, s, steps);
    l->position++;
    if (l->data->streamed)
        expect_batches(l);
    return s;
}

int64_t hg_loader_epoch(const hg_loader *l)
{
    return l ? l->epoch : 0;
}

int64_t hg_loader_position(const hg_loader *l)
{
    return l ? l->position : 0;
}

bool hg_loader_set_epoch(hg_loader *l, int64_t epoch)
{
    if (!l)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_loader_set_epoch: the loader is NULL (epoch %lld)",
                       (long long)epoch);
    /* Epochs and the split share the streams of hg_permuted. */
    if (epoch < 0 || epoch >= HG_SPLIT_STREAM)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_loader_set_epoch: epochs are counted from 0 to "
                       "%lld at most (epoch %lld)",
                       (long long)HG_SPLIT_STREAM - 1, (long long)epoch);
    l->epoch = epoch;
    l->position = 0;
    return true;
}

bool hg_loader_set_position(hg_loader *l, int64_t batch)
{
    if (!l || batch < 0 || batch > hg_loader_batches(l))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_loader_set_position: batch %lld of %lld; was the "
                       "position saved with another set or batch size?",
                       (long long)batch, (long long)hg_loader_batches(l));
    l->position = batch;
    return true;
}
