/* test_pictures.c - data sets from folders of pictures. */
#include "pictures_fixture.h"

START_TEST(a_flat_folder_has_no_labels_and_a_test_part_by_hash)
{
    char name[32];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "p%03d.pgm", i);
        write_grey(name, 4, i);
    }
    hg_data *data = open_with(NONE);
    hg_data *test = hg_data_split(data, "test", 0.1);
    hg_data *val = hg_data_split(data, "val", 0.1);
    hg_data *train = hg_data_split(data, "train", 0.1);
    ck_assert_msg(train != NULL, "%s", hg_error());
    int64_t t = hg_data_size(test), v = hg_data_size(val);
    ck_assert_int_eq(hg_data_classes(data), 0);
    ck_assert_int_eq(hg_data_size(data), 200 - t);
    ck_assert_int_eq(hg_data_size(train), 200 - t - v);
    ck_assert(t > 8 && t < 35 && v > 5 && v < 35);
    hg_data *parts[3] = {train, val, test};
    int seen[200] = {0};
    for (int p = 0; p < 3; p++)
        for (int64_t i = 0; i < hg_data_size(parts[p]); i++) {
            hg_real x[16];
            int number;
            const char *file = hg_data_item_name(parts[p], i);
            ck_assert_int_eq(sscanf(file, "p%d.pgm", &number), 1);
            seen[number]++;
            value_of(parts[p], i, x);
            ck_assert(x[0] == (hg_real)number / 255);
        }
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(seen[i], 1);
    /* More pictures, another seed: those in the test part stay there. */
    snprintf(name, sizeof name, "%s", hg_data_item_name(test, 0));
    for (int i = 0; i < 50; i++) {
        char more[32];
        snprintf(more, sizeof more, "q%03d.pgm", i);
        write_grey(more, 4, i);
    }
    hg_context *other = hg_context_new(test_device(), 7);
    char path[512];
    snprintf(path, sizeof path, "%s/", folder);
    hg_data *again = hg_data_split(hg_data_open(other, path, NONE), "test", 0);
    bool there = false;
    for (int64_t i = 0; i < hg_data_size(again); i++)
        there |= !strcmp(hg_data_item_name(again, i), name);
    ck_assert(there);
    hg_context_free(other);
}
END_TEST

static char heard[2048];

static void hear(void *user, const char *text)
{
    (void)user;
    snprintf(heard, sizeof heard, "%s", text);
}

START_TEST(sub_folders_are_classes_and_all_that_was_assumed_is_said)
{
    make_folder("owl");
    make_folder("cat");
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "cat/%d.pgm", i);
        write_grey(name, 4, 10);
        snprintf(name, sizeof name, "owl/%d.pgm", i);
        write_grey(name, 4, 20);
    }
    write_plain("owl/notes.txt", "x", 1);
    write_plain("owl/.hidden.png", "x", 1);
    hg_context_on_message(ctx, hear, NULL);
    hg_data *data = open_with((hg_data_options){.whole = true});
    ck_assert_msg(data != NULL, "%s", hg_error());
    ck_assert_int_eq(hg_data_size(data), 6);
    ck_assert_int_eq(hg_data_classes(data), 2);
    ck_assert_str_eq(hg_data_class_name(data, 0), "cat");
    ck_assert_str_eq(hg_data_class_name(data, 1), "owl");
    ck_assert_ptr_null(hg_data_class_name(data, 2));
    for (int64_t i = 0; i < 6; i++)
        ck_assert_int_eq(hg_data_label(data, i), i / 3);
    ck_assert_str_eq(hg_data_item_name(data, 5), "owl/2.pgm");
    static const char *const says[] = {"6 pictures",
                                       "2 classes by sub-folder (cat, owl)",
                                       "4 x 4",
                                       "grey",
                                       "0 to 255 become 0 to 1",
                                       "skipped: .txt 1"};
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++)
        ck_assert_msg(strstr(heard, says[i]) != NULL, "%s: %s", says[i], heard);
}
END_TEST

START_TEST(train_and_test_folders_are_the_parts)
{
    make_folder("train");
    make_folder("test");
    write_grey("train/a.pgm", 6, 1);
    write_grey("train/b.pgm", 6, 2);
    write_grey("test/c.pgm", 6, 3);
    hg_data *data = open_with(NONE);
    ck_assert_msg(data != NULL, "%s", hg_error());
    ck_assert_int_eq(hg_data_size(data), 2);
    hg_data *test = hg_data_split(data, "test", 0);
    ck_assert_int_eq(hg_data_size(test), 1);
    ck_assert_str_eq(hg_data_item_name(test, 0), "c.pgm");
    write_grey("test/c.pgm", 5, 3);
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "but test items [1, 5, 5]");
    make_folder("test/cat");
    write_grey("test/cat/d.pgm", 6, 3);
    ck_assert_int_eq(remove(in_folder("test/c.pgm")), 0);
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "test/ has 1");
}
END_TEST

START_TEST(colour_is_planes_and_grey_pictures_join_in)
{
    copy_golden("scene.png", "a.png");
    copy_golden("grey.png", "b.png");
    copy_golden("photo.jpg", "c.JPG");
    hg_data *data = open_with((hg_data_options){.whole = true});
    ck_assert_msg(data != NULL, "%s", hg_error());
    hg_shape item = hg_data_shape(data);
    ck_assert(item.dim[0] == 3 && item.dim[1] == 17 && item.dim[2] == 23);
    hg_real x[3 * 17 * 23];
    value_of(data, 0, x);
    int64_t at = 5 * 23 + 10, plane = 17 * 23;
    ck_assert(x[at] == (hg_real)250 / 255);
    ck_assert(x[plane + at] == (hg_real)30 / 255);
    ck_assert(x[2 * plane + at] == (hg_real)60 / 255);
    hg_data_options o = {
        .height = 8, .width = 10, .channels = 1, .whole = true};
    data = open_with(o);
    item = hg_data_shape(data);
    ck_assert(item.dim[0] == 1 && item.dim[1] == 8 && item.dim[2] == 10);
}
END_TEST

START_TEST(pictures_of_different_sizes_say_what_to_do)
{
    write_grey("a.pgm", 6, 1);
    write_grey("b.pgm", 7, 1);
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "a.pgm is 6 x 6, b.pgm 7 x 7");
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "--image-size 6");
    ck_assert_ptr_nonnull(
        open_with((hg_data_options){.height = 5, .width = 5}));
}
END_TEST

START_TEST(a_broken_picture_is_named_or_left_out)
{
    for (int i = 0; i < 5; i++)
        write_grey((char[]){(char)('a' + i), '.', 'p', 'g', 'm', 0}, 6, i);
    write_plain("c.pgm", "P5 6 6 255\nabc", 14);
    write_plain("d.png", "\x89PNG\r\n", 6);
    write_plain("e.jpg", "", 0);
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "c.pgm: a broken PGM or PPM picture: it is cut "
                                "off; mend or remove this file, or leave such "
                                "files out (--broken skip)");
    hg_context_on_message(ctx, hear, NULL);
    hg_data *data =
        open_with((hg_data_options){.skip_broken = true, .whole = true});
    ck_assert_msg(data != NULL, "%s", hg_error());
    ck_assert_int_eq(hg_data_size(data), 4);
    ck_assert_str_eq(hg_data_item_name(data, 2), "d.pgm");
    ck_assert_ptr_nonnull(strstr(heard, "broken ones left out"));
}
END_TEST

START_TEST(a_folder_without_pictures_says_what_belongs_there)
{
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "no picture is in this folder or below it");
    write_plain("a.gif", "x", 1);
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "only other files: .gif 1");
    write_plain("one.png", "x", 1);
    ck_assert_ptr_null(open_with((hg_data_options){.skip_broken = true}));
    expect_error(HG_ERROR_DATA, "every picture in this folder is broken");
}
END_TEST

START_TEST(a_folder_that_links_back_to_itself_ends)
{
    write_grey("a.pgm", 4, 1);
    ck_assert_int_eq(symlink(folder, in_folder("again")), 0);
    ck_assert_ptr_null(open_with(NONE));
    expect_error(HG_ERROR_DATA, "does one link back?");
}
END_TEST

START_TEST(every_allocation_may_fail_while_pictures_are_read)
{
    make_folder("x");
    copy_golden("scene.png", "x/a.png");
    copy_golden("photo.jpg", "x/b.jpg");
    copy_golden("scene.ppm", "x/c.ppm");
    int64_t n = 0;
    for (bool good = false; !good; n++) {
        char path[512];
        ck_assert_int_lt(n, 1000);
        tally t = {.fail_at = -1};
        hg_context *context = tallied(&t);
        t.fail_at = t.calls + n;
        snprintf(path, sizeof path, "%s/", folder);
        good = hg_data_open(context, path,
                            (hg_data_options){.height = 600, .width = 600});
        if (!good)
            expect_error(HG_ERROR_MEMORY, "could not be allocated");
        hg_context_free(context);
        ck_assert_uint_eq(t.held, 0);
    }
    ck_assert_int_gt(n, 5);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("pictures");
    tcase_add_test(c, a_flat_folder_has_no_labels_and_a_test_part_by_hash);
    tcase_add_test(c, sub_folders_are_classes_and_all_that_was_assumed_is_said);
    tcase_add_test(c, train_and_test_folders_are_the_parts);
    tcase_add_test(c, colour_is_planes_and_grey_pictures_join_in);
    tcase_add_test(c, pictures_of_different_sizes_say_what_to_do);
    tcase_add_test(c, a_broken_picture_is_named_or_left_out);
    tcase_add_test(c, a_folder_without_pictures_says_what_belongs_there);
    tcase_add_test(c, a_folder_that_links_back_to_itself_ends);
    tcase_add_test(c, every_allocation_may_fail_while_pictures_are_read);
    return run_suite("pictures", c);
}
