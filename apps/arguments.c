/* arguments.c - one table of options makes parsing, defaults and help.
 *
 * A value comes from the first of: the command line (--NAME VALUE, or --set
 * NAME=VALUE), the environment, the file given with --config, the default. */
#include "apps/arguments.h"

#include <getopt.h>
#include <string.h>

/* Every command has these. */
static const flag common[] = {
    {"", NULL, "for every command", NULL, NULL, 0},
    {"config", "FILE", "read options from a JSON file; a run's config.json too",
     NULL, NULL, 0},
    {"set", "NAME=VALUE", "set an option by name; may be repeated", NULL, NULL,
     0},
    {"no-color", NULL, "plain text on the terminal; so does NO_COLOR", NULL,
     NULL, 0},
    {0},
};

/* ---- Rows --------------------------------------------------------------- */

/* Keeps a text as long as the arguments. */
const char *hold(arguments *a, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > sizeof a->held - a->held_size)
        return NULL;
    char *copy = a->held + a->held_size;
    memcpy(copy, text, size);
    a->held_size += size;
    return copy;
}

static bool add_row(arguments *a, flag row)
{
    if (a->rows == MOST_FLAGS)
        return false;
    a->row[a->rows++] = row;
    return true;
}

static bool add_rows(arguments *a, const flag *rows)
{
    bool ok = true;
    for (; rows && rows->name && ok; rows++)
        ok = add_row(a, *rows);
    return ok;
}

static bool add_options(arguments *a)
{
    char fallback[32];
    bool ok = true;
    a->first_option = a->rows;
    if (a->options && a->options[0].name)
        ok = add_row(a, (flag){"", NULL, "of this model", NULL, NULL, 0});
    for (const hg_option *o = a->options; o && o->name && ok; o++) {
        snprintf(fallback, sizeof fallback, "%g", o->number);
        ok = add_row(a, (flag){o->name, o->text ? "NAME" : "N", o->about,
                               o->text ? o->text : hold(a, fallback), NULL, 0});
    }
    a->last_option = a->rows;
    return ok;
}

/* Flags first, then the model's own options, then those of every command. */
static int collect_rows(arguments *a)
{
    a->rows = 0;
    a->held_size = 0;
    if (add_rows(a, a->flags) && add_options(a) && add_rows(a, common))
        return 0;
    return fail_with(EXIT_FAILED, "the model has too many options");
}

int find_row(const arguments *a, const char *name, int from, int to)
{
    for (int i = from; i < to; i++)
        if (a->row[i].name[0] && !strcmp(a->row[i].name, name))
            return a->row[i].same_as ? find_row(a, a->row[i].same_as, 0, to)
                                     : i;
    return -1;
}

/* What a user means by a name: the model's own option, if it has one. */
int row_of(const arguments *a, const char *name)
{
    int row = find_row(a, name, a->first_option, a->last_option);
    return row >= 0 ? row : find_row(a, name, 0, a->rows);
}

static int row_of_letter(const arguments *a, int letter)
{
    for (int i = 0; i < a->rows; i++)
        if (a->row[i].letter == letter && letter)
            return row_of(a, a->row[i].name);
    return -1;
}

const char *nearest_row(const arguments *a, const char *word)
{
    const char *names[MOST_FLAGS + 1] = {0};
    int n = 0;
    for (int i = 0; i < a->rows; i++)
        if (a->row[i].name[0])
            names[n++] = a->row[i].name;
    return nearest(word, names);
}

/* ---- Parsing ------------------------------------------------------------ */

enum { LONG_OPTION = 256, MOST_WORDS = 512 };

static void fill_long(const arguments *a, struct option *table, int *index,
                      char *letters)
{
    int n = 0;
    *letters++ = ':';
    for (int i = 0; i < a->rows; i++) {
        const flag *f = &a->row[i];
        int has = f->argument ? required_argument : no_argument;
        if (!f->name[0])
            continue;
        index[n] = i;
        table[n++] = (struct option){f->name, has, NULL, LONG_OPTION};
        if (!f->letter)
            continue;
        *letters++ = f->letter;
        if (f->argument)
            *letters++ = ':';
    }
    table[n++] = (struct option){"help", no_argument, NULL, 'h'};
    *letters++ = 'h';
    *letters = 0;
}

static int complain(const arguments *a, char **argv, int what)
{
    const char *word = argv[optind - 1];
    if (what == ':')
        return fail_with(EXIT_USAGE, "%s needs a value; see --help", word);
    const char *near = nearest_row(a, word + strspn(word, "-"));
    return fail_with(EXIT_USAGE, "%s is not an option here; %s%s%s", word,
                     near ? "did you mean --" : "see --help", near ? near : "",
                     near ? "?" : "");
}

static int read_command_line(arguments *a, int argc, char **argv,
                             const char *usage)
{
    struct option table[MOST_FLAGS + 2] = {0};
    int index[MOST_FLAGS], at = 0, what, code = 0;
    char letters[2 * MOST_FLAGS + 4];
    fill_long(a, table, index, letters);
    opterr = 0;
    optind = 1;
    while (!code &&
           (what = getopt_long(argc, argv, letters, table, &at)) != -1) {
        if (what == 'h') {
            print_command_help(a, usage);
            return SHOWN_HELP;
        }
        if (what == '?' || what == ':')
            return complain(a, argv, what);
        int row = what == LONG_OPTION ? row_of(a, a->row[index[at]].name)
                                      : row_of_letter(a, what);
        a->value[row] = optarg ? optarg : "1";
        a->from[row] = FROM_FLAG;
        if (!strcmp(a->row[row].name, "set"))
            code = set_pair(a, optarg);
    }
    return code;
}

static int read_positionals(arguments *a, int argc, char **argv)
{
    for (; optind < argc; optind++) {
        if (a->count == a->most)
            return fail_with(EXIT_USAGE,
                             "%s is one argument too many; see --help",
                             argv[optind]);
        a->positional[a->count++] = argv[optind];
    }
    return 0;
}

/* An empty path would be the root of all files to whoever adds a name to it. */
static int refuse_empty(const arguments *a)
{
    for (int i = 0; i < a->rows; i++)
        if (a->from[i] == FROM_FLAG && a->row[i].argument && !a->value[i][0])
            return fail_with(EXIT_USAGE, "--%s: a value is needed, %s",
                             a->row[i].name, a->row[i].argument);
    return 0;
}

int parse_arguments(arguments *a, int argc, char **argv, const char *usage)
{
    int code = collect_rows(a);
    char *words[MOST_WORDS + 1] = {0}; /* getopt_long moves them about */
    note_output(argc, argv);
    if (argc > MOST_WORDS)
        return fail_with(EXIT_USAGE, "%d words are too many; use --config",
                         argc);
    memcpy(words, argv, (size_t)argc * sizeof *argv);
    if (!code)
        code = read_command_line(a, argc, words, usage);
    if (!code)
        code = read_positionals(a, argc, words);
    if (!code)
        code = refuse_empty(a);
    if (code)
        return code;
    read_environment(a);
    return read_config(a);
}

/* The first word that is neither an option nor an option's value. Options
 * that are not known yet are the model's, which all take a value. */
static const char *first_positional(const arguments *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || !word[1])
            return word;
        if (!strcmp(word, "--")) /* what follows is no option */
            return argv[i + 1];
        int row =
            word[1] == '-' ? row_of(a, word + 2) : row_of_letter(a, word[1]);
        bool is_switch = row >= 0
                             ? !a->row[row].argument
                             : !strcmp(word, "--help") || !strcmp(word, "-h");
        bool together =
            word[1] == '-' ? strchr(word, '=') != NULL : word[2] != 0;
        i += !is_switch && !together;
    }
    return NULL;
}

const char *first_argument(const flag *flags, int argc, char **argv)
{
    arguments a = {.flags = flags};
    return collect_rows(&a) ? NULL : first_positional(&a, argc, argv);
}

int parse_model_arguments(arguments *a, int argc, char **argv,
                          const char *usage, const hg_model **model)
{
    char named[4096]; /* a name, or a file's whole path */
    *model = NULL;
    int code = collect_rows(a);
    if (code)
        return code;
    const char *name = first_positional(a, argc, argv);
    if (!name && model_of_config(argc, argv, named, sizeof named)) {
        name = named;
        a->count = 1;
    }
    if (name) {
        *model = model_or_complain(name);
        if (!*model)
            return EXIT_USAGE;
        a->options = (*model)->options;
        if (a->count)
            a->positional[0] = (*model)->name;
    }
    return parse_arguments(a, argc, argv, usage);
}
