/* doctor.c - `hourglass doctor`: what was found, what is missing, and what
 * that costs. */
#include "apps/run.h"
#include "ops/onednn.h"
#include "tensor/device.h"

#include <string.h>

static const flag flags[] = {
    {"json", NULL, "one JSON object on standard output", NULL, NULL, 0},
    {0},
};

typedef struct {
    const char *name;
    bool found;
    const char *gives, *costs; /* what it is for; what its absence means */
} part;

#ifdef HG_HAVE_ONEDNN
#define ONEDNN      true
#define ONEDNN_TEXT "oneDNN and "
#else
#define ONEDNN      false
#define ONEDNN_TEXT ""
#endif
#ifdef HG_HAVE_PNG
#define PNG true
#else
#define PNG false
#endif
#ifdef HG_HAVE_JPEG
#define JPEG true
#else
#define JPEG false
#endif
#ifdef HG_HAVE_CURL
#define CURL true
#else
#define CURL false
#endif
#ifdef HG_HAVE_ZIP
#define ZIP true
#else
#define ZIP false
#endif
#ifdef HG_HAVE_CAIRO
#define CAIRO true
#else
#define CAIRO false
#endif
#ifdef HG_HAVE_JANSSON
#define JANSSON true
#else
#define JANSSON false
#endif
#ifdef HG_HAVE_NETTLE
#define NETTLE true
#else
#define NETTLE false
#endif
#ifdef _OPENMP
#define OPENMP true
#else
#define OPENMP false
#endif

#ifdef HG_HAVE_CUDA
#define CUDA true
#else
#define CUDA false
#endif

static const part parts[] = {
    {"OpenMP", OPENMP, "all cores are used", "one core is used"},
    {"oneDNN", ONEDNN, "fast products and convolutions",
     "plain-C kernels run instead, several times slower (libdnnl-dev)"},
    {"Jansson", JANSSON, "weights are read and written",
     "no safetensors files (libjansson-dev)"},
    {"nettle", NETTLE, "data files are checked by SHA-256",
     "data files are not checked (nettle-dev)"},
    {"libpng", PNG, "pictures, and folders of PNG",
     "no pictures, no folders of PNG (libpng-dev)"},
    {"libjpeg", JPEG, "folders of JPEG", "no JPEG (libjpeg62-turbo-dev)"},
    {"libcurl", CURL, "named data sets are fetched",
     "named data sets are not fetched (libcurl4-openssl-dev)"},
    {"libzip", ZIP, "arrays from .npz", "no .npz, only .npy (libzip-dev)"},
    {"cairo", CAIRO, "charts", "no charts (libcairo2-dev)"},
    {"CUDA", CUDA, "kernels for NVIDIA GPUs",
     "this build runs on the CPU only (nvcc of the CUDA Toolkit)"},
};

enum { PARTS = sizeof parts / sizeof parts[0] };

static const char kernels[] =
    ONEDNN_TEXT "own vector kernels; plain C ones beside them as reference";

static void describe_data(hg_context *context, char *text, size_t size)
{
    hg_data *data =
        hg_data_open(context, "mnist", (hg_data_options){.offline = true});
    if (data)
        snprintf(text, size, "found, %lld images to train",
                 (long long)hg_data_size(data));
    else
        snprintf(text, size, "%s", hg_error());
    hg_error_clear();
}

/* Which GPU would be used, or why none; what is missing for it. */
static void describe_gpu(char *text, size_t size)
{
    char reason[256];
    hg_device_facts f;
    int count = hg_device_count(reason, sizeof reason);
    if (!count || !hg_device_ask(0, &f)) {
        snprintf(text, size, "none: %s", count ? "it does not answer" : reason);
        return;
    }
    const char *blas = hg_device_products();
    snprintf(text, size,
             "%s, compute capability %d.%d, %.1f of %.1f GiB free, %s; %s",
             f.name, f.major, f.minor, (double)f.free / (1 << 30),
             (double)f.memory / (1 << 30), hg_device_version(), blas);
}

/* With the version where there is one to tell. */
static const char *gives(const part *p, char text[96])
{
    char version[32];
    if (strcmp(p->name, "oneDNN") || !hg_onednn_version(version))
        return p->gives;
    snprintf(text, 96, "%s (version %s)", p->gives, version);
    return text;
}

static void print_report(hg_context *context, const char *mnist)
{
    char spin[96], version[32], gpu[512];
    describe_spinning(spin, sizeof spin);
    describe_gpu(gpu, sizeof gpu);
    json_t *list = json_object();
    for (int i = 0; i < PARTS; i++)
        json_object_set_new(list, parts[i].name, json_boolean(parts[i].found));
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s?, s:o, s:s, s:s}",
                  "version", HG_VERSION, "device", hg_context_device(context),
                  "instructions", hg_context_instructions(context), "threads",
                  hg_context_threads(context), "idle_threads", spin, "kernels",
                  kernels, "onednn", hg_onednn_version(version), "libraries",
                  list, "mnist", mnist, "gpu", gpu);
    print_json(object);
    json_decref(object);
}

static void print_text(hg_context *context, const char *mnist)
{
    char spin[96], text[96], gpu[512];
    describe_spinning(spin, sizeof spin);
    describe_gpu(gpu, sizeof gpu);
    printf("hourglass %s\n", HG_VERSION);
    printf("  device        %s\n", hg_context_device(context));
    printf("  gpu           %s\n", gpu);
    printf("  instructions  %s\n", hg_context_instructions(context));
    printf("  threads       %d\n", hg_context_threads(context));
    printf("  idle threads  %s\n", spin);
    printf("  kernels       %s\n", kernels);
    for (int i = 0; i < PARTS; i++)
        printf("  %-12s  %-8s %s\n", parts[i].name,
               parts[i].found ? "found" : "missing",
               parts[i].found ? gives(&parts[i], text) : parts[i].costs);
    printf("  mnist         %s\n", mnist);
}

int run_doctor(int argc, char **argv)
{
    char mnist[1024];
    arguments a = {.flags = flags};
    int code =
        parse_arguments(&a, argc, argv, "usage: hourglass doctor [--json]");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    hg_context *context = hg_context_new("auto", 1);
    if (!context)
        return report_error();
    describe_data(context, mnist, sizeof mnist);
    if (flag_given(&a, "json"))
        print_report(context, mnist);
    else
        print_text(context, mnist);
    hg_context_free(context);
    return EXIT_DONE;
}
