/* safetensors_fixture.h - a folder for the files of every test, and a model to
 * save. */
#ifndef HG_TEST_SAFETENSORS_FIXTURE_H
#define HG_TEST_SAFETENSORS_FIXTURE_H

#include "tests/support.h"
#include "nn/nn.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HG_DOUBLE
#define DTYPE "F64"
#define SIZE  8
#else
#define DTYPE "F32"
#define SIZE  4
#endif

/* ---- Files -------------------------------------------------------------- */

static char folder[256];

UNUSED static int remove_entry(const char *path, const struct stat *st,
                               int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

UNUSED static void begin(void)
{
    const char *root = getenv("TMPDIR");
    test_setup();
    snprintf(folder, sizeof folder, "%.200s/tensors-XXXXXX",
             root ? root : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

UNUSED static void end(void)
{
    test_teardown();
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

UNUSED static const char *path_of(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

UNUSED static bool exists(const char *name)
{
    return !access(path_of(name), F_OK);
}

UNUSED static size_t read_file(const char *name, char *bytes, size_t room)
{
    FILE *f = fopen(path_of(name), "rb");
    ck_assert_ptr_nonnull(f);
    size_t size = fread(bytes, 1, room, f);
    fclose(f);
    ck_assert_uint_lt(size, room);
    return size;
}

UNUSED static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* A file with this header and so many bytes of zeros as values. */
UNUSED static void write_tensors(const char *name, const char *header,
                                 size_t data)
{
    char bytes[4096] = {0};
    uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    write_file(name, bytes, 8 + length + data);
}

/* An entry of a header. */
#define ENTRY(name, dtype, shape, from, to)                                    \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape                  \
    "],\"data_offsets\":[" #from "," #to "]}"

/* ---- A model to save ---------------------------------------------------- */

UNUSED static const hg_real weight[6] = {
    (hg_real)-0.25, (hg_real)-0.125, 0,
    (hg_real)0.125, (hg_real)0.25,   (hg_real)0.375};

UNUSED static hg_params *make_model(void)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w =
        hg_param(hg_params_at(p, "net"), "0.weight", HG_SHAPE(2, 3), HG_NORMAL);
    hg_tensor *s = hg_param(p, "scale", HG_SCALAR, HG_NORMAL);
    hg_tensor *n = hg_counter(p, "bn.num_batches_tracked");
    ck_assert_msg(w && s && n, "%s", hg_error());
    return p;
}

UNUSED static void fill_model(hg_params *p)
{
    expect_ok(hg_write(hg_params_find(p, "net.0.weight"), weight, 6));
    hg_set(hg_params_find(p, "scale"), (hg_real)0.5);
    expect_ok(hg_assign(hg_params_find(p, "bn.num_batches_tracked"),
                        hg_from((const int32_t[]){5}, "i4", HG_SCALAR)));
}

UNUSED static void expect_model(hg_params *p)
{
    expect_values(hg_params_find(p, "net.0.weight"), -0.25, -0.125, 0, 0.125,
                  0.25, 0.375);
    expect_values(hg_params_find(p, "scale"), 0.5);
    expect_values(hg_params_find(p, "bn.num_batches_tracked"), 5);
}

UNUSED static uint64_t hash_of(const hg_params *p)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (int64_t i = 0; hg_params_entry(p, i); i++) {
        const hg_tensor *t = hg_params_entry(p, i);
        const unsigned char *bytes = host_values(t);
        size_t size = (size_t)hg_numel(t) * hg_dtype_size(t->dtype);
        for (size_t k = 0; k < size; k++)
            h = (h ^ bytes[k]) * 0x100000001B3u;
        h = (h ^ hg_version(t)) * 0x100000001B3u;
    }
    return h;
}

/* ---- main --------------------------------------------------------------- */

#define FILES_TEST_MAIN(name_, ...)                                            \
    int main(void)                                                             \
    {                                                                          \
        const TTest *const tests[] = {__VA_ARGS__};                            \
        return run_list(name_, begin, end, tests,                              \
                        sizeof tests / sizeof *tests);                         \
    }

#endif
