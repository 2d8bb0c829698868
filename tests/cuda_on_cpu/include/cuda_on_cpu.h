/* What a test may ask of the emulated device and set on it. Everything here
 * has an environment variable too, read at the first call of the runtime:
 *
 *   CUDA_ON_CPU_SCHEDULE=forward|reverse|random[:SEED]
 *   CUDA_ON_CPU_ASYNC=1      streams run when something waits for them
 *   CUDA_ON_CPU_ABORT=0      problems are counted and do not abort
 *   CUDA_ON_CPU_MEMORY=N     bytes of device memory
 *   CUDA_ON_CPU_DEVICES=0    a machine without a GPU
 *   CUDA_ON_CPU_PROTECT=1    host code that touches device memory faults */
#ifndef CUDA_ON_CPU_H
#define CUDA_ON_CPU_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The order of the threads between two barriers, and of the blocks: as the
 * variable. Returns 0 for a word that is none of them. */
int cuda_on_cpu_set_schedule(const char *schedule);

/* On: the work of a stream runs when something waits for it, the youngest
 * stream first; what does not wait sees old values, every time. */
void cuda_on_cpu_set_async(int on);

/* Off: what the emulation objects to is counted, not fatal. */
void cuda_on_cpu_set_abort(int on);
long cuda_on_cpu_problems(void);
const char *cuda_on_cpu_last_problem(void);

/* The n-th allocation of device or pinned memory from now on (1: the next)
 * fails, once; 0: none does. */
void cuda_on_cpu_fail_allocation(long n);
/* Bytes of device memory; what is allocated stays. */
void cuda_on_cpu_set_memory(size_t bytes);

/* Since the program began; `live_bytes` is device memory in use. A graph's
 * launch counts once in graph_launches, and every node of it as what it is. */
typedef struct {
    long launches, copies, memsets, library_calls, graph_launches;
    long allocations, frees, waits;
    size_t live_bytes, peak_bytes;
} cuda_on_cpu_counts;
cuda_on_cpu_counts cuda_on_cpu_count(void);

#ifdef __cplusplus
}
#endif
#endif
