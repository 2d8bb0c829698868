/* messages.c - errors as sentences and exit codes, suggestions, colours. */
#include "apps/app.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- How the program talks ---------------------------------------------- */

static _Thread_local struct {
    bool json, plain;
} output;

void note_output(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        output.json |= !strcmp(argv[i], "--json");
        output.plain |= !strcmp(argv[i], "--no-color");
    }
}

bool wants_colour(int stream)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !output.plain && !(no && no[0]) && isatty(stream) &&
           !(terminal && !strcmp(terminal, "dumb"));
}

void print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    printf("\n");
}

static bool is_utf8(const char *text)
{
    json_t *value = json_string(text);
    bool good = value != NULL;
    json_decref(value);
    return good;
}

bool can_be_json(const char *what, const char *text)
{
    return is_utf8(text) ||
           hg_fail(HG_ERROR_ARGUMENT,
                   "%s %s: this is no UTF-8, in which JSON is written; give it "
                   "another name",
                   what, text);
}

void put_number(json_t *object, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_new(object, name, json_real(value));
}

const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- Errors ------------------------------------------------------------- */

/* "usage", "data", ... */
static const char *exit_name(int code)
{
    static const char *const names[] = {"done",       "failed", "usage",
                                        "data",       "device", "memory",
                                        "not finite", "check",  "damaged"};
    return code >= 0 && code <= EXIT_DAMAGED ? names[code] : "interrupted";
}

static void print_json_error(int code, char *text)
{
    for (char *c = text; !is_utf8(text) && *c; c++)
        if ((unsigned char)*c > 127)
            *c = '?';
    json_t *object = json_pack("{s:{s:i, s:s, s:s}}", "error", "code", code,
                               "name", exit_name(code), "message", text);
    print_json(object);
    json_decref(object);
}

int fail_with(int code, const char *format, ...)
{
    char text[4096];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    bool colour = wants_colour(2);
    fprintf(stderr, "%serror: %s%s\n", colour ? "\033[1;31m" : "",
            colour ? "\033[0m" : "", text);
    if (output.json)
        print_json_error(code, text);
    return code;
}

int report_error(void)
{
    static const int codes[HG_ERROR_COUNT] = {
        [HG_ERROR_NONE] = EXIT_FAILED,         [HG_ERROR_SHAPE] = EXIT_FAILED,
        [HG_ERROR_ARGUMENT] = EXIT_USAGE,      [HG_ERROR_STATE] = EXIT_FAILED,
        [HG_ERROR_MEMORY] = EXIT_MEMORY,       [HG_ERROR_DEVICE] = EXIT_DEVICE,
        [HG_ERROR_IO] = EXIT_FAILED,           [HG_ERROR_FORMAT] = EXIT_DAMAGED,
        [HG_ERROR_DATA] = EXIT_DATA,           [HG_ERROR_CHECK] = EXIT_CHECK,
        [HG_ERROR_NONFINITE] = EXIT_NONFINITE,
    };
    const char *text = hg_error();
    return fail_with(codes[hg_error_kind()], "%s",
                     text ? text : "something failed without saying why");
}

/* ---- Suggestions -------------------------------------------------------- */

static int least_of(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* Edits from one word to the other, swapped neighbours counting as one, of
 * words up to 63 letters (Damerau, 1964; Levenshtein, 1966). */
static int distance(const char *a, const char *b)
{
    int before[64], above[64] = {0}, row[64], n = (int)strlen(b);
    if (n > 63)
        return 99;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        memcpy(before, above, sizeof before);
        memcpy(above, row, sizeof above);
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least_of(above[j] + 1, row[j - 1] + 1, change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least_of(row[j], before[j - 2] + 1, row[j]);
        }
    }
    return row[n];
}

const char *nearest(const char *word, const char *const *names)
{
    const char *best = NULL;
    int least = (int)strlen(word) / 2 + 1;
    for (; *names; names++) {
        int d = distance(word, *names);
        if (d < least) {
            least = d;
            best = *names;
        }
    }
    return best;
}
