/* Fibers: stacks that kernel threads run on, and the switch between them. */
#ifndef CUDA_ON_CPU_FIBER_H
#define CUDA_ON_CPU_FIBER_H

#include "emulator.h"

namespace cuda_on_cpu
{
struct Fiber;

/* A fiber that waits to be switched to; it then calls fiber_body. */
Fiber *take_fiber();
/* Another may take it once the running fiber has switched away from it. */
void give_fiber(Fiber *fiber);
Fiber *running_fiber();
/* The stack that launched the kernel. */
Fiber *main_fiber();
/* `abandon`: the running stack will not be resumed where it stands. */
void switch_fiber(Fiber *to, bool abandon = false);
/* After a block was given up: every fiber is as new. */
void reset_fibers();
/* The number of the thread to start on a fresh fiber. */
int &first_thread(Fiber *fiber);
/* All stacks lie in here. */
extern Range fiber_stacks;

/* What a fiber does; defined by the scheduler of blocks, never returns. */
void fiber_body(Fiber *self);
} // namespace cuda_on_cpu

#endif
