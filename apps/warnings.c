/* warnings.c - warnings that teach: what looks wrong in a model after an epoch,
 * what it means and what to try.
 *
 * RUN/warnings.jsonl has a line when a warning appears, changes or goes away;
 * the last line of a kind is how things stand. */
#include "apps/page.h"
#include "apps/train.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 500, LISTED = 240 };

/* ---- Saying it once ----------------------------------------------------- */

/* The text that stands under a kind; NULL if there is none. Borrowed from
 * `lines`. */
static const char *standing(const json_t *lines, const char *kind)
{
    size_t i;
    const json_t *line;
    const char *text = NULL;
    json_array_foreach(lines, i, line)
    {
        const char *other = json_string_value(json_object_get(line, "kind"));
        if (other && !strcmp(other, kind))
            text = json_string_value(json_object_get(line, "text"));
    }
    return text;
}

/* NULL: all is well. */
static bool set_warning(trainer *t, const char *kind, const char *text,
                        const char *meaning)
{
    json_t *lines = run_lines(t->folder, log_names[WARNINGS]);
    const char *before = standing(lines, kind);
    bool same = text ? before && !strcmp(before, text) : !before;
    bool appears = !before;
    json_decref(lines);
    if (same)
        return true;
    json_t *line =
        json_pack("{s:s, s:I}", "kind", kind, "epoch", (json_int_t)t->epoch);
    if (text) {
        json_object_set_new(line, "text", json_string(text));
        json_object_set_new(line, "meaning", json_string(meaning));
    }
    if (text && appears)
        log_line(t, "warning: %s. %s", text, meaning);
    return log_json(t, WARNINGS, line);
}

/* ---- Codes -------------------------------------------------------------- */

static bool batch_to_look_at(const trainer *t, hg_batch *b)
{
    int64_t n = hg_data_size(t->w.train);
    return hg_data_batch_from(t->w.train, 0, n < LOOKED_AT ? n : LOOKED_AT, b);
}

/* Nats that each dimension of the code carries, or the variance of what an
 * encoder without a distribution makes: [latent]. */
static hg_tensor *use_of_codes(const trainer *t, hg_tensor *x)
{
    const hg_model *m = t->s.model;
    if (m->posterior) {
        hg_tensor *std = NULL, *mu = m->posterior(t->w.state, x, &std);
        return hg_mean(hg_normal_kl(mu, std), HG_OVER(0));
    }
    hg_tensor *code = hg_model_encode(m, t->w.state, x);
    hg_tensor *centred = hg_sub(code, hg_mean(code, HG_KEEP(0)));
    return hg_mean(hg_square(centred), HG_OVER(0));
}

static bool look_at_codes(trainer *t, hg_tensor *x)
{
    const hg_model *m = t->s.model;
    if (!hg_model_has_code(m))
        return true;
    hg_tensor *use = use_of_codes(t, x);
    int64_t n = use ? hg_numel(use) : 0, idle = 0;
    hg_real *values = malloc((size_t)n * sizeof *values + 1);
    bool ok = use && values && hg_read(use, values, n);
    for (int64_t i = 0; ok && i < n; i++)
        idle += (double)values[i] < (m->posterior ? 0.01 : 1e-8);
    free(values);
    char text[128];
    const char *one = m->posterior ? "carries less than 0.01 nats"
                                   : "is the same for every image";
    const char *many = m->posterior ? "carry less than 0.01 nats"
                                    : "are the same for every image";
    snprintf(text, sizeof text, "%lld of %lld dimensions of the code %s",
             (long long)idle, (long long)n, idle == 1 ? one : many);
    return ok &&
           set_warning(
               t, "collapsed", idle ? text : NULL,
               m->posterior
                   ? "Such a one has collapsed onto the prior: the decoder "
                     "does "
                     "without it. A few are normal where the code is wider "
                     "than "
                     "the data need; if reconstructions are poor, try "
                     "--kl-warmup, --free-bits 0.1 or a smaller --beta"
                   : "The decoder does without them: the code is wider than "
                     "needed, or its units have died; try a smaller --latent "
                     "or a smaller --lr");
}

/* ---- Units -------------------------------------------------------------- */

typedef struct {
    int64_t units, dead;
    char worst[64];
    double share; /* of the worst layer */
    const hg_tensor *seen[64];
    int count;
} unit_count;

/* Of the output of a ReLU, [n, units] or [n, units, h, w]: those that are zero
 * for every image and place. */
static bool count_dead(unit_count *c, const hg_tensor *z)
{
    int64_t n = z->shape.dim[0], units = z->shape.dim[1], dead = 0;
    int64_t size = hg_numel(z), inner = size / (n * units);
    hg_real *values = malloc((size_t)size * sizeof *values + 1);
    bool ok = values && hg_read(z, values, size);
    for (int64_t u = 0; ok && u < units; u++) {
        bool fires = false;
        for (int64_t i = 0; i < n && !fires; i++)
            for (int64_t k = 0; k < inner; k++)
                fires |= values[(i * units + u) * inner + k] > 0;
        dead += !fires;
    }
    free(values);
    c->units += units;
    c->dead += dead;
    if ((double)dead / (double)units > c->share) {
        c->share = (double)dead / (double)units;
        snprintf(c->worst, sizeof c->worst, "%s", z->name ? z->name : "");
    }
    return ok;
}

/* Walks back from a tensor over all that it was made from. */
static bool walk(unit_count *c, const hg_tensor *z)
{
    if (!z || !z->op)
        return true;
    for (int i = 0; i < c->count; i++)
        if (c->seen[i] == z)
            return true;
    bool relu = !strcmp(z->op->name, "relu") && z->shape.rank > 1 &&
                hg_is_contiguous(z);
    if (relu && c->count < 64) {
        c->seen[c->count++] = z;
        if (!count_dead(c, z))
            return false;
    }
    for (int i = 0; i < z->arity; i++)
        if (!walk(c, z->in[i]))
            return false;
    return true;
}

static bool look_at_units(trainer *t, hg_tensor *x)
{
    const hg_model *m = t->s.model;
    unit_count c = {0};
    char text[192];
    if (!hg_model_reconstructs(m))
        return true;
    hg_mode was = hg_set_mode(HG_RECORD); /* keeps what a step would keep */
    hg_tensor *y = m->decode(t->w.state, hg_model_encode(m, t->w.state, x));
    hg_set_mode(was);
    if (!y || !walk(&c, y))
        return false;
    snprintf(text, sizeof text,
             "%lld of %lld ReLU units never fire, most of them in %s",
             (long long)c.dead, (long long)c.units, c.worst);
    return set_warning(
        t, "dead-units", 4 * c.dead > c.units ? text : NULL,
        "A unit that is zero for every image gets no gradient and stays so. A "
        "smaller --lr, --lr-warmup or a leaky ReLU keeps units alive");
}

/* ---- The discriminator -------------------------------------------------- */

static bool look_at_players(trainer *t)
{
    char text[160];
    double real = term_mean(t, "d_real"), fake = term_mean(t, "d_fake");
    if (!isfinite(real) || !isfinite(fake))
        return true;
    bool chance = fabs(real - 0.5) < 0.05 && fabs(fake - 0.5) < 0.05;
    bool saturated = real > 0.98 && fake < 0.02;
    snprintf(text, sizeof text,
             "the discriminator gives real ones %.3f and made ones %.3f", real,
             fake);
    return set_warning(
               t, "discriminator-chance", chance ? text : NULL,
               "It guesses: early on it has learnt nothing (give it a larger "
               "rate), late it is what a perfect generator leaves it; look at "
               "the codes beside the prior") &&
           set_warning(
               t, "discriminator-saturated", saturated ? text : NULL,
               "It tells them apart without fail, so that the generator hardly "
               "gets a gradient: lower its rate, or widen the prior");
}

/* ---- Parameters --------------------------------------------------------- */

/* FNV-1a over the values, 32 bits at a time; 0 with an error. */
static uint64_t hash_of(const hg_tensor *p)
{
    int64_t n = hg_numel(p);
    uint64_t h = 0xCBF29CE484222325u;
    hg_real *values = malloc((size_t)n * sizeof *values + 1);
    bool ok = values && hg_read(p, values, n);
    for (size_t i = 0; ok && i < (size_t)n * sizeof *values; i += 4) {
        uint32_t word;
        memcpy(&word, (const char *)values + i, sizeof word);
        h = (h ^ word) * 0x100000001B3u;
    }
    free(values);
    return ok ? h : 0;
}

bool remember_parameters(trainer *t)
{
    int64_t count = 0;
    while (hg_params_entry(t->w.params, count))
        count++;
    t->beginning =
        hg_params_alloc(t->w.params, (size_t)(count + 1) * sizeof(uint64_t));
    for (int64_t i = 0; t->beginning && i < count; i++)
        if (!hg_is_buffer(hg_params_entry(t->w.params, i)))
            t->beginning[i] = hash_of(hg_params_entry(t->w.params, i));
    return t->beginning && !hg_error();
}

static bool look_at_parameters(trainer *t)
{
    char names[LISTED] = "", text[LISTED + 64];
    const hg_tensor *p;
    int count = 0;
    for (int64_t i = 0; (p = hg_params_entry(t->w.params, i)); i++) {
        if (hg_is_buffer(p) || !p->wants_grad || hash_of(p) != t->beginning[i])
            continue;
        size_t at = strlen(names);
        if (count++ < 6)
            snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "",
                     p->name);
    }
    snprintf(text, sizeof text, "%d parameter%s not moved: %s%s", count,
             count == 1 ? " has" : "s have", names, count > 6 ? ", ..." : "");
    return set_warning(t, "still", count ? text : NULL,
                       "Not one of their values has changed since the start: "
                       "the loss does not reach them, no optimiser has them, "
                       "or their gradient is zero throughout");
}

/* ---- All of it ---------------------------------------------------------- */

static bool look(trainer *t, void *nothing)
{
    hg_batch b;
    (void)nothing;
    if (!batch_to_look_at(t, &b))
        return false;
    hg_tensor *x = hg_model_input(t->s.model, t->w.state, &b);
    return look_at_codes(t, x) && look_at_units(t, x);
}

/* Not before there was time to learn. */
bool warn_after_epoch(trainer *t)
{
    if (t->epoch < 2 && t->step < 500)
        return true;
    return in_fixed_scope(t, look, NULL) && look_at_players(t) &&
           look_at_parameters(t);
}

static bool look_at_range(trainer *t, void *nothing)
{
    hg_batch b;
    (void)nothing;
    if (!batch_to_look_at(t, &b))
        return false;
    double low = (double)hg_item(hg_min(b.target, HG_ALL));
    double high = (double)hg_item(hg_max(b.target, HG_ALL));
    bool bernoulli = t->s.model->likelihood == HG_LIKELIHOOD_BERNOULLI;
    bool outside = low < 0 || high > 1;
    char text[160];
    if (bernoulli && outside)
        return hg_fail(HG_ERROR_DATA,
                       "the values of %s go from %g to %g, and the likelihood "
                       "of %s is Bernoulli, for values from 0 to 1; say what "
                       "they mean with --range %g:%g",
                       hg_data_name(t->w.all), low, high, t->s.model->name, low,
                       high);
    snprintf(text, sizeof text, "values of the data go from %g to %g", low,
             high);
    return set_warning(
        t, "range",
        t->s.model->decode && (outside || high - low < 0.05) ? text : NULL,
        outside ? "Decoders of the zoo make values from 0 to 1 and cannot "
                  "reach the others: map them with --range LOW:HIGH"
                : "They hardly differ, as if they had been scaled twice: map "
                  "them with --range LOW:HIGH");
}

bool warn_at_start(trainer *t)
{
    return in_fixed_scope(t, look_at_range, NULL);
}
