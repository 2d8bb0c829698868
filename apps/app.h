/* app.h - what the sub-commands of `hourglass` share. */
#ifndef HG_APP_H
#define HG_APP_H

#include "models/model.h"

#include <jansson.h>

/* ---- Exit codes --------------------------------------------------------- */

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DATA = 3,
    EXIT_DEVICE = 4,
    EXIT_MEMORY = 5,
    EXIT_NONFINITE = 6,
    EXIT_CHECK = 7,
    EXIT_DAMAGED = 8,
    EXIT_INTERRUPTED = 130
};

/* Prints "error: ..." with the pending error; the exit code of its kind. */
int report_error(void);
/* The same with a sentence of one's own. */
int fail_with(int code, const char *format, ...) HG_PRINTF(2, 3);

/* ---- Arguments ---------------------------------------------------------- */

/* One row makes parsing and help. */
typedef struct {
    const char *name;     /* --name */
    const char *argument; /* NULL: a switch */
    const char *about;
    const char *fallback; /* shown as the default, or NULL */
    const char *same_as;  /* an alias of another row */
    char letter;          /* -n, or 0 */
} flag;

enum { MOST_FLAGS = 64 };

typedef struct {
    const flag *flags;             /* ended by a NULL name */
    const hg_option *options;      /* of the model, or NULL */
    const char *value[MOST_FLAGS]; /* flags, then options, by row */
    const char *positional[2];
    int count;
} arguments;

/* 0, or an exit code after a message (EXIT_DONE + 1000 after --help). */
int parse_arguments(arguments *, int argc, char **argv, const char *usage);
/* The same for `COMMAND [MODEL] ...`, whose options are the model's too; *model
 * stays NULL where none is given. */
int parse_model_arguments(arguments *, int argc, char **argv, const char *usage,
                          const hg_model **model);
/* The text of a flag; its fallback if it was not given; or NULL. */
const char *flag_text(const arguments *, const char *name);
bool flag_given(const arguments *, const char *name);
/* Whole numbers from `least` on; sets *code and complains otherwise. */
int64_t flag_int(const arguments *, const char *name, int64_t least, int *code);
double flag_number(const arguments *, const char *name, double least,
                   int *code);
enum { SHOWN_HELP = 1000 };
/* name, value, ..., NULL of the model's options that were given */
void given_options(const arguments *, const char **pairs);

/* The name in the list that is nearest to a misspelt one, or NULL. */
const char *nearest(const char *word, const char *const *names);

/* ---- Sub-commands ------------------------------------------------------- */

typedef struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} command;

int run_train(int argc, char **argv);
int run_eval(int argc, char **argv);
int run_models(int argc, char **argv);
int run_summary(int argc, char **argv);
int run_doctor(int argc, char **argv);
int run_gradcheck(int argc, char **argv);
int run_bench(int argc, char **argv);

/* The zoo's model of this name; NULL after a message with a suggestion. */
const hg_model *model_or_complain(const char *name);

/* ---- Files -------------------------------------------------------------- */

/* Makes a folder and its parents. */
bool make_folder(const char *path);
/* Writes a whole file through a temporary name, synced and renamed. */
bool write_file(const char *path, const char *text, size_t size);
bool write_json(const char *path, const json_t *);
/* "a/b" into a buffer of its own; false with an error if it does not fit. */
typedef struct {
    char text[1024];
} path_text;
path_text path_join(const char *a, const char *b);

/* Seconds of a clock that only runs forward. */
double seconds_now(void);

#endif
