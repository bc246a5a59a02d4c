import { Instance, type InstanceArgs } from "@pulumi/gcp/compute/instance";
import * as pulumi from "@pulumi/pulumi";
import { checkInputs, settled } from "../inputs";
import { Cloud } from "../plan/enums";
import { warnOfEverybody } from "./cloud/access";
import { type CloudMachine, cloudEndpoint, isReachedInPublic } from "./cloud/endpoint";
import { firstBoot, replacementTrigger } from "./cloud/firstBoot";
import { loginOf, makeHostKey } from "./cloud/keys";
import { cloudConfig, type FirstBoot, startupScript } from "./cloud/userData";
import type { HostEndpoint } from "./endpoint";
import type { GcpHostArgs } from "./gcp/args";
import { bootDiskType, canMigrate, isBareMetal, needsNestedVirtualization, timeSourcesOf } from "./gcp/capabilities";
import { aboutFirstBoot, type GcpSystem, IMAGES, newestImage, USER } from "./gcp/image";
import { networkTags } from "./gcp/network";
import { machineOf, validateGcpHost } from "./gcp/validate";

/**
 * A machine of Google Compute Engine: an instance with the system, the type and the clock that are wished, reached by SSH
 * from the named networks only, known by a host key that was made before it. `transforms` among the resource options reach
 * every resource that it makes, for whatever has no argument.
 */
export class GcpHost extends pulumi.ComponentResource {
  /** How to reach the host: the `endpoint` of every clock component. Secret, as it holds the key. */
  readonly endpoint: pulumi.Output<HostEndpoint>;
  /** The instance's id: "projects/<project>/zones/<zone>/instances/<name>". */
  readonly instanceId: pulumi.Output<string>;
  /** The self link of the image that the instance was made of, and stays on. */
  readonly image: pulumi.Output<string>;

  constructor(name: string, args: GcpHostArgs, opts?: pulumi.ComponentResourceOptions) {
    const input = { ...args, name: args?.name ?? name };
    const check = checkInputs("GcpHost", name, input, validateGcpHost(name));
    super("timebase:index:GcpHost", name, {}, opts);
    warnOfEverybody(name, args.sshFrom, this);

    const hostKey = makeHostKey(name, this);
    const login = loginOf(name, args, this);
    // Every resource that costs or opens something is in the network, and so waits until the arguments have passed.
    const passed = settled(pulumi.secret(input).apply(check));
    const network = pulumi.all([args.network, passed]).apply(([given]) => given ?? "default");
    const parts = {
      firstBoot: firstBoot(aboutFirstBoot(args.operatingSystem as GcpSystem), args.firstBoot, hostKey, login),
      network,
      tags: networkTags(name, args, network, this),
    };
    const instance = makeInstance(name, args, parts, this);

    const nic = instance.networkInterfaces.apply(([first]) => first);
    const machine = {
      id: instance.id,
      urn: instance.urn,
      publicAddress: nic.apply((known) => known?.accessConfigs?.[0]?.natIp),
      privateAddress: nic.apply((known) => known?.networkIp ?? ""),
      plain: plainOf(args),
    };
    this.endpoint = cloudEndpoint(name, input, machine, USER, login, hostKey);
    this.instanceId = instance.id;
    this.image = instance.bootDisk.apply((disk) => disk.initializeParams?.image ?? "");

    // The endpoint is secret and in the state already, as the connection of each command that uses it.
    this.registerOutputs({ instanceId: this.instanceId, image: this.image });
  }
}

/** What is known of the machine before it is there. Rules of a network hold for every machine in it. */
function plainOf(args: GcpHostArgs): CloudMachine["plain"] {
  const machine = machineOf(args);
  return {
    cloud: Cloud.Gcp,
    operatingSystem: args.operatingSystem,
    guests: machine.guests || isBareMetal(machine.machineType),
    sources: timeSourcesOf(machine),
    otherRules: true,
  };
}

const DEFAULT_ROOT_DISK_GIB = 16;

/** What an instance needs that is not an argument as it stands. */
interface Parts {
  firstBoot: pulumi.Output<FirstBoot>;
  network: pulumi.Output<string>;
  tags: pulumi.Output<string[]>;
}

function makeInstance(name: string, args: GcpHostArgs, parts: Parts, parent: pulumi.Resource): Instance {
  const machine = machineOf(args);
  const image = args.image ?? newestImage(args.operatingSystem as GcpSystem, parent);
  const isMetal = isBareMetal(machine.machineType);
  const size = args.rootDiskGib ?? DEFAULT_ROOT_DISK_GIB;
  return new Instance(
    `${name}-instance`,
    {
      machineType: machine.machineType,
      zone: args.zone,
      bootDisk: {
        autoDelete: true,
        initializeParams: { image, size, type: bootDiskType(machine.machineType), labels: args.labels },
      },
      networkInterfaces: [
        {
          network: parts.network,
          subnetwork: args.subnetwork,
          accessConfigs: isReachedInPublic(args) ? [{}] : [],
          nicType: isMetal ? "IDPF" : undefined,
        },
      ],
      tags: parts.tags,
      labels: args.labels,
      ...firstBootInputs(args.operatingSystem as GcpSystem, parts.firstBoot),
      advancedMachineFeatures: needsNestedVirtualization(machine) ? { enableNestedVirtualization: true } : undefined,
      scheduling: machine.spot ? SPOT : canMigrate(machine.machineType) ? MIGRATES : STAYS_IN_PLACE,
      shieldedInstanceConfig: isMetal ? undefined : SHIELDED,
      deletionProtection: args.deletionProtection ?? false,
      // A change of the machine type needs it.
      allowStoppingForUpdate: true,
    },
    {
      parent,
      additionalSecretOutputs: ["metadata", "metadataStartupScript"],
      // What the first boot burns in cannot be changed later.
      replaceOnChanges: ['metadata["user-data"]'],
      ignoreChanges: [
        // The image that was found stays: a newer one is for the next machine.
        ...(args.image === undefined ? ["bootDisk.initializeParams.image"] : []),
        // So is a plan that changes: this machine has it by SSH.
        ...(args.firstBoot === undefined ? [] : ['metadata["user-data"]']),
      ],
      // Never none: the engine compares a trigger with another one only (@pulumi/pulumi 3.270).
      replacementTrigger: args.firstBoot === undefined ? "told nothing" : replacementTrigger(parts.firstBoot),
    },
  );
}

/** What Google takes back is deleted, and costs nothing. */
const SPOT = {
  provisioningModel: "SPOT",
  preemptible: true,
  automaticRestart: false,
  onHostMaintenance: "TERMINATE",
  instanceTerminationAction: "DELETE",
};

/** All of it is given: what is left out stays as it is, so that a spot machine would stay one. */
const MIGRATES = {
  provisioningModel: "STANDARD",
  preemptible: false,
  automaticRestart: true,
  onHostMaintenance: "MIGRATE",
};

/** Maintenance stops a machine that cannot move, and starts it again. */
const STAYS_IN_PLACE = { ...MIGRATES, onHostMaintenance: "TERMINATE" };

/** Only what its vendor signed boots, and what booted is measured. */
const SHIELDED = { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true };

type FirstBootInputs = Pick<InstanceArgs, "metadata" | "metadataStartupScript">;

/** The first boot's text is secret, as it holds the host's private key. Another script is another machine by itself. */
function firstBootInputs(system: GcpSystem, boot: pulumi.Output<FirstBoot>): FirstBootInputs {
  return IMAGES[system].hasCloudInit
    ? { metadata: { ...ACCESS, "user-data": boot.apply(cloudConfig) } }
    : { metadata: ACCESS, metadataStartupScript: boot.apply(startupScript) };
}

/** Only the key that the first boot knows may log in: neither OS Login nor the project's keys nor the serial console. */
const ACCESS = {
  "enable-oslogin": "FALSE",
  "block-project-ssh-keys": "TRUE",
  "serial-port-enable": "FALSE",
};
