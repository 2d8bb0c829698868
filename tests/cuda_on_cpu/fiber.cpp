// Stacks and the switch between them. Stacks are made on demand, with a guard
// page each, at most as many as a block has threads.
#include "fiber.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if CUDA_ON_CPU_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__x86_64__) && !defined(CUDA_ON_CPU_UCONTEXT)
#define OWN_SWITCH 1
#else
#define OWN_SWITCH 0
#include <ucontext.h>
#endif

namespace cuda_on_cpu
{
enum {
    stack_bytes = CUDA_ON_CPU_ASAN ? 256 << 10 : 64 << 10,
    guard_bytes = 4096
};

struct Fiber {
    void *stack_pointer;
    void *fake_stack; // AddressSanitizer's
    char *stack;
    int first;
#if !OWN_SWITCH
    ucontext_t context;
#endif
};

namespace
{
Fiber fibers[max_threads + 1], launcher;
Fiber *spare[max_threads + 1];
Fiber *running = &launcher, *previous;
int made, spares;
size_t launcher_bytes; // of the launching stack; AddressSanitizer asks
} // namespace

Range fiber_stacks;

// The switch saves what a called function must preserve and returns on the
// other stack. "ret" and not "jmp": nearly all switches go from one call site
// to the same one, so that the return predictor stays right.
#if OWN_SWITCH
extern "C" void cuda_on_cpu_switch(void **save, void *to);
asm(R"(
.text
.globl cuda_on_cpu_switch
.type cuda_on_cpu_switch,@function
cuda_on_cpu_switch:
    pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
    ret
.size cuda_on_cpu_switch,.-cuda_on_cpu_switch
)");
// A fiber's first instruction: the fiber itself is in rbx.
extern "C" void cuda_on_cpu_first_switch(void);
asm(R"(
.text
.type cuda_on_cpu_first_switch,@function
cuda_on_cpu_first_switch:
    movq %rbx, %rdi
    xorl %ebp, %ebp
    call cuda_on_cpu_enter
    ud2
.size cuda_on_cpu_first_switch,.-cuda_on_cpu_first_switch
)");
#endif

// Tells AddressSanitizer which stack is the running one.
static void arrived(void *fake_stack)
{
#if CUDA_ON_CPU_ASAN
    const void *low;
    size_t bytes;
    __sanitizer_finish_switch_fiber(fake_stack, &low, &bytes);
    if (previous == &launcher) {
        launcher.stack = (char *)low;
        launcher_bytes = bytes;
    }
#else
    (void)fake_stack;
#endif
}

static void leaving(Fiber *from, Fiber *to, bool abandon)
{
#if CUDA_ON_CPU_ASAN
    size_t bytes = to == &launcher ? launcher_bytes : (size_t)stack_bytes;
    __sanitizer_start_switch_fiber(abandon ? nullptr : &from->fake_stack,
                                   to->stack, bytes);
#else
    (void)from, (void)to, (void)abandon, (void)launcher_bytes;
#endif
}

extern "C" __attribute__((used)) void cuda_on_cpu_enter(Fiber *self)
{
    arrived(nullptr);
    fiber_body(self);
    abort();
}

#if OWN_SWITCH
static void set_up(Fiber *f)
{
    // Staggered tops: else the same frame of every fiber falls into the same
    // sets of the cache.
    char *top = f->stack + stack_bytes - 64 - (f - fibers) % 61 * 64;
    void **sp = (void **)top;
    *--sp = nullptr; // 16-byte aligned at the call
    *--sp = nullptr;
    *--sp = (void *)cuda_on_cpu_first_switch;
    *--sp = nullptr; // rbp
    *--sp = f;       // rbx
    for (int saved = 0; saved < 4; saved++)
        *--sp = nullptr; // r12 to r15
    f->stack_pointer = sp;
}
#else
static void enter_context(unsigned high, unsigned low)
{
    cuda_on_cpu_enter((Fiber *)((uintptr_t)high << 32 | low));
}

static void set_up(Fiber *f)
{
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = stack_bytes;
    f->context.uc_link = nullptr;
    makecontext(&f->context, (void (*)())enter_context, 2,
                (unsigned)((uintptr_t)f >> 32), (unsigned)(uintptr_t)f);
}
#endif

static void make_new(Fiber *f)
{
    f->fake_stack = nullptr;
#if CUDA_ON_CPU_ASAN
    ASAN_UNPOISON_MEMORY_REGION(f->stack, stack_bytes);
#endif
    set_up(f);
}

static void reserve_stacks()
{
    fiber_stacks.size = (size_t)(max_threads + 1) * (stack_bytes + guard_bytes);
    void *p = mmap(nullptr, fiber_stacks.size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        perror("cuda on cpu: no memory for stacks");
        abort();
    }
    fiber_stacks.base = (char *)p;
}

Fiber *take_fiber()
{
    if (spares > 0)
        return spare[--spares];
    if (!fiber_stacks.base)
        reserve_stacks();
    assert(made <= max_threads);
    Fiber *f = &fibers[made];
    char *slot =
        fiber_stacks.base + (size_t)made++ * (stack_bytes + guard_bytes);
    mprotect(slot, guard_bytes, PROT_NONE);
    f->stack = slot + guard_bytes;
    make_new(f);
    return f;
}

void give_fiber(Fiber *fiber)
{
    spare[spares++] = fiber;
}

Fiber *running_fiber()
{
    return running;
}

Fiber *main_fiber()
{
    return &launcher;
}

int &first_thread(Fiber *fiber)
{
    return fiber->first;
}

void switch_fiber(Fiber *to, bool abandon)
{
    Fiber *from = previous = running;
    running = to;
    leaving(from, to, abandon);
#if OWN_SWITCH
    cuda_on_cpu_switch(&from->stack_pointer, to->stack_pointer);
#else
    swapcontext(&from->context, &to->context);
#endif
    arrived(from->fake_stack);
}

void reset_fibers()
{
    spares = 0;
    for (int i = made; i-- > 0;) {
        make_new(&fibers[i]);
        give_fiber(&fibers[i]);
    }
}
} // namespace cuda_on_cpu
