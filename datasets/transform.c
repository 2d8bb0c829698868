/* transform.c - noise, flips, shifts, binarising and dequantising.
 * pixel.h has their numbers, pixel_kernels.c what they do pixel by pixel. */
#include "datasets/pixel_kernels.h"
#include "datasets/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double amount, most; /* where none is given; the largest */
    bool defines, spoils;
} known[] = {
    [HG_BINARIZE] = {"binarize", 0, 0, true, false},
    [HG_BINARIZE_ONCE] = {"binarize-once", 0, 0, true, false},
    [HG_DEQUANTIZE] = {"dequantize", 0, 0, true, false},
    [HG_FLIP] = {"flip", 0.5, 1, false, false},
    [HG_SHIFT] = {"shift", 2, 1000, false, false},
    [HG_GAUSSIAN] = {"gaussian", 0.3, 100, false, true},
    [HG_MASK] = {"mask", 0.3, 1, false, true},
    [HG_SALT_PEPPER] = {"salt-pepper", 0.1, 1, false, true},
};

enum { KINDS = sizeof known / sizeof known[0] };

/* ---- The list ----------------------------------------------------------- */

static bool unknown(const char *word, size_t length)
{
    return hg_fail(HG_ERROR_ARGUMENT,
                   "transform %.*s is not known; use a list of binarize, "
                   "binarize-once, dequantize, flip[:P], shift[:PIXELS], "
                   "gaussian[:STD], mask[:P], salt-pepper[:P]",
                   (int)(length < 100 ? length : 100), word);
}

static int kind_of(const char *word, size_t length)
{
    for (int i = 0; i < KINDS; i++)
        if (strlen(known[i].name) == length &&
            !strncmp(known[i].name, word, length))
            return i;
    return -1;
}

static bool parse_word(hg_transforms *t, const char *word, size_t length)
{
    size_t name = strcspn(word, ":,");
    int kind = kind_of(word, name < length ? name : length);
    if (kind < 0)
        return unknown(word, length);
    double amount = known[kind].amount;
    if (name < length) {
        char *end;
        amount = hg_number_of(word + name + 1, &end);
        if (name + 1 == length || end != word + length ||
            !(amount >= 0 && amount <= known[kind].most))
            return hg_fail(HG_ERROR_ARGUMENT,
                           "transform %.*s: a number from 0 to %g belongs "
                           "after the colon",
                           (int)length, word, known[kind].most);
    }
    if (t->count == HG_MOST_TRANSFORMS)
        return hg_fail(HG_ERROR_ARGUMENT, "more than %d transforms",
                       HG_MOST_TRANSFORMS);
    if (t->count && known[t->list[t->count - 1].kind].spoils &&
        !known[kind].spoils)
        return hg_fail(
            HG_ERROR_ARGUMENT,
            "transform %s: noise is for the input alone, what is for "
            "input and target comes before it",
            known[kind].name);
    t->list[t->count++] = (hg_transform){(hg_transform_kind)kind, amount};
    return true;
}

/* The quantile function of the normal distribution, by Newton's method from a
 * value nearby: this runs once. */
static double quantile(double p, double near)
{
    double x = near;
    for (int i = 0; i < 40; i++) {
        double density = exp(-x * x / 2) * 0.3989422804014327;
        double step = (0.5 * erfc(-x / sqrt(2)) - p) / density;
        x -= step;
        if (fabs(step) < 1e-15)
            break;
    }
    return x;
}

/* Between neighbours the draw is interpolated; the whole is scaled to have a
 * variance of one. */
static bool make_quantiles(hg_transforms *t, hg_region *region)
{
    float *q = hg_region_take(region, (HG_QUANTILES + 1) * sizeof *q);
    double sum = 0;
    if (!q)
        return false;
    double last = 0; /* from the middle outwards; the other half mirrors it */
    for (int i = HG_QUANTILES / 2; i <= HG_QUANTILES; i++) {
        last = quantile((i + 0.25) / (HG_QUANTILES + 0.5), last);
        q[i] = (float)last;
        q[HG_QUANTILES - i] = -q[i];
    }
    for (int i = 0; i < HG_QUANTILES; i++) {
        double a = (double)q[i], b = (double)q[i + 1];
        sum += (a * a + a * b + b * b) / 3;
    }
    for (int i = 0; i <= HG_QUANTILES; i++)
        q[i] /= (float)sqrt(sum / HG_QUANTILES);
    t->quantile = q;
    return true;
}

bool hg_transforms_parse(hg_transforms *t, hg_region *region, const char *text)
{
    *t = (hg_transforms){0};
    while (text && *text) {
        size_t length = strcspn(text, ",");
        if (!parse_word(t, text, length))
            return false;
        text += length;
        text += *text == ',';
    }
    for (int i = 0; i < t->count; i++)
        if (t->list[i].kind == HG_GAUSSIAN && !t->quantile &&
            !make_quantiles(t, region))
            return false;
    return true;
}

void hg_transforms_keep_defining(hg_transforms *t)
{
    int kept = 0;
    for (int i = 0; i < t->count; i++)
        if (known[t->list[i].kind].defines)
            t->list[kept++] = t->list[i];
    t->count = kept;
}

bool hg_transforms_augment(const hg_transforms *t)
{
    for (int i = 0; i < t->count; i++)
        if (!known[t->list[i].kind].defines)
            return true;
    return false;
}

bool hg_transforms_spoil(const hg_transforms *t)
{
    return t->count && known[t->list[t->count - 1].kind].spoils;
}

/* ---- Pixels that move ------------------------------------------------- */

static void flip(hg_real *x, hg_shape item)
{
    int64_t rows = item.dim[0] * item.dim[1], width = item.dim[2];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < width / 2; i++) {
            hg_real *row = x + r * width, kept = row[i];
            row[i] = row[width - 1 - i];
            row[width - 1 - i] = kept;
        }
}

/* One row moves by dx into another or into itself. */
static void move_row(const hg_real *from, hg_real *to, int64_t width,
                     int64_t dx)
{
    int64_t gap = dx < 0 ? -dx : dx, n = width > gap ? width - gap : 0;
    memmove(to + (dx > 0 ? width - n : 0), from + (dx > 0 ? 0 : width - n),
            (size_t)n * sizeof *to);
    memset(to + (dx > 0 ? 0 : n), 0, (size_t)(width - n) * sizeof *to);
}

static void shift(hg_real *x, hg_shape item, int64_t dy, int64_t dx)
{
    int64_t height = item.dim[1], width = item.dim[2];
    for (int64_t c = 0; c < item.dim[0]; c++) {
        hg_real *plane = x + c * height * width;
        for (int64_t i = 0; i < height; i++) {
            int64_t y = dy > 0 ? height - 1 - i : i, from = y - dy;
            if (from >= 0 && from < height)
                move_row(plane + from * width, plane + y * width, width, dx);
            else
                memset(plane + y * width, 0, (size_t)width * sizeof *plane);
        }
    }
}

static void apply_one(const hg_transforms *t, int i, const hg_item_place *at,
                      hg_real *x)
{
    const hg_transform *one = &t->list[i];
    int64_t n = hg_shape_numel(at->item);
    const hg_pixels *pixels = hg_pixels_at(at->isa);
    uint32_t key[4];
    hg_pixel_key(at->seed, i, one->kind, at->epoch, at->row, key);
    switch (one->kind) {
    case HG_BINARIZE:
    case HG_BINARIZE_ONCE:
        pixels->binarize(x, n, key[0]);
        break;
    case HG_DEQUANTIZE:
        pixels->dequantize(x, n, key[0]);
        break;
    case HG_FLIP:
        if ((double)hg_word_uniform(key[0]) < one->amount)
            flip(x, at->item);
        break;
    case HG_SHIFT:
        shift(x, at->item, hg_pixel_step(key[0], one->amount),
              hg_pixel_step(key[1], one->amount));
        break;
    case HG_GAUSSIAN:
        pixels->add_noise(x, n, key[0], (hg_real)one->amount, t->quantile);
        break;
    case HG_MASK:
        pixels->mask(x, n, key[0], (float)one->amount);
        break;
    case HG_SALT_PEPPER:
        pixels->salt_and_pepper(x, n, key[0], (float)one->amount);
        break;
    }
}

void hg_transforms_apply(const hg_transforms *t, const hg_item_place *at,
                         hg_real *x, hg_real *target)
{
    bool copied = !target;
    for (int i = 0; i < t->count; i++) {
        if (!copied && known[t->list[i].kind].spoils) {
            memcpy(target, x, (size_t)hg_shape_numel(at->item) * sizeof *x);
            copied = true;
        }
        apply_one(t, i, at, x);
    }
}
