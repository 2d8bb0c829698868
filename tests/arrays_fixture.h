/* arrays_fixture.h - sets from files of numbers, and what is in them. */
#ifndef ARRAYS_FIXTURE_H
#define ARRAYS_FIXTURE_H

#include "datasets_fixture.h"

__attribute__((unused)) static hg_data *whole(const char *name,
                                              hg_data_options o)
{
    o.whole = true;
    return hg_data_open(ctx, in_folder(name), o);
}

__attribute__((unused)) static hg_data *opened(const char *name,
                                               hg_data_options o)
{
    hg_data *data = whole(name, o);
    ck_assert_msg(data != NULL, "%s", hg_error());
    return data;
}

__attribute__((unused)) static void expect_values(const hg_data *data,
                                                  int64_t row,
                                                  const double *wanted)
{
    hg_real x[64];
    value_of(data, row, x);
    for (int64_t i = 0; i < hg_data_features(data); i++)
        ck_assert_double_eq_tol((double)x[i], wanted[i], 1e-6);
}

__attribute__((unused)) static void expect_shape(const hg_data *data, int64_t n,
                                                 int64_t c, int64_t h,
                                                 int64_t w)
{
    hg_shape item = hg_data_shape(data);
    ck_assert_int_eq(hg_data_size(data), n);
    ck_assert_msg(item.dim[0] == c && item.dim[1] == h && item.dim[2] == w,
                  "%s", HG_SHAPE_TEXT(item));
}

#endif
