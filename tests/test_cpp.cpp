// test_cpp.cpp - hourglass.h in C++17: a net and a model are trained, and what
// makes shapes, axes, lists and initial values means what it means in C.
#include "hourglass.h"

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                       \
    if (!(condition)) {                                                        \
        std::printf("line %d: %s: %s\n", __LINE__, #condition,                 \
                    hg_error() ? hg_error() : "no error");                     \
        std::exit(1);                                                          \
    }

// An operation of one's own.
static bool twice_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

static void twice_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = 2 * k->in[0][i];
}

static hg_tensor *twice(hg_tensor *x)
{
    static const hg_op op = [] {
        hg_op o = {};
        o.name = "twice";
        o.arity = 1;
        o.contiguous = true;
        o.shape = twice_shape;
        o.cpu = twice_cpu;
        return o;
    }();
    return hg_apply(&op, nullptr, x);
}

static void shapes_and_lists(hg_params *p)
{
    hg_tensor *x = hg_ones(HG_SHAPE(2, 3));
    CHECK(x && x->shape.rank == 2 && x->shape.dim[1] == 3);
    CHECK(hg_item(hg_full(HG_SCALAR, 3)) == 3);
    hg_tensor *kept = hg_sum(x, HG_KEEP(1));
    CHECK(kept && kept->shape.rank == 2 && kept->shape.dim[1] == 1);
    CHECK(hg_item(hg_sum(x, HG_OVER(0, 1))) == 6);
    CHECK(hg_sum(x, HG_FROM(1))->shape.rank == 1);
    CHECK(hg_item(hg_sum(hg_concat(1, x, x, x), HG_ALL)) == 18);
    CHECK(hg_stack(0, x, x)->shape.rank == 3);
    CHECK(hg_item(hg_sum(twice(x), HG_ALL)) == 12);
    hg_tensor *half = hg_param(p, "half", HG_SHAPE(2),
                               HG_INIT(HG_INIT_CONSTANT, 0.5));
    CHECK(hg_item(hg_sum(half, HG_ALL)) == 1);
    CHECK(hg_param(p, "uniform", HG_SHAPE(2), HG_UNIFORM));
    CHECK(hg_param(p, "fan", HG_SHAPE(2), HG_INIT(HG_INIT_DEFAULT, 0, 0, 25)));
}

// Arguments are looked at once: no layer is made twice under one name.
static double train(hg_context *context)
{
    hg_params *p = hg_params_new(context);
    nn_layer *encoder = nn_mlp(p, "encoder", nn_tanh, 6, 5, 3);
    nn_layer *net = nn_chain(p, encoder, nn_relu(p), nn_linear(p, "out", 3, 6));
    hg_adam_options fast = {};
    fast.rate = 1e-2;
    hg_optimizer *first = hg_adam(hg_params_at(p, "encoder"), "first", fast);
    hg_optimizer *second = hg_adam(hg_params_at(p, "out"), "second", fast);
    double before = 0, after = 0;
    for (int step = 0; step < 200; step++) {
        hg_scope *scope = hg_scope_open(context, HG_TRAIN);
        hg_tensor *x = hg_rand(HG_SHAPE(16, 6));
        hg_tensor *error = hg_square(hg_sub(nn_forward(net, x), x));
        hg_tensor *loss = hg_mean(hg_sum(error, HG_FROM(1)), HG_ALL);
        after = static_cast<double>(hg_item(loss));
        before = step ? before : after;
        CHECK(hg_minimize(loss, first, second));
        hg_scope_close(scope);
    }
    return after / before;
}

// A model of one's own.
struct tiny {
    nn_layer *net;
};

static void tiny_build(void *model, hg_params *p, const hg_config *c)
{
    int64_t in = hg_config_int(c, "inputs"), code = hg_config_int(c, "latent");
    static_cast<tiny *>(model)->net =
        nn_chain(p, nn_linear(p, "in", in, code), nn_tanh(p),
                 nn_linear(p, "out", code, in));
}

static hg_tensor *tiny_loss(void *model, const hg_batch *b)
{
    hg_tensor *y = nn_forward(static_cast<tiny *>(model)->net, b->x);
    return hg_mean(hg_square(hg_sub(y, b->target)), HG_FROM(1));
}

static void fit(hg_context *context)
{
    static const char *const ways[] = {"one", "other", nullptr};
    static const hg_option options[] = {HG_NUMBER("latent", "of the code", 2),
                                        HG_ONE_OF("way", "of two", "one", ways),
                                        {}};
    hg_model model = {};
    model.name = "tiny";
    model.options = options;
    model.size = sizeof(tiny);
    model.build = tiny_build;
    model.loss = tiny_loss;
    hg_data_options as_it_is = {};
    hg_data *data = hg_data_open(context, "synthetic:200", as_it_is);
    hg_params *p;
    CHECK(hg_model_fit(context, &model, data, 1, &p, nullptr, nullptr));
    CHECK(hg_params_count(p) == 2 * 2 * 784 + 2 + 784);
}

int main()
{
    hg_context *context = hg_context_new("cpu", 1);
    CHECK(context);
    hg_scope *scope = hg_scope_open(context, HG_EVAL);
    shapes_and_lists(hg_params_new(context));
    hg_scope_close(scope);
    CHECK(train(context) < 0.6);
    fit(context);
    CHECK(!hg_error());
    hg_context_free(context);
    return 0;
}
