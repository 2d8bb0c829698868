/* pointwise_loads.h - the operands of a formula of pointwise.def by name, where
 * LOAD(i, v) declares v, the i-th input's value. */
#ifndef HG_POINTWISE_LOADS_H
#define HG_POINTWISE_LOADS_H

#define LOAD1(v) LOAD(0, v)
#define LOAD2(v, w)                                                            \
    LOAD1(v);                                                                  \
    LOAD(1, w)
#define LOAD3(v, w, p)                                                         \
    LOAD2(v, w);                                                               \
    LOAD(2, p)
#define LOAD4(v, w, p, q)                                                      \
    LOAD3(v, w, p);                                                            \
    LOAD(3, q)

#endif
