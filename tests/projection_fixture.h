/* projection_fixture.h - points whose map, groups and moments are known. */
#ifndef PROJECTION_FIXTURE_H
#define PROJECTION_FIXTURE_H

#include "support.h"

#include "models/tsne.h"

enum { N = 24, D = 4 };

UNUSED static double points[N * D];

UNUSED static hg_points made_points(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            points[i * D + j] =
                sin(1.3 * i * (j + 1) + j) * (4 - j) + (j == 0 ? i % 3 * 2 : 0);
    return (hg_points){points, N, D};
}

/* Products run in the library's precision. */
UNUSED static void expect_near(double got, double expected, double tolerance)
{
    ck_assert_msg(same_value(got, expected, tolerance), "%.12g, not %.12g", got,
                  expected);
}

/* Three far groups of 40 points in 5 dimensions. */
UNUSED static hg_points three_groups(double *v)
{
    for (int i = 0; i < 120; i++)
        for (int j = 0; j < 5; j++)
            v[i * 5 + j] = (i % 3 == j ? 10 : 0) + sin(1.9 * i * (j + 2));
    return (hg_points){v, 120, 5};
}

#endif
