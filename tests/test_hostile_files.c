/* test_hostile_files.c - files that are damaged, cut short or made to do harm.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/safetensors_fixture.h"

#include <errno.h>

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

FILES_TEST_MAIN(
    "hostile files", a_hostile_file_gets_a_sentence_and_changes_nothing,
    a_header_that_claims_too_much_is_refused_before_it_is_read,
    a_file_cut_short_anywhere_changes_nothing,
    a_file_with_any_bit_of_its_header_wrong_loads_whole_or_not_at_all,
    what_cannot_be_opened_is_said)
