/* train.h - the state of a training run, as its parts see it. */
#ifndef HG_TRAIN_H
#define HG_TRAIN_H

#include "apps/explain.h"
#include "apps/run.h"

/* Files that grow while a run goes on; a checkpoint records how long they are,
 * and resuming cuts them back. */
enum { METRICS, LOG, WARNINGS, EVENTS, LOGS };
extern const char *const log_names[LOGS];

typedef struct {
    settings s;
    workbench w;
    const char *const *options; /* of the model: name, value, ..., NULL */
    hg_loader *loader;
    char folder[1024];
    FILE *lock;            /* RUN/lock, held; or NULL */
    FILE *file[LOGS];      /* EVENTS may be NULL */
    int64_t written[LOGS]; /* bytes at the checkpoint resumed from; -1:
                              it had no such file */
    int64_t epoch, step;   /* done so far */
    int64_t saved_step;    /* of the newest checkpoint, -1: none */
    char lost[64];         /* the one that was to be resumed but is gone */
    int64_t epoch_steps, epoch_images;
    int64_t untimed_steps, untimed_images; /* of them, before it went on */
    double epoch_seconds;                  /* of the others */
    double best;       /* least val loss; infinite before the first */
    int64_t waited;    /* epochs since then */
    bool made, fresh;  /* its folder: by this process; or emptied by it */
    bool broke;        /* in a step */
    bool stopped;      /* early */
    bool finished;     /* trained, measured and drawn to the end */
    bool settled;      /* what describes the run is on the disk */
    int notes;         /* of reported terms, not read yet: metrics.c */
    double noted_loss; /* mean of the newest that was; NaN before */
    path_text changed; /* a file of the own model that is not the run's */
    explanation explained;
    json_t *final; /* what --json prints of the end, or NULL */
    /* adjust.c: what changes from step to step */
    hg_schedule rate; /* factor of all rates */
    hg_plateau plateau;
    double base_rate[8];
    hg_params *schedule; /* holds what follows */
    hg_objective objective;
    hg_ema *ema;
    uint64_t *beginning; /* hashes of the parameters at the start */
    int64_t updates; /* of the first optimiser, when the average was moved */
    uint64_t spread_version; /* of the learned spread, at the start */
} trainer;

/* ---- settings.c --------------------------------------------------------- */

extern const flag train_flags[];
/* 0, or an exit code after a message. */
int read_settings(const arguments *, settings *);
/* MODEL-DATA-TIME, of the last part of a path. */
void make_up_name(settings *, const char *data);
/* A few hundred pictures make few steps an epoch: unless the user or the
 * publication say how many, batches leave sixteen steps in an epoch, and epochs
 * make two thousand steps. */
void suit_small_set(settings *, int64_t images);
/* The part of it that only says what is written down. */
void read_logging(const arguments *, settings *, int *code);

/* ---- train.c ------------------------------------------------------------ */

/* Trains as t->s says and closes everything; an exit code. */
int train_and_close(trainer *, int argc, char **argv, bool overwrite);
/* Opens the workbench, the loader and what adjust.c needs. */
bool trainer_open(trainer *);
/* The next batch in an open scope; NULL at the epoch's end. */
hg_scope *next_batch(trainer *, hg_batch *);
/* One step on it, with all that belongs to a step but its logs. */
bool train_step(trainer *, hg_batch *);

/* ---- epochs.c: what happens when one ends ------------------------------- */

/* The steps of the epoch are made, as far as the loader goes. */
bool epoch_ended(const trainer *);
/* Measures, draws, writes, counts and saves it. */
bool finish_epoch(trainer *);
/* Saves the epoch that --steps cut off as it is, then shows it as if it had
 * ended. */
bool show_part(trainer *);
/* Measures the model; a loss that is not finite is an error. */
bool measure(trainer *, hg_data *, hg_metrics *);

/* ---- bundle.c: --anomaly ------------------------------------------------ */

/* After a step that was not finite: writes RUN/nan-step and names it in the
 * pending error. */
void bundle_write(trainer *);
/* Makes that step again; an exit code. */
int replay_bundle(trainer *);

/* ---- folder.c: the run's folder ----------------------------------------- */

/* Makes it, or opens it again; nothing that is written there changes. */
bool open_folder(trainer *, bool overwrite);
/* With an error pending: is it a run that nobody can look at or go on with? A
 * first step that was not finite is none: --replay wants its folder. */
bool was_refused(const trainer *);
/* What is about to train: config.json, environment.json, command.txt, and the
 * files of an own model. */
bool describe_run(trainer *, int argc, char **argv);
/* What describes the run is on the disk, before the first checkpoint is. */
bool settle_folder(trainer *);
/* Takes back what was logged after the checkpoint, or everything. */
bool cut_logs(trainer *);
void close_logs(trainer *);
/* Folders of the run that stayed empty, at its end. */
void drop_empty_folders(const trainer *);

/* ---- source.c: the files of an own model, RUN/model.c and its headers ---- */

/* As they are now, unless the run has them; one that is another one now is
 * remembered in `changed`. Nothing for a model of the zoo or from a .so. */
bool keep_source(trainer *);
/* They are on the disk. */
bool sync_source(trainer *);
/* Removes them, unless they are what is trained now. */
void drop_source(trainer *);

/* ---- lock.c: one process trains a run ----------------------------------- */

/* False with a sentence where another process trains it. */
bool lock_run(trainer *);
void unlock_run(trainer *);

/* ---- metrics.c: what is written while it runs --------------------------- */

/* One line of a file of JSON lines; takes the object. */
bool log_json(trainer *, int file, json_t *object);
/* One line on the terminal and in train.log. */
void log_line(trainer *, const char *format, ...) HG_PRINTF(2, 3);
/* The mean of a reported term over the epoch so far; NaN without one. */
double term_mean(const trainer *, const char *name);
/* After the first step: a sentence where a term has a name of the log's own. */
bool terms_are_named(const trainer *, const hg_batch *);
/* A sentence where a term is not finite. */
bool terms_are_finite(const trainer *);
/* Begins the next epoch's means. */
bool reset_terms(trainer *);
void add_terms(const trainer *, json_t *object);
/* A line of metrics in the midst of an epoch. Nobody waits for a device: it is
 * written when its values have arrived. */
bool log_step(trainer *);
/* Writes the lines that have arrived; with `wait`, all of them. */
bool take_notes(trainer *, bool wait);
/* After a step of an epoch whose first was `started` then; progress.h. */
void show_progress(trainer *, double started);

/* ---- adjust.c ----------------------------------------------------------- */

/* Rates, clipping, rounds and the objective, before anything is loaded. */
bool adjust_open(trainer *);
/* Sets what the next step uses. */
void adjust_before_step(trainer *, hg_batch *);
/* The moving average; and, once, whether the model took what was asked for. */
bool adjust_after_step(trainer *);
/* Plateau and early stopping; the loss is that of val, or train's without. */
void adjust_after_epoch(trainer *, double loss);
/* Starts the moving average at the weights as they are. */
bool begin_average(trainer *);
/* Puts the moving average in the weights' place, and back. */
void swap_average(trainer *);
json_t *adjust_json(const trainer *);
bool adjust_restore(trainer *, const json_t *);

/* ---- checkpoint.c ------------------------------------------------------- */

/* Saves all that the next step depends on, whole or not at all. */
bool checkpoint_save(trainer *, bool best);
/* `best` names the one that was saved last. */
bool checkpoint_is_best(const trainer *);
/* The same into any folder. */
bool checkpoint_write(trainer *, const char *folder);
/* Continues at the last complete checkpoint; false with an error, or true
 * with *found telling whether there was one. */
bool checkpoint_resume(trainer *, bool *found);
bool checkpoint_read(trainer *, const char *folder);

/* ---- tensorboard.c: nothing without --tensorboard ----------------------- */

bool tensorboard_begin(trainer *);
/* The numbers of a line of metrics. */
bool tensorboard_scalars(trainer *, json_t *line);
bool tensorboard_image(trainer *, const char *tag, const char *path);
bool tensorboard_weights(trainer *);

/* ---- warnings.c: warnings that teach ------------------------------------ */

/* The data's range against the model's likelihood. */
bool warn_at_start(trainer *);
/* Collapsed dimensions, dead units, players, parameters that stay. */
bool warn_after_epoch(trainer *);
/* What the last of these compares with; before anything is loaded. */
bool remember_parameters(trainer *);

/* ---- pictures.c --------------------------------------------------------- */

/* Reconstructions and samples of this moment, epoch_NNNN.png. */
bool pictures_of_epoch(trainer *);
/* strips.c: two pictures of this moment. */
bool reconstruction_picture(trainer *, void *path);
bool sample_picture(trainer *, void *path);
/* latent.c: the map of codes, and their marginals beside the prior's. */
bool latent_pictures(trainer *);
/* Loss curves and what latent.c draws. */
bool pictures_at_end(trainer *);
/* latent.c: how the codes of this moment are distributed. */
bool marginals_picture(trainer *, void *path);
/* filters.c: the first layer's weights as images, where they are images. */
bool filters_picture(trainer *, const char *path);
/* Work in an evaluation scope, whose draws are the same each time and change
 * none of the training's. */
bool in_fixed_scope(trainer *, bool (*work)(trainer *, void *), void *argument);

/* The line that a run begins with, or goes on with; and, for --device auto,
 * what was chosen and why. */
void say_start(trainer *, bool found);
void say_device(trainer *);
/* What was measured on the test set, without what does not apply. */
void say_test(trainer *, const hg_metrics *);
/* What --explain and --json ask for. */
void say_end(trainer *);

#endif
