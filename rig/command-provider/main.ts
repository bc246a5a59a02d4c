/** Entry point of the plugin process. The engine passes its own address as the last argument. */
import { runtime } from "@pulumi/pulumi";
import { main } from "@pulumi/pulumi/provider/server";
import { CommandProvider } from "./provider";

const engineArguments = process.argv.slice(3);

// `pulumi.log` finds the engine by these options; `main` sets them only for component providers.
runtime.resetOptions("", "", -1, engineArguments.at(-1) ?? "", "", false, "");

void main(new CommandProvider(), engineArguments);
