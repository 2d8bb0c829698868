/* pack.c - a data set as one file that is mapped, not read: for sets larger
 * than memory, and for those that take long to read.
 *
 *   "HGPACK1\n", the sizes (see `header`), labels [rows], values [rows, ...]
 *
 * in the byte order of the machine. Values are paged in as batches want them;
 * a loader tells the system which rows the next few batches will want, so that
 * they are there in time: a queue of bounded length, kept by the kernel. */
#define _DEFAULT_SOURCE /* madvise */
#include "datasets/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "HGPACK1\n";

/* All of eight bytes: no padding. */
typedef struct {
    char magic[8];
    int64_t rows, test_rows; /* those to test with come last */
    int64_t item[3], kind, labelled;
    double low, span, range[2];
    int64_t labels_at, values_at; /* in bytes from the beginning */
} header;

enum { ALIGN = 4096 };

static int64_t aligned(int64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- Writing ------------------------------------------------------------ */

static header header_of(const hg_data *data)
{
    header h = {.test_rows = hg_data_size(data->test),
                .kind = data->kind,
                .labelled = data->labels != NULL,
                .low = data->low,
                .span = data->span,
                .range = {data->range[0], data->range[1]},
                .labels_at = ALIGN};
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.item, data->item.dim, sizeof h.item);
    h.rows = hg_data_size(data) + h.test_rows;
    h.values_at =
        aligned(ALIGN + (h.labelled ? h.rows * (int64_t)sizeof(int32_t) : 0));
    return h;
}

static bool write_labels(FILE *f, const hg_data *part)
{
    bool good = true;
    for (int64_t i = 0; good && i < hg_data_size(part); i++) {
        int32_t label = hg_data_label(part, i);
        good = fwrite(&label, sizeof label, 1, f) == 1;
    }
    return good;
}

static bool write_values(FILE *f, const hg_data *part)
{
    bool good = true;
    size_t bytes =
        part ? (size_t)part->features * hg_value_size(part->kind) : 0;
    for (int64_t i = 0; good && i < hg_data_size(part); i++) {
        int64_t row = hg_data_source_row(part, i);
        const char *at = (const char *)part->values + (size_t)row * bytes;
        good = fwrite(at, bytes, 1, f) == 1;
    }
    return good;
}

static bool write_all(FILE *f, const void *user)
{
    const hg_data *data = user;
    header h = header_of(data);
    return fwrite(&h, sizeof h, 1, f) == 1 &&
           !fseek(f, (long)h.labels_at, SEEK_SET) &&
           (!h.labelled ||
            (write_labels(f, data) && write_labels(f, data->test))) &&
           !fseek(f, (long)h.values_at, SEEK_SET) && write_values(f, data) &&
           write_values(f, data->test);
}

bool hg_data_pack(const hg_data *data, const char *path)
{
    if (hg_error())
        return false;
    if (!data || !path || data->is_split)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_data_pack: a whole set, as it was opened, and a "
                       "file name are needed");
    return hg_write_whole(path, write_all, data);
}

/* ---- Mapping ------------------------------------------------------------ */

static bool numbers_are_legal(const header *h)
{
    return isfinite(h->low) && isfinite(h->span) && h->span > 0 &&
           isfinite(h->range[0]) && isfinite(h->range[1]) &&
           h->range[0] <= h->range[1];
}

/* Everything that the header says fits into the file, or a sentence. */
static bool check_header(const char *path, const header *h, int64_t size)
{
    int64_t features = 1, room;
    bool good = h->rows > 0 && h->rows <= INT32_MAX && h->test_rows >= 0 &&
                h->test_rows < h->rows && h->kind >= HG_BYTES &&
                h->kind <= HG_DOUBLES && h->labels_at == ALIGN &&
                h->values_at >= ALIGN && h->values_at % ALIGN == 0 &&
                h->values_at < size && numbers_are_legal(h);
    for (int i = 0; good && i < 3; i++) {
        good = h->item[i] > 0 && features <= INT32_MAX / h->item[i];
        features *= good ? h->item[i] : 1;
    }
    room = good ? (size - h->values_at) /
                      (int64_t)hg_value_size((hg_data_kind)h->kind)
                : 0;
    good = good && features <= room / h->rows &&
           (!h->labelled ||
            h->rows <= (h->values_at - ALIGN) / (int64_t)sizeof(int32_t));
    return good || hg_fail(HG_ERROR_FORMAT,
                           "%s: the packed set is cut off or damaged; pack it "
                           "again",
                           path);
}

static bool use_mapping(hg_data *data, const char *path)
{
    header h;
    const char *bytes = data->mapping;
    hg_shape item = {3, {0}};
    memcpy(&h, bytes, sizeof h);
    if (!check_header(path, &h, (int64_t)data->mapping_bytes))
        return false;
    memcpy(item.dim, h.item, sizeof h.item);
    hg_data_set_shape(data, item, h.rows, (hg_data_kind)h.kind);
    data->values = bytes + h.values_at;
    data->labels = h.labelled
                       ? (const int32_t *)(const void *)(bytes + h.labels_at)
                       : NULL;
    data->low = h.low;
    data->span = h.span;
    memcpy(data->range, h.range, sizeof h.range);
    if (!h.test_rows)
        return true;
    data->test = hg_data_new(data->context, data->name);
    if (!data->test)
        return false;
    hg_data_share(data->test, data);
    data->rows = data->size = h.rows - h.test_rows;
    data->test->first = data->rows;
    data->test->size = h.test_rows;
    return true;
}

/* Of the machine; 0 where it does not say. */
static size_t memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0;
}

bool hg_pack_read(hg_data *data, const char *path)
{
    struct stat st;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &st))
        hg_fail(HG_ERROR_IO, "%s: %s", path, strerror(errno));
    else if (st.st_size < (off_t)sizeof(header))
        hg_fail(HG_ERROR_FORMAT, "%s: the packed set is cut off", path);
    else
        data->mapping =
            mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0)
        close(file);
    if (data->mapping == MAP_FAILED) {
        data->mapping = NULL;
        hg_fail(HG_ERROR_IO, "%s cannot be mapped: %s", path, strerror(errno));
    }
    if (!data->mapping)
        return false;
    data->mapping_bytes = (size_t)st.st_size;
    data->mapped = true;
    data->streamed = data->mapping_bytes > memory() / 2;
    /* All of it in the background; or rows as they are expected, and nothing
     * around them. */
    (void)madvise(data->mapping, data->mapping_bytes,
                  data->streamed ? MADV_RANDOM : MADV_WILLNEED);
    return use_mapping(data, path);
}

void hg_pack_close(hg_data *data)
{
    if (data->mapping)
        munmap(data->mapping, data->mapping_bytes);
    data->mapping = NULL;
}

void hg_pack_expect(const hg_data *data, int64_t row)
{
    size_t bytes = (size_t)data->features * hg_value_size(data->kind);
    uintptr_t at = (uintptr_t)data->values + (size_t)row * bytes;
    uintptr_t page = at / ALIGN * ALIGN;
    (void)madvise((void *)page, at - page + bytes, MADV_WILLNEED);
}
