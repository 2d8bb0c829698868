/* train.c - `hourglass train MODEL`: the loop, and the run it leaves behind. */
#include "apps/train.h"
#include "apps/page.h"
#include "apps/progress.h"
#include "apps/report.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

/* The first ends the step under way, a second one the program. */
static void on_interrupt(int signal_number)
{
    if (interrupted)
        _exit(128 + signal_number);
    interrupted = signal_number;
}

static void listen_for_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- Steps -------------------------------------------------------------- */

static bool enough(const trainer *t)
{
    return t->stopped || (t->s.steps && t->step >= t->s.steps);
}

/* With --overfit-batch an epoch is the first batch, again and again. */
static hg_scope *first_batch(trainer *t, hg_batch *b)
{
    int64_t n = hg_data_size(t->w.train);
    n = n < t->s.batch_size ? n : t->s.batch_size;
    if (t->epoch_steps == hg_loader_batches(t->loader))
        return NULL;
    hg_scope *s = hg_scope_open(t->w.context, HG_TRAIN);
    if (s && hg_data_batch_from(t->w.train, 0, n, b))
        return s;
    if (s)
        hg_scope_close(s);
    return NULL;
}

hg_scope *next_batch(trainer *t, hg_batch *b)
{
    explain_begin(&t->explained, t->w.context);
    return t->s.training.overfit_batch ? first_batch(t, b)
                                       : hg_next(t->loader, HG_TRAIN, b);
}

bool train_step(trainer *t, hg_batch *b)
{
    adjust_before_step(t, b);
    if (!hg_model_step(t->s.model, t->w.state, b, &t->w.optimizers))
        return hg_fail(HG_ERROR_STATE, "the step failed");
    if (!adjust_after_step(t) || !terms_are_named(t, b))
        return false;
    t->step++;
    t->epoch_steps++;
    t->epoch_images += b->size;
    return true;
}

static bool train_steps(trainer *t)
{
    double started = seconds_now();
    hg_batch b;
    for (hg_scope *s; !interrupted && !enough(t) && (s = next_batch(t, &b));) {
        bool ok = train_step(t, &b);
        hg_scope_close(s);
        t->broke = !ok;
        if (!ok)
            return false;
        explain_step(&t->explained, t->w.context, b.size == t->s.batch_size);
        show_progress(t, started);
        if (t->s.log_every && t->step % t->s.log_every == 0 && !log_step(t))
            return false;
        if (t->s.save_every && t->step % t->s.save_every == 0 &&
            !(take_notes(t, true) && checkpoint_save(t, false)))
            return false;
    }
    t->epoch_seconds = seconds_now() - started;
    return !hg_error() && take_notes(t, true);
}

/* ---- Epochs ------------------------------------------------------------- */

static bool train_epochs(trainer *t)
{
    while (t->epoch < t->s.epochs && !enough(t) && !interrupted) {
        if (!train_steps(t))
            return false;
        if (!interrupted && epoch_ended(t) && !finish_epoch(t))
            return false;
    }
    if (!interrupted && t->epoch_steps && !show_part(t))
        return false;
    return true;
}

/* ---- The end ------------------------------------------------------------ */

static bool stop_here(trainer *t)
{
    if (t->saved_step != t->step && !checkpoint_save(t, false))
        return false;
    log_line(t,
             "interrupted and saved at step %lld; `hourglass resume %s` "
             "goes on",
             (long long)t->step, t->folder);
    return true;
}

static bool log_final(trainer *t, const hg_metrics *test)
{
    json_t *line = metrics_json(test);
    json_object_set_new(line, "event", json_string("final"));
    json_object_set_new(line, "split", json_string("test"));
    json_object_set_new(line, "epoch", json_integer(t->epoch));
    json_object_set_new(line, "step", json_integer(t->step));
    if (!put_match(line, &t->w, t->s.model, shown_data(&t->w))) {
        json_decref(line);
        return false;
    }
    t->final = json_incref(line);
    return log_json(t, METRICS, line);
}

static bool finish(trainer *t)
{
    hg_metrics test;
    path_text weights = path_join(t->folder, "model.safetensors");
    swap_average(t);
    bool ok = hg_params_save(t->w.params, weights.text) &&
              measure(t, t->w.test, &test) && log_final(t, &test) &&
              pictures_at_end(t);
    swap_average(t);
    if (!ok)
        return false;
    say_test(t, &test);
    drop_empty_folders(t);
    if (!report_write(t->folder))
        return false;
    if (!t->s.dry_run)
        log_line(t, "the run is %s; open %s/report.html", t->folder, t->folder);
    t->finished = true;
    return true;
}

/* The report is what a run writes last, and removed when it goes on. */
static bool is_finished(const trainer *t)
{
    struct stat s;
    return (t->epoch >= t->s.epochs || enough(t)) &&
           !stat(path_join(t->folder, "report.html").text, &s);
}

/* What it said of the test images then. */
static json_t *last_final(const trainer *t)
{
    json_t *lines = run_lines(t->folder, log_names[METRICS]);
    json_t *final = json_incref(final_line(lines));
    json_decref(lines);
    return final;
}

static bool train(trainer *t, int argc, char **argv)
{
    bool found = false;
    describe_pictures("run %s, seed %llu", t->s.name,
                      (unsigned long long)t->s.seed);
    if (t->s.resume && !checkpoint_resume(t, &found))
        return false;
    if (found && is_finished(t)) {
        fseek(t->file[LOG], 0, SEEK_END);
        log_line(t, "the run %s is finished", t->folder);
        t->final = last_final(t);
        t->finished = true;
        return true;
    }
    if (!describe_run(t, argc, argv))
        return false;
    unlink(path_join(t->folder, "report.html").text);
    if (!cut_logs(t) || !begin_average(t))
        return false;
    say_start(t, found);
    say_device(t);
    if (!warn_at_start(t) || !tensorboard_begin(t))
        return false;
    /* Of a run that is trained an interrupt takes nothing any more. */
    return train_epochs(t) && (interrupted ? stop_here(t) : finish(t));
}

/* ---- The command -------------------------------------------------------- */

static bool open_loader(trainer *t)
{
    const training *how = &t->s.training;
    t->loader = hg_loader_new(t->w.train, t->s.batch_size, !how->in_order);
    if (!t->loader)
        return false;
    hg_loader_drop_last(t->loader, how->drop_last != 0);
    return hg_loader_batches(t->loader) ||
           hg_fail(HG_ERROR_DATA,
                   "%lld images to train on make no batch of %lld; take more "
                   "images or a smaller --batch-size%s%s",
                   (long long)hg_data_size(t->w.train),
                   (long long)t->s.batch_size,
                   how->drop_last ? ", or --drop-last 0" : "",
                   t->s.validation > 0 ? ", or a smaller --val" : "");
}

bool trainer_open(trainer *t)
{
    t->best = INFINITY;
    t->noted_loss = NAN;
    t->saved_step = -1;
    if (!workbench_open(&t->w, &t->s, t->options))
        return false;
    suit_small_set(&t->s, hg_data_size(t->w.train));
    return open_loader(t) &&
           hg_model_prepare(t->s.model, t->w.state, t->w.train) &&
           adjust_open(t) && remember_parameters(t);
}

int train_and_close(trainer *t, int argc, char **argv, bool overwrite)
{
    listen_for_interrupts();
    bool ok =
        trainer_open(t) && open_folder(t, overwrite) && train(t, argc, argv);
    clear_progress();
    if (ok)
        say_end(t);
    if (t->broke && t->s.anomaly && !t->s.dry_run &&
        hg_error_kind() == HG_ERROR_NONFINITE)
        bundle_write(t);
    int code = !ok           ? report_error()
               : t->finished ? EXIT_DONE
                             : 128 + interrupted;
    bool nothing = !ok && was_refused(t);
    close_logs(t);
    workbench_close(&t->w);
    json_decref(t->final);
    if (nothing || (t->s.dry_run && t->folder[0]))
        remove_folder(t->folder);
    unlock_run(t);
    if (t->finished && t->s.dry_run && !t->s.quiet)
        fprintf(stderr, "dry run: data, a step, evaluation, a checkpoint and "
                        "pictures work; nothing was kept\n");
    return code;
}

static int print_config(trainer *t)
{
    json_t *config = trainer_open(t) ? settings_json(&t->s, &t->w) : NULL;
    int code = config ? EXIT_DONE : report_error();
    if (config)
        print_json(config);
    json_decref(config);
    workbench_close(&t->w);
    return code;
}

static const char usage[] =
    "usage: hourglass train MODEL [options]\n"
    "  hourglass train vae --data mnist --epochs 10 --name first\n"
    "  hourglass train vae --name first --epochs 20 --resume\n"
    "  hourglass train vae --dry-run\n"
    "  hourglass train --config runs/first/config.json --seed 2\n"
    "`hourglass train MODEL --help` lists the model's own options too";

int run_train(int argc, char **argv)
{
    trainer t = {0};
    const char *options[MOST_FLAGS];
    arguments a = {.flags = train_flags, .most = 1};
    int code = parse_model_arguments(&a, argc, argv, usage, &t.s.model);
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    if (!t.s.model)
        return fail_with(EXIT_USAGE, "usage: hourglass train MODEL [options]; "
                                     "`hourglass models` lists the models");
    code = read_settings(&a, &t.s);
    if (code)
        return code;
    given_options(&a, options);
    t.options = options;
    if (flag_given(&a, "print-config"))
        return print_config(&t);
    return train_and_close(&t, argc, argv, flag_given(&a, "overwrite"));
}
