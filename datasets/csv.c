/* csv.c - one item a line, numbers between commas, semicolons or tabs. */
#include "datasets/arrays.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_FIELD = 64, BLOCK = 1 << 16 };

typedef struct {
    hg_data *data;
    const char *path;
    char field[MOST_FIELD];
    int length;
    char separator; /* 0 before the first was seen */
    bool quoted, names;
    int64_t line, column, columns; /* from 1; columns: 0 in the first line */
    int64_t label;                 /* its column, or 0 */
    float *values;                 /* [room] */
    int32_t *labels;               /* [label_room] */
    int64_t count, room, rows, label_room;
} table;

static bool refuse(const table *t, const char *what)
{
    return hg_fail(HG_ERROR_FORMAT, "%s: line %lld, column %lld: %.63s%s%s",
                   t->path, (long long)t->line, (long long)t->column, t->field,
                   t->field[0] ? " " : "", what);
}

/* Twice the room, the contents copied; NULL on failure, with the old kept. */
static void *grown(hg_context *context, void *old, int64_t *room, size_t size)
{
    int64_t more = *room ? 2 * *room : 4096;
    void *fresh = hg_memory_allocate(context, (size_t)more * size);
    if (!fresh)
        return NULL;
    if (*room)
        memcpy(fresh, old, (size_t)*room * size);
    hg_memory_release(context, old, (size_t)*room * size);
    *room = more;
    return fresh;
}

static bool add_value(table *t, float value)
{
    if (t->count == t->room) {
        void *more = grown(t->data->context, t->values, &t->room, sizeof value);
        if (!more)
            return false;
        t->values = more;
    }
    t->values[t->count++] = value;
    return true;
}

static bool add_label(table *t, double value)
{
    if (!(value >= 0 && value < INT32_MAX) || value != (double)(int32_t)value)
        return refuse(t, "is no class; classes are whole numbers from 0");
    if (t->rows == t->label_room) {
        void *more =
            grown(t->data->context, t->labels, &t->label_room, sizeof(int32_t));
        if (!more)
            return false;
        t->labels = more;
    }
    t->labels[t->rows] = (int32_t)value;
    return true;
}

/* ---- Fields and lines --------------------------------------------------- */

static bool is_label_name(const char *name)
{
    static const char *const known[] = {"label", "class", "target", "y"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcasecmp(name, known[i]))
            return true;
    return false;
}

/* Blanks around a field are no part of it. */
static void trim(table *t)
{
    while (t->length && strchr(" \t", t->field[t->length - 1]))
        t->length--;
    t->field[t->length] = 0;
    size_t blanks = strspn(t->field, " \t");
    memmove(t->field, t->field + blanks, (size_t)t->length + 1 - blanks);
    t->length -= (int)blanks;
}

static bool end_field(table *t)
{
    char *end;
    trim(t);
    t->column++;
    double value = hg_number_of(t->field, &end);
    bool number = t->length && !*end;
    if (t->line == 1 && t->column == 1)
        t->names = t->length && !number; /* a line of names */
    bool good = true;
    if (t->names) {
        if (!t->label && is_label_name(t->field))
            t->label = t->column;
    } else if (!number) {
        good = refuse(t, t->length ? "is no number"
                                   : "the field is empty; fill or remove it");
    } else {
        good = t->column == t->label ? add_label(t, value)
                                     : add_value(t, (float)value);
    }
    t->length = 0;
    return good;
}

static bool end_line(table *t)
{
    if (!t->column && !t->length)
        return true; /* an empty line */
    if (!end_field(t))
        return false;
    if (!t->columns)
        t->columns = t->column;
    if (t->column != t->columns)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: line %lld has %lld columns, the first has %lld",
                       t->path, (long long)t->line, (long long)t->column,
                       (long long)t->columns);
    t->rows += !t->names;
    t->names = false;
    t->column = 0;
    return true;
}

static bool is_separator(table *t, char c)
{
    if (!t->separator && (c == ',' || c == ';' || c == '\t'))
        t->separator = c;
    return c && c == t->separator;
}

static bool take(table *t, char c)
{
    if (c == '"') {
        t->quoted = !t->quoted;
        return true;
    }
    if (c == '\n') {
        bool good = end_line(t);
        t->line++;
        t->quoted = false;
        return good;
    }
    if (c == '\r' || (t->line == 1 && !t->column && !t->length &&
                      strchr("\xef\xbb\xbf", c) && c)) /* byte order mark */
        return true;
    if (!t->quoted && is_separator(t, c))
        return end_field(t);
    if (t->length == MOST_FIELD - 1) {
        t->field[t->length] = 0;
        t->column++;
        return refuse(t, "... is too long for a number");
    }
    t->field[t->length++] = c;
    return true;
}

static bool read_lines(table *t, hg_input *in, char *block)
{
    int64_t got;
    while ((got = hg_input_read(in, block, BLOCK)) > 0)
        for (int64_t i = 0; i < got; i++)
            if (!take(t, block[i]))
                return false;
    return got == 0 && end_line(t) && hg_input_at_end(in);
}

/* ---- The set ------------------------------------------------------------ */

/* The arrays are the set's from here on. */
static bool hand_over(table *t, const hg_data_options *o)
{
    hg_data *data = t->data;
    int64_t features = t->columns - (t->label > 0);
    hg_shape item;
    data->own_values = t->values;
    data->value_bytes = (size_t)t->room * sizeof *t->values;
    data->own_labels = t->labels;
    data->label_bytes = (size_t)t->label_room * sizeof *t->labels;
    if (!t->rows || features < 1 || features > INT32_MAX)
        return hg_fail(HG_ERROR_DATA,
                       "%s: there are no numbers; one item a line is read, its "
                       "values between commas, semicolons or tabs",
                       t->path);
    if (!hg_row_shape(t->path, features, o, &item))
        return false;
    hg_data_set_shape(data, item, t->rows, HG_FLOATS);
    data->values = t->values;
    data->labels = t->labels;
    return true;
}

bool hg_csv_read(hg_data *data, const char *path, const hg_data_options *o)
{
    hg_input in;
    table t = {.data = data, .path = path, .line = 1};
    if (!hg_input_open(&in, data->context, path))
        return false;
    char *block = hg_region_take(&in.region, BLOCK);
    bool good = block && read_lines(&t, &in, block);
    hg_input_close(&in);
    good = hand_over(&t, o) && good;
    if (good)
        hg_say_array(data, path,
                     t.label ? "one a line, the column of labels taken out"
                             : "one a line",
                     o);
    return good;
}
