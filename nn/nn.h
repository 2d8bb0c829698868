/* nn.h - parameters, layers, optimisers, schedules.
 *
 * A *store* (hg_params) hands out named tensors and owns them: it is the
 * registration, the state dict, the optimiser's list and the owner at once.
 * A layer is built from the store by name; names and weight layouts are
 * PyTorch's, so files are exchanged without a converter:
 *
 *     hg_params *p = hg_params_new(ctx);
 *     nn_layer *net = nn_chain(p,
 *         nn_linear(p, "0", 784, 20), nn_relu(p),
 *         nn_linear(p, "2", 20, 784));
 *     hg_optimizer *adam = hg_adam(p, "adam", (hg_adam_options){0});
 *     hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
 *     hg_tensor *y = nn_forward(net, hg_rand(HG_SHAPE(32, 784)));
 *     bool ok = hg_minimize(hg_mean(hg_square(y), HG_ALL), adam);
 *     hg_scope_close(s);
 *
 * The context owns stores and optimisers; nothing here is freed by hand.
 */
#ifndef HG_NN_H
#define HG_NN_H

#include "ops/ops.h"

typedef struct hg_params hg_params;
typedef struct hg_optimizer hg_optimizer;
typedef struct nn_layer nn_layer;

HG_BEGIN_DECLS

/* ---- The parameter store ------------------------------------------------ */

/* An empty one, owned by the context. */
HG_API hg_params *hg_params_new(hg_context *);
/* A cursor: the same store seen under a prefix ("encoder" adds "encoder.").
 * It is also the subset of parameters below that prefix. "" or NULL: as is. */
HG_API hg_params *hg_params_at(hg_params *, const char *name);
/* Zeroed memory that lives as long as the store: the model's struct. */
HG_API void *hg_params_alloc(hg_params *, size_t size);

/* How a parameter starts. Draws are keyed by (seed, path), not by the order
 * of calls. */
typedef enum {
    HG_INIT_DEFAULT, /* PyTorch's: uniform, bound 1 / sqrt(fan_in) */
    HG_INIT_ZEROS,
    HG_INIT_ONES,
    HG_INIT_CONSTANT,       /* a */
    HG_INIT_UNIFORM,        /* in [a, b) */
    HG_INIT_NORMAL,         /* mean a, standard deviation b */
    HG_INIT_XAVIER_UNIFORM, /* Glorot and Bengio, 2010; gain a, 0 means 1 */
    HG_INIT_XAVIER_NORMAL,
    HG_INIT_KAIMING_UNIFORM, /* He et al., 2015; gain a, 0 means sqrt(2) */
    HG_INIT_KAIMING_NORMAL
} hg_init_kind;

typedef struct {
    hg_init_kind kind;
    double a, b;
    int64_t fan_in, fan_out; /* 0: from the shape, PyTorch's way */
} hg_init;

/* HG_INIT(kind, a, b); HG_NORMAL is N(0, 1), HG_UNIFORM [0, 1). */
#ifdef __cplusplus
inline hg_init hg_init_of(hg_init_kind kind, double a = 0, double b = 0,
                          int64_t fan_in = 0, int64_t fan_out = 0)
{
    return hg_init{kind, a, b, fan_in, fan_out};
}
#define HG_INIT(...) hg_init_of(__VA_ARGS__)
#else
#define HG_INIT(...) ((hg_init){.kind = __VA_ARGS__})
#endif
#define HG_NORMAL  HG_INIT(HG_INIT_NORMAL, 0, 1)
#define HG_UNIFORM HG_INIT(HG_INIT_UNIFORM, 0, 1)

/* A new parameter, owned by the store; it wants a gradient. NULL with an error,
 * which a name that exists already is too. */
HG_API hg_tensor *hg_param(hg_params *, const char *name, hg_shape, hg_init);
/* A new buffer: saved with the parameters, never trained (running statistics,
 * schedules, temperatures). */
HG_API hg_tensor *hg_buffer(hg_params *, const char *name, hg_shape,
                            hg_real fill);
/* A buffer with one whole number of batches, steps, ...: int32, int64 in files
 * (num_batches_tracked). */
HG_API hg_tensor *hg_counter(hg_params *, const char *name);
/* By name relative to this cursor; NULL without an error if there is none. */
HG_API hg_tensor *hg_params_find(const hg_params *, const char *name);
/* The i-th entry below this cursor, sorted by path; NULL at the end. */
HG_API hg_tensor *hg_params_entry(const hg_params *, int64_t i);
/* Its place in the order in which the store's entries were made, from 0; -1: it
 * is in no store. */
HG_API int64_t hg_params_number(const hg_tensor *);
/* Is it a buffer of a store, or a counter? */
HG_API bool hg_is_buffer(const hg_tensor *);
/* Elements of all parameters below this cursor (buffers not counted). */
HG_API int64_t hg_params_count(const hg_params *);
/* Frozen parameters want no gradient and are left alone by optimisers. */
HG_API void hg_params_freeze(hg_params *, bool frozen);
/* Clears the gradients of the parameters below this cursor: grad is NULL. */
HG_API void hg_zero_grad(hg_params *);
/* The context that owns the store. */
HG_API hg_context *hg_params_context(const hg_params *);

/* Scales what hg_backward left below this cursor until its joint norm is at
 * most `most`; the norm before, or 0 with an error. By value: cuts each element
 * to [-most, most]. */
HG_API hg_real hg_clip_grad_norm(hg_params *, hg_real most);
HG_API void hg_clip_grad_value(hg_params *, hg_real most);

/* ---- Files: safetensors ------------------------------------------------- */

/* Writes every entry below this cursor, under its name relative to it, through
 * a temporary file (FILE.tmp) that is synced and renamed; works while an error
 * is pending. `metadata` is a NULL-ended list of key,
 * value, key, value, ...; or NULL. */
HG_API HG_CHECK bool hg_params_save(const hg_params *, const char *file);
HG_API HG_CHECK bool hg_params_save_with(const hg_params *, const char *file,
                                         const char *const *metadata);
/* Reads by name, all or nothing: missing, unexpected and differently shaped
 * entries are named together and nothing is changed. float32 and float64 are
 * converted. */
HG_API HG_CHECK bool hg_params_load(hg_params *, const char *file);
/* Reads what fits by name and ignores the rest; how many entries were read,
 * or -1. */
HG_API int64_t hg_params_load_matching(hg_params *, const char *file);

/* ---- Gradients into sets ------------------------------------------------ */

/* hg_backward into the parameters of these sets only; no other weight
 * gradient is computed. */
HG_API HG_CHECK bool hg_backward_to_n(hg_tensor *loss, hg_params *const *sets,
                                      int n);
#define hg_backward_to(loss, ...)                                              \
    hg_backward_to_n(loss, HG_ARRAY(hg_params *, __VA_ARGS__),                 \
                     HG_COUNT(hg_params *, __VA_ARGS__))

/* ---- Optimisers --------------------------------------------------------- */

/* An optimiser has a name, under which its state is saved
 * ("generator/encoder.0.weight.exp_avg"), and one set of parameters or
 * several. Its state is allocated here, not at the first step. A field left
 * 0 means the default in brackets; a negative number means 0. */
typedef struct {
    double rate;         /* learning rate [1e-3] */
    double beta1, beta2; /* [0.9, 0.999] */
    double eps;          /* [1e-8] */
    double weight_decay; /* Adam: L2 in the gradient; AdamW: decoupled [0;
                            AdamW 0.01] */
    bool keep_gradients; /* do not consume them in the step */
} hg_adam_options;

typedef struct {
    double rate; /* [1e-2] */
    double momentum, dampening, weight_decay;
    bool nesterov, keep_gradients;
} hg_sgd_options;

typedef struct {
    double rate;  /* [1e-2] */
    double alpha; /* [0.99] */
    double eps;   /* [1e-8] */
    double momentum, weight_decay;
    bool centered, keep_gradients;
} hg_rmsprop_options;

typedef struct {
    double rate; /* [1] */
    double rho;  /* [0.9] */
    double eps;  /* [1e-6] */
    double weight_decay;
    bool keep_gradients;
} hg_adadelta_options;

/* Kingma and Ba, 2015. */
HG_API hg_optimizer *hg_adam_n(hg_params *const *sets, int n, const char *name,
                               hg_adam_options);
/* Loshchilov and Hutter, 2019. */
HG_API hg_optimizer *hg_adamw_n(hg_params *const *sets, int n, const char *name,
                                hg_adam_options);
HG_API hg_optimizer *hg_sgd_n(hg_params *const *sets, int n, const char *name,
                              hg_sgd_options);
/* Tieleman and Hinton, 2012. */
HG_API hg_optimizer *hg_rmsprop_n(hg_params *const *sets, int n,
                                  const char *name, hg_rmsprop_options);
/* Zeiler, 2012. */
HG_API hg_optimizer *hg_adadelta_n(hg_params *const *sets, int n,
                                   const char *name, hg_adadelta_options);
/* The same over one set. */
HG_API hg_optimizer *hg_adam(hg_params *, const char *name, hg_adam_options);
HG_API hg_optimizer *hg_adamw(hg_params *, const char *name, hg_adam_options);
HG_API hg_optimizer *hg_sgd(hg_params *, const char *name, hg_sgd_options);
HG_API hg_optimizer *hg_rmsprop(hg_params *, const char *name,
                                hg_rmsprop_options);
HG_API hg_optimizer *hg_adadelta(hg_params *, const char *name,
                                 hg_adadelta_options);

/* One update from the gradients of its parameters, which it then clears (see
 * keep_gradients). A parameter without a gradient is left alone and reported
 * once (hg_context_on_message). */
HG_API HG_CHECK bool hg_optimizer_step(hg_optimizer *);
/* The learning rate, a 0-d tensor: hg_set(hg_optimizer_rate(o), 1e-4). */
HG_API hg_tensor *hg_optimizer_rate(hg_optimizer *);
HG_API const char *hg_optimizer_name(const hg_optimizer *);
/* Updates made so far. */
HG_API int64_t hg_optimizer_steps(const hg_optimizer *);
/* Clears the gradients of its parameters. */
HG_API void hg_optimizer_zero_grad(hg_optimizer *);
/* Clip the joint norm of its gradients, or every element, in each step to
 * `most`; 0: never. */
HG_API void hg_optimizer_clip_norm(hg_optimizer *, hg_real most);
HG_API void hg_optimizer_clip_value(hg_optimizer *, hg_real most);
/* From now on `rounds` calls of hg_optimizer_step make one update, by the mean
 * of their gradients: a batch of that many times the size in the memory of
 * one. What has been added up is saved with the optimiser's state; what was
 * added up before this call is dropped. */
HG_API HG_CHECK bool hg_optimizer_accumulate(hg_optimizer *, int rounds);
/* State of several optimisers in one safetensors file. It is read by optimisers
 * of the same names over the same parameters, all or nothing. */
HG_API HG_CHECK bool hg_optimizers_save(hg_optimizer *const *, int n,
                                        const char *file);
HG_API HG_CHECK bool hg_optimizers_load(hg_optimizer *const *, int n,
                                        const char *file);

/* Clears the gradients of their sets, backward into those sets only, steps:
 * the one line of ordinary training. No parameter may be in two of them. */
HG_API HG_CHECK bool hg_minimize_n(hg_tensor *loss, hg_optimizer *const *,
                                   int n);
#define hg_minimize(loss, ...)                                                 \
    hg_minimize_n(loss, HG_ARRAY(hg_optimizer *, __VA_ARGS__),                 \
                  HG_COUNT(hg_optimizer *, __VA_ARGS__))

/* ---- Schedules ---------------------------------------------------------- */

typedef enum {
    HG_SCHEDULE_CONSTANT,
    HG_SCHEDULE_STEP,   /* times gamma every `every` steps */
    HG_SCHEDULE_COSINE, /* half a cosine to `last`, there at step `steps` */
    HG_SCHEDULE_PLATEAU /* times gamma when more than `patience` calls of
                           hg_schedule_observe brought no improvement by
                           a ten thousandth (as PyTorch) */
} hg_schedule_kind;

typedef struct {
    hg_schedule_kind kind;
    hg_real first, last;  /* value at the start; cosine: at the end */
    hg_real gamma;        /* [0.1] */
    int64_t every, steps; /* see the kinds */
    int64_t warmup;       /* steps, linear from 0 to `first`, before all else */
    int patience;         /* [10] */
} hg_schedule;

/* The value at a step; constant, step and cosine need no state. */
HG_API hg_real hg_schedule_at(const hg_schedule *, int64_t step);
/* PLATEAU: lowers `first` when `loss` stalls; true when it was lowered. The
 * hg_plateau is what it remembers, zeros at first. */
typedef struct {
    hg_real best;
    int bad;
    bool started;
} hg_plateau;
HG_API bool hg_schedule_observe(hg_schedule *, hg_plateau *, hg_real loss);

/* ---- Weight averaging --------------------------------------------------- */

/* Exponential moving average of the parameters below a cursor, owned by their
 * store; it begins with their values, so make it after the last layer. */
typedef struct hg_ema hg_ema;
HG_API hg_ema *hg_ema_new(hg_params *, hg_real decay);
/* After each step: average = decay * average + (1 - decay) * parameter. */
HG_API HG_CHECK bool hg_ema_update(hg_ema *);
/* Exchanges parameters and averages: call before and after an evaluation, also
 * one that failed (it works while an error is pending). */
HG_API void hg_ema_swap(hg_ema *);

/* ---- Layers ------------------------------------------------------------- */

/* A layer is whatever has a forward function; own ones embed this first:
 *     struct my_layer { nn_layer base; hg_tensor *w; };            */
struct nn_layer {
    hg_tensor *(*forward)(nn_layer *, hg_tensor *x);
    const char *path; /* names errors and tape nodes */
    const char *kind; /* "linear", for summaries */
};

/* Applies a layer; errors inside name its path. NULL in, NULL out. */
HG_API hg_tensor *nn_forward(nn_layer *, hg_tensor *x);
/* A zeroed layer of `size` bytes with path and forward set; NULL on error. */
HG_API void *nn_layer_new(hg_params *, const char *name, const char *kind,
                          size_t size,
                          hg_tensor *(*forward)(nn_layer *, hg_tensor *));

/* x [..., in] -> [..., out]; weight [out, in], bias [out]. */
HG_API nn_layer *nn_linear(hg_params *, const char *name, int64_t in,
                           int64_t out);
/* Kinds left out are PyTorch's default. */
typedef struct {
    bool no_bias;
    hg_init init; /* of the weight */
    hg_init bias;
} nn_linear_options;
HG_API nn_layer *nn_linear_with(hg_params *, const char *name, int64_t in,
                                int64_t out, nn_linear_options);

typedef struct {
    int64_t kernel;     /* side of the square window */
    int64_t stride;     /* [1] */
    int64_t pad;        /* [0] */
    int64_t dilation;   /* [1] */
    int64_t output_pad; /* transposed only [0] */
    bool no_bias;
} nn_window;
/* x [N, in, H, W] -> [N, out, ...], sizes as with hg_conv2d; weight
 * [out, in, k, k], bias [out]. */
HG_API nn_layer *nn_conv2d(hg_params *, const char *name, int64_t in,
                           int64_t out, nn_window);
/* The same with hg_conv_transpose2d; weight [in, out, k, k]. */
HG_API nn_layer *nn_conv_transpose2d(hg_params *, const char *name, int64_t in,
                                     int64_t out, nn_window);

/* Normalisation of x, with weight and bias [channels]. Batch norm: x [N,
 * channels, ...], over batch and places, with the buffers running_mean,
 * running_var and num_batches_tracked. Layer norm: x [..., features], over the
 * last axis. Group norm: x [N, channels, ...], over each of `groups` sets of
 * neighbouring channels. */
typedef struct {
    double momentum; /* [0.1] */
    double eps;      /* [1e-5] */
} nn_norm_options;
HG_API nn_layer *nn_batch_norm(hg_params *, const char *name, int64_t channels,
                               nn_norm_options);
HG_API nn_layer *nn_layer_norm(hg_params *, const char *name, int64_t features,
                               nn_norm_options);
HG_API nn_layer *nn_group_norm(hg_params *, const char *name, int64_t groups,
                               int64_t channels, nn_norm_options);

/* Zeroes with probability p while the scope is stochastic. */
HG_API nn_layer *nn_dropout(hg_params *, double p);
/* int32 [...] -> [..., width]; weight [count, width]. */
HG_API nn_layer *nn_embedding(hg_params *, const char *name, int64_t count,
                              int64_t width);
/* Keeps axis 0, joins the others. And its inverse: [N, c*h*w] -> [N, c, h, w].
 */
HG_API nn_layer *nn_flatten(hg_params *);
HG_API nn_layer *nn_unflatten(hg_params *, int64_t c, int64_t h, int64_t w);

/* Any function of one tensor is a layer, hg_gelu say; with a number too. Those
 * below are ready-made. */
HG_API nn_layer *nn_activation(hg_params *, hg_tensor *(*)(hg_tensor *));
HG_API nn_layer *nn_activation_with(hg_params *,
                                    hg_tensor *(*)(hg_tensor *, double),
                                    double a);
HG_API nn_layer *nn_identity(hg_params *);
HG_API nn_layer *nn_relu(hg_params *);
HG_API nn_layer *nn_sigmoid(hg_params *);
HG_API nn_layer *nn_tanh(hg_params *);
HG_API nn_layer *nn_leaky_relu(hg_params *, double slope);

/* One layer after the other; the arguments are counted. */
HG_API nn_layer *nn_chain_n(hg_params *, nn_layer *const *, int n);
#define nn_chain(p, ...)                                                       \
    nn_chain_n(p, HG_ARRAY(nn_layer *, __VA_ARGS__),                           \
               HG_COUNT(nn_layer *, __VA_ARGS__))

HG_END_DECLS

#endif
