/* random_calls.h - every operation, called with random shapes, axes and
 * windows, at inputs that are dense, permuted, sliced or broadcast views; for
 * tests of gradients and of kernels.
 *
 * A call has two parts: what chooses a trial, once, and what computes it, as
 * often as a test wants. */
#ifndef RANDOM_CALLS_H
#define RANDOM_CALLS_H

#include "ops_fixture.h"
#include "pointwise_rows.h"

/* Differences are taken element by element; kernels want whole vectors. */
#ifdef HG_DOUBLE
enum { MOST_VALUES = 24, MOST_SIZE = 4 };
#else
enum { MOST_VALUES = 3000, MOST_SIZE = 37 };
#endif
enum { MOST_INPUTS = 4, ROOM = 4 * MOST_VALUES + 4096 };

typedef enum { DENSE, PERMUTED, SLICED, EXPANDED } view_kind;

/* How values are chosen; beside the domains of pointwise.def. */
enum { APART = 100 /* well separated: no ties, none near 0 */ };

typedef struct {
    hg_shape made, seen; /* the view has the second */
    view_kind kind;
    hg_axes order; /* PERMUTED */
    int axis;      /* SLICED */
    int domain;
    hg_real value[ROOM];
} random_input;

/* One trial. */
static struct {
    random_input in[MOST_INPUTS];
    int count;
    const row *row; /* of pointwise.def */
    hg_axes axes;
    int axis;
    int64_t number, other;
    int32_t place[MOST_VALUES];
    hg_shape shape;
    hg_conv_options window;
    hg_pool_options pool;
    hg_reduce_mode mode;
} now;

static int between(int low, int high)
{
    return low + (int)draw((uint32_t)(high - low + 1));
}

/* Of sizes from 1 on, of MOST_VALUES at most. */
static hg_shape some_shape(int rank)
{
    hg_shape s = {.rank = rank};
    int64_t left = MOST_VALUES;
    for (int d = 0; d < rank; d++) {
        int axis = (d + (int)now.number) % rank;
        int most = left < MOST_SIZE ? (int)left : MOST_SIZE;
        s.dim[axis] = between(1, most);
        left /= s.dim[axis];
    }
    return s;
}

static hg_shape some_shape_of(int lowest, int highest)
{
    return some_shape(between(lowest, highest));
}

/* The next input, seen in this shape. */
static void take_as(hg_shape s, int domain, int kinds)
{
    random_input *in = &now.in[now.count++];
    *in = (random_input){.made = s, .seen = s, .domain = domain};
    in->kind = s.rank ? (view_kind)draw((uint32_t)kinds) : DENSE;
    in->axis = s.rank ? (int)draw((uint32_t)s.rank) : 0;
    in->order = random_order(s.rank);
    for (int d = 0; in->kind == PERMUTED && d < s.rank; d++)
        in->made.dim[in->order.axis[d]] = s.dim[d];
    if (in->kind == SLICED)
        in->made.dim[in->axis] = 2 * s.dim[in->axis] + 1;
    if (in->kind == EXPANDED)
        in->made.dim[in->axis] = 1;
}

static void take(hg_shape s, int domain)
{
    take_as(s, domain, domain == APART ? 3 : 4);
}

/* Broadcasts to s: without leading axes, some of the others of size 1. */
static hg_shape smaller(hg_shape s)
{
    hg_shape out = {.rank = between(s.rank > 2 ? s.rank - 2 : 0, s.rank)};
    for (int d = 0; d < out.rank; d++)
        out.dim[d] = draw(3) ? s.dim[s.rank - out.rank + d] : 1;
    return out;
}

static hg_tensor *view_of(const random_input *in, hg_tensor *x)
{
    switch (in->kind) {
    case PERMUTED:
        return hg_permute(x, in->order);
    case SLICED:
        return hg_slice(x, in->axis, 1, HG_END, 2);
    case EXPANDED:
        return hg_expand(x, in->seen);
    default:
        return x;
    }
}

/* ---- Values ------------------------------------------------------------- */

/* The second is beyond the first, on either side. */
static double off_ties(int input, double u)
{
    return input == 0 ? u : u < 0 ? u - 1.5 : u + 1.5;
}

static void fill(random_input *in, int input)
{
    int64_t n = hg_shape_numel(in->made);
    ck_assert_int_le(n, ROOM);
    if (in->domain == APART) {
        fill_apart(in->value, n, (int)draw(100));
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        double u = 2.0 * draw(1 << 20) / (1 << 20) - 1;
        in->value[i] =
            (hg_real)(in->domain == OFF_TIES ? off_ties(input, u)
                                             : inside((domain)in->domain, u));
    }
}

/* As many places as t has positions along the axis, each below `below`. */
static void choose_places(int64_t count, int64_t below)
{
    ck_assert_int_le(count, MOST_VALUES);
    for (int64_t i = 0; i < count; i++)
        now.place[i] = (int32_t)draw((uint32_t)below);
}

static hg_tensor *places(hg_shape s)
{
    return hg_from(now.place, "i4", s);
}

#endif
