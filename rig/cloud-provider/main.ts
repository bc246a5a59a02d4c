/** Entry point of the plugin's process. The engine passes its own address as the last argument. */
import { main } from "@pulumi/pulumi/provider/server";
import { standInOf } from "./environment";
import { CloudProvider } from "./provider";
import { versionOf } from "./sdk";

const [sdk = "", ...engineArguments] = process.argv.slice(2);

const { folder, machines } = standInOf(process.env);

void main(new CloudProvider(folder, machines, versionOf(sdk)), engineArguments);
