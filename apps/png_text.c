/* png_text.c - what a picture says of itself: text chunks behind the header of
 * a PNG, as `identify -verbose` and Python's PIL show them. */
#include "apps/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* As other texts of the program about itself: of the thread that draws. */
static _Thread_local char description[1400];

void describe_pictures(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(description, sizeof description, format, list);
    va_end(list);
}

static void put_length(FILE *f, unsigned long x)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(x >> shift & 255), f);
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 128)
        text++;
    return !*text;
}

/* tEXt is Latin-1; what is more than ASCII goes as UTF-8 into an iTXt. */
static void put_text_chunk(FILE *f, const char *keyword, const char *text)
{
    static const char plain[5] = {0}; /* not packed, in no language */
    char *chunk = NULL;
    size_t size = 0;
    bool ascii = is_ascii(text);
    FILE *data = text[0] ? open_memstream(&chunk, &size) : NULL;
    if (!data)
        return; /* a picture is worth more than its text */
    fputs(ascii ? "tEXt" : "iTXt", data);
    fputs(keyword, data);
    fwrite(plain, 1, ascii ? 1 : 5, data);
    fputs(text, data);
    if (!fclose(data)) {
        put_length(f, size - 4);
        fwrite(chunk, 1, size, f);
        put_length(f, crc32(0, (const Bytef *)chunk, (uInt)size));
    }
    free(chunk);
}

enum { HEADER = 33 }; /* signature and IHDR */

bool write_png(const char *path, const char *bytes, size_t size,
               const char *title, file_writer *write)
{
    char *text = NULL;
    size_t length = 0;
    FILE *f = size > HEADER ? open_memstream(&text, &length) : NULL;
    if (!f)
        return hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
    fwrite(bytes, 1, HEADER, f);
    put_text_chunk(f, "Software", "hourglass " HG_VERSION);
    put_text_chunk(f, "Title", title ? title : "");
    put_text_chunk(f, "Description", description);
    fwrite(bytes + HEADER, 1, size - HEADER, f);
    bool whole = !fclose(f);
    bool ok = whole ? write(path, text, length)
                    : hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
    free(text);
    return ok;
}
