/* fetch.c - fetches the files of a named set, through libcurl.
 *
 * A file grows under the name NAME.part, which a later attempt goes on with; it
 * gets its own name only after its bytes were found to be the right ones. Two
 * processes that want the same set take turns. */
#include "datasets/named.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HG_HAVE_CURL
#define CURL_DISABLE_TYPECHECK /* its macros would hide what is loaded */
#include <curl/curl.h>
#include <dlfcn.h>
#endif

/* Says which files, with which hashes, belong into which folder, and why they
 * could not be fetched; false. */
static bool fail_missing(const hg_named *set, const char *data_dir,
                         const char *folder, const char *why)
{
    char list[480] = "", tried[512];
    hg_named_tried(set, data_dir, tried);
    for (int i = 0; i < HG_MOST_FILES && set->file[i].name; i++) {
        const hg_remote_file *f = &set->file[i];
        snprintf(list + strlen(list), sizeof list - strlen(list),
                 "\n  %s  %s%s", f->sha256 ? f->sha256 : f->packed, f->name,
                 f->sha256 && strstr(f->name, ".gz") ? " (unpacked)" : "");
    }
    return hg_fail(
        HG_ERROR_DATA,
        "%s: the files were not found%s%.90s. Put these into %.120s "
        "(from %.90s or elsewhere), or use the data set synthetic, "
        "which needs no files. SHA-256 and name:%s\nLooked for in:%s",
        set->name, why[0] ? "; " : "", why, folder, set->mirror[0], list,
        tried);
}

#ifdef HG_HAVE_CURL

/* ---- The library -------------------------------------------------------- */

typedef struct {
    void *handle;
    CURL *(*init)(void);
    CURLcode (*set)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    CURLcode (*info)(CURL *, CURLINFO, ...);
    void (*cleanup)(CURL *);
    const char *(*text)(CURLcode);
} library;

/* Loaded for one set and never unloaded, since what it brings along may have
 * threads of its own. */
static bool load(library *l)
{
    static const char *const names[] = {
        "curl_easy_init",    "curl_easy_setopt",  "curl_easy_perform",
        "curl_easy_getinfo", "curl_easy_cleanup", "curl_easy_strerror"};
    void *const slots[] = {&l->init, &l->set,     &l->perform,
                           &l->info, &l->cleanup, &l->text};
    l->handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    bool good = l->handle != NULL;
    for (int i = 0; good && i < 6; i++) {
        *(void **)slots[i] = dlsym(l->handle, names[i]);
        good = *(void **)slots[i] != NULL;
    }
    return good;
}

/* ---- One attempt -------------------------------------------------------- */

static long stall_seconds(void)
{
    const char *text = getenv("HOURGLASS_STALL");
    long seconds = text ? strtol(text, NULL, 10) : 0;
    return seconds > 0 ? seconds : 20;
}

static int64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : st.st_size;
}

static void set_options(const library *l, CURL *curl, const char *url,
                        FILE *out, int64_t from, char *why)
{
    l->set(curl, CURLOPT_URL, url);
    l->set(curl, CURLOPT_WRITEDATA, out);
    l->set(curl, CURLOPT_ERRORBUFFER, why);
    l->set(curl, CURLOPT_FAILONERROR, 1L);
    l->set(curl, CURLOPT_FOLLOWLOCATION, 1L);
    l->set(curl, CURLOPT_MAXREDIRS, 5L);
    l->set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    l->set(curl, CURLOPT_NOSIGNAL, 1L);
    l->set(curl, CURLOPT_USERAGENT, "hourglass");
    l->set(curl, CURLOPT_CONNECTTIMEOUT, 15L);
    l->set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    l->set(curl, CURLOPT_LOW_SPEED_TIME, stall_seconds());
    l->set(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)from);
}

/* Appends what is missing of URL to the file; `why` says what went wrong. */
static bool download(const library *l, const char *url, const char *part,
                     char why[256])
{
    char text[CURL_ERROR_SIZE] = "";
    int64_t from = size_of(part);
    FILE *out = fopen(part, from ? "ab" : "wb");
    CURL *curl = out ? l->init() : NULL;
    CURLcode code = CURLE_FAILED_INIT;
    long answer = 0;
    if (curl) {
        set_options(l, curl, url, out, from, text);
        code = l->perform(curl);
        l->info(curl, CURLINFO_RESPONSE_CODE, &answer);
        l->cleanup(curl);
    }
    bool written = out && !fflush(out) && !fsync(fileno(out));
    if (out)
        fclose(out);
    if (code == CURLE_OK && written)
        return true;
    if (code == CURLE_HTTP_RETURNED_ERROR)
        snprintf(text, sizeof text, "the server answered %ld", answer);
    snprintf(why, 256, "%.200s",
             code == CURLE_OK || !out || code == CURLE_WRITE_ERROR
                 ? strerror(errno)
             : text[0] ? text
                       : l->text(code));
    /* Nothing more is to be had of a file that is longer than theirs, or from a
     * server that cannot go on in the middle: from the beginning, next time. */
    bool useless =
        code == CURLE_RANGE_ERROR || code == CURLE_HTTP_RETURNED_ERROR;
    if (!size_of(part) || (from && useless))
        unlink(part);
    return false;
}

/* ---- Are these the bytes? ----------------------------------------------- */

static bool looks_like_a_page(const char *path)
{
    char head[16] = "";
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(head, 1, sizeof head - 1, f) : 0;
    if (f)
        fclose(f);
    return n && head[strspn(head, " \t\r\n")] == '<';
}

/* Of the unpacked bytes. */
static bool unpacked_sha256(hg_context *context, const char *path,
                            char text[65])
{
    hg_input in;
    char *room;
    int64_t got = -1;
    if (!hg_input_open(&in, context, path))
        return false;
    room = hg_region_take(&in.region, 1 << 16);
    while (room && (got = hg_input_read(&in, room, 1 << 16)) > 0)
        continue;
    bool good = got == 0 && hg_input_at_end(&in);
    if (good)
        hg_input_sha256(&in, text);
    hg_input_close(&in);
    return good;
}

static bool check_bytes(hg_context *context, const hg_remote_file *file,
                        const char *part, char why[256])
{
    char found[65] = "";
    const char *wanted = file->packed ? file->packed : file->sha256;
    bool read = file->packed ? hg_file_sha256(part, found)
                             : unpacked_sha256(context, part, found);
    if (read && !strcmp(found, wanted))
        return true;
    snprintf(why, 256, "%s",
             looks_like_a_page(part)
                 ? "the server sent a web page instead of the file"
             : read && !found[0] ? "this build has no nettle to check it with"
                                 : "the server sent other bytes (SHA-256)");
    hg_error_clear();
    return false;
}

/* ---- One file, one set -------------------------------------------------- */

/* Up to three times from each mirror: what broke off is gone on with. */
static bool fetch_from(hg_context *context, const library *l,
                       const char *mirror, const hg_remote_file *file,
                       const char *part, char why[256])
{
    hg_location url;
    snprintf(url, sizeof url, "%.3000s/%s", mirror, file->name);
    hg_message(context, "fetching %s", url);
    for (int attempt = 0; attempt < 3; attempt++) {
        if (!download(l, url, part, why))
            continue;
        if (file->size && size_of(part) < file->size) {
            snprintf(why, 256, "the server sent only %lld of %lld bytes",
                     (long long)size_of(part), (long long)file->size);
            continue;
        }
        if (check_bytes(context, file, part, why))
            return true;
        unlink(part); /* nothing to go on with */
    }
    return false;
}

/* $HOURGLASS_MIRROR/NAME/FILE comes before the mirrors of the table. */
static bool fetch_file(hg_context *context, const library *l,
                       const hg_named *set, const hg_remote_file *file,
                       const char *folder, char why[256])
{
    hg_location part, whole, own;
    const char *given = getenv("HOURGLASS_MIRROR");
    int n = snprintf(whole, sizeof whole, "%s/%s", folder, file->name);
    if (n > 4000)
        return hg_fail(HG_ERROR_IO, "%s: the path is too long", folder);
    if (!access(whole, F_OK))
        return true;
    snprintf(part, sizeof part, "%.4000s.part", whole);
    snprintf(own, sizeof own, "%.3000s/%s", given ? given : "", set->name);
    for (int i = given && given[0] ? -1 : 0;
         i < HG_MOST_MIRRORS && (i < 0 || set->mirror[i]); i++) {
        if (!fetch_from(context, l, i < 0 ? own : set->mirror[i], file, part,
                        why))
            hg_message(context, "%s: %s", i < 0 ? own : set->mirror[i], why);
        else if (rename(part, whole))
            return hg_fail(HG_ERROR_IO, "%s: %s", whole, strerror(errno));
        else
            return true;
    }
    return false;
}

/* Held by the process that fetches; a second one waits. */
static int take_turn(hg_context *context, const char *folder)
{
    hg_location path;
    snprintf(path, sizeof path, "%.4000s/.lock", folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB)) {
        hg_message(context, "%s: another process is fetching; waiting for it",
                   folder);
        while (flock(lock, LOCK_EX) && errno == EINTR)
            continue;
    }
    return lock;
}

bool hg_named_fetch(hg_context *context, const hg_named *set,
                    const hg_data_options *options)
{
    hg_location folder;
    char why[256] = "";
    const char *given = getenv("HOURGLASS_OFFLINE");
    bool offline =
        options->offline || (given && given[0] && strcmp(given, "0"));
    bool can_write = hg_named_folder(set, options->data_dir, !offline, folder);
    if (offline)
        return fail_missing(set, options->data_dir, folder,
                            "nothing is fetched (offline)");
    if (!can_write)
        return fail_missing(set, options->data_dir, folder,
                            "no data folder can be written");
    library l = {0};
    if (!load(&l))
        return fail_missing(set, options->data_dir, folder,
                            "libcurl.so.4 was not found to fetch them");
    int lock = take_turn(context, folder);
    bool good = true;
    for (int i = 0; good && i < HG_MOST_FILES && set->file[i].name; i++)
        good = fetch_file(context, &l, set, &set->file[i], folder, why);
    if (lock >= 0)
        close(lock);
    return good || hg_error() ||
           fail_missing(set, options->data_dir, folder, why);
}

#else

bool hg_named_fetch(hg_context *context, const hg_named *set,
                    const hg_data_options *options)
{
    hg_location folder;
    (void)context;
    hg_named_folder(set, options->data_dir, false, folder);
    return fail_missing(set, options->data_dir, folder,
                        "this build has no libcurl to fetch them");
}

#endif
