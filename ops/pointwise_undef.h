/* pointwise_undef.h - forgets the row kinds after an include of
 * pointwise.def. */
#undef UNARY
#undef UNARY_A
#undef UNARY_AB
#undef BINARY
#undef LINEAR
#undef COMPARE
#undef TERNARY
