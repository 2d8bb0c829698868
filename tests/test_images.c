/* test_images.c - pictures as they are decoded and resized. */
#include "pictures_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const struct {
    const char *file, *pixels;
    int gap; /* decoders of JPEG differ in rounding */
} kind[] = {
    {"scene.png", "scene.ppm", 0},
    {"grey.png", "grey.pgm", 0},
    {"palette.png", "palette.ppm", 0},
    {"bits.png", "bits.pgm", 0},
    {"deep.png", "deep.pgm", 1},
    {"alpha.png", "alpha.ppm", 1},
    {"photo.jpg", "photo.ppm", 2},
    {"photo-grey.jpg", "photo-grey.pgm", 2},
    {"photo-progressive.jpg", "photo-progressive.ppm", 2},
};

START_TEST(every_kind_of_picture_has_the_pixels_that_pillow_reads)
{
    hg_image image = read_golden(kind[_i].file);
    hg_image wanted = read_golden(kind[_i].pixels);
    ck_assert_int_le(largest_gap(&image, &wanted), kind[_i].gap);
    hg_region_free(&region);
}
END_TEST

START_TEST(text_and_wide_values_of_netpbm_are_read)
{
    static const char *const same[] = {
        "P3 # a comment\n2 1 15\n 15 0 0  0 15 5\n",
        "P6\n2 1\n255\n\xff\0\0\0\xff\x55",
        /* in two words: after \0\0 no digit may follow */
        ("P6 2 1 65535\n\xff\xff\0\0\0\0"
         "\0\0\xff\xff\x55\x55")};
    static const size_t size[] = {36, 17, 26};
    const uint8_t wanted[6] = {255, 0, 0, 0, 255, 85};
    for (int i = 0; i < 3; i++) {
        hg_image image;
        region.context = ctx;
        ck_assert_msg(hg_image_decode(&region, "x", (const uint8_t *)same[i],
                                      i ? size[i] : strlen(same[0]), false,
                                      &image),
                      "%d: %s", i, hg_error());
        ck_assert_mem_eq(image.pixels, wanted, 6);
    }
    hg_region_free(&region);
}
END_TEST

START_TEST(resampling_is_that_of_pytorch_with_antialias)
{
    static const char *const files[] = {"fit-smaller.ppm", "fit-larger.ppm",
                                        "fit-crop.ppm"};
    hg_image scene = read_golden("scene.png"), wanted;
    for (int i = 0; i < 3; i++) {
        uint8_t planes[3 * 31 * 40], pixels[sizeof planes];
        wanted = read_golden(files[i]);
        int64_t n = wanted.height * wanted.width;
        ck_assert(hg_image_fit(&region, &scene,
                               i < 2 ? HG_FIT_STRETCH : HG_FIT_CROP,
                               wanted.height, wanted.width, 3, planes));
        for (int64_t k = 0; k < 3 * n; k++)
            pixels[k] = planes[k % 3 * n + k / 3];
        hg_image got = {wanted.height, wanted.width, 3, pixels};
        ck_assert_int_le(largest_gap(&got, &wanted), 1);
    }
    hg_region_free(&region);
}
END_TEST

START_TEST(padding_keeps_the_shape_and_adds_black)
{
    uint8_t white[2 * 4], out[16];
    memset(white, 255, sizeof white);
    hg_image wide = {2, 4, 1, white};
    region.context = ctx;
    ck_assert(hg_image_fit(&region, &wide, HG_FIT_PAD, 4, 4, 1, out));
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(out[i], i >= 4 && i < 12 ? 255 : 0);
    hg_region_free(&region);
}
END_TEST

START_TEST(pictures_cut_off_anywhere_are_refused)
{
    static const char *const files[] = {"scene.png", "photo.jpg",
                                        "photo-progressive.jpg", "scene.ppm"};
    for (int i = 0; i < 4; i++) {
        uint8_t bytes[8192];
        FILE *f = fopen(golden(files[i]), "rb");
        size_t size = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        for (size_t cut = 0; cut + 12 < size; cut += 1 + size / 100) {
            hg_image image;
            region.context = ctx;
            ck_assert_msg(
                !hg_image_decode(&region, files[i], bytes, cut, false, &image),
                "%s, %zu bytes", files[i], cut);
            expect_error(HG_ERROR_FORMAT, cut ? files[i] : "empty");
            hg_region_free(&region);
        }
    }
}
END_TEST

START_TEST(pictures_that_are_too_large_or_for_print_are_refused)
{
    static const char huge[] = "P6 999999 999999 255\nabc";
    hg_image image;
    region.context = ctx;
    ck_assert(!hg_image_decode(&region, "x", (const uint8_t *)huge, sizeof huge,
                               false, &image));
    expect_error(HG_ERROR_FORMAT, "cut off");
    ck_assert(!hg_image_read(&region, golden("print.jpg"), false, &image));
    expect_error(HG_ERROR_FORMAT, "convert it to RGB");
    hg_region_free(&region);
}
END_TEST

/* ---- Writing ------------------------------------------------------------ */

static hg_image saved(const hg_tensor *images, int64_t columns)
{
    hg_image image = {0};
    region.context = ctx;
    ck_assert_msg(
        hg_images_save(images, columns, in_folder("grid.png")) &&
            hg_image_read(&region, in_folder("grid.png"), false, &image),
        "%s", hg_error());
    return image;
}

/* What is in a row of grey pixels; w is white. */
static void expect_row(const hg_image *image, int row, const int *wanted)
{
    for (int i = 0; i < (int)image->width; i++)
        ck_assert_int_eq(image->pixels[row * (int)image->width + i], wanted[i]);
}

START_TEST(images_are_saved_side_by_side)
{
    static const float x[] = {0, 1, 0.5, 2, -1, NAN};
    enum { W = 255 };
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_image grid = saved(hg_from(x, "f4", HG_SHAPE(3, 1, 1, 2)), 2);
    ck_assert(grid.height == 8 && grid.width == 10 && grid.channels == 1);
    expect_row(&grid, 1, (int[]){W, W, W, W, W, W, W, W, W, W});
    expect_row(&grid, 2, (int[]){W, W, 0, W, W, W, 128, W, W, W});
    expect_row(&grid, 5, (int[]){W, W, 0, 0, W, W, W, W, W, W});
    hg_region_free(&region);
    hg_scope_close(s);
}
END_TEST

START_TEST(colours_are_saved_and_columns_chosen)
{
    static const float x[] = {1, 0, 0.2f, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_image grid = saved(hg_from(x, "f4", HG_SHAPE(4, 3, 1, 1)), 0);
    ck_assert(grid.height == 8 && grid.width == 8 && grid.channels == 3);
    ck_assert_mem_eq(grid.pixels + 3 * (2 * 8 + 2), "\xff\0\x33", 3);
    hg_region_free(&region);
    hg_scope_close(s);
}
END_TEST

START_TEST(what_cannot_be_saved_as_a_picture_is_told)
{
    static const float x[4] = {0};
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_tensor *flat = hg_from(x, "f4", HG_SHAPE(2, 2));
    ck_assert(!hg_images_save(flat, 2, in_folder("grid.png")));
    expect_error(HG_ERROR_SHAPE, "images [2, 2]; [n, c, h, w]");
    ck_assert(!hg_images_save(NULL, 2, in_folder("grid.png")));
    expect_error(HG_ERROR_ARGUMENT, "the tensor is NULL");
    hg_tensor *one = hg_from(x, "f4", HG_SHAPE(1, 1, 2, 2));
    ck_assert(!hg_images_save(one, 2, ""));
    expect_error(HG_ERROR_ARGUMENT, "the file has no name");
    ck_assert(!hg_images_save(one, 2, in_folder("no/such/folder.png")));
    expect_error(HG_ERROR_IO, "cannot be written: No such file");
    hg_scope_close(s);
}
END_TEST

START_TEST(a_picture_that_a_disk_does_not_hold_leaves_the_old_one)
{
    static float noise[150 * 150];
    struct rlimit was, tight;
    for (int i = 0; i < 150 * 150; i++)
        noise[i] = (float)(hg_permuted(1, 0, 150 * 150, i) % 256) / 255;
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_tensor *old = hg_from(noise, "f4", HG_SHAPE(1, 1, 2, 3));
    saved(old, 1);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    tight.rlim_cur = 10000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    bool ok = hg_images_save(hg_from(noise, "f4", HG_SHAPE(1, 1, 150, 150)), 1,
                             in_folder("grid.png"));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, handler);
    ck_assert(!ok);
    expect_error(HG_ERROR_IO, "cannot be written: File too large");
    ck_assert_int_ne(access(in_folder("grid.png.tmp"), F_OK), 0);
    hg_image image;
    ck_assert(hg_image_read(&region, in_folder("grid.png"), false, &image));
    ck_assert(image.height == 6 && image.width == 7);
    hg_region_free(&region);
    hg_scope_close(s);
}
END_TEST

START_TEST(a_picture_goes_into_a_pipe_and_not_in_its_place)
{
    static const float x[] = {0, 1};
    struct stat found;
    char bytes[8] = "";
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert(!mkfifo(in_folder("pipe"), 0600));
    int in = open(in_folder("pipe"), O_RDONLY | O_NONBLOCK);
    ck_assert_msg(hg_images_save(hg_from(x, "f4", HG_SHAPE(1, 1, 1, 2)), 1,
                                 in_folder("pipe")),
                  "%s", hg_error());
    ck_assert(!lstat(in_folder("pipe"), &found) && S_ISFIFO(found.st_mode));
    ck_assert_int_eq(read(in, bytes, 8), 8);
    ck_assert(!memcmp(bytes, "\x89PNG\r\n\x1a\n", 8));
    close(in);
    hg_scope_close(s);
}
END_TEST

START_TEST(why_a_picture_cannot_take_a_place_is_told)
{
    static const float x[] = {0, 1};
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert(!mkdir(in_folder("taken"), 0700));
    errno = ENOTTY; /* of something before */
    ck_assert(!hg_images_save(hg_from(x, "f4", HG_SHAPE(1, 1, 1, 2)), 1,
                              in_folder("taken")));
    expect_error(HG_ERROR_IO, "cannot be written: Is a directory");
    hg_scope_close(s);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("images");
    tcase_add_loop_test(c,
                        every_kind_of_picture_has_the_pixels_that_pillow_reads,
                        0, sizeof kind / sizeof kind[0]);
    tcase_add_test(c, text_and_wide_values_of_netpbm_are_read);
    tcase_add_test(c, resampling_is_that_of_pytorch_with_antialias);
    tcase_add_test(c, padding_keeps_the_shape_and_adds_black);
    tcase_add_test(c, pictures_cut_off_anywhere_are_refused);
    tcase_add_test(c, pictures_that_are_too_large_or_for_print_are_refused);
    tcase_add_test(c, images_are_saved_side_by_side);
    tcase_add_test(c, colours_are_saved_and_columns_chosen);
    tcase_add_test(c, what_cannot_be_saved_as_a_picture_is_told);
    tcase_add_test(c, a_picture_that_a_disk_does_not_hold_leaves_the_old_one);
    tcase_add_test(c, a_picture_goes_into_a_pipe_and_not_in_its_place);
    tcase_add_test(c, why_a_picture_cannot_take_a_place_is_told);
    return run_suite("images", c);
}
