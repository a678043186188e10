/**
 * Service `Plugin`: what every plugin answers, whatever its roles.
 *
 * @module
 */
import { status as Status } from "@grpc/grpc-js";

import type { Calls } from "../../context/calls.js";
import { HookContext } from "../../context/context.js";
import { PluginError } from "../../errors.js";
import type * as wire from "../../gen/wharf/v1/plugin.js";
import { PluginService } from "../../gen/wharf/v1/plugin.js";
import { Attachment, Instance } from "../../model/attachment.js";
import { jobToWire } from "../../model/job.js";
import { Check, Checked, choiceToWire, type Component, Plan } from "../../role/component.js";
import { hooked, type Hooks } from "../../role/hooks.js";
import { Refusal, type Registry } from "../registry.js";
import { asking, component, encoded, long, once, type Service } from "./support.js";

export function pluginService(registry: Registry, calls: Calls): Service {
  const attached = (request: wire.AttachedRequest): Component => registry.component(component(request.attachment));
  const instance = (request: { instance: { component: string } | undefined }): Component =>
    registry.component(request.instance?.component ?? "");
  const named = (request: { component: string }): Component => registry.component(request.component);
  const checked = (request: wire.CheckRequest): Component => named(request);
  const nobody = (): undefined => undefined;
  const migration = ({ number, dryRun }: wire.MigrateRequest) => registry.migration(number, dryRun);

  const hooks = (): Hooks => {
    if (registry.hooks !== undefined) return registry.hooks;
    throw new Refusal(Status.UNIMPLEMENTED, "this plugin subscribes to no hooks");
  };

  const implementation = {
    describe: once(calls, nobody, () => registry.manifest.describe(registry.types)),
    ready: once(calls, instance, async (request: wire.ReadyRequest, it) => {
      const checked = await byField(() => it.ready?.(new Instance(request.instance)));
      return { reasons: checked.wire.errors };
    }),
    check: asking(calls, checked, async (request, it, { route }) => {
      const answer = await byField(() => it.check?.(new Check(request, route)));
      return answer.wire;
    }),
    choices: once(calls, named, async (request: wire.ChoicesRequest, it) => {
      if (it.choices === undefined) throw PluginError.notOffered("choices");
      const choices = await it.choices(request.field, new Check({ values: request.values }, calls.nowhere()));
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
    hook: asking(calls, hooks, (request: wire.HookRequest, it, { job, route, signal }) =>
      hooked(it, request, new HookContext(job, route, signal)),
    ),
    migrations: once(calls, nobody, () => registry.manifest.migrations()),
    migrate: long(calls, "migrations", migration, (request: wire.MigrateRequest) => {
      const [, migrations] = migration(request);
      return ([which], context) => migrations.migrate(which, context);
    }),
  };
  return [{ ...PluginService, migrate: encoded(PluginService.migrate) }, implementation];
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
