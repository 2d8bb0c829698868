/* test_images.c - pictures as they are decoded and resized. */
#include "pictures_fixture.h"

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
    return run_suite("images", c);
}
