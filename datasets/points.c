/* points.c - sets of points in the plane, for lessons: a code of one dimension
 * is a line through them, one of two bends the plane.
 *
 * moons       two half circles, one in the other; the moon is the label
 * rings       three circles around one middle; the ring is the label
 * swiss-roll  a spiral of one and a half turns; its quarter is the label
 * mixture     eight normal distributions on a circle; the label says which
 *
 * A point is (x, y) in [0, 1], a function of (seed, part, number) alone. */
#include "datasets/internal.h"
#include "tensor/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI                  3.14159265f
#define FEW                 2000
#define MOST                10000000
#define FIRST_POINTS_STREAM 8 /* of HG_DOMAIN_DATA; two a set */

typedef struct {
    float x, y;
    int32_t label;
} point;

/* What makes a point: a place along the line, and how far from it. */
typedef struct {
    float u, noise[2];
    int32_t which; /* the item's number */
} chance;

static point moon(const chance *c)
{
    int32_t lower = c->which % 2;
    float angle = PI * c->u;
    float x = lower ? 1 - cosf(angle) : cosf(angle);
    float y = lower ? 0.5f - sinf(angle) : sinf(angle);
    return (point){0.5f + 0.28f * (x - 0.5f), 0.5f + 0.28f * (y - 0.25f),
                   lower};
}

static point ring(const chance *c)
{
    int32_t which = c->which % 3;
    float angle = 2 * PI * c->u, radius = 0.13f * (float)(which + 1);
    return (point){0.5f + radius * cosf(angle), 0.5f + radius * sinf(angle),
                   which};
}

/* Even along the line: the square root makes the turns' lengths right. */
static point roll(const chance *c)
{
    float t = sqrtf(0.05f + 0.95f * c->u);
    float angle = 3 * PI * t, radius = 0.42f * t;
    int32_t quarter = (int32_t)(4 * c->u);
    return (point){0.5f + radius * cosf(angle), 0.5f + radius * sinf(angle),
                   quarter > 3 ? 3 : quarter};
}

static point blob(const chance *c)
{
    int32_t which = c->which % 8;
    float angle = PI / 4 * (float)which;
    return (point){0.5f + 0.36f * cosf(angle), 0.5f + 0.36f * sinf(angle),
                   which};
}

static const struct {
    const char *name;
    point (*draw)(const chance *);
    float noise; /* standard deviation */
} shapes[] = {
    {"moons", moon, 0.02f},
    {"rings", ring, 0.012f},
    {"swiss-roll", roll, 0.012f},
    {"mixture", blob, 0.03f},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static float inside(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static point draw(uint64_t seed, int shape, int part, int64_t i)
{
    uint32_t w[8];
    uint64_t stream =
        FIRST_POINTS_STREAM + 2 * (uint64_t)shape + (uint64_t)part;
    hg_philox p = hg_philox_make(seed, HG_DOMAIN_DATA, hg_sequence(stream, 0));
    hg_philox_block(&p, 2 * (uint64_t)i, w);
    hg_philox_block(&p, 2 * (uint64_t)i + 1, w + 4);
    chance c = {.u = hg_word_uniform(w[0]), .which = (int32_t)i};
    hg_words_normal(w[4], w[5], c.noise);
    point at = shapes[shape].draw(&c);
    at.x = inside(at.x + shapes[shape].noise * c.noise[0]);
    at.y = inside(at.y + shapes[shape].noise * c.noise[1]);
    return at;
}

static hg_data *draw_part(hg_context *context, int shape, int part,
                          int64_t count)
{
    hg_data *data = hg_data_new(context, shapes[shape].name);
    hg_shape item = {3, {1, 1, 2}};
    float *values = data ? hg_data_room(data, item, count, HG_FLOATS) : NULL;
    int32_t *labels = values ? hg_data_label_room(data) : NULL;
    for (int64_t i = 0; labels && i < count; i++) {
        point at = draw(context->control.seed, shape, part, i);
        values[2 * i] = at.x;
        values[2 * i + 1] = at.y;
        labels[i] = at.label;
    }
    if (data && !labels)
        hg_data_clear(data);
    return labels ? data : NULL;
}

static int shape_of(const char *name)
{
    size_t length = strcspn(name, ":");
    for (int i = 0; i < SHAPES; i++)
        if (strlen(shapes[i].name) == length &&
            !strncmp(shapes[i].name, name, length))
            return i;
    return -1;
}

bool hg_data_is_points(const char *name)
{
    return shape_of(name) >= 0;
}

hg_data *hg_data_open_points(hg_context *context, const char *name)
{
    const char *colon = strchr(name, ':');
    char *end = NULL;
    long long count = colon ? strtoll(colon + 1, &end, 10) : FEW;
    if (colon && (end == colon + 1 || *end || count < 6 || count > MOST)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "data set %s: after the colon goes a number of points, 6 to "
                "%d; for example moons:5000",
                name, MOST);
        return NULL;
    }
    hg_data *data = draw_part(context, shape_of(name), 0, count);
    if (!data)
        return NULL;
    data->test = draw_part(context, shape_of(name), 1, count / 6);
    if (data->test)
        return data;
    hg_data_clear(data);
    return NULL;
}
