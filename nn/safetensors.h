/* safetensors.h - files of named arrays, as the format's description has it
 * (github.com/huggingface/safetensors): eight bytes with the length of the
 * header, the header (JSON), the values one after the other. */
#ifndef HG_SAFETENSORS_H
#define HG_SAFETENSORS_H

#include "nn/internal.h"

/* How values are kept in memory. */
typedef enum {
    HG_RECORD_REAL,    /* hg_real; F32 or F64 in the file */
    HG_RECORD_COUNTER, /* one int32_t; I64 in the file, not negative */
    HG_RECORD_COUNT    /* one int64_t; the same */
} hg_record_kind;

/* One entry of a file, and where its values are. */
typedef struct {
    const char *name;
    hg_shape shape;
    hg_record_kind kind;
    void *data;        /* on the host */
    void *there;       /* where they belong on a device, or NULL */
    hg_tensor *tensor; /* gets a new version when it is read, or NULL */
    bool optional;     /* a count that becomes -1 where the file has none */
} hg_record;

/* Sorts the records. The file is replaced whole or left as it was. */
bool hg_records_save(hg_context *, hg_record *, int64_t n, const char *file,
                     const char *const *metadata);
/* Sorts the records, checks the file against them, then reads all of them;
 * with `matching` those that fit. How many were read, or -1. */
int64_t hg_records_load(hg_context *, hg_record *, int64_t n, const char *file,
                        bool matching);

#define HG_HEADER_MOST ((uint64_t)100 << 20)

void hg_records_sort(hg_record *, int64_t n);

/* ---- Between the files of the reader ------------------------------------ */

#ifdef HG_HAVE_JANSSON
#include <jansson.h>

/* An entry as the file's header describes it. */
typedef struct {
    const char *name, *dtype;
    hg_shape shape; /* rank -1: more axes than we have */
    uint64_t begin, end;
    const hg_record *record; /* that it will be read into, or NULL */
} hg_found;

typedef struct {
    hg_context *context;
    const char *file;
    unsigned char *bytes;
    uint64_t size, data; /* where the values begin */
    json_t *root;
    hg_region region; /* of `entries` */
    hg_found *entries;
    int64_t count;
} hg_reader;

/* Bytes of one value; 0 for a type the format does not know. */
uint64_t hg_file_dtype_size(const char *dtype);
/* Which entry goes where; false, with a sentence that names all that does not
 * fit, unless `matching`. */
bool hg_match_records(hg_reader *, const hg_record *, int64_t n, bool matching);
/* Optional counts that the file does not have become -1. */
void hg_note_missing(const hg_reader *, const hg_record *, int64_t n);
/* Copies the values of what was matched; how many entries. */
int64_t hg_take_records(const hg_reader *);
#endif

#endif
