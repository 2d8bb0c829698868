/* test_tape.c - looking at a run: the written tape and anomaly mode. */
#include "tests/support.h"

#include <stdlib.h>

static char text[16384];

/* The tape as hg_tape_write writes it. */
static const char *tape(hg_tape_format format)
{
    FILE *f = tmpfile();
    ck_assert_ptr_nonnull(f);
    expect_ok(hg_tape_write(f, format));
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

#define expect_text(where, what)                                               \
    ck_assert_msg(strstr(where, what) != NULL, "\"%s\" is missing in\n%s",     \
                  what, where)

/* ---- The tape ----------------------------------------------------------- */

static hg_tensor *record_line(void)
{
    hg_owner *owner = test_owner(ctx);
    hg_tensor *w =
        test_parameter(owner, "layer \"one\".weight", HG_SHAPE(2), 1);
    hg_tensor *x = hg_watch(hg_ones(HG_SHAPE(3, 2)));
    hg_tensor *y = hg_mul(x, w);
    hg_retain_grad(y);
    return total(y);
}

START_TEST(the_tape_shows_names_shapes_values_and_rules_oldest_first)
{
    record_line();
    const char *t = tape(HG_TEXT);
    expect_text(t, "layer \"one\".weight [2]\n    value     1, 1.125\n");
    expect_text(t, "gradient  not run yet");
    expect_text(t, "%1 = expand(layer \"one\".weight) [3, 2]");
    expect_text(t, "%2.0 = watch [3, 2]");
    expect_text(t, "%2 = mul(%2.0, %1) [3, 2]");
    expect_text(t, "rule      mul, for input 0 input 1");
    expect_text(t, "%3 = sum(%2) []\n    value     6.375");
    ck_assert(strstr(t, "%1 =") < strstr(t, "%2 ="));
    ck_assert(strstr(t, "%2 =") < strstr(t, "%3 ="));
}
END_TEST

START_TEST(after_the_backward_the_tape_shows_gradients)
{
    expect_ok(hg_backward(record_line()));
    const char *t = tape(HG_TEXT);
    expect_text(t, "value     1, 1.125\n    gradient  3, 3\n");
    expect_text(t, "%3 = sum(%2) []\n    value     6.375\n"
                   "    gradient  passed on, not kept");
    expect_text(t, "gradient  1, 1, 1, 1, 1, 1\n    rule      mul");
}
END_TEST

START_TEST(long_values_are_summarised_on_the_tape)
{
    hg_tensor *x = hg_watch(hg_full(HG_SHAPE(100), 3));
    hg_exp(hg_scale(x, 0));
    const char *t = tape(HG_TEXT);
    expect_text(t, "min 3, mean 3, max 3");
    expect_text(t, "min 1, mean 1, max 1");
}
END_TEST

START_TEST(layer_paths_stand_on_the_tape)
{
    hg_ambient_here()->path = "encoder.0";
    hg_square(hg_watch(scalar(2)));
    hg_ambient_here()->path = NULL;
    expect_text(tape(HG_TEXT), "%1 = square(%1.0) [] in encoder.0");
}
END_TEST

START_TEST(an_empty_tape_says_so)
{
    hg_square(scalar(2));
    expect_text(tape(HG_TEXT), "the tape is empty");
    ck_assert_str_eq(tape(HG_DOT), "digraph tape {\n  rankdir=LR;\n}\n");
}
END_TEST

START_TEST(tapes_of_outer_scopes_come_first)
{
    hg_tensor *y = hg_square(hg_watch(scalar(2)));
    hg_scope *inner = hg_scope_open(ctx, HG_TRAIN);
    hg_exp(y);
    const char *t = tape(HG_TEXT);
    expect_text(t, "%1 = square(%1.0)");
    expect_text(t, "%2 = exp(%1)");
    hg_scope_close(inner);
}
END_TEST

/* Quotes come in pairs once the escaped ones are taken out. */
static bool quotes_balance(const char *t)
{
    int quotes = 0;
    for (; *t; t++) {
        if (*t == '\\' && t[1])
            t++;
        else if (*t == '"')
            quotes++;
    }
    return quotes % 2 == 0;
}

START_TEST(the_graph_is_one_that_dot_accepts)
{
    expect_ok(hg_backward(record_line()));
    const char *t = tape(HG_DOT);
    ck_assert(quotes_balance(t));
    expect_text(t, "digraph tape {");
    expect_text(t, "n1_0 [shape=ellipse, label=\"layer \\\"one\\\".weight [2]");
    expect_text(t, "n2 [shape=box, label=\"mul [3, 2]");
    expect_text(t, "n1 -> n2 [style=solid];");
    expect_text(t, "n1_0 -> n1 [style=solid];");
    ck_assert_str_eq(t + strlen(t) - 2, "}\n");
    if (system("command -v dot >/dev/null 2>&1") != 0)
        return;
    FILE *dot = popen("dot -Tplain >/dev/null", "w");
    ck_assert_ptr_nonnull(dot);
    fputs(t, dot);
    ck_assert_int_eq(pclose(dot), 0);
}
END_TEST

START_TEST(a_tape_without_a_file_or_scope_is_an_error)
{
    ck_assert(!hg_tape_write(NULL, HG_TEXT));
    expect_error(ARGUMENT, "hg_tape_write", "file is NULL");
    hg_scope_close(scope);
    ck_assert(!hg_tape_write(stdout, HG_TEXT));
    expect_error(STATE, "no scope is open");
}
END_TEST

START_TEST(a_full_disk_is_an_error_of_the_tape)
{
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return;
    setvbuf(full, NULL, _IONBF, 0);
    record_line();
    ck_assert(!hg_tape_write(full, HG_TEXT));
    expect_error(IO, "hg_tape_write");
    fclose(full);
}
END_TEST

/* ---- Anomaly mode ------------------------------------------------------- */

START_TEST(anomaly_mode_names_op_layer_shapes_and_inputs)
{
    hg_context_set_anomaly(ctx, true);
    hg_ambient_here()->path = "decoder.2";
    hg_tensor *y = hg_log(tensor((2, 2), 1, 0, -1, 4));
    hg_ambient_here()->path = NULL;
    ck_assert_ptr_null(y);
    expect_error(NONFINITE, "decoder.2: log:", "1 NaN and 1 infinite of 4",
                 "[2, 2]", "input 0 [2, 2]: min -1, max 4, mean 1, 0 bad");
}
END_TEST

START_TEST(values_that_were_bad_already_pass_on_silently)
{
    hg_context_set_anomaly(ctx, true);
    hg_tensor *x = vector(NAN, 1), *y = hg_add(hg_exp(x), vector(1, 1));
    expect_values(y, NAN, 1 + exp(1));
    expect_values(hg_full(HG_SCALAR, INFINITY), INFINITY);
    expect_no_error();
}
END_TEST

START_TEST(without_anomaly_mode_nothing_stops)
{
    expect_values(hg_log(vector(0)), -INFINITY);
    expect_no_error();
}
END_TEST

START_TEST(anomaly_mode_looks_through_views_at_the_values)
{
    hg_context_set_anomaly(ctx, true);
    hg_tensor *x = tensor((2, 2), 1, -1, 2, -2);
    hg_tensor *positive = hg_slice(x, 1, 0, 1, 1);
    ck_assert_ptr_nonnull(hg_log(positive)); /* -1 lies between its values */
    expect_no_error();
    ck_assert_ptr_null(hg_log(hg_transpose(x)));
    expect_error(NONFINITE, "log", "min -2, max 2, mean 0");
}
END_TEST

START_TEST(anomaly_mode_hunts_in_the_backward_too)
{
    hg_context_set_anomaly(ctx, true);
    hg_tensor *x = hg_watch(vector(0, 1));
    hg_tensor *y = hg_sqrt(x);
    ck_assert(!hg_backward(total(y)));
    expect_error(NONFINITE, "sqrt", "in the backward pass", "1 infinite");
}
END_TEST

START_TEST(the_environment_turns_anomaly_mode_on)
{
    hg_scope_close(scope);
    setenv("HOURGLASS_ANOMALY", "1", 1);
    hg_context *on = hg_context_new(test_device(), 1);
    setenv("HOURGLASS_ANOMALY", "0", 1);
    hg_context *off = hg_context_new(test_device(), 1);
    unsetenv("HOURGLASS_ANOMALY");
    ck_assert(on->anomaly && !off->anomaly);
    hg_context_free(on);
    hg_context_free(off);
}
END_TEST

TEST_MAIN("tape", the_tape_shows_names_shapes_values_and_rules_oldest_first,
          after_the_backward_the_tape_shows_gradients,
          long_values_are_summarised_on_the_tape, layer_paths_stand_on_the_tape,
          an_empty_tape_says_so, tapes_of_outer_scopes_come_first,
          the_graph_is_one_that_dot_accepts,
          a_tape_without_a_file_or_scope_is_an_error,
          a_full_disk_is_an_error_of_the_tape,
          anomaly_mode_names_op_layer_shapes_and_inputs,
          values_that_were_bad_already_pass_on_silently,
          without_anomaly_mode_nothing_stops,
          anomaly_mode_looks_through_views_at_the_values,
          anomaly_mode_hunts_in_the_backward_too,
          the_environment_turns_anomaly_mode_on)
