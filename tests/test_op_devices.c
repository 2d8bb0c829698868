/* test_op_devices.c - every case of golden/ops.json on the CPU and on a GPU:
 * values, gradients, and gradients of these agree. docs/devices.md tells which
 * operations were met there, and in which order of derivative; this program
 * writes it where HOURGLASS_TEST_WRITE=1. */
#include "golden_cases.h"

enum { CPU, GPU, DEVICES };
enum { VALUE, GRADIENT, SECOND, ORDERS };

/* ---- Which operations were met ------------------------------------------ */

enum { MOST_OPS = 256, MOST_NODES = 4096 };

static struct met {
    const char *name;
    bool rule, called; /* by a function, not only by rules */
    bool in[DEVICES][ORDERS];
} met[MOST_OPS];
static int mets;

static struct met *met_of(const hg_op *op)
{
    for (int i = 0; i < mets; i++)
        if (!strcmp(met[i].name, op->name))
            return &met[i];
    ck_assert_int_lt(mets, MOST_OPS);
    met[mets].name = op->name;
    return &met[mets++];
}

static const hg_tensor *seen[MOST_NODES];
static int seens;

static bool is_new(const hg_tensor *t)
{
    for (int i = 0; i < seens; i++)
        if (seen[i] == t)
            return false;
    ck_assert_int_lt(seens, MOST_NODES);
    seen[seens++] = t;
    return true;
}

/* All that a value was made from. A rule of it was asked where a gradient went
 * that way. */
static void meet(const hg_tensor *t, int device, int order, bool called)
{
    if (!t || !t->op || !is_new(t))
        return;
    struct met *m = met_of(t->op);
    m->in[device][VALUE] = true;
    m->rule |= t->op->backward != NULL;
    m->called |= called;
    if (order > VALUE && t->op->backward && t->wants_grad)
        m->in[device][order] = true;
    for (int i = 0; i < t->arity; i++)
        meet(t->in[i], device, order, called);
}

static void meet_all(const hg_tensor *t, int device, int order, bool called)
{
    seens = 0;
    meet(t, device, order, called);
}

/* ---- A case on one device ----------------------------------------------- */

enum { MOST_RESULTS = 64 };

typedef struct {
    double *value[MOST_RESULTS];
    int64_t n[MOST_RESULTS];
    int count;
} results;

static void keep(results *r, const hg_tensor *t)
{
    ck_assert_int_lt(r->count, MOST_RESULTS);
    r->n[r->count] = hg_numel(t);
    r->value[r->count++] = values_of(t, hg_numel(t));
}

/* Of y, and of its gradient g[i] for each differentiable input. */
static void derive(const char *name, hg_tensor *y, hg_tensor **x, int inputs,
                   int device, results *r)
{
    hg_tensor *v = drawn_like(name, y);
    for (int i = 0; i < inputs; i++) {
        hg_tensor *g = x[i]->wants_grad ? hg_grad_or_none(y, x[i], v) : NULL;
        expect_no_error();
        if (!g)
            continue;
        meet_all(g, device, VALUE, false);
        meet_all(y, device, GRADIENT, true);
        keep(r, g);
        /* Where g is linear there is nothing to add up: 0. */
        for (int j = 0; j < inputs; j++) {
            hg_tensor *h =
                x[j]->wants_grad ? hg_grad_or_none(g, x[j], x[i]) : NULL;
            ck_assert_msg(!hg_error(), "%s: %s", name, hg_error());
            if (h) {
                meet_all(h, device, VALUE, false);
                keep(r, h);
            }
        }
        meet_all(y, device, SECOND, true);
    }
}

/* As a step of training does it: where gradients have none themselves, rules
 * may take kernels of their own. */
static void descend(const char *name, hg_tensor *y, hg_tensor **x, int inputs,
                    int device, results *r)
{
    hg_tensor *loss = hg_sum(hg_mul(y, drawn_like(name, y)), HG_ALL);
    ck_assert_msg(hg_backward(loss), "%s: %s", name, hg_error());
    for (int i = 0; i < inputs; i++)
        if (x[i]->grad) {
            meet_all(x[i]->grad, device, VALUE, false);
            keep(r, x[i]->grad);
        }
}

static void look_at(const char *name, hg_tensor *y, hg_tensor **x, int inputs,
                    int device, results *r)
{
    ck_assert_msg(y != NULL, "%s: %s", name, hg_error());
    meet_all(y, device, VALUE, true);
    keep(r, y);
    if (y->dtype == HG_REAL && y->wants_grad)
        derive(name, y, x, inputs, device, r);
    if (y->dtype == HG_REAL && y->wants_grad)
        descend(name, y, x, inputs, device, r);
}

static void run_case(hg_context *context, const json_t *row, int device,
                     results *r)
{
    const char *name = text(row, "name");
    hg_tensor *x[HG_MAX_INPUTS], *viewed[HG_MAX_INPUTS];
    char digit[32];
    size_t i;
    json_t *spec;
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    json_array_foreach(member(row, "inputs"), i, spec)
    {
        snprintf(digit, sizeof digit, "%zu", i);
        x[i] = drawn(name, digit, spec);
        viewed[i] = view(x[i], spec);
    }
    hg_tensor *y = find(text(row, "op"))(viewed, (int)i,
                                         json_object_get(row, "attributes"));
    look_at(name, y, x, (int)i, device, r);
    hg_scope_close(s);
    expect_no_error();
}

/* ---- What PyTorch draws otherwise, or has not ---------------------------- */

static hg_tensor *dropped(hg_tensor *x)
{
    return hg_dropout(hg_square(x), 0.4);
}

static hg_tensor *drawn_ones(hg_tensor *x)
{
    return hg_bernoulli(hg_sigmoid(x));
}

static hg_tensor *counted(hg_tensor *x)
{
    return hg_add(x, hg_real_of(hg_arange(6)));
}

static const struct {
    const char *name;
    hg_tensor *(*call)(hg_tensor *);
} others[] = {
    {"dropout", dropped}, {"bernoulli", drawn_ones}, {"arange", counted}};

enum { OTHERS = sizeof others / sizeof others[0] };

static void run_other(hg_context *context, int i, int device, results *r)
{
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    hg_tensor *x = hg_watch(vector(0.5, -1, 2, 0.25, -3, 1.5));
    look_at(others[i].name, others[i].call(x), &x, 1, device, r);
    hg_scope_close(s);
    expect_no_error();
}

/* ---- Both --------------------------------------------------------------- */

static double largest_of(const results *r, int k)
{
    double largest = 0;
    for (int64_t i = 0; i < r->n[k]; i++)
        largest = fmax(largest, fabs(r->value[k][i]));
    return largest;
}

/* To 1e-5 of the largest value; what cancels out is as large as a tenth of
 * the output. */
static void compare(const char *name, const results *a, const results *b)
{
    ck_assert_msg(a->count == b->count, "%s: %d results and %d", name, a->count,
                  b->count);
    for (int k = 0; k < a->count; k++) {
        ck_assert_int_eq(a->n[k], b->n[k]);
        double size = fmax(largest_of(a, k), largest_of(a, 0) / 10);
        for (int64_t i = 0; i < a->n[k]; i++) {
            double p = a->value[k][i], q = b->value[k][i];
            ck_assert_msg(p == q || fabs(p - q) <= 1e-5 * size,
                          "%s: result %d, element %lld is %.9g on the CPU, "
                          "%.9g on the GPU",
                          name, k, (long long)i, p, q);
        }
    }
}

static void forget(results *r)
{
    for (int k = 0; k < r->count; k++)
        free(r->value[k]);
    *r = (results){0};
}

static void run_both(hg_context **context, const json_t *row, int other)
{
    results r[DEVICES] = {{{0}, {0}, 0}};
    for (int device = 0; device < DEVICES; device++)
        if (row)
            run_case(context[device], row, device, &r[device]);
        else
            run_other(context[device], other, device, &r[device]);
    compare(row ? text(row, "name") : others[other].name, &r[CPU], &r[GPU]);
    forget(&r[CPU]);
    forget(&r[GPU]);
}

static void run_all(void)
{
    json_t *file = open_golden("ops.json"), *row;
    size_t i;
    hg_context *context[DEVICES] = {hg_context_new("cpu", 42),
                                    hg_context_new("cuda", 42)};
    hg_scope_close(scope);
    scope = NULL;
    json_array_foreach(member(file, "cases"), i, row) run_both(context, row, 0);
    for (int other = 0; other < OTHERS; other++)
        run_both(context, NULL, other);
    for (int device = 0; device < DEVICES; device++)
        hg_context_free(context[device]);
    json_decref(file);
}

/* ---- The table ---------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct met *)a)->name, ((const struct met *)b)->name);
}

static const char head[] =
    "# Operations on both devices\n\n"
    "Written by `tests/test_op_devices.c`: what ran on the CPU and on a GPU\n"
    "(emulated) and agreed, as did its gradients and the gradients of these.\n"
    "`-`: there is nothing to differentiate.\n\n"
    "| operation | CPU | gradient | second | CUDA | gradient | second |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n";

static void write_row(FILE *out, const struct met *m)
{
    fprintf(out, "| `%s` |", m->name);
    for (int k = 0; k < DEVICES * ORDERS; k++) {
        bool done = m->in[k / ORDERS][k % ORDERS];
        fprintf(out, " %s |", done ? "yes" : m->rule ? "MISSING" : "-");
    }
    fputs("\n", out);
}

static void write_table(FILE *out)
{
    fputs(head, out);
    qsort(met, (size_t)mets, sizeof *met, by_name);
    for (int i = 0; i < mets; i++)
        if (met[i].called)
            write_row(out, &met[i]);
    fputs("\nMet in the gradients of these, on both devices:\n", out);
    for (int i = 0; i < mets; i++)
        if (!met[i].called)
            fprintf(out, "%s`%s`\n",
                    met[i].in[CPU][VALUE] && met[i].in[GPU][VALUE] ? ""
                                                                   : "MISSING ",
                    met[i].name);
}

/* All of a file, as text. */
static const char *read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
    return text;
}

START_TEST(every_operation_and_its_derivatives_agree_on_both_devices)
{
    static char here[1 << 15], there[1 << 15], path[4096];
    const char *root = getenv("HOURGLASS_TEST_SOURCE");
    bool write = getenv("HOURGLASS_TEST_WRITE") != NULL;
    if (on_cpu())
        skip_test("there is one device only");
    run_all();
    snprintf(path, sizeof path, "%s/docs/devices.md", root ? root : ".");
    FILE *made = write ? fopen(path, "w+") : tmpfile();
    FILE *kept = write ? NULL : fopen(path, "r");
    ck_assert_msg(made && (kept || write), "%s", path);
    write_table(made);
    read_back(made, here, sizeof here);
    ck_assert_msg(!strstr(here, "MISSING"), "there is a hole in %s", path);
    if (write)
        return;
    ck_assert_msg(!strcmp(here, read_back(kept, there, sizeof there)),
                  "docs/devices.md is out of date: run this program with "
                  "HOURGLASS_TEST_WRITE=1");
}
END_TEST

TEST_MAIN("op_devices",
          every_operation_and_its_derivatives_agree_on_both_devices)
