import { quoted } from "../../vm/shell";
import { FIRST_BOOT_FOLDER, FIRST_BOOT_UNIT_FILES, SCRIPT_BEGINS } from "../hosts/cloud/userData";
import { revertCommand } from "./revert";
import { toolkitArchive } from "./toolkitArchive";

// What a host does that has its plan from its first boot. Everything here is constant, and run by root; what differs is an
// order, on standard input: a line with the toolkit's SHA-256 and URL, then the plan.

/** The order of a host. */
export function order(toolkitUrl: string, plan: string): string {
  const { name, sha256 } = toolkitArchive();
  return `${sha256} ${toolkitUrl.replace(/\/$/, "")}/${name}\n${plan}`;
}

/** The plan in an order. */
export function planOf(order: string): string {
  return order.slice(order.indexOf("\n") + 1);
}

/** It is missing on a machine that is older than its plan. */
const ENTER = `folder=\${TIMEBASE_ROOT:-}${FIRST_BOOT_FOLDER}
  mkdir -p "$folder"
  cd "$folder"`;

/**
 * Fetches the toolkit, converges, and leaves behind the plan with what converge answered. That takes its place before it is
 * durable, because the reboot is seconds away; an empty one is none.
 */
const CONVERGE = `${SCRIPT_BEGINS}  set -eu
  umask 022
  ${ENTER}
  give_up() {
    echo "timebase: error on this host: $1" >&2
    echo "timebase: what to do: $2, then run \\\`pulumi up\\\` again" >&2
    exit 1
  }
  get() {
    if command -v curl; then curl -fsSL -m 300 -o "$2" "$1"
    elif command -v wget; then wget -q -T 60 -O "$2" "$1"
    else python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' "$1" "$2"; fi >/dev/null
  }
  IFS=' ' read -r sha256 url
  cat >plan
  if [ "$(cat toolkit/sha256 2>/dev/null)" != "$sha256" ]; then
    tries=1
    until get "$url" toolkit.tar; do
      [ "$tries" -lt 30 ] || give_up "the toolkit cannot be fetched from $url" 'put there what toolkitArchive() gives, readable without a login'
      tries=$((tries + 1))
      sleep 10
    done
    found=$(sha256sum <toolkit.tar)
    [ "\${found%% *}" = "$sha256" ] || give_up "the SHA-256 of $url is \${found%% *}, and has to be $sha256" 'put there what toolkitArchive() gives'
    rm -rf toolkit.new
    mkdir toolkit.new
    tar -xf toolkit.tar -C toolkit.new
    echo "$sha256" >toolkit.new/sha256
    sync
    rm -rf toolkit toolkit.tar
    mv toolkit.new toolkit
  fi
  { cat plan; sh toolkit/timebase converge <plan; } >answer.new
  mv answer.new answer
  sync
)
`;

/**
 * Proves what was converged by the same plan. If that was not done, as on a host whose first boot has failed, the log's end is
 * shown, and the plan converged, so that the next proof can pass; this one has failed.
 */
const PROVE = `prove() (
  set -eu
  ${ENTER}
  order=$(cat)
  plan=\${order#*"
"}
  planned() { grep -v -e '^generation=' -e '^converged-' "$@" 2>/dev/null; }
  if [ "$(cat toolkit/sha256 2>/dev/null)" = "\${order%% *}" ] && [ "$(printf '%s\\n' "$plan" | planned)" = "$(planned answer)" ]; then
    { printf '%s\\n' "$plan"; grep '^converged-' answer; } | sh toolkit/timebase prove --repair
    exit
  fi
  tail -n 20 log >&2 || :
  echo 'timebase: this host was not converged by this plan at its first boot, whose log ends above (all of it: ${FIRST_BOOT_FOLDER}/log)' >&2
  echo 'timebase: converging now, so that the next run can prove it' >&2
  printf '%s\\n' "$order" | converge
  exit 1
)
`;

/** What the machine is told to do at its first boot. */
export function firstBootScript(toolkitUrl: string, plan: string): string {
  return `${CONVERGE}converge <<'ORDER'\n${order(toolkitUrl, plan)}ORDER\n`;
}

const byRoot = (script: string) => `sudo -n sh -c ${quoted(script)}`;

/** Each of them reads an order. */
export const CONVERGE_COMMAND = byRoot(`${CONVERGE}converge`);

export const PROVE_COMMAND = byRoot(`${CONVERGE}${PROVE}prove`);

/** The first boot goes too, or the next boot would take a host that was not converged yet. */
export const REVERT_COMMAND = byRoot(`IFS= read -r toolkit
(${revertCommand(FIRST_BOOT_FOLDER, "revert")}) && rm -rf ${[FIRST_BOOT_FOLDER, ...FIRST_BOOT_UNIT_FILES].join(" ")} && systemctl daemon-reload`);
