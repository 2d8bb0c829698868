/* safetensors_match.c - a file's entries against those that are wanted, and
 * their values into place. */
#include "nn/safetensors.h"

#include <stdarg.h>
#include <string.h>

#ifdef HG_HAVE_JANSSON

/* All that does not fit, for one sentence. */
typedef struct {
    char text[700];
    int count;
} faults;

static void HG_PRINTF(2, 3) add_fault(faults *f, const char *format, ...)
{
    size_t at = strlen(f->text), room = sizeof f->text - at;
    va_list list;
    va_start(list, format);
    if (f->count++ < 12 && room > 2) {
        at += (size_t)snprintf(f->text + at, room, "%s", at ? "; " : "");
        vsnprintf(f->text + at, sizeof f->text - at, format, list);
    }
    va_end(list);
}

static const hg_record *record_named(const hg_record *records, int64_t n,
                                     const char *name)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        int order = strcmp(records[middle].name, name);
        if (!order)
            return &records[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool dtype_fits(const hg_reader *r, const hg_found *f,
                       const hg_record *record)
{
    int64_t value, most;
    if (record->kind == HG_RECORD_REAL)
        return !strcmp(f->dtype, "F32") || !strcmp(f->dtype, "F64");
    if (strcmp(f->dtype, "I64"))
        return false;
    most = record->kind == HG_RECORD_COUNTER ? INT32_MAX : INT64_MAX;
    memcpy(&value, r->bytes + r->data + f->begin, sizeof value);
    return value >= 0 && value <= most;
}

static const char *needed_dtype(const hg_record *record)
{
    return record->kind == HG_RECORD_REAL ? "F32 or F64 is needed"
           : record->kind == HG_RECORD_COUNTER
               ? "a count (I64, from 0 to 2147483647) is needed"
               : "a count (I64, not negative) is needed";
}

static void match(const hg_reader *r, hg_found *f, const hg_record *record,
                  faults *faults)
{
    if (!record)
        add_fault(faults, "\"%.100s\" is not expected", f->name);
    else if (!hg_shape_equal(f->shape, record->shape))
        add_fault(faults, "\"%.100s\" is %s in the file, %s here", f->name,
                  f->shape.rank < 0 ? "of higher rank"
                                    : HG_SHAPE_TEXT(f->shape),
                  HG_SHAPE_TEXT(record->shape));
    else if (!dtype_fits(r, f, record))
        add_fault(faults, "\"%.100s\" has dtype %s, %s", f->name, f->dtype,
                  needed_dtype(record));
    else
        f->record = record;
}

bool hg_match_records(hg_reader *r, const hg_record *records, int64_t n,
                      bool matching)
{
    faults faults = {.count = 0};
    int64_t fitting = 0;
    for (int64_t i = 0; i < r->count; i++) {
        hg_found *f = &r->entries[i];
        match(r, f, record_named(records, n, f->name), &faults);
        fitting += f->record != NULL;
    }
    for (int64_t i = 0; i < n && fitting < n; i++)
        if (!records[i].optional && !json_object_get(r->root, records[i].name))
            add_fault(&faults, "\"%.100s\" is missing", records[i].name);
    if (matching || !faults.count)
        return true;
    return hg_fail(HG_ERROR_FORMAT,
                   "%s does not fit: %s%s; nothing was changed", r->file,
                   faults.text, faults.count > 12 ? "; and more" : "");
}

/* ---- Values ------------------------------------------------------------- */

static void convert(const hg_reader *r, const hg_found *f)
{
    const unsigned char *in = r->bytes + r->data + f->begin;
    int64_t n = hg_shape_numel(f->shape), count;
    hg_real *out = f->record->data;
    if (f->record->kind == HG_RECORD_COUNTER) {
        memcpy(&count, in, sizeof count);
        *(int32_t *)f->record->data = (int32_t)count;
        return;
    }
    if (f->record->kind == HG_RECORD_COUNT ||
        hg_file_dtype_size(f->dtype) == sizeof *out) {
        memcpy(f->record->data, in, f->end - f->begin);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        float narrow;
        double wide;
        if (f->dtype[1] == '3')
            out[i] = (hg_real) * (float *)memcpy(&narrow, in + 4 * i, 4);
        else
            out[i] = (hg_real) * (double *)memcpy(&wide, in + 8 * i, 8);
    }
}

void hg_note_missing(const hg_reader *r, const hg_record *records, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (records[i].optional && !json_object_get(r->root, records[i].name))
            *(int64_t *)records[i].data = -1;
}

int64_t hg_take_records(const hg_reader *r)
{
    int64_t taken = 0;
    for (int64_t i = 0; i < r->count; i++) {
        const hg_found *f = &r->entries[i];
        if (!f->record)
            continue;
        convert(r, f);
        if (f->record->tensor) {
            hg_undo_settle(f->record->tensor);
            f->record->tensor->storage->version++;
        }
        taken++;
    }
    return taken;
}

#endif
