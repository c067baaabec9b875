# Ends what a test process leaves behind. It reads one order a line from the test process; the end of the
# input means that the test process is gone, however it went.
#
#   process PID       PID is to be ended
#   ended PID         PID has ended by itself: the number may soon name somebody else's process
#   directory PATH    PATH is to be removed after the processes
processes=
directories=
newline='
'

while read -r order value; do
  case $order in
    process) processes="$processes $value" ;;
    ended)
      remaining=
      for process in $processes; do
        [ "$process" = "$value" ] || remaining="$remaining $process"
      done
      processes=$remaining
      ;;
    directory) directories="$directories$value$newline" ;;
  esac
done

for process in $processes; do
  kill -KILL "$process" 2>/dev/null
done

# A path may hold blanks, but no line break; a dying process may still add a file while its folder is removed.
set -f
IFS=$newline
for directory in $directories; do
  attempts=0
  until rm -rf -- "$directory" 2>/dev/null || [ "$attempts" -ge 50 ]; do
    attempts=$((attempts + 1))
    sleep 0.1
  done
done
