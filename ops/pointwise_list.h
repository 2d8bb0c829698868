/* pointwise_list.h - turns each row into KERNEL(name) for every kernel it has.
 * Included several times, so it has no guard. */
#define UNARY(n, ...)    KERNEL(n) KERNEL(n##_dx) KERNEL(n##_d2)
#define UNARY_A(n, ...)  UNARY(n, )
#define UNARY_AB(n, ...) UNARY(n, )
#define BINARY(n, ...)                                                         \
    KERNEL(n)                                                                  \
    KERNEL(n##_dx)                                                             \
    KERNEL(n##_dy) KERNEL(n##_dxx) KERNEL(n##_dxy) KERNEL(n##_dyy)
#define LINEAR(n, ...)  KERNEL(n)
#define COMPARE(n, ...) KERNEL(n)
#define TERNARY(n, ...) KERNEL(n)
#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"
