//! What a person reads: the announcement before a run, and the report after it.

use std::fmt;

use super::ledger::Left;
use super::plan::{Plan, Source};
use super::point::Verdict;
use super::report::{Finding, Report};
use crate::aicore::Tenant;

/// What a run will do, and what it costs.
pub fn announcement(tenant: &Tenant, plan: &Plan, others: usize) -> String {
    let source = match &plan.source {
        Source::Existing(id) => format!("from the configuration {id}"),
        Source::New {
            scenario_id,
            executable_id,
            ..
        } => format!(
            "from a new configuration of the executable {executable_id} of the scenario {scenario_id}"
        ),
    };
    let others = match others {
        0 => "It holds no deployment.".to_owned(),
        1 => "It holds 1 deployment, which is left alone.".to_owned(),
        others => format!("It holds {others} deployments, which are left alone."),
    };
    format!(
        "This finds out how AI Core answers where its contract does not say.\n\
         \n\
         AI Core         {}\n\
         identity zone   {}\n\
         resource group  {}\n\
         \n\
         {others}\n\
         One deployment is created there,\n\
         {source}.\n\
         It is stopped and deleted again, while it is also asked for what its state should not allow. If AI Core accepts\n\
         such a call, the rest is asked of another deployment, of five at most. All of that costs what a running deployment\n\
         costs, for some minutes. A configuration that it creates stays: AI Core cannot delete one.\n",
        tenant.api_url, tenant.identity_zone_id, plan.group
    )
}

impl fmt::Display for Report {
    /// For a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "How AI Core at {} reads its contract",
            self.tenant.api_url
        )?;
        writeln!(
            f,
            "(identity zone {}, resource group {}, {:.0}, aicore-operator {})\n",
            self.tenant.identity_zone_id, self.resource_group, self.at, self.operator_version
        )?;
        let width = |text: fn(&Finding) -> &str| {
            let widths = self.points.iter().map(|point| text(point).len());
            widths.max().unwrap_or_default()
        };
        let (ids, readings) = (
            width(|it| it.id),
            width(|it| it.reading.unwrap_or("-")).max(7),
        );
        writeln!(
            f,
            "{:ids$}  {:readings$}  {:10}  WHAT IT MEANS",
            "POINT", "READING", "VERDICT"
        )?;
        for point in &self.points {
            writeln!(
                f,
                "{:ids$}  {:readings$}  {:10}  {}",
                point.id,
                point.reading.unwrap_or("-"),
                point.verdict.words(),
                remark(point)
            )?;
        }
        writeln!(f)?;
        for timing in &self.timings {
            match timing.seconds {
                Some(seconds) => writeln!(f, "{:26}  {seconds:.1} s", timing.id)?,
                None => writeln!(f, "{:26}  not seen", timing.id)?,
            }
        }
        let summary = self.summary;
        writeln!(
            f,
            "\n{} as assumed, {} otherwise and handled, {} UNWORKABLE, {} not asked",
            summary.holds, summary.handled, summary.unworkable, summary.not_asked
        )?;
        if let Some(failure) = &self.failure {
            writeln!(f, "The run did not get to its end: {failure}")?;
        }
        if let Some(configuration) = &self.configuration {
            writeln!(
                f,
                "The configuration {} ({}) stays: AI Core cannot delete one.",
                configuration.id, configuration.name
            )?;
        }
        if self.left.is_empty() {
            return writeln!(f, "No deployment was left behind.");
        }
        self.left.iter().try_for_each(|left| writeln!(f, "{left}"))
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, id) = match (&self.deployment_id, &self.configuration_id) {
            (Some(id), _) => ("deployment", id.as_str()),
            (None, id) => (
                "a deployment of the configuration",
                id.as_deref().unwrap_or("?"),
            ),
        };
        write!(
            f,
            "LEFT BEHIND: {what} {id} in the resource group {}: {}",
            self.resource_group, self.advice
        )
    }
}

/// What is said of a point: what the reading means and what shows it.
fn remark(point: &Finding) -> String {
    match (point.meaning, point.verdict) {
        (Some(meaning), Verdict::Unworkable | Verdict::Handled) => {
            format!("assumed: {}. {meaning} ({})", point.assumed, point.evidence)
        }
        (Some(meaning), _) => format!("{meaning} ({})", point.evidence),
        (None, _) => point.evidence.clone(),
    }
}
