/* kernels.c - the speed of products and convolutions, layer by layer, beside
 * oneDNN's product.
 *
 *     build/bench/kernels [threads]
 *
 * On one thread processor time is measured, so that other programs disturb
 * less; on several, elapsed time. Medians of 15 blocks. */
#include "ops/conv.h"
#include "ops/gemm.h"
#include "ops/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef HG_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

enum { BLOCKS = 15, FLOATS = 1 << 23 };

typedef struct {
    hg_kernel kernel;
    hg_real *a, *b, *c;
} bench;

typedef struct {
    const char *name;
    int64_t m, n, k;
    bool ta, tb; /* the operand is a transposed view */
} product;

typedef struct {
    const char *name;
    int64_t n, c, size, o, window, stride, padding;
} layer;

static const product products[] = {
    {"forward 32x256x784", 32, 256, 784, false, true},
    {"forward 32x64x256", 32, 64, 256, false, true},
    {"forward 32x20x64", 32, 20, 64, false, true},
    {"forward 32x784x256", 32, 784, 256, false, true},
    {"input gradient 32x256x784", 32, 256, 784, false, false},
    {"input gradient 32x256x64", 32, 256, 64, false, false},
    {"weight gradient 256x784x32", 256, 784, 32, true, false},
    {"weight gradient 784x256x32", 784, 256, 32, true, false},
    {"forward 128x256x784", 128, 256, 784, false, true},
    {"weight gradient 256x784x128", 256, 784, 128, true, false},
    {"forward 100x1000x1000", 100, 1000, 1000, false, true},
    {"input gradient 100x1000x1000", 100, 1000, 1000, false, false},
    {"weight gradient 1000x1000x100", 1000, 1000, 100, true, false},
    {"square 600", 600, 600, 600, false, false},
};

static const layer layers[] = {
    {"conv-vae 1-8, 28x28", 256, 1, 28, 8, 3, 2, 1},
    {"conv-vae 8-16, 14x14", 256, 8, 14, 16, 3, 2, 1},
    {"conv-vae 16-32, 7x7", 256, 16, 7, 32, 3, 2, 0},
    {"tfp 1-32, 28x28", 64, 1, 28, 32, 5, 1, 2},
    {"tfp 32-32, 28x28, s2", 64, 32, 28, 32, 5, 2, 2},
    {"tfp 32-64, 14x14", 64, 32, 14, 64, 5, 1, 2},
    {"tfp 64-64, 14x14, s2", 64, 64, 14, 64, 5, 2, 2},
    {"tfp 64-64, 7x7 whole", 64, 64, 7, 64, 7, 1, 0},
    {"tfp 32-32, 28x28", 64, 32, 28, 32, 5, 1, 2},
    {"tfp 32-1, 28x28", 64, 32, 28, 1, 5, 1, 2},
};

static double seconds(const bench *b)
{
    struct timespec t;
    clock_gettime(
        b->kernel.threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Microseconds a call, median. */
static double time_of(const bench *b, double flops,
                      void (*run)(const bench *, const void *),
                      const void *what)
{
    double block[BLOCKS];
    int calls = (int)(2e8 / flops) + 1;
    run(b, what);
    for (int i = 0; i < BLOCKS; i++) {
        double start = seconds(b);
        for (int j = 0; j < calls; j++)
            run(b, what);
        block[i] = (seconds(b) - start) / calls * 1e6;
    }
    qsort(block, BLOCKS, sizeof *block, by_size);
    return block[BLOCKS / 2];
}

static void report(double flops, double us)
{
    printf(" %9.1f us %6.1f GF", us, flops / us * 1e-3);
}

static void run_own(const bench *b, const void *what)
{
    const product *p = what;
    hg_gemm(&b->kernel, &(hg_gemm_job){.m = p->m,
                                       .n = p->n,
                                       .k = p->k,
                                       .a = b->a,
                                       .a_row = p->ta ? 1 : p->k,
                                       .a_col = p->ta ? p->m : 1,
                                       .b = b->b,
                                       .b_row = p->tb ? 1 : p->n,
                                       .b_col = p->tb ? p->k : 1,
                                       .c = b->c,
                                       .c_row = p->n,
                                       .c_col = 1});
}

#ifdef HG_HAVE_ONEDNN
static void run_onednn(const bench *b, const void *what)
{
    const product *p = what;
    dnnl_sgemm(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', p->m, p->n, p->k, 1, b->a,
               p->ta ? p->m : p->k, b->b, p->tb ? p->k : p->n, 0, b->c, p->n);
}
#endif

static hg_conv_job job_of(const bench *b, const layer *l)
{
    int64_t places = (l->size + 2 * l->padding - l->window) / l->stride + 1;
    return (hg_conv_job){.shape = {.n = l->n,
                                   .c = l->c,
                                   .h = l->size,
                                   .w = l->size,
                                   .o = l->o,
                                   .oh = places,
                                   .ow = places,
                                   .kh = l->window,
                                   .kw = l->window,
                                   .stride = l->stride,
                                   .padding = l->padding,
                                   .dilation = 1},
                         .x = b->a,
                         .weight = b->b,
                         .y = b->a,
                         .out = b->c};
}

static void run_forward(const bench *b, const void *what)
{
    hg_conv_job job = job_of(b, what);
    hg_conv_forward(&b->kernel, &job);
}

static void run_input(const bench *b, const void *what)
{
    hg_conv_job job = job_of(b, what);
    hg_conv_input(&b->kernel, &job);
}

static void run_weight(const bench *b, const void *what)
{
    hg_conv_job job = job_of(b, what);
    hg_conv_weight(&b->kernel, &job);
}

static void bench_products(const bench *b)
{
    printf("%-30s %22s %22s\n", "product m x n x k", "own", "oneDNN sgemm");
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        const product *p = &products[i];
        double flops = 2. * (double)(p->m * p->n * p->k);
        printf("%-30s", p->name);
        report(flops, time_of(b, flops, run_own, p));
#ifdef HG_HAVE_ONEDNN
        report(flops, time_of(b, flops, run_onednn, p));
#endif
        puts("");
    }
}

static void bench_layers(const bench *b)
{
    printf("\n%-30s %22s %22s %22s\n", "convolution", "forward",
           "input gradient", "weight gradient");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        hg_conv s = job_of(b, &layers[i]).shape;
        double flops =
            2. * (double)(s.n * s.o * s.oh * s.ow * s.c * s.kh * s.kw);
        printf("%-30s", layers[i].name);
        report(flops, time_of(b, flops, run_forward, &layers[i]));
        report(flops, time_of(b, flops, run_input, &layers[i]));
        report(flops, time_of(b, flops, run_weight, &layers[i]));
        puts("");
    }
}

static bool fill(bench *b)
{
    b->a = malloc(FLOATS * sizeof *b->a);
    b->b = malloc(FLOATS * sizeof *b->b);
    b->c = malloc(FLOATS * sizeof *b->c);
    for (int i = 0; b->a && b->b && b->c && i < FLOATS; i++)
        b->a[i] = b->b[i] =
            (hg_real)(i % 1009 * 7919 % 1009) / 1009 - (hg_real)0.5;
    return b->a && b->b && b->c;
}

int main(int count, char **words)
{
    hg_context *context = hg_context_new("cpu", 1);
    bench b = {0};
    if (!context || !fill(&b))
        return fprintf(stderr, "no memory\n"), 1;
    if (count > 1)
        hg_context_set_threads(context, atoi(words[1]));
    b.kernel.context = context;
    b.kernel.threads = context->threads;
    b.kernel.isa = context->isa;
    printf("%s, %d threads\n", hg_cpu_isa_name(context->isa), context->threads);
    bench_products(&b);
    bench_layers(&b);
    free(b.a);
    free(b.b);
    free(b.c);
    hg_context_free(context);
    return 0;
}
