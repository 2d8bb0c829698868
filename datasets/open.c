/* open.c - data sets by path: what is there, by its first bytes? */
#include "datasets/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef char path[4096];

/* The labels of .../x-images-idx3-y are .../x-labels-idx1-y. */
static bool labels_beside(const char *images, path out)
{
    const char *name = strrchr(images, '/');
    const char *mark = name ? strstr(name, "images-idx3") : NULL;
    if (!mark)
        return false;
    int n =
        snprintf(out, sizeof(path), "%.*slabels-idx1%s", (int)(mark - images),
                 images, mark + strlen("images-idx3"));
    return n < (int)sizeof(path) && !access(out, F_OK);
}

static bool read_idx(hg_data *data, const char *at)
{
    path labels;
    return hg_idx_images(data, at, NULL) &&
           (!labels_beside(at, labels) || hg_idx_labels(data, labels, NULL));
}

static bool read_file(hg_data *data, const char *at,
                      const hg_data_options *options)
{
    (void)options;
    return read_idx(data, at);
}

static hg_data *open_file(hg_context *context, const char *at, const char *name,
                          const hg_data_options *options)
{
    hg_data *data = hg_data_new(context, name);
    if (data && read_file(data, at, options) &&
        (options->whole || data->test || hg_data_hold_out(data, NULL)))
        return data;
    if (data)
        hg_data_clear(data);
    return NULL;
}

/* The last part of a path, without slashes at its end. */
static void base_name(const char *at, char name[64])
{
    size_t end = strlen(at);
    while (end > 1 && at[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin && at[begin - 1] != '/')
        begin--;
    snprintf(name, 64, "%.*s", (int)(end - begin), at + begin);
}

/* The path without slashes at its end, for messages. */
static void trimmed(const char *at, path out)
{
    size_t n = strlen(at);
    while (n > 1 && at[n - 1] == '/')
        n--;
    snprintf(out, sizeof(path), "%.*s", (int)n, at);
}

hg_data *hg_data_open_path(hg_context *context, const char *at,
                           const hg_data_options *options)
{
    struct stat st;
    char name[64];
    path root;
    if (stat(at, &st)) {
        hg_fail(HG_ERROR_DATA,
                errno == ENOENT || errno == ENOTDIR
                    ? "%s: there is no such file or folder; named sets are "
                      "written without a slash (mnist, synthetic)"
                    : "%s: %s; may you open the folders above it?",
                at, strerror(errno));
        return NULL;
    }
    base_name(at, name);
    trimmed(at, root);
    if (!S_ISDIR(st.st_mode))
        return open_file(context, at, name, options);
    if (hg_data_is_mnist_folder(root))
        return hg_data_open_mnist_folder(context, root, name);
    return hg_data_open_pictures(context, root, name, options);
}
