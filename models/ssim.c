/* ssim.c - the structural similarity of two images (Wang, Bovik, Sheikh and
 * Simoncelli, 2004): means, variances and covariance under a Gaussian window
 * of 11 x 11 pixels and standard deviation 1.5, at every place where it fits.
 *
 *   (2 ma mb + c1) (2 sab + c2) / ((ma^2 + mb^2 + c1) (sa + sb + c2))
 */
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>

enum { WINDOW = 11, MOST_SIDE = 256 };

static void make_window(double *w)
{
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) {
        double x = i - WINDOW / 2;
        w[i] = exp(-x * x / (2 * 1.5 * 1.5));
        sum += w[i];
    }
    for (int i = 0; i < WINDOW; i++)
        w[i] /= sum;
}

/* Values of one row or column of moments: a, b, aa, bb, ab. */
enum { A, B, AA, BB, AB, MOMENTS };

/* Windowed moments of row y at the columns where the window fits. */
static void filter_row(const double *a, const double *b, int64_t width,
                       const double *w, double (*out)[MOMENTS])
{
    for (int64_t x = 0; x + WINDOW <= width; x++) {
        double m[MOMENTS] = {0};
        for (int i = 0; i < WINDOW; i++) {
            double p = a[x + i], q = b[x + i];
            m[A] += w[i] * p;
            m[B] += w[i] * q;
            m[AA] += w[i] * p * p;
            m[BB] += w[i] * q * q;
            m[AB] += w[i] * p * q;
        }
        for (int c = 0; c < MOMENTS; c++)
            out[x][c] = m[c];
    }
}

static double similarity(const double m[MOMENTS])
{
    double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    double cross = m[AB] - m[A] * m[B];
    double spread = m[AA] - m[A] * m[A] + m[BB] - m[B] * m[B];
    return (2 * m[A] * m[B] + c1) * (2 * cross + c2) /
           ((m[A] * m[A] + m[B] * m[B] + c1) * (spread + c2));
}

/* The last WINDOW filtered rows lie in a ring. */
double hg_ssim(const double *a, const double *b, int64_t height, int64_t width)
{
    double w[WINDOW], rows[WINDOW][MOST_SIDE][MOMENTS], sum = 0;
    if (height < WINDOW || width < WINDOW || width > MOST_SIDE)
        return NAN;
    make_window(w);
    for (int64_t y = 0; y < height; y++) {
        filter_row(a + y * width, b + y * width, width, w, rows[y % WINDOW]);
        for (int64_t x = 0; y + 1 >= WINDOW && x + WINDOW <= width; x++) {
            double m[MOMENTS] = {0};
            for (int i = 0; i < WINDOW; i++)
                for (int c = 0; c < MOMENTS; c++)
                    m[c] += w[i] * rows[(y - WINDOW + 1 + i) % WINDOW][x][c];
            sum += similarity(m);
        }
    }
    return sum / (double)((height - WINDOW + 1) * (width - WINDOW + 1));
}

typedef struct {
    const double *a, *b;
    int64_t planes, height, width;
    double *each; /* [n] */
} comparison;

static void compare_range(void *argument, int64_t from, int64_t to)
{
    const comparison *c = argument;
    int64_t plane = c->height * c->width;
    for (int64_t i = from; i < to; i++) {
        c->each[i] = 0;
        for (int64_t p = i * c->planes; p < (i + 1) * c->planes; p++)
            c->each[i] += hg_ssim(c->a + p * plane, c->b + p * plane, c->height,
                                  c->width) /
                          (double)c->planes;
    }
}

bool hg_mean_ssim(hg_context *context, const double *a, const double *b,
                  int64_t n, hg_shape item, double *mean)
{
    if (!hg_context_usable(context, "hg_mean_ssim"))
        return false;
    if (item.rank != 3 || n < 1)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_mean_ssim: images [c, h, w] are needed, not %s",
                       HG_SHAPE_TEXT(item));
    size_t size = (size_t)n * sizeof(double);
    double *each = hg_memory_allocate(context, size);
    if (!each)
        return false;
    comparison c = {a, b, item.dim[0], item.dim[1], item.dim[2], each};
    hg_parallel_for(context->threads, n, 8, compare_range, &c);
    *mean = 0;
    for (int64_t i = 0; i < n; i++)
        *mean += each[i] / (double)n;
    hg_memory_release(context, each, size);
    return true;
}
