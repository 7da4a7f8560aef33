#!/usr/bin/env bash
# Instructions per command, counted by callgrind: the same on any machine of one architecture, so a change of
# a per cent shows where wall time would drown it.
#
#   benches/instructions.sh           the mix; a quiet mark at 1,000 to 1,000,000 accounts; a liquidation, where one mark
#                                     liquidates 1, 100 or 1,000 of 1,000 or 100,000, and lots rest or find 4 fills
#   CENTUM_BENCH_TOY=1 benches/instructions.sh    a few seconds, to see that nothing has rotted
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "skipped: instructions (valgrind is not installed)"
    exit 0
fi
cargo build --quiet --release -p centum-benches --bin instructions
binary="${CARGO_TARGET_DIR:-target}/release/instructions"
counts="$(mktemp)"
trap 'rm -f "$counts"' EXIT

# count NAME ARGS...: runs the workload and prints instructions per command.
count() {
    local name="$1" commands total
    shift
    commands="$(valgrind --tool=callgrind --collect-atstart=no '--toggle-collect=*measured*' \
        --callgrind-out-file=/dev/null "$binary" "$@" 2>"$counts")"
    total="$(sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' "$counts")"
    printf '%-40s %12s %14s %10s\n' "$name" "$commands" "$total" "$((total / commands))"
}

printf '%-40s %12s %14s %10s\n' workload commands instructions 'a command'
if [ "${CENTUM_BENCH_TOY:-0}" != 0 ]; then
    count 'mix' mix 2000
    count 'quiet mark, 1000' mark 1000 600
    count '10 liquidations of 200, 4 fills' gap 200 10 4
    exit 0
fi
count 'mix' mix 50000
for accounts in 1000 10000 100000 1000000; do
    count "quiet mark, $accounts" mark "$accounts" 6000
done
for accounts in 1000 100000; do
    for due in 1 100 1000; do
        for fills in 0 4; do
            count "$due liquidations of $accounts, $fills fills" gap "$accounts" "$due" "$fills"
        done
    done
done
