//! Running a model, and telling what came of it.

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model as _};

use crate::model::Model;

/// A law that was broken, and how.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// The law.
    pub law: &'static str,
    /// How many states had been visited.
    pub states: usize,
    /// What came of it.
    pub how: String,
    /// What happened, one line each.
    pub story: Vec<String>,
}

impl Model {
    /// Tries everything within the budget, until a law is broken.
    pub fn explore(self) -> Result<usize, Discovery> {
        let title = self.title;
        let begun = Instant::now();
        let checker = self
            .checker()
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        let visited = checker.unique_state_count();
        println!(
            "{title}: {visited} states, {} transitions, {} moves deep, {:.1?}",
            checker.state_count(),
            checker.max_depth(),
            begun.elapsed()
        );
        match checker.discoveries().into_iter().next() {
            None => Ok(visited),
            Some((law, path)) => {
                let model = checker.model();
                let states = path.clone().into_states();
                let actions = path.into_actions();
                let mut story: Vec<String> = states
                    .iter()
                    .zip(actions)
                    .flat_map(|(state, action)| [format!("  {state}"), format!("{action:?}")])
                    .collect();
                if let Some(last) = states.last() {
                    let continuation = model.continuation(last);
                    story.extend(continuation.iter().map(|state| format!("  {state}")));
                }
                let how = states
                    .last()
                    .map(|last| match (last.broken, model.unrest(last)) {
                        (Some(law), _) => format!("{law:?}"),
                        (None, Some(unrest)) => format!("{unrest:?}"),
                        (None, None) => String::new(),
                    })
                    .unwrap_or_default();
                story.push(how.clone());
                let discovery = Discovery {
                    law,
                    states: visited,
                    how,
                    story,
                };
                Err(discovery)
            }
        }
    }
}

impl std::fmt::Display for Discovery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            formatter,
            "broken after {} states: {}",
            self.states, self.law
        )?;
        for line in &self.story {
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}
