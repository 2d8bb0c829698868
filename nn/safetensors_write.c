/* safetensors_write.c - writing: beside the old file, synced, then renamed
 * over it, so that there is a whole file at any moment. */
#include "nn/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HG_HAVE_JANSSON
#include <jansson.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "safetensors files are little-endian");

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const hg_record *)a)->name, ((const hg_record *)b)->name);
}

void hg_records_sort(hg_record *records, int64_t n)
{
    if (n > 1)
        qsort(records, (size_t)n, sizeof *records, compare_names);
}

#ifdef HG_HAVE_JANSSON

static size_t value_size(const hg_record *r)
{
    return r->kind == HG_RECORD_REAL ? sizeof(hg_real) : 8;
}

static size_t bytes_of(const hg_record *r)
{
    return (size_t)hg_shape_numel(r->shape) * value_size(r);
}

/* ---- The header --------------------------------------------------------- */

static json_t *describe(const hg_record *r, size_t offset)
{
    const char *real = sizeof(hg_real) == 8 ? "F64" : "F32";
    json_t *shape = json_array();
    for (int d = 0; d < r->shape.rank; d++)
        json_array_append_new(shape, json_integer(r->shape.dim[d]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                     r->kind == HG_RECORD_REAL ? real : "I64", "shape", shape,
                     "data_offsets", (json_int_t)offset,
                     (json_int_t)(offset + bytes_of(r)));
}

static bool add_metadata(json_t *root, const char *const *metadata)
{
    if (!metadata || !metadata[0])
        return true;
    json_t *object = json_object();
    bool ok = true;
    for (int i = 0; ok && metadata[i]; i += 2)
        ok = metadata[i + 1] &&
             !json_object_set_new(object, metadata[i],
                                  json_string(metadata[i + 1]));
    return !json_object_set_new(root, "__metadata__", object) && ok;
}

/* The values of eight bytes come first, so that all lie aligned; then the
 * others. Both by name. */
static bool in_group(const hg_record *r, int group)
{
    return (value_size(r) == 8) == (group == 0);
}

static json_t *header_of(const hg_record *records, int64_t n,
                         const char *const *metadata)
{
    json_t *root = json_object();
    bool ok = root && add_metadata(root, metadata);
    size_t offset = 0;
    for (int group = 0; group < 2; group++)
        for (int64_t i = 0; ok && i < n; i++)
            if (in_group(&records[i], group)) {
                ok = !json_object_set_new(root, records[i].name,
                                          describe(&records[i], offset));
                offset += bytes_of(&records[i]);
            }
    if (ok)
        return root;
    json_decref(root);
    return NULL;
}

/* ---- The file ----------------------------------------------------------- */

static bool write_all(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static bool write_header(int fd, const char *text)
{
    static const char blanks[8] = "        ";
    size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    uint64_t size = padded;
    return write_all(fd, &size, sizeof size) && write_all(fd, text, length) &&
           write_all(fd, blanks, padded - length);
}

static bool write_record(int fd, const hg_record *r)
{
    if (r->kind != HG_RECORD_COUNTER)
        return write_all(fd, r->data, bytes_of(r));
    int64_t count = *(const int32_t *)r->data;
    return write_all(fd, &count, sizeof count);
}

static bool write_file(int fd, const char *header, const hg_record *records,
                       int64_t n)
{
    if (!write_header(fd, header))
        return false;
    for (int group = 0; group < 2; group++)
        for (int64_t i = 0; i < n; i++)
            if (in_group(&records[i], group) && !write_record(fd, &records[i]))
                return false;
    return !fsync(fd);
}

/* The new name is on disk once its folder is. Folders that cannot be synced
 * are no reason to fail: the file itself is safe. */
static void sync_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = 0;
    int fd = open(slash ? path : ".", O_RDONLY);
    if (fd < 0)
        return;
    (void)!fsync(fd);
    close(fd);
}

/* Returns 0 or the reason. */
static int replace_file(char *temporary, const char *file, const char *header,
                        const hg_record *records, int64_t n)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return errno;
    int why = write_file(fd, header, records, n) ? 0 : errno ? errno : EIO;
    if (close(fd) && !why)
        why = errno;
    if (!why && rename(temporary, file))
        why = errno;
    if (why)
        unlink(temporary);
    else
        sync_folder(temporary);
    return why;
}

bool hg_records_save(hg_context *context, hg_record *records, int64_t n,
                     const char *file, const char *const *metadata)
{
    hg_records_sort(records, n);
    size_t size = strlen(file) + sizeof ".tmp";
    char *temporary = hg_memory_allocate(context, size);
    if (!temporary)
        return false;
    snprintf(temporary, size, "%s.tmp", file);
    json_t *root = header_of(records, n, metadata);
    char *header = root ? json_dumps(root, JSON_COMPACT) : NULL;
    bool ok = header || hg_fail(HG_ERROR_ARGUMENT,
                                "%s: the header could not be made: metadata "
                                "must be pairs of texts in UTF-8",
                                file);
    errno = 0;
    int why = ok ? replace_file(temporary, file, header, records, n) : 0;
    if (why)
        ok = hg_fail(HG_ERROR_IO,
                     "%s cannot be written: %s; what was there before is "
                     "still there",
                     file, strerror(why));
    free(header);
    json_decref(root);
    hg_memory_release(context, temporary, size);
    return ok;
}

#else

bool hg_records_save(hg_context *context, hg_record *records, int64_t n,
                     const char *file, const char *const *metadata)
{
    (void)context, (void)records, (void)n, (void)metadata;
    return hg_fail(HG_ERROR_IO,
                   "%s cannot be written: this build has no Jansson, which "
                   "safetensors files need; install libjansson-dev and build "
                   "again",
                   file);
}

#endif
