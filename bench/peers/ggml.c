/* ggml.c - the plain autoencoder in ggml (github.com/ggml-org/ggml), by its own
 * trainer (ggml-opt): static graphs, AdamW without decay.
 *
 * Built by build.sh beside a checkout of it. ggml has no gradient of the
 * sigmoid: the output stays linear, left to it as an advantage. */
#include "serve.h"

#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml-opt.h>
#include <ggml.h>
#include <math.h>

enum { LAYERS = 6 };

static const int width[LAYERS + 1] = {PIXELS, 256, 64, 20, 64, 256, PIXELS};

typedef struct {
    struct ggml_context *parameters, *graph;
    struct ggml_tensor *weight[LAYERS], *bias[LAYERS], *x;
    ggml_backend_sched_t scheduler;
    ggml_opt_context_t trainer;
    float *batch;
} peer;

static struct ggml_context *context(void)
{
    return ggml_init(
        (struct ggml_init_params){.mem_size = 1 << 20, .no_alloc = true});
}

/* Uniform in +-1/sqrt(fan in). */
static void initialise(struct ggml_tensor *t, int fan_in)
{
    size_t n = (size_t)ggml_nelements(t);
    float *value = malloc(n * sizeof *value);
    for (size_t i = 0; i < n; i++)
        value[i] = (2 * (float)rand() / (float)RAND_MAX - 1) / sqrtf(fan_in);
    ggml_backend_tensor_set(t, value, 0, n * sizeof *value);
    free(value);
}

static void make_parameters(peer *p, int batch, ggml_backend_t cpu)
{
    p->parameters = context();
    p->x = ggml_new_tensor_2d(p->parameters, GGML_TYPE_F32, PIXELS, batch);
    ggml_set_input(p->x);
    for (int i = 0; i < LAYERS; i++) {
        p->weight[i] = ggml_new_tensor_2d(p->parameters, GGML_TYPE_F32,
                                          width[i], width[i + 1]);
        p->bias[i] =
            ggml_new_tensor_1d(p->parameters, GGML_TYPE_F32, width[i + 1]);
        ggml_set_param(p->weight[i]);
        ggml_set_param(p->bias[i]);
    }
    ggml_backend_alloc_ctx_tensors(p->parameters, cpu);
    for (int i = 0; i < LAYERS; i++) {
        initialise(p->weight[i], width[i]);
        initialise(p->bias[i], width[i]);
    }
}

static struct ggml_tensor *reconstruction(peer *p)
{
    struct ggml_tensor *t = p->x;
    for (int i = 0; i < LAYERS; i++) {
        t = ggml_mul_mat(p->graph, p->weight[i], t);
        t = ggml_add(p->graph, t, p->bias[i]);
        if (i != 2 && i != LAYERS - 1)
            t = ggml_relu(p->graph, t);
    }
    ggml_set_output(t);
    return t;
}

static struct ggml_opt_optimizer_params adam(void *data)
{
    struct ggml_opt_optimizer_params o =
        ggml_opt_get_default_optimizer_params(data);
    o.adamw.alpha = 1e-3f;
    o.adamw.wd = 0;
    return o;
}

static float step(serve *s, void *data)
{
    peer *p = data;
    float loss;
    size_t bytes = (size_t)s->batch * PIXELS * sizeof *p->batch;
    serve_gather(s, p->batch);
    ggml_opt_alloc(p->trainer, true);
    ggml_backend_tensor_set(p->x, p->batch, 0, bytes);
    ggml_backend_tensor_set(ggml_opt_labels(p->trainer), p->batch, 0, bytes);
    ggml_opt_eval(p->trainer, NULL);
    ggml_backend_tensor_get(ggml_opt_loss(p->trainer), &loss, 0, sizeof loss);
    return loss;
}

int main(int argc, char **argv)
{
    char version[64];
    serve s = {.version = version, .optimiser = "AdamW"};
    const char *name = serve_open(&s, argc, argv);
    peer p = {0};
    if (!name || strcmp(name, "ae") != 0) {
        fprintf(stderr, "ggml.c: has ae-bN\n");
        return 2;
    }
    snprintf(version, sizeof version, "ggml %s", ggml_version());
    ggml_backend_t cpu = ggml_backend_cpu_init();
    ggml_backend_cpu_set_n_threads(cpu, s.threads);
    make_parameters(&p, s.batch, cpu);
    p.batch = malloc((size_t)s.batch * PIXELS * sizeof *p.batch);
    p.graph = context();
    p.scheduler = ggml_backend_sched_new(&cpu, NULL, 1, GGML_DEFAULT_GRAPH_SIZE,
                                         false, false);
    struct ggml_opt_params o = ggml_opt_default_params(
        p.scheduler, GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR);
    o.ctx_compute = p.graph;
    o.inputs = p.x;
    o.outputs = reconstruction(&p);
    o.get_opt_pars = adam;
    p.trainer = ggml_opt_init(o);
    serve_run(&s, step, &p);
    return 0;
}
