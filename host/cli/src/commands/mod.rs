//! The commands, one file per noun or verb. Each asks the API, and renders the answer.

mod attach;
mod build;
mod callback;
mod client_config;
mod conformance;
mod decide;
mod edit;
mod everything;
mod folder;
mod help;
mod history;
mod image;
mod import;
mod instance;
mod job;
mod key;
mod kitovu;
mod mirror;
mod new;
mod plugin;
mod push;
mod repo;
mod run;
mod schedule;
mod secret;
mod serve;
mod status;
mod testbed;
mod token;
mod typed;
mod unit;
mod unit_type;
mod upload;
mod uploads;
mod work;

use crate::app::App;
use crate::args::{
    Command, FolderCommand, ImageCommand, InstanceCommand, JobCommand, JobList, KeyCommand,
    KitovuCommand, Mirror, PluginCommand, RepoCommand, ScheduleCommand, SecretCommand,
    TokenCommand, TypeCommand, UnitCommand,
};
use crate::demo;
use crate::dev;
use crate::error::Error;
use crate::exit::Exit;
use crate::probe;

pub(crate) use mirror::Origin;
pub(crate) use run::follow;

/// Does what the command line says.
pub(crate) async fn dispatch(app: &App, command: Command) -> Result<Exit, Error> {
    match command {
        Command::Demo(args) => demo::run(app, args).await,
        Command::Mirror(Mirror::File(args)) => mirror::file(app, args).await,
        Command::Mirror(Mirror::Deb(args)) => mirror::deb(app, args).await,
        Command::Mirror(Mirror::Pypi(args)) => mirror::pypi(app, args).await,
        Command::Attach(args) => attach::attach(app, args).await,
        Command::Detach(args) => attach::detach(app, args).await,
        Command::Sync(args) => work::sync(app, args).await,
        Command::Publish(args) => work::publish(app, args).await,
        Command::Build(args) => build::build(app, args).await,
        Command::Targets => build::targets(app).await,
        Command::Image { command } => match command.unwrap_or(ImageCommand::List { name: None }) {
            ImageCommand::List { name } => image::list(app, name).await,
            ImageCommand::Show { id } => image::show(app, id).await,
            ImageCommand::Save(args) => image::save(app, args).await,
            ImageCommand::Import(args) => import::import(app, args).await,
            ImageCommand::Push(args) => push::push(app, args).await,
            ImageCommand::Unpublish(args) => push::unpublish(app, args).await,
        },
        Command::Upload(args) => upload::upload(app, args).await,
        Command::Copy(args) => edit::copy(app, args).await,
        Command::ClientConfig(args) => client_config::show(app, args).await,
        Command::Serve(args) => serve::serve(app, args).await,
        Command::Gc(args) => edit::gc(app, args).await,
        Command::Verify(args) => edit::verify(app, args).await,
        Command::Status => status::status(app).await,
        Command::Openapi => app.output.raw(&wharf_server::api::openapi()).map(|()| Exit::DONE),
        Command::Repo { command } => {
            in_repo(app, command.unwrap_or(RepoCommand::List { labels: Vec::new() })).await
        }
        Command::Plugin { command } => in_plugin(app, command.unwrap_or(PluginCommand::List)).await,
        Command::Type { command } => match command.unwrap_or(TypeCommand::List { strict: false }) {
            TypeCommand::List { strict } => unit_type::list(app, strict).await,
            TypeCommand::Show { name } => unit_type::show(app, &name).await,
            TypeCommand::Check(args) => unit_type::check(app, &args),
        },
        Command::Key { command } => match command.unwrap_or(KeyCommand::List) {
            KeyCommand::Create(args) => key::create(app, args).await,
            KeyCommand::List => key::list(app).await,
            KeyCommand::Show { name, armor } => key::show(app, &name, armor).await,
            KeyCommand::Import { name, file } => key::import(app, name, &file).await,
            KeyCommand::Delete { name, force } => key::delete(app, &name, force).await,
        },
        Command::Instance { command } => match command.unwrap_or(InstanceCommand::List) {
            InstanceCommand::Create(args) => instance::create(app, args).await,
            InstanceCommand::List => instance::list(app).await,
            InstanceCommand::Show { name } => instance::show(app, &name).await,
            InstanceCommand::Set { name, settings, unset } => {
                instance::set(app, &name, settings, unset).await
            }
            InstanceCommand::Check { name } => instance::check(app, &name).await,
            InstanceCommand::Remove { name } => instance::remove(app, &name).await,
        },
        Command::Secret { command } => match command.unwrap_or(SecretCommand::List) {
            SecretCommand::Set { name, from } => secret::set(app, &name, from.as_deref()).await,
            SecretCommand::List => secret::list(app).await,
            SecretCommand::Test { name } => secret::test(app, &name).await,
            SecretCommand::Forget { name, force } => secret::forget(app, &name, force).await,
        },
        Command::Token { command } => match command.unwrap_or(TokenCommand::List) {
            TokenCommand::Create { name, upload } => token::create(app, name, upload).await,
            TokenCommand::List => token::list(app).await,
            TokenCommand::Delete { name } => token::delete(app, &name).await,
        },
        Command::Unit { command } => match command {
            UnitCommand::List(args) => unit::list(app, args).await,
            UnitCommand::Remove(args) => edit::remove(app, args).await,
            UnitCommand::Show { id } => unit::show(app, id).await,
        },
        Command::Schedule { command } => match command.unwrap_or(ScheduleCommand::List) {
            ScheduleCommand::Create(args) => schedule::create(app, *args).await,
            ScheduleCommand::List => schedule::list(app).await,
            ScheduleCommand::Show { name } => schedule::show(app, &name).await,
            ScheduleCommand::Delete { name } => schedule::delete(app, &name).await,
            ScheduleCommand::Enable { name } => schedule::switch(app, &name, true).await,
            ScheduleCommand::Disable { name } => schedule::switch(app, &name, false).await,
        },
        Command::Job { command } => match command.unwrap_or(JobCommand::List(JobList::default())) {
            JobCommand::List(args) => job::list(app, args).await,
            JobCommand::Show { id } => job::show(app, id).await,
            JobCommand::Logs { id, follow } => job::logs(app, id, follow).await,
            JobCommand::Cancel { id } => job::cancel(app, id).await,
            JobCommand::Callbacks { id } => callback::list(app, id).await,
            JobCommand::Redeliver { id, callback: n } => callback::redeliver(app, id, n).await,
        },
        Command::Folder { command: FolderCommand::Resolve(args) } => {
            folder::resolve(app, args).await
        }
        Command::Kitovu { command } => match command {
            KitovuCommand::Validate { file } => kitovu::validate(app, &file),
            KitovuCommand::Import(args) => kitovu::import(app, args).await,
        },
        Command::Help(args) => help::show(&args),
    }
}

async fn in_repo(app: &App, command: RepoCommand) -> Result<Exit, Error> {
    match command {
        RepoCommand::Create { name, types } => repo::create(app, name, types).await,
        RepoCommand::List { labels } => repo::list(app, &labels).await,
        RepoCommand::Show { name } => repo::show(app, &name).await,
        RepoCommand::Versions { name } => repo::versions(app, &name).await,
        RepoCommand::History(args) => history::history(app, args).await,
        RepoCommand::Diff(args) => repo::diff(app, args).await,
        RepoCommand::Rollback(args) => edit::rollback(app, args).await,
        RepoCommand::Label(args) => edit::label(app, args).await,
        RepoCommand::Set(args) => edit::set(app, args).await,
        RepoCommand::DeleteVersion { name, version } => {
            edit::delete_version(app, &name, version).await
        }
        RepoCommand::Delete { name } => repo::delete(app, &name).await,
    }
}

async fn in_plugin(app: &App, command: PluginCommand) -> Result<Exit, Error> {
    match command {
        PluginCommand::List => plugin::list(app).await,
        PluginCommand::Show { name } => plugin::show(app, &name).await,
        PluginCommand::Reset { name } => plugin::reset(app, &name).await,
        PluginCommand::Migrate(args) => plugin::migrate(app, args).await,
        PluginCommand::Probe(args) => probe::run(app, args).await,
        PluginCommand::New(args) => new::create(app, &args),
        PluginCommand::Verify(args) => conformance::verify(app, args).await,
        PluginCommand::Dev(args) => dev::run(app, args).await,
        PluginCommand::Testbed(args) => testbed::serve(app, &args).await,
    }
}
