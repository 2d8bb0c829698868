/* What the emulation's tests share. */
#ifndef CUDA_ON_CPU_SUPPORT_CUH
#define CUDA_ON_CPU_SUPPORT_CUH

#include <check.h>
#include <stdlib.h>

#include <vector>

#include <cuda_on_cpu.h>
#include <launch_on_cpu.h>

#define LAUNCH       HG_LAUNCH_ON_CPU
#define ALL          0xffffffffu
#define SHARED(T, n) HG_DYNAMIC_SHARED_ON_CPU(T, n)
#define OK(call)     ck_assert_int_eq((call), cudaSuccess)
#define FAILS(call, error)                                                     \
    do {                                                                       \
        ck_assert_int_eq((call), (error));                                     \
        ck_assert_int_eq(cudaGetLastError(), (error));                         \
    } while (0)

/* An array on the device, freed with its scope. */
template <class T> struct Device {
    T *data = nullptr;
    size_t n;

    explicit Device(size_t size) : n(size)
    {
        OK(cudaMalloc(&data, n * sizeof(T)));
    }
    explicit Device(const std::vector<T> &values) : Device(values.size())
    {
        OK(cudaMemcpy(data, values.data(), n * sizeof(T),
                      cudaMemcpyHostToDevice));
    }
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;
    ~Device()
    {
        cudaFree(data);
    }
    std::vector<T> read() const
    {
        std::vector<T> values(n);
        OK(cudaMemcpy(values.data(), data, n * sizeof(T),
                      cudaMemcpyDeviceToHost));
        return values;
    }
};

/* Problems are counted, not fatal, while one lives. */
struct Tolerant {
    long before;
    Tolerant() : before(cuda_on_cpu_problems())
    {
        cuda_on_cpu_set_abort(0);
    }
    ~Tolerant()
    {
        cuda_on_cpu_set_abort(1);
    }
    long problems() const
    {
        return cuda_on_cpu_problems() - before;
    }
};

static inline int run_tests(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
