/* model.h - what a model is: one const descriptor.
 *
 * A model is one file: options, a build function that makes layers from the
 * store, and a loss. The trainer, the evaluation, the pictures and the gradient
 * check need nothing else; what a model can do besides (encode, decode, draw
 * from its prior) it says by filling the slot.
 *
 *     struct my { nn_layer *net; };
 *     static void my_build(void *model, hg_params *p, const hg_config *c)
 *     {
 *         struct my *m = model;
 *         m->net = nn_linear(p, "net", hg_config_int(c, "inputs"), ...);
 *     }
 *     const hg_model model_my = {
 *         .name = "my", .size = sizeof(struct my), .build = my_build, ... };
 *
 * Conventions: x is [batch, features]; losses are per image, [batch], summed
 * over pixels and latent dimensions unless the recipe says otherwise; the
 * trainer averages over the batch. Terms are named with hg_report.
 */
#ifndef HG_MODEL_H
#define HG_MODEL_H

#include "datasets/data.h"
#include "models/objective.h"
#include "nn/nn.h"
#include "nn/parts.h"

/* An option of a model: shown in --help, read by name. `text` non-NULL makes
 * it a choice or a string with that default, else `number` is the default. */
typedef struct {
    const char *name, *about;
    double number;
    const char *text;
    const char *const *choices; /* NULL-ended, for texts; or NULL */
} hg_option;

/* The slot `options` of a model, outside of functions:
 *
 *     .options = HG_OPTIONS(HG_NUMBER("latent", "width of the code", 10),
 *                           HG_CHOICE("noise", "its kind", "none", "normal"))
 */
#define HG_OPTIONS(...)                                                        \
    (const hg_option[])                                                        \
    {                                                                          \
        __VA_ARGS__,                                                           \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }
#define HG_NUMBER(name_, about_, default_)                                     \
    {                                                                          \
        (name_), (about_), (default_), NULL, NULL                              \
    }
/* One of several texts, of which the first is the default. */
#define HG_CHOICE(name_, about_, ...)                                          \
    HG_ONE_OF(name_, about_, HG_FIRST_(__VA_ARGS__, 0),                        \
              ((const char *const[]){__VA_ARGS__, NULL}))
/* One of a NULL-ended list. */
#define HG_ONE_OF(name_, about_, default_, choices_)                           \
    {                                                                          \
        (name_), (about_), 0, (default_), (choices_)                           \
    }
#define HG_FIRST_(first, ...) first

/* Values of a model's options, with what the data says: "inputs" (features),
 * "channels", "height", "width", "classes"; the sides as "image_height" and
 * "image_width" too, for models with an option of the short name. */
typedef struct hg_config hg_config;

/* The optimisers of a model, in the order in which it made them. */
typedef struct {
    hg_optimizer *list[8];
    int count;
} hg_optimizers;

/* How the decoder's output is read, for metrics and pictures. */
typedef enum {
    HG_LIKELIHOOD_NONE,
    HG_LIKELIHOOD_GAUSSIAN, /* squared error; variance 1/2 unless said */
    HG_LIKELIHOOD_BERNOULLI /* decode gives probabilities */
} hg_likelihood;

/* How a publication trains, where that is known: what the program does with
 * --recipe faithful unless told otherwise. */
typedef struct {
    int64_t epochs, steps; /* 0: no limit */
    double validation;     /* part of train held out */
    bool in_order;         /* never shuffled */
    bool drop_last;        /* a smaller last batch is left out */
    /* Instead of Adam, the one of these that has a rate: if the model has an
     * option "recipe" and its value is "faithful". */
    hg_sgd_options sgd;
    hg_rmsprop_options rmsprop;
    hg_adadelta_options adadelta;
} hg_published;

typedef struct hg_model {
    const char *name;
    const char *about;             /* one line */
    const char *source;            /* post or paper */
    const hg_option *options;      /* ended by a NULL name */
    int64_t batch_size;            /* recipe's [128] */
    int64_t epochs;                /* recipe's [10] */
    const hg_published *published; /* or NULL */
    hg_likelihood likelihood;
    size_t size; /* of the model's struct, the `model` of all that follows */
    /* Makes the layers; the struct holds zeros before. Nothing need be tested:
     * layers that failed are NULL, and an error sticks. */
    void (*build)(void *model, hg_params *, const hg_config *);
    /* [batch]; the trainer minimises its mean. */
    hg_tensor *(*loss)(void *model, const hg_batch *);
    /* Of the one Adam over everything; zeros: PyTorch's defaults, 1e-3. */
    hg_adam_options adam;
    /* Instead of that one. */
    bool (*optimizers)(void *model, hg_params *, hg_optimizers *);
    /* Before the first step, and before a run goes on: what the recipe takes
     * from the training set as a whole (a mean, a few labels, a fit). The set
     * outlives the model; what is learnt from it goes into buffers, which
     * checkpoints restore afterwards, or is found again. Only training calls
     * it: evaluations read the buffers, a gradient check those of `build`. */
    bool (*prepare)(void *model, hg_data *train);
    /* Instead of minimising the loss: a whole training step, for several
     * losses. Takes the optimisers in the order they were listed. */
    bool (*step)(void *model, const hg_batch *, const hg_optimizers *);
    /* Conditional models: what is given besides the pixels, [batch, width]
     * (one-hot labels, visible pixels). Then the x that the slots below take is
     * hg_model_input(), pixels and condition side by side, and a code ends with
     * its condition. */
    hg_tensor *(*condition)(void *model, const hg_batch *);
    /* Of a Gaussian code q(z|x) = N(mu, std^2): mu and, through the pointer,
     * std, each [batch, latent]. The four slots below may then stay empty:
     * encode is mu, sample mu + std * noise, the prior N(0, I) as wide as the
     * option "latent", kl the KL to it. */
    hg_tensor *(*posterior)(void *model, hg_tensor *x, hg_tensor **std);
    /* x [batch, features] -> code [batch, latent] (the mean where there is a
     * distribution). */
    hg_tensor *(*encode)(void *model, hg_tensor *x);
    /* A draw from q(z|x), [batch, latent], where the code has a distribution;
     * the ELBO is measured with it. */
    hg_tensor *(*sample)(void *model, hg_tensor *x);
    /* n codes drawn from the prior, [n, latent]. */
    hg_tensor *(*prior)(void *model, int64_t n);
    /* The true KL to the prior in nats per image, [batch]; or NULL. */
    hg_tensor *(*kl)(void *model, hg_tensor *x);
    /* code -> reconstruction in [0, 1], [batch, features]. */
    hg_tensor *(*decode)(void *model, hg_tensor *code);
    /* log p(z), [batch], of codes [batch, latent]; NULL: N(0, I). */
    hg_tensor *(*log_prior)(void *model, hg_tensor *z);
    /* log p(x|z), [batch]; NULL: made from `decode` and `likelihood`, where a
     * Gaussian has variance 1/2 and its constant is left out. */
    hg_tensor *(*log_likelihood)(void *model, hg_tensor *x, hg_tensor *z);
    /* Logits of classes or clusters, [batch, classes]. */
    hg_tensor *(*classify)(void *model, hg_tensor *x);
    /* Pixels as training sees them, of models that restore: [batch,
     * features]. */
    hg_tensor *(*corrupt)(void *model, hg_tensor *x);
} hg_model;

/* Names of terms that the trainer understands: "loss" (of models with a step of
 * their own; it is reported for the others), "kl" (see objective.h), and of a
 * discriminator "d_real" and "d_fake", the probability that it gives to what is
 * real and to what was made. Names of the log's own keys are refused: event,
 * epoch, step, split, images_per_s, ms_per_step. */

/* ---- A model of one's own, in a file ------------------------------------ */

/* What HG_EXPORT_MODEL leaves for the program: the model, and with which
 * headers it was compiled. The version goes up with every change of a public
 * header that compiled models would not survive. */
#define HG_MODEL_VERSION 4

typedef struct {
    uint32_t version, real_bytes, sizes[4];
    const hg_model *model;
} hg_model_file;

#define HG_MODEL_FILE(model_)                                                  \
    {                                                                          \
        HG_MODEL_VERSION, sizeof(hg_real),                                     \
            {sizeof(hg_model), sizeof(hg_batch), sizeof(hg_tensor),            \
             sizeof(hg_option)},                                               \
            model_                                                             \
    }

/* The last line of such a file; `hourglass train ./FILE.c` loads it. */
#define HG_EXPORT_MODEL(model_)                                                \
    extern HG_API const hg_model_file hourglass_model;                         \
    const hg_model_file hourglass_model = HG_MODEL_FILE(&model_);

HG_BEGIN_DECLS

/* Options: defaults of the model, sizes of the data, then name=value pairs.
 * Owned by the context. NULL and a sentence for unknown names or bad values. */
HG_API hg_config *hg_config_new(hg_context *, const hg_model *,
                                const hg_data *data);
HG_API HG_CHECK bool hg_config_set(hg_config *, const char *name,
                                   const char *value);
/* A whole number; of an option 1 or more, unless its default is less: most are
 * sizes, and hg_config_within takes the others. Else 0, and a sentence. */
HG_API int64_t hg_config_int(const hg_config *, const char *name);
/* Any number; 0 with an error where there is none of this name. */
HG_API double hg_config_number(const hg_config *, const char *name);
/* The text of a choice; "" with an error. */
HG_API const char *hg_config_text(const hg_config *, const char *name);
/* A whole number from `low` to `high`; else 0, and a sentence. */
HG_API int64_t hg_config_within(const hg_config *, const char *name,
                                int64_t low, int64_t high);
/* Is the option's text this one? hg_config_is(c, "recipe", "faithful") */
HG_API bool hg_config_is(const hg_config *, const char *name, const char *text);

/* ---- The zoo ------------------------------------------------------------ */

/* All models, by models.def. */
#define MODEL(symbol) extern HG_API const hg_model symbol;
#include "models/models.def"
#undef MODEL
/* By name; NULL without an error if there is none. */
HG_API const hg_model *hg_model_find(const char *name);
/* The i-th model of the zoo, NULL at the end. */
HG_API const hg_model *hg_model_at(int i);

/* ---- Training step and evaluation, for any model ------------------------ */

/* The model's struct, its layers in the store that owns it; NULL on failure. */
HG_API void *hg_model_build(const hg_model *, hg_params *, const hg_config *);
/* Optimisers as the model or, with --recipe faithful, the publication wants
 * them, or one Adam over the store. */
HG_API HG_CHECK bool hg_model_optimizers(const hg_model *, void *model,
                                         hg_params *, const hg_config *,
                                         hg_optimizers *);
/* One more; false if it is NULL. For the slot `optimizers`, which begins with
 * none. */
HG_API HG_CHECK bool hg_optimizers_add(hg_optimizers *, hg_optimizer *);
/* What the recipe takes from the training set: before the first step. */
HG_API HG_CHECK bool hg_model_prepare(const hg_model *, void *model,
                                      hg_data *train);
/* What a model can do, and that: from the slot, or from the posterior. The
 * prior's draws, [n, latent], take their width from the options. */
HG_API bool hg_model_has_code(const hg_model *);
HG_API bool hg_model_reconstructs(const hg_model *);
HG_API bool hg_model_has_draws(const hg_model *);
HG_API bool hg_model_has_kl(const hg_model *);
HG_API bool hg_model_has_prior(const hg_model *);
HG_API hg_tensor *hg_model_encode(const hg_model *, void *model, hg_tensor *x);
HG_API hg_tensor *hg_model_sample(const hg_model *, void *model, hg_tensor *x);
HG_API hg_tensor *hg_model_kl(const hg_model *, void *model, hg_tensor *x);
HG_API hg_tensor *hg_model_log_prior(const hg_model *, void *model,
                                     hg_tensor *z);
HG_API hg_tensor *hg_model_prior(const hg_model *, void *model,
                                 const hg_config *, int64_t n);
/* What encode, sample, kl, posterior and classify take: b->x, and behind it
 * the condition of conditional models. [batch, features + width] */
HG_API hg_tensor *hg_model_input(const hg_model *, void *model,
                                 const hg_batch *);
/* The loss of each image, [batch]; another shape is an error. */
HG_API hg_tensor *hg_model_loss(const hg_model *, void *model,
                                const hg_batch *);
/* One training step in the open scope; reports "loss". On failure the update
 * under way has changed no weight and no running statistics; earlier ones of
 * the step, where it makes several, stand (docs/adr/0006). */
HG_API HG_CHECK bool hg_model_step(const hg_model *, void *model,
                                   const hg_batch *, const hg_optimizers *);

/* A training step for each batch of the loader's epoch. */
HG_API HG_CHECK bool hg_model_epoch(const hg_model *, void *model,
                                    const hg_optimizers *, hg_loader *);

/* Ordinary training in one call: builds the model for the data (options at
 * their defaults), makes `epochs` shuffled passes with the recipe's batch size
 * and tells `after`, unless it is NULL, each epoch's mean loss. The trained
 * model, to evaluate and to draw from; its weights in *store. The context owns
 * both. NULL with an error; *store then is NULL too. */
HG_API void *hg_model_fit(hg_context *, const hg_model *, hg_data *,
                          int64_t epochs, hg_params **store,
                          void (*after)(void *user, int64_t epoch, double loss),
                          void *user);

/* Means per image over a data set, evaluation mode. What does not apply is
 * NaN. Reconstructions are made from the code's mean, the ELBO's from draws;
 * a Gaussian decoder has variance 1/2, and its constant is left out. */
typedef struct {
    double loss;      /* the recipe's own */
    double recon_mse; /* mean over pixels */
    double recon_sse; /* sum over pixels */
    double recon_bce; /* nats */
    double kl, elbo;  /* nats */
    int64_t images;
} hg_metrics;
HG_API HG_CHECK bool hg_model_evaluate(const hg_model *, void *model, hg_data *,
                                       int64_t batch_size, hg_metrics *);
/* The same with an objective's decoder variance, in `loss` and `elbo`; NULL:
 * without. */
HG_API HG_CHECK bool hg_model_evaluate_with(const hg_model *, void *model,
                                            hg_data *, int64_t batch_size,
                                            hg_objective *, hg_metrics *);

/* Do codes look like draws from the prior? Statistics of Kolmogorov and Smirnov
 * on n of each, both [n, d], one a dimension: 0 equal, 1 apart. */
typedef struct {
    double mean, worst; /* over the dimensions */
    double line;        /* in one dimension two sets of draws lie above it
                           once in a hundred */
    int64_t within;     /* dimensions below it */
} hg_match;
HG_API HG_CHECK bool hg_prior_match(hg_context *, const double *codes,
                                    const double *draws, int64_t n, int64_t d,
                                    hg_match *);

HG_END_DECLS

#endif
