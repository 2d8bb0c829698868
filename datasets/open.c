/* open.c - data sets by path: what is there, by its first bytes? */
#include "datasets/arrays.h"
#include "datasets/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
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

/* NAME.csv or NAME.csv.gz */
static bool has_end(const char *at, const char *end)
{
    size_t n = strlen(at), m = strlen(end);
    if (n > 3 && !strcasecmp(at + n - 3, ".gz"))
        n -= 3;
    return n > m && !strncasecmp(at + n - m, end, m);
}

static bool read_file(hg_data *data, const char *at,
                      const hg_data_options *options)
{
    uint8_t head[8] = {0};
    hg_input in;
    if (!hg_input_open(&in, data->context, at))
        return false;
    int64_t got = hg_input_read(&in, head, sizeof head);
    hg_input_close(&in);
    if (got < 0)
        return false;
    if (!memcmp(head, "HGPACK1\n", 8))
        return hg_pack_read(data, at);
    if (!memcmp(head, "\x93NUMPY", 6))
        return hg_npy_read(data, at, options);
    if (!memcmp(head, "PK\3\4", 4) || !memcmp(head, "PK\5\6", 4))
        return hg_npz_read(data, at, options);
    if (has_end(at, ".csv") || has_end(at, ".tsv") || has_end(at, ".txt"))
        return hg_csv_read(data, at, options);
    if (got > 3 && !head[0] && !head[1])
        return read_idx(data, at);
    return hg_fail(
        HG_ERROR_FORMAT, "%s: %s", at,
        hg_image_has_name(at)
            ? "a single picture; give the folder that holds them"
            : "what is in this file? IDX, .npy, .npz, .csv and packed files "
              "are read, and folders of pictures");
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
