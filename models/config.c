/* config.c - values of a model's options. */
#include "models/internal.h"

#include "tensor/internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const hg_no_yes[] = {"no", "yes", NULL};

enum { MOST_OPTIONS = 32 };

typedef struct {
    const char *name;
    const hg_option *option; /* NULL: a size of the data */
    double number;
    const char *text;
} value;

struct hg_config {
    hg_context *context;
    const char *model;
    int count;
    value values[MOST_OPTIONS];
};

static void add(hg_config *c, value v)
{
    if (c->count < MOST_OPTIONS)
        c->values[c->count++] = v;
    else
        hg_fail(HG_ERROR_ARGUMENT, "model %s has more than %d options",
                c->model, MOST_OPTIONS);
}

static void add_sizes(hg_config *c, const hg_data *data)
{
    static const char *const names[] = {"channels", "height", "width",
                                        "image_height", "image_width"};
    static const int axis[] = {0, 1, 2, 1, 2};
    hg_shape s = hg_data_shape(data);
    add(c, (value){.name = "inputs", .number = (double)hg_data_features(data)});
    for (int i = 0; i < 5; i++)
        add(c, (value){.name = names[i], .number = (double)s.dim[axis[i]]});
    add(c, (value){.name = "classes", .number = hg_data_classes(data)});
}

hg_config *hg_config_new(hg_context *context, const hg_model *model,
                         const hg_data *data)
{
    if (!hg_context_usable(context, "hg_config_new"))
        return NULL;
    if (!model || !data) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_config_new: the %s is NULL",
                model ? "data set" : "model");
        return NULL;
    }
    hg_config *c = hg_region_take_zeroed(&context->region, sizeof *c);
    if (!c)
        return NULL;
    c->context = context;
    c->model = model->name;
    add_sizes(c, data);
    for (const hg_option *o = model->options; o && o->name; o++)
        add(c, (value){o->name, o, o->number, o->text});
    return hg_error() ? NULL : c;
}

/* The model's options come last and hide a size of the data of that name. */
static value *find(const hg_config *c, const char *name)
{
    for (int i = c ? c->count - 1 : -1; name && i >= 0; i--)
        if (!strcmp(c->values[i].name, name))
            return (value *)(uintptr_t)&c->values[i];
    hg_fail(HG_ERROR_ARGUMENT, "model %s has no option %s%s",
            c ? c->model : "(NULL)", name ? name : "(NULL)",
            c ? "; `hourglass train MODEL --help` lists them" : "");
    return NULL;
}

static bool set_choice(hg_config *c, value *v, const char *text)
{
    char list[256] = "";
    for (const char *const *o = v->option->choices; o && *o; o++) {
        if (!strcmp(*o, text)) {
            v->text = *o;
            return true;
        }
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", *o);
    }
    if (v->option->choices)
        return hg_fail(HG_ERROR_ARGUMENT, "%s %s is not known; use one of: %s",
                       v->name, text, list);
    v->text = hg_region_text(&c->context->region, text);
    return v->text != NULL;
}

bool hg_config_set(hg_config *c, const char *name, const char *text)
{
    value *v = hg_error() ? NULL : find(c, name);
    if (!v)
        return false;
    if (!v->option || !text)
        return hg_fail(HG_ERROR_ARGUMENT, "option %s %s", name,
                       text ? "is given by the data" : "has no value");
    if (v->text)
        return set_choice(c, v, text);
    char *end;
    errno = 0;
    double number = hg_number_of(text, &end);
    if (end == text || *end || errno || !isfinite(number))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "option %s: %s is not a number; the default is %g", name,
                       text, v->option->number);
    v->number = number;
    return true;
}

double hg_config_number(const hg_config *c, const char *name)
{
    const value *v = find(c, name);
    return v ? v->number : 0;
}

static int64_t whole(const hg_config *c, const char *name)
{
    double number = hg_config_number(c, name);
    if (number == floor(number) && fabs(number) < 1e15)
        return (int64_t)number;
    hg_fail(HG_ERROR_ARGUMENT, "option %s: %g is not a whole number", name,
            number);
    return 0;
}

int64_t hg_config_int(const hg_config *c, const char *name)
{
    int64_t n = whole(c, name);
    const hg_option *o = hg_error() ? NULL : find(c, name)->option;
    if (!o || n >= 1 || (double)n >= o->number)
        return n;
    hg_fail(HG_ERROR_ARGUMENT, "--%s %lld: use 1 or more", name, (long long)n);
    return 0;
}

int64_t hg_config_within(const hg_config *c, const char *name, int64_t low,
                         int64_t high)
{
    int64_t n = whole(c, name);
    if (hg_error() || (n >= low && n <= high))
        return n;
    hg_fail(HG_ERROR_ARGUMENT, "--%s %lld: use %lld to %lld", name,
            (long long)n, (long long)low, (long long)high);
    return 0;
}

const char *hg_config_text(const hg_config *c, const char *name)
{
    const value *v = find(c, name);
    return v && v->text ? v->text : "";
}

bool hg_config_is(const hg_config *c, const char *name, const char *text)
{
    return !strcmp(hg_config_text(c, name), text);
}

hg_shape hg_config_image(const hg_config *c)
{
    return HG_SHAPE(hg_config_int(c, "channels"),
                    hg_config_int(c, "image_height"),
                    hg_config_int(c, "image_width"));
}

void hg_wants_28(const hg_config *c, const char *model)
{
    int64_t inputs = hg_config_int(c, "inputs");
    if (inputs != 28 * 28)
        hg_fail(HG_ERROR_DATA,
                "%s takes images of 1 x 28 x 28, these have %lld values", model,
                (long long)inputs);
}

void hg_wants_labels(const hg_config *c, const char *model)
{
    if (hg_config_int(c, "classes") < 2)
        hg_fail(HG_ERROR_DATA,
                "%s needs labels, and these data have none of two classes",
                model);
}
