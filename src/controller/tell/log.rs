//! The last lines of a deployment's log, told once when it dies or does not start: most often they hold the cause.

use jiff::{SignedDuration, Timestamp};
use tracing::debug;

use super::events::{News, shortened};
use crate::aicore::{Deployment, LogLine, Status};
use crate::api::{DeploymentStatus, Reason};
use crate::controller::observe::Observation;
use crate::controller::subject::Subject;
use crate::lifecycle::Step;
use crate::lifecycle::situation::Goal;
use crate::lifecycle::step::Stall;

/// How many lines are asked for.
const LINES: u16 = 10;

/// The longest part of a log that is told, in bytes: the rest of an event's note is for the sentence before it.
const MAXIMUM_LOG: usize = 900;

/// How long before the end of a deployment the cause may have been logged.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);

/// Whether a log is worth telling: the deployment has died since the status `before`, or is about to be called overdue while it is PENDING
/// (`is_news`).
pub(crate) fn is_wanted(
    before: Option<&DeploymentStatus>,
    observation: &Observation,
    step: Step,
    is_news: bool,
) -> bool {
    let Some(remote) = &observation.remote else {
        return false;
    };
    let was_dead = before
        .and_then(|status| status.deployment.as_ref())
        .filter(|recorded| recorded.id == remote.id)
        .is_some_and(|recorded| recorded.state.as_deref() == Some(Status::Dead.as_str()));
    let has_died = remote.status == Status::Dead && !was_dead;
    let is_stuck =
        remote.status == Status::Pending && step == Step::Stall(Stall::Overdue) && is_news;
    observation.situation.goal == Goal::Running && (has_died || is_stuck)
}

/// Tells the end of the deployment's log. A log that cannot be read is left out.
pub(crate) async fn tell(subject: &Subject<'_>, observation: &Observation) {
    let (Some(access), Some(remote)) = (&observation.access, &observation.remote) else {
        return;
    };
    let lines = access
        .client
        .last_log_lines(&access.key.group, &remote.id, LINES, since(remote))
        .await;
    let lines = match lines {
        Ok(lines) => lines,
        Err(error) => {
            debug!(%error, id = remote.id, "the log of the deployment cannot be read");
            return;
        }
    };
    let Some(text) = end(&lines) else {
        return;
    };
    let note = format!(
        "the log of deployment {} ends with:\n{text}",
        shortened(&remote.id, 64)
    );
    let news = News::bad(Reason::LastLogLines, &remote.id, note);
    subject.context.events.publish(&*subject.object, news).await;
}

/// From when on lines count. Without it AI Core looks back an hour from now, and a deployment may have died long before that.
fn since(remote: &Deployment) -> Option<Timestamp> {
    let completed: Timestamp = remote.completion_time.as_deref()?.parse().ok()?;
    completed.checked_sub(LOOK_BACK).ok()
}

/// The newest lines that fit, oldest first; `lines` are newest first.
fn end(lines: &[LogLine]) -> Option<String> {
    let mut told: Vec<String> = Vec::new();
    let mut left = MAXIMUM_LOG;
    for line in lines {
        let text = line.message.trim_end().replace(char::is_control, " ");
        if text.len() >= left && !told.is_empty() {
            break;
        }
        let text = shortened(&text, MAXIMUM_LOG);
        left = left.saturating_sub(text.len() + 1);
        told.push(text);
    }
    told.reverse();
    let text = told.join("\n");
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(messages: &[&str]) -> Vec<LogLine> {
        let line = |message: &&str| LogLine {
            timestamp: None,
            message: (*message).to_owned(),
        };
        messages.iter().map(line).collect()
    }

    #[test]
    fn the_newest_lines_are_told_in_the_order_in_which_they_were_written() {
        let log = lines(&["third\n", "sec\u{1b}ond", "first"]);
        assert_eq!(end(&log).as_deref(), Some("first\nsec ond\nthird"));
        assert_eq!(end(&[]), None);
        assert_eq!(end(&lines(&["", " "])), None);
    }

    #[test]
    fn a_long_log_is_cut_where_it_is_old_and_a_long_line_at_its_end() {
        let long = "x".repeat(MAXIMUM_LOG / 2);
        let told = end(&lines(&["newest", &long, &long, "oldest"])).unwrap_or_default();
        assert!(told.ends_with("\nnewest") && !told.contains("oldest"));
        assert!(told.len() <= MAXIMUM_LOG, "{} bytes", told.len());
        let endless = "ä".repeat(5000);
        let told = end(&lines(&[&endless, "before"])).unwrap_or_default();
        assert!(told.len() <= MAXIMUM_LOG && told.ends_with('…'), "{told}");
    }
}
