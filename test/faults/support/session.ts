/** Shell text that kills the sshd of the session that the toolkit runs in, as a dying network does. */
export const killSession = `pid=$(pgrep -of 'toolkit/timebase converge')
while [ "$(cat /proc/$pid/comm)" != sshd ]; do pid=$(ps -o ppid= -p "$pid" | tr -d ' '); done
kill -KILL "$pid"`;
