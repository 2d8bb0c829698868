# shellcheck shell=sh
# test.sh - every check of `./dev test`, which sources this file. Stages go on
# after a failure; the last line sums them all up.
#
# HOURGLASS_STAGES="house release" runs only those.

# shellcheck source=tools/stages.sh
. tools/stages.sh

for stage in ${HOURGLASS_STAGES:-house release installed device valgrind asan tsan}; do
    begun=$(date +%s)
    printf '\n== %s\n' "$stage"
    "stage_$stage"
    printf '   (%s s)\n' $(($(date +%s) - begun))
done

[ $skipped -eq 0 ] || printf '\n%s skipped' $skipped
printf '\n%s passed, %s failed\n' $passed $failed
[ $failed -eq 0 ]
