import { VARIABLES } from "../rig/cloud/places";

// What a user's shell says of his clouds, as the examples' guide has it, is nothing to a test.
for (const name of Object.values(VARIABLES).flatMap((settings) => Object.values(settings).flat())) {
  delete process.env[name];
}
