/* synthetic.c - 28 x 28 digits drawn by a pen, so that tests, lessons and a
 * first run need no files.
 *
 * An item is a glyph (glyphs.c) with a style of its own: the points tremble,
 * the curves are rounder or flatter, the whole is slanted, turned, stretched,
 * fitted into about 20 x 20 pixels, and drawn with a soft round brush. All is
 * a function of (seed, part, item), made of + - * / and square roots alone,
 * which are exact in the same way everywhere: the bytes do not depend on
 * threads, compiler or mathematical library. */
#include "datasets/glyphs.h"
#include "datasets/internal.h"
#include "tensor/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE        28
#define PIXELS      (SIDE * SIDE)
#define CLASSES     10
#define PIECES      7   /* straight ones that stand for a curve */
#define MOST_PIECES 160 /* of a digit */
#define MOST_ITEMS  1000000

typedef struct {
    float x, y;
} point;

/* A straight piece of the line, and half the pen's width on it. */
typedef struct {
    point from, to;
    float radius;
} piece;

typedef struct {
    piece piece[MOST_PIECES];
    int count;
} drawing;

/* ---- Chance ------------------------------------------------------------- */

typedef struct {
    hg_philox philox;
    uint64_t block;
    uint32_t word[4];
    int used;
} chance;

/* Streams from 1 up leave stream 0 to the epochs' permutations. */
static chance chance_of(uint64_t seed, uint64_t part, int64_t item)
{
    return (chance){.philox =
                        hg_philox_make(seed, HG_DOMAIN_DATA,
                                       hg_sequence(part + 1, (uint64_t)item)),
                    .used = 4};
}

static float uniform(chance *c)
{
    if (c->used == 4) {
        hg_philox_block(&c->philox, c->block++, c->word);
        c->used = 0;
    }
    return hg_word_uniform(c->word[c->used++]);
}

static float between(chance *c, float low, float high)
{
    return low + (high - low) * uniform(c);
}

/* Nearly normal, with mean 0 and deviation 1, and never beyond 3.5. */
static float spread(chance *c)
{
    float sum = uniform(c);
    sum += uniform(c);
    sum += uniform(c);
    sum += uniform(c);
    return (sum - 2) * 1.7320508f;
}

/* ---- The line ----------------------------------------------------------- */

typedef struct {
    float roundness;         /* of the curves: 1 as they were drawn up */
    float slant, turn, wide; /* shear, tangent of half the angle, stretch */
    float radius, pressure;  /* of the pen, and its change along a stroke */
    float height;            /* in pixels */
    point shift;             /* from the middle, in pixels */
    float ink, grain;        /* how dark, and how uneven */
} style;

static style style_of(chance *c)
{
    style s;
    s.roundness = between(c, 0.7f, 1.15f);
    s.slant = 0.14f + 0.19f * spread(c);
    s.turn = 0.04f * spread(c);
    s.wide = between(c, 0.78f, 1.28f);
    s.radius = between(c, 0.85f, 1.75f);
    s.pressure = 0.12f * spread(c);
    s.height = between(c, 17.0f, 20.5f);
    s.shift.x = 0.6f * spread(c);
    s.shift.y = 0.5f * spread(c);
    s.ink = between(c, 0.88f, 1);
    s.grain = between(c, 0, 0.16f);
    return s;
}

static const hg_glyph *glyph_of(int digit, chance *c)
{
    int first = 0, count = 0;
    for (int i = 0; i < hg_glyph_count; i++) {
        first += hg_glyphs[i].digit < digit;
        count += hg_glyphs[i].digit == digit;
    }
    return &hg_glyphs[first + (int)(uniform(c) * (float)count)];
}

/* The glyph's points, trembling. Neighbours drift together. */
static void place_points(const hg_glyph *g, chance *c,
                         point at[HG_GLYPH_POINTS])
{
    float drift_x = 0.045f * spread(c), drift_y = 0.04f * spread(c);
    for (int i = 0; i < HG_GLYPH_POINTS; i++) {
        float x = g->at[i][0], y = g->at[i][1];
        at[i].x = x + drift_x * (2 * y - 1) * (2 * y - 1) + 0.026f * spread(c);
        at[i].y = y + drift_y * (2 * x - 0.7f) + 0.026f * spread(c);
    }
}

static point bezier(const point p[4], float t)
{
    float s = 1 - t, a = s * s * s, b = 3 * s * s * t, d = 3 * s * t * t,
          e = t * t * t;
    return (point){a * p[0].x + b * p[1].x + d * p[2].x + e * p[3].x,
                   a * p[0].y + b * p[1].y + d * p[2].y + e * p[3].y};
}

static void add_curve(drawing *d, const point p[4], float radius, float slope)
{
    point from = p[0];
    for (int i = 1; i <= PIECES && d->count < MOST_PIECES; i++) {
        float t = (float)i / PIECES;
        point to = bezier(p, t);
        d->piece[d->count++] = (piece){from, to, radius + slope * t};
        from = to;
    }
}

/* The neighbour of a stroke's i-th point; ends have themselves, unless the
 * stroke is closed. */
static point neighbour(const point *at, const char *word, int n, int i)
{
    bool closed = n > 2 && word[0] == word[n - 1];
    if (i < 0)
        i = closed ? n - 2 : 0;
    if (i >= n)
        i = closed ? 1 : n - 1;
    return at[word[i] - 'a'];
}

/* A Catmull-Rom spline: through each point in the direction from the one
 * before it to the one after it. */
static void add_stroke(drawing *d, const point *at, const char *word, int n,
                       const style *s)
{
    float handle = s->roundness / 6, step = s->pressure / (float)(n - 1);
    for (int i = 0; i + 1 < n; i++) {
        point a = neighbour(at, word, n, i - 1), b = at[word[i] - 'a'];
        point c = at[word[i + 1] - 'a'], e = neighbour(at, word, n, i + 2);
        point p[4] = {b,
                      {b.x + handle * (c.x - a.x), b.y + handle * (c.y - a.y)},
                      {c.x - handle * (e.x - b.x), c.y - handle * (e.y - b.y)},
                      c};
        float pressure = 1 - s->pressure / 2 + step * (float)i;
        add_curve(d, p, s->radius * pressure, s->radius * step);
    }
}

static void add_strokes(drawing *d, const hg_glyph *g, const point *at,
                        const style *s)
{
    for (const char *word = g->strokes; *word;) {
        int n = (int)strcspn(word, " ");
        add_stroke(d, at, word, n, s);
        word += n;
        word += *word == ' ';
    }
}

/* ---- Into the frame ----------------------------------------------------- */

static point styled(point p, const style *s)
{
    float over = 1 + s->turn * s->turn; /* cosine and sine without tables */
    float cosine = (1 - s->turn * s->turn) / over, sine = 2 * s->turn / over;
    float x = s->wide * p.x - s->slant * p.y, y = p.y;
    return (point){cosine * x - sine * y, sine * x + cosine * y};
}

static void fit(drawing *d, const style *s)
{
    point low = {1e9f, 1e9f}, high = {-1e9f, -1e9f};
    for (int i = 0; i < d->count; i++) {
        point from = styled(d->piece[i].from, s);
        point to = styled(d->piece[i].to, s);
        low.x = fminf(low.x, fminf(from.x, to.x));
        low.y = fminf(low.y, fminf(from.y, to.y));
        high.x = fmaxf(high.x, fmaxf(from.x, to.x));
        high.y = fmaxf(high.y, fmaxf(from.y, to.y));
        d->piece[i].from = from;
        d->piece[i].to = to;
    }
    /* The brush adds its width to the line's extent. */
    float room = s->height - 2 * s->radius;
    float scale = fminf(room / (high.y - low.y), room / (high.x - low.x));
    float x = SIDE / 2 + s->shift.x - scale * (low.x + high.x) / 2;
    float y = SIDE / 2 + s->shift.y - scale * (low.y + high.y) / 2;
    for (int i = 0; i < d->count; i++) {
        point *p[2] = {&d->piece[i].from, &d->piece[i].to};
        for (int k = 0; k < 2; k++)
            *p[k] = (point){scale * p[k]->x + x, scale * p[k]->y + y};
    }
}

/* ---- The brush ---------------------------------------------------------- */

#define EDGE 0.55f /* half the width of the brush's soft edge, in pixels */

static int clamp_pixel(float at)
{
    int pixel = (int)floorf(at);
    return pixel < 0 ? 0 : pixel > SIDE - 1 ? SIDE - 1 : pixel;
}

/* How deep the pixel's middle lies in the brush's track: radius - distance. */
static float depth_at(const piece *p, float x, float y)
{
    float dx = p->to.x - p->from.x, dy = p->to.y - p->from.y;
    float px = x - p->from.x, py = y - p->from.y;
    float t = (px * dx + py * dy) / (dx * dx + dy * dy + 1e-12f);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    px -= t * dx;
    py -= t * dy;
    return p->radius - sqrtf(px * px + py * py);
}

static void paint_piece(const piece *p, float depth[PIXELS])
{
    float reach = p->radius + EDGE;
    int left = clamp_pixel(fminf(p->from.x, p->to.x) - reach);
    int right = clamp_pixel(fmaxf(p->from.x, p->to.x) + reach);
    int top = clamp_pixel(fminf(p->from.y, p->to.y) - reach);
    int bottom = clamp_pixel(fmaxf(p->from.y, p->to.y) + reach);
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            float here = depth_at(p, (float)x + 0.5f, (float)y + 0.5f);
            if (here > depth[y * SIDE + x])
                depth[y * SIDE + x] = here;
        }
}

static void ink(const float depth[PIXELS], const style *s, chance *c,
                uint8_t out[PIXELS])
{
    for (int i = 0; i < PIXELS; i++) {
        if (depth[i] <= -EDGE) {
            out[i] = 0;
            continue;
        }
        float t = depth[i] < EDGE ? (depth[i] + EDGE) / (2 * EDGE) : 1;
        float smooth = t * t * (3 - 2 * t);
        float dark = s->ink * (1 - s->grain * uniform(c));
        out[i] = (uint8_t)(255 * smooth * dark + 0.5f);
    }
}

static void draw_digit(uint64_t seed, uint64_t part, int64_t item,
                       uint8_t out[PIXELS])
{
    chance c = chance_of(seed, part, item);
    const hg_glyph *g = glyph_of((int)(item % CLASSES), &c);
    style s = style_of(&c);
    point at[HG_GLYPH_POINTS];
    drawing d;
    d.count = 0;
    float depth[PIXELS];
    for (int i = 0; i < PIXELS; i++)
        depth[i] = -1;
    place_points(g, &c, at);
    add_strokes(&d, g, at, &s);
    fit(&d, &s);
    for (int i = 0; i < d.count; i++)
        paint_piece(&d.piece[i], depth);
    ink(depth, &s, &c, out);
}

/* ---- The set ------------------------------------------------------------ */

typedef struct {
    uint64_t seed, part; /* 0 to train, 1 to test */
    uint8_t *pixels;
    int32_t *labels;
} job;

static void draw_items(void *argument, int64_t from, int64_t to)
{
    const job *j = argument;
    for (int64_t i = from; i < to; i++) {
        draw_digit(j->seed, j->part, i, j->pixels + i * PIXELS);
        j->labels[i] = (int32_t)(i % CLASSES);
    }
}

static hg_data *draw_set(hg_context *context, const char *name, uint64_t part,
                         int64_t count)
{
    hg_data *data = hg_data_new(context, name);
    if (!data)
        return NULL;
    job j = {.seed = context->control.seed, .part = part};
    j.pixels =
        hg_data_room(data, (hg_shape){3, {1, SIDE, SIDE}}, count, HG_BYTES);
    j.labels = j.pixels ? hg_data_label_room(data) : NULL;
    if (!j.labels) {
        hg_data_clear(data);
        return NULL;
    }
    hg_parallel_for(context->threads, count, 64, draw_items, &j);
    return data;
}

/* 0, with a sentence, if the name does not end in a fit number. */
static int64_t count_in(const char *name)
{
    const char *digits = strchr(name, ':');
    if (!digits)
        return 12000;
    digits++;
    size_t length = strspn(digits, "0123456789");
    long long count = length && length < 10 ? strtoll(digits, NULL, 10) : 0;
    if (digits[length] || count < 1 || count > MOST_ITEMS) {
        hg_fail(HG_ERROR_ARGUMENT,
                "data set %s: after the colon goes a number of digits, 1 to "
                "%d; for example synthetic:5000",
                name, MOST_ITEMS);
        return 0;
    }
    return count;
}

hg_data *hg_data_open_synthetic(hg_context *context, const char *name)
{
    int64_t count = count_in(name);
    if (!count)
        return NULL;
    hg_data *data = draw_set(context, "synthetic", 0, count);
    if (!data)
        return NULL;
    data->test = draw_set(context, "synthetic", 1, count < 6 ? 1 : count / 6);
    if (data->test)
        return data;
    hg_data_clear(data);
    return NULL;
}
