/* resume.c - `hourglass resume RUN`: goes on where a run stopped, with the
 * settings that it recorded. */
#include "apps/train.h"

#include <string.h>

static const flag flags[] = {
    {"epochs", "N", "passes over the training data, all in all", NULL, NULL, 0},
    {"steps", "N", "stop after so many steps, all in all (0: no limit)", NULL,
     NULL, 0},
    {"device", "NAME", "auto, cpu, cuda or cuda:N", NULL, NULL, 0},
    {"threads", "N", "of the CPU (0: one a core)", NULL, NULL, 0},
    {"data-dir", "DIR", "where named data sets lie", NULL, NULL, 0},
    {"out", "DIR", "where runs lie", "runs", NULL, 'o'},
    {"save-every", "STEPS", "checkpoints besides each epoch's", "0", NULL, 0},
    {"keep", "N", "checkpoints kept besides the best (0: all)", "1", NULL, 0},
    {"sample-every", "EPOCHS", "pictures every so many epochs", "1", NULL, 0},
    {"log-every", "STEPS", "lines of metrics besides each epoch's", "0", NULL,
     0},
    {"tensorboard", NULL, "write event files too", NULL, NULL, 0},
    {"anomaly", NULL, "stop at the operation that makes the first NaN", NULL,
     NULL, 0},
    {"replay", NULL, "only make the step again that --anomaly kept", NULL, NULL,
     0},
    {"explain", NULL, "say which steps a GPU replayed, and why not others",
     NULL, NULL, 0},
    {"json", NULL, "the test's metrics as JSON on standard output", NULL, NULL,
     0},
    {"quiet", NULL, "print nothing but errors", NULL, NULL, 'q'},
    {0},
};

/* Only what may differ from the recorded settings can be asked for. */
static int read_changes(const arguments *a, settings *s)
{
    int code = 0;
    if (flag_given(a, "epochs"))
        s->epochs = flag_count(a, "epochs", 1, &code);
    if (flag_given(a, "steps"))
        s->steps = flag_int(a, "steps", 0, &code);
    if (flag_given(a, "threads"))
        s->threads = flag_count(a, "threads", 0, &code);
    if (flag_given(a, "device"))
        s->device = flag_text(a, "device");
    if (flag_given(a, "data-dir"))
        s->data_dir = flag_text(a, "data-dir");
    read_logging(a, s, &code);
    s->resume = true;
    return code;
}

/* RUN is DIR/NAME, where NAME has no slash and, as a file's name, at most 255
 * bytes. */
static void split_path(char *run, settings *s)
{
    char *slash = strrchr(run, '/');
    snprintf(s->name, sizeof s->name, "%.255s", slash ? slash + 1 : run);
    if (slash)
        *slash = 0;
    s->out = slash ? (slash == run ? "/" : run) : ".";
}

int run_resume(int argc, char **argv)
{
    trainer t = {0};
    char run[1024];
    const char *options[MOST_FLAGS];
    arguments a = {.flags = flags, .most = 1};
    int code = parse_arguments(&a, argc, argv,
                               "usage: hourglass resume [RUN] [options]\n"
                               "  hourglass resume runs/first\n"
                               "  hourglass resume runs/first --epochs 40\n"
                               "  hourglass resume runs/first --replay\n"
                               "without RUN: the newest below --out");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    json_t *config = NULL;
    if (!find_run(a.positional[0], flag_text(&a, "out"), false, run,
                  sizeof run) ||
        !(config = run_config(run)) ||
        !settings_of(run, config, &t.s, options, MOST_FLAGS)) {
        json_decref(config);
        return report_error();
    }
    t.options = options;
    code = read_changes(&a, &t.s);
    split_path(run, &t.s);
    if (!code)
        code = flag_given(&a, "replay")
                   ? replay_bundle(&t)
                   : train_and_close(&t, argc, argv, false);
    json_decref(config);
    return code;
}
