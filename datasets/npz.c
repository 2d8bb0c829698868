/* npz.c - several arrays in one zip file, as numpy.savez writes them, through
 * libzip. */
#include "datasets/arrays.h"

#include <string.h>

#ifdef HG_HAVE_ZIP

#include <zip.h>

/* Names of items and labels, to train and to test, most telling first. */
static const char *const array_names[][4] = {
    {"x_train", "y_train", "x_test", "y_test"},
    {"train_images", "train_labels", "test_images", "test_labels"},
    {"x", "y", NULL, NULL},
    {"images", "labels", NULL, NULL},
    {"data", "labels", NULL, NULL},
    {"imgs", NULL, NULL, NULL},
    {"arr_0", "arr_1", NULL, NULL},
};

typedef struct {
    hg_data *data;
    const char *path;
    const hg_data_options *options;
    zip_t *zip;
} archive;

static bool refuse(const archive *a, const char *name, const char *why)
{
    return hg_fail(HG_ERROR_FORMAT, "%s%s%s: %s", a->path, name[0] ? "/" : "",
                   name, why);
}

static int64_t find(const archive *a, const char *name)
{
    char whole[64];
    if (!name)
        return -1;
    snprintf(whole, sizeof whole, "%s.npy", name);
    return zip_name_locate(a->zip, whole, 0);
}

/* ---- One array ---------------------------------------------------------- */

typedef struct {
    const char *name;
    zip_file_t *file;
} member;

static int64_t read_member(void *from, void *out, size_t size)
{
    member *m = from;
    size_t done = 0;
    while (done < size) {
        zip_int64_t got = zip_fread(m->file, (char *)out + done, size - done);
        if (got < 0) {
            hg_fail(HG_ERROR_FORMAT, "%s: the zip data are damaged: %s",
                    m->name, zip_file_strerror(m->file));
            return -1;
        }
        if (!got)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static bool read_values(const archive *a, hg_data *data, member *m,
                        const zip_stat_t *st, bool labels)
{
    hg_npy header;
    uint8_t more;
    hg_stream s = {m->name, read_member, m, (int64_t)st->size};
    if (!hg_npy_header(&s, &header) ||
        !(labels ? hg_npy_labels(data, &s, &header)
                 : hg_npy_items(data, &s, &header, a->options)))
        return false;
    int64_t rest = read_member(m, &more, 1); /* and with it the checksum */
    return rest == 0 ||
           (rest > 0 && refuse(a, st->name, "the array goes on after its end"));
}

static bool read_array(const archive *a, hg_data *data, int64_t index,
                       bool labels)
{
    zip_stat_t st;
    char name[4096];
    if (zip_stat_index(a->zip, (zip_uint64_t)index, 0, &st))
        return refuse(a, "", zip_strerror(a->zip));
    /* Deflate makes at most 1032 bytes of one (Adler's figure for zlib). */
    if (st.size > INT64_MAX / 2 || st.size / 1032 > st.comp_size)
        return refuse(a, st.name, "it says to hold more than it can");
    snprintf(name, sizeof name, "%.3000s/%.1000s", a->path, st.name);
    member m = {name, zip_fopen_index(a->zip, (zip_uint64_t)index, 0)};
    if (!m.file)
        return refuse(a, st.name, zip_strerror(a->zip));
    bool good = read_values(a, data, &m, &st, labels);
    zip_fclose(m.file);
    return good;
}

/* ---- All of them -------------------------------------------------------- */

static bool name_what_is_there(const archive *a)
{
    char list[400] = "";
    zip_int64_t n = zip_get_num_entries(a->zip, 0);
    for (zip_int64_t i = 0; i < n && strlen(list) < 300; i++) {
        const char *name = zip_get_name(a->zip, (zip_uint64_t)i, 0);
        snprintf(list + strlen(list), sizeof list - strlen(list), " %.64s",
                 name ? name : "?");
    }
    return hg_fail(HG_ERROR_DATA,
                   "%s: which of its arrays holds the items? It has%s; call it "
                   "x (labels y), or x_train, y_train, x_test and y_test",
                   a->path, n ? list : " none");
}

static bool read_pair(const archive *a, hg_data *data, int64_t x, int64_t y)
{
    return read_array(a, data, x, false) &&
           (y < 0 || read_array(a, data, y, true));
}

static bool read_test(const archive *a, const char *const names[4])
{
    int64_t x = find(a, names[2]), y = find(a, names[3]);
    if (x < 0)
        return true;
    hg_data *test = hg_data_new(a->data->context, a->data->name);
    if (!test)
        return false;
    a->data->test = test;
    return read_pair(a, test, x, y);
}

static bool read_all(const archive *a)
{
    for (size_t i = 0; i < sizeof array_names / sizeof array_names[0]; i++) {
        const char *const *names = array_names[i];
        int64_t x = find(a, names[0]), y = find(a, names[1]);
        if (x >= 0)
            return read_pair(a, a->data, x, y) && read_test(a, names);
    }
    if (zip_get_num_entries(a->zip, 0) == 1)
        return read_array(a, a->data, 0, false);
    return name_what_is_there(a);
}

bool hg_npz_read(hg_data *data, const char *path, const hg_data_options *o)
{
    int code = 0;
    archive a = {data, path, o, zip_open(path, ZIP_RDONLY, &code)};
    if (!a.zip) {
        zip_error_t why;
        zip_error_init_with_code(&why, code);
        hg_fail(HG_ERROR_FORMAT, "%s: the zip file cannot be read: %s", path,
                zip_error_strerror(&why));
        zip_error_fini(&why);
        return false;
    }
    bool good = read_all(&a);
    zip_discard(a.zip);
    if (good)
        hg_say_array(data, path, "stored item by item", o);
    else if (data->test)
        hg_data_clear(data->test);
    return good;
}

#else

bool hg_npz_read(hg_data *data, const char *path, const hg_data_options *o)
{
    (void)data, (void)o;
    return hg_fail(HG_ERROR_STATE,
                   "%s: this build has no libzip; install libzip-dev and build "
                   "again, or save the arrays as .npy",
                   path);
}

#endif
