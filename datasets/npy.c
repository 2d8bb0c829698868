/* npy.c - arrays as numpy.save writes them: "\x93NUMPY", a version, the length
 * of a header, the header (a Python dictionary), the values. Nothing that a
 * header says is believed before it was checked against the file's length. */
#include "datasets/arrays.h"

#include <string.h>
#include <unistd.h>

enum { MOST_HEADER = 4096 };

static bool refuse(const hg_stream *in, const char *why)
{
    return hg_fail(HG_ERROR_FORMAT, "%s: %s", in->name, why);
}

static bool read_exactly(const hg_stream *in, void *out, size_t size)
{
    int64_t got = in->read(in->from, out, size);
    return got == (int64_t)size ||
           (got >= 0 && refuse(in, "the array is cut off; save it again"));
}

/* ---- The header --------------------------------------------------------- */

/* What follows 'key': in the dictionary, or NULL. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    return *at == ':' ? at + 1 + strspn(at + 1, " ") : NULL;
}

/* '<f4': order, kind, bytes. */
static bool parse_type(const hg_stream *in, const char *at, hg_npy *a)
{
    const uint16_t one = 1;
    bool little = *(const uint8_t *)&one == 1;
    int length = at && at[0] == '\'' ? (int)strcspn(at + 1, "'") + 2 : 12;
    if (!at || at[0] != '\'' || !at[1] || !at[2] || !at[3] || at[4] != '\'' ||
        !strchr("<>|=", at[1]) || !strchr("uifb", at[2]) ||
        !strchr("1248", at[3]) || (at[2] == 'f' && at[3] < '4') ||
        (at[2] == 'b' && at[3] != '1'))
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: values of type %.*s; arrays of uint8, of whole "
                       "numbers, bool, float32 or float64 are read",
                       in->name, length, at ? at : "(none)");
    a->kind = at[2];
    a->size = at[3] - '0';
    a->swapped = a->size > 1 && at[1] == (little ? '>' : '<');
    return true;
}

/* (60000, 28, 28) */
static bool parse_shape(const hg_stream *in, const char *at, hg_npy *a)
{
    int64_t most = in->most / a->size, product = 1;
    a->rank = 0;
    if (!at || *at++ != '(')
        return refuse(in, "the header has no shape");
    for (;;) {
        int64_t size = 0;
        int digits = 0;
        at += strspn(at, " ");
        if (*at == ')')
            return true;
        for (; *at >= '0' && *at <= '9' && digits < 18; digits++)
            size = 10 * size + *at++ - '0';
        at += *at == 'L'; /* Python 2 */
        at += strspn(at, " ");
        if (!digits || (*at != ',' && *at != ')') || a->rank == HG_MAX_RANK)
            return refuse(in, "the shape in the header cannot be read");
        if (size < 1 || product > most / size)
            return refuse(in, "the header tells of more values than are there; "
                              "the array is cut off or empty");
        product *= size;
        a->dim[a->rank++] = size;
        at += *at == ',';
    }
}

bool hg_npy_header(const hg_stream *in, hg_npy *a)
{
    uint8_t head[12] = {0};
    char text[MOST_HEADER + 1];
    if (!read_exactly(in, head, 10))
        return false;
    if (memcmp(head, "\x93NUMPY", 6))
        return refuse(in, "this is no .npy array");
    bool wide = head[6] > 1; /* version 2 and 3: a length of four bytes */
    if (head[6] < 1 || head[6] > 3 || (wide && !read_exactly(in, head + 10, 2)))
        return refuse(in, "a .npy array of a version that is not known");
    size_t length = (size_t)head[8] | (size_t)head[9] << 8;
    length |= wide ? (size_t)head[10] << 16 | (size_t)head[11] << 24 : 0;
    if (length > MOST_HEADER)
        return refuse(in, "the header is too long");
    if (!read_exactly(in, text, length))
        return false;
    text[length] = 0;
    const char *order = value_of(text, "'fortran_order'");
    if (!order || strncmp(order, "False", 5))
        return refuse(in, "the array is stored by columns (Fortran order); "
                          "save numpy.ascontiguousarray(x)");
    return parse_type(in, value_of(text, "'descr'"), a) &&
           parse_shape(in, value_of(text, "'shape'"), a);
}

/* ---- Values ------------------------------------------------------------- */

static double value_at(const hg_npy *a, const uint8_t *bytes)
{
    uint64_t word = 0;
    for (int i = 0; i < a->size; i++)
        word |= (uint64_t)bytes[a->swapped ? a->size - 1 - i : i] << 8 * i;
    if (a->kind == 'f' && a->size == 4) {
        uint32_t half = (uint32_t)word;
        float value;
        memcpy(&value, &half, sizeof value);
        return (double)value;
    }
    if (a->kind == 'f') {
        double value;
        memcpy(&value, &word, sizeof value);
        return value;
    }
    if (a->kind != 'i')
        return (double)word;
    int shift = 64 - 8 * a->size;
    return (double)((int64_t)(word << shift) >> shift);
}

static hg_data_kind kind_of(const hg_npy *a)
{
    if (a->kind == 'u' && a->size == 1)
        return HG_BYTES;
    bool wide = a->size == 8 || (a->kind != 'f' && a->size == 4);
    return wide ? HG_DOUBLES : HG_FLOATS;
}

/* Value k of an item, where the file's order is [h, w, c], goes to [c, h, w].
 */
static int64_t place_of(hg_shape item, bool channels_last, int64_t k)
{
    if (!channels_last)
        return k;
    int64_t c = item.dim[0], plane = item.dim[1] * item.dim[2];
    return k % c * plane + k / c;
}

static void convert(const hg_data *data, const hg_npy *a, bool channels_last,
                    const uint8_t *in, int64_t row)
{
    int64_t first = row * data->features;
    for (int64_t k = 0; k < data->features; k++) {
        int64_t at = first + place_of(data->item, channels_last, k);
        if (data->kind == HG_BYTES)
            ((uint8_t *)data->own_values)[at] = in[k];
        else if (data->kind == HG_FLOATS)
            ((float *)data->own_values)[at] =
                (float)value_at(a, in + k * a->size);
        else
            ((double *)data->own_values)[at] = value_at(a, in + k * a->size);
    }
}

static bool is_colour(int64_t size)
{
    return size == 1 || size == 3;
}

bool hg_row_shape(const char *name, int64_t features, const hg_data_options *o,
                  hg_shape *item)
{
    *item = (hg_shape){3, {1, 1, features}};
    if (!o->height)
        return true;
    int64_t plane = o->height * o->width;
    if (features != plane && features != 3 * plane)
        return hg_fail(HG_ERROR_DATA,
                       "%s: %lld values a row are no picture of %lld x %lld, "
                       "grey or colour; change --image-size or leave it out",
                       name, (long long)features, (long long)o->width,
                       (long long)o->height);
    *item = (hg_shape){3, {features / plane, o->height, o->width}};
    return true;
}

static bool shape_of(const hg_stream *in, const hg_npy *a,
                     const hg_data_options *o, hg_shape *item, bool *last)
{
    int64_t features = 1;
    for (int i = 1; i < a->rank; i++)
        features *= a->dim[i];
    if (a->rank < 2 || a->rank > 4 || features > INT32_MAX)
        return refuse(in, "an array of items is [n, features], [n, h, w], [n, "
                          "c, h, w] or [n, h, w, c], of at most 2^31 values an "
                          "item");
    *last = a->rank == 4 && is_colour(a->dim[3]) && !is_colour(a->dim[1]);
    if (a->rank == 2)
        return hg_row_shape(in->name, features, o, item);
    const int64_t *d = a->dim + 1;
    if (a->rank == 3)
        *item = (hg_shape){3, {1, d[0], d[1]}};
    else
        *item = *last ? (hg_shape){3, {d[2], d[0], d[1]}}
                      : (hg_shape){3, {d[0], d[1], d[2]}};
    return true;
}

void hg_say_array(const hg_data *data, const char *name, const char *layout,
                  const hg_data_options *o)
{
    const char *range = o->low < o->high ? "the declared range becomes 0 to 1"
                        : data->kind == HG_BYTES
                            ? "bytes 0 to 255 become 0 to 1"
                            : "numbers stay as they are (--range LOW:HIGH maps "
                              "them to 0 to 1)";
    hg_message(data->context,
               "%s: %lld items of %lld x %lld x %lld (channels, height, "
               "width), %s; %s; %s",
               name, (long long)data->rows, (long long)data->item.dim[0],
               (long long)data->item.dim[1], (long long)data->item.dim[2],
               layout, range, data->labels ? "with labels" : "no labels");
}

bool hg_npy_items(hg_data *data, const hg_stream *in, const hg_npy *a,
                  const hg_data_options *o)
{
    hg_shape item;
    bool last, good = true;
    if (!shape_of(in, a, o, &item, &last))
        return false;
    size_t bytes = (size_t)(hg_shape_numel(item) * a->size);
    uint8_t *buffer = hg_memory_allocate(data->context, bytes);
    if (!buffer)
        return false;
    good = hg_data_room(data, item, a->dim[0], kind_of(a)) != NULL;
    for (int64_t i = 0; good && i < data->rows; i++) {
        good = read_exactly(in, buffer, bytes);
        if (good)
            convert(data, a, last, buffer, i);
    }
    hg_memory_release(data->context, buffer, bytes);
    return good;
}

static bool label_of(const hg_stream *in, const hg_npy *a, const uint8_t *bytes,
                     int64_t row, int32_t *label)
{
    double value = value_at(a, bytes);
    if (!(value >= 0 && value < INT32_MAX) || value != (double)(int32_t)value)
        return hg_fail(HG_ERROR_DATA,
                       "%s: label %g of item %lld is no class; classes are "
                       "whole numbers from 0",
                       in->name, value, (long long)row);
    *label = (int32_t)value;
    return true;
}

bool hg_npy_labels(hg_data *data, const hg_stream *in, const hg_npy *a)
{
    bool fits = (a->rank == 1 || (a->rank == 2 && a->dim[1] == 1)) &&
                a->dim[0] == data->rows;
    if (!fits)
        return hg_fail(HG_ERROR_DATA,
                       "%s: labels are one number for each of the %lld items",
                       in->name, (long long)data->rows);
    int32_t *labels = hg_data_label_room(data);
    uint8_t bytes[8];
    for (int64_t i = 0; labels && i < data->rows; i++)
        if (!read_exactly(in, bytes, (size_t)a->size) ||
            !label_of(in, a, bytes, i, &labels[i]))
            return false;
    return labels != NULL;
}

/* ---- Files -------------------------------------------------------------- */

static int64_t read_input(void *from, void *out, size_t size)
{
    return hg_input_read(from, out, size);
}

static bool read_file(hg_data *data, const char *path, bool labels,
                      const hg_data_options *o)
{
    hg_input in;
    hg_npy a;
    if (!hg_input_open(&in, data->context, path))
        return false;
    hg_stream s = {path, read_input, &in, hg_input_most(&in)};
    bool good = hg_npy_header(&s, &a) &&
                (labels ? hg_npy_labels(data, &s, &a)
                        : hg_npy_items(data, &s, &a, o)) &&
                hg_input_at_end(&in);
    hg_input_close(&in);
    return good;
}

/* NAME.npy has its labels in NAME_labels.npy. */
static bool labels_beside(const char *path, char out[4096])
{
    const char *dot = strrchr(path, '.');
    int n =
        dot ? snprintf(out, 4096, "%.*s_labels%s", (int)(dot - path), path, dot)
            : 4096;
    return n < 4096 && !access(out, F_OK);
}

bool hg_npy_read(hg_data *data, const char *path, const hg_data_options *o)
{
    char beside[4096];
    if (!read_file(data, path, false, o) ||
        (labels_beside(path, beside) && !read_file(data, beside, true, o)))
        return false;
    hg_say_array(data, path, "stored item by item", o);
    return true;
}
