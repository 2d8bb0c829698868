/* new.c - `hourglass new NAME`: a model of one's own to begin with. */
#include "apps/app.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const flag flags[] = {
    {"overwrite", NULL, "replace a file of this name", NULL, NULL, 0},
    {0},
};

/* @ stands for the name as C has it, # for the name as one types it. */
static const char *const skeleton[] = {
    "/* @.c - a variational autoencoder to change.",
    " *",
    " *     hourglass train ./@.c --data mnist      train it",
    " *     hourglass train ./@.c --help            with its own options",
    " *     hourglass gradcheck ./@.c               check its gradients",
    " *",
    " * Write down what the model is, as the papers do:",
    " *",
    " *   q(z|x) = N(mu(x), std(x)^2),  p(z) = N(0, I)",
    " *   loss   = |x - decoder(z)|^2 + beta KL(q(z|x) || p(z)), nats per "
    "image",
    " */",
    "#include <hourglass.h>",
    "",
    "/* What build() makes and the other functions use. */",
    "struct @ {",
    "    nn_layer *encoder, *decoder;",
    "    double beta;",
    "};",
    "",
    "/* Makes the layers; their parameters are saved as encoder.0.weight, ... "
    "*/",
    "static void build(void *model, hg_params *p, const hg_config *c)",
    "{",
    "    struct @ *m = model;",
    "    int64_t in = hg_config_int(c, \"inputs\"); /* channels * h * w */",
    "    int64_t h = hg_config_int(c, \"hidden\");",
    "    int64_t latent = hg_config_int(c, \"latent\");",
    "    m->encoder = nn_mlp(p, \"encoder\", nn_relu, in, h, 2 * latent);",
    "    m->decoder = nn_mlp(p, \"decoder\", nn_relu, latent, h, in);",
    "    m->beta = hg_config_number(c, \"beta\");",
    "}",
    "",
    "/* mu and std of q(z|x), each [batch, latent]; the encoder says log "
    "std^2. */",
    "static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)",
    "{",
    "    struct @ *m = model;",
    "    return nn_normal_head(nn_forward(m->encoder, x), nn_std_of_log_var,",
    "                          std);",
    "}",
    "",
    "/* [batch, latent] -> [batch, inputs], in [0, 1]. */",
    "static hg_tensor *decode(void *model, hg_tensor *z)",
    "{",
    "    struct @ *m = model;",
    "    return hg_sigmoid(nn_forward(m->decoder, z));",
    "}",
    "",
    "/* What is minimised, one number an image: [batch]. */",
    "static hg_tensor *loss(void *model, const hg_batch *b)",
    "{",
    "    struct @ *m = model;",
    "    hg_tensor *std, *mu = posterior(m, b->x, &std);",
    "    hg_tensor *z = hg_normal_sample(mu, std); /* mu + std * noise */",
    "    hg_tensor *error = hg_square(hg_sub(decode(m, z), b->target));",
    "    hg_tensor *kl = hg_sum(hg_normal_kl(mu, std), HG_FROM(1));",
    "    hg_report(\"kl\", kl); /* into the log and the curves */",
    "    return hg_add(hg_sum(error, HG_FROM(1)), hg_scale(kl, m->beta));",
    "}",
    "",
    "/* Codes, draws from N(0, I) and the KL are made from the posterior;",
    " * models/model.h has the slots to fill where yours are others. */",
    "static const hg_model model = {",
    "    .name = \"#\",",
    "    .about = \"a variational autoencoder to change\",",
    "    /* Shown by --help; --latent 2 on the command line changes it. */",
    "    .options = HG_OPTIONS(HG_NUMBER(\"latent\", \"width of the code\", "
    "10),",
    "                          HG_NUMBER(\"hidden\", \"hidden units\", 400),",
    "                          HG_NUMBER(\"beta\", \"weight of the KL\", 1)),",
    "    .batch_size = 128,",
    "    .size = sizeof(struct @),",
    "    .likelihood = HG_LIKELIHOOD_GAUSSIAN,",
    "    .build = build,",
    "    .loss = loss,",
    "    .posterior = posterior,",
    "    .decode = decode,",
    "};",
    "HG_EXPORT_MODEL(model)",
    NULL,
};

static void write_skeleton(FILE *f, const char *name, const char *symbol)
{
    for (const char *const *line = skeleton; *line; line++) {
        for (const char *c = *line; *c; c++)
            if (*c == '@' || (*c == '#' && c[1] == '"'))
                fputs(*c == '@' ? symbol : name, f);
            else
                fputc(*c, f);
        fputc('\n', f);
    }
}

/* Words of C that `struct` cannot stand before, and names of the library. */
static bool is_taken(const char *symbol)
{
    static const char words[] =
        " auto break case char const continue default do double else enum "
        "extern float for goto if inline int long register restrict return "
        "short signed sizeof static struct switch typedef union unsigned void "
        "volatile while asm typeof ";
    char word[70];
    snprintf(word, sizeof word, " %s ", symbol);
    return strstr(words, word) || !strncmp(symbol, "hg_", 3) ||
           !strncmp(symbol, "nn_", 3);
}

/* my-vae becomes my_vae. */
static bool symbol_of(const char *name, char symbol[64])
{
    size_t n = strlen(name);
    if (n < 1 || n > 60 || !islower((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i <= n; i++) {
        char c = name[i];
        if (c && !islower((unsigned char)c) && !isdigit((unsigned char)c) &&
            c != '-' && c != '_')
            return false;
        symbol[i] = c == '-' ? '_' : c;
    }
    return true;
}

static int make(const char *name, const char *symbol, bool overwrite)
{
    char path[80], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s.c", symbol);
    if (!overwrite && !access(path, F_OK))
        return fail_with(EXIT_USAGE,
                         "%s is there already; use another name, or "
                         "--overwrite",
                         path);
    FILE *f = open_memstream(&text, &size);
    if (f)
        write_skeleton(f, name, symbol);
    bool ok = f && !fclose(f)
                  ? write_file(path, text, size)
                  : hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
    free(text);
    if (!ok)
        return report_error();
    printf("%s is yours. Try\n  hourglass train ./%s --data mnist --epochs 2\n",
           path, path);
    return EXIT_DONE;
}

int run_new(int argc, char **argv)
{
    char symbol[64];
    arguments a = {.flags = flags, .most = 1};
    int code =
        parse_arguments(&a, argc, argv,
                        "usage: hourglass new NAME [options]\n"
                        "  hourglass new my-vae\n"
                        "writes my_vae.c, a model of one file, to change "
                        "and to train");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    if (a.count != 1)
        return fail_with(EXIT_USAGE, "usage: hourglass new NAME");
    if (!symbol_of(a.positional[0], symbol))
        return fail_with(EXIT_USAGE,
                         "%s: a name of small letters, digits and - is needed, "
                         "like my-vae",
                         a.positional[0]);
    if (is_taken(symbol))
        return fail_with(EXIT_USAGE,
                         "%s means something in C already; use another name, "
                         "like my-%s",
                         a.positional[0], a.positional[0]);
    return make(a.positional[0], symbol, flag_given(&a, "overwrite"));
}
