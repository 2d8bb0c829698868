/* main.c - `hourglass COMMAND ...`. */
#include "apps/app.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const command commands[] = {
    {"train", "train a model and leave a run behind", run_train},
    {"resume", "go on with a run that stopped", run_resume},
    {"eval", "measure a run on its test set", run_eval},
    {"sample", "decode draws from the prior or a mixture", run_sample},
    {"reconstruct", "images beside what the model makes of them",
     run_reconstruct},
    {"encode", "codes as a table", run_encode},
    {"interpolate", "ways between the codes of two images", run_interpolate},
    {"traverse", "what each dimension of the code does", run_traverse},
    {"manifold", "a plane of codes, decoded", run_manifold},
    {"project", "a map of the codes: PCA or t-SNE", run_project},
    {"compare", "several runs in one picture and one table", run_compare},
    {"anomaly", "find what a model does not expect", run_anomaly},
    {"cluster", "groups of codes against the classes", run_cluster},
    {"classify", "classes from few labels", run_classify},
    {"analogy", "styles in every class", run_analogy},
    {"complete", "images from visible quarters", run_complete},
    {"denoise", "clean, noisy, restored", run_denoise},
    {"new", "a file with a model of your own to begin with", run_new},
    {"data", "list, fetch or check named data sets", run_data},
    {"models", "list the models", run_models},
    {"summary", "layers, shapes and parameters of a model", run_summary},
    {"gradcheck", "check a model's gradients in double", run_gradcheck},
    {"bench", "measure the speed of a training step", run_bench},
    {"doctor", "say what was found on this machine", run_doctor},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *f)
{
    fprintf(f, "hourglass - autoencoders in C\n\n"
               "  hourglass train vae --data mnist --epochs 10\n"
               "  hourglass resume runs/NAME\n"
               "  hourglass eval runs/NAME --json\n"
               "  hourglass models\n\ncommands:\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(f, "  %-11s %s\n", commands[i].name, commands[i].about);
    fprintf(f, "\n`hourglass COMMAND --help` says more.\n"
               "exit codes: 0 done, 1 failed, 2 usage, 3 data, 4 device, "
               "5 memory,\n6 not finite, 7 check failed, 8 damaged file, "
               "130 and 143 stopped by a signal, after saving\n");
}

static int unknown(const char *word)
{
    const char *names[COMMANDS + 1] = {0};
    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = nearest(word, names);
    return fail_with(EXIT_USAGE, "there is no command %s; %s%s%s", word,
                     near ? "did you mean " : "`hourglass --help` lists them",
                     near ? near : "", near ? "?" : "");
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("hourglass %s\n", HG_VERSION);
        return EXIT_DONE;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    return unknown(argv[1]);
}

/* Whether it arrives shows when the last of it is written. */
static int check_output(int code)
{
    errno = 0;
    if ((!fflush(stdout) && !ferror(stdout)) || code)
        return code;
    return fail_with(EXIT_FAILED, "the output could not be written%s%s",
                     errno ? ": " : "", errno ? strerror(errno) : "");
}

int main(int argc, char **argv)
{
    bound_spinning(argv);
    return check_output(run(argc, argv));
}
