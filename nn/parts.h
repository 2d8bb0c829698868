/* parts.h - parts that several models share: nets, posteriors, losses, priors.
 *
 * A model stays one file that can be read from top to bottom; what two of them
 * would write alike is here, as functions and not as a class to inherit from:
 *
 *     nn_layer *encoder = nn_mlp(p, "encoder", nn_relu, 784, 400, 2 * 20);
 *     hg_tensor *std, *mu;                              // [batch, 20]
 *     mu = nn_normal_head(nn_forward(encoder, x), nn_std_of_log_var, &std);
 */
#ifndef HG_PARTS_H
#define HG_PARTS_H

#include "nn/nn.h"

HG_BEGIN_DECLS

/* ---- Nets: nets.c ------------------------------------------------------- */

/* Linear layers NAME.0, NAME.2, NAME.4, ... of these widths, and between them
 * the layer that `activation` makes (nn_relu, nn_tanh, ...); none after the
 * last. */
HG_API nn_layer *nn_mlp_n(hg_params *, const char *name,
                          nn_layer *(*activation)(hg_params *),
                          const int64_t *widths, int n);
#define nn_mlp(p, name, activation, ...)                                       \
    nn_mlp_n(p, name, activation, HG_ARRAY(int64_t, __VA_ARGS__),              \
             HG_COUNT(int64_t, __VA_ARGS__))

/* The way back of a linear layer in -> out: x [..., out] -> [..., in]. Tied,
 * it multiplies with that layer's own weight and has but a bias of its own;
 * else the options are those of nn_linear_with. */
HG_API nn_layer *nn_linear_mirror(hg_params *, const char *name,
                                  nn_layer *linear, bool tied);
HG_API nn_layer *nn_linear_mirror_with(hg_params *, const char *name,
                                       nn_layer *linear, bool tied,
                                       nn_linear_options);

/* Both ways at once: "encoder.0", "encoder.2", ... of these widths and
 * "decoder.0", ... back, with the activation between them; tied or not. */
HG_API void nn_mirrored_mlp_n(hg_params *, nn_layer *(*activation)(hg_params *),
                              bool tied, nn_linear_options, nn_layer **encoder,
                              nn_layer **decoder, const int64_t *widths, int n);
#define nn_mirrored_mlp(p, activation, tied, options, encoder, decoder, ...)   \
    nn_mirrored_mlp_n(p, activation, tied, options, encoder, decoder,          \
                      HG_ARRAY(int64_t, __VA_ARGS__),                          \
                      HG_COUNT(int64_t, __VA_ARGS__))

/* Images [batch, c * h * w] of the shape [c, h, w] to 128 features, and back
 * from [batch, latent]: 3x3 convolutions of stride 2 until the longer side is
 * at most 4, with `width` channels after the first and twice as many after each
 * further one, batch norm, ReLU; 28 -> 14 -> 7 -> 3. Odd sides lose a row,
 * which the way back has again; it ends with a sigmoid. */
HG_API nn_layer *nn_halving_convs(hg_params *, hg_shape image, int64_t width);
HG_API nn_layer *nn_doubling_convs(hg_params *, int64_t latent, hg_shape image,
                                   int64_t width);
/* Square images [batch, c * side * side] to `latent` numbers and back, to
 * logits: 5x5 convolutions, each side halved by the second of two until at
 * most 7 is left, which one window sees whole; `width` channels at the image's
 * own size, twice as many below; leaky ReLU (TensorFlow Probability's example).
 */
HG_API nn_layer *nn_wide_convs(hg_params *, hg_shape image, int64_t width,
                               int64_t latent);
HG_API nn_layer *nn_wide_deconvs(hg_params *, hg_shape image, int64_t width,
                                 int64_t latent);
/* 28 x 28 pixels to 16 features and back, through 14 and 7: two 3x3
 * convolutions of stride 2 with 32 and 64 channels, ReLU (the nets of Keras'
 * examples). The way back ends with logits. */
HG_API nn_layer *nn_two_convs(hg_params *, int64_t features);
HG_API nn_layer *nn_two_deconvs(hg_params *, int64_t latent);
/* Two hidden layers of one width, each linear, dropout, ReLU (in this order);
 * layers are "0", "3", "6". Without `second_relu` the second is linear. */
HG_API nn_layer *nn_dropout_mlp(hg_params *, int64_t in, int64_t hidden,
                                int64_t out, double drop, bool second_relu);

/* ---- Chains in the making: pyramid.c ------------------------------------ */

/* For nets whose depth is known at run time only: layers are numbered as
 * torch.nn.Sequential does. Fill in `params`, leave the rest 0. */
enum { NN_STACK_MOST = 128 };
typedef struct {
    hg_params *params;
    nn_layer *layers[NN_STACK_MOST];
    int count, numbered;
    char name[8];
} nn_stack;
/* The number that the next layer will have, as text. */
HG_API const char *nn_stack_name(nn_stack *);
HG_API void nn_stack_add(nn_stack *, nn_layer *);
/* Without a number: what torch.nn.Sequential would not have. */
HG_API void nn_stack_add_unnamed(nn_stack *, nn_layer *);
HG_API nn_layer *nn_stack_chain(nn_stack *);

/* ---- Normal posteriors: normal.c ---------------------------------------- */

/* From a head [batch, 2 latent]: the means, and through `std` the standard
 * deviations that `scale` makes of the other half; both [batch, latent]. */
HG_API hg_tensor *nn_normal_head(hg_tensor *head,
                                 hg_tensor *(*scale)(hg_tensor *),
                                 hg_tensor **std);
/* exp(x / 2), and softplus(x + 0.5413), which is 1 at 0. */
HG_API hg_tensor *nn_std_of_log_var(hg_tensor *x);
HG_API hg_tensor *nn_std_from_one(hg_tensor *x);
/* log N(z; 0, I), nats: [n] of z [n, ...]. */
HG_API hg_tensor *nn_unit_normal_logpdf(hg_tensor *z);
/* All rows again and again, for so many draws of each: [n, ...] to [times * n,
 * ...]. */
HG_API hg_tensor *nn_repeat(hg_tensor *t, int64_t times);

/* ---- What keeps a wide code from copying: penalties.c ------------------- */

/* h [batch, width], zero but for the k largest of each row. */
HG_API hg_tensor *nn_keep_largest(hg_tensor *h, int64_t k);
/* KL of Bernoulli variables, summed over units: how far the mean activity of
 * each in the batch is from rho, which lies in (0, 1). h [batch, width] in [0,
 * 1]; a scalar. */
HG_API hg_tensor *nn_activity_kl(hg_tensor *h, double rho);
/* Squared Frobenius norm of dh/dx, [batch], of h [batch, width] that was made
 * from x on the tape: row by row, which can be differentiated again, or as
 * |v'J|^2 of one normal v an image, whose mean it is (Hutchinson, 1989). */
HG_API hg_tensor *nn_jacobian_norm(hg_tensor *h, hg_tensor *x);
HG_API hg_tensor *nn_jacobian_norm_sampled(hg_tensor *h, hg_tensor *x);

/* ---- A learned mixture as prior: mixture.c ------------------------------ */

/* k normal components of width d: parameters "logits" [k], "mu" [k, d], "raw"
 * [k, d], of which `scale` makes standard deviations, and for full covariances
 * "below" [k, d, d], how each coordinate leans on those before it: only what is
 * below the diagonals counts, and 0 is a diagonal covariance. */
typedef struct {
    int64_t components, width;
    bool full; /* covariances; else diagonal */
    hg_tensor *(*scale)(hg_tensor *);
    hg_init mu;
} nn_mixture_options;
typedef struct {
    hg_tensor *logits, *mu, *raw, *below; /* `below` is NULL: diagonal */
    hg_tensor *(*scale)(hg_tensor *);
    int64_t k, d;
} nn_mixture;
HG_API void nn_mixture_new(nn_mixture *, hg_params *, nn_mixture_options);
/* log p(c) + log p(z|c), [n, k], and log p(z), [n], nats, of z [n, d]. */
HG_API hg_tensor *nn_mixture_joint(const nn_mixture *, hg_tensor *z);
HG_API hg_tensor *nn_mixture_logpdf(const nn_mixture *, hg_tensor *z);
/* KL(N(mu, std^2) || p(z|c)), [n, k], of mu and std [n, d]. */
HG_API hg_tensor *nn_mixture_kl(const nn_mixture *, hg_tensor *mu,
                                hg_tensor *std);
/* n draws, [n, d]; two random operations. */
HG_API hg_tensor *nn_mixture_draw(const nn_mixture *, int64_t n);
/* Inverses of lower triangles [k, d, d] with ones on their diagonals. */
HG_API hg_tensor *nn_unit_inverse(hg_tensor *triangles, int64_t d);

/* ---- The adversarial game: adversarial.c -------------------------------- */

/* Goodfellow et al., 2014, on logits; means over all elements. The critic,
 * which they call discriminator, tells real from fake; the generator, in the
 * form that does not saturate, makes fakes that pass for real. */
HG_API hg_tensor *nn_critic_loss(hg_tensor *real, hg_tensor *fake);
HG_API hg_tensor *nn_generator_loss(hg_tensor *fake);

/* ---- Pairs that share a class: pairs.c ----------------------------------- */

/* From logits [batch, classes] of the two of each pair, with softmaxes p and q,
 *   -mean log sum_c p_c q_c - balance * entropy of the mean of p and q
 * (Van Gansbeke et al., 2020): the two are of one class, and all classes are
 * used. A scalar. */
HG_API hg_tensor *nn_pair_loss(hg_tensor *one, hg_tensor *other,
                               double balance);

/* ---- A style and a class: styled.c -------------------------------------- */

/* An encoder of two hidden layers with two heads, whose code is a style
 * [batch, style] and behind it a softmax [batch, classes]; a decoder, and a
 * critic for each part (Makhzani et al., 2015). */
typedef struct {
    nn_layer *trunk, *style, *label, *decoder, *style_critic, *label_critic;
    int64_t style_width, classes;
    double game_rate; /* for its optimisers */
} nn_styled;
typedef struct {
    int64_t inputs, hidden, style, classes, critic;
    double drop, game_rate;
} nn_styled_options;
HG_API void nn_styled_new(nn_styled *, hg_params *, nn_styled_options);
/* The code [batch, style + classes] and the class's logits [batch, classes]. */
HG_API hg_tensor *nn_styled_encode(const nn_styled *, hg_tensor *x);
HG_API hg_tensor *nn_styled_classify(const nn_styled *, hg_tensor *x);
/* Cross-entropy of the reconstruction, [batch, inputs]. */
HG_API hg_tensor *nn_styled_bce(const nn_styled *, hg_tensor *x,
                                hg_tensor *target);
/* Three updates, each with its optimisers: decoder and encoder reconstruct, the
 * critics tell N(0, I) and one-hot draws from codes, the encoder makes codes
 * that pass for draws. Reports "loss", "critic" and "generator". */
enum { NN_DECODER, NN_ENCODER, NN_CRITICS, NN_GENERATOR };
HG_API HG_CHECK bool nn_styled_step(const nn_styled *, hg_tensor *x,
                                    hg_tensor *target,
                                    hg_optimizer *const optimizers[4]);

/* ---- Priors that can be sampled: prior.c -------------------------------- */

/* n points of width d of the prior of that name, one statement, one or two
 * random operations:
 *   normal      N(0, spread^2 I)
 *   uniform     in [-spread, spread)^d
 *   mixture     ten normals on a circle of radius `spread` in each plane of
 *               two dimensions, long outwards, thin across (Makhzani et al.,
 *               2015, figure 4)
 *   swiss-roll  a spiral of radius up to `spread` in each plane */
HG_API hg_tensor *nn_prior_draw(const char *name, int64_t n, int64_t d,
                                double spread);
/* NULL-ended: the names that nn_prior_draw knows. */
HG_API extern const char *const nn_prior_names[];

HG_END_DECLS

#endif
