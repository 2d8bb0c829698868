/* tape.c - the recorded tape in words, or as a graph for Graphviz.
 *
 * Nodes are numbered %1, %2, ... in the order in which they were recorded. A
 * leaf goes by its name, or as %3.0: input 0 of node 3, its first user. */
#include "autograd/internal.h"

#include <math.h>
#include <string.h>

typedef struct {
    FILE *file;
    bool dot;
    const char *line; /* what ends a line */
    const hg_scope *scope;
    uint64_t first; /* serial of the oldest node */
} writer;

typedef void visit_node(const writer *, const hg_block *);

/* Outer scopes first: their nodes are older. */
static void each_node(const writer *w, const hg_scope *s, visit_node *visit)
{
    if (s->parent)
        each_node(w, s->parent, visit);
    for (const hg_block *b = s->tape_oldest; b; b = b->later)
        visit(w, b);
}

static const hg_block *oldest_node(const hg_scope *s)
{
    const hg_block *older = s->parent ? oldest_node(s->parent) : NULL;
    return older ? older : s->tape_oldest;
}

static long long number(const writer *w, const hg_block *b)
{
    return (long long)(b->serial - w->first + 1);
}

/* ---- Who is it? --------------------------------------------------------- */

static int input_of(const hg_block *b, const hg_tensor *leaf)
{
    for (int i = 0; i < b->t.arity; i++)
        if (b->t.in[i] == leaf)
            return i;
    return -1;
}

/* The oldest node that the leaf goes into. */
static const hg_block *first_user(const hg_scope *s, const hg_tensor *leaf)
{
    const hg_block *b = s->parent ? first_user(s->parent, leaf) : NULL;
    if (b)
        return b;
    for (b = s->tape_oldest; b && input_of(b, leaf) < 0; b = b->later)
        ;
    return b;
}

/* Results of operations have the layer's path there instead. */
static bool is_parameter(const hg_tensor *t)
{
    return t->name && !t->op;
}

static void write_id(const writer *w, const hg_tensor *t)
{
    const hg_block *b = hg_block_of(t);
    const char *sign = w->dot ? "n" : "%", *dot = w->dot ? "_" : ".";
    if (b->recorded) {
        fprintf(w->file, "%s%lld", sign, number(w, b));
        return;
    }
    const hg_block *user = first_user(w->scope, t);
    if (!w->dot && is_parameter(t))
        fputs(t->name, w->file);
    else
        fprintf(w->file, "%s%lld%s%d", sign, number(w, user), dot,
                input_of(user, t));
}

/* Text of the user's inside a label. */
static void write_text(const writer *w, const char *text)
{
    for (; *text; text++) {
        if (w->dot && (*text == '"' || *text == '\\'))
            fputc('\\', w->file);
        fputc(*text, w->file);
    }
}

/* ---- Values ------------------------------------------------------------- */

static double value_at(const hg_tensor *t, const void *values, int64_t k)
{
    return t->dtype == HG_INT32 ? (double)((const int32_t *)values)[k]
                                : (double)((const hg_real *)values)[k];
}

static void write_summary(FILE *file, const hg_tensor *t, const void *values)
{
    double low = INFINITY, high = -INFINITY, sum = 0;
    int64_t n = hg_numel(t);
    for (int64_t k = 0; k < n; k++) {
        double x = value_at(t, values, k);
        low = x < low || isnan(x) ? x : low;
        high = x > high || isnan(x) ? x : high;
        sum += x;
    }
    fprintf(file, "min %.4g, mean %.4g, max %.4g", low, sum / (double)n, high);
}

static void write_fetched(FILE *file, const hg_tensor *t, const void *values)
{
    int64_t n = hg_numel(t);
    if (n > 8) {
        write_summary(file, t, values);
        return;
    }
    for (int64_t k = 0; k < n; k++)
        fprintf(file, "%s%.6g", k ? ", " : "", value_at(t, values, k));
    if (!n)
        fputs("none", file);
}

static void write_values(FILE *file, const hg_tensor *t)
{
    hg_context *context = t->storage->context;
    size_t bytes = (size_t)hg_numel(t) * hg_dtype_size(t->dtype) + 1;
    void *values = hg_memory_allocate(context, bytes);
    if (values && hg_gather_values(t, values))
        write_fetched(file, t, values);
    hg_memory_release(context, values, bytes);
}

static void write_gradient(FILE *file, const hg_tensor *t)
{
    const hg_block *b = hg_block_of(t);
    if (t->grad)
        write_values(file, t->grad);
    else if (b->recorded && b->needs)
        fputs("passed on, not kept", file);
    else
        fputs(t->wants_grad ? "not run yet" : "not wanted", file);
}

static void write_contents(const writer *w, const hg_tensor *t)
{
    fprintf(w->file, "%s    value     ", w->line);
    write_values(w->file, t);
    fprintf(w->file, "%s    gradient  ", w->line);
    write_gradient(w->file, t);
}

static void write_rule(const writer *w, const hg_tensor *t)
{
    fprintf(w->file, "%s    rule      ", w->line);
    write_text(w, t->op->name);
    fputs(", for", w->file);
    for (int i = 0; i < t->arity; i++)
        if (t->in[i]->wants_grad)
            fprintf(w->file, " input %d", i);
}

/* ---- Nodes -------------------------------------------------------------- */

static void write_leaf(const writer *w, const hg_tensor *t)
{
    if (w->dot) {
        fputs("  ", w->file);
        write_id(w, t);
        fprintf(w->file, " [shape=%s, label=\"",
                t->wants_grad ? "ellipse" : "plaintext");
    }
    if (is_parameter(t))
        write_text(w, t->name);
    else if (!w->dot)
        write_id(w, t);
    if (t->op) {
        fputs(w->dot ? "" : " = ", w->file);
        write_text(w, t->op->name);
    }
    fprintf(w->file, " %s", HG_SHAPE_TEXT(t->shape));
    write_contents(w, t);
    fputs(w->dot ? "\\l\"];\n" : "\n", w->file);
}

static void write_leaves_of(const writer *w, const hg_block *b)
{
    for (int i = 0; i < b->t.arity; i++) {
        const hg_tensor *t = b->t.in[i];
        if (!hg_block_of(t)->recorded && first_user(w->scope, t) == b &&
            input_of(b, t) == i)
            write_leaf(w, t);
    }
}

static void write_formula(const writer *w, const hg_tensor *t)
{
    write_id(w, t);
    fprintf(w->file, " = %s(", t->op->name);
    for (int i = 0; i < t->arity; i++) {
        fputs(i ? ", " : "", w->file);
        write_id(w, t->in[i]);
    }
    fputc(')', w->file);
}

static void write_place(const writer *w, const hg_tensor *t)
{
    fprintf(w->file, " %s", HG_SHAPE_TEXT(t->shape));
    if (t->name) {
        fputs(" in ", w->file);
        write_text(w, t->name);
    }
    write_contents(w, t);
    write_rule(w, t);
}

static void write_edges(const writer *w, const hg_tensor *t)
{
    for (int i = 0; i < t->arity; i++) {
        fputs("  ", w->file);
        write_id(w, t->in[i]);
        fputs(" -> ", w->file);
        write_id(w, t);
        fprintf(w->file, " [style=%s];\n",
                t->in[i]->wants_grad ? "solid" : "dashed");
    }
}

static void write_text_node(const writer *w, const hg_block *b)
{
    write_leaves_of(w, b);
    write_formula(w, &b->t);
    write_place(w, &b->t);
    fputc('\n', w->file);
}

static void write_dot_node(const writer *w, const hg_block *b)
{
    write_leaves_of(w, b);
    fputs("  ", w->file);
    write_id(w, &b->t);
    fputs(" [shape=box, label=\"", w->file);
    write_text(w, b->t.op->name);
    write_place(w, &b->t);
    fputs("\\l\"];\n", w->file);
    write_edges(w, &b->t);
}

bool hg_tape_write(FILE *file, hg_tape_format format)
{
    const hg_scope *s = hg_scope_here();
    if (!s)
        return false;
    if (!file)
        return hg_fail(HG_ERROR_ARGUMENT, "hg_tape_write: the file is NULL");
    const hg_block *oldest = oldest_node(s);
    writer w = {.file = file,
                .dot = format == HG_DOT,
                .line = format == HG_DOT ? "\\l" : "\n",
                .scope = s,
                .first = oldest ? oldest->serial : 1};
    if (w.dot)
        fputs("digraph tape {\n  rankdir=LR;\n", file);
    else if (!oldest)
        fputs("the tape is empty: nothing was recorded\n", file);
    each_node(&w, s, w.dot ? write_dot_node : write_text_node);
    if (w.dot)
        fputs("}\n", file);
    if (ferror(file))
        return hg_fail(HG_ERROR_IO, "hg_tape_write: the file cannot be "
                                    "written; is the disk full?");
    return true;
}
