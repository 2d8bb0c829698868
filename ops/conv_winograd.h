/* conv_winograd.h - convolution by values of polynomials for windows of 5 x 5
 * at stride 1: F(4 x 4, 5 x 5) of Lavin and Gray 2016, "Fast algorithms for
 * convolutional neural networks", after Winograd.
 *
 * In one dimension 8 pixels d under a window g of 5 taps give 4 places y. With
 * pixels and taps as coefficients of polynomials, their values at 8 points are
 * multiplied (`.`) instead of every pixel by every tap; in the paper's letters
 *
 *     y = A' ((G g) . (B' d)),  dg = G' ((A dy) . (B' d))
 *
 * In two dimensions rows are transformed after columns: 64 products instead of
 * 400 for 4 x 4 places. Over channels the products at a point are one of
 * matrices, [tiles, C] by [C, O]. Vectors hold channels of one pixel, so that
 * no transform moves lanes.
 *
 *     conv_winograd_kernels.c   the five transforms, along one dimension
 *     conv_winograd_strip.c     the same over the tiles of some rows
 *     conv_winograd_plan.c      sizes, memory, and who works on what
 *     conv_winograd.c           the three convolutions, and when they suit
 *
 * The price: errors are about 3e-6 of the results' root mean square, where
 * plain sums have 5e-7 (bench/log.md), and what is not finite spreads over the
 * places of its tile. */
#ifndef HG_CONV_WINOGRAD_H
#define HG_CONV_WINOGRAD_H

#include "ops/conv.h"
#include "ops/isa.h"

enum { HG_SIDE = 4, HG_WINDOW = 5, HG_POINTS = HG_SIDE + HG_WINDOW - 1 };
enum { HG_TAPS = HG_WINDOW * HG_WINDOW };

/* `count` lines of vectors to as many others: from line to line `step`, along
 * a line `apart`, in values. Of places only the first `keep` are stored, with
 * a vector `bias` added, if there is one. */
typedef struct {
    int64_t count, keep;
    int64_t in_step, in_apart, out_step, out_apart;
    const hg_real *bias;
} hg_lines;

typedef void hg_transform(const hg_lines *, const hg_real *in, hg_real *out);

typedef struct {
    hg_transform *pixels;          /* B' d: 8 to 8 */
    hg_transform *places;          /* A' y: 8 to 4 */
    hg_transform *place_gradients; /* A dy: 4 to 8 */
    hg_transform *taps;            /* G g: 5 to 8 */
    hg_transform *tap_gradients;   /* G' dg: 8 to 5 */
} hg_winograd;

HG_ISA_TABLE(hg_winograd, hg_winograd)

/* Do they suit the shape? */
bool hg_winograd_suits(const hg_conv *);

void hg_conv_forward_winograd(const hg_kernel *, const hg_conv_job *);
void hg_conv_input_winograd(const hg_kernel *, const hg_conv_job *);
void hg_conv_weight_winograd(const hg_kernel *, const hg_conv_job *);

#endif
