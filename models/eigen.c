/* eigen.c - eigenvalues and eigenvectors of a symmetric matrix.
 *
 *   A = Q T Q'    n - 2 reflections leave a tridiagonal T
 *   T = Z D Z'    implicit QL steps with Wilkinson's shift leave a diagonal D
 *   eigenvectors: the columns of Q Z, kept here as rows, so that all inner
 *   loops run along memory
 */
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 100 }; /* of QL for one eigenvalue; two are usual */

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add_scaled(double *a, const double *b, double s, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        a[i] += s * b[i];
}

/* ---- To tridiagonal form ------------------------------------------------ */

/* Turns x, [m], into v with (I - tau v v') x = (beta, 0, ..., 0). */
static double reflector(double *x, int64_t m, double *beta)
{
    double tail = dot(x + 1, x + 1, m - 1), head = x[0];
    *beta = head;
    if (tail == 0)
        return 0;
    double length = sqrt(head * head + tail);
    *beta = head > 0 ? -length : length;
    x[0] = head - *beta;
    return 2 / (x[0] * x[0] + tail);
}

/* B = H A H on the trailing m by m block at `a`: A - v w' - w v'. */
static void reflect_block(double *a, int64_t n, int64_t m, const double *v,
                          double tau, double *w)
{
    for (int64_t i = 0; i < m; i++)
        w[i] = tau * dot(a + i * n, v, m);
    add_scaled(w, v, -tau / 2 * dot(w, v, m), m);
    for (int64_t i = 0; i < m; i++) {
        add_scaled(a + i * n, w, -v[i], m);
        add_scaled(a + i * n, v, -w[i], m);
    }
}

/* Diagonal and off-diagonal e[1] ... e[n - 1]; the reflectors stay in the rows
 * of a, right of the diagonal, and tau in its first column. */
static void tridiagonal(double *a, int64_t n, double *d, double *e, double *w)
{
    for (int64_t k = 0; k + 1 < n; k++) {
        double *v = a + k * n + k + 1;
        d[k] = a[k * n + k];
        double tau = reflector(v, n - k - 1, &e[k + 1]);
        reflect_block(a + (k + 1) * (n + 1), n, n - k - 1, v, tau, w);
        a[k * n + k] = tau;
    }
    d[n - 1] = a[n * n - 1];
}

/* Rows of q: the columns of the product of all reflections. */
static void accumulate(const double *a, int64_t n, double *q)
{
    memset(q, 0, (size_t)(n * n) * sizeof *q);
    for (int64_t i = 0; i < n; i++)
        q[i * n + i] = 1;
    for (int64_t k = n - 2; k >= 0; k--) {
        const double *v = a + k * n + k + 1;
        double tau = a[k * n + k];
        for (int64_t i = k + 1; i < n; i++) {
            double *row = q + i * n + k + 1;
            add_scaled(row, v, -tau * dot(row, v, n - k - 1), n - k - 1);
        }
    }
}

/* ---- To diagonal form --------------------------------------------------- */

static void rotate_rows(double *a, double *b, int64_t n, double c, double s)
{
    for (int64_t k = 0; k < n; k++) {
        double x = a[k], y = b[k];
        b[k] = s * x + c * y;
        a[k] = c * x - s * y;
    }
}

/* One implicit QL step on the block l ... m. */
static void ql_step(double *d, double *e, double *v, int64_t n, int64_t l,
                    int64_t m)
{
    double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
    double s = 1, c = 1, p = 0;
    g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
    for (int64_t i = m - 1; i >= l; i--) {
        double f = s * e[i], b = c * e[i];
        r = hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotate_rows(v + i * n, v + (i + 1) * n, n, c, s);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* The end of the block that begins at l and is not yet split; what is below
 * `small` is rounding. */
static int64_t block_end(const double *e, int64_t n, int64_t l, double small)
{
    int64_t m = l;
    while (m + 1 < n && fabs(e[m]) > small)
        m++;
    return m;
}

static bool diagonal(double *d, double *e, double *v, int64_t n)
{
    memmove(e, e + 1, (size_t)(n - 1) * sizeof *e);
    e[n - 1] = 0;
    double size = 0;
    for (int64_t i = 0; i < n; i++)
        size = fmax(size, fabs(d[i]) + fabs(e[i]));
    for (int64_t l = 0; l < n; l++)
        for (int step = 0;; step++) {
            int64_t m = block_end(e, n, l, 2.3e-16 * size);
            if (m == l)
                break;
            if (step == MOST_STEPS)
                return hg_fail(HG_ERROR_NONFINITE,
                               "hg_eigen: no convergence after %d steps; is "
                               "the matrix finite?",
                               MOST_STEPS);
            ql_step(d, e, v, n, l, m);
        }
    return true;
}

/* ---- Order and signs ---------------------------------------------------- */

static void swap_rows(double *a, double *b, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        double t = a[k];
        a[k] = b[k];
        b[k] = t;
    }
}

static void fix_sign(double *row, int64_t n)
{
    int64_t peak = 0;
    for (int64_t k = 0; k < n; k++)
        if (fabs(row[k]) > fabs(row[peak]))
            peak = k;
    for (int64_t k = 0; row[peak] < 0 && k < n; k++)
        row[k] = k == peak ? row[k] : -row[k];
    row[peak] = fabs(row[peak]);
}

static void sort_falling(double *d, double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t best = i;
        for (int64_t j = i + 1; j < n; j++)
            if (d[j] > d[best])
                best = j;
        if (best != i) {
            swap_rows(d + i, d + best, 1);
            swap_rows(v + i * n, v + best * n, n);
        }
        fix_sign(v + i * n, n);
    }
}

bool hg_eigen(hg_context *context, double *a, int64_t n, double *values,
              double *vectors)
{
    if (!hg_context_usable(context, "hg_eigen"))
        return false;
    if (n < 1)
        return hg_fail(HG_ERROR_SHAPE, "hg_eigen: the matrix is empty");
    for (int64_t i = 0; i < n * n; i++)
        if (!isfinite(a[i]))
            return hg_fail(HG_ERROR_NONFINITE,
                           "hg_eigen: entry (%lld, %lld) is %g",
                           (long long)(i / n), (long long)(i % n), a[i]);
    size_t size = (size_t)(2 * n) * sizeof(double);
    double *e = hg_memory_allocate(context, size);
    if (!e)
        return false;
    memset(e, 0, size);
    tridiagonal(a, n, values, e, e + n);
    accumulate(a, n, vectors);
    bool ok = diagonal(values, e, vectors, n);
    if (ok)
        sort_falling(values, vectors, n);
    hg_memory_release(context, e, size);
    return ok;
}
