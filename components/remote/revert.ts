/**
 * By the installed program, else by the copy in a folder. Without either, a host on which nothing is set has nothing to revert.
 * Short, because it is in the state twice.
 */
export const revertCommand = (folder: string, verb: string) =>
  `for t in /usr/local/lib/timebase/current ${folder}/toolkit; do [ ! -e $t/timebase ] || exec sh $t/timebase ${verb}; done
[ ! -e /var/lib/timebase ] || { echo 'timebase: its program is gone: run \`pulumi up\`, which installs it, then \`pulumi destroy\`' >&2; exit 1; }`;
