/* safetensors_read.c - reading, with nothing taken on trust: the whole file is
 * checked before the first value is changed. */
#include "nn/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HG_HAVE_JANSSON
#include <jansson.h>

/* ---- Bytes -------------------------------------------------------------- */

static bool damaged(const hg_reader *r, const char *what)
{
    return hg_fail(HG_ERROR_FORMAT,
                   "%s is no sound safetensors file: %s; nothing was changed",
                   r->file, what);
}

static bool damaged_at(const hg_reader *r, const char *name, const char *what)
{
    return hg_fail(HG_ERROR_FORMAT,
                   "%s is no sound safetensors file: entry \"%.100s\" %s; "
                   "nothing was changed",
                   r->file, name, what);
}

static bool unreadable(const hg_reader *r, const char *why)
{
    return hg_fail(HG_ERROR_IO, "%s cannot be read: %s", r->file, why);
}

static bool read_all(hg_reader *r, int fd)
{
    for (uint64_t at = 0; at < r->size;) {
        ssize_t n = read(fd, r->bytes + at, r->size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return unreadable(r, strerror(errno));
        if (!n)
            return damaged(r, "it became shorter while it was read");
        at += (uint64_t)n;
    }
    return true;
}

static bool read_open(hg_reader *r, int fd)
{
    struct stat info;
    if (fstat(fd, &info))
        return unreadable(r, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return unreadable(r, "it is not a regular file");
    r->size = (uint64_t)info.st_size;
    if (r->size < 8)
        return damaged(r, "it is shorter than the 8 bytes every one has");
    r->bytes = hg_memory_allocate(r->context, r->size);
    return r->bytes && read_all(r, fd);
}

static bool read_bytes(hg_reader *r)
{
    int fd = open(r->file, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return unreadable(r, strerror(errno));
    bool ok = read_open(r, fd);
    close(fd);
    return ok;
}

/* ---- The header --------------------------------------------------------- */

static bool parse_header(hg_reader *r)
{
    uint64_t length;
    json_error_t why;
    memcpy(&length, r->bytes, sizeof length);
    if (length > HG_HEADER_MOST)
        return damaged(r, "its header claims to be longer than 100 MiB");
    if (length > r->size - 8)
        return damaged(r, "its header claims to be longer than the file");
    if (!length || r->bytes[8] != '{')
        return damaged(r, "its header does not begin with {");
    r->data = 8 + length;
    r->root = json_loadb((const char *)r->bytes + 8, length,
                         JSON_REJECT_DUPLICATES, &why);
    if (!r->root) {
        char text[240];
        snprintf(text, sizeof text, "its header is no JSON (%.200s)", why.text);
        return damaged(r, text);
    }
    return true;
}

static bool metadata_is_sound(const hg_reader *r, json_t *object)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return damaged(r, "its __metadata__ is no object");
    json_object_foreach(object, key, value) if (
        !json_is_string(value)) return damaged(r, "its __metadata__ holds "
                                                  "something but texts");
    return true;
}

/* Bytes of one value; 0 for a type the format does not know. */
uint64_t hg_file_dtype_size(const char *dtype)
{
    static const struct {
        char name[8];
        uint64_t size;
    } known[] = {{"F32", 4},  {"F64", 8},     {"I64", 8},    {"F16", 2},
                 {"BF16", 2}, {"I32", 4},     {"U8", 1},     {"I8", 1},
                 {"I16", 2},  {"U16", 2},     {"U32", 4},    {"U64", 8},
                 {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(dtype, known[i].name))
            return known[i].size;
    return 0;
}

/* A whole number that is not negative. */
static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool take_shape(const hg_reader *r, hg_found *f, const json_t *shape,
                       uint64_t *bytes)
{
    if (!json_is_array(shape))
        return damaged_at(r, f->name, "has no shape");
    size_t rank = json_array_size(shape);
    f->shape.rank = rank <= HG_MAX_RANK ? (int)rank : -1;
    for (size_t d = 0; d < rank; d++) {
        const json_t *size = json_array_get(shape, d);
        if (!is_count(size))
            return damaged_at(r, f->name, "has a size that is no count");
        uint64_t n = (uint64_t)json_integer_value(size);
        if (f->shape.rank >= 0)
            f->shape.dim[d] = (int64_t)n;
        if (n && *bytes > UINT64_MAX / n)
            return damaged_at(r, f->name, "is larger than can be addressed");
        *bytes *= n;
    }
    return true;
}

static bool take_entry(const hg_reader *r, hg_found *f, const char *name,
                       const json_t *value)
{
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    const json_t *offsets = json_object_get(value, "data_offsets");
    *f = (hg_found){.name = name, .dtype = dtype};
    uint64_t bytes = dtype ? hg_file_dtype_size(dtype) : 0;
    if (!bytes)
        return damaged_at(r, name, "has no dtype of the format");
    if (!take_shape(r, f, json_object_get(value, "shape"), &bytes))
        return false;
    if (json_array_size(offsets) != 2 ||
        !is_count(json_array_get(offsets, 0)) ||
        !is_count(json_array_get(offsets, 1)))
        return damaged_at(r, name, "has no pair of data_offsets");
    f->begin = (uint64_t)json_integer_value(json_array_get(offsets, 0));
    f->end = (uint64_t)json_integer_value(json_array_get(offsets, 1));
    if (f->end < f->begin || f->end - f->begin != bytes)
        return damaged_at(r, name,
                          "has data_offsets that do not agree with "
                          "its shape");
    if (f->end > r->size - r->data)
        return damaged_at(r, name,
                          "reaches beyond the end of the file; was "
                          "it cut short?");
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const hg_found *f = a, *g = b;
    if (f->begin != g->begin)
        return f->begin < g->begin ? -1 : 1;
    return (f->end > g->end) - (f->end < g->end);
}

/* The values must fill the rest of the file, without holes or overlaps. */
static bool places_are_sound(const hg_reader *r)
{
    uint64_t at = 0;
    if (r->count > 1)
        qsort(r->entries, (size_t)r->count, sizeof *r->entries, compare_places);
    for (int64_t i = 0; i < r->count; i++) {
        const hg_found *f = &r->entries[i];
        if (f->begin != at)
            return damaged_at(r, f->name,
                              f->begin < at ? "overlaps with another"
                                            : "leaves a hole before it");
        at = f->end;
    }
    return at == r->size - r->data ||
           damaged(r, "bytes follow that belong to no entry");
}

static bool take_entries(hg_reader *r)
{
    const char *name;
    json_t *value;
    r->region.context = r->context;
    r->entries = hg_region_take(&r->region,
                                json_object_size(r->root) * sizeof *r->entries);
    if (!r->entries)
        return false;
    json_object_foreach(r->root, name, value)
    {
        bool meta = !strcmp(name, "__metadata__");
        if (meta ? !metadata_is_sound(r, value)
                 : !take_entry(r, &r->entries[r->count], name, value))
            return false;
        r->count += !meta;
    }
    return places_are_sound(r);
}

int64_t hg_records_load(hg_context *context, hg_record *records, int64_t n,
                        const char *file, bool matching)
{
    hg_reader r = {.context = context, .file = file};
    hg_records_sort(records, n);
    bool ok = read_bytes(&r) && parse_header(&r) && take_entries(&r) &&
              hg_match_records(&r, records, n, matching);
    int64_t taken = ok ? hg_take_records(&r) : -1;
    if (ok)
        hg_note_missing(&r, records, n);
    hg_region_free(&r.region);
    json_decref(r.root);
    hg_memory_release(context, r.bytes, r.size);
    return taken;
}

#else

int64_t hg_records_load(hg_context *context, hg_record *records, int64_t n,
                        const char *file, bool matching)
{
    (void)context, (void)records, (void)n, (void)matching;
    hg_fail(HG_ERROR_IO,
            "%s cannot be read: this build has no Jansson, which safetensors "
            "files need; install libjansson-dev and build again",
            file);
    return -1;
}

#endif
