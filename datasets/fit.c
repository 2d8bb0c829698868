/* fit.c - pictures of any size become one size, grey or colour.
 *
 * Each axis is resampled on its own: a pixel of the result is the mean of the
 * source pixels below a triangle as wide as the result's pixel, or as the
 * source's where that is wider: what Pillow's BILINEAR and PyTorch's
 * interpolate(antialias=True) do. */
#include "datasets/image.h"

#include <math.h>
#include <string.h>

/* The part of the source that is looked at, per axis, and where it goes. */
typedef struct {
    double first, span; /* in source pixels */
    int64_t from, to;   /* in pixels of the result; beyond: 0 */
} window;

/* One line: out[i * out_step] from in[k * in_step]. */
static void resample(const float *in, int64_t in_step, float *out,
                     int64_t out_step, const window *w)
{
    int64_t count = w->to - w->from;
    int64_t least = (int64_t)floor(w->first);
    int64_t most = (int64_t)ceil(w->first + w->span);
    double scale = w->span / (double)count, reach = scale > 1 ? scale : 1;
    for (int64_t i = 0; i < count; i++) {
        double middle = w->first + ((double)i + 0.5) * scale;
        int64_t low = (int64_t)floor(middle - reach + 0.5);
        int64_t high = (int64_t)floor(middle + reach + 0.5);
        double sum = 0, weights = 0;
        low = low < least ? least : low;
        high = high > most ? most : high;
        for (int64_t k = low; k < high; k++) {
            double weight = 1 - fabs(((double)k + 0.5 - middle) / reach);
            weight = weight > 0 ? weight : 0;
            sum += weight * (double)in[k * in_step];
            weights += weight;
        }
        out[(w->from + i) * out_step] =
            weights > 0 ? (float)(sum / weights) : 0;
    }
}

/* Crop keeps the middle and fills the result; pad keeps all and leaves a black
 * border; stretch does neither. */
static void place(hg_fit fit, const int64_t in[2], const int64_t out[2],
                  window w[2])
{
    double scale[2] = {(double)in[0] / (double)out[0],
                       (double)in[1] / (double)out[1]};
    int tight = scale[0] < scale[1] ? 0 : 1; /* the axis with fewer pixels */
    for (int a = 0; a < 2; a++)
        w[a] = (window){0, (double)in[a], 0, out[a]};
    int other = fit == HG_FIT_CROP ? 1 - tight : tight;
    double common = scale[1 - other];
    if (fit == HG_FIT_CROP) {
        w[other].span = common * (double)out[other];
        w[other].first = ((double)in[other] - w[other].span) / 2;
    } else if (fit == HG_FIT_PAD) {
        int64_t size = (int64_t)floor((double)in[other] / common + 0.5);
        size = size < 1 ? 1 : size > out[other] ? out[other] : size;
        w[other].from = (out[other] - size) / 2;
        w[other].to = w[other].from + size;
    }
}

/* The c-th channel of the result, as floats [height, width]. ITU-R 601 weights
 * make grey of colour. */
static void take_channel(const hg_image *image, int channels, int c, float *out)
{
    const uint8_t *p = image->pixels;
    int64_t n = image->height * image->width;
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *pixel = p + i * image->channels;
        if (image->channels == 3 && channels == 1)
            out[i] = 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
        else
            out[i] = pixel[image->channels == 1 ? 0 : c];
    }
}

static void to_bytes(const float *in, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        float v = in[i] + 0.5f;
        out[i] = v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
    }
}

bool hg_image_fit(hg_region *region, const hg_image *image, hg_fit fit,
                  int64_t height, int64_t width, int channels, uint8_t *out)
{
    int64_t in[2] = {image->height, image->width}, size[2] = {height, width};
    window w[2];
    size_t first = (size_t)(in[0] * in[1]), wide = (size_t)(in[0] * width);
    float *plane = hg_region_take(region, first * sizeof *plane);
    float *narrow = hg_region_take(region, wide * sizeof *narrow);
    float *whole =
        hg_region_take(region, (size_t)(height * width) * sizeof *whole);
    if (!plane || !narrow || !whole)
        return false;
    place(fit, in, size, w);
    for (int c = 0; c < channels; c++) {
        take_channel(image, channels, c, plane);
        memset(narrow, 0, wide * sizeof *narrow);
        memset(whole, 0, (size_t)(height * width) * sizeof *whole);
        for (int64_t y = 0; y < in[0]; y++)
            resample(plane + y * in[1], 1, narrow + y * width, 1, &w[1]);
        for (int64_t x = 0; x < width; x++)
            resample(narrow + x, width, whole + x, width, &w[0]);
        to_bytes(whole, height * width, out + c * height * width);
    }
    return true;
}
