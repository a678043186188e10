//! A request for images: held against everything that could be wrong with it, then stored as jobs.

use serde_json::{Map, Value};
use wharf_store::model::{NewCallback, Repository, Selector};

use super::additions::Additions;
use super::choose::Choices;
use super::order::{Base, Order};
use super::recipe::Recipe;
use super::{BASE_TYPE, BuildFrom, BuildOptions, Building, MAX_TARGETS, OPERATION, keep, snapshot};
use crate::engine::Inner;
use crate::jobs::view::JobView;
use crate::problem::Problem;
use crate::pushes::{Plan, Provider};

/// A request that can be fulfilled.
pub(super) struct Asked<'a> {
    recipe: Recipe,
    /// The base image that the images of targets are made of, where one is named.
    given: Option<i64>,
    rebuild: bool,
    targets: Vec<String>,
    additions: Additions,
    parameters: &'a Map<String, Value>,
    choices: Choices,
    /// Who makes the images of targets, if they are not built here.
    provider: Option<Provider<'a>>,
    /// Where they go.
    plan: Plan<'a>,
    callbacks: Vec<NewCallback>,
}

impl<'a> Asked<'a> {
    pub(super) async fn check(
        engine: &'a Inner,
        options: &'a BuildOptions,
    ) -> Result<Self, Problem> {
        let targets = distinct(&options.targets)?;
        let (recipe, given) = made_from(engine, &options.from, &targets).await?;
        let additions = Additions::read(&options.additions)?;
        let plan = Plan::make(engine, &options.push, &targets).await?;
        plan.check(&options.parameters)?;
        let provider = snapshot::wanted(engine, options, &targets).await?;
        let with_base = given.is_none() && provider.is_none();
        let plugin = provider.as_ref().map(Provider::plugin_name);
        let wanted = (targets.as_slice(), with_base, plugin, &plan);
        let choices = Choices::make(engine, &recipe, wanted, options).await?;
        let callbacks = engine.checked_callbacks(&options.callbacks).await?;
        let (rebuild, parameters) = (options.rebuild, &options.parameters);
        Ok(Self {
            recipe,
            given,
            rebuild,
            targets,
            additions,
            parameters,
            choices,
            provider,
            plan,
            callbacks,
        })
    }

    /// Stores the jobs.
    pub(super) async fn submit(
        &self,
        engine: &Inner,
        repository: &Repository,
    ) -> Result<Building, Problem> {
        let mut building = Building { jobs: Vec::new(), base: self.given };
        let base = self.base(engine, repository, &mut building).await?;
        for order in self.orders(base)? {
            building.jobs.push(self.submit_one(engine, repository, &order).await?);
        }
        let built = building.jobs.len() - self.targets.len();
        for (place, target) in self.targets.iter().enumerate() {
            let made = (building.jobs[built + place].id, target.as_str());
            let told = (self.parameters, self.callbacks.as_slice());
            let pushes = self.plan.submit(engine, repository.id, made, told).await?;
            building.jobs.extend(pushes);
        }
        Ok(building)
    }

    /// The base image of the targets: the one that was named, one that is there, or what a job will make.
    async fn base(
        &self,
        engine: &Inner,
        repository: &Repository,
        building: &mut Building,
    ) -> Result<Option<Base>, Problem> {
        let Some(chosen) = &self.choices.base else { return Ok(self.given.map(Base::Unit)) };
        let order = Order::base(&self.recipe, chosen);
        let there = engine.base_like(repository, &order.recipe).await?;
        if let Some(unit) = there.filter(|_| !self.rebuild) {
            building.base = Some(unit);
            return Ok(Some(Base::Unit(unit)));
        }
        let job = self.submit_one(engine, repository, &order).await?;
        let base = Base::Job(job.id);
        building.jobs.push(job);
        Ok(Some(base))
    }

    /// One for each target.
    fn orders(&self, base: Option<Base>) -> Result<Vec<Order>, Problem> {
        let targets = self.targets.iter().zip(&self.choices.targets);
        let order = |(target, chosen): (&String, _)| {
            if let Some(provider) = &self.provider {
                return Ok(Order::snapshot(&self.recipe, (target, chosen), &provider.words()));
            }
            let additions = self.additions.of(target, &self.recipe)?;
            let more = (self.choices.customiser.as_ref(), additions);
            Order::target(&self.recipe, (target, chosen), more, base)
        };
        targets.map(order).collect()
    }

    async fn submit_one(
        &self,
        engine: &Inner,
        repository: &Repository,
        order: &Order,
    ) -> Result<JobView, Problem> {
        let worker = (order.by.component.as_str(), serde_json::to_string(order)?);
        let callbacks = self.callbacks.clone();
        engine.submit_unattached(OPERATION, Some(repository.id), worker, callbacks).await
    }
}

async fn made_from(
    engine: &Inner,
    from: &BuildFrom,
    targets: &[String],
) -> Result<(Recipe, Option<i64>), Problem> {
    match from {
        BuildFrom::Template { name, text } => Ok((Recipe::read(name, text)?, None)),
        BuildFrom::Base(_) if targets.is_empty() => {
            Err(Problem::usage("usage.targets", "a base image is there already")
                .help("name what is to be made of it: --target TARGET"))
        }
        BuildFrom::Base(unit) => Ok((Recipe::of_base(engine, *unit).await?, Some(*unit))),
    }
}

impl Inner {
    /// The newest base image of the repository's newest version that was made by this recipe.
    async fn base_like(
        &self,
        repository: &Repository,
        recipe: &str,
    ) -> Result<Option<i64>, Problem> {
        let kind = self.types.get(BASE_TYPE).map(|kind| kind.id);
        let value = Value::from(recipe).to_string();
        let selector = Selector::Field { name: keep::RECIPE.to_owned(), value };
        let found = self.store.meta.members_matching(repository.id, kind, selector).await?;
        Ok(found.into_iter().map(|unit| unit.0).max())
    }
}

/// The targets, each once, in the order asked.
fn distinct(targets: &[String]) -> Result<Vec<String>, Problem> {
    let mut distinct: Vec<String> = Vec::new();
    for target in targets {
        if target.is_empty() || target.len() > 64 || target.contains(|it: char| it.is_control()) {
            let message = format!("{target:?} is no name of a target");
            return Err(Problem::usage("usage.targets", message));
        }
        if !distinct.contains(target) {
            distinct.push(target.clone());
        }
    }
    if distinct.len() > MAX_TARGETS {
        let message = format!("{} targets; at most {MAX_TARGETS} at once", distinct.len());
        return Err(Problem::usage("usage.targets", message));
    }
    Ok(distinct)
}
