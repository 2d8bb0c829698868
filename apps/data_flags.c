/* data_flags.c - options that say how a data set is opened. */
#include "apps/data_flags.h"

#include <stdlib.h>
#include <string.h>

static const char *const fits[] = {"crop", "pad", "stretch", NULL};
static const char *const colours[] = {"auto", "grey", "rgb", NULL};
static const char *const broken[] = {"stop", "skip", NULL};

/* The place of the flag's text in the list; 0 and a sentence otherwise. */
static int choice(const arguments *a, const char *name,
                  const char *const *words, int *code)
{
    char list[64] = "";
    const char *text = flag_text(a, name);
    for (int i = 0; text && words[i]; i++) {
        if (!strcmp(text, words[i]))
            return i;
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", words[i]);
    }
    if (text && !*code)
        *code =
            fail_with(EXIT_USAGE, "--%s %s: use one of %s", name, text, list);
    return 0;
}

/* "64" or "80x64", width first. */
static bool parse_size(const char *text, int64_t *width, int64_t *height)
{
    char *end;
    *width = *height = strtoll(text, &end, 10);
    if (end != text && *end == 'x') {
        text = end + 1;
        *height = strtoll(text, &end, 10);
    }
    return end != text && !*end && *width > 0 && *height > 0 &&
           *width <= 1 << 14 && *height <= 1 << 14;
}

static bool parse_range(const char *text, double *low, double *high)
{
    char *end;
    *low = strtod(text, &end);
    if (end == text || *end != ':')
        return false;
    text = end + 1;
    *high = strtod(text, &end);
    return end != text && !*end && *low < *high;
}

void read_data_flags(const arguments *a, const char *data, hg_data_options *o,
                     int *code)
{
    static const int channels[] = {0, 1, 3};
    const char *size = flag_text(a, "image-size");
    const char *range = flag_text(a, "range");
    o->fit = (hg_fit)choice(a, "fit", fits, code);
    o->channels = channels[choice(a, "colour", colours, code)];
    o->transform = flag_text(a, "transform");
    o->offline = flag_given(a, "offline");
    o->skip_broken = choice(a, "broken", broken, code) == 1;
    if (!*code && size && !parse_size(size, &o->width, &o->height))
        *code = fail_with(EXIT_USAGE,
                          "--image-size %s: a side in pixels is needed, 64, "
                          "or width x height, 80x64",
                          size);
    if (!*code && size && !strchr(data, '/'))
        *code = fail_with(EXIT_USAGE,
                          "--image-size %s: pictures of a folder are made so "
                          "large, DIR/; %s has a size of its own",
                          size, data);
    if (!*code && range && !parse_range(range, &o->low, &o->high))
        *code = fail_with(EXIT_USAGE,
                          "--range %s: two numbers are needed, the lower "
                          "first, as in 0:255",
                          range);
}

json_t *data_options_json(const hg_data_options *o)
{
    json_t *object = json_object();
    if (o->height)
        json_object_set_new(
            object, "image_size",
            json_pack("[I, I]", (json_int_t)o->width, (json_int_t)o->height));
    if (o->fit != HG_FIT_CROP)
        json_object_set_new(object, "fit", json_string(fits[o->fit]));
    if (o->channels)
        json_object_set_new(object, "channels", json_integer(o->channels));
    if (o->skip_broken)
        json_object_set_new(object, "broken", json_string("skip"));
    if (o->transform)
        json_object_set_new(object, "transform", json_string(o->transform));
    if (o->low < o->high)
        json_object_set_new(object, "range",
                            json_pack("[f, f]", o->low, o->high));
    return object;
}

bool data_options_of(const json_t *object, hg_data_options *o)
{
    json_t *root = (json_t *)(uintptr_t)object;
    const char *fit = "crop", *skip = "stop";
    json_int_t width = 0, height = 0;
    if (!root)
        return true; /* an older run */
    if (json_unpack(root, "{s?[I, I], s?s, s?i, s?s, s?s, s?[F, F]}",
                    "image_size", &width, &height, "fit", &fit, "channels",
                    &o->channels, "broken", &skip, "transform", &o->transform,
                    "range", &o->low, &o->high))
        return hg_fail(HG_ERROR_FORMAT,
                       "config.json: data_options is not as it was written");
    o->width = width;
    o->height = height;
    o->skip_broken = !strcmp(skip, "skip");
    for (int i = 0; fits[i]; i++)
        if (!strcmp(fit, fits[i]))
            o->fit = (hg_fit)i;
    return true;
}
