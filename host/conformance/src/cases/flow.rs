//! A host that does not read for a while. Source: proto/README.md, section 9: sending then blocks.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::input::MANY;
use super::operation::differs;
use crate::bench::{Ask, Bench};
use crate::desk::Script;
use crate::operation::Operation;
use crate::verdict::{Finding, Verdict, ended_badly, failed};
use crate::watch::Run;

/// Long enough to hand all of it to a queue without an end.
const PAUSE: Duration = Duration::from_secs(3);
/// What two runs of the same thing may differ by, beside a tenth.
const SLACK: u64 = 16 << 20;

pub(super) fn slow_host<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        // One event and the result: there is nothing to hold back.
        if bench.good(ask).await?.events < 3 {
            return Err(Finding::Beside);
        }
        let count = if ask.is(Operation::Publish) { MANY } else { 3 };
        let (quick, quick_peak) = once(bench, ask, count, None).await?;
        let (slow, slow_peak) = once(bench, ask, count, Some(PAUSE)).await?;
        if slow.facts != quick.facts {
            let reason =
                format!("what a slow host reads differs: {}", differs(&quick.facts, &slow.facts));
            return failed(reason, "wait until an event is taken before the next is made");
        }
        let (Some(quick), Some(slow)) = (quick_peak, slow_peak) else { return Ok(()) };
        if slow > quick + quick / 10 + SLACK {
            let mib = |bytes: u64| bytes >> 20;
            let reason = format!(
                "with a host that does not read it takes {} MiB, with one that does {} MiB",
                mib(slow),
                mib(quick)
            );
            return failed(
                reason,
                "put events into a queue with a bound, and wait when it is full",
            );
        }
        Ok(())
    }
    .boxed()
}

/// One run in a process of its own, and the most memory that it held.
async fn once<'a>(
    bench: &'a Bench<'a>,
    ask: Ask<'a>,
    count: u32,
    pause: Option<Duration>,
) -> Verdict<(Run, Option<u64>)> {
    let stage = bench.start().await?;
    let open = stage.job(ask.component, Script::Good, count)?;
    let run = stage.run_in(ask, &open, pause).await?;
    let peak = peak(stage.process.pid());
    stage.process.stop().await;
    match &run.end {
        Ok(()) => Ok((run, peak)),
        Err(error) => Err(ended_badly(error)),
    }
}

/// Source: `proc_pid_status(5)`: `VmHWM` is the peak of the resident set.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}
