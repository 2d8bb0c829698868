/* settings.c - the options of `hourglass train` and what they mean. */
#include "apps/data_flags.h"
#include "apps/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* ---- The table ---------------------------------------------------------- */

#define HEADING(about)              {"", NULL, about, NULL, NULL, 0},
#define TEXT(name, argument, about) {name, argument, about, NULL, NULL, 0},
#define TRAINING(field, name, argument, whole, fallback, about)                \
    {name, argument, about, fallback, NULL, 0},

const flag train_flags[] = {
    {"", NULL, "data", NULL, NULL, 0},
    {"data", "NAME|PATH",
     "a named set (hourglass data list), synthetic[:N], a path, or auto",
     "auto", NULL, 0},
    {"dataset", "NAME|PATH", "", NULL, "data", 0},
    {"data-dir", "DIR", "where named data sets lie", NULL, NULL, 0},
    DATA_FLAGS,
    {"val", "FRACTION", "part of train kept for validation", "0.1", NULL, 0},
    {"", NULL, "how long, and on what", NULL, NULL, 0},
    {"epochs", "N", "passes over the training data [the recipe's]", NULL, NULL,
     0},
    {"steps", "N", "stop after so many steps (0: no limit)", "0", NULL, 0},
    {"batch-size", "N", "images a step [the recipe's]", NULL, NULL, 'b'},
    {"seed", "N", "of all random numbers; random: draw one and say it", "1",
     NULL, 0},
    DEVICE_FLAGS("auto", "fp32"),
    {"", NULL, "the run it leaves behind", NULL, NULL, 0},
    {"out", "DIR", "where runs lie", "runs", NULL, 'o'},
    {"name", "NAME", "of the run's folder", NULL, NULL, 0},
    {"resume", NULL, "continue at the last checkpoint", NULL, NULL, 0},
    {"overwrite", NULL, "replace a run of this name", NULL, NULL, 0},
    {"save-every", "STEPS", "checkpoints besides each epoch's", "0", NULL, 0},
    {"keep", "N", "checkpoints kept besides the best (0: all)", "1", NULL, 0},
    {"sample-every", "EPOCHS", "pictures every so many epochs", "1", NULL, 0},
    {"log-every", "STEPS", "lines of metrics besides each epoch's", "0", NULL,
     0},
    {"tensorboard", NULL, "write event files too", NULL, NULL, 0},
    {"explain", NULL, "say which steps a GPU replayed, and why not others",
     NULL, NULL, 0},
    {"json", NULL, "the test's metrics as JSON on standard output", NULL, NULL,
     0},
    {"quiet", NULL, "print nothing but errors", NULL, NULL, 'q'},
#include "apps/training.def"
    {"learning-rate", "RATE", "", NULL, "lr", 0},
    {"dry-run", NULL, "one step, evaluation, checkpoint; keep nothing", NULL,
     NULL, 0},
    {"anomaly", NULL, "stop at the operation that makes the first NaN", NULL,
     NULL, 0},
    {"print-config", NULL, "print the merged settings and stop", NULL, NULL, 0},
    {0},
};

#undef TRAINING
#undef TEXT
#undef HEADING

/* ---- Settings of the trainer: one row, one field ------------------------ */

typedef struct {
    const char *name, *key;
    size_t offset;
    bool is_switch, whole;
} field;

static const field fields[] = {
#define HEADING(about)
#define TEXT(name, argument, about)
#define TRAINING(member, name, argument, whole, fallback, about)               \
    {name, #member, offsetof(training, member), !(argument), whole},
#include "apps/training.def"
#undef TRAINING
#undef TEXT
#undef HEADING
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static double *at(const training *how, const field *f)
{
    return (double *)(uintptr_t)((const char *)how + f->offset);
}

static void read_training(const arguments *a, training *how, int *code)
{
    for (int i = 0; i < FIELDS; i++) {
        const field *f = &fields[i];
        if (f->is_switch)
            *at(how, f) = flag_given(a, f->name);
        else
            *at(how, f) = f->whole ? (double)flag_count(a, f->name, 0, code)
                                   : flag_number(a, f->name, 0, code);
    }
}

json_t *training_json(const training *how)
{
    json_t *object = json_object();
    for (int i = 0; i < FIELDS; i++) {
        double x = *at(how, &fields[i]);
        json_object_set_new(object, fields[i].key,
                            fields[i].is_switch ? json_boolean(x != 0)
                            : fields[i].whole   ? json_integer((json_int_t)x)
                                                : json_real(x));
    }
    return object;
}

void training_of(const json_t *object, training *how)
{
    memset(how, 0, sizeof *how);
    for (int i = 0; i < FIELDS; i++) {
        const json_t *x = json_object_get(object, fields[i].key);
        *at(how, &fields[i]) = json_is_true(x) ? 1 : json_number_value(x);
    }
}

/* ---- What the options mean ---------------------------------------------- */

void make_up_name(settings *s, const char *data)
{
    char when[32], last[64];
    time_t now = time(NULL);
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime(&now));
    size_t n = strlen(data);
    while (n > 1 && data[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && data[from - 1] != '/')
        from--;
    snprintf(last, sizeof last, "%.*s", (int)(n - from), data + from);
    for (char *c = last; *c; c++)
        if (*c == ':')
            *c = '-';
    snprintf(s->name, sizeof s->name, "%s-%s-%s", s->model->name, last, when);
    s->unnamed = true;
}

/* It becomes that of a folder. */
static void read_name(const char *name, settings *s, int *code)
{
    size_t most = sizeof s->name - 1;
    if (!*code && (name[0] == '.' || strchr(name, '/')))
        *code = fail_with(EXIT_USAGE,
                          "--name %s: a name is needed, without slashes and a "
                          "dot before it; folders go into --out",
                          name);
    else if (!*code && strlen(name) > most)
        *code = fail_with(EXIT_USAGE,
                          "--name %s: %zu bytes are too many, a folder's name "
                          "has at most %zu",
                          name, strlen(name), most);
    else if (!*code && !can_be_json("--name", name))
        *code = report_error();
    snprintf(s->name, sizeof s->name, "%s", name);
}

static uint64_t read_seed(const arguments *a, int *code)
{
    uint32_t drawn = 1;
    if (strcmp(flag_text(a, "seed"), "random"))
        return (uint64_t)flag_int(a, "seed", 0, code);
    if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
        *code = fail_with(EXIT_FAILED, "--seed random: the system gave none");
    return drawn;
}

static int check_training(const settings *s)
{
    const training *how = &s->training;
    bool val = s->validation > 0 && !how->overfit_batch;
    char *end;
    if (s->validation >= 1)
        return fail_with(EXIT_USAGE, "--val %g: must be below 1",
                         s->validation);
    if (how->patience > 0 && !val)
        return fail_with(EXIT_USAGE, "--patience looks at validation images, "
                                     "and there are none; give --val");
    if (how->lr_final > 0 && how->plateau > 0)
        return fail_with(EXIT_USAGE, "--lr-final and --plateau are two ways "
                                     "for rates to fall; give one of them");
    if (how->lr_final > 1)
        return fail_with(EXIT_USAGE,
                         "--lr-final %g: a share of the rate, at most 1",
                         how->lr_final);
    if (how->ema >= 1)
        return fail_with(EXIT_USAGE, "--ema %g: must be below 1", how->ema);
    if (how->accumulate < 1)
        return fail_with(EXIT_USAGE, "--accumulate 0: at least 1 is needed");
    if (!s->decoder_std || !strcmp(s->decoder_std, "learned") ||
        !strcmp(s->decoder_std, "optimal"))
        return 0;
    double std = strtod(s->decoder_std, &end);
    if (*end || !(std > 0) || !isfinite(std))
        return fail_with(EXIT_USAGE,
                         "--decoder-std %s: a number above 0, "
                         "learned or optimal is needed",
                         s->decoder_std);
    return 0;
}

static void read_sizes(const arguments *a, settings *s, int *code)
{
    s->epochs = s->model->epochs ? s->model->epochs : 10;
    if (flag_given(a, "epochs"))
        s->epochs = flag_count(a, "epochs", 1, code);
    s->batch_size = s->model->batch_size ? s->model->batch_size : 128;
    if (flag_given(a, "batch-size"))
        s->batch_size = flag_count(a, "batch-size", 1, code);
    s->steps = flag_int(a, "steps", 0, code);
    s->own_batch = flag_given(a, "batch-size");
    s->own_length = flag_given(a, "epochs") || s->steps;
    s->seed = read_seed(a, code);
    s->validation = flag_number(a, "val", 0, code);
    s->threads = flag_count(a, "threads", 0, code);
}

/* With --recipe faithful what the publication did, unless told otherwise. */
static void follow_publication(const arguments *a, settings *s)
{
    const hg_published *p = s->model->published;
    bool known = p && (p->epochs || p->steps);
    const char *recipe = known ? option_text(a, "recipe") : NULL;
    if (!recipe || strcmp(recipe, "faithful"))
        return;
    if (!flag_given(a, "epochs") && !flag_given(a, "steps")) {
        s->epochs = p->epochs ? p->epochs : s->epochs;
        s->steps = p->steps;
        s->own_length = true;
    }
    if (!flag_given(a, "val"))
        s->validation = p->validation;
    if (!flag_given(a, "in-order"))
        s->training.in_order = p->in_order;
    if (!flag_given(a, "drop-last"))
        s->training.drop_last = p->drop_last;
}

void read_logging(const arguments *a, settings *s, int *code)
{
    s->save_every = flag_int(a, "save-every", 0, code);
    s->sample_every = flag_int(a, "sample-every", 0, code);
    s->log_every = flag_int(a, "log-every", 0, code);
    s->keep = flag_int(a, "keep", 0, code);
    s->anomaly = flag_given(a, "anomaly");
    s->tensorboard = flag_given(a, "tensorboard");
    s->quiet = flag_given(a, "quiet");
    s->explain = flag_given(a, "explain");
    s->json = flag_given(a, "json");
    s->out = flag_text(a, "out");
}

int read_settings(const arguments *a, settings *s)
{
    int code = 0;
    s->data = flag_text(a, "data");
    s->data_dir = flag_text(a, "data-dir");
    read_data_flags(a, s->data, &s->how, &code);
    s->device = flag_text(a, "device");
    s->precision = flag_text(a, "precision");
    s->decoder_std = flag_text(a, "decoder-std");
    s->resume = flag_given(a, "resume");
    s->dry_run = flag_given(a, "dry-run");
    read_sizes(a, s, &code);
    read_training(a, &s->training, &code);
    follow_publication(a, s);
    read_logging(a, s, &code);
    if (!code)
        code = check_training(s);
    if (s->dry_run) {
        s->own_length = true;
        s->epochs = s->steps = 1;
        s->resume = false;
        snprintf(s->name, sizeof s->name, ".dry-run-%d", (int)getpid());
    } else if (flag_given(a, "name"))
        read_name(flag_text(a, "name"), s, &code);
    else
        make_up_name(s, s->data);
    if (!code &&
        !(can_be_json("--data", s->data) && can_be_json("--out", s->out)))
        code = report_error();
    return code;
}

void suit_small_set(settings *s, int64_t images)
{
    enum { SMALL = 10000, STEPS = 2000, IN_EPOCH = 16, LEAST = 16 };
    int64_t batch = images / IN_EPOCH;
    bool own_data = strchr(s->data, '/') != NULL; /* a path, not a name */
    if (!own_data || images >= SMALL || images < 1)
        return;
    batch = batch < LEAST ? LEAST : batch;
    if (!s->own_batch && batch < s->batch_size)
        s->batch_size = batch;
    int64_t steps = (images + s->batch_size - 1) / s->batch_size;
    if (!s->own_length && s->epochs * steps < STEPS)
        s->epochs = (STEPS + steps - 1) / steps;
}
