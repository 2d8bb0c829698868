/* glyphs.h - the shapes of the digits: points, and strokes through them. */
#ifndef HG_GLYPHS_H
#define HG_GLYPHS_H

#define HG_GLYPH_POINTS 18

/* Points a, b, c, ... lie in a box one high: x to the right, y down. A word of
 * `strokes` names the points that one stroke passes through smoothly; the pen
 * turns sharply only between words. A stroke that ends where it began is
 * closed smoothly. */
typedef struct {
    int digit;
    const char *strokes;
    float at[HG_GLYPH_POINTS][2];
} hg_glyph;

/* All ways to write the digits; sorted by digit. */
extern const hg_glyph hg_glyphs[];
extern const int hg_glyph_count;

#endif
