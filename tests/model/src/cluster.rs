//! Kubernetes: the objects as the API server stores them, and what users do to them.

use aicore_operator::lifecycle::late::Age;
use aicore_operator::lifecycle::situation::{Goal, Order};

use crate::ids::{Id, Ids};

/// How many objects there can be.
pub const OBJECTS: usize = 2;

/// Which object, by its name: 0 is older than 1.
pub type Name = usize;

/// A uid: never given twice, not even to an object that is applied again under its old name. A younger object has a higher one.
pub type Uid = u8;

/// An AI Core configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Configuration {
    /// One that was created for the object of this name, with this content: its name leads back to the object.
    Inline(Name, u8),
    /// One that exists in AI Core, and that anybody may create from.
    Shared(u8),
}

impl Configuration {
    /// The program that it is for: AI Core changes the configuration of a deployment only within one.
    pub fn program(self) -> u8 {
        let (Self::Inline(_, content) | Self::Shared(content)) = self;
        content / 2
    }

    /// Whether its name leads back to the object of this name.
    pub fn bears(self, name: Name) -> bool {
        matches!(self, Self::Inline(owner, _) if owner == name)
    }
}

/// What `spec` says to create a deployment from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// `adopt` alone.
    Nothing,
    /// `configuration`, with this content.
    Inline(u8),
    /// `configurationId`.
    Shared(u8),
}

/// `spec.desiredState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the words of the API")]
pub enum Desired {
    Running,
    Stopped,
    Deleted,
}

/// What the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// `desiredState`.
    pub desired: Desired,
    /// `configuration` or `configurationId`.
    pub source: Source,
    /// `adopt.deploymentId`.
    pub adopt: Option<Id>,
    /// Whether `deletionPolicy` is Orphan.
    pub orphan: bool,
    /// Whether `recreatePolicy` is Always.
    pub recreate: bool,
    /// What is ordered by annotation.
    pub order: Order,
    /// Whether `update.replace` is CreateFirst.
    pub create_first: bool,
}

impl Spec {
    /// A deployment that runs, is deleted with its object, and comes from `source`.
    pub const fn running(source: Source) -> Self {
        Self {
            desired: Desired::Running,
            source,
            adopt: None,
            orphan: false,
            recreate: false,
            order: Order::None,
            create_first: true,
        }
    }

    /// The same, adopting the deployment `id`.
    pub const fn adopting(self, id: Id) -> Self {
        Self {
            adopt: Some(id),
            ..self
        }
    }
}

/// `status.deployment`: the id, and what of the last look at it matters later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recorded {
    /// The id.
    pub id: Id,
    /// How it was when it was last seen.
    pub seen: Seen,
    /// Whether AI Core was seen to delete it.
    pub deleting: bool,
    /// The configuration that it was seen to use.
    pub configuration: Option<Configuration>,
    /// Whether it serves until the deployment that replaces it does.
    pub serves: bool,
}

impl Recorded {
    /// One that was not seen yet.
    pub fn unseen(id: Id) -> Self {
        Self {
            id,
            seen: Seen::Never,
            deleting: false,
            configuration: None,
            serves: false,
        }
    }
}

/// How a recorded deployment was when it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// It was never in a list.
    Never,
    /// In any other state.
    Active,
    /// STOPPED, DEAD or COMPLETED.
    Inactive,
}

/// `status.intent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Intent {
    /// Its number.
    pub serial: u8,
    /// What is created from.
    pub configuration: Configuration,
    /// The deployments of that configuration that existed before and belonged to nobody.
    pub known: Ids,
    /// Once the call cannot have its effect any more: the first deployment that is too young to be its result.
    pub until: Option<Id>,
}

impl Intent {
    /// Whether the call could still have had its effect when the deployment `id` was created.
    pub fn age(&self, id: Id) -> Age {
        match self.until.is_some_and(|until| id >= until) {
            true => Age::Expired,
            false => Age::Fresh,
        }
    }
}

/// What the operator records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Status {
    /// The deployment.
    pub deployment: Option<Recorded>,
    /// The open create call.
    pub intent: Option<Intent>,
    /// Other deployments that have to go.
    pub retiring: [Option<Recorded>; 3],
    /// Create calls that were given up, oldest first.
    pub lapsed: [Option<Intent>; 2],
    /// Whether the deletion of what a deleted object has was begun.
    pub deletion_begun: bool,
    /// The number of the last intent.
    pub serial: u8,
    /// The deployment that was, or is about to be, stopped by us.
    pub stop_sent_for: Option<Id>,
    /// Deployments that are proven to be gone.
    pub previous: Ids,
    /// The configuration that was prepared, or that an adopted deployment had.
    pub configuration: Option<Configuration>,
}

/// One `Deployment` object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Its uid.
    pub uid: Uid,
    /// Its creationTimestamp: the id of the first deployment that is younger.
    pub born: Id,
    /// Its generation: how often its spec was changed, or its deletion asked for.
    pub generation: u8,
    /// Its resourceVersion.
    pub version: u8,
    /// Whether somebody has asked for its deletion.
    pub terminating: bool,
    /// For the laws: whether that was the deletion of the custom resource definition.
    pub uninstalled: bool,
    /// Whether it carries our finalizer.
    pub finalizer: bool,
    /// What the user asks for.
    pub spec: Spec,
    /// What the operator records.
    pub status: Status,
}

/// The configuration that the spec asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// None in particular.
    Nothing,
    /// One that was not looked for in AI Core yet.
    Unprepared,
    /// This one.
    Configuration(Configuration),
}

impl Status {
    /// Puts one more among those that have to go.
    pub fn retires(&mut self, one: Recorded) {
        let free = self.retiring.iter_mut().find(|place| place.is_none());
        *free.expect("the exploration needs smaller bounds") = Some(one);
    }

    /// Takes one out of those that have to go.
    pub fn retires_no_more(&mut self, id: Id) -> Option<Recorded> {
        let place = |it: &Option<Recorded>| it.is_some_and(|it| it.id == id);
        let gone = self.retiring.iter().position(place)?;
        self.retiring[gone..].rotate_left(1);
        self.retiring.last_mut()?.take()
    }

    /// The recorded deployment serves until its successor does.
    pub fn make_way(&mut self) {
        let Some(replaced) = self.deployment.take() else {
            return;
        };
        for earlier in self.retiring.iter_mut().flatten() {
            earlier.serves = false;
        }
        self.retires(Recorded {
            serves: true,
            ..replaced
        });
        self.stop_sent_for = None;
    }

    /// The recorded deployment, which has ended, has to go.
    pub fn retire(&mut self) {
        if let Some(ended) = self.deployment.take() {
            self.retires(ended);
        }
        self.stop_sent_for = None;
    }

    /// The one that serves until its successor does is the recorded one again, and the successor has to go.
    pub fn take_back(&mut self) {
        let serving = self.retiring.iter().flatten().find(|it| it.serves);
        let Some(before) = serving
            .map(|it| it.id)
            .and_then(|id| self.retires_no_more(id))
        else {
            return;
        };
        let before = Recorded {
            serves: false,
            configuration: None,
            ..before
        };
        if let Some(successor) = self.deployment.replace(before) {
            self.retires(successor);
        }
        self.stop_sent_for = None;
    }
}

impl Object {
    /// A new object.
    pub fn new(uid: Uid, born: Id, spec: Spec) -> Self {
        Self {
            uid,
            born,
            uninstalled: false,
            generation: 0,
            version: 0,
            terminating: false,
            finalizer: false,
            spec,
            status: Status::default(),
        }
    }

    /// Where it is to be driven.
    pub fn goal(&self) -> Goal {
        match (self.terminating, self.spec.orphan, self.spec.desired) {
            (true, true, _) => Goal::Orphaned,
            (true, false, _) => Goal::Released,
            (false, _, Desired::Running) => Goal::Running,
            (false, _, Desired::Stopped) => Goal::Stopped,
            (false, _, Desired::Deleted) => Goal::Deleted,
        }
    }

    /// The id that it adopts, unless that deployment was its own already and is gone.
    pub fn adopts(&self) -> Option<Id> {
        let retires = |id| self.status.retiring.iter().flatten().any(|it| it.id == id);
        let adopt = self.spec.adopt;
        adopt.filter(|id| !self.status.previous.contains(*id) && !retires(*id))
    }

    /// The configuration that the spec of the object of this name asks for.
    pub fn wanted(&self, name: Name) -> Wanted {
        match self.spec.source {
            Source::Nothing => Wanted::Nothing,
            Source::Shared(id) => Wanted::Configuration(Configuration::Shared(id)),
            Source::Inline(content) => {
                let wanted = Configuration::Inline(name, content);
                if self.status.configuration == Some(wanted) {
                    Wanted::Configuration(wanted)
                } else {
                    Wanted::Unprepared
                }
            }
        }
    }

    /// The configuration to create from: the wanted one, or that of an adopted deployment that is gone by our own doing.
    pub fn configuration_to_create(&self, name: Name) -> Wanted {
        match self.wanted(name) {
            Wanted::Nothing => self
                .status
                .configuration
                .map_or(Wanted::Nothing, Wanted::Configuration),
            wanted => wanted,
        }
    }

    /// The id that it records.
    pub fn recorded_id(&self) -> Option<Id> {
        self.status.deployment.map(|recorded| recorded.id)
    }

    /// The deployment that serves until the recorded one does.
    pub fn predecessor(&self) -> Option<Id> {
        let mut retiring = self.status.retiring.iter().flatten();
        retiring.find(|it| it.serves).map(|it| it.id)
    }

    /// All ids that it records.
    pub fn recorded_ids(&self) -> impl Iterator<Item = Id> + use<> {
        let [first, second, third] = self.status.retiring;
        let all = [self.status.deployment, first, second, third];
        all.into_iter().flatten().map(|recorded| recorded.id)
    }

    /// Whether it records `id`, as its deployment or as one that has to go.
    pub fn records(&self, id: Id) -> bool {
        let recorded = self.status.deployment.iter();
        let all = recorded.chain(self.status.retiring.iter().flatten());
        all.into_iter().any(|recorded| recorded.id == id)
    }

    /// Whether it records `id`, or has done so before.
    pub fn knows(&self, id: Id) -> bool {
        self.records(id) || self.status.previous.contains(id)
    }
}
