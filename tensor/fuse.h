/* fuse.h - several entries of a queue in one launch.
 *
 * What waits in the queue of a GPU (device.h) may say which bytes it reads and
 * writes. An entry is one part, or two of which the second goes on with what
 * the first has made. A part is
 *
 *     alone    kernels or a library call of its own;
 *     a map    n values, each computed from one value of every input;
 *     a maker  blocks of a joint kernel that make n values, each of them once.
 *
 * A launch runs lines side by side. A line is a maker, or nothing, and then
 * maps over as many values as it makes: the thread that made value i goes on
 * with value i of the next. Everything that the parts would have written one by
 * one is still written, by the same arithmetic in the same order, so that it
 * makes no difference to any bit who shares a launch with whom.
 *
 * Parts keep their order wherever one of two writes what the other touches.
 * They may share a launch in spite of that if they are of one line and value i
 * of the one meets value i of the other only.
 */
#ifndef HG_FUSE_H
#define HG_FUSE_H

#include "tensor/device.h"

HG_BEGIN_DECLS

enum {
    HG_MOST_PARTS = 2, /* of an entry */
    HG_PART_RANGES = 8,
    HG_STEP_INPUTS = 7,
    HG_STEP_RANK = 4,
    HG_JOB_BYTES = 448,
    HG_MOST_LINES = 32 /* of a launch */
};

/* ---- What a kernel is told ---------------------------------------------- */

/* Functions of one value that are known here; others follow in ops/joint.h. */
enum { HG_STEP_CONSTANT, HG_STEP_COPY, HG_STEP_ADD, HG_STEP_OPS };
/* The same for makers. HG_MAKER_NONE begins a line of maps alone. */
enum { HG_MAKER_NONE, HG_MAKER_REPORT, HG_MAKER_OPS };

/* A map: out[i] = function(in[0][...], ...). Bit j of the masks is input j. */
typedef struct {
    int32_t code, inputs;
    uint32_t reads; /* inputs on which the value depends: others are not read */
    uint32_t dense; /* value i of the input is the i-th in memory */
    uint32_t last;  /* the input is what the step before this one made */
    hg_real a, b;
    hg_real *out;
    const hg_real *in[HG_STEP_INPUTS];
    union {
        struct {
            int32_t rank, dim[HG_STEP_RANK];
            int32_t stride[HG_STEP_INPUTS][HG_STEP_RANK];
        } walk;
        uint64_t word[6]; /* what the function wants to know instead */
    } more;
} hg_step;

typedef struct {
    int32_t maker, steps;
    int64_t n;
    const hg_step *step;
    union {
        uint64_t aligned[2];
        char bytes[HG_JOB_BYTES];
    } job; /* what the maker wants to know */
} hg_line;

/* Blocks first[j] to first[j + 1] - 1 work on line j. */
typedef struct {
    const hg_line *line;
    int32_t lines;
    uint32_t first[HG_MOST_LINES + 1];
} hg_joint;

/* ---- What an entry says of itself --------------------------------------- */

typedef struct {
    const char *from;
    size_t bytes;
    bool writes;
    bool each; /* value i of the part touches the i-th value here only */
} hg_range;

typedef enum { HG_ALONE, HG_MAP, HG_MAKER } hg_role;

struct hg_part {
    hg_role role;
    bool open; /* touches more than its ranges say: nothing passes it */
    int ranges;
    hg_range range[HG_PART_RANGES];
    int64_t n;       /* values of a map or maker */
    hg_step step;    /* of a map */
    int32_t maker;   /* of a maker, with the blocks of HG_BLOCK threads */
    uint32_t blocks; /* that it takes, and what they are told */
    char job[HG_JOB_BYTES];
    /* Launches a joint kernel: whoever knows one says so. */
    void (*joint)(hg_stream *, const hg_joint *);
    hg_run *run; /* instead of the entry's own */
    /* Filled in by the queue. */
    const char *name;
    const void *arguments;
    bool whole; /* all of its entry */
};

static inline void hg_part_touches(hg_part *p, const void *from, size_t bytes,
                                   bool writes, bool each)
{
    p->open |= p->ranges == HG_PART_RANGES;
    if (!p->open)
        p->range[p->ranges++] =
            (hg_range){(const char *)from, bytes, writes, each};
}

/* ---- Who goes with whom ------------------------------------------------- */

enum { HG_FUSE_WINDOW = 512 }; /* parts that are looked at together */

typedef enum {
    HG_APART,   /* neither writes what the other touches */
    HG_MEETING, /* value i of the one meets value i of the other only */
    HG_CLASHING
} hg_conflict;

hg_conflict hg_parts_conflict(const hg_part *, const hg_part *);

typedef struct {
    int launch, line; /* from 0 on; a part alone has line -1 */
} hg_place;

/* Room that hg_fuse works in: who of a window has to wait for whom. */
typedef struct {
    uint64_t before[HG_FUSE_WINDOW][HG_FUSE_WINDOW / 64];
    uint64_t clash[HG_FUSE_WINDOW][HG_FUSE_WINDOW / 64];
} hg_fuse_room;

/* Gives every one of at most HG_FUSE_WINDOW parts its place; how many launches
 * there are. Parts that run alone go ahead of what can wait for others. */
int hg_fuse(hg_fuse_room *, const hg_part *, int n, hg_place *);

HG_END_DECLS

#endif
