/* data.c - `hourglass data list | fetch | check | pack`: data sets. */
#include "apps/data_flags.h"
#include "apps/run.h"

#include <string.h>

static const flag flags[] = {
    {"data-dir", "DIR", "where named data sets lie", NULL, NULL, 0},
    DATA_FLAGS,
    {"json", NULL, "JSON on standard output", NULL, NULL, 0},
    {0},
};

static void say(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "note: %s\n", text);
}

static int list(const arguments *a)
{
    const char *name, *about;
    json_t *rows = json_array();
    for (int i = 0; (name = hg_data_known(i, &about)); i++) {
        char where[4096] = "";
        bool there =
            hg_data_locate(name, flag_text(a, "data-dir"), where, sizeof where);
        if (!flag_given(a, "json"))
            printf("%-16s %-9s %s\n", name, there ? "here" : "not here",
                   there ? where : about);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:b, s:s}", "name",
                                              name, "about", about, "here",
                                              there, "folder", where));
    }
    if (flag_given(a, "json"))
        print_json(rows);
    json_decref(rows);
    return EXIT_DONE;
}

/* Reads all of it, which checks every hash. */
static bool check(hg_context *context, const char *name,
                  hg_data_options options)
{
    options.offline = true;
    hg_data *data = hg_data_open(context, name, options);
    if (data)
        printf("%s: %lld item%s to train, as they should be\n", name,
               (long long)hg_data_size(data), plural(hg_data_size(data)));
    return data != NULL;
}

static bool fetch(hg_context *context, const char *name,
                  hg_data_options options)
{
    char where[4096] = "";
    bool good = hg_data_fetch(context, name, options);
    if (good && hg_data_locate(name, options.data_dir, where, sizeof where))
        printf("%s: %s\n", name, where);
    return good;
}

/* Anything that can be opened, into one file that is mapped. */
static int pack(const arguments *a)
{
    int code = 0;
    hg_data_options options = {.data_dir = flag_text(a, "data-dir")};
    read_data_flags(a, a->positional[1], &options, &code);
    hg_context *context = code ? NULL : hg_context_new("cpu", 1);
    if (context)
        hg_context_on_message(context, say, NULL);
    hg_data *data = context ? open_data(context, a->positional[1],
                                        options.data_dir, options)
                            : NULL;
    bool good = data && hg_data_pack(data, a->positional[2]);
    if (good)
        printf("%s: %lld item%s to train; use it with --data ./%s\n",
               a->positional[2], (long long)hg_data_size(data),
               plural(hg_data_size(data)), a->positional[2]);
    else if (!code)
        code = report_error();
    if (context)
        hg_context_free(context);
    return code;
}

static int for_each(const arguments *a,
                    bool (*act)(hg_context *, const char *, hg_data_options))
{
    hg_data_options options = {.data_dir = flag_text(a, "data-dir"),
                               .offline = flag_given(a, "offline")};
    hg_context *context = hg_context_new("cpu", 1);
    bool good = context != NULL;
    if (context)
        hg_context_on_message(context, say, NULL);
    for (int i = 1; good && i < a->count; i++)
        good = act(context, a->positional[i], options);
    int code = good ? EXIT_DONE : report_error();
    if (context)
        hg_context_free(context);
    return code;
}

int run_data(int argc, char **argv)
{
    arguments a = {.flags = flags, .most = MOST_POSITIONAL};
    int code = parse_arguments(
        &a, argc, argv,
        "usage: hourglass data ACTION [NAME...] [options]\n"
        "  hourglass data list\n"
        "  hourglass data fetch mnist fashion-mnist\n"
        "  hourglass data check cifar10\n"
        "  hourglass data pack ./pictures pictures.pack --image-size 64\n"
        "fetched files lie in --data-dir, $HOURGLASS_DATA or the cache, the "
        "first of them\nthat can be written");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    const char *action = a.count ? a.positional[0] : "";
    if (!strcmp(action, "list") && a.count == 1)
        return list(&a);
    if (a.count == 3 && !strcmp(action, "pack"))
        return pack(&a);
    if (a.count > 1 && !strcmp(action, "fetch"))
        return for_each(&a, fetch);
    if (a.count > 1 && !strcmp(action, "check"))
        return for_each(&a, check);
    return fail_with(EXIT_USAGE, "usage: hourglass data list, or fetch or "
                                 "check and names of data sets, or pack, a "
                                 "data set and a file");
}
