/* order.c - a test part for sets that have none: one item in ten, chosen by a
 * hash of its name or number, so that it stays where it is when others are
 * added and does not depend on the seed. */
#include "datasets/internal.h"
#include "tensor/random.h"

#include <stdlib.h>
#include <string.h>

/* The finaliser of splitmix64 (Steele, Lea and Flood, 2014). */
static uint32_t mixed(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

uint32_t hg_item_hash(const char *name)
{
    return mixed(hg_hash_text(name));
}

typedef struct {
    uint32_t hash;
    int32_t row;
} place;

static int by_hash(const void *a, const void *b)
{
    const place *p = a, *q = b;
    if (p->hash != q->hash)
        return p->hash < q->hash ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

/* How many of the sorted hashes lie below `fraction` of all that there can be.
 */
static int64_t below(const uint32_t *hash, int64_t n, double fraction)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if ((double)hash[middle] < fraction * 0x1p32)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define TEST_FRACTION 0.1

/* At least one item, where there are two. */
static int64_t at_least_one(int64_t count, int64_t of)
{
    return count ? count : of > 1;
}

int64_t hg_data_hashed_val(const hg_data *data, double fraction)
{
    if (fraction <= 0)
        return 0;
    int64_t n = below(data->hash, data->rows,
                      TEST_FRACTION + (1 - TEST_FRACTION) * fraction);
    return at_least_one(n > data->held ? n - data->held : 0,
                        data->rows - data->held);
}

static bool sort_rows(hg_data *data, const uint32_t *hash)
{
    size_t n = (size_t)data->rows;
    place *places = hg_memory_allocate(data->context, n * sizeof *places);
    uint32_t *sorted = hg_region_take(&data->region, n * sizeof *sorted);
    int32_t *order = hg_region_take(&data->region, n * sizeof *order);
    bool good = places && sorted && order;
    for (size_t i = 0; good && i < n; i++)
        places[i] = (place){hash ? hash[i] : mixed(i + 1), (int32_t)i};
    if (good)
        qsort(places, n, sizeof *places, by_hash);
    for (size_t i = 0; good && i < n; i++) {
        sorted[i] = places[i].hash;
        order[i] = places[i].row;
    }
    hg_memory_release(data->context, places, n * sizeof *places);
    data->hash = sorted;
    data->order = order;
    return good;
}

bool hg_data_hold_out(hg_data *data, const uint32_t *hash)
{
    if (data->rows < 2 || data->rows > INT32_MAX)
        return hg_fail(HG_ERROR_DATA,
                       "%s: %lld items; at least two are needed, one to train "
                       "on and one to test with",
                       data->name, (long long)data->rows);
    if (!sort_rows(data, hash))
        return false;
    hg_data *test = hg_data_new(data->context, data->name);
    if (!test)
        return false;
    data->held =
        at_least_one(below(data->hash, data->rows, TEST_FRACTION), data->rows);
    hg_data_share(test, data);
    test->first = test->held = 0;
    test->size = data->held;
    data->first = data->held;
    data->size = data->rows - data->held;
    data->test = test;
    return true;
}
