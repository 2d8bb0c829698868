/* 00_micro.c - backpropagation from nothing, on single numbers.
 *
 * No library: this is the idea of the engine with the engine's own names. An
 * operation computes a value and appends itself to the tape; its rule says how
 * the gradient of the result, g, turns into gradients of the inputs. backward
 * walks the tape from the newest node to the oldest.
 */
#include <math.h>
#include <stdio.h>

typedef struct tensor tensor;

/* An operation: its name, its value, and its backward rule. */
typedef struct {
    const char *name;
    double (*forward)(double a, double b);
    void (*backward)(const tensor *z, double g, double dx[2]);
} op;

/* A number, and at once a node of the tape. */
struct tensor {
    double value, grad;
    const op *op; /* what made it; NULL for leaves */
    tensor *in[2];
};

static tensor tape[64];
static int length;

static tensor *append(tensor z)
{
    tape[length] = z;
    return &tape[length++];
}

static tensor *leaf(double value)
{
    return append((tensor){.value = value});
}

/* The funnel: every operation passes here. */
static tensor *apply(const op *op, tensor *a, tensor *b)
{
    double value = op->forward(a->value, b ? b->value : 0);
    return append((tensor){.value = value, .op = op, .in = {a, b}});
}

static double add_forward(double a, double b)
{
    return a + b;
}

static void add_backward(const tensor *z, double g, double dx[2])
{
    (void)z;
    dx[0] = dx[1] = g;
}

static double mul_forward(double a, double b)
{
    return a * b;
}

static void mul_backward(const tensor *z, double g, double dx[2])
{
    dx[0] = g * z->in[1]->value;
    dx[1] = g * z->in[0]->value;
}

static double tanh_forward(double a, double b)
{
    (void)b;
    return tanh(a);
}

static void tanh_backward(const tensor *z, double g, double dx[2])
{
    dx[0] = g * (1 - z->value * z->value);
}

static const op add = {"add", add_forward, add_backward};
static const op mul = {"mul", mul_forward, mul_backward};
static const op tanh_op = {"tanh", tanh_forward, tanh_backward};

/* Creation order is a topological order, so nothing needs to be sorted. */
static void backward(tensor *loss)
{
    loss->grad = 1;
    for (int at = (int)(loss - tape); at >= 0; at--) {
        const tensor *z = &tape[at];
        double dx[2] = {0, 0};
        if (!z->op)
            continue;
        z->op->backward(z, z->grad, dx);
        for (int i = 0; i < 2 && z->in[i]; i++)
            z->in[i]->grad += dx[i]; /* a value used twice receives twice */
    }
}

int main(void)
{
    tensor *x = leaf(0.5), *w = leaf(-2), *b = leaf(1.5);
    tensor *y = apply(&tanh_op, apply(&add, apply(&mul, w, x), b), NULL);
    tensor *loss = apply(&mul, y, y);
    backward(loss);
    for (tensor *z = tape; z < tape + length; z++)
        printf("%-4s  value %7.4f  gradient %7.4f\n",
               z->op ? z->op->name : "leaf", z->value, z->grad);
    return 0;
}
