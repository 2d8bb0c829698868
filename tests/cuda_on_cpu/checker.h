/* Internal to the checker: what it remembers of every 4 bytes, and reports. */
#ifndef CUDA_ON_CPU_CHECKER_H
#define CUDA_ON_CPU_CHECKER_H

#include "fiber.h"

namespace cuda_on_cpu
{
typedef uintptr_t Address;

/* When, by whom and where memory was accessed. Times are those of the
 * thread: launch, __syncthreads and __syncwarp passed. Small, as there are
 * four to every 4 bytes. */
struct Stamp {
    uint32_t launch, block;
    int32_t caller; /* relative to the checker's own code */
    uint16_t barriers, warp_syncs;
    uint16_t thread : 10;
    uint16_t bytes : 4; /* which of the four, a mask; 0: no access */
    uint16_t atomic : 1;
};

/* The last write of 4 bytes, and reads since: the last one, the last by
 * another thread, the last by another block. */
struct Cell {
    Stamp write, reads[3];
};

struct Access {
    Address address;
    size_t bytes;
    bool write, atomic, aligned; /* aligned: the compiler counts on it */
    Address caller;              /* in the kernel's code */
};

/* Says it once for each pair of places. `other`: the access it clashes with. */
void report(const char *what, const Access &access,
            const Stamp *other = nullptr);
int32_t relative(Address caller);
/* Zeroed addresses, used on touch. */
void *reserve(size_t bytes);
/* Called for the accesses of instrumented code that may matter. */
void check_access(const Access &access);

/* A kernel's own: its stack and its arguments. Most accesses are. */
inline bool is_own(Address a)
{
    return now.in_kernel &&
           (a - (Address)fiber_stacks.base < fiber_stacks.size ||
            a - (Address)now.arguments < now.argument_bytes);
}
} // namespace cuda_on_cpu

#endif
