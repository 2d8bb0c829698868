/* image.c - a picture from a file: which kind it is; PGM and PPM (netpbm). The
 * others are in png.c and jpeg.c. */
#include "datasets/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

bool hg_image_room(hg_region *region, const char *name, int64_t height,
                   int64_t width, int channels, bool sizes_only,
                   hg_image *image)
{
    if (height < 1 || width < 1 || height > HG_MOST_PIXELS / width)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: %lld x %lld pixels; pictures of 1 to %lld are read",
                       name, (long long)height, (long long)width,
                       (long long)HG_MOST_PIXELS);
    *image = (hg_image){height, width, channels, NULL};
    if (sizes_only)
        return true;
    image->pixels = hg_region_take(region, (size_t)(height * width * channels));
    return image->pixels != NULL;
}

/* ---- PGM and PPM -------------------------------------------------------- */

typedef struct {
    const char *name;
    const uint8_t *at, *end;
} text;

static bool bad_pnm(const text *t, const char *what)
{
    return hg_fail(HG_ERROR_FORMAT, "%s: a broken PGM or PPM picture: %s",
                   t->name, what);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A number in decimal digits, at most six, after blanks and comments. */
static bool read_number(text *t, int64_t *number)
{
    while (t->at < t->end && (is_space(*t->at) || *t->at == '#')) {
        bool comment = *t->at == '#';
        while (comment && t->at < t->end && *t->at != '\n')
            t->at++;
        t->at += t->at < t->end;
    }
    *number = 0;
    int digits = 0;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9' && digits < 7;
         digits++)
        *number = 10 * *number + *t->at++ - '0';
    if (!digits || digits > 6)
        return bad_pnm(t, digits ? "a number is too long"
                                 : "a number is missing; it is cut off");
    return true;
}

/* One value in 0 ... most, as text or as one or two bytes. */
static bool read_value(text *t, bool plain, int64_t most, int64_t *value)
{
    if (plain)
        return read_number(t, value);
    *value = *t->at++;
    if (most > 255)
        *value = *value << 8 | *t->at++;
    return true;
}

static bool read_values(text *t, bool plain, int64_t most, hg_image *image)
{
    int64_t n = image->height * image->width * image->channels, v;
    if (!plain && t->end - t->at < n * (most > 255 ? 2 : 1))
        return bad_pnm(t, "it is cut off");
    for (int64_t i = 0; i < n; i++) {
        if (!read_value(t, plain, most, &v))
            return false;
        if (v > most)
            return bad_pnm(t, "a value is above the largest it declares");
        image->pixels[i] = (uint8_t)((v * 255 + most / 2) / most);
    }
    return true;
}

bool hg_pnm_decode(hg_region *region, const char *name, const uint8_t *bytes,
                   size_t size, bool sizes_only, hg_image *image)
{
    text t = {name, bytes + 2, bytes + size};
    int64_t width, height, most;
    bool plain = bytes[1] < '4'; /* P2, P3: numbers as text; P5, P6: bytes */
    int channels = bytes[1] == '3' || bytes[1] == '6' ? 3 : 1;
    if (!read_number(&t, &width) || !read_number(&t, &height) ||
        !read_number(&t, &most))
        return false;
    if (most < 1 || most > 65535)
        return bad_pnm(&t, "its largest value must be 1 to 65535");
    if (!plain && (t.at == t.end || !is_space(*t.at++)))
        return bad_pnm(&t, "a blank must end the header");
    /* Even as text a value takes a byte: nothing is believed unseen. */
    if (width && height > (int64_t)size / width)
        return bad_pnm(&t, "it is cut off");
    return hg_image_room(region, name, height, width, channels, sizes_only,
                         image) &&
           (sizes_only || read_values(&t, plain, most, image));
}

/* ---- Files -------------------------------------------------------------- */

static const char *const extensions[] = {"png", "jpg", "jpeg", "pgm",
                                         "ppm", "pnm", NULL};

bool hg_image_has_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (const char *const *e = extensions; dot && *e; e++)
        if (!strcasecmp(dot + 1, *e))
            return true;
    return false;
}

bool hg_image_decode(hg_region *region, const char *name, const uint8_t *bytes,
                     size_t size, bool sizes_only, hg_image *image)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'};
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff};
    if (size >= 4 && !memcmp(bytes, png, 4))
        return hg_png_decode(region, name, bytes, size, sizes_only, image);
    if (size >= 3 && !memcmp(bytes, jpeg, 3))
        return hg_jpeg_decode(region, name, bytes, size, sizes_only, image);
    if (size >= 3 && bytes[0] == 'P' && strchr("2356", bytes[1]) && bytes[1])
        return hg_pnm_decode(region, name, bytes, size, sizes_only, image);
    return hg_fail(HG_ERROR_FORMAT,
                   size ? "%s: this is no PNG, JPEG, PGM or PPM picture, "
                          "whatever its name says"
                        : "%s: the file is empty",
                   name);
}

/* The whole file; NULL with a sentence. */
static uint8_t *read_whole(hg_region *region, const char *path, size_t *size)
{
    struct stat st = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = file >= 0 && !fstat(file, &st);
    if (good && (!S_ISREG(st.st_mode) || st.st_size > (off_t)1 << 30))
        good = hg_fail(HG_ERROR_FORMAT, "%s: %s", path,
                       S_ISREG(st.st_mode) ? "a picture of over 1 GiB"
                                           : "this is not a file");
    else if (!good)
        hg_fail(HG_ERROR_IO, "%s: %s%s", path, strerror(errno),
                errno == EACCES ? "; give yourself the right to read it "
                                  "(chmod u+r), or leave it out"
                                : "");
    *size = 0;
    uint8_t *bytes =
        good ? hg_region_take(region, (size_t)st.st_size + 1) : NULL;
    while (bytes && *size < (size_t)st.st_size) {
        ssize_t got = read(file, bytes + *size, (size_t)st.st_size - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            hg_fail(HG_ERROR_IO, "%s: %s", path, strerror(errno));
            bytes = NULL;
        }
        if (got <= 0)
            break;
        *size += (size_t)got;
    }
    if (file >= 0)
        close(file);
    return bytes;
}

bool hg_image_read(hg_region *region, const char *path, bool sizes_only,
                   hg_image *image)
{
    size_t size;
    uint8_t *bytes = read_whole(region, path, &size);
    return bytes &&
           hg_image_decode(region, path, bytes, size, sizes_only, image);
}
