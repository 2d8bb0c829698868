/* serve.h - the protocol of compare.py for peers in C: a line `run N` is
 * answered by the time of N training steps in a line of JSON. */
#ifndef HG_BENCH_SERVE_H
#define HG_BENCH_SERVE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

enum { IMAGES = 10240, PIXELS = 784 };

typedef struct {
    const char *version, *optimiser; /* "KANN r557", "RMSprop" */
    int batch, threads;
    float *images; /* [IMAGES, PIXELS], uniform in [0, 1) */
    int *order;    /* a permutation of them */
    int next;      /* place in it */
} serve;

static double serve_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Fisher and Yates. */
static void serve_shuffle(serve *s)
{
    s->next = 0;
    for (int i = IMAGES - 1; i > 0; i--) {
        int j = rand() % (i + 1), other = s->order[i];
        s->order[i] = s->order[j];
        s->order[j] = other;
    }
}

/* PEER WORKLOAD --threads N (and whatever else compare.py says). The workload's
 * name without its batch, or NULL. */
static const char *serve_open(serve *s, int argc, char **argv)
{
    static char name[32];
    char *batch;
    if (argc < 2)
        return NULL;
#ifdef __SSE__
    _mm_setcsr(_mm_getcsr() |
               0x8040); /* denormals are zero; threads inherit it */
#endif
    snprintf(name, sizeof name, "%s", argv[1]);
    batch = strstr(name, "-b");
    if (!batch)
        return NULL;
    *batch = 0;
    s->batch = atoi(batch + 2);
    s->threads = 1;
    for (int i = 2; i + 1 < argc; i++)
        if (!strcmp(argv[i], "--threads"))
            s->threads = atoi(argv[i + 1]);
    s->images = malloc((size_t)IMAGES * PIXELS * sizeof *s->images);
    s->order = malloc(IMAGES * sizeof *s->order);
    for (int i = 0; i < IMAGES * PIXELS; i++)
        s->images[i] = (float)rand() / ((float)RAND_MAX + 1);
    for (int i = 0; i < IMAGES; i++)
        s->order[i] = i;
    serve_shuffle(s);
    return name;
}

/* The next batch, [batch, PIXELS], by index from memory. */
static void serve_gather(serve *s, float *x)
{
    if (s->next + s->batch > IMAGES)
        serve_shuffle(s);
    for (int k = 0; k < s->batch; k++)
        memcpy(x + (size_t)k * PIXELS,
               s->images + (size_t)s->order[s->next + k] * PIXELS,
               PIXELS * sizeof *x);
    s->next += s->batch;
}

/* Answers until the input ends. A step returns its loss, so that one sees the
 * peer learn. */
static void serve_run(serve *s, float (*step)(serve *, void *), void *peer)
{
    int steps;
    float loss = 0;
    while (scanf(" run %d", &steps) == 1) {
        double start = serve_seconds();
        for (int i = 0; i < steps; i++)
            loss = step(s, peer);
        printf("{\"ms_per_step\": %.5f, \"steps\": %d, \"threads\": %d, "
               "\"version\": \"%s\", \"adam\": \"%s\", \"loss\": %.6g}\n",
               1000 * (serve_seconds() - start) / steps, steps, s->threads,
               s->version, s->optimiser, (double)loss);
        fflush(stdout);
    }
}

#endif
