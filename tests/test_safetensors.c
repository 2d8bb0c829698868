/* test_safetensors.c - weights in files: the bytes, other programs' files, and
 * files that do not fit. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/safetensors_fixture.h"

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
    if (!run_python())
        skip_test("no python3 or no HOURGLASS_TEST_SOURCE");
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

START_TEST(a_count_that_does_not_fit_is_refused)
{
    hg_params *p = hg_params_new(ctx);
    expect_ok(hg_counter(p, "n") != NULL);
    static const struct {
        int64_t count;
        bool fits;
    } file[] = {{0, true},
                {INT32_MAX, true},
                {-1, false},
                {(int64_t)INT32_MAX + 1, false}};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        write_tensors("n", "{" ENTRY("n", "I64", "", 0, 8) "}", 8);
        char bytes[256];
        size_t size = read_file("n", bytes, sizeof bytes);
        memcpy(bytes + size - 8, &file[i].count, 8);
        write_file("n", bytes, size);
        ck_assert(hg_params_load(p, path_of("n")) == file[i].fits);
        if (file[i].fits)
            expect_values(hg_params_find(p, "n"), (double)file[i].count);
        else
            expect_error(FORMAT, "\"n\" has dtype I64", "0 to 2147483647");
    }
    write_tensors("n", "{" ENTRY("n", "F32", "", 0, 4) "}", 4);
    ck_assert(!hg_params_load(p, path_of("n")));
    expect_error(FORMAT, "\"n\" has dtype F32, a count (I64");
}
END_TEST

FILES_TEST_MAIN("safetensors", what_was_saved_is_loaded_and_is_a_new_version,
                the_bytes_are_those_of_the_format,
                a_cursor_saves_its_part_by_relative_names,
                an_empty_store_makes_an_empty_file,
                other_programs_read_our_files_and_we_theirs,
                float32_and_float64_are_converted,
                all_that_does_not_fit_is_named_in_one_sentence,
                long_lists_of_misfits_are_cut,
                a_count_that_does_not_fit_is_refused)
