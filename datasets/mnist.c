/* mnist.c - reads the four files of MNIST, or of a set that uses its names. */
#include "datasets/named.h"

#include <string.h>
#include <unistd.h>

enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, FILES };

static const char *const names[FILES] = {
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static hg_data *read_files(hg_context *context, const char *name,
                           hg_location *at, const char *const sha256[FILES])
{
    hg_data *data = hg_data_new(context, name);
    hg_data *test = data ? hg_data_new(context, name) : NULL;
    if (test && hg_idx_images(data, at[TRAIN_IMAGES], sha256[TRAIN_IMAGES]) &&
        hg_idx_labels(data, at[TRAIN_LABELS], sha256[TRAIN_LABELS]) &&
        hg_idx_images(test, at[TEST_IMAGES], sha256[TEST_IMAGES]) &&
        hg_idx_labels(test, at[TEST_LABELS], sha256[TEST_LABELS])) {
        data->test = test;
        return data;
    }
    if (data)
        hg_data_clear(data);
    if (test)
        hg_data_clear(test);
    return NULL;
}

/* Where only the packed file has a known hash, it is checked as it lies. */
static bool check_packed(hg_context *context, const char *at,
                         const char *wanted)
{
    char found[65];
    size_t n = strlen(at);
    if (n < 3 || strcmp(at + n - 3, ".gz")) {
        hg_message(context,
                   "%s: not checked; the known SHA-256 is of the .gz file", at);
        return true;
    }
    if (!hg_file_sha256(at, found))
        return false;
    return !found[0] || !strcmp(found, wanted) ||
           hg_fail(HG_ERROR_DATA,
                   "%s: the SHA-256 is %s, not %s: a damaged or another file; "
                   "remove it to have it fetched again, or open its folder by "
                   "path to use it as it is",
                   at, found, wanted);
}

hg_data *hg_mnist_read(hg_context *context, const char *name, hg_location *at,
                       const hg_remote_file *file)
{
    const char *sha256[FILES];
    for (int i = 0; i < FILES; i++) {
        sha256[i] = file[i].sha256;
        if (file[i].packed && !check_packed(context, at[i], file[i].packed))
            return NULL;
    }
    return read_files(context, name, at, sha256);
}

/* ---- By path ------------------------------------------------------------ */

/* FOLDER/NAME or FOLDER/NAME.gz, whichever is there; false if neither. */
static bool find_file(const char *folder, const char *name, hg_location out)
{
    for (int gz = 0; gz < 2; gz++) {
        int n = snprintf(out, sizeof(hg_location), "%s/%s%s", folder, name,
                         gz ? ".gz" : "");
        if (n < (int)sizeof(hg_location) && !access(out, F_OK))
            return true;
    }
    return false;
}

bool hg_data_is_mnist_folder(const char *folder)
{
    hg_location found;
    return find_file(folder, names[0], found);
}

hg_data *hg_data_open_mnist_folder(hg_context *context, const char *folder,
                                   const char *name)
{
    static const char *const not_checked[FILES];
    hg_location at[FILES];
    for (int i = 0; i < FILES; i++)
        if (!find_file(folder, names[i], at[i])) {
            hg_fail(HG_ERROR_DATA,
                    "%s: %s (or %s.gz) is not in this folder; a folder of IDX "
                    "files has %s, %s, %s and %s",
                    folder, names[i], names[i], names[0], names[1], names[2],
                    names[3]);
            return NULL;
        }
    return read_files(context, name, at, not_checked);
}
