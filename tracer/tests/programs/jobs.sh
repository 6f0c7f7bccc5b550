# Job control as a script can see it: stops, continues and ends of background jobs, and their statuses.
# Run by bash or dash; it prints the same lines each time.
set -m

# Until the job of this process is as wanted. In a pipe's shell there would be no jobs.
list=$(mktemp)
trap 'rm -f "$list"' EXIT
until_job() {
    until jobs -l >"$list" && grep -q "$1 $2" "$list"; do :; done
    echo "$2"
}

sleep 1000 &
job=$!
kill -STOP $job
until_job $job Stopped
kill -CONT $job
# dash does not notice that a job goes on.
[ -z "$BASH_VERSION" ] || until_job $job Running
kill -TERM $job
wait $job
status=$?

# What dash says of a job that was stopped and has ended depends on when it looks: its stop, its end, or that there is none.
if [ -n "$BASH_VERSION" ]; then
    echo "ended with $status"
    (trap 'exit 9' USR1; echo waits; kill -STOP $(sh -c 'echo $PPID'); while :; do :; done) &
    job=$!
    until_job $job Stopped
    kill -USR1 $job
    kill -CONT $job
    # Before it goes on, waiting may tell of the stop once more.
    wait $job
    status=$?
    while [ $status -gt 128 ]; do
        wait $job
        status=$?
    done
    echo "ended with $status"
fi

(exit 5) | (exit 6) | cat
echo "pipe $?"
trap 'echo trapped' USR2
kill -USR2 $$
(kill -KILL $(sh -c 'echo $PPID')) &
wait $!
echo "ended with $?"
