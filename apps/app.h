/* app.h - what the sub-commands of `hourglass` share. */
#ifndef HG_APP_H
#define HG_APP_H

#include "apps/arguments.h"

#include <jansson.h>

/* ---- Sub-commands ------------------------------------------------------- */

typedef struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} command;

int run_train(int argc, char **argv);
int run_resume(int argc, char **argv);
int run_eval(int argc, char **argv);
int run_data(int argc, char **argv);
int run_models(int argc, char **argv);
int run_new(int argc, char **argv);
int run_summary(int argc, char **argv);
int run_doctor(int argc, char **argv);
int run_gradcheck(int argc, char **argv);
int run_bench(int argc, char **argv);
int run_sample(int argc, char **argv);
int run_reconstruct(int argc, char **argv);
int run_encode(int argc, char **argv);
int run_interpolate(int argc, char **argv);
int run_traverse(int argc, char **argv);
int run_manifold(int argc, char **argv);
int run_project(int argc, char **argv);
int run_compare(int argc, char **argv);
int run_anomaly(int argc, char **argv);
int run_cluster(int argc, char **argv);
int run_classify(int argc, char **argv);
int run_analogy(int argc, char **argv);
int run_complete(int argc, char **argv);
int run_denoise(int argc, char **argv);

/* ---- Models from files -------------------------------------------------- */

/* Is it a path, and no name? */
bool is_model_file(const char *name);
/* Compiles a .c file, loads a .so; NULL with an error. */
const hg_model *model_from_file(const char *name);
/* The file's whole path, or the model's name. */
const char *model_reference(const hg_model *);
/* The path of the .c file that it was compiled from, or NULL. */
const char *model_source(const hg_model *);

/* ---- Threads: spin.c ---------------------------------------------------- */

/* First thing in main; may start the program again. */
void bound_spinning(char **argv);
/* What waiting threads do, for doctor. */
void describe_spinning(char *text, size_t size);

/* ---- Files -------------------------------------------------------------- */

/* Makes a folder and its parents. */
bool make_folder(const char *path);
/* Removes a folder with all that is in it; what is not there is fine. */
void remove_folder(const char *path);
/* What was renamed or made in it survives a loss of power. */
bool sync_folder(const char *path);
/* All of a file, with a NUL behind it, to be freed; NULL where it cannot be
 * read, without an error. */
char *read_file(const char *path, size_t *size);
/* False, with the error that says what went wrong (errno) and what to try. */
bool fail_to_write(const char *path, int error);
/* Writes a whole file through a temporary name, synced and renamed. */
bool write_file(const char *path, const char *text, size_t size);
bool write_json(const char *path, const json_t *);
/* The same for a start that waits for no disk: a loss of power may take the
 * file, until sync_file. */
bool write_file_soon(const char *path, const char *text, size_t size);
bool write_json_soon(const char *path, const json_t *);
bool sync_file(const char *path);
/* "a/b" in a buffer of its own, cut off with an error where it does not fit. */
typedef struct {
    char text[1024];
} path_text;
path_text path_join(const char *a, const char *b);
/* What stands behind the last slash. */
const char *last_part(const char *path);

/* Seconds of a clock that only runs forward. */
double seconds_now(void);

/* ---- What is said: messages.c ------------------------------------------- */

/* What --json prints: one object or list on standard output. */
void print_json(const json_t *);
/* JSON is UTF-8: false with a sentence where `what`, a path or a name, is not,
 * as a file's name may be anything. */
bool can_be_json(const char *what, const char *text);
/* Adds a number to an object unless it is not finite. */
void put_number(json_t *, const char *name, double value);
/* "s" unless n is one: "%lld image%s". */
const char *plural(int64_t n);

#endif
