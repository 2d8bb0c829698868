/* config.c - options from a JSON file: {"epochs": 20, "options": {"latent":
 * 2}}.
 *
 * Names are those of the command line, with _ or - between words. What
 * belongs to the model may stand below "options" or beside the others, so
 * that a run's config.json is such a file. */
#include "apps/app.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static json_t *load(const char *path)
{
    json_error_t why;
    struct stat s;
    if (!stat(path, &s) && S_ISDIR(s.st_mode)) {
        fail_with(EXIT_USAGE,
                  "--config %s: this is a folder; a run has its settings in "
                  "config.json",
                  path);
        return NULL;
    }
    json_t *object = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (object && json_is_object(object))
        return object;
    if (object)
        fail_with(EXIT_USAGE,
                  "--config %s: an object {\"name\": value, ...} is "
                  "needed",
                  path);
    else if (why.line > 0)
        fail_with(EXIT_USAGE, "--config %s: %s, line %d, column %d", path,
                  why.text, why.line, why.column);
    else
        fail_with(EXIT_USAGE, "--config: %s", why.text);
    json_decref(object);
    return NULL;
}

/* image_size and range of a run's data_options are pairs. */
static int set_pair_of(arguments *a, const char *where, const char *name,
                       const json_t *pair)
{
    char text[80];
    double first = json_number_value(json_array_get(pair, 0));
    double second = json_number_value(json_array_get(pair, 1));
    snprintf(text, sizeof text, "%.17g%s%.17g", first,
             strcmp(name, "range") ? "x" : ":", second);
    return set_row(a, where, name, text, FROM_CONFIG);
}

static int set_value(arguments *a, const char *where, const char *name,
                     const json_t *value)
{
    char text[64];
    if (json_is_string(value))
        return value ? set_row(a, where, name, json_string_value(value),
                               FROM_CONFIG)
                     : 0;
    if (!strcmp(name, "channels"))
        return set_row(a, where, "colour",
                       json_integer_value(value) == 3 ? "rgb" : "grey",
                       FROM_CONFIG);
    if (json_array_size(value) == 2)
        return set_pair_of(a, where, name, value);
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%lld",
                 (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, sizeof text, "%.17g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(text, sizeof text, "%s", json_is_true(value) ? "1" : "0");
    else
        return fail_with(EXIT_USAGE,
                         "%s: %s must be a number, a text, true or false",
                         where, name);
    return set_row(a, where, name, text, FROM_CONFIG);
}

static int set_values(arguments *a, const char *where, json_t *object)
{
    const char *name;
    json_t *value;
    int code = 0;
    json_object_foreach(object, name, value)
    {
        if (code || json_is_null(value) || !strcmp(name, "model"))
            continue;
        bool group = !strcmp(name, "options") || !strcmp(name, "training") ||
                     !strcmp(name, "data_options");
        if (group && json_is_object(value))
            code = set_values(a, where, value);
        else if (!json_is_string(value) || json_string_value(value)[0])
            code = set_value(a, where, name, value);
    }
    return code;
}

int read_config(arguments *a)
{
    const char *path = flag_text(a, "config");
    if (!path)
        return 0;
    json_t *object = load(path);
    int code = object ? set_values(a, path, object) : EXIT_USAGE;
    json_decref(object);
    return code;
}

bool model_of_config(int argc, char **argv, char *name, size_t size)
{
    const char *path = NULL;
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], "--config=", 9))
            path = argv[i] + 9;
        else if (!strcmp(argv[i], "--config") && i + 1 < argc)
            path = argv[++i];
    json_t *object = path ? json_load_file(path, 0, NULL) : NULL;
    const char *model = json_string_value(json_object_get(object, "model"));
    if (model)
        snprintf(name, size, "%s", model);
    json_decref(object);
    return model != NULL;
}
