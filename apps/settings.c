/* settings.c - the options of `hourglass train` and what they mean. */
#include "apps/data_flags.h"
#include "apps/train.h"

#include <string.h>
#include <time.h>

const flag train_flags[] = {
    {"data", "NAME|PATH", "mnist, synthetic[:N], a path, or auto", "auto", NULL,
     0},
    {"dataset", "NAME|PATH", "", NULL, "data", 0},
    {"data-dir", "DIR", "where named data sets lie", NULL, NULL, 0},
    DATA_FLAGS,
    {"epochs", "N", "passes over the training data", NULL, NULL, 0},
    {"steps", "N", "stop after so many steps (0: no limit)", "0", NULL, 0},
    {"batch-size", "N", "images a step", NULL, NULL, 'b'},
    {"seed", "N", "of all random numbers", "1", NULL, 0},
    {"val", "FRACTION", "part of train kept for validation", "0.1", NULL, 0},
    {"device", "NAME", "auto, cpu, cuda or cuda:N", "auto", NULL, 0},
    {"threads", "N", "of the CPU (0: one a core)", "0", NULL, 0},
    {"save-every", "STEPS", "checkpoints besides each epoch's", "0", NULL, 0},
    {"sample-every", "EPOCHS", "pictures every so many epochs", "1", NULL, 0},
    {"out", "DIR", "where runs lie", "runs", NULL, 'o'},
    {"name", "NAME", "of the run's folder", NULL, NULL, 0},
    {"resume", NULL, "continue at the last checkpoint", NULL, NULL, 0},
    {"overwrite", NULL, "replace a run of this name", NULL, NULL, 0},
    {"quiet", NULL, "print nothing but errors", NULL, NULL, 'q'},
    {0},
};

static void default_name(settings *s)
{
    char when[32], data[64];
    time_t now = time(NULL);
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime(&now));
    const char *slash = strrchr(s->data, '/');
    snprintf(data, sizeof data, "%s", slash ? slash + 1 : s->data);
    for (char *c = data; *c; c++)
        if (*c == ':')
            *c = '-';
    snprintf(s->name, sizeof s->name, "%s-%s-%s", s->model->name, data, when);
}

int read_settings(const arguments *a, settings *s)
{
    int code = 0;
    s->data = flag_text(a, "data");
    s->data_dir = flag_text(a, "data-dir");
    read_data_flags(a, &s->how, &code);
    s->epochs = s->model->epochs ? s->model->epochs : 10;
    if (flag_given(a, "epochs"))
        s->epochs = flag_int(a, "epochs", 1, &code);
    s->batch_size = s->model->batch_size ? s->model->batch_size : 128;
    if (flag_given(a, "batch-size"))
        s->batch_size = flag_int(a, "batch-size", 1, &code);
    s->steps = flag_int(a, "steps", 0, &code);
    s->seed = (uint64_t)flag_int(a, "seed", 0, &code);
    s->validation = flag_number(a, "val", 0, &code);
    s->device = flag_text(a, "device");
    s->threads = (int)flag_int(a, "threads", 0, &code);
    s->save_every = flag_int(a, "save-every", 0, &code);
    s->sample_every = flag_int(a, "sample-every", 0, &code);
    s->out = flag_text(a, "out");
    s->resume = flag_given(a, "resume");
    s->quiet = flag_given(a, "quiet");
    if (!code && s->validation >= 1)
        code =
            fail_with(EXIT_USAGE, "--val %g: must be below 1", s->validation);
    if (flag_given(a, "name"))
        snprintf(s->name, sizeof s->name, "%s", flag_text(a, "name"));
    else
        default_name(s);
    if (!code && (strchr(s->name, '/') || s->name[0] == '.'))
        code = fail_with(EXIT_USAGE,
                         "--name %s: a name without slashes is "
                         "needed; folders go into --out",
                         s->name);
    return code;
}
