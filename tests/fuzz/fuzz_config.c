/* fuzz_config.c - the config.json of a run, and files given to --config. */
#include "apps/run.h"
#include "fuzz.h"

static const flag flags[] = {
    {"epochs", "N", "passes", "10", NULL, 0},
    {"name", "NAME", "of the run", NULL, NULL, 0},
    {"quiet", NULL, "say nothing", NULL, NULL, 'q'},
    {0},
};

/* Sentences go to standard error, which is not wanted here. */
static void be_quiet(void)
{
    static bool done;
    if (!done && !freopen("/dev/null", "w", stderr))
        abort();
    done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[256], *slash;
    const char *given[MOST_FLAGS];
    settings s;
    be_quiet();
    snprintf(path, sizeof path, "%s", fuzz_file("config.json", bytes, size));
    arguments a = {
        .flags = flags,
        .options = HG_OPTIONS(HG_NUMBER("latent", "width of the code", 10))};
    char *argv[] = {"train", "--config", path, NULL};
    (void)parse_arguments(&a, 3, argv, "usage: train");
    hg_error_clear();
    if ((slash = strrchr(path, '/')))
        *slash = 0;
    json_t *config = run_config(path);
    fuzz_judge(config != NULL);
    if (config)
        fuzz_judge(settings_of(path, config, &s, given, MOST_FLAGS));
    json_decref(config);
    return 0;
}
