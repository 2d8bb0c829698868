/* complaint.h - what a kernel on a GPU finds wrong with values. It cannot stop
 * anything, so it leaves a note in device memory; the context reads it when it
 * next reads values and fails with the sentence that the CPU has at once. */
#ifndef HG_COMPLAINT_H
#define HG_COMPLAINT_H

#include "tensor/internal.h"

typedef enum { HG_COMPLAINT_INDEX, HG_COMPLAINT_INT32 } hg_complaint_kind;

/* Whose values these are. */
typedef struct {
    const char *op;
    uint64_t call; /* tells two calls in one queue apart; not 0 */
    int64_t kind;  /* hg_complaint_kind */
    hg_shape shape;
    int64_t size; /* of the axis that an index points into */
} hg_subject;

/* The first wrong value of the first call that had one. */
typedef struct {
    unsigned long long call;  /* 0: nothing is wrong */
    unsigned long long first; /* place << 32 | the value's 32 bits */
    hg_subject subject;
} hg_complaint;

HG_BEGIN_DECLS

/* What a note is before anyone complains. */
extern const hg_complaint hg_no_complaint;

/* Fails with the note's sentence: false. */
bool hg_complaint_fails(const hg_complaint *);

/* Where kernels of this context complain. */
hg_complaint *hg_device_complaint(hg_context *);
/* Waits, and says what was complained about since the last time; false if
 * something was. Every read from the device ends with this. */
bool hg_device_heard(hg_context *);

/* The sentences: value `place` of a tensor is an index out of range, or has no
 * int32 to become. False. */
bool hg_fail_index(hg_shape, int64_t place, int32_t index, int64_t size);
bool hg_fail_int32(hg_shape, int64_t place, double x);

HG_END_DECLS

#endif
