/**
 * The contract's services, answered by the registered components: that of every plugin, and those of the roles that its
 * components have.
 *
 * @module
 */
import type { Calls } from "../../context/calls.js";
import type { Registry, RoleName } from "../registry.js";
import { actionService } from "./action.js";
import { builderService } from "./builder.js";
import { distributorService } from "./distributor.js";
import { importerService } from "./importer.js";
import { pluginService } from "./plugin.js";
import type { Service } from "./support.js";

const SERVICES: Record<RoleName, (registry: Registry, calls: Calls) => Service> = {
  importer: importerService,
  distributor: distributorService,
  builder: builderService,
  action: actionService,
};

export function services(registry: Registry, calls: Calls): Service[] {
  const roles = (Object.keys(SERVICES) as RoleName[]).filter((role) => registry.has(role));
  return [pluginService(registry, calls), ...roles.map((role) => SERVICES[role](registry, calls))];
}
