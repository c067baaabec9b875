//! `/lm/deployments/{id}/logs`

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodFilter;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::call::{Answer, Operation};
use crate::clock::{earlier, later};
use crate::deployment::Deployment;
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::lifecycle::{Status, virtual_time};
use crate::query::Query;
use crate::settings::Settings;
use crate::world::Shared;

/// `$top` when absent, and its maximum [OpenAPI document, parameter `RTAlimit`].
const DEFAULT_TOP: usize = 1_000;
const MAXIMUM_TOP: usize = 5_000;

pub(super) fn routes() -> Router<Shared> {
    // The group is looked at by the function itself: a setting lets callers leave it out.
    let logs = endpoint(
        MethodFilter::GET,
        Operation::DeploymentLogs,
        Run::Tenant(logs),
    );
    Router::new().route("/deployments/{deploymentId}/logs", logs)
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    timestamp: String,
    msg: String,
    pod: String,
    container: &'static str,
    stream: &'static str,
}

fn logs(context: &mut Context<'_>) -> Outcome {
    let (call, settings, now) = (context.call, context.settings, context.now);
    let id = call.parameter("deploymentId");
    let window = Window::read(&call.query, now)?;
    let found = if !settings.logs_need_group && call.resource_group().is_none() {
        context
            .tenant
            .groups
            .values()
            .find_map(|group| group.deployments().get(id))
    } else {
        context.group()?.deployments().get(id)
    };
    let deployment = found.filter(|deployment| deployment.is_visible(now, settings));
    let deployment = deployment.ok_or_else(|| ApiError::deployment_not_found(id, settings))?;
    let lines = window.lines(deployment, settings, now);
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"data": {"result": lines}}),
    ))
}

/// The part of a log that was asked for.
struct Window {
    start: Timestamp,
    end: Timestamp,
    top: usize,
    descending: bool,
}

impl Window {
    fn read(query: &Query, now: Timestamp) -> Result<Self, ApiError> {
        let time = |name: &str| {
            query
                .get(name)
                .map(|text| {
                    let message = format!("{name} is {text:?}, but must be a time like 2026-01-01T00:00:00Z (+ as %2B)");
                    text.parse::<Timestamp>().map_err(|_| ApiError::bad_request(message))
                })
                .transpose()
        };
        let descending = match query.get("$order") {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => {
                return Err(ApiError::bad_request(format!(
                    "$order is {other:?}, but must be asc or desc"
                )));
            }
        };
        Ok(Self {
            start: time("start")?.unwrap_or(earlier(now, Duration::from_secs(3_600))),
            end: time("end")?.unwrap_or(now),
            top: query.number("$top", 1, MAXIMUM_TOP)?.unwrap_or(DEFAULT_TOP),
            descending,
        })
    }

    /// The lines of the window in the order and number that was asked for.
    fn lines(&self, deployment: &Deployment, settings: &Settings, now: Timestamp) -> Vec<Line> {
        let inside = |time: &Timestamp| (self.start..=self.end).contains(time);
        let mut events = events(deployment);
        events.extend(heartbeats(deployment, settings, now, self));
        events.retain(|(time, _)| inside(time));
        events.sort_by_key(|(time, _)| *time);
        if self.descending {
            events.reverse();
        }
        events.truncate(self.top);
        events
            .into_iter()
            .map(|(time, message)| line(deployment, time, message))
            .collect()
    }
}

/// What the phases of a deployment leave in its log.
fn events(deployment: &Deployment) -> Vec<(Timestamp, String)> {
    let submitted = deployment
        .submission_time
        .map(|time| (time, "Pulling the image".to_owned()));
    let started = deployment
        .start_time
        .map(|time| (time, "Server is ready".to_owned()));
    let ended = deployment
        .completion_time
        .map(|time| (time, last_words(deployment)));
    [submitted, started, ended].into_iter().flatten().collect()
}

fn last_words(deployment: &Deployment) -> String {
    match (&deployment.status, &deployment.status_message) {
        (Status::Dead, Some(message)) => format!("Server has failed: {message}"),
        _ => "Server has ended".to_owned(),
    }
}

/// One line each virtual second while the server runs, as many as the window can show.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn heartbeats(
    deployment: &Deployment,
    settings: &Settings,
    now: Timestamp,
    window: &Window,
) -> Vec<(Timestamp, String)> {
    let Some(start) = deployment.start_time else {
        return Vec::new();
    };
    let period = virtual_time(Duration::from_secs(1), settings).max(Duration::from_micros(1));
    let number = |time: Timestamp| {
        (time.duration_since(start).as_secs_f64() / period.as_secs_f64())
            .floor()
            .max(0.0) as u64
    };
    let end = deployment.completion_time.unwrap_or(now).min(window.end);
    let (mut first, mut last) = (number(window.start).max(1), number(end));
    let most = window.top as u64 + 1;
    if window.descending {
        first = first.max(last.saturating_sub(most));
    } else {
        last = last.min(first.saturating_add(most));
    }
    (first..=last)
        .map(|number| {
            let elapsed = Duration::from_secs_f64(period.as_secs_f64() * number as f64);
            (later(start, elapsed), format!("Request {number} answered"))
        })
        .collect()
}

fn line(deployment: &Deployment, time: Timestamp, msg: String) -> Line {
    Line {
        timestamp: format!("{}+00:00", format!("{time:.9}").trim_end_matches('Z')),
        msg,
        pod: format!("{}-predictor-0", deployment.id),
        container: "kserve-container",
        stream: "stdout",
    }
}
