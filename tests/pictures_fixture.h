/* pictures_fixture.h - pictures that Pillow wrote, and folders of them. */
#ifndef PICTURES_FIXTURE_H
#define PICTURES_FIXTURE_H

#include "datasets_fixture.h"

#include "datasets/image.h"

__attribute__((unused)) static hg_region region;

__attribute__((unused)) static const char *golden(const char *name)
{
    static char path[4096];
    const char *source = getenv("HOURGLASS_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/pictures/%s",
             source ? source : ".", name);
    return path;
}

__attribute__((unused)) static hg_image read_golden(const char *name)
{
    hg_image image = {0};
    region.context = ctx;
    ck_assert_msg(hg_image_read(&region, golden(name), false, &image), "%s: %s",
                  name, hg_error());
    return image;
}

__attribute__((unused)) static int largest_gap(const hg_image *a,
                                               const hg_image *b)
{
    int gap = 0;
    ck_assert(a->height == b->height && a->width == b->width &&
              a->channels == b->channels);
    for (int64_t i = 0; i < a->height * a->width * a->channels; i++)
        gap = abs(a->pixels[i] - b->pixels[i]) > gap
                  ? abs(a->pixels[i] - b->pixels[i])
                  : gap;
    return gap;
}

__attribute__((unused)) static void copy_golden(const char *name,
                                                const char *to)
{
    uint8_t bytes[8192];
    FILE *f = fopen(golden(name), "rb");
    ck_assert_ptr_nonnull(f);
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    write_plain(to, bytes, size);
}

__attribute__((unused)) static void make_folder(const char *name)
{
    ck_assert_int_eq(mkdir(in_folder(name), 0777), 0);
}

/* A grey picture of one value. */
__attribute__((unused)) static void write_grey(const char *name, int side,
                                               int value)
{
    uint8_t bytes[4096];
    int n = snprintf((char *)bytes, sizeof bytes, "P5 %d %d 255\n", side, side);
    memset(bytes + n, value, (size_t)(side * side));
    write_plain(name, bytes, (size_t)(n + side * side));
}

__attribute__((unused)) static hg_data *open_with(hg_data_options o)
{
    char path[512];
    snprintf(path, sizeof path, "%s/", folder);
    return hg_data_open(ctx, path, o);
}

#endif
