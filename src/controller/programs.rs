//! Which program a configuration is for. AI Core never changes a configuration, so it is asked once for each.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::context::ConfigurationKey;
use crate::aicore::{Client, Configuration, Error, GroupKey};

/// How many configurations are kept in mind.
const MAXIMUM_KNOWN: usize = 10_000;

/// What a deployment runs: AI Core changes its configuration only within the same scenario and executable ("Update a Deployment").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) scenario: String,
    pub(crate) executable: String,
}

impl Program {
    /// The program with these ids, or nothing where AI Core does not tell both.
    pub(crate) fn of(scenario: Option<&String>, executable: Option<&String>) -> Option<Self> {
        Some(Self {
            scenario: scenario?.clone(),
            executable: executable?.clone(),
        })
    }
}

/// The programs of the configurations that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    known: Mutex<HashMap<ConfigurationKey, Program>>,
}

impl Programs {
    /// The program of the configuration `id`, or nothing where AI Core does not tell.
    pub(crate) async fn of(
        &self,
        client: &Client,
        key: &GroupKey,
        id: &str,
    ) -> Result<Option<Program>, Error> {
        let place = (key.clone(), id.to_owned());
        if let Some(known) = self.known.lock().get(&place) {
            return Ok(Some(known.clone()));
        }
        let Configuration {
            scenario_id,
            executable_id,
            ..
        } = client.get_configuration(&key.group, id).await?;
        let program = Program::of(scenario_id.as_ref(), executable_id.as_ref());
        if let Some(program) = program.clone() {
            let mut known = self.known.lock();
            if known.len() >= MAXIMUM_KNOWN {
                known.clear();
            }
            known.insert(place, program);
        }
        Ok(program)
    }
}
