/* help.c - what --help prints, from the table that parses: examples first,
 * then the form, then every option under its heading. */
#include "apps/arguments.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { INDENT = 27, NARROW = 60, WIDE = 100 };

static int terminal_width(void)
{
    struct winsize size;
    if (!isatty(1) || ioctl(1, TIOCGWINSZ, &size) || !size.ws_col)
        return 80;
    return size.ws_col < NARROW ? NARROW
           : size.ws_col > WIDE ? WIDE
                                : size.ws_col;
}

/* Words wrapped at the terminal's width, all lines but the first indented. */
static void print_wrapped(const char *text, int at, int width)
{
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (at > INDENT && at + 1 + n > width) {
            printf("\n%*s", INDENT, "");
            at = INDENT;
        }
        printf("%s%.*s", at > INDENT ? " " : "", n, text);
        at += n + (at > INDENT);
        text += n;
        text += strspn(text, " ");
    }
    printf("\n");
}

static void print_row(const flag *f, int width)
{
    char left[64], letter[8] = "", about[512];
    const char *variable = environment_name(f->name);
    if (f->letter)
        snprintf(letter, sizeof letter, ", -%c", f->letter);
    snprintf(left, sizeof left, "  --%s%s%s%s", f->name, letter,
             f->argument ? " " : "", f->argument ? f->argument : "");
    snprintf(about, sizeof about, "%s%s%s%s%s%s%s", f->about,
             f->fallback ? " [" : "", f->fallback ? f->fallback : "",
             f->fallback ? "]" : "", variable ? " ($" : "",
             variable ? variable : "", variable ? ")" : "");
    printf("%-*s", INDENT, left);
    if ((int)strlen(left) >= INDENT)
        printf("\n%*s", INDENT, "");
    print_wrapped(about, INDENT, width);
}

/* The lines of the usage that are examples, or those that are not. */
static void print_usage(const char *usage, bool examples)
{
    bool any = false;
    for (const char *line = usage; *line;) {
        int n = (int)strcspn(line, "\n");
        if (!strncmp(line, "  ", 2) == examples) {
            if (examples && !any)
                printf("examples:\n");
            printf("%.*s\n", n, line);
            any = true;
        }
        line += n + (line[n] == '\n');
    }
    if (any)
        printf("\n");
}

void print_command_help(const arguments *a, const char *usage)
{
    int width = terminal_width();
    print_usage(usage, true);
    print_usage(usage, false);
    for (int i = 0; i < a->rows; i++) {
        const flag *f = &a->row[i];
        if (!f->name[0])
            printf("%s%s:\n", i ? "\n" : "", f->about);
        else if (!f->same_as && row_of(a, f->name) == i)
            print_row(f, width);
    }
}
