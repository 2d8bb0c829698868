/* datasets_fixture.h - what the tests of datasets/ share: a folder for files, a
 * context, IDX files to read, and an allocator that counts and fails. */
#ifndef DATASETS_FIXTURE_H
#define DATASETS_FIXTURE_H

#define _XOPEN_SOURCE 700 /* nftw */
#include "datasets/data.h"
#include "tensor/internal.h"
#include "tensor/random.h"
#include "tests/device.h"
#include "tests/run.h"

#include <check.h>
#include <ftw.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define NONE ((hg_data_options){0})
#define ROWS 10

/* ---- Files to read ------------------------------------------------------ */

static const char *const file_name[4] = {
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static char folder[256]; /* a fresh one for each test */
static char real_data[4096];
static hg_context *ctx;

static inline int remove_entry(const char *path, const struct stat *st,
                               int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void begin(void)
{
    const char *root = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/datasets-XXXXXX",
             root ? root : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    unsetenv("HOURGLASS_DATA");
    setenv("HOURGLASS_OFFLINE", "1", 1);
    setenv("XDG_CACHE_HOME", folder, 1);
    forget_fetched();
    ctx = hg_context_new(test_device(), 42);
}

static inline void end(void)
{
    hg_context_free(ctx);
    hg_error_clear();
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void write_plain(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(in_folder(name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static inline void write_gzip(const char *name, const void *bytes, size_t size)
{
    gzFile f = gzopen(in_folder(name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(gzwrite(f, bytes, (unsigned)size), (int)size);
    gzclose(f);
}

static inline size_t read_back(const char *name, uint8_t *bytes, size_t room)
{
    FILE *f = fopen(in_folder(name), "rb");
    ck_assert_ptr_nonnull(f);
    size_t size = fread(bytes, 1, room, f);
    fclose(f);
    return size;
}

/* An IDX file of bytes that count up from `first`. */
static inline size_t idx(uint8_t *out, int axes, const uint32_t *dim, int first)
{
    size_t at = 4, n = 1;
    memcpy(out, (uint8_t[]){0, 0, 8, (uint8_t)axes}, 4);
    for (int i = 0; i < axes; i++) {
        for (int shift = 24; shift >= 0; shift -= 8)
            out[at++] = (uint8_t)(dim[i] >> shift);
        n *= dim[i];
    }
    for (size_t i = 0; i < n; i++)
        out[at++] = (uint8_t)(first + (int)i);
    return at;
}

/* Four files: ten images to train, three to test, of 2 x 3 pixels. */
static inline void write_set(bool gzip)
{
    uint8_t bytes[256];
    char name[64];
    for (int i = 0; i < 4; i++) {
        uint32_t dim[3] = {i < 2 ? ROWS : 3, 2, 3};
        size_t size = idx(bytes, i % 2 ? 1 : 3, dim, i % 2 ? 0 : 7);
        snprintf(name, sizeof name, "%s%s", file_name[i], gzip ? ".gz" : "");
        (gzip ? write_gzip : write_plain)(name, bytes, size);
    }
}

static inline hg_data *open_folder(void)
{
    return hg_data_open(ctx, folder, NONE);
}

static inline void expect_error(hg_error_code code, const char *part)
{
    ck_assert_msg(hg_error() != NULL, "no error, but expected: %s", part);
    ck_assert_msg(hg_error_kind() == code && strstr(hg_error(), part),
                  "expected a %s error with '%s', found %s: %s",
                  hg_error_name(code), part, hg_error_name(hg_error_kind()),
                  hg_error());
    hg_error_clear();
}

static inline void value_of(const hg_data *data, int64_t row, hg_real *x)
{
    hg_batch b;
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert_msg(hg_data_batch(data, &row, 1, &b), "%s",
                  hg_error() ? hg_error() : "");
    ck_assert(hg_read(b.x, x, hg_data_features(data)));
    hg_scope_close(s);
}

static inline void count_classes(const hg_data *data, int64_t count[10])
{
    memset(count, 0, 10 * sizeof count[0]);
    for (int64_t i = 0; i < hg_data_size(data); i++)
        count[hg_data_label(data, i)]++;
}

/* ---- Memory that is counted and may fail -------------------------------- */

typedef struct {
    int64_t calls, fail_at; /* fail_at < 0: never */
    size_t held, refused;   /* what was held when it failed */
} tally;

static inline void *tally_allocate(void *user, size_t size)
{
    tally *t = user;
    if (t->calls++ == t->fail_at) {
        t->refused = t->held;
        return NULL;
    }
    /* Asked again, after spare memory was given back. */
    if (t->calls == t->fail_at + 2 && t->held < t->refused && !hg_error())
        return NULL;
    t->held += size;
    return malloc(size);
}

static inline void tally_release(void *user, void *pointer, size_t size)
{
    ((tally *)user)->held -= size;
    free(pointer);
}

static inline hg_context *tallied(tally *t)
{
    return hg_context_new_with(
        test_device(), 42, (hg_allocator){tally_allocate, tally_release, t});
}

/* ---- Running ------------------------------------------------------------ */

static inline int run_suite(const char *name, TCase *c)
{
    const char *given = getenv("HOURGLASS_DATA");
    snprintf(real_data, sizeof real_data, "%s", given ? given : "");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, begin, end);
    return run_cases(name, c);
}

#endif
