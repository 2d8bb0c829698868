// planted.cuh - what the planted bugs work on.
#ifndef CUDA_ON_CPU_PLANTED_CUH
#define CUDA_ON_CPU_PLANTED_CUH

#include <stdio.h>
#include <stdlib.h>

#include <vector>

#include <cublas_v2.h>
#include <cuda_on_cpu.h>
#include <launch_on_cpu.h>

#define LAUNCH       HG_LAUNCH_ON_CPU
#define SHARED(T, n) HG_DYNAMIC_SHARED_ON_CPU(T, n)
#define ALL          0xffffffffu

enum { N = 256, INPUTS = 4 * N };
enum { CLEAN = 0, DIFFERENT = 3, FAILED = 4, NOT_A_NUMBER = 5, WRONG = 6 };

// What a case works on: x holds numbers, y zeros, u was never written.
struct Bench {
    float *x, *y, *u, *pinned;
    std::vector<float> host;
    cudaStream_t a, b;
    float result = 0; // added to the sum over y
    bool wrong = false;
    cudaError_t error = cudaSuccess;

    Bench() : host(INPUTS + 8)
    {
        for (size_t i = 0; i < host.size(); i++)
            host[i] = (float)(i % 97) * 0.5f + 1;
        cudaMalloc(&x, INPUTS * sizeof(float));
        cudaMalloc(&y, N * sizeof(float));
        cudaMalloc(&u, N * sizeof(float));
        cudaMallocHost(&pinned, N * sizeof(float));
        cudaMemcpy(x, host.data(), INPUTS * sizeof(float),
                   cudaMemcpyHostToDevice);
        cudaMemset(y, 0, N * sizeof(float));
        cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking);
        cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking);
        cudaDeviceSynchronize();
    }
    ~Bench()
    {
        cuda_on_cpu_set_async(0);
        cudaFree(x);
        cudaFree(y);
        cudaFree(u);
        cudaFreeHost(pinned);
        cudaStreamDestroy(a);
        cudaStreamDestroy(b);
    }
};

#endif
