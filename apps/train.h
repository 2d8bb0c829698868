/* train.h - the state of a training run, as its parts see it. */
#ifndef HG_TRAIN_H
#define HG_TRAIN_H

#include "apps/run.h"

enum { MOST_TERMS = 16 };

/* Means in the making over an epoch, by name: what models report. */
typedef struct {
    const char *name[MOST_TERMS];
    double sum[MOST_TERMS];
    int count;
    int64_t images, taken; /* in the epoch; since the terms were last read */
} terms;

typedef struct {
    settings s;
    workbench w;
    hg_loader *loader;
    char folder[1024];
    FILE *metrics, *log;
    int64_t epoch, step; /* done so far */
    double best;         /* least val loss; infinite before the first */
    terms terms;
    double epoch_seconds; /* timing only */
    int64_t epoch_steps;
    int64_t metrics_bytes, log_bytes; /* at the checkpoint resumed from */
} trainer;

/* ---- settings.c --------------------------------------------------------- */

extern const flag train_flags[];
/* 0, or an exit code after a message. */
int read_settings(const arguments *, settings *);

/* ---- metrics.c: what is written while it runs --------------------------- */

/* One line of metrics.jsonl; takes the object. */
bool log_metrics(trainer *, json_t *object);
/* One line on the terminal and in train.log. */
void log_line(trainer *, const char *format, ...) HG_PRINTF(2, 3);
/* Folds what was reported since the last call into the epoch's means. */
bool collect_terms(trainer *);
void reset_terms(trainer *);
double term_mean(const trainer *, const char *name);
void add_terms(const trainer *, json_t *object);
/* Redraws at most ten times a second, on a terminal only. */
void show_progress(trainer *, int64_t batch, int64_t batches, double started);
void clear_progress(void);

/* ---- checkpoint.c ------------------------------------------------------- */

/* Saves all that the next step depends on, whole or not at all. */
bool checkpoint_save(trainer *, bool best);
/* Continues at the last complete checkpoint; false with an error, or true
 * with *found telling whether there was one. */
bool checkpoint_resume(trainer *, bool *found);
/* Takes back what was logged after that checkpoint, or everything. */
bool checkpoint_cut_logs(trainer *);

/* ---- pictures.c --------------------------------------------------------- */

/* Reconstructions and samples of this moment, epoch_NNNN.png. */
bool pictures_of_epoch(trainer *);
/* latent.c: the map of codes, and their marginals beside the prior's. */
bool latent_pictures(trainer *);
/* Loss curves and what latent.c draws. */
bool pictures_at_end(trainer *);

#endif
