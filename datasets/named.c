/* named.c - the data sets that have a name, and finding their files. */
#include "datasets/named.h"
#include "tensor/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* SHA-256 of mnist: of the unpacked files, measured; they are the ones that
 * every library has. fashion-mnist and binarized-mnist: of the files as they
 * are fetched, from TensorFlow Datasets (url_checksums/fashion_mnist.txt and
 * binarized_mnist.txt); cifar10: of the archive from the same place
 * (url_checksums/cifar10.txt has the Python one; the binary one is in
 * torch-rb's torchvision, lib/torchvision/datasets/cifar10.rb, with those of
 * its members, see cifar.c). */
static const hg_named sets[] = {
    {"mnist",
     "70,000 handwritten digits, 28 x 28 (LeCun, Cortes and Burges)",
     "MNIST/raw",
     {"https://ossci-datasets.s3.amazonaws.com/mnist",
      "https://storage.googleapis.com/cvdf-datasets/mnist"},
     {{"train-images-idx3-ubyte.gz",
       "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", NULL,
       0},
      {"train-labels-idx1-ubyte.gz",
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", NULL,
       0},
      {"t10k-images-idx3-ubyte.gz",
       "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", NULL,
       0},
      {"t10k-labels-idx1-ubyte.gz",
       "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", NULL,
       0}},
     hg_mnist_read},
    {"fashion-mnist",
     "70,000 pictures of clothes, 28 x 28 (Xiao, Rasul and Vollgraf, 2017)",
     "FashionMNIST/raw",
     {"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/"
      "data/fashion",
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"},
     {{"train-images-idx3-ubyte.gz", NULL,
       "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
       26421880},
      {"train-labels-idx1-ubyte.gz", NULL,
       "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
       29515},
      {"t10k-images-idx3-ubyte.gz", NULL,
       "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
       4422102},
      {"t10k-labels-idx1-ubyte.gz", NULL,
       "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
       5148}},
     hg_mnist_read},
    {"binarized-mnist",
     "MNIST in black and white, drawn once (Larochelle and Murray, 2011)",
     NULL,
     {"https://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist",
      "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist"},
     {{"binarized_mnist_train.amat",
       "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d", NULL,
       78400000},
      {"binarized_mnist_valid.amat",
       "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2", NULL,
       15680000},
      {"binarized_mnist_test.amat",
       "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c", NULL,
       15680000}},
     hg_amat_read},
    {"cifar10",
     "60,000 colour photographs in 10 classes, 32 x 32 (Krizhevsky, 2009)",
     NULL,
     {"https://www.cs.toronto.edu/~kriz"},
     {{"cifar-10-binary.tar.gz", NULL,
       "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
       170052171}},
     hg_cifar_read},
};

enum { SETS = sizeof sets / sizeof sets[0] };

const hg_named *hg_named_find(const char *name)
{
    for (int i = 0; i < SETS; i++)
        if (!strcmp(sets[i].name, name))
            return &sets[i];
    return NULL;
}

const char *hg_data_known(int i, const char **about)
{
    const hg_named *set = i >= 0 && i < SETS ? &sets[i] : NULL;
    if (set && about)
        *about = set->about;
    return set ? set->name : NULL;
}

/* ---- Where files lie ---------------------------------------------------- */

/* The roots in order; `text` gives room for the last. Returns their count. */
static int data_roots(const char *data_dir, const char *root[3],
                      hg_location text)
{
    const char *given = getenv("HOURGLASS_DATA");
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;
    if (data_dir && data_dir[0])
        root[n++] = data_dir;
    if (given && given[0])
        root[n++] = given;
    if (cache && cache[0])
        snprintf(text, sizeof(hg_location), "%s/hourglass", cache);
    else if (home && home[0])
        snprintf(text, sizeof(hg_location), "%s/.cache/hourglass", home);
    else
        return n;
    root[n++] = text;
    return n;
}

/* FOLDER/NAME or, of NAME.gz, FOLDER/NAME: whichever is there. */
static bool find_file(const char *folder, const char *name, hg_location out)
{
    size_t bare = strlen(name);
    if (bare > 3 && !strcmp(name + bare - 3, ".gz"))
        bare -= 3;
    for (int gz = 0; gz < 2; gz++) {
        int n = snprintf(out, sizeof(hg_location), "%s/%.*s", folder,
                         gz ? (int)strlen(name) : (int)bare, name);
        if (n < (int)sizeof(hg_location) && !access(out, F_OK))
            return true;
    }
    return false;
}

static bool find_all(const hg_named *set, const char *folder, hg_location *at,
                     int *missing)
{
    for (*missing = 0; *missing < HG_MOST_FILES && set->file[*missing].name;
         ++*missing)
        if (!find_file(folder, set->file[*missing].name, at[*missing]))
            return false;
    return true;
}

/* NAME, or NAME without .gz, in the set's folder below one of the roots; false
 * without an error where a file is missing: `missing` is its number. */
static bool locate(const hg_named *set, const char *data_dir, hg_location *at,
                   int *missing)
{
    const char *root[3], *below[2] = {set->name, set->other};
    hg_location text, folder;
    int roots = data_roots(data_dir, root, text);
    for (int i = 0; i < 2 * roots; i++) {
        if (!below[i % 2])
            continue;
        snprintf(folder, sizeof folder, "%s/%s", root[i / 2], below[i % 2]);
        if (find_all(set, folder, at, missing))
            return true;
    }
    return false;
}

void hg_named_tried(const hg_named *set, const char *data_dir, char out[512])
{
    const char *root[3], *below[2] = {set->name, set->other};
    hg_location text, folder, at[HG_MOST_FILES];
    int missing, roots = data_roots(data_dir, root, text);
    snprintf(out, 512, "%s",
             roots ? "" : " nowhere (HOURGLASS_DATA and HOME are unset)");
    for (int i = 0; i < 2 * roots; i++) {
        if (!below[i % 2])
            continue;
        size_t end = strlen(out);
        snprintf(folder, sizeof folder, "%s/%s", root[i / 2], below[i % 2]);
        find_all(set, folder, at, &missing);
        snprintf(out + end, 512 - end, "\n  %s%s%s", folder,
                 missing ? " has no " : "",
                 missing ? set->file[missing].name : "");
    }
}

static void make_folders(const char *path)
{
    hg_location part;
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        (void)!mkdir(part, 0777);
        *slash = '/';
    }
    (void)!mkdir(part, 0777);
}

bool hg_named_folder(const hg_named *set, const char *data_dir, bool make,
                     hg_location out)
{
    const char *root[3];
    hg_location text;
    int roots = data_roots(data_dir, root, text);
    for (int i = 0; i < roots; i++) {
        snprintf(out, sizeof(hg_location), "%s/%s", root[i], set->name);
        if (make)
            make_folders(out);
        if (!make || !access(out, W_OK))
            return true;
    }
    if (!roots)
        snprintf(out, sizeof(hg_location),
                 "ROOT/%s, and set HOURGLASS_DATA=ROOT", set->name);
    return false;
}

/* ---- Opening ------------------------------------------------------------ */

/* What was read and checked once is packed in the cache, so that the next start
 * maps it in no time: CACHE/packed/NAME-KEY.pack, where the key is made of the
 * places, sizes and times of the files. Any other file gives another key. */
static bool packed_name(const hg_named *set, hg_location *at, hg_location out)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool own = cache && cache[0];
    uint64_t key = 0;
    if (!own && (!home || !home[0]))
        return false;
    for (int i = 0; i < HG_MOST_FILES && set->file[i].name; i++) {
        struct stat st;
        char text[sizeof(hg_location) + 64];
        if (stat(at[i], &st))
            return false;
        snprintf(text, sizeof text, "%.4000s %lld %lld %ld", at[i],
                 (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                 st.st_mtim.tv_nsec);
        key = 31 * key + hg_hash_text(text);
    }
    int n = snprintf(out, sizeof(hg_location), "%s%s/hourglass/packed",
                     own ? cache : home, own ? "" : "/.cache");
    if (n > 4000)
        return false;
    make_folders(out);
    snprintf(out + n, sizeof(hg_location) - (size_t)n, "/%s-%016llx.pack",
             set->name, (unsigned long long)key);
    return true;
}

static hg_data *open_packed(hg_context *context, const hg_named *set,
                            const char *path)
{
    hg_data *data = access(path, R_OK) ? NULL : hg_data_new(context, set->name);
    if (data && hg_pack_read(data, path))
        return data;
    if (data) {
        hg_data_clear(data);
        hg_error_clear();
        unlink(path); /* damaged: it is made anew */
    }
    return NULL;
}

/* All named sets are of bytes. A cache that cannot be written is none. */
static void keep_packed(hg_data *data, const char *path)
{
    hg_data *parts[2] = {data, data->test};
    for (int i = 0; i < 2; i++) {
        parts[i]->span = 255;
        parts[i]->range[1] = 1;
    }
    if (!hg_data_pack(data, path))
        hg_error_clear();
}

hg_data *hg_named_open(hg_context *context, const hg_named *set,
                       const hg_data_options *options)
{
    hg_location at[HG_MOST_FILES];
    int missing;
    if (!locate(set, options->data_dir, at, &missing) &&
        (!hg_named_fetch(context, set, options) ||
         !locate(set, options->data_dir, at, &missing)))
        return NULL;
    hg_location path;
    bool cached = packed_name(set, at, path);
    hg_data *data = cached ? open_packed(context, set, path) : NULL;
    if (data || hg_error())
        return data;
    data = set->read(context, set->name, at, set->file);
    if (data && cached)
        keep_packed(data, path);
    return data;
}

bool hg_data_fetch(hg_context *context, const char *name,
                   hg_data_options options)
{
    hg_location at[HG_MOST_FILES];
    int missing;
    const hg_named *set = name ? hg_named_find(name) : NULL;
    if (!hg_context_usable(context, "hg_data_fetch"))
        return false;
    if (!set)
        return hg_fail(HG_ERROR_DATA,
                       "there is no data set %s to be fetched; names are "
                       "mnist, fashion-mnist, binarized-mnist and cifar10",
                       name ? name : "(NULL)");
    return locate(set, options.data_dir, at, &missing) ||
           hg_named_fetch(context, set, &options);
}

bool hg_data_locate(const char *name, const char *data_dir, char *text,
                    size_t size)
{
    hg_location at[HG_MOST_FILES];
    int missing;
    const hg_named *set = name ? hg_named_find(name) : NULL;
    if (!set || !locate(set, data_dir, at, &missing))
        return false;
    char *slash = strrchr(at[0], '/');
    *slash = 0;
    snprintf(text, size, "%s", at[0]);
    return true;
}
