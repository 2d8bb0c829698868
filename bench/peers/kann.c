/* kann.c - the dense workloads in KANN (github.com/attractivechaos/kann).
 *
 * Built by build.sh beside a checkout of it. KANN has RMSprop and no Adam,
 * which moves a third less memory: left to it as an advantage. Its threads
 * share the batch. */
#include "serve.h"

#include <kann.h>
#include <stdbool.h>

typedef struct {
    kann_t *net;
    float *x, *squares; /* the batch; RMSprop's memory */
    int variables;
} peer;

static kad_node_t *dense(kad_node_t *t, int n)
{
    return kad_relu(kann_layer_dense(t, n));
}

static kad_node_t *decoder(kad_node_t *code)
{
    kad_node_t *t = dense(dense(code, 64), 256);
    return kad_sigm(kann_layer_dense(t, PIXELS));
}

/* 784-256-64-20 and back, mean squared error. */
static kad_node_t *ae(kad_node_t *x)
{
    kad_node_t *code = kann_layer_dense(dense(dense(x, 256), 64), 20);
    return kad_mse(decoder(code), x);
}

static kad_node_t *scaled(kad_node_t *t, float by)
{
    return kad_mul(t, kann_new_scalar(KAD_CONST, by));
}

/* Ten latent dimensions; squared error and KL, a sum an image. */
static kad_node_t *vae(kad_node_t *x)
{
    kad_node_t *h = dense(dense(x, 256), 64);
    kad_node_t *mu = kann_layer_dense(h, 10), *logvar = kann_layer_dense(h, 10);
    kad_node_t *std = kad_exp(scaled(logvar, 0.5f));
    kad_node_t *y = decoder(kad_add(mu, kad_sample_normal(std)));
    kad_node_t *twice = kad_add(kad_square(mu), kad_square(std));
    twice = kad_sub(kad_sub(twice, logvar), kann_new_scalar(KAD_CONST, 1));
    kad_node_t *kl = kad_reduce_mean(kad_reduce_sum(twice, 1), 0);
    return kad_add(scaled(kad_mse(y, x), PIXELS), scaled(kl, 0.5f));
}

static float step(serve *s, void *data)
{
    peer *p = data;
    serve_gather(s, p->x);
    float loss = kann_cost(p->net, 0, 1);
    kann_RMSprop(p->variables, 1e-3f, NULL, 0.9f, p->net->g, p->net->x,
                 p->squares);
    return loss;
}

int main(int argc, char **argv)
{
    serve s = {.version = "KANN " KANN_VERSION, .optimiser = "RMSprop"};
    const char *name = serve_open(&s, argc, argv);
    bool variational = name && !strcmp(name, "vae");
    peer p = {0};
    if (!name || (strcmp(name, "ae") != 0 && !variational)) {
        fprintf(stderr, "kann.c: has ae-bN and vae-bN\n");
        return 2;
    }
    kad_node_t *x = kad_feed(2, 1, PIXELS);
    x->ext_flag = KANN_F_IN;
    kad_node_t *cost = variational ? vae(x) : ae(x);
    cost->ext_flag = KANN_F_COST;
    p.net = kann_new(cost, 0);
    p.variables = kann_size_var(p.net);
    p.squares = calloc((size_t)p.variables, sizeof *p.squares);
    p.x = malloc((size_t)s.batch * PIXELS * sizeof *p.x);
    kann_feed_bind(p.net, KANN_F_IN, 0, &p.x);
    kann_set_batch_size(p.net, s.batch);
    kann_mt(p.net, s.threads, s.batch);
    kann_switch(p.net, 1);
    serve_run(&s, step, &p);
    kann_delete(p.net);
    return 0;
}
