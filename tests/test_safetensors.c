/* test_safetensors.c - weights and states in files: the bytes, other programs'
 * files, hostile files, disks that are full, allocations that fail. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/support.h"
#include "nn/nn.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
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

static int remove_entry(const char *path, const struct stat *st, int type,
                        struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void begin(void)
{
    const char *root = getenv("TMPDIR");
    test_setup();
    snprintf(folder, sizeof folder, "%.200s/tensors-XXXXXX",
             root ? root : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void end(void)
{
    test_teardown();
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static bool exists(const char *name)
{
    return !access(path_of(name), F_OK);
}

static size_t read_file(const char *name, char *bytes, size_t room)
{
    FILE *f = fopen(path_of(name), "rb");
    ck_assert_ptr_nonnull(f);
    size_t size = fread(bytes, 1, room, f);
    fclose(f);
    ck_assert_uint_lt(size, room);
    return size;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* A file with this header and so many bytes of zeros as values. */
static void write_tensors(const char *name, const char *header, size_t data)
{
    char bytes[4096] = {0};
    uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    write_file(name, bytes, 8 + length + data);
}

/* ---- A model to save ---------------------------------------------------- */

static const hg_real weight[6] = {
    (hg_real)-0.25, (hg_real)-0.125, 0,
    (hg_real)0.125, (hg_real)0.25,   (hg_real)0.375};

static hg_params *make_model(void)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w =
        hg_param(hg_params_at(p, "net"), "0.weight", HG_SHAPE(2, 3), HG_NORMAL);
    hg_tensor *s = hg_param(p, "scale", HG_SCALAR, HG_NORMAL);
    hg_tensor *n = hg_counter(p, "bn.num_batches_tracked");
    ck_assert_msg(w && s && n, "%s", hg_error());
    return p;
}

static void fill_model(hg_params *p)
{
    expect_ok(hg_write(hg_params_find(p, "net.0.weight"), weight, 6));
    hg_set(hg_params_find(p, "scale"), (hg_real)0.5);
    hg_set(hg_params_find(p, "bn.num_batches_tracked"), 5);
}

static void expect_model(hg_params *p)
{
    expect_values(hg_params_find(p, "net.0.weight"), -0.25, -0.125, 0, 0.125,
                  0.25, 0.375);
    expect_values(hg_params_find(p, "scale"), 0.5);
    expect_values(hg_params_find(p, "bn.num_batches_tracked"), 5);
}

static uint64_t hash_of(const hg_params *p)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (int64_t i = 0; hg_params_entry(p, i); i++) {
        const hg_tensor *t = hg_params_entry(p, i);
        const unsigned char *bytes = host_values(t);
        for (size_t k = 0; k < (size_t)hg_numel(t) * sizeof(hg_real); k++)
            h = (h ^ bytes[k]) * 0x100000001B3u;
        h = (h ^ hg_version(t)) * 0x100000001B3u;
    }
    return h;
}

/* ---- There and back ----------------------------------------------------- */

START_TEST(what_was_saved_is_loaded_and_is_a_new_version)
{
    hg_params *p = make_model(), *q = make_model();
    fill_model(p);
    hg_scope_close(scope); /* files need none */
    expect_ok(hg_params_save(p, path_of("m.safetensors")));
    ck_assert(!exists("m.safetensors.tmp"));
    uint64_t version = hg_version(hg_params_find(q, "scale"));
    expect_ok(hg_params_load(q, path_of("m.safetensors")));
    ck_assert_uint_eq(hg_version(hg_params_find(q, "scale")), version + 1);
    expect_model(q);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(the_bytes_are_those_of_the_format)
{
    hg_params *p = make_model();
    fill_model(p);
    expect_ok(hg_params_save(p, path_of("m")));
    char bytes[1024], expected[1024];
    size_t size = read_file("m", bytes, sizeof bytes);
    int length =
        snprintf(expected, sizeof expected,
                 "{\"bn.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],"
                 "\"data_offsets\":[0,8]},"
                 "\"net.0.weight\":{\"dtype\":\"" DTYPE "\",\"shape\":[2,3],"
                 "\"data_offsets\":[8,%d]},"
                 "\"scale\":{\"dtype\":\"" DTYPE "\",\"shape\":[],"
                 "\"data_offsets\":[%d,%d]}}",
                 8 + 6 * SIZE, 8 + 6 * SIZE, 8 + 7 * SIZE);
    while (length % 8)
        expected[length++] = ' ';
    uint64_t claimed;
    memcpy(&claimed, bytes, 8);
    ck_assert_uint_eq(claimed, (uint64_t)length);
    ck_assert_mem_eq(bytes + 8, expected, (size_t)length);
    ck_assert_uint_eq(size, 8 + (size_t)length + 8 + 7 * SIZE);
    ck_assert_int_eq(bytes[8 + length], 5);
    ck_assert_mem_eq(bytes + 16 + length, weight, sizeof weight);
}
END_TEST

START_TEST(a_cursor_saves_its_part_by_relative_names)
{
    hg_params *p = make_model(), *q = hg_params_new(ctx);
    fill_model(p);
    expect_ok(hg_params_save(hg_params_at(p, "net"), path_of("net")));
    hg_tensor *w = hg_param(q, "0.weight", HG_SHAPE(2, 3), HG_NORMAL);
    expect_ok(hg_params_load(q, path_of("net")));
    ck_assert_mem_eq(host_values(w), weight, sizeof weight);
}
END_TEST

START_TEST(an_empty_store_makes_an_empty_file)
{
    hg_params *p = hg_params_new(ctx);
    expect_ok(hg_params_save(p, path_of("m")));
    expect_ok(hg_params_load(p, path_of("m")));
}
END_TEST

static bool run_python(void)
{
    const char *source = getenv("HOURGLASS_TEST_SOURCE");
    char command[2048];
    if (!source || system("python3 -c '' 2>/dev/null"))
        return false;
    snprintf(command, sizeof command,
             "python3 '%s/tests/safetensors_roundtrip.py' '%s'", source,
             folder);
    ck_assert_int_eq(system(command), 0);
    return true;
}

START_TEST(other_programs_read_our_files_and_we_theirs)
{
    static const char *const metadata[] = {"made by", "a \"test\" \xc3\xa4",
                                           NULL};
    hg_params *p = make_model(), *q = make_model(), *r = make_model();
    fill_model(p);
    expect_ok(hg_params_save_with(p, path_of("ours.safetensors"), metadata));
    if (!run_python()) {
        printf("# no python3 or no HOURGLASS_TEST_SOURCE: skipped\n");
        return;
    }
    expect_ok(hg_params_load(q, path_of("plain.safetensors")));
    expect_model(q);
    if (!exists("package.safetensors"))
        return;
    expect_ok(hg_params_load(r, path_of("package.safetensors")));
    expect_model(r);
}
END_TEST

START_TEST(float32_and_float64_are_converted)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *a = hg_param(p, "a", HG_SHAPE(2), HG_NORMAL);
    hg_tensor *b = hg_param(p, "b", HG_SHAPE(3), HG_NORMAL);
    const char *header = "{\"b\":{\"dtype\":\"F32\",\"shape\":[3],"
                         "\"data_offsets\":[16,28]},"
                         "\"a\":{\"dtype\":\"F64\",\"shape\":[2],"
                         "\"data_offsets\":[0,16]}}";
    const double wide[2] = {1.5, -1e300};
    const float narrow[3] = {0.25f, 3, -7};
    char bytes[256];
    uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, wide, sizeof wide);
    memcpy(bytes + 24 + length, narrow, sizeof narrow);
    write_file("m", bytes, 8 + length + 28);
    expect_ok(hg_params_load(p, path_of("m")));
    expect_values(b, 0.25, 3, -7);
    ck_assert(((const hg_real *)host_values(a))[0] == (hg_real)1.5);
    ck_assert(((const hg_real *)host_values(a))[1] == (hg_real)-1e300);
}
END_TEST

/* ---- What does not fit -------------------------------------------------- */

#define ENTRY(name, dtype, shape, from, to)                                    \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape                  \
    "],\"data_offsets\":[" #from "," #to "]}"

START_TEST(all_that_does_not_fit_is_named_in_one_sentence)
{
    hg_params *p = hg_params_new(ctx);
    hg_param(p, "a", HG_SHAPE(2), HG_NORMAL);
    hg_param(p, "b", HG_SHAPE(2, 3), HG_NORMAL);
    hg_param(p, "c", HG_SHAPE(1), HG_NORMAL);
    hg_param(p, "fits", HG_SHAPE(1), HG_NORMAL);
    uint64_t before = hash_of(p);
    write_tensors("m",
                  "{" ENTRY("b", "F32", "3,2", 0, 24) "," //
                  ENTRY("c", "I64", "1", 24, 32) ","      //
                  ENTRY("fits", "F32", "1", 32, 36) ","   //
                  ENTRY("x.y", "F16", "5", 36, 46) "}",
                  46);
    ck_assert(!hg_params_load(p, path_of("m")));
    expect_error(FORMAT, path_of("m"), "\"a\" is missing",
                 "\"b\" is [3, 2] in the file, [2, 3] here",
                 "\"c\" has dtype I64, F32 or F64 is needed",
                 "\"x.y\" is not expected", "nothing was changed");
    ck_assert_uint_eq(hash_of(p), before);
    ck_assert_int_eq(hg_params_load_matching(p, path_of("m")), 1);
    expect_values(hg_params_find(p, "fits"), 0);
    expect_no_error();
}
END_TEST

START_TEST(long_lists_of_misfits_are_cut)
{
    hg_params *p = hg_params_new(ctx);
    char name[120];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%090d.weight", i);
        hg_param(p, name, HG_SHAPE(1), HG_NORMAL);
    }
    write_tensors("m", "{}", 0);
    ck_assert(!hg_params_load(p, path_of("m")));
    expect_error(FORMAT, "does not fit", "is missing", "and more",
                 "nothing was changed");
    ck_assert_int_eq(hg_params_load_matching(p, path_of("m")), 0);
}
END_TEST

/* ---- Hostile files ------------------------------------------------------ */

#define A(dtype, shape, from, to) "{" ENTRY("a", dtype, shape, from, to) "}"

static const struct {
    const char *header;
    size_t data;
    const char *word;
} hostile[] = {
    {"", 0, "does not begin with {"},
    {"[]", 0, "does not begin with {"},
    {" {}", 0, "does not begin with {"},
    {"{", 0, "is no JSON"},
    {"{}}", 0, "is no JSON"},
    {"{\"a\":1e}", 0, "is no JSON"},
    {"{\"\xff\":1}", 0, "is no JSON"},
    {"{\"a\":1}", 0, "no dtype"},
    {"{\"a\":null}", 0, "no dtype"},
    {"{\"a\":{}}", 0, "no dtype"},
    {A("F31", "2", 0, 8), 8, "no dtype"},
    {"{\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
     "no dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "no shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8,
     "no shape"},
    {A("F32", "-2", 0, 8), 8, "no count"},
    {A("F32", "2.0", 0, 8), 8, "no count"},
    {A("F32", "\"2\"", 0, 8), 8, "no count"},
    {A("F32", "99999999999999999999", 0, 8), 8, "is no JSON"},
    {A("F32", "4611686018427387904,4", 0, 0), 0, "larger than"},
    {A("F32", "4294967296,4294967296", 0, 0), 0, "larger than"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]}}", 8,
     "data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8,
     "data_offsets"},
    {A("F32", "2", -8, 0), 8, "data_offsets"},
    {A("F32", "2", 8, 0), 8, "do not agree"},
    {A("F32", "2", 0, 12), 12, "do not agree"},
    {A("F32", "2", 0, 9223372036854775807), 8, "do not agree"},
    {A("F32", "2", 9223372036854775799, 9223372036854775807), 8,
     "beyond the end"},
    {A("F32", "2", 0, 8), 7, "beyond the end"},
    {A("F32", "2", 0, 8), 9, "belong to no entry"},
    {A("F32", "2", 4, 12), 12, "leaves a hole"},
    {"{" ENTRY("a", "F32", "2", 0, 8) "," ENTRY("b", "F32", "2", 4, 12) "}", 12,
     "overlaps"},
    {"{" ENTRY("a", "F32", "2", 0, 8) "," ENTRY("b", "F32", "2", 0, 8) "}", 8,
     "overlaps"},
    {"{" ENTRY("a", "F32", "2", 0, 8) "," ENTRY("a", "F32", "2", 0, 8) "}", 8,
     "is no JSON (duplicate"},
    {"{" ENTRY("a", "F32", "2", 0, 8) "," ENTRY("b", "F32", "0", 8, 8) "}", 8,
     "\"b\" is not expected"},
    {A("F32", "1,1,1,1,1,1,1,2", 0, 8), 8, "higher rank"},
    {A("I32", "2", 0, 8), 8, "dtype I32"},
    {"{\"__metadata__\":4," ENTRY("a", "F32", "2", 0, 8) "}", 8,
     "__metadata__ is no object"},
    {"{\"__metadata__\":{\"k\":4}," ENTRY("a", "F32", "2", 0, 8) "}", 8,
     "something but texts"},
};

START_TEST(a_hostile_file_gets_a_sentence_and_changes_nothing)
{
    hg_params *p = hg_params_new(ctx);
    hg_param(p, "a", HG_SHAPE(2), HG_NORMAL);
    uint64_t before = hash_of(p);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        write_tensors("m", hostile[i].header, hostile[i].data);
        ck_assert_msg(!hg_params_load(p, path_of("m")), "case %zu: %s", i,
                      hostile[i].header);
        expect_error(FORMAT, hostile[i].word, path_of("m"));
        ck_assert_uint_eq(hash_of(p), before);
    }
    write_tensors("m", A("F32", "2", 0, 8), 8);
    expect_ok(hg_params_load(p, path_of("m")));
}
END_TEST

START_TEST(a_header_that_claims_too_much_is_refused_before_it_is_read)
{
    hg_params *p = make_model();
    uint64_t claims[] = {UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 40, 9};
    for (size_t i = 0; i < 4; i++) {
        char bytes[16] = {0};
        memcpy(bytes, &claims[i], 8);
        write_file("m", bytes, sizeof bytes);
        ck_assert(!hg_params_load(p, path_of("m")));
        expect_error(FORMAT, "claims to be longer than");
    }
    write_file("m", "1234567", 7);
    ck_assert(!hg_params_load(p, path_of("m")));
    expect_error(FORMAT, "shorter than the 8 bytes");
    ck_assert_int_eq(hg_params_load_matching(p, path_of("m")), -1);
    expect_error(FORMAT, "shorter than the 8 bytes");
}
END_TEST

START_TEST(a_file_cut_short_anywhere_changes_nothing)
{
    hg_params *p = make_model(), *q = make_model();
    char bytes[1024];
    fill_model(p);
    expect_ok(hg_params_save(p, path_of("m")));
    size_t size = read_file("m", bytes, sizeof bytes);
    uint64_t before = hash_of(q);
    for (size_t n = 0; n < size; n++) {
        write_file("cut", bytes, n);
        ck_assert(!hg_params_load(q, path_of("cut")));
        expect_error(FORMAT, "nothing was changed");
        ck_assert_uint_eq(hash_of(q), before);
    }
}
END_TEST

START_TEST(a_file_with_any_bit_of_its_header_wrong_loads_whole_or_not_at_all)
{
    hg_params *p = make_model(), *q = make_model();
    char bytes[1024];
    fill_model(p);
    expect_ok(hg_params_save(p, path_of("m")));
    size_t size = read_file("m", bytes, sizeof bytes);
    uint64_t before = hash_of(q);
    int refused = 0;
    for (size_t bit = 0; bit < 8 * (size - 8 - 7 * SIZE); bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_file("bad", bytes, size);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (hg_params_load(q, path_of("bad"))) {
            before = hash_of(q);
            continue;
        }
        refused++;
        ck_assert_int_eq(hg_error_kind(), HG_ERROR_FORMAT);
        ck_assert_uint_eq(hash_of(q), before);
        hg_error_clear();
    }
    ck_assert_int_gt(refused, 500);
}
END_TEST

START_TEST(what_cannot_be_opened_is_said)
{
    hg_params *p = make_model();
    ck_assert(!hg_params_load(p, path_of("nothing")));
    expect_error(IO, path_of("nothing"), strerror(ENOENT));
    ck_assert(!hg_params_load(p, folder));
    expect_error(IO, folder, "not a regular file");
    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    ck_assert(!hg_params_load(p, path_of("pipe")));
    expect_error(IO, "not a regular file");
    ck_assert(!hg_params_load(p, NULL));
    expect_error(ARGUMENT, "hg_params_load: the file's name is NULL");
    ck_assert(!hg_params_load(NULL, path_of("m")));
    expect_error(ARGUMENT, "hg_params_load: the store is NULL");
    ck_assert(!hg_params_save(NULL, path_of("m")));
    expect_error(ARGUMENT, "hg_params_save: the first argument is NULL");
    ck_assert(!hg_params_save(p, NULL));
    expect_error(ARGUMENT, "hg_params_save: the file's name is NULL");
}
END_TEST

/* ---- Writing that fails ------------------------------------------------- */

START_TEST(saving_works_while_an_error_is_pending_and_loading_refuses)
{
    hg_params *p = make_model();
    fill_model(p);
    hg_fail(HG_ERROR_DATA, "something else");
    ck_assert(hg_params_save(p, path_of("m")));
    ck_assert(!hg_params_load(p, path_of("m")));
    expect_error(DATA, "something else");
    expect_ok(hg_params_load(p, path_of("m")));
}
END_TEST

static void expect_old_file(const char *name)
{
    hg_params *q = make_model();
    ck_assert(!exists("m.tmp"));
    expect_ok(hg_params_load(q, path_of(name)));
    expect_model(q);
}

START_TEST(a_full_disk_leaves_the_old_file)
{
    hg_params *p = make_model();
    fill_model(p);
    expect_ok(hg_params_save(p, path_of("m")));
    hg_set(hg_params_find(p, "scale"), 9);
    struct rlimit was, tight;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (rlim_t most = 0; most < 200; most += 50) {
        tight.rlim_cur = most;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
        bool saved = hg_params_save(p, path_of("m"));
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
        ck_assert(!saved);
        expect_error(IO, "m cannot be written", strerror(EFBIG), "still there");
        expect_old_file("m");
    }
    signal(SIGXFSZ, handler);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_said)
{
    hg_params *p = make_model();
    fill_model(p);
    ck_assert(!hg_params_save(p, path_of("no/such/folder")));
    expect_error(IO, "cannot be written", strerror(ENOENT));
    ck_assert_int_eq(mkdir(path_of("d"), 0700), 0);
    ck_assert(!hg_params_save(p, path_of("d")));
    expect_error(IO, "cannot be written", strerror(EISDIR));
    ck_assert(!exists("d.tmp"));
    ck_assert(!hg_params_save_with(p, path_of("m"),
                                   (const char *const[]){"key", "\xff", NULL}));
    expect_error(ARGUMENT, "metadata");
    ck_assert(!hg_params_save_with(p, path_of("m"),
                                   (const char *const[]){"key", NULL, NULL}));
    expect_error(ARGUMENT, "metadata");
    ck_assert(!exists("m") && !exists("m.tmp"));
}
END_TEST

START_TEST(a_read_only_folder_leaves_the_old_file)
{
    if (!geteuid()) {
        printf("# root may write everywhere: skipped\n");
        return;
    }
    hg_params *p = make_model();
    fill_model(p);
    expect_ok(hg_params_save(p, path_of("m")));
    ck_assert_int_eq(chmod(folder, 0500), 0);
    ck_assert(!hg_params_save(p, path_of("m")));
    ck_assert_int_eq(chmod(folder, 0700), 0);
    expect_error(IO, strerror(EACCES));
    expect_old_file("m");
}
END_TEST

/* ---- Optimisers --------------------------------------------------------- */

typedef struct {
    hg_params *p;
    nn_layer *net;
    hg_optimizer *o[3];
} machine;

static machine build_machine(hg_context *context)
{
    machine m = {.p = hg_params_new(context)};
    m.net = nn_chain(m.p, nn_linear(m.p, "a", 5, 7), nn_tanh(m.p),
                     nn_linear(m.p, "b", 7, 5));
    m.o[0] = hg_adam(hg_params_at(m.p, "a"), "first", (hg_adam_options){0});
    m.o[1] = hg_rmsprop(hg_params_at(m.p, "b"), "second",
                        (hg_rmsprop_options){.centered = true});
    m.o[2] = hg_sgd(hg_params_at(m.p, "b"), "third",
                    (hg_sgd_options){.momentum = 0.5});
    return m;
}

static bool train_once(hg_context *context, machine *m)
{
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    bool ok = s != NULL;
    for (int i = 1; ok && i < 3; i++) {
        hg_tensor *x = hg_rand(HG_SHAPE(4, 5));
        hg_tensor *y = nn_forward(m->net, x);
        ok = hg_minimize(hg_mean(hg_square(hg_sub(y, x)), HG_ALL), m->o[0],
                         m->o[i]);
    }
    if (s)
        hg_scope_close(s);
    return ok;
}

static hg_context *new_context(test_memory *m)
{
    *m = (test_memory){0};
    return hg_context_new_with(test_device(), 3, test_allocator(m));
}

START_TEST(training_goes_on_from_files_with_the_same_bits)
{
    test_memory m;
    hg_scope_close(scope);
    hg_context *c = new_context(&m);
    machine a = build_machine(c);
    for (int i = 0; i < 4; i++)
        expect_ok(train_once(c, &a));
    hg_set(hg_optimizer_rate(a.o[2]), (hg_real)0.3);
    expect_ok(hg_params_save(a.p, path_of("model")));
    expect_ok(hg_optimizers_save(a.o, 3, path_of("state")));
    uint64_t steps[2];
    hg_context_steps(c, steps);
    for (int i = 0; i < 4; i++)
        expect_ok(train_once(c, &a));
    hg_context *d = new_context(&m);
    machine b = build_machine(d);
    expect_ok(train_once(d, &b)); /* something else before */
    expect_ok(hg_params_load(b.p, path_of("model")));
    expect_ok(hg_optimizers_load(b.o, 3, path_of("state")));
    ck_assert_int_eq(hg_optimizer_steps(b.o[0]), 8);
    ck_assert_int_eq(hg_optimizer_steps(b.o[1]), 4);
    hg_context_set_steps(d, steps);
    for (int i = 0; i < 4; i++)
        expect_ok(train_once(d, &b));
    for (int64_t i = 0; hg_params_entry(a.p, i); i++)
        ck_assert(same_bits(hg_params_entry(a.p, i), hg_params_entry(b.p, i)));
    hg_context_free(c);
    hg_context_free(d);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(the_state_is_saved_under_the_optimisers_name)
{
    machine m = build_machine(ctx);
    char bytes[8192];
    expect_ok(hg_optimizers_save(m.o, 3, path_of("state")));
    size_t size = read_file("state", bytes, sizeof bytes - 1);
    for (size_t i = 0; i < size; i++)
        if (!bytes[i])
            bytes[i] = ' ';
    bytes[size] = 0;
    static const char *const names[] = {"\"first/rate\"",
                                        "\"first/steps\"",
                                        "\"first/a.weight.step\"",
                                        "\"first/a.weight.exp_avg\"",
                                        "\"first/a.bias.exp_avg_sq\"",
                                        "\"second/b.weight.square_avg\"",
                                        "\"second/b.weight.grad_avg\"",
                                        "\"third/b.bias.momentum_buffer\""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(strstr(bytes, names[i]) != NULL, "%s", names[i]);
    ck_assert_ptr_null(strstr(bytes, "second/b.weight.momentum_buffer"));
}
END_TEST

START_TEST(states_that_do_not_fit_are_refused)
{
    machine m = build_machine(ctx);
    expect_ok(hg_optimizers_save(m.o, 2, path_of("two")));
    ck_assert(!hg_optimizers_load(m.o, 3, path_of("two")));
    expect_error(FORMAT, "\"third/", "is missing");
    hg_optimizer *twice[] = {m.o[0], m.o[0]};
    ck_assert(!hg_optimizers_save(twice, 2, path_of("m")));
    expect_error(ARGUMENT, "two optimisers are called \"first\"");
    twice[1] = NULL;
    ck_assert(!hg_optimizers_load(twice, 2, path_of("two")));
    expect_error(ARGUMENT, "optimiser 1 is NULL");
    ck_assert(!hg_optimizers_load(twice, 0, path_of("two")));
    expect_error(ARGUMENT, "no optimiser");
    hg_optimizer *o = hg_sgd(m.p, "o", (hg_sgd_options){0});
    expect_ok(hg_optimizers_save(&o, 1, path_of("sgd")));
    char bytes[4096];
    size_t size = read_file("sgd", bytes, sizeof bytes);
    uint64_t length;
    memcpy(&length, bytes, 8);
    bytes[8 + length + 7] = -1; /* a count becomes negative */
    write_file("sgd", bytes, size);
    ck_assert(!hg_optimizers_load(&o, 1, path_of("sgd")));
    expect_error(FORMAT, "a count (I64, not negative) is needed");
}
END_TEST

/* ---- Allocations that fail ---------------------------------------------- */

/* Each allocation of saving and loading fails in turn: a sentence, nothing
 * changed, nothing leaked, and the next try works. */
static void with_failing_memory(bool load)
{
    test_memory m;
    hg_scope_close(scope);
    hg_context *c = new_context(&m);
    machine a = build_machine(c);
    expect_ok(train_once(c, &a));
    expect_ok(hg_params_save(a.p, path_of("model")));
    expect_ok(hg_optimizers_save(a.o, 3, path_of("state")));
    uint64_t before = hash_of(a.p);
    long failures = 0;
    for (bool failed = true; failed;) {
        hg_chunks_release(c); /* nothing to recycle */
        m.fail_at = m.calls + ++failures;
        bool ok = load ? hg_params_load(a.p, path_of("model")) &&
                             hg_optimizers_load(a.o, 3, path_of("state"))
                       : hg_params_save(a.p, path_of("model")) &&
                             hg_optimizers_save(a.o, 3, path_of("state"));
        failed = m.calls >= m.fail_at;
        ck_assert_int_eq(ok, !failed);
        m.fail_at = 0;
        if (failed)
            expect_error(MEMORY, "could not be allocated");
        if (!load)
            ck_assert_uint_eq(hash_of(a.p), before);
        expect_ok(hg_params_load(a.p, path_of("model")));
        expect_ok(hg_optimizers_load(a.o, 3, path_of("state")));
        ck_assert(!exists("model.tmp") && !exists("state.tmp"));
        before = hash_of(a.p);
    }
    ck_assert_int_gt(failures, 3);
    expect_ok(train_once(c, &a));
    hg_context_free(c);
    ck_assert_int_eq(m.live, 0);
    scope = hg_scope_open(ctx, HG_TRAIN);
}

START_TEST(every_failing_allocation_of_saving_is_a_sentence)
{
    with_failing_memory(false);
}
END_TEST

START_TEST(every_failing_allocation_of_loading_is_a_sentence)
{
    with_failing_memory(true);
}
END_TEST

START_TEST(saving_and_loading_again_takes_no_more_memory)
{
    machine m = build_machine(ctx);
    size_t held = 0;
    for (int i = 0; i < 20; i++) {
        expect_ok(hg_params_save(m.p, path_of("model")));
        expect_ok(hg_params_load(m.p, path_of("model")));
        expect_ok(hg_optimizers_save(m.o, 3, path_of("state")));
        expect_ok(hg_optimizers_load(m.o, 3, path_of("state")));
        if (i == 1)
            held = hg_context_bytes(ctx);
    }
    ck_assert_uint_eq(hg_context_bytes(ctx), held);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_was_saved_is_loaded_and_is_a_new_version,
        the_bytes_are_those_of_the_format,
        a_cursor_saves_its_part_by_relative_names,
        an_empty_store_makes_an_empty_file,
        other_programs_read_our_files_and_we_theirs,
        float32_and_float64_are_converted,
        all_that_does_not_fit_is_named_in_one_sentence,
        long_lists_of_misfits_are_cut,
        a_hostile_file_gets_a_sentence_and_changes_nothing,
        a_header_that_claims_too_much_is_refused_before_it_is_read,
        a_file_cut_short_anywhere_changes_nothing,
        a_file_with_any_bit_of_its_header_wrong_loads_whole_or_not_at_all,
        what_cannot_be_opened_is_said,
        saving_works_while_an_error_is_pending_and_loading_refuses,
        a_full_disk_leaves_the_old_file,
        a_place_that_cannot_be_written_is_said,
        a_read_only_folder_leaves_the_old_file,
        training_goes_on_from_files_with_the_same_bits,
        the_state_is_saved_under_the_optimisers_name,
        states_that_do_not_fit_are_refused,
        every_failing_allocation_of_saving_is_a_sentence,
        every_failing_allocation_of_loading_is_a_sentence,
        saving_and_loading_again_takes_no_more_memory};
    Suite *suite = suite_create("safetensors");
    TCase *cases = tcase_create("safetensors");
    tcase_add_checked_fixture(cases, begin, end);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
