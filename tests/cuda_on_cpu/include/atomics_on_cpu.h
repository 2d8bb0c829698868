/* Atomics: threads never run at once, so a plain read-modify-write is one.
 * The checker is told of it (it must not take it for a race) by the address
 * of the kernel's call, hence no inlining. */
#ifndef CUDA_ON_CPU_ATOMICS_H
#define CUDA_ON_CPU_ATOMICS_H

namespace cuda_on_cpu
{
void atomic_access(void *address, size_t bytes, const void *caller);

template <class T> struct Same {
    typedef T type;
};

/* Outside the checker's instrumentation, inside AddressSanitizer's. */
template <class T, class Change>
__attribute__((no_sanitize("thread"), noinline)) T read_modify_write(
    T *address, Change change)
{
    T old = *address;
    *address = change(old);
    return old;
}
} // namespace cuda_on_cpu

#define CUDA_ON_CPU_ATOMIC(name, expression)                                   \
    template <class T>                                                         \
    __attribute__((noinline)) T name(                                          \
        T *address, typename cuda_on_cpu::Same<T>::type value)                 \
    {                                                                          \
        cuda_on_cpu::atomic_access(address, sizeof *address,                   \
                                   __builtin_return_address(0));               \
        return cuda_on_cpu::read_modify_write(                                 \
            address, [=](T old) -> T { return expression; });                  \
    }
CUDA_ON_CPU_ATOMIC(atomicAdd, (T)(old + value))
CUDA_ON_CPU_ATOMIC(atomicSub, (T)(old - value))
CUDA_ON_CPU_ATOMIC(atomicExch, ((void)old, value))
CUDA_ON_CPU_ATOMIC(atomicMax, old > value ? old : value)
CUDA_ON_CPU_ATOMIC(atomicMin, old < value ? old : value)
CUDA_ON_CPU_ATOMIC(atomicAnd, (T)(old &value))
CUDA_ON_CPU_ATOMIC(atomicOr, (T)(old | value))
CUDA_ON_CPU_ATOMIC(atomicXor, (T)(old ^ value))
#undef CUDA_ON_CPU_ATOMIC

template <class T>
__attribute__((noinline)) T atomicCAS(
    T *address, typename cuda_on_cpu::Same<T>::type compare,
    typename cuda_on_cpu::Same<T>::type value)
{
    cuda_on_cpu::atomic_access(address, sizeof *address,
                               __builtin_return_address(0));
    return cuda_on_cpu::read_modify_write(
        address, [=](T old) -> T { return old == compare ? value : old; });
}

#endif
