/** Entry point of the plugin's process. The engine passes its own address as the last argument. */
import { main } from "@pulumi/pulumi/provider/server";
import { settingsOf } from "../cloud/places";
import { heardConfiguration } from "./configuration";
import { standInOf } from "./environment";
import { CloudProvider } from "./provider";
import { versionOf } from "./sdk";

const [sdk = "", ...engineArguments] = process.argv.slice(2);

const { folder, machines } = standInOf(process.env);

const configured = heardConfiguration();
const settings = () => settingsOf(sdk, configured(), process.env);

void main(new CloudProvider(folder, machines, versionOf(sdk), settings), engineArguments);
