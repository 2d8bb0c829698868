/* The typed half of the runtime API, as in the toolkit's header, and the
 * launch of a kernel. */
#ifndef CUDA_ON_CPU_RUNTIME_TEMPLATES_H
#define CUDA_ON_CPU_RUNTIME_TEMPLATES_H

namespace cuda_on_cpu
{
cudaError_t set_function_attribute(const void *function,
                                   cudaFuncAttribute attribute, int value);
cudaError_t blocks_per_multiprocessor(int *blocks, const void *function,
                                      int threads, size_t shared_bytes);
cudaError_t write_symbol(void *symbol, size_t symbol_bytes, const void *from,
                         size_t bytes, size_t offset, cudaStream_t stream,
                         bool wait);

/* One launch: the kernel's code with a copy of its arguments. */
struct Arguments {
    virtual ~Arguments()
    {
    }
    virtual void call() const = 0;
    size_t bytes = 0;
};

struct Launch {
    const char *name;
    const void *function;
    dim3 grid, block;
    size_t shared_bytes;
    cudaStream_t stream;
    Arguments *arguments; /* owned by whoever receives it */
};

cudaError_t submit(const Launch &launch);

template <class... Parameter> struct Call final : Arguments {
    void (*kernel)(Parameter...);
    std::tuple<Parameter...> values;
    Call(void (*k)(Parameter...), Parameter... v)
        : kernel(k), values(std::move(v)...)
    {
        bytes = sizeof *this;
    }
    void call() const override
    {
        std::apply(kernel, values);
    }
};

/* The arguments are converted to the kernel's types and copied at once. */
template <class... Parameter, class... Argument>
void launch(const char *name, void (*kernel)(Parameter...), dim3 grid,
            dim3 block, size_t shared_bytes, cudaStream_t stream,
            Argument &&...arguments)
{
    static_assert(sizeof...(Parameter) == sizeof...(Argument),
                  "a launch with another number of arguments than the kernel");
    submit({name, (const void *)kernel, grid, block, shared_bytes, stream,
            new Call<Parameter...>(kernel, (Parameter)arguments...)});
}
} // namespace cuda_on_cpu

template <class T> static inline cudaError_t cudaMalloc(T **p, size_t bytes)
{
    return cudaMalloc((void **)(void *)p, bytes);
}

template <class T> static inline cudaError_t cudaMallocHost(T **p, size_t bytes)
{
    return cudaMallocHost((void **)(void *)p, bytes);
}

template <class T>
static inline cudaError_t cudaHostAlloc(T **p, size_t bytes, unsigned flags)
{
    return cudaHostAlloc((void **)(void *)p, bytes, flags);
}

template <class T>
static inline cudaError_t cudaHostGetDevicePointer(T **device, void *host,
                                                   unsigned flags)
{
    return cudaHostGetDevicePointer((void **)(void *)device, host, flags);
}

template <class F>
static inline cudaError_t cudaFuncSetAttribute(F *function,
                                               cudaFuncAttribute attribute,
                                               int value)
{
    return cuda_on_cpu::set_function_attribute((const void *)function,
                                               attribute, value);
}

template <class F>
static inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(
    int *blocks, F *function, int threads, size_t shared_bytes)
{
    return cuda_on_cpu::blocks_per_multiprocessor(
        blocks, (const void *)function, threads, shared_bytes);
}

template <class T>
static inline cudaError_t cudaMemcpyToSymbol(
    T &symbol, const void *from, size_t bytes, size_t offset = 0,
    cudaMemcpyKind = cudaMemcpyHostToDevice)
{
    return cuda_on_cpu::write_symbol((void *)&symbol, sizeof symbol, from,
                                     bytes, offset, 0, true);
}

template <class T>
static inline cudaError_t cudaMemcpyToSymbolAsync(
    T &symbol, const void *from, size_t bytes, size_t offset = 0,
    cudaMemcpyKind = cudaMemcpyHostToDevice, cudaStream_t stream = 0)
{
    return cuda_on_cpu::write_symbol((void *)&symbol, sizeof symbol, from,
                                     bytes, offset, stream, false);
}

#endif
