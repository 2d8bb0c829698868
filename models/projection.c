/* projection.c - principal components, exactly, by Jacobi's eigenvalue method.
 */
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { MOST_SWEEPS = 60 };

/* Sets a[p][q] of a symmetric matrix to zero by a rotation, and turns the
 * rows of v along. */
static void rotate(double *a, double *v, int64_t d, int64_t p, int64_t q)
{
    double apq = a[p * d + q];
    if (apq == 0)
        return;
    double theta = (a[q * d + q] - a[p * d + p]) / (2 * apq);
    double sign = theta < 0 ? -1 : 1;
    double t = sign / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int64_t k = 0; k < d; k++) {
        double kp = a[k * d + p], kq = a[k * d + q];
        a[k * d + p] = c * kp - s * kq;
        a[k * d + q] = s * kp + c * kq;
    }
    for (int64_t k = 0; k < d; k++) {
        double pk = a[p * d + k], qk = a[q * d + k];
        a[p * d + k] = c * pk - s * qk;
        a[q * d + k] = s * pk + c * qk;
        double vp = v[p * d + k], vq = v[q * d + k];
        v[p * d + k] = c * vp - s * vq;
        v[q * d + k] = s * vp + c * vq;
    }
}

static double off_diagonal(const double *a, int64_t d)
{
    double sum = 0;
    for (int64_t p = 0; p < d; p++)
        for (int64_t q = p + 1; q < d; q++)
            sum += a[p * d + q] * a[p * d + q];
    return sum;
}

/* Eigenvalues on the diagonal of a, eigenvectors in the rows of v. */
static void eigen(double *a, double *v, int64_t d)
{
    memset(v, 0, (size_t)(d * d) * sizeof *v);
    double scale = off_diagonal(a, d);
    for (int64_t i = 0; i < d; i++) {
        v[i * d + i] = 1;
        scale += a[i * d + i] * a[i * d + i];
    }
    for (int sweep = 0;
         sweep < MOST_SWEEPS && off_diagonal(a, d) > 1e-24 * scale; sweep++)
        for (int64_t p = 0; p < d; p++)
            for (int64_t q = p + 1; q < d; q++)
                rotate(a, v, d, p, q);
}

static void covariance(const double *x, int64_t n, int64_t d, double *mean,
                       double *a)
{
    memset(mean, 0, (size_t)d * sizeof *mean);
    memset(a, 0, (size_t)(d * d) * sizeof *a);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            mean[j] += x[i * d + j] / (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k < d; k++)
                a[j * d + k] += (x[i * d + j] - mean[j]) *
                                (x[i * d + k] - mean[k]) / (double)n;
}

/* The axis of the largest eigenvalue but `skip`; its sign is fixed so that
 * pictures of two runs compare. */
static int64_t largest(const double *a, int64_t d, int64_t skip)
{
    int64_t best = skip == 0 ? 1 : 0;
    for (int64_t i = 0; i < d; i++)
        if (i != skip && a[i * d + i] > a[best * d + best])
            best = i;
    return best;
}

static void project(const double *x, int64_t n, int64_t d, const double *mean,
                    const double *axis, double *out)
{
    int64_t peak = 0;
    for (int64_t j = 0; j < d; j++)
        if (fabs(axis[j]) > fabs(axis[peak]))
            peak = j;
    double sign = axis[peak] < 0 ? -1 : 1;
    for (int64_t i = 0; i < n; i++) {
        out[i] = 0;
        for (int64_t j = 0; j < d; j++)
            out[i] += sign * axis[j] * (x[i * d + j] - mean[j]);
    }
}

bool hg_principal_plane(hg_context *context, const double *points, int64_t n,
                        int64_t d, double *x, double *y, double *share)
{
    if (!hg_context_usable(context, "hg_principal_plane"))
        return false;
    if (n < 1 || d < 2)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_principal_plane: %lld points of width %lld span no "
                       "plane",
                       (long long)n, (long long)d);
    size_t size = (size_t)(2 * d * d + d) * sizeof(double);
    double *a = hg_memory_allocate(context, size);
    if (!a)
        return false;
    double *v = a + d * d, *mean = v + d * d, total = 0;
    covariance(points, n, d, mean, a);
    eigen(a, v, d);
    int64_t first = largest(a, d, -1), second = largest(a, d, first);
    project(points, n, d, mean, v + first * d, x);
    project(points, n, d, mean, v + second * d, y);
    for (int64_t i = 0; i < d; i++)
        total += a[i * d + i];
    *share =
        total > 0 ? (a[first * d + first] + a[second * d + second]) / total : 1;
    hg_memory_release(context, a, size);
    return true;
}
