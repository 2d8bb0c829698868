/* pointwise_reference.c - the same loops with libm's functions: the oracle for
 * the vector ones, and the kernels of hourglass-f64. */
#define HG_ISA reference
#include "ops/pointwise_kernels.c"
