/* mnist.c - finds the four files of MNIST, or of a set that uses its names. */
#include "datasets/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, FILES };

/* SHA-256 of the uncompressed files. */
static const struct {
    const char *name, *sha256;
} file[FILES] = {
    {"train-images-idx3-ubyte",
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte",
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte",
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte",
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
};

typedef char path[4096];

/* FOLDER/NAME or FOLDER/NAME.gz, whichever is there; false if neither. */
static bool find_file(const char *folder, const char *name, path out)
{
    for (int gz = 0; gz < 2; gz++) {
        int n = snprintf(out, sizeof(path), "%s/%s%s", folder, name,
                         gz ? ".gz" : "");
        if (n < (int)sizeof(path) && !access(out, F_OK))
            return true;
    }
    return false;
}

static bool find_all(const char *folder, path found[FILES], int *missing)
{
    for (*missing = 0; *missing < FILES; ++*missing)
        if (!find_file(folder, file[*missing].name, found[*missing]))
            return false;
    return true;
}

/* ---- Reading ------------------------------------------------------------ */

static hg_data *give_up(hg_data *data, hg_data *test)
{
    if (data)
        hg_data_clear(data);
    if (test)
        hg_data_clear(test);
    return NULL;
}

static hg_data *read_files(hg_context *context, const char *name,
                           path at[FILES], bool checked)
{
    const char *sha256[FILES] = {0};
    for (int i = 0; i < FILES && checked; i++)
        sha256[i] = file[i].sha256;
    hg_data *data = hg_data_new(context, name);
    hg_data *test = data ? hg_data_new(context, name) : NULL;
    if (test && hg_idx_images(data, at[TRAIN_IMAGES], sha256[TRAIN_IMAGES]) &&
        hg_idx_labels(data, at[TRAIN_LABELS], sha256[TRAIN_LABELS]) &&
        hg_idx_images(test, at[TEST_IMAGES], sha256[TEST_IMAGES]) &&
        hg_idx_labels(test, at[TEST_LABELS], sha256[TEST_LABELS])) {
        data->test = test;
        return data;
    }
    return give_up(data, test);
}

/* ---- By name ------------------------------------------------------------ */

/* The roots in order; `text` gives room for the last. Returns their count. */
static int data_roots(const char *data_dir, const char *root[3], path text)
{
    const char *given = getenv("HOURGLASS_DATA");
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;
    if (data_dir && data_dir[0])
        root[n++] = data_dir;
    if (given && given[0])
        root[n++] = given;
    if (cache && cache[0])
        snprintf(text, sizeof(path), "%s/hourglass", cache);
    else if (home && home[0])
        snprintf(text, sizeof(path), "%s/.cache/hourglass", home);
    else
        return n;
    root[n++] = text;
    return n;
}

/* The first folder with a full set. `tried` collects the places. */
static bool find_mnist(const char *data_dir, path found[FILES], path tried)
{
    const char *root[3];
    path text, folder;
    int missing, roots = data_roots(data_dir, root, text);
    size_t at = 0;
    tried[0] = 0;
    for (int i = 0; i < 2 * roots; i++) {
        snprintf(folder, sizeof folder, "%s/%s", root[i / 2],
                 i % 2 ? "MNIST/raw" : "mnist");
        if (find_all(folder, found, &missing))
            return true;
        if (at < sizeof(path))
            at += (size_t)snprintf(tried + at, sizeof(path) - at, "\n  %s%s%s",
                                   folder, missing ? " has no " : "",
                                   missing ? file[missing].name : "");
    }
    return false;
}

static hg_data *mnist_missing(const char *tried)
{
    hg_fail(HG_ERROR_DATA,
            "mnist: the files were not found. Put these four (or NAME.gz) into "
            "ROOT/mnist and set HOURGLASS_DATA=ROOT, or use the data set "
            "synthetic, which needs no files. SHA-256 and name:\n"
            "  %s  %s\n  %s  %s\n  %s  %s\n  %s  %s\nLooked for in:%s",
            file[0].sha256, file[0].name, file[1].sha256, file[1].name,
            file[2].sha256, file[2].name, file[3].sha256, file[3].name,
            tried[0] ? tried : " nowhere (HOURGLASS_DATA and HOME are unset)");
    return NULL;
}

hg_data *hg_data_open_mnist(hg_context *context, const char *data_dir)
{
    path found[FILES], tried;
    if (!find_mnist(data_dir, found, tried))
        return mnist_missing(tried);
    return read_files(context, "mnist", found, true);
}

bool hg_data_is_mnist_folder(const char *folder)
{
    path found;
    return find_file(folder, file[0].name, found);
}

hg_data *hg_data_open_mnist_folder(hg_context *context, const char *folder,
                                   const char *name)
{
    path found[FILES];
    int missing;
    if (find_all(folder, found, &missing))
        return read_files(context, name, found, false);
    hg_fail(HG_ERROR_DATA,
            "%s: %s (or %s.gz) is not in this folder; a folder of IDX files "
            "has %s, %s, %s and %s",
            folder, file[missing].name, file[missing].name, file[0].name,
            file[1].name, file[2].name, file[3].name);
    return NULL;
}
