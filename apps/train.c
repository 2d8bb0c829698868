/* train.c - `hourglass train MODEL`: the loop, and the run it leaves behind. */
#include "apps/train.h"
#include "apps/report.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    if (interrupted)
        _exit(128 + signal_number);
    interrupted = signal_number;
}

/* ---- The run's folder --------------------------------------------------- */

static bool same_settings(const trainer *t, const json_t *now)
{
    static const char *const free_ones[] = {"epochs", "steps", "device",
                                            "threads", "data_dir"};
    json_t *then = run_config(t->folder), *value;
    const char *name;
    bool same = then != NULL;
    json_object_foreach(then, name, value)
    {
        bool may_differ = false;
        for (size_t i = 0; i < sizeof free_ones / sizeof free_ones[0]; i++)
            may_differ |= !strcmp(name, free_ones[i]);
        const json_t *other = json_object_get(now, name);
        if (may_differ || json_equal(value, other))
            continue;
        char *a = json_dumps(value, JSON_ENCODE_ANY);
        char *b = other ? json_dumps(other, JSON_ENCODE_ANY) : NULL;
        same = hg_fail(HG_ERROR_ARGUMENT,
                       "--resume: %s was %s in this run and is %s now; give "
                       "the same, or another --name",
                       name, a, b ? b : "missing");
        free(a);
        free(b);
    }
    json_decref(then);
    return same;
}

static json_t *environment_json(const trainer *t)
{
    struct utsname u;
    uname(&u);
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "version", HG_VERSION,
                     "system", u.sysname, "release", u.release, "machine",
                     u.machine, "threads", hg_context_threads(t->w.context),
                     "real_bytes", (int)sizeof(hg_real));
}

static bool write_command(const trainer *t, int argc, char **argv)
{
    char line[4096];
    size_t at = (size_t)snprintf(line, sizeof line, "hourglass");
    for (int i = 0; i < argc && at < sizeof line; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, " %s", argv[i]);
    if (at < sizeof line)
        at += (size_t)snprintf(line + at, sizeof line - at, "\n");
    return write_file(path_join(t->folder, "command.txt").text, line,
                      strlen(line));
}

static bool describe_run(trainer *t, int argc, char **argv, bool fresh)
{
    json_t *config = settings_json(&t->s, &t->w);
    if (!fresh && !same_settings(t, config)) {
        json_decref(config);
        return false;
    }
    json_t *environment = environment_json(t);
    bool ok = write_json(path_join(t->folder, "config.json").text, config) &&
              write_json(path_join(t->folder, "environment.json").text,
                         environment) &&
              write_command(t, argc, argv);
    json_decref(config);
    json_decref(environment);
    return ok;
}

static FILE *open_log(const trainer *t, const char *name, bool fresh)
{
    path_text path = path_join(t->folder, name);
    FILE *f = fopen(path.text, fresh ? "w" : "r+");
    if (!f && !fresh)
        f = fopen(path.text, "w");
    if (!f)
        hg_fail(HG_ERROR_IO, "%s cannot be written: %s", path.text,
                strerror(errno));
    return f;
}

static bool is_there(const trainer *t)
{
    struct stat s;
    return !stat(path_join(t->folder, "config.json").text, &s);
}

static bool open_folder(trainer *t, int argc, char **argv, bool overwrite)
{
    path_text folder = path_join(t->s.out, t->s.name);
    snprintf(t->folder, sizeof t->folder, "%s", folder.text);
    bool old = is_there(t), fresh = !(old && t->s.resume);
    if (old && !t->s.resume && !overwrite)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s is there already; use --resume, --overwrite or "
                       "another --name",
                       t->folder);
    if (!make_folder(path_join(t->folder, "checkpoints").text) ||
        !make_folder(path_join(t->folder, "recon").text) ||
        !make_folder(path_join(t->folder, "samples").text) ||
        !make_folder(path_join(t->folder, "latent").text) ||
        !describe_run(t, argc, argv, fresh))
        return false;
    if (fresh)
        unlink(path_join(t->folder, "checkpoints/last").text);
    t->metrics = open_log(t, "metrics.jsonl", fresh);
    t->log = open_log(t, "train.log", fresh);
    return t->metrics && t->log;
}

/* ---- The loop ----------------------------------------------------------- */

static bool enough(const trainer *t)
{
    return t->s.steps && t->step >= t->s.steps;
}

static bool is_finite_so_far(trainer *t)
{
    for (int i = 0; collect_terms(t) && i < t->terms.count; i++)
        if (t->terms.images && !isfinite(t->terms.sum[i]))
            return hg_fail(HG_ERROR_NONFINITE,
                           "%s is not finite in epoch %lld; try a smaller "
                           "rate, or HOURGLASS_ANOMALY=1 to see where it "
                           "begins",
                           t->terms.name[i], (long long)t->epoch);
    return !hg_error();
}

static bool train_steps(trainer *t)
{
    int64_t batches = hg_loader_batches(t->loader);
    double started = seconds_now();
    hg_batch b;
    for (hg_scope *s; !interrupted && !enough(t) &&
                      (s = hg_next(t->loader, HG_TRAIN, &b));) {
        bool ok = hg_model_step(t->s.model, t->w.state, &b, &t->w.optimizers);
        hg_scope_close(s);
        if (!ok)
            return hg_fail(HG_ERROR_STATE, "the step failed");
        t->step++;
        t->epoch_steps++;
        t->terms.taken += b.size;
        show_progress(t, t->epoch_steps, batches, started);
        if (t->s.save_every && t->step % t->s.save_every == 0 &&
            !checkpoint_save(t, false))
            return false;
    }
    t->epoch_seconds = seconds_now() - started;
    return !hg_error();
}

static bool log_epoch(trainer *t, const hg_metrics *val)
{
    double ms = 1e3 * t->epoch_seconds / (double)t->epoch_steps;
    json_t *line = json_pack("{s:s, s:I, s:s, s:I, s:f, s:f}", "event", "epoch",
                             "epoch", (json_int_t)t->epoch, "split", "train",
                             "step", (json_int_t)t->step, "images_per_s",
                             (double)t->terms.images / t->epoch_seconds,
                             "ms_per_step", ms);
    add_terms(t, line);
    if (!log_metrics(t, line))
        return false;
    if (!val)
        return true;
    line = metrics_json(val);
    json_object_set_new(line, "event", json_string("epoch"));
    json_object_set_new(line, "epoch", json_integer(t->epoch));
    json_object_set_new(line, "split", json_string("val"));
    return log_metrics(t, line);
}

static void say_epoch(trainer *t, const hg_metrics *val, bool best)
{
    char terms[256] = "", checked[64] = "";
    for (int i = 0; i < t->terms.count; i++) {
        size_t at = strlen(terms);
        snprintf(terms + at, sizeof terms - at, "  %s %.5g", t->terms.name[i],
                 term_mean(t, t->terms.name[i]));
    }
    if (val)
        snprintf(checked, sizeof checked, "  val %.5g%s", val->loss,
                 best ? " (best)" : "");
    log_line(t, "epoch %lld/%lld%s%s  %.2f s, %.3f ms a step",
             (long long)t->epoch, (long long)t->s.epochs, terms, checked,
             t->epoch_seconds, 1e3 * t->epoch_seconds / (double)t->epoch_steps);
}

static bool finish_epoch(trainer *t)
{
    hg_metrics val;
    bool checked = hg_data_size(t->w.val) > 0, best = false;
    t->epoch++;
    if (!is_finite_so_far(t))
        return false;
    if (checked) {
        if (!hg_model_evaluate(t->s.model, t->w.state, t->w.val, 250, &val))
            return false;
        best = val.loss < t->best;
        if (best)
            t->best = val.loss;
    }
    if (!log_epoch(t, checked ? &val : NULL))
        return false;
    say_epoch(t, checked ? &val : NULL, best);
    if (t->s.sample_every && t->epoch % t->s.sample_every == 0 &&
        !pictures_of_epoch(t))
        return false;
    reset_terms(t);
    return checkpoint_save(t, best);
}

static bool train_epochs(trainer *t)
{
    while (t->epoch < t->s.epochs && !enough(t)) {
        if (!train_steps(t))
            return false;
        if (interrupted)
            return checkpoint_save(t, false);
        if (t->epoch_steps && !finish_epoch(t))
            return false;
    }
    return true;
}

/* ---- The end ------------------------------------------------------------ */

static bool log_final(trainer *t, const hg_metrics *test)
{
    json_t *line = metrics_json(test);
    json_object_set_new(line, "event", json_string("final"));
    json_object_set_new(line, "split", json_string("test"));
    json_object_set_new(line, "epoch", json_integer(t->epoch));
    json_object_set_new(line, "step", json_integer(t->step));
    double mean, worst;
    if (!match_prior(&t->w, t->s.model, &mean, &worst)) {
        json_decref(line);
        return false;
    }
    if (isfinite(mean)) {
        json_object_set_new(line, "prior_ks", json_real(mean));
        json_object_set_new(line, "prior_ks_worst", json_real(worst));
    }
    return log_metrics(t, line);
}

static bool finish(trainer *t)
{
    hg_metrics test;
    path_text weights = path_join(t->folder, "model.safetensors");
    if (!hg_params_save(t->w.params, weights.text) ||
        !hg_model_evaluate(t->s.model, t->w.state, t->w.test, 250, &test) ||
        !log_final(t, &test) || !pictures_at_end(t) || !report_write(t->folder))
        return false;
    log_line(t, "test: loss %.5g  recon_mse %.5g  recon_sse %.4g%s%.4g",
             test.loss, test.recon_mse, test.recon_sse,
             isnan(test.kl) ? "  recon_bce " : "  kl ",
             isnan(test.kl) ? test.recon_bce : test.kl);
    log_line(t, "the run is %s; open %s/report.html", t->folder, t->folder);
    return true;
}

/* The report is what a run writes last, and removed when it goes on. */
static bool is_finished(const trainer *t)
{
    struct stat s;
    return (t->epoch >= t->s.epochs || enough(t)) &&
           !stat(path_join(t->folder, "report.html").text, &s);
}

static bool train(trainer *t)
{
    bool found = false;
    t->best = INFINITY;
    t->loader = hg_loader_new(t->w.train, t->s.batch_size, true);
    if (!t->loader || !hg_model_prepare(t->s.model, t->w.state, t->w.train))
        return false;
    if (t->s.resume && !checkpoint_resume(t, &found))
        return false;
    if (found && is_finished(t)) {
        fseek(t->log, 0, SEEK_END);
        log_line(t, "the run %s is finished", t->folder);
        return true;
    }
    unlink(path_join(t->folder, "report.html").text);
    if (!checkpoint_cut_logs(t))
        return false;
    if (found)
        log_line(t, "resuming at epoch %lld, step %lld",
                 (long long)t->epoch + 1, (long long)t->step);
    else
        log_line(t,
                 "%s on %s: %lld images, %lld parameters, device %s, %d "
                 "threads, seed %llu",
                 t->s.model->name, hg_data_name(t->w.all),
                 (long long)hg_data_size(t->w.train),
                 (long long)hg_params_count(t->w.params),
                 hg_context_device(t->w.context),
                 hg_context_threads(t->w.context),
                 (unsigned long long)t->s.seed);
    return train_epochs(t) && (interrupted || finish(t));
}

int run_train(int argc, char **argv)
{
    trainer t = {0};
    const char *options[MOST_FLAGS];
    arguments a = {.flags = train_flags};
    int code =
        parse_model_arguments(&a, argc, argv,
                              "usage: hourglass train MODEL [options]\n"
                              "  hourglass train vae --data mnist --epochs "
                              "10 --name first",
                              &t.s.model);
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    if (a.count > 1)
        return fail_with(EXIT_USAGE, "%s: one model is too many",
                         a.positional[1]);
    if (!t.s.model)
        return fail_with(EXIT_USAGE, "usage: hourglass train MODEL [options]; "
                                     "`hourglass models` lists the models");
    code = read_settings(&a, &t.s);
    if (code)
        return code;
    given_options(&a, options);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    bool ok = workbench_open(&t.w, &t.s, options) &&
              open_folder(&t, argc, argv, flag_given(&a, "overwrite")) &&
              train(&t);
    clear_progress();
    code = ok ? (interrupted ? 128 + interrupted : EXIT_DONE) : report_error();
    if (t.metrics)
        fclose(t.metrics);
    if (t.log)
        fclose(t.log);
    workbench_close(&t.w);
    return code;
}
