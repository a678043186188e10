//! The store as its users see it: every rule of repositories, units, versions, publications, jobs and leases.

#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod collect;
#[cfg(test)]
mod commit;
#[cfg(test)]
mod content;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod migrate;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod retain;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod search;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod support;
