/* idx.c - IDX files of bytes (LeCun's format): 0, 0, the type 8, the number of
 * axes, each size as four bytes, the highest first, then the values. Nothing
 * that a file says is believed before it was checked against the file's
 * length. */
#include "datasets/internal.h"
#include "datasets/input.h"

#include <string.h>

typedef struct {
    int axes;
    int64_t dim[4];
} header;

/* "[60000, 28, 28]" */
static const char *header_text(const header *h, char text[96])
{
    hg_shape s = {h->axes, {0}};
    memcpy(s.dim, h->dim, (size_t)h->axes * sizeof h->dim[0]);
    return hg_shape_text(s, text, 96);
}

static bool truncated(const hg_input *in, int64_t got, int64_t wanted)
{
    return hg_fail(HG_ERROR_FORMAT,
                   "%s: the file is cut off: %lld of %lld bytes are there; "
                   "fetch it again",
                   in->path, (long long)got, (long long)wanted);
}

static bool read_exactly(hg_input *in, void *out, int64_t size)
{
    int64_t got = hg_input_read(in, out, (size_t)size);
    return got == size || (got >= 0 && truncated(in, got, size));
}

static bool check_magic(const hg_input *in, const uint8_t m[4], int least,
                        int most)
{
    if (m[0] || m[1])
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: this is no IDX file: it begins with %02x %02x %02x "
                       "%02x, not with 00 00 08",
                       in->path, m[0], m[1], m[2], m[3]);
    if (m[2] != 8)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: an IDX file of type 0x%02x; only bytes (0x08) are "
                       "read",
                       in->path, m[2]);
    if (m[3] < least || m[3] > most)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: an IDX file of rank %d where %s belong%s", in->path,
                       m[3],
                       most == 1 ? "labels (rank 1)" : "images (rank 2 to 4)",
                       m[3] == 1 ? " (are these the labels?)" : "");
    return true;
}

/* The product of the sizes is the number of bytes to come. */
static bool check_sizes(const hg_input *in, const header *h, int64_t *bytes)
{
    char text[96];
    int64_t most = hg_input_most(in) - 4 - 4 * h->axes, product = 1;
    for (int i = 0; i < h->axes; i++) {
        if (h->dim[i] < 1 || h->dim[i] > INT32_MAX)
            return hg_fail(HG_ERROR_FORMAT,
                           "%s: the header says %s; every size must be "
                           "between 1 and %d",
                           in->path, header_text(h, text), INT32_MAX);
        if (product > most / h->dim[i])
            return hg_fail(HG_ERROR_FORMAT,
                           "%s: the header says %s, more than a file of %lld "
                           "bytes can hold; it is cut off or damaged",
                           in->path, header_text(h, text),
                           (long long)in->file_size);
        product *= h->dim[i];
    }
    *bytes = product;
    return true;
}

static bool read_header(hg_input *in, int least, int most, header *h,
                        int64_t *bytes)
{
    uint8_t m[4], size[4];
    if (!read_exactly(in, m, 4) || !check_magic(in, m, least, most))
        return false;
    h->axes = m[3];
    for (int i = 0; i < h->axes; i++) {
        if (!read_exactly(in, size, 4))
            return false;
        h->dim[i] =
            (int64_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
    }
    return check_sizes(in, h, bytes);
}

static bool check_hash(hg_input *in, const char *sha256)
{
    char found[65];
    if (!sha256)
        return true;
    hg_input_sha256(in, found);
    if (!found[0]) {
        hg_message(in->region.context,
                   "%s: SHA-256 is not checked; build with nettle to have it",
                   in->path);
        return true;
    }
    return !strcmp(found, sha256) ||
           hg_fail(HG_ERROR_DATA,
                   "%s: the SHA-256 of the uncompressed bytes is %s, not %s: a "
                   "damaged or another file; fetch it again, or open its "
                   "folder by path to use it as it is",
                   in->path, found, sha256);
}

static bool read_values(hg_input *in, void *out, int64_t bytes,
                        const char *sha256)
{
    return read_exactly(in, out, bytes) && hg_input_at_end(in) &&
           check_hash(in, sha256);
}

static bool read_images(hg_input *in, hg_data *data, const char *sha256)
{
    header h;
    int64_t bytes;
    if (!read_header(in, 2, 4, &h, &bytes))
        return false;
    if (bytes / h.dim[0] > INT32_MAX)
        return hg_fail(HG_ERROR_FORMAT, "%s: items of %lld bytes are too large",
                       in->path, (long long)(bytes / h.dim[0]));
    hg_shape item = {3, {1, 1, 1}};
    for (int i = 1; i < h.axes; i++)
        item.dim[3 - h.axes + i] = h.dim[i];
    void *room = hg_data_room(data, item, h.dim[0], HG_BYTES);
    return room && read_values(in, room, bytes, sha256);
}

static bool read_labels(hg_input *in, hg_data *data, const char *sha256)
{
    header h;
    int64_t n;
    if (!read_header(in, 1, 1, &h, &n))
        return false;
    if (n != data->rows)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: %lld labels for %lld images; the files do not "
                       "belong together",
                       in->path, (long long)n, (long long)data->rows);
    int32_t *labels = hg_data_label_room(data);
    if (!labels)
        return false;
    /* The bytes go to the end of their own room and are widened forwards. */
    uint8_t *bytes = (uint8_t *)(labels + n) - n;
    if (!read_values(in, bytes, n, sha256))
        return false;
    for (int64_t i = 0; i < n; i++) {
        int32_t label = bytes[i];
        memcpy(&labels[i], &label, sizeof label);
    }
    return true;
}

static bool read_idx(hg_data *data, const char *path, const char *sha256,
                     bool (*read)(hg_input *, hg_data *, const char *))
{
    hg_input in;
    if (!hg_input_open(&in, data->context, path))
        return false;
    bool good = read(&in, data, sha256);
    hg_input_close(&in);
    return good;
}

bool hg_idx_images(hg_data *data, const char *path, const char *sha256)
{
    return read_idx(data, path, sha256, read_images);
}

bool hg_idx_labels(hg_data *data, const char *path, const char *sha256)
{
    return read_idx(data, path, sha256, read_labels);
}
