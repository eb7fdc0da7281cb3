# Closes a program off: close_off.sh HIDDEN HIDDEN SOLUTION CODE PACKAGE WORK COMMAND..., as root of namespaces of its own.
#
# All files become read-only, but for a small folder WORK, in which the command runs. The folders HIDDEN are empty, and so
# is the file SOLUTION. Once the command has read its programs, it makes a file "ready" and waits for a file "go";
# meanwhile the folders CODE and PACKAGE become empty, too. The command has no right to undo any of this. From Linux 6.14 on
# the number of its processes has a limit (before that, this would be the limit of the whole system).
mount -t proc proc /proc
[ "$(printf '6.14\n%s\n' "$(uname -r)" | sort -V | head -n 1)" != 6.14 ] || echo 1000 > /proc/sys/kernel/pid_max
while read -r _ _ _ _ place _; do mount -o remount,bind,ro "$place"; done < /proc/self/mountinfo 2> /dev/null
for place in "$1" "$2"; do mount -t tmpfs -o ro none "$place"; done
mount --bind /dev/null "$3"
mount -t tmpfs -o size=100m none "$6"
cd "$6" || exit 9
code=$4 package=$5 work=$6
shift 6
exec 3<&0
setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@" <&3 3<&- &
process=$!
until [ -e "$work/ready" ] || ! kill -0 $process 2> /dev/null; do sleep 0.05; done
for place in "$code" "$package"; do mount -t tmpfs -o ro none "$place"; done
: > "$work/go"
wait $process
