/* cublas.c - loads cuBLAS when the first product asks for it. */
#define _GNU_SOURCE
#include "tensor/cublas.h"
#include "tensor/cuda.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

/* What cuBLAS may use; 32 MiB is what it asks for on the newest devices. */
enum { WORKSPACE = 32 << 20 };

typedef struct {
    hg_cublas calls;
    char reason[256];
    bool loaded;
} library;

static library the_library; /* written once, under pthread_once */

#ifdef __CUDA_ON_CPU__
static void load(void)
{
    the_library.calls = (hg_cublas){
        cublasCreate,       cublasDestroy,     cublasSetStream,
        cublasSetWorkspace, cublasSetMathMode, cublasGemmStridedBatchedEx};
    the_library.loaded = true;
}
#else
static void *open_library(void)
{
    static const char *const names[] = {"libcublas.so.13", "libcublas.so.12",
                                        "libcublas.so.11", "libcublas.so"};
    for (int i = 0; i < 4; i++) {
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (handle)
            return handle;
    }
    snprintf(the_library.reason, sizeof the_library.reason,
             "cuBLAS was not found (%.150s); install libcublas or set "
             "LD_LIBRARY_PATH",
             dlerror());
    return NULL;
}

static void load(void)
{
    static const char *const names[] = {
        "cublasCreate_v2",    "cublasDestroy_v2",
        "cublasSetStream_v2", "cublasSetWorkspace_v2",
        "cublasSetMathMode",  "cublasGemmStridedBatchedEx"};
    hg_cublas *calls = &the_library.calls;
    void *const slots[] = {&calls->create,     &calls->destroy,
                           &calls->set_stream, &calls->set_workspace,
                           &calls->set_math,   &calls->gemm};
    void *handle = open_library();
    the_library.loaded = handle != NULL;
    for (int i = 0; handle && i < 6; i++) {
        *(void **)slots[i] = dlsym(handle, names[i]);
        if (*(void **)slots[i])
            continue;
        the_library.loaded = false;
        snprintf(the_library.reason, sizeof the_library.reason,
                 "this cuBLAS lacks %s; version 11.6 or newer is needed",
                 names[i]);
    }
}
#endif

const hg_cublas *hg_cublas_get(const char **reason)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (reason)
        *reason = the_library.reason;
    return the_library.loaded ? &the_library.calls : NULL;
}

const char *hg_device_products(void)
{
    const char *reason;
    return hg_cublas_get(&reason) ? "cuBLAS" : reason;
}

static bool prepare(hg_context *context, const hg_cublas *calls,
                    cublasHandle_t handle)
{
    hg_device *d = context->gpu;
    d->workspace = hg_device_allocate(context, WORKSPACE);
    return d->workspace &&
           (calls->set_stream(handle, (cudaStream_t)d->stream.handle) ==
                CUBLAS_STATUS_SUCCESS &&
            calls->set_workspace(handle, d->workspace, WORKSPACE) ==
                CUBLAS_STATUS_SUCCESS &&
            calls->set_math(handle, CUBLAS_DEFAULT_MATH) ==
                CUBLAS_STATUS_SUCCESS);
}

cublasHandle_t hg_cublas_handle(hg_context *context)
{
    hg_stream *stream = &context->gpu->stream;
    const char *reason;
    if (stream->blas)
        return (cublasHandle_t)stream->blas;
    const hg_cublas *calls = hg_cublas_get(&reason);
    if (!calls) {
        hg_fail(HG_ERROR_DEVICE, "device %s: %s", context->device, reason);
        return NULL;
    }
    cublasHandle_t handle = NULL;
    if (calls->create(&handle) == CUBLAS_STATUS_SUCCESS) {
        stream->blas = handle;
        if (prepare(context, calls, handle))
            return handle;
    }
    hg_fail(HG_ERROR_DEVICE, "device %s: cuBLAS does not start",
            context->device);
    return NULL;
}

void hg_cublas_close(hg_context *context)
{
    hg_device *d = context->gpu;
    hg_cublas_get(NULL)->destroy((cublasHandle_t)d->stream.blas);
    hg_device_release(context, d->workspace, WORKSPACE);
}
