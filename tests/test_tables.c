/* test_tables.c - data sets from .csv files. */
#include "arrays_fixture.h"

static void csv(const char *text)
{
    write_plain("x.csv", text, strlen(text));
}

START_TEST(lines_of_numbers_are_items)
{
    static const char *const same[] = {"1,2.5\n-3,4e1\n",
                                       "1;2.5\r\n-3;4e1",
                                       "1\t2.5\n\n-3\t40\n\n",
                                       "a,b\n1,2.5\n-3,40\n",
                                       "\"a\",\"b, c\"\n\"1\", 2.5 \n-3,40\n",
                                       ("\xef\xbb\xbf"
                                        "1,2.5\n-3,40\n")};
    for (int i = 0; i < 6; i++) {
        csv(same[i]);
        hg_data *data = opened("x.csv", NONE);
        expect_shape(data, 2, 1, 1, 2);
        expect_values(data, 0, (double[]){1, 2.5});
        expect_values(data, 1, (double[]){-3, 40});
        ck_assert_int_eq(hg_data_classes(data), 0);
    }
    write_gzip("x.csv.gz", "1,2\n3,4\n", 8);
    expect_values(opened("x.csv.gz", NONE), 1, (double[]){3, 4});
}
END_TEST

START_TEST(a_column_called_label_is_the_label)
{
    csv("a,Label,b,c,d\n0,2,0.1,0.2,0.3\n1,0,1,1,1\n");
    hg_data *data = opened("x.csv", (hg_data_options){.height = 2, .width = 2});
    expect_shape(data, 2, 1, 2, 2);
    expect_values(data, 0, (double[]){0, 0.1, 0.2, 0.3});
    ck_assert_int_eq(hg_data_label(data, 0), 2);
    ck_assert_int_eq(hg_data_classes(data), 3);
}
END_TEST

START_TEST(mistakes_in_a_table_are_told_with_their_place)
{
    static const char *const wrong_tables[][2] = {
        {"1,2\n3,x\n", "line 2, column 2: x is no number"},
        {"1,2\n3\n", "line 2 has 1 columns, the first has 2"},
        {"1,2\n3,4,5\n", "line 2 has 3 columns, the first has 2"},
        {"1,2\n,4\n", "line 2, column 1: the field is empty"},
        {"a,b\n", "there are no numbers"},
        {"", "there are no numbers"},
        {"label\n1\n", "there are no numbers"},
        {"label,a\n1.5,2\n", "line 2, column 1: 1.5 is no class"},
        {"1,nan\n2,3\n", "1 of 4 values are not finite"},
        {"1,1e999\n2,3\n", "1 of 4 values are not finite"},
        {"1,2\n3,4 5\n", "4 5 is no number"},
        {"1,00000000000000000000000000000000000000000000000000000000000000000"
         "0\n",
         "too long for a number"},
    };
    for (size_t i = 0; i < sizeof wrong_tables / sizeof wrong_tables[0]; i++) {
        csv(wrong_tables[i][0]);
        ck_assert_ptr_null(whole("x.csv", NONE));
        ck_assert_msg(strstr(hg_error(), wrong_tables[i][1]) != NULL, "%s: %s",
                      wrong_tables[i][1], hg_error());
        hg_error_clear();
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("tables");
    tcase_add_test(c, lines_of_numbers_are_items);
    tcase_add_test(c, a_column_called_label_is_the_label);
    tcase_add_test(c, mistakes_in_a_table_are_told_with_their_place);
    return run_suite("tables", c);
}
