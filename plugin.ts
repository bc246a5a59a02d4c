import { join } from "node:path";
import { componentProviderHost, getPulumiComponents } from "@pulumi/pulumi/provider/experimental";
import * as timebase from "./components";

// What Pulumi runs when a program in another language uses the components: the `main` of package.json, because Pulumi
// loads a plugin by its folder, where `exports` does not count. By itself it would take the npm package's name for the
// Pulumi package's, and refuse to construct `timebase:index:<Class>`, which is what the components register.

componentProviderHost({
  name: "timebase",
  dirname: join(__dirname, ".."),
  components: getPulumiComponents(timebase),
});
