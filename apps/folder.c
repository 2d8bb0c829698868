/* folder.c - the folder of a run: what it was asked, where it ran, its logs. */
#include "apps/train.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

const char *const log_names[LOGS] = {"metrics.jsonl", "train.log",
                                     "warnings.jsonl",
                                     "events.out.tfevents.0.hourglass"};

/* ---- Is it the same run? ------------------------------------------------ */

static bool may_differ(const char *name)
{
    static const char *const free_ones[] = {"epochs", "steps", "device",
                                            "threads", "data_dir"};
    for (size_t i = 0; i < sizeof free_ones / sizeof free_ones[0]; i++)
        if (!strcmp(name, free_ones[i]))
            return true;
    return false;
}

/* 0.6, not 0.59999999999999998 */
#define SHORT (JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

static bool fail_differing(const char *name, const json_t *then,
                           const json_t *now)
{
    char *a = then ? json_dumps(then, SHORT) : NULL;
    char *b = now ? json_dumps(now, SHORT) : NULL;
    hg_fail(HG_ERROR_ARGUMENT,
            "--resume: %s was %s in this run and is %s now; give the same, or "
            "another --name",
            name, a ? a : "missing", b ? b : "missing");
    free(a);
    free(b);
    return false;
}

/* 3 and 3.0 are one number, whoever rewrote the file. */
static bool same_value(json_t *a, json_t *b)
{
    return json_is_number(a) && json_is_number(b)
               ? json_number_value(a) == json_number_value(b)
               : json_equal(a, b);
}

/* Names the first setting that differs, inside groups too. */
static bool same_values(json_t *then, json_t *now)
{
    const char *name;
    json_t *value;
    json_object_foreach(then, name, value)
    {
        json_t *other = json_object_get(now, name);
        if (may_differ(name) || same_value(value, other))
            continue;
        if (json_is_object(value) && json_is_object(other)) {
            if (!same_values(value, other))
                return false;
            continue;
        }
        return fail_differing(name, value, other);
    }
    json_object_foreach(now, name, value)
    {
        if (!json_object_get(then, name))
            return fail_differing(name, NULL, value);
    }
    return true;
}

/* ---- What it is --------------------------------------------------------- */

static json_t *environment_json(const trainer *t)
{
    struct utsname u;
    uname(&u);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "version", HG_VERSION,
        "compiler", __VERSION__, "system", u.sysname, "release", u.release,
        "machine", u.machine, "device", hg_context_device(t->w.context),
        "instructions", hg_context_instructions(t->w.context), "threads",
        hg_context_threads(t->w.context), "real_bytes", (int)sizeof(hg_real));
}

/* As a shell takes it: in single quotes unless it is plain. */
static void put_word(FILE *f, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_@%+=:,./-";
    if (word[0] && !word[strspn(word, plain)]) {
        fputs(word, f);
        return;
    }
    fputc('\'', f);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", f);
        else
            fputc(*word, f);
    fputc('\'', f);
}

static void put_command(FILE *f, int argc, char **argv)
{
    fputs("hourglass", f);
    for (int i = 0; i < argc; i++) {
        fputc(' ', f);
        put_word(f, argv[i]);
    }
    fputc('\n', f);
}

/* Does what stands before `at` end with the line that begins there? */
static bool is_repeated(const char *text, size_t at, size_t size)
{
    size_t n = size - at;
    return at >= n && !memcmp(text + at - n, text + at, n) &&
           (at == n || text[at - n - 1] == '\n');
}

/* Those of before stay: it takes all of them to have the run again. */
static bool write_commands(const trainer *t, int argc, char **argv)
{
    char *text = NULL;
    size_t size = 0, at = 0;
    path_text path = path_join(t->folder, "command.txt");
    char *before = t->fresh ? NULL : read_file(path.text, &at);
    FILE *out = open_memstream(&text, &size);
    if (out && before && at)
        fprintf(out, "%s%s", before, before[at - 1] == '\n' ? "" : "\n");
    free(before);
    at = 0;
    if (out && !fflush(out))
        at = size;
    if (out)
        put_command(out, argc, argv);
    if (!out || fclose(out)) {
        free(text);
        return hg_fail(HG_ERROR_MEMORY, "no memory for the commands");
    }
    bool ok = write_file_soon(path.text, text,
                              is_repeated(text, at, size) ? at : size);
    free(text);
    return ok;
}

/* What the trainer learnt to do since that run is 0 or false: not done. */
static void fill_in(json_t *then, json_t *now)
{
    const char *name;
    json_t *value;
    json_object_foreach(now, name, value)
    {
        if (!json_object_get(then, name) && !json_is_true(value) &&
            json_number_value(value) == 0)
            json_object_set(then, name, value);
    }
}

/* Runs of before --precision had the one there was. */
static bool is_same_run(const trainer *t)
{
    json_t *config = settings_json(&t->s, &t->w);
    json_t *then = run_config(t->folder);
    if (then && !json_object_get(then, "precision"))
        json_object_set_new(then, "precision", json_string("fp32"));
    fill_in(json_object_get(then, "training"),
            json_object_get(config, "training"));
    bool same = then && same_values(then, config);
    json_decref(then);
    json_decref(config);
    return same;
}

bool describe_run(trainer *t, int argc, char **argv)
{
    json_t *config = settings_json(&t->s, &t->w);
    json_t *environment = environment_json(t);
    bool ok = write_json_soon(path_join(t->folder, "environment.json").text,
                              environment) &&
              write_commands(t, argc, argv) && keep_source(t) &&
              write_json_soon(path_join(t->folder, "config.json").text, config);
    json_decref(config);
    json_decref(environment);
    return ok;
}

bool settle_folder(trainer *t)
{
    static const char *const names[] = {"config.json", "environment.json",
                                        "command.txt"};
    for (int i = 0; i < 3 && !t->settled; i++)
        if (!sync_file(path_join(t->folder, names[i]).text))
            return false;
    t->settled = t->settled || (sync_source(t) && sync_folder(t->folder));
    return t->settled;
}

/* ---- Logs --------------------------------------------------------------- */

static FILE *open_log(const trainer *t, const char *name)
{
    path_text path = path_join(t->folder, name);
    FILE *f = fopen(path.text, t->fresh ? "w+" : "r+");
    if (!f && !t->fresh)
        f = fopen(path.text, "w+");
    if (!f)
        fail_to_write(path.text, errno);
    return f;
}

static bool open_logs(trainer *t)
{
    for (int i = 0; i < LOGS; i++)
        if ((i != EVENTS || t->s.tensorboard) &&
            !(t->file[i] = open_log(t, log_names[i])))
            return false;
    return true;
}

/* What is left of a log that is shorter than the checkpoint says: its whole
 * lines. Of events, which are records, nothing. */
static int64_t sound_length(int file, FILE *f)
{
    int64_t length = 0;
    rewind(f);
    for (int c; file != EVENTS && (c = getc(f)) != EOF;)
        if (c == '\n')
            length = ftell(f);
    return length;
}

/* Cuts it back to `length`, or to what there is: more would be zeros. */
static bool cut_log(FILE *f, int file, int64_t length, int64_t *left)
{
    if (fflush(f) || fseek(f, 0, SEEK_END))
        return false;
    int64_t size = ftell(f);
    *left = length < 0 ? size : size < length ? sound_length(file, f) : length;
    return !ftruncate(fileno(f), *left) && !fseek(f, (long)*left, SEEK_SET);
}

bool cut_logs(trainer *t)
{
    int64_t left[LOGS] = {0};
    for (int i = 0; i < LOGS; i++)
        if (t->file[i] && !cut_log(t->file[i], i, t->written[i], &left[i]))
            return hg_fail(HG_ERROR_IO, "%s/%s cannot be cut back: %s",
                           t->folder, log_names[i], strerror(errno));
    for (int i = 0; i < LOGS; i++)
        if (t->file[i] && left[i] < t->written[i])
            log_line(t,
                     "warning: %s/%s has %lld of the %lld bytes that it had at "
                     "the checkpoint; %s, what is missing is lost",
                     t->folder, log_names[i], (long long)left[i],
                     (long long)t->written[i],
                     left[i] ? "it goes on there" : "it begins anew");
    return true;
}

void close_logs(trainer *t)
{
    for (int i = 0; i < LOGS; i++) {
        if (t->file[i])
            fclose(t->file[i]);
        t->file[i] = NULL;
    }
}

/* ---- Opening ------------------------------------------------------------ */

static const char *const folders[] = {"checkpoints", "recon",     "samples",
                                      "latent",      "marginals", "filters"};

enum { FOLDERS = sizeof folders / sizeof folders[0] };

/* What no picture came into would only be looked into. */
void drop_empty_folders(const trainer *t)
{
    for (int i = 0; i < FOLDERS; i++)
        rmdir(path_join(t->folder, folders[i]).text);
}

static bool is_there(const trainer *t)
{
    struct stat s;
    return !stat(path_join(t->folder, "config.json").text, &s);
}

/* Power went before the first checkpoint: of what was written soon, nothing may
 * have reached the disk. */
static bool is_torn(const trainer *t)
{
    struct stat s;
    path_text path = path_join(t->folder, "config.json");
    json_t *config = json_load_file(path.text, 0, NULL);
    path = path_join(t->folder, "checkpoints/last");
    bool torn = !config && lstat(path.text, &s);
    json_decref(config);
    return torn;
}

/* Of a run that is replaced nothing stays, its checkpoints least of all. */
static void clear_run(trainer *t)
{
    unlink(path_join(t->folder, "checkpoints/last").text);
    unlink(path_join(t->folder, "checkpoints/best").text);
    unlink(path_join(t->folder, "report.html").text);
    unlink(path_join(t->folder, "model.safetensors").text);
    drop_source(t);
    for (int i = 0; i < FOLDERS; i++)
        remove_folder(path_join(t->folder, folders[i]).text);
}

bool was_refused(const trainer *t)
{
    return t->made && !t->step && hg_error_kind() != HG_ERROR_NONFINITE;
}

static void join_folder(trainer *t)
{
    path_text folder = path_join(t->s.out, t->s.name);
    snprintf(t->folder, sizeof t->folder, "%s", folder.text);
}

/* Another process may have made up the same name in the same second: the run's
 * is a folder that was not there before. */
static bool make_new_folder(trainer *t)
{
    char name[sizeof t->s.name];
    snprintf(name, sizeof name, "%s", t->s.name);
    if (!make_folder(t->s.out))
        return false;
    for (int i = 2; mkdir(t->folder, 0777); i++) {
        if (errno != EEXIST)
            return make_folder(t->folder); /* says why not */
        snprintf(t->s.name, sizeof t->s.name, "%.240s-%d", name, i);
        join_folder(t);
    }
    return true;
}

bool open_folder(trainer *t, bool overwrite)
{
    struct stat s;
    if (t->s.unnamed && !strcmp(t->s.data, "auto"))
        make_up_name(&t->s, hg_data_name(t->w.all));
    join_folder(t);
    bool absent = t->s.unnamed || stat(t->folder, &s) != 0;
    if (!(t->s.unnamed ? make_new_folder(t) : make_folder(t->folder)) ||
        !lock_run(t))
        return false;
    bool old = is_there(t);
    t->made = absent && !old;
    t->fresh = !(old && t->s.resume && !is_torn(t));
    if (old && !t->s.resume && !overwrite)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s is there already; use --resume, --overwrite or "
                       "another --name",
                       t->folder);
    if (!t->fresh && !is_same_run(t))
        return false;
    if (old && t->fresh)
        clear_run(t);
    for (int i = 0; i < FOLDERS; i++)
        if (!make_folder(path_join(t->folder, folders[i]).text))
            return false;
    if (t->fresh)
        unlink(path_join(t->folder, "checkpoints/last").text);
    return open_logs(t);
}
