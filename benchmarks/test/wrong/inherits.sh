#!/usr/bin/env bash
# Wrong: an actor whose programs inherit the lock, as in any script that says `exec 9>file; flock 9`.
mkdir -p "$1"
exec 9> "$1/lock"
echo '{"ready":true}'
while read -r verb; do
  case $verb in
    try) if flock -n 9; then echo '{"slot":0,"tookNs":0}'; else echo '{"slot":null,"tookNs":0}'; fi ;;
    child) sleep 600 > /dev/null & echo "{\"pid\":$!}" ;;
    *) echo '{"unsupported":"no such request"}' ;;
  esac
done
