/* values.c - where the value of an option comes from, and what it is read as.
 */
#include "apps/arguments.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The environment variables that stand for options, where a command has them.
 * `word` turns a switch on. */
static const struct {
    const char *variable, *name, *word;
} variables[] = {
    {"HOURGLASS_DATA", "data-dir", NULL},
    {"HOURGLASS_DEVICE", "device", NULL},
    {"HOURGLASS_ANOMALY", "anomaly", "1"},
    {"HOURGLASS_OFFLINE", "offline", "1"},
    {"HOURGLASS_LOG", "quiet", "error"},
};

enum { VARIABLES = sizeof variables / sizeof variables[0] };

const char *environment_name(const char *name)
{
    for (int i = 0; i < VARIABLES; i++)
        if (!strcmp(variables[i].name, name))
            return variables[i].variable;
    return NULL;
}

/* ---- Values from text --------------------------------------------------- */

/* A switch is on or off: 1 or 0, true or false, yes or no. */
static int switch_of(const char *text)
{
    static const char *const on[] = {"1", "true", "yes", "on"};
    static const char *const off[] = {"0", "false", "no", "off"};
    for (int i = 0; i < 4; i++) {
        if (!strcmp(text, on[i]))
            return 1;
        if (!strcmp(text, off[i]))
            return 0;
    }
    return -1;
}

/* Sets a row from NAME=VALUE or a file's entry; where: "--set", "FILE". */
int set_row(arguments *a, const char *where, const char *name,
            const char *value, source from)
{
    char key[64];
    size_t n = 0;
    for (; name[n] && n < sizeof key - 1; n++)
        key[n] = name[n] == '_' ? '-' : name[n];
    key[n] = 0;
    int row = row_of(a, key);
    if (row < 0) {
        const char *near = nearest_row(a, key);
        return fail_with(EXIT_USAGE, "%s: there is no option %s%s%s%s", where,
                         key, near ? "; did you mean " : "; see --help",
                         near ? near : "", near ? "?" : "");
    }
    if (a->from[row] > from)
        return 0;
    bool is_switch = !a->row[row].argument;
    int on = is_switch ? switch_of(value) : 1;
    if (on < 0)
        return fail_with(EXIT_USAGE,
                         "%s: %s is a switch, true or false; not %s", where,
                         key, value);
    const char *kept = on ? is_switch ? "1" : hold(a, value) : NULL;
    if (on && !kept)
        return fail_with(EXIT_USAGE, "%s: the values are too long", where);
    a->value[row] = kept;
    a->from[row] = from;
    return 0;
}

int set_pair(arguments *a, const char *pair)
{
    char name[64];
    const char *equals = strchr(pair, '=');
    size_t n = equals ? (size_t)(equals - pair) : sizeof name;
    if (n == 0 || n >= sizeof name)
        return fail_with(EXIT_USAGE, "--set %s: NAME=VALUE is needed", pair);
    memcpy(name, pair, n);
    name[n] = 0;
    const char *dot = strncmp(name, "options.", 8) ? name : name + 8;
    return set_row(a, "--set", dot, equals + 1, FROM_FLAG);
}

void read_environment(arguments *a)
{
    for (int i = 0; i < VARIABLES; i++) {
        const char *text = getenv(variables[i].variable);
        int row = row_of(a, variables[i].name);
        if (row < 0 || a->from[row] > FROM_ENVIRONMENT || !text || !text[0])
            continue;
        if (variables[i].word && strcmp(text, variables[i].word))
            continue;
        a->value[row] = a->row[row].argument ? text : "1";
        a->from[row] = FROM_ENVIRONMENT;
    }
}

/* ---- What a command asks for -------------------------------------------- */

/* What the program means by it. */
static int flag_row(const arguments *a, const char *name)
{
    int row = find_row(a, name, 0, a->first_option);
    return row >= 0 ? row : find_row(a, name, a->last_option, a->rows);
}

const char *flag_text(const arguments *a, const char *name)
{
    int row = flag_row(a, name);
    if (row < 0)
        return NULL;
    return a->value[row] ? a->value[row] : a->row[row].fallback;
}

bool flag_given(const arguments *a, const char *name)
{
    int row = flag_row(a, name);
    return row >= 0 && a->value[row];
}

double flag_number(const arguments *a, const char *name, double least,
                   int *code)
{
    const char *text = flag_text(a, name);
    char *end;
    errno = 0;
    double number = text ? strtod(text, &end) : 0;
    if (!*code && text &&
        (end == text || *end || errno || !isfinite(number) ||
         !(number >= least)))
        *code = fail_with(EXIT_USAGE, "--%s %s: a number from %g on is needed",
                          name, text, least);
    return number;
}

int64_t flag_int(const arguments *a, const char *name, int64_t least, int *code)
{
    const char *text = flag_text(a, name);
    char *end;
    errno = 0;
    long long number = text ? strtoll(text, &end, 10) : 0;
    if (!*code && text && (end == text || *end || errno || number < least))
        *code = fail_with(EXIT_USAGE,
                          "--%s %s: a whole number from %lld on is needed",
                          name, text, (long long)least);
    return number;
}

int flag_within(const arguments *a, const char *name, int least, int most,
                int *code)
{
    int64_t number = flag_int(a, name, least, code);
    if (!*code && number > most)
        *code = fail_with(EXIT_USAGE, "--%s %lld: at most %d is possible", name,
                          (long long)number, most);
    return *code ? least : (int)number;
}

int flag_count(const arguments *a, const char *name, int least, int *code)
{
    return flag_within(a, name, least, INT_MAX, code);
}

const char *option_text(const arguments *a, const char *name)
{
    int row = find_row(a, name, a->first_option, a->last_option);
    return row >= 0 ? a->value[row] : NULL;
}

void given_options(const arguments *a, const char **pairs)
{
    for (int i = a->first_option; i < a->last_option; i++)
        if (a->value[i]) {
            *pairs++ = a->row[i].name;
            *pairs++ = a->value[i];
        }
    *pairs = NULL;
}
