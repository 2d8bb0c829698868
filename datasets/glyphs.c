/* glyphs.c - ways to write the ten digits, drawn up by hand for this project;
 * synthetic.c gives them style. */
#include "datasets/glyphs.h"

/* clang-format off */
const hg_glyph hg_glyphs[] = {
    /* Closed, and with the ends crossing at the top. */
    {0, "abcdefgha",
     {{.36f, 0}, {.15f, .12f}, {.03f, .38f}, {.04f, .66f}, {.28f, .99f},
      {.55f, .88f}, {.68f, .52f}, {.60f, .15f}}},
    {0, "abcdefghij",
     {{.46f, .06f}, {.24f, .03f}, {.07f, .28f}, {.02f, .62f}, {.18f, .94f},
      {.42f, .96f}, {.62f, .66f}, {.64f, .30f}, {.50f, .06f}, {.30f, .10f}}},
    /* A plain stroke, with a flag, with a flag and a foot. */
    {1, "abc", {{.30f, 0}, {.295f, .5f}, {.29f, 1}}},
    {1, "abc", {{.32f, 0}, {.30f, .5f}, {.30f, 1}}},
    {1, "ab bcd", {{.08f, .26f}, {.34f, 0}, {.335f, .5f}, {.33f, 1}}},
    {1, "ab bcd ef",
     {{.12f, .22f}, {.36f, 0}, {.36f, .5f}, {.36f, .98f}, {.12f, 1},
      {.60f, .99f}}},
    /* A sharp foot, and a loop. */
    {2, "abcdef fg",
     {{.05f, .24f}, {.28f, .01f}, {.58f, .13f}, {.55f, .42f}, {.30f, .73f},
      {.02f, .98f}, {.68f, .96f}}},
    {2, "abcdefghij",
     {{.08f, .20f}, {.32f, 0}, {.60f, .18f}, {.50f, .50f}, {.26f, .82f},
      {.08f, .95f}, {.02f, .84f}, {.16f, .77f}, {.42f, .93f}, {.72f, .90f}}},
    /* Two bows, and a flat top. */
    {3, "abcde efghi",
     {{.06f, .13f}, {.30f, 0}, {.56f, .13f}, {.48f, .36f}, {.24f, .46f},
      {.54f, .57f}, {.60f, .80f}, {.34f, 1}, {.02f, .88f}}},
    {3, "ab bc cdefg",
     {{.06f, .03f}, {.58f, .02f}, {.26f, .40f}, {.54f, .50f}, {.60f, .76f},
      {.36f, .99f}, {.02f, .90f}}},
    /* Open, and closed. */
    {4, "abc cd ef",
     {{.14f, .02f}, {.09f, .30f}, {.06f, .54f}, {.66f, .50f}, {.54f, .04f},
      {.50f, 1}}},
    {4, "abc cd aef",
     {{.50f, 0}, {.26f, .32f}, {.02f, .64f}, {.72f, .64f}, {.50f, .5f},
      {.50f, 1}}},
    /* A sharp shoulder, and a smooth one. */
    {5, "ab bc cdefg",
     {{.66f, .02f}, {.16f, .03f}, {.12f, .42f}, {.40f, .36f}, {.62f, .62f},
      {.44f, .95f}, {.03f, .94f}}},
    {5, "ab bcdefgh",
     {{.62f, .0f}, {.20f, .04f}, {.13f, .26f}, {.16f, .42f}, {.48f, .47f},
      {.58f, .74f}, {.36f, .99f}, {.02f, .92f}}},
    /* The stem curved, and nearly straight. */
    {6, "abcdefghi",
     {{.50f, 0}, {.22f, .22f}, {.04f, .58f}, {.10f, .90f}, {.34f, 1},
      {.58f, .84f}, {.54f, .60f}, {.32f, .53f}, {.08f, .72f}}},
    {6, "abcdefg",
     {{.32f, 0}, {.12f, .38f}, {.05f, .76f}, {.28f, 1}, {.56f, .82f},
      {.42f, .60f}, {.10f, .74f}}},
    /* Plain, and with a bar through the stem. */
    {7, "ab bcd", {{.02f, .06f}, {.64f, .02f}, {.42f, .46f}, {.26f, 1}}},
    {7, "ab bcd ef",
     {{.03f, .04f}, {.64f, .03f}, {.44f, .44f}, {.30f, 1}, {.16f, .52f},
      {.62f, .48f}}},
    /* From the upper right through the crossing. */
    {8, "abcdefgha",
     {{.56f, .15f}, {.34f, 0}, {.10f, .18f}, {.30f, .46f}, {.57f, .76f},
      {.32f, 1}, {.06f, .80f}, {.34f, .48f}}},
    {8, "abcdefgha",
     {{.52f, .20f}, {.32f, .02f}, {.12f, .22f}, {.32f, .44f}, {.62f, .74f},
      {.34f, .99f}, {.05f, .76f}, {.33f, .45f}}},
    /* A straight tail, and one that ends in a hook. */
    {9, "abcdea fgh",
     {{.58f, .20f}, {.34f, 0}, {.07f, .24f}, {.22f, .47f}, {.48f, .40f},
      {.60f, .12f}, {.55f, .56f}, {.48f, 1}}},
    {9, "abcdef fghi",
     {{.57f, .14f}, {.32f, .01f}, {.07f, .24f}, {.24f, .46f}, {.50f, .36f},
      {.60f, .12f}, {.61f, .56f}, {.46f, .96f}, {.14f, .93f}}},
};
/* clang-format on */

const int hg_glyph_count = sizeof hg_glyphs / sizeof hg_glyphs[0];
