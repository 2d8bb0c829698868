/* arguments.h - options, help and errors of every sub-command.
 *
 * A command has one table of rows; it makes parsing, defaults and help:
 *
 *     static const flag flags[] = {
 *         {"", NULL, "what comes out", NULL, NULL, 0},          // a heading
 *         {"count", "N", "how many images", "100", NULL, 'n'},
 *         {"json", NULL, "JSON on standard output", NULL, NULL, 0},
 *         {0},
 *     };
 *     arguments a = {.flags = flags, .most = 1};
 *     int code = parse_arguments(&a, argc, argv,
 *                                "usage: hourglass count [RUN] [options]\n"
 *                                "  hourglass count runs/first -n 10");
 *     if (code)
 *         return code == SHOWN_HELP ? EXIT_DONE : code;
 *
 * The first line of the usage is its form, lines that begin with two spaces
 * are examples (help shows them first), what follows are remarks.
 */
#ifndef HG_ARGUMENTS_H
#define HG_ARGUMENTS_H

#include "models/model.h"

/* ---- Exit codes and errors ---------------------------------------------- */

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DATA = 3,
    EXIT_DEVICE = 4,
    EXIT_MEMORY = 5,
    EXIT_NONFINITE = 6,
    EXIT_CHECK = 7,
    EXIT_DAMAGED = 8, /* 128 + the signal's number after one */
};

/* Prints "error: ..." with the pending error; the exit code of its kind. */
int report_error(void);
/* The same with a sentence of one's own. With --json on the command line an
 * object {"error": {"code", "name", "message"}} goes to standard output too. */
int fail_with(int code, const char *format, ...) HG_PRINTF(2, 3);
/* Looks for --json and --no-color, before anything can fail. */
void note_output(int argc, char **argv);
/* Are colours and a redrawn line wanted on this stream? Not without a
 * terminal, with NO_COLOR, TERM=dumb or --no-color. */
bool wants_colour(int stream);

/* ---- Arguments ---------------------------------------------------------- */

/* One row makes parsing and help. An empty name makes a heading of `about`. */
typedef struct {
    const char *name;     /* --name */
    const char *argument; /* NULL: a switch */
    const char *about;
    const char *fallback; /* shown as the default, or NULL */
    const char *same_as;  /* an alias of another row */
    char letter;          /* -n, or 0 */
} flag;

enum { MOST_FLAGS = 128, MOST_POSITIONAL = 16 };

/* Rows of every command that computes: where, and how exactly. */
#define DEVICE_FLAGS(device, precision)                                        \
    {"device", "NAME", "auto, cpu, cuda or cuda:N", device, NULL, 0},          \
        {"precision",                                                          \
         "NAME",                                                               \
         "of products on a GPU: fp32, tf32 or bf16; a CPU has fp32",           \
         precision,                                                            \
         NULL,                                                                 \
         0},                                                                   \
    {                                                                          \
        "threads", "N", "of the CPU (0: one a core)", "0", NULL, 0             \
    }

/* Where a value comes from; a later one wins. */
typedef enum { FROM_DEFAULT, FROM_CONFIG, FROM_ENVIRONMENT, FROM_FLAG } source;

typedef struct {
    const flag *flags;        /* ended by a NULL name */
    const hg_option *options; /* of the model, or NULL */
    int most;                 /* positional arguments */
    const char *positional[MOST_POSITIONAL];
    int count;
    /* Filled by the parser. */
    flag row[MOST_FLAGS]; /* flags, options, those of every command */
    int rows, first_option, last_option;
    const char *value[MOST_FLAGS]; /* NULL: not given */
    source from[MOST_FLAGS];
    char held[8192]; /* texts that belong to nobody else */
    size_t held_size;
} arguments;

/* 0, or an exit code after a message (SHOWN_HELP after --help). */
enum { SHOWN_HELP = 1000 };
int parse_arguments(arguments *, int argc, char **argv, const char *usage);
/* The same for `COMMAND [MODEL] ...`, whose options are the model's too; *model
 * stays NULL where none is given, here or in the file of --config. */
int parse_model_arguments(arguments *, int argc, char **argv, const char *usage,
                          const hg_model **model);
/* The first word that is no option and no option's value; an option that is not
 * among these takes a value. Or NULL. */
const char *first_argument(const flag *, int argc, char **argv);
/* The zoo's model of this name, or the one of a file; NULL after a message,
 * with a suggestion for a name. */
const hg_model *model_or_complain(const char *name);

/* The text of a flag; its fallback if it was not given; or NULL. */
const char *flag_text(const arguments *, const char *name);
bool flag_given(const arguments *, const char *name);
/* Whole numbers from `least` on; otherwise sets *code and complains, unless it
 * is set: of several mistakes the first is told. */
int64_t flag_int(const arguments *, const char *name, int64_t least, int *code);
/* The same for what is counted: products of two of them are no overflow. */
int flag_count(const arguments *, const char *name, int least, int *code);
int flag_within(const arguments *, const char *name, int least, int most,
                int *code);
double flag_number(const arguments *, const char *name, double least,
                   int *code);
/* What was given for one of the model's own options, or NULL. */
const char *option_text(const arguments *, const char *name);
/* name, value, ..., NULL of the model's options that were given */
void given_options(const arguments *, const char **pairs);

/* The name in the list that is nearest to a misspelt one, or NULL. */
const char *nearest(const char *word, const char *const *names);

/* ---- Between the files of the parser ------------------------------------ */

/* The row of a name among rows `from` to `to` - 1, or -1. */
int find_row(const arguments *, const char *name, int from, int to);
int row_of(const arguments *, const char *name);
/* A copy that lives as long as the arguments; NULL when they are full. */
const char *hold(arguments *, const char *text);
const char *nearest_row(const arguments *, const char *word);
int set_row(arguments *, const char *where, const char *name, const char *value,
            source);
int set_pair(arguments *, const char *pair);
void read_environment(arguments *);
/* The variable that stands for an option, or NULL. */
const char *environment_name(const char *name);
void print_command_help(const arguments *, const char *usage);
/* Reads the file of --config, where there is one; 0 or an exit code. */
int read_config(arguments *);
/* The "model" of the file that --config names on this command line. */
bool model_of_config(int argc, char **argv, char *name, size_t size);

#endif
