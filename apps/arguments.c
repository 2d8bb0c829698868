/* arguments.c - one table of flags makes parsing, defaults and help. */
#include "apps/app.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int fail_with(int code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("error: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
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

/* ---- The table ---------------------------------------------------------- */

static int flag_rows(const arguments *a)
{
    int n = 0;
    while (a->flags[n].name)
        n++;
    return n;
}

static int option_rows(const arguments *a)
{
    int n = 0;
    while (a->options && a->options[n].name)
        n++;
    return n;
}

static int row_of(const arguments *a, const char *name)
{
    int flags = flag_rows(a), options = option_rows(a);
    for (int i = 0; i < flags; i++)
        if (!strcmp(a->flags[i].name, name))
            return a->flags[i].same_as ? row_of(a, a->flags[i].same_as) : i;
    for (int i = 0; i < options; i++)
        if (!strcmp(a->options[i].name, name))
            return flags + i;
    return -1;
}

static void print_option(const hg_option *o)
{
    char fallback[32];
    snprintf(fallback, sizeof fallback, "%g", o->number);
    printf("  --%-22s %s [%s]\n", o->name, o->about,
           o->text ? o->text : fallback);
}

static void print_help(const arguments *a, const char *usage)
{
    printf("%s\n\n", usage);
    for (const flag *f = a->flags; f->name; f++) {
        char left[48], letter[8] = "";
        if (f->same_as)
            continue;
        if (f->letter)
            snprintf(letter, sizeof letter, ", -%c", f->letter);
        snprintf(left, sizeof left, "%s%s%s%s", f->name, letter,
                 f->argument ? " " : "", f->argument ? f->argument : "");
        printf("  --%-22s %s%s%s%s\n", left, f->about, f->fallback ? " [" : "",
               f->fallback ? f->fallback : "", f->fallback ? "]" : "");
    }
    if (option_rows(a))
        printf("\nthe model's own options:\n");
    for (int i = 0; i < option_rows(a); i++)
        print_option(&a->options[i]);
}

static int fill_long(const arguments *a, struct option *table, char *letters)
{
    int flags = flag_rows(a), options = option_rows(a), n = 0;
    *letters++ = ':';
    for (int i = 0; i < flags; i++) {
        const flag *f = &a->flags[i];
        int has = f->argument ? required_argument : no_argument;
        table[n++] = (struct option){f->name, has, NULL, 256};
        if (!f->letter)
            continue;
        *letters++ = f->letter;
        if (f->argument)
            *letters++ = ':';
    }
    for (int i = 0; i < options; i++)
        table[n++] =
            (struct option){a->options[i].name, required_argument, NULL, 256};
    table[n++] = (struct option){"help", no_argument, NULL, 'h'};
    *letters++ = 'h';
    *letters = 0;
    return n;
}

static int complain(const arguments *a, char **argv, int what)
{
    const char *word = argv[optind - 1], *names[MOST_FLAGS + 1] = {0};
    if (what == ':')
        return fail_with(EXIT_USAGE, "%s needs a value; see --help", word);
    int n = 0, flags = flag_rows(a);
    for (int i = 0; i < flags && n < MOST_FLAGS; i++)
        names[n++] = a->flags[i].name;
    for (int i = 0; i < option_rows(a) && n < MOST_FLAGS; i++)
        names[n++] = a->options[i].name;
    const char *near = nearest(word + strspn(word, "-"), names);
    return fail_with(EXIT_USAGE, "%s is not an option here; %s%s%s", word,
                     near ? "did you mean --" : "see --help", near ? near : "",
                     near ? "?" : "");
}

static int row_of_letter(const arguments *a, int letter)
{
    for (int i = 0; i < flag_rows(a); i++)
        if (a->flags[i].letter == letter)
            return row_of(a, a->flags[i].name);
    return -1;
}

int parse_arguments(arguments *a, int argc, char **argv, const char *usage)
{
    struct option table[MOST_FLAGS + 2] = {0};
    char letters[2 * MOST_FLAGS + 4];
    int at = 0, what;
    if (flag_rows(a) + option_rows(a) > MOST_FLAGS)
        return fail_with(EXIT_FAILED, "the model has too many options");
    fill_long(a, table, letters);
    opterr = 0;
    optind = 1;
    while ((what = getopt_long(argc, argv, letters, table, &at)) != -1) {
        if (what == 'h') {
            print_help(a, usage);
            return SHOWN_HELP;
        }
        if (what == '?' || what == ':')
            return complain(a, argv, what);
        int row =
            what == 256 ? row_of(a, table[at].name) : row_of_letter(a, what);
        a->value[row] = optarg ? optarg : "1";
    }
    for (; optind < argc; optind++) {
        if (a->count == 2)
            return fail_with(EXIT_USAGE, "%s is one argument too many",
                             argv[optind]);
        a->positional[a->count++] = argv[optind];
    }
    return 0;
}

int parse_model_arguments(arguments *a, int argc, char **argv,
                          const char *usage, const hg_model **model)
{
    *model = NULL;
    if (argc > 1 && argv[1][0] != '-') {
        *model = model_or_complain(argv[1]);
        if (!*model)
            return EXIT_USAGE;
        a->options = (*model)->options;
    }
    return parse_arguments(a, argc, argv, usage);
}

/* ---- Values ------------------------------------------------------------- */

const char *flag_text(const arguments *a, const char *name)
{
    int row = row_of(a, name);
    if (row < 0)
        return NULL;
    if (a->value[row])
        return a->value[row];
    return row < flag_rows(a) ? a->flags[row].fallback : NULL;
}

bool flag_given(const arguments *a, const char *name)
{
    int row = row_of(a, name);
    return row >= 0 && a->value[row];
}

double flag_number(const arguments *a, const char *name, double least,
                   int *code)
{
    const char *text = flag_text(a, name);
    char *end;
    errno = 0;
    double number = text ? strtod(text, &end) : 0;
    if (text && (end == text || *end || errno || !(number >= least)))
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
    if (text && (end == text || *end || errno || number < least))
        *code = fail_with(EXIT_USAGE,
                          "--%s %s: a whole number from %lld on is needed",
                          name, text, (long long)least);
    return number;
}

void given_options(const arguments *a, const char **pairs)
{
    for (const hg_option *o = a->options; o && o->name; o++)
        if (flag_given(a, o->name)) {
            *pairs++ = o->name;
            *pairs++ = flag_text(a, o->name);
        }
    *pairs = NULL;
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
