/* fuse.c - which parts of a queue share a launch. A list schedule: whatever
 * waits for nothing runs; of that, parts alone go first, and when there is none
 * left, everything else shares the next launch, together with all that can
 * follow in the same threads. */
#include "tensor/fuse.h"

#include <string.h>

enum { WORDS = HG_FUSE_WINDOW / 64 };

/* ---- Conflicts ---------------------------------------------------------- */

static bool overlap(const hg_range *a, const hg_range *b)
{
    return a->from < b->from + b->bytes && b->from < a->from + a->bytes;
}

hg_conflict hg_parts_conflict(const hg_part *p, const hg_part *q)
{
    hg_conflict found = HG_APART;
    if (p->open || q->open)
        return HG_CLASHING;
    for (int i = 0; i < p->ranges; i++)
        for (int j = 0; j < q->ranges; j++) {
            const hg_range *a = &p->range[i], *b = &q->range[j];
            if (!(a->writes || b->writes) || !overlap(a, b))
                continue;
            if (!a->each || !b->each || a->from != b->from ||
                a->bytes != b->bytes || p->n != q->n)
                return HG_CLASHING;
            found = HG_MEETING;
        }
    return found;
}

static void set(uint64_t *row, int i)
{
    row[i / 64] |= UINT64_C(1) << i % 64;
}

static bool has(const uint64_t *row, int i)
{
    return row[i / 64] >> i % 64 & 1;
}

static void find_conflicts(hg_fuse_room *room, const hg_part *parts, int n)
{
    memset(room, 0, sizeof *room);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < j; i++) {
            hg_conflict c = hg_parts_conflict(&parts[i], &parts[j]);
            if (c != HG_APART)
                set(room->before[j], i);
            if (c == HG_CLASHING)
                set(room->clash[j], i);
        }
}

/* ---- The schedule ------------------------------------------------------- */

typedef struct {
    const hg_fuse_room *room;
    const hg_part *parts;
    int n;
    hg_place *place;
    int launch;               /* the one that is being filled */
    int lines;                /* it has so far */
    uint64_t done[WORDS];     /* parts of earlier launches */
    uint64_t here[WORDS];     /* parts of this one */
    bool made[HG_MOST_LINES]; /* does the line have a maker? */
} schedule;

static bool is_placed(const schedule *s, int j)
{
    return has(s->done, j) || has(s->here, j);
}

/* Does part j wait for one that neither ran before nor, if `together`, runs in
 * this launch? */
static bool waits(const schedule *s, int j, bool together)
{
    for (int w = 0; w < WORDS; w++) {
        uint64_t ready = s->done[w] | (together ? s->here[w] : 0);
        if (s->room->before[j][w] & ~ready)
            return true;
    }
    return false;
}

static bool place_alone(schedule *s)
{
    for (int j = 0; j < s->n; j++) {
        if (s->parts[j].role != HG_ALONE || has(s->done, j) ||
            waits(s, j, false))
            continue;
        s->place[j] = (hg_place){s->launch, -1};
        set(s->done, j);
        return true;
    }
    return false;
}

/* The lines of this launch that part j follows, as bits; false if it cannot. */
static bool lines_before(const schedule *s, int j, uint32_t *lines)
{
    const hg_part *p = s->parts;
    int makers = 0;
    *lines = 0;
    for (int i = 0; i < j; i++) {
        if (!has(s->here, i) || !has(s->room->before[j], i))
            continue;
        if (has(s->room->clash[j], i) || p[j].role != HG_MAP)
            return false;
        *lines |= UINT32_C(1) << s->place[i].line;
    }
    for (int l = 0; l < s->lines; l++)
        makers += (*lines >> l & 1) && s->made[l];
    return makers <= 1;
}

/* Lines that one map follows become one. */
static int joined(schedule *s, uint32_t lines)
{
    int first = -1;
    for (int l = 0; l < s->lines; l++) {
        if (!(lines >> l & 1))
            continue;
        if (first < 0)
            first = l;
        s->made[first] |= s->made[l];
        for (int i = 0; i < s->n; i++)
            if (has(s->here, i) && s->place[i].line == l)
                s->place[i].line = first;
    }
    return first;
}

static void place_together(schedule *s)
{
    for (int j = 0; j < s->n; j++) {
        uint32_t lines;
        if (s->parts[j].role == HG_ALONE || is_placed(s, j) ||
            waits(s, j, true) || !lines_before(s, j, &lines))
            continue;
        if (!lines && s->lines == HG_MOST_LINES)
            continue;
        int line = lines ? joined(s, lines) : s->lines++;
        s->made[line] |= s->parts[j].role == HG_MAKER;
        s->place[j] = (hg_place){s->launch, line};
        set(s->here, j);
    }
}

int hg_fuse(hg_fuse_room *room, const hg_part *parts, int n, hg_place *place)
{
    schedule s = {.room = room, .parts = parts, .n = n, .place = place};
    find_conflicts(room, parts, n);
    for (int left = n; left > 0; s.launch++) {
        if (place_alone(&s)) {
            left--;
            continue;
        }
        memset(s.here, 0, sizeof s.here);
        memset(s.made, 0, sizeof s.made);
        s.lines = 0;
        place_together(&s);
        for (int j = 0; j < n; j++)
            if (has(s.here, j)) {
                set(s.done, j);
                left--;
            }
    }
    return s.launch;
}
