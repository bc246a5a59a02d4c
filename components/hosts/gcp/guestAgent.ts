import type { Addition } from "../cloud/userData";

/**
 * Google's guest agent must leave the host's key alone. At the first boot, which is one whose instance id is not that of
 * its file /etc/google_instance_id, it makes every ssh_host_*_key anew unless `set_host_keys` is false, and it is started
 * before sshd, after cloud-init has written ours (github.com/GoogleCloudPlatform/guest-agent,
 * google_guest_agent/instance_setup.go, agentInit and generateSSHKeys; the same in its successor,
 * github.com/GoogleCloudPlatform/google-guest-agent, cmd/core_plugin/firstboot; both read on 2026-11-25).
 *
 * In two files: by its documentation instance_configs.cfg wins over what a distribution or a package says, by its source
 * (cfg.go, dataSources) the one that is read last does, which is the template.
 */
export const KEEP_HOST_KEY: readonly Addition[] = [
  "/etc/default/instance_configs.cfg",
  "/etc/default/instance_configs.cfg.template",
].map((path) => ({
  path,
  lines: ["# timebase: the host's key was given to it", "[InstanceSetup]", "set_host_keys = false"],
}));
