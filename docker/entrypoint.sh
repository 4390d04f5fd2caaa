#!/bin/sh
# Starts the broker as process 1. JAVA_OPTS comes last, so that it can overrule what is here.
set -eu

# Arguments add to the config of the image, unless they name another one or are for another command than the broker.
config=yes
case "${1:-}" in
    bench | health | hash-password | help | -h | --help | -V | --version) config=no ;;
esac
for argument in "$@"; do
    case "$argument" in
        --config | --config=* | -c | -c?*) config=no ;;
    esac
done
if [ "$config" = yes ]; then
    set -- --config /etc/millrace/millrace.yaml "$@"
fi

# A third of the heap is for messages; the store and the sockets use memory outside of it.
# shellcheck disable=SC2086 # JAVA_OPTS is meant to be split into words
exec java \
    -XX:+UseParallelGC \
    -XX:MaxRAMPercentage=60 \
    -XX:+ExitOnOutOfMemoryError \
    -Dproton.transport_buffer_release_threshold=16384 \
    ${JAVA_OPTS:-} \
    -jar /app/millrace.jar "$@"
