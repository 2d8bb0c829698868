/* pictures.c - a folder of pictures as a data set.
 *
 * Flat, or with one sub-folder a class, or with train/ and test/ that are
 * either. Pictures are read in the order of their names; what is not a picture
 * is counted, and everything that was assumed is said in one message. */
#include "datasets/folder.h"

#include <string.h>
#include <sys/stat.h>

/* ---- Sizes -------------------------------------------------------------- */

/* What reading a picture said; true if it may be left out. */
static bool leave_out(hg_scan *s)
{
    hg_error_code code = hg_error_kind();
    char why[900];
    snprintf(why, sizeof why, "%s", hg_error());
    if (code != HG_ERROR_FORMAT && code != HG_ERROR_IO)
        return false;
    hg_error_clear();
    s->broken++;
    if (s->options->skip_broken) {
        hg_message(s->data->context, "left out: %s", why);
        return true;
    }
    return hg_fail(code == HG_ERROR_IO ? HG_ERROR_IO : HG_ERROR_DATA,
                   "%s; mend or remove this file, or leave such files out "
                   "(--broken skip)",
                   why);
}

static bool read_entry(const hg_scan *s, hg_region *scratch, int64_t i,
                       bool sizes_only, hg_image *image)
{
    hg_path whole;
    return hg_path_join(whole, s->root, s->list[i].path) &&
           hg_image_read(scratch, whole, sizes_only, image);
}

static bool same_size(hg_scan *s, int64_t i, const hg_image *image)
{
    if (!s->height) {
        s->height = image->height;
        s->width = image->width;
    }
    if (s->options->height ||
        (image->height == s->height && image->width == s->width))
        return true;
    int64_t side = s->height < s->width ? s->height : s->width;
    return hg_fail(HG_ERROR_DATA,
                   "%s: the pictures differ in size: %s is %lld x %lld, %s "
                   "%lld x %lld (width x height); say what size to make them: "
                   "--image-size %lld, and --fit crop, pad or stretch",
                   s->root, s->list[0].path, (long long)s->width,
                   (long long)s->height, s->list[i].path,
                   (long long)image->width, (long long)image->height,
                   (long long)(side < 64 ? side : 64));
}

/* Where size or colour are not said, the pictures' own are found first. */
static bool find_sizes(hg_scan *s)
{
    hg_region scratch = {.context = s->data->context};
    int64_t kept = 0;
    bool colour = false, good = true;
    s->height = s->options->height;
    s->width = s->options->width;
    for (int64_t i = 0; good && i < s->count; i++) {
        hg_image image;
        bool fine = read_entry(s, &scratch, i, true, &image);
        good = fine ? same_size(s, i, &image) : leave_out(s);
        if (fine) {
            colour |= image.channels == 3;
            s->list[kept++] = s->list[i];
        }
        hg_region_free(&scratch);
    }
    s->count = kept;
    s->channels = s->options->channels ? s->options->channels : colour ? 3 : 1;
    return good;
}

/* ---- Pixels ------------------------------------------------------------- */

static bool read_all(hg_scan *s, uint8_t *pixels, int32_t *labels)
{
    hg_region scratch = {.context = s->data->context};
    int64_t bytes = s->height * s->width * s->channels, kept = 0;
    bool good = true;
    for (int64_t i = 0; good && i < s->count; i++) {
        hg_image image;
        bool fine = read_entry(s, &scratch, i, false, &image);
        good = fine ? hg_image_fit(&scratch, &image, s->options->fit, s->height,
                                   s->width, s->channels, pixels + kept * bytes)
                    : leave_out(s);
        if (fine && good) {
            if (labels)
                labels[kept] = s->list[i].label;
            s->list[kept++] = s->list[i];
        }
        hg_region_free(&scratch);
    }
    s->count = s->data->rows = s->data->size = kept;
    return good;
}

static bool keep_names(hg_scan *s)
{
    const char **names =
        hg_region_take(&s->data->region, (size_t)s->count * sizeof *names);
    for (int64_t i = 0; names && i < s->count; i++)
        names[i] = s->list[i].path;
    s->data->names = names;
    return names != NULL;
}

static bool read_pictures(hg_scan *s)
{
    hg_data *data = s->data;
    if (!s->count)
        return hg_fail(HG_ERROR_DATA,
                       "%s: every picture in this folder is broken", s->root);
    if (s->channels * s->height > INT32_MAX / s->width)
        return hg_fail(HG_ERROR_DATA,
                       "%s: pictures of %lld x %lld; make them "
                       "smaller with --image-size",
                       s->root, (long long)s->width, (long long)s->height);
    hg_shape item = {3, {s->channels, s->height, s->width}};
    uint8_t *pixels = hg_data_room(data, item, s->count, HG_BYTES);
    int32_t *labels =
        pixels && data->named_classes ? hg_data_label_room(data) : NULL;
    return pixels && (labels || !data->named_classes) &&
           read_all(s, pixels, labels) && s->count && keep_names(s);
}

static void say_what_was_read(const hg_scan *s)
{
    char kinds[256], classes[160] = "no classes";
    const hg_data *data = s->data;
    if (data->named_classes)
        snprintf(classes, sizeof classes, "%d class%s by sub-folder (%s%s%s%s)",
                 data->named_classes, data->named_classes == 1 ? "" : "es",
                 data->class_names[0],
                 data->named_classes > 2   ? " to "
                 : data->named_classes > 1 ? ", "
                                           : "",
                 data->named_classes > 1
                     ? data->class_names[data->named_classes - 1]
                     : "",
                 "");
    hg_message(
        data->context,
        "%s: %lld picture%s, %s; %lld x %lld (width x height), %s; bytes "
        "0 to 255 become 0 to 1%s%s%s",
        s->root, (long long)s->count, s->count == 1 ? "" : "s", classes,
        (long long)s->width, (long long)s->height,
        s->channels == 3 ? "colour, as planes of red, green and blue" : "grey",
        s->skipped ? "; other files were skipped: " : "",
        hg_scan_skipped(s, kinds), s->broken ? "; broken ones left out" : "");
}

/* ---- The set ------------------------------------------------------------ */

static hg_data *open_part(hg_context *context, const char *root,
                          const char *name, const hg_data_options *options)
{
    hg_data *data = hg_data_new(context, name);
    hg_scan s = {.data = data, .options = options, .root = root};
    if (data && hg_scan_files(&s) && find_sizes(&s) && read_pictures(&s)) {
        say_what_was_read(&s);
        return data;
    }
    if (data)
        hg_data_clear(data);
    return NULL;
}

static bool same_classes(const hg_data *a, const hg_data *b, const char *root)
{
    bool same = a->named_classes == b->named_classes;
    for (int i = 0; same && i < a->named_classes; i++)
        same = !strcmp(a->class_names[i], b->class_names[i]);
    return same ||
           hg_fail(HG_ERROR_DATA,
                   "%s: train/ has %d class folders and test/ has %d, or they "
                   "have other names; both must have the same",
                   root, a->named_classes, b->named_classes);
}

/* test/ gets the colour that train/ has, and must have its size. */
static hg_data *open_parts(hg_context *context, const char *train,
                           const char *test, const char *name,
                           hg_data_options options)
{
    hg_data *data = open_part(context, train, name, &options);
    if (!data)
        return NULL;
    options.channels = (int)data->item.dim[0];
    hg_data *other = open_part(context, test, name, &options);
    if (other && same_classes(data, other, train)) {
        data->test = other;
        return data;
    }
    if (other)
        hg_data_clear(other);
    hg_data_clear(data);
    return NULL;
}

static bool is_folder(const char *at)
{
    struct stat st;
    return !stat(at, &st) && S_ISDIR(st.st_mode);
}

/* By the hash of its name a picture stays where it is when others come. */
static hg_data *with_test_part(hg_data *data, const hg_data_options *options)
{
    if (!data || options->whole)
        return data;
    uint32_t *hash =
        hg_region_take(&data->region, (size_t)data->rows * sizeof *hash);
    for (int64_t i = 0; hash && i < data->rows; i++)
        hash[i] = hg_item_hash(data->names[i]);
    if (hash && hg_data_hold_out(data, hash))
        return data;
    hg_data_clear(data);
    return NULL;
}

hg_data *hg_data_open_pictures(hg_context *context, const char *root,
                               const char *name, const hg_data_options *options)
{
    hg_path train, test;
    if (!hg_path_join(train, root, "train") ||
        !hg_path_join(test, root, "test"))
        return NULL;
    if (is_folder(train) && is_folder(test) && !options->whole)
        return open_parts(context, train, test, name, *options);
    return with_test_part(open_part(context, root, name, options), options);
}
