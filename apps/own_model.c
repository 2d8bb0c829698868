/* own_model.c - a model from a file: `hourglass train ./my_vae.c` compiles it
 * against this program's own headers and loads what comes out; a ready .so is
 * loaded as it is.
 *
 * The program exports the library's functions, so that a model calls the very
 * ones that the program was built with. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "apps/app.h"

#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Models that were loaded; the program's few stay loaded until it ends. */
enum { MOST_LOADED = 16 };

typedef struct {
    const hg_model *model;
    char path[4096];
} loaded;

static loaded own[MOST_LOADED];
static int own_count;

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && !strcmp(text + n - m, end);
}

bool is_model_file(const char *name)
{
    return strchr(name, '/') || ends_in(name, ".c") || ends_in(name, ".so");
}

const char *model_reference(const hg_model *model)
{
    for (int i = 0; i < own_count; i++)
        if (own[i].model == model)
            return own[i].path;
    return model->name;
}

const char *model_source(const hg_model *model)
{
    const char *path = model_reference(model);
    return path != model->name && ends_in(path, ".c") ? path : NULL;
}

/* ---- Where the headers are ---------------------------------------------- */

static bool has_header(const char *folder, const char *below, char out[4096])
{
    char header[4200];
    snprintf(out, 4096, "%.3900s%s", folder, below);
    snprintf(header, sizeof header, "%s/hourglass.h", out);
    return !access(header, R_OK);
}

/* Beside an installed program, in the source tree of a built one, or where
 * HOURGLASS_INCLUDE says. */
static bool find_headers(char out[4096])
{
    char self[4096];
    const char *given = getenv("HOURGLASS_INCLUDE");
    if (given && given[0])
        return has_header(given, "", out) ||
               hg_fail(HG_ERROR_DATA,
                       "HOURGLASS_INCLUDE=%s: hourglass.h is not there", given);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = 0;
    return (slash && has_header(self, "/../include/hourglass", out)) ||
           has_header(HG_SOURCE_FOLDER, "", out) ||
           hg_fail(HG_ERROR_DATA,
                   "hourglass.h was not found beside this program; set "
                   "HOURGLASS_INCLUDE to the folder that has it");
}

/* ---- Compiling ---------------------------------------------------------- */

enum { MOST_WORDS = 48 };

/* Runs a command with its words; its own messages go to the terminal. */
static int run_words(const char *const *words)
{
    pid_t child;
    int status = 0;
    fflush(NULL);
    if (posix_spawnp(&child, words[0], NULL, NULL,
                     (char *const *)(uintptr_t)words, environ))
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* CC may hold several words: ccache gcc. */
static int split_words(char *text, const char **words)
{
    int n = 0;
    for (char *word = strtok(text, " "); word && n < 16;
         word = strtok(NULL, " "))
        words[n++] = word;
    return n;
}

static bool compile(const char *source, const char *object)
{
    char include[4110] = "-I", compiler[1024];
    const char *words[MOST_WORDS];
    const char *given = getenv("CC");
    if (!find_headers(include + 2))
        return false;
    snprintf(compiler, sizeof compiler, "%s",
             given && given[0] ? given : HG_COMPILER);
    int n = split_words(compiler, words);
    /* What C11 forbids but compilers let pass fails with their words, not when
     * it is loaded or run. */
    const char *const rest[] = {"-Werror=implicit-function-declaration",
                                "-Werror=int-conversion",
                                "-std=c11",
                                "-O2",
                                "-g1",
                                "-Wall",
                                "-Wextra",
                                "-fPIC",
                                "-shared",
#ifdef HG_DOUBLE
                                "-DHG_DOUBLE=1",
#endif
                                include,
                                "-o",
                                object,
                                source,
                                "-lm",
                                NULL};
    memcpy(words + n, rest, sizeof rest);
    int code = n ? run_words(words) : -1;
    if (code < 0)
        return hg_fail(HG_ERROR_DATA,
                       "the compiler %s cannot be run; set CC to yours",
                       compiler);
    return !code || hg_fail(HG_ERROR_ARGUMENT,
                            "%s does not compile; the compiler's words are "
                            "above",
                            source);
}

/* ---- Loading ------------------------------------------------------------ */

/* Everything that the two must agree on, in one sentence if they do not. */
static bool same_version(const char *path, const hg_model_file *file)
{
    const hg_model_file mine = HG_MODEL_FILE(NULL);
    if (file->version != mine.version)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s was compiled with headers of model version %u, "
                       "this program has version %u; compile it again",
                       path, file->version, mine.version);
    if (file->real_bytes != mine.real_bytes)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s was compiled for values of %u bytes, here they have "
                       "%u; give the .c file, which is compiled for either",
                       path, file->real_bytes, mine.real_bytes);
    if (memcmp(file->sizes, mine.sizes, sizeof mine.sizes))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s was compiled with other headers than this program; "
                       "compile it again",
                       path);
    return true;
}

static bool complete(const char *path, const hg_model *m)
{
    if (m && m->name && m->about && m->build && (m->loss || m->step))
        return true;
    return hg_fail(HG_ERROR_ARGUMENT,
                   "%s: the model has no %s; every model has a name, a line "
                   "about it, build and loss",
                   path,
                   !m          ? "descriptor"
                   : !m->name  ? "name"
                   : !m->about ? "about"
                   : !m->build ? "build"
                               : "loss");
}

static const hg_model *load(const char *path, const char *object)
{
    void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        hg_fail(HG_ERROR_ARGUMENT, "%s cannot be loaded: %s", path, dlerror());
        return NULL;
    }
    const hg_model_file *file = dlsym(handle, "hourglass_model");
    if (!file)
        hg_fail(HG_ERROR_ARGUMENT,
                "%s exports no model; end the file with HG_EXPORT_MODEL(model) "
                "where `model` is its hg_model",
                path);
    else if (same_version(path, file) && complete(path, file->model))
        return file->model;
    dlclose(handle);
    return NULL;
}

static const hg_model *compile_and_load(const char *source)
{
    char folder[1024], object[1100];
    const char *root = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.900s/hourglass-XXXXXX",
             root && root[0] ? root : "/tmp");
    if (!mkdtemp(folder)) {
        hg_fail(HG_ERROR_IO,
                "%s cannot be made: %s; set TMPDIR to a folder "
                "that can be written",
                folder, strerror(errno));
        return NULL;
    }
    snprintf(object, sizeof object, "%s/model.so", folder);
    const hg_model *model =
        compile(source, object) ? load(source, object) : NULL;
    unlink(object); /* what is loaded stays in memory */
    rmdir(folder);
    return model;
}

const hg_model *model_from_file(const char *name)
{
    char path[4096];
    struct stat st;
    if (!stat(name, &st) && S_ISDIR(st.st_mode)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "%s is a folder; a model is a .c file, which `hourglass new "
                "my-vae` makes, or a .so",
                name);
        return NULL;
    }
    if (stat(name, &st) || !S_ISREG(st.st_mode) || !realpath(name, path)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "there is no model file %s; `hourglass new my-vae` makes one",
                name);
        return NULL;
    }
    for (int i = 0; i < own_count; i++)
        if (!strcmp(own[i].path, path))
            return own[i].model;
    if (own_count == MOST_LOADED ||
        !(ends_in(path, ".c") || ends_in(path, ".so"))) {
        hg_fail(HG_ERROR_ARGUMENT,
                "%s: a model is a .c file, which is compiled here, or a .so",
                name);
        return NULL;
    }
    const hg_model *model =
        ends_in(path, ".c") ? compile_and_load(path) : load(path, path);
    if (!model)
        return NULL;
    own[own_count].model = model;
    memcpy(own[own_count++].path, path, sizeof path);
    return model;
}
