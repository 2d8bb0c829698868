/* run.h - a training run: what it was asked for, and its folder. */
#ifndef HG_RUN_H
#define HG_RUN_H

#include "apps/app.h"

/* What the trainer can do with any model, one field a row of training.def; 0
 * where nothing was asked for. */
typedef struct {
#define HEADING(about)
#define TEXT(name, argument, about)
#define TRAINING(field, name, argument, whole, fallback, about) double field;
#include "apps/training.def"
#undef TRAINING
#undef TEXT
#undef HEADING
} training;

/* What decides the result; saved as config.json, refused on --resume if it
 * differs. The second half only says what is written down. */
typedef struct {
    const hg_model *model;
    const char *data, *data_dir;
    hg_data_options how; /* the data are opened; data_dir apart */
    uint64_t seed;
    int64_t batch_size, epochs, steps;
    bool own_batch, own_length; /* said by the user or the publication */
    double validation;
    int threads;
    const char *device, *precision; /* "fp32", ...; NULL: the default */
    training training;
    const char *decoder_std; /* NULL: the recipe's */

    int64_t save_every, sample_every, log_every, keep;
    const char *out;
    char name[256];
    bool unnamed; /* the name is made up, and may get a number */
    bool resume, dry_run, anomaly, tensorboard, quiet, explain, json;
} settings;

/* A model with its data, ready to train or to be looked at. */
typedef struct {
    hg_context *context;
    hg_data *all, *train, *val, *test;
    hg_params *params;
    hg_config *config;
    void *state;
    hg_optimizers optimizers;
    hg_objective objective; /* the decoder's spread */
} workbench;

/* Opens data, builds the model and its optimisers; options are name, value
 * pairs ended by NULL. */
bool workbench_open(workbench *, const settings *,
                    const char *const *model_options);
void workbench_close(workbench *);
/* Of --precision, or NULL for none; false with a sentence where the device does
 * not have it. */
bool set_precision(hg_context *, const char *name);
/* `auto` prefers MNIST where it is found. */
hg_data *open_data(hg_context *, const char *name, const char *data_dir,
                   hg_data_options);

/* How the loss is measured: the decoder's spread, or NULL as the recipe has it.
 */
hg_objective *measured_by(workbench *);

/* Fields of training.def to JSON and back. */
json_t *training_json(const training *);
void training_of(const json_t *, training *);

/* RUN/config.json; NULL with an error. */
json_t *settings_json(const settings *, const workbench *);
/* Settings and workbench of a finished run; `options` receives the model's
 * options for workbench_open. The run's JSON must outlive them. */
json_t *run_config(const char *run);
bool settings_of(const char *run, const json_t *config, settings *,
                 const char **options, int most);
/* The run a user means, without a slash behind it: a path, or NULL for the
 * newest below `out`; with `trained` the newest that has weights. */
bool find_run(const char *given, const char *out, bool trained, char *path,
              size_t size);
/* The file with the final weights, or with those of the last checkpoint; empty
 * where there is neither. */
path_text run_weights(const char *run, bool *final);

/* The test set where there is one, else what was trained on. */
hg_data *shown_data(const workbench *);
/* Puts how far the marginals of codes are from the prior's into a report;
 * nothing without a prior. */
bool put_match(json_t *report, const workbench *, const hg_model *, hg_data *);

/* Metrics as JSON, NaN left out. */
json_t *metrics_json(const hg_metrics *);

#endif
