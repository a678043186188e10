/**
 * Service `Plugin`. Hooks are not offered by this SDK yet.
 *
 * @module
 */
import { status as Status } from "@grpc/grpc-js";

import type { Calls } from "../../context/calls.js";
import { PluginError } from "../../errors.js";
import type * as wire from "../../gen/wharf/v1/plugin.js";
import { PluginService } from "../../gen/wharf/v1/plugin.js";
import { Attachment, Instance } from "../../model/attachment.js";
import { jobToWire } from "../../model/job.js";
import { Check, Checked, choiceToWire, type Component, Plan } from "../../role/component.js";
import { Refusal, type Registry } from "../registry.js";
import { component, encoded, long, once, type Service } from "./support.js";

export function pluginService(registry: Registry, calls: Calls): Service {
  const attached = (request: wire.AttachedRequest): Component => registry.component(component(request.attachment));
  const instance = (request: { instance: { component: string } | undefined }): Component =>
    registry.component(request.instance?.component ?? "");
  const named = (request: { component: string }): Component => registry.component(request.component);
  const nobody = (): undefined => undefined;
  const migration = ({ number, dryRun }: wire.MigrateRequest) => registry.migration(number, dryRun);

  const implementation = {
    describe: once(calls, nobody, () => registry.manifest.describe(registry.types)),
    ready: once(calls, instance, async (request: wire.ReadyRequest, it) => {
      const checked = await byField(() => it.ready?.(new Instance(request.instance)));
      return { reasons: checked.wire.errors };
    }),
    check: once(calls, named, async (request: wire.CheckRequest, it) => {
      const checked = await byField(() => it.check?.(new Check(request)));
      return checked.wire;
    }),
    choices: once(calls, named, async (request: wire.ChoicesRequest, it) => {
      if (it.choices === undefined) throw PluginError.notOffered("choices");
      const choices = await it.choices(request.field, new Check({ values: request.values }));
      return { choices: choices.map(choiceToWire) };
    }),
    attached: once(calls, attached, async (request: wire.AttachedRequest, it) => {
      await it.attached?.(new Attachment(request.attachment));
      return {};
    }),
    detached: once(calls, attached, async (request: wire.DetachedRequest, it) => {
      await it.detached?.(new Attachment(request.attachment));
      return {};
    }),
    plan: once(calls, instance, async (request: wire.PlanRequest, it) => {
      const jobs = await it.plan?.(new Plan(request));
      return { jobs: jobs?.map(jobToWire) ?? [] };
    }),
    hook: once(calls, notOffered, () => notOffered()),
    migrations: once(calls, nobody, () => registry.manifest.migrations()),
    migrate: long(calls, "migrations", migration, (request: wire.MigrateRequest) => {
      const [, migrations] = migration(request);
      return ([which], context) => migrations.migrate(which, context);
    }),
  };
  return [{ ...PluginService, migrate: encoded(PluginService.migrate) }, implementation];
}

function notOffered(): never {
  throw new Refusal(Status.UNIMPLEMENTED, "this plugin does not offer hooks");
}

/** What the user can fix is an answer about a field, not a failed call. */
async function byField(check: () => Checked | Promise<Checked> | undefined): Promise<Checked> {
  try {
    return (await check()) ?? Checked.good();
  } catch (thrown) {
    const error = PluginError.from(thrown);
    if (error.class !== "usage" || error.notOffered) throw thrown;
    return Checked.good().error(error.field, error.code, error.message);
  }
}
