/* tensor.h - what a tensor is, and who owns it.
 *
 * A *context* holds a device, a seed and a step counter; it owns parameter
 * stores, optimisers and data sets. A *scope* owns every tensor made while it
 * is open. You free contexts and close scopes, nothing else:
 *
 *     hg_context *ctx = hg_context_new("cpu", 42);
 *     hg_scope *s = hg_scope_open(ctx, HG_EVAL);
 *     hg_tensor *x = hg_randn(HG_SHAPE(2, 3));
 *     hg_print(stdout, hg_exp(x));
 *     hg_scope_close(s);
 *     hg_context_free(ctx);
 *
 * Errors stick: the first one is kept (hg_error), every later operation
 * refuses and returns NULL, so that an expression needs no test per line.
 * Nothing in the library aborts, exits or prints.
 *
 * A context belongs to one thread at a time; two threads train two models
 * with two contexts. The only ambient state is thread-local: the open scope
 * and the pending error.
 */
#ifndef HG_TENSOR_H
#define HG_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef HG_DOUBLE
typedef double hg_real;
/* Code compiled for one precision cannot be linked with the other. */
#define hg_context_new hg_context_new_f64
#else
typedef float hg_real;
#endif

#ifdef __cplusplus
#include <initializer_list>
#define HG_BEGIN_DECLS extern "C" {
#define HG_END_DECLS   }
#else
#define HG_BEGIN_DECLS
#define HG_END_DECLS
#endif

#ifdef __GNUC__
#define HG_API          __attribute__((visibility("default")))
#define HG_CHECK        __attribute__((warn_unused_result))
#define HG_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define HG_API
#define HG_CHECK
#define HG_PRINTF(f, a)
#endif

/* The slot of a kernel that only a build with CUDA has. */
#ifdef HG_HAVE_CUDA
#define HG_CUDA(kernel) kernel
#else
#define HG_CUDA(kernel) NULL
#endif

#define HG_MAX_RANK   6
#define HG_MAX_INPUTS 8

/* A list, how many things it holds (so that nobody counts by hand), and a
 * struct of given members: compound literals, which C++ spells otherwise. */
#ifdef __cplusplus
template <class... T> char (&hg_counted(const T &...))[sizeof...(T)];
#define HG_ARRAY(type, ...)  (std::initializer_list<type>{__VA_ARGS__}.begin())
#define HG_COUNT(type, ...)  ((int)sizeof(hg_counted(__VA_ARGS__)))
#define HG_STRUCT(type, ...) (type{__VA_ARGS__})
#else
#define HG_ARRAY(type, ...) ((type const[]){__VA_ARGS__})
#define HG_COUNT(type, ...)                                                    \
    ((int)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)))
#define HG_STRUCT(type, ...) ((type){__VA_ARGS__})
#endif

/* ---- Shapes and axes ---------------------------------------------------- */

/* Sizes of the axes, outermost first. Rank 0 is a scalar; a size of zero is
 * legal. */
typedef struct {
    int rank;
    int64_t dim[HG_MAX_RANK];
} hg_shape;

/* A set of axes. Negative numbers count from the end. */
typedef struct {
    int count;
    int axis[HG_MAX_RANK];
    bool keep; /* reduced axes stay, with size 1 */
    bool rest; /* axis[0] and every axis after it */
} hg_axes;

/* HG_SHAPE(2, 3) is [2, 3]; HG_SCALAR is [], a single value. */
#define HG_SHAPE(...)                                                          \
    HG_STRUCT(hg_shape, HG_COUNT(int64_t, __VA_ARGS__), {__VA_ARGS__})
#define HG_SCALAR HG_STRUCT(hg_shape, 0, {0})

/* HG_OVER(0, 2): these axes, which a reduction takes away; HG_KEEP(1): these,
 * which stay with size 1; HG_FROM(1): this one and all after it; HG_ALL. */
#define HG_OVER(...)                                                           \
    HG_STRUCT(hg_axes, HG_COUNT(int, __VA_ARGS__), {__VA_ARGS__}, false, false)
#define HG_KEEP(...)                                                           \
    HG_STRUCT(hg_axes, HG_COUNT(int, __VA_ARGS__), {__VA_ARGS__}, true, false)
#define HG_FROM(axis_) HG_STRUCT(hg_axes, 1, {axis_}, false, true)
#define HG_ALL         HG_FROM(0)

/* ---- Types -------------------------------------------------------------- */

typedef struct hg_context hg_context;
typedef struct hg_scope hg_scope;
typedef struct hg_op hg_op;

typedef enum {
    HG_REAL, /* float; double in hourglass-f64 */
    HG_INT32 /* indices and labels, never differentiable */
} hg_dtype;

/* A tensor, and at once a node of the tape: what made it (`op`, `attr`) from
 * what (`in`). All fields are for reading. The values are private, since they
 * may live on a device: use hg_item, hg_read, hg_write, hg_set. */
typedef struct hg_tensor {
    hg_shape shape;
    int64_t stride[HG_MAX_RANK]; /* in elements; 0 along broadcast axes */
    int64_t offset;              /* of the first element, in elements */
    hg_dtype dtype;
    bool wants_grad;  /* a parameter, or made from one while recording */
    const hg_op *op;  /* what made it; NULL for leaves */
    const void *attr; /* the op's attributes */
    int arity;        /* how many of `in` are used */
    struct hg_tensor *in[HG_MAX_INPUTS];
    /* Of a leaf or a retained tensor, or NULL. The next backward puts another
     * tensor here and a step clears it: look at it through here each time. */
    struct hg_tensor *grad;
    const char *name;           /* of a parameter, or the layer's path */
    struct hg_storage *storage; /* private */
} hg_tensor;

/* Two bits: are operations recorded for hg_backward; are dropout and batch
 * statistics on. HG_EVAL has neither, HG_TRAIN both. */
typedef enum {
    HG_EVAL = 0,
    HG_RECORD = 1,
    HG_STOCHASTIC = 2,
    HG_TRAIN = 3
} hg_mode;

/* What products are computed in: float; TF32; bfloat16 with float sums. */
typedef enum { HG_FP32, HG_TF32, HG_BF16 } hg_precision;

typedef enum {
#define HG_ERROR(name, text) HG_ERROR_##name,
#include "errors.def"
#undef HG_ERROR
    HG_ERROR_COUNT
} hg_error_code;

HG_BEGIN_DECLS

/* ---- Errors ------------------------------------------------------------- */

/* The pending error of this thread as one sentence, or NULL. */
HG_API const char *hg_error(void);
/* Its kind; HG_ERROR_NONE where there is none. */
HG_API hg_error_code hg_error_kind(void);
/* "shape", "memory", ... */
HG_API const char *hg_error_name(hg_error_code);
/* Forgets it: operations work again. */
HG_API void hg_error_clear(void);
/* Sets the pending error unless there is one; returns false. All errors pass
 * through here: the place for a breakpoint. */
HG_API bool hg_fail(hg_error_code, const char *format, ...) HG_PRINTF(2, 3);

/* ---- Contexts ----------------------------------------------------------- */

/* The one allocator behind a context. `allocate` returns NULL on failure;
 * sizes given to `release` are those asked for. */
typedef struct {
    void *(*allocate)(void *user, size_t size);
    void (*release)(void *user, void *pointer, size_t size);
    void *user;
} hg_allocator;

/* device: "cpu", "auto", "cuda" or "cuda:N". NULL on failure. */
HG_API hg_context *hg_context_new(const char *device, uint64_t seed);
/* The same with another allocator, which must outlive the context. */
HG_API hg_context *hg_context_new_with(const char *device, uint64_t seed,
                                       hg_allocator);
/* Frees all that the context owns, and closes its scopes on this thread. */
HG_API void hg_context_free(hg_context *);
/* "cpu", "cuda" or "cuda:N"; of "auto" what was taken. */
HG_API const char *hg_context_device(const hg_context *);
/* The instruction set that kernels use: "x86-64-v4 (AVX-512)". */
HG_API const char *hg_context_instructions(const hg_context *);
HG_API uint64_t hg_context_seed(const hg_context *);
/* Threads of a kernel, at most 1024; 0 asks for one a core, the default. */
HG_API void hg_context_set_threads(hg_context *, int threads);
HG_API int hg_context_threads(const hg_context *);
/* Use the plain-C reference kernels only (default: the fast ones). */
HG_API void hg_context_set_reference(hg_context *, bool on);
/* Faster arithmetic by name, never by default: false with a sentence where
 * the device does not have it (a CPU has fp32). */
HG_API HG_CHECK bool hg_context_set_precision(hg_context *, hg_precision);
/* Stop at the first operation that makes a NaN or an infinity from finite
 * inputs. Default: whether HOURGLASS_ANOMALY=1. */
HG_API void hg_context_set_anomaly(hg_context *, bool on);
/* Receives warnings, each once; default: none. */
HG_API void hg_context_on_message(hg_context *,
                                  void (*)(void *user, const char *text),
                                  void *user);
/* The number of recording [0] and other [1] outermost scopes opened so far.
 * All random draws are keyed by it: save it with a checkpoint, set it on
 * resume. */
HG_API void hg_context_steps(const hg_context *, uint64_t steps[2]);
HG_API void hg_context_set_steps(hg_context *, const uint64_t steps[2]);
/* Bytes now held, and the most ever held, from the allocator; operations run
 * so far. */
HG_API size_t hg_context_bytes(const hg_context *);
HG_API size_t hg_context_peak_bytes(const hg_context *);
HG_API uint64_t hg_context_launches(const hg_context *);

/* ---- Scopes ------------------------------------------------------------- */

/* Opens a scope on this thread, inside the one that is open; NULL with an
 * error. The outermost one is a step: its random draws are new ones. */
HG_API hg_scope *hg_scope_open(hg_context *, hg_mode);
/* Everything made in it is gone; inner scopes left open are closed too. */
HG_API void hg_scope_close(hg_scope *);
/* Changes the innermost scope's mode and returns the former one. */
HG_API hg_mode hg_set_mode(hg_mode);
/* HG_EVAL where no scope is open. */
HG_API hg_mode hg_get_mode(void);

/* ---- Making tensors ----------------------------------------------------- */

/* Copies an array of the user's into the open scope: "f4", "f8" and "u1"
 * become real ("u1" as 0..255), "i4" and "i8" int32; NULL with an error where
 * that is not possible. Others are made by operations: hg_full, hg_zeros,
 * hg_randn, ... (ops/ops.h). */
HG_API hg_tensor *hg_from(const void *src, const char *dtype, hg_shape);

/* ---- Looking at tensors ------------------------------------------------- */

/* How many elements: the product of the sizes, 1 for a scalar. */
HG_API int64_t hg_numel(const hg_tensor *);
/* Do the values lie in memory row by row, without gaps? */
HG_API bool hg_is_contiguous(const hg_tensor *);
/* The value of a tensor with one element; NaN (and an error) otherwise. */
HG_API hg_real hg_item(const hg_tensor *);
/* Copies all values, row by row; count must be the number of elements.
 * Reading works while an error is pending. */
HG_API HG_CHECK bool hg_read(const hg_tensor *, hg_real *out, int64_t count);
HG_API HG_CHECK bool hg_read_int(const hg_tensor *, int32_t *out,
                                 int64_t count);
/* Writes all values and bumps the tensor's version: a backward that would
 * read the former values then fails with the *stale* error. */
HG_API HG_CHECK bool hg_write(hg_tensor *, const hg_real *values,
                              int64_t count);
/* Fills with one value (schedules: rates, KL weights); bumps the version. */
HG_API void hg_set(hg_tensor *, hg_real value);
/* Copies `value` into `target` (same shape and context); bumps the version. */
HG_API HG_CHECK bool hg_assign(hg_tensor *target, const hg_tensor *value);
/* How often the values were written. */
HG_API uint64_t hg_version(const hg_tensor *);
/* Shape and values, long axes abbreviated. */
HG_API void hg_print(FILE *, const hg_tensor *);
/* "[2, 3]" into text; returns text. 96 bytes are always enough. */
HG_API const char *hg_shape_text(hg_shape, char *text, size_t size);
#define HG_SHAPE_TEXT(shape_) hg_shape_text(shape_, (char[96]){0}, 96)
/* Are rank and sizes the same? */
HG_API bool hg_shape_equal(hg_shape, hg_shape);
/* The product of the sizes. */
HG_API int64_t hg_shape_numel(hg_shape);

HG_END_DECLS

#endif
