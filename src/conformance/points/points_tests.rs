//! Every answer has a reading that is in the tables, and some readings that no server can be made to show.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, LOCATION};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::points;
use crate::aicore::{Reply, TokenFacts, Way};
use crate::conformance::observations::{Exchange, Look, Observations, Sight};
use crate::conformance::point::Verdict;
use crate::conformance::question::Question;

const ID: &str = "d0123456789abcde";
const UNKNOWN_ID: &str = "dfedcba987654321";

fn reply(status: u16, body: &str) -> Reply {
    let status = StatusCode::from_u16(status).expect("an HTTP status");
    let mut headers = HeaderMap::new();
    if body.contains("Location") {
        let location = format!("https://host/v2/lm/deployments/{ID}");
        headers.insert(
            LOCATION,
            HeaderValue::from_str(&location).expect("a header"),
        );
    }
    Reply::new(status, &headers, body.as_bytes(), &[])
}

fn deployment(status: &str, target: &str) -> Value {
    json!({"id": ID, "configurationId": "c1", "status": status, "targetStatus": target, "createdAt": "t",
        "modifiedAt": "t", "ttl": "247m", "lastOperation": "CREATE", "configurationName": "n"})
}

fn look(second: u64, single: &Reply, listed: &Reply) -> Look {
    Look {
        at: Duration::from_secs(second),
        single: Sight::single(Ok(single), ID),
        listed: Sight::listed(Ok(listed), ID),
    }
}

fn exchange(seen: &mut Observations, question: Question, status: u16, body: &str) {
    let exchange = Exchange {
        at: Duration::from_secs(seen.looks.len() as u64),
        looks_before: seen.looks.len(),
        reply: Ok(reply(status, body)),
    };
    seen.exchanges.insert(question, exchange);
}

fn empty() -> Observations {
    Observations {
        ttl: "247m".to_owned(),
        unknown_id: UNKNOWN_ID.to_owned(),
        id: Some(ID.to_owned()),
        ..Observations::default()
    }
}

/// What is read of a point.
fn reading(id: &str, seen: &Observations) -> Result<&'static str, String> {
    let point = points()
        .find(|point| point.id == id)
        .expect("there is such a point");
    (point.read)(seen).map(|seen| seen.word)
}

#[test]
fn names_are_unique_and_in_kebab_case_and_what_is_asked_can_hold() {
    let mut ids = BTreeSet::new();
    for point in points() {
        assert!(ids.insert(point.id), "{} is there twice", point.id);
        let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(point.id.chars().all(is_kebab), "{}", point.id);
        let words: BTreeSet<_> = point.readings.iter().map(|reading| reading.word).collect();
        assert_eq!(words.len(), point.readings.len(), "{}", point.id);
        let holds = point
            .readings
            .iter()
            .any(|reading| reading.verdict == Verdict::Holds);
        assert!(
            holds || point.readings.is_empty(),
            "{} never holds",
            point.id
        );
    }
    assert!(ids.len() > 50, "{}", ids.len());
}

#[test]
fn whatever_is_answered_has_a_reading_of_the_tables() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let entry = deployment("RUNNING", "RUNNING");
    let bare = json!({"id": ID}).to_string();
    let mut bodies: Vec<String> = [
        "",
        "null",
        "7",
        "\"7\"",
        "<p>",
        "text",
        "Location",
        "[]",
        "{}",
        r#"{"error":{"code":"1","message":"m","request_id":"r"}}"#,
        r#"{"error":"invalid"}"#,
        r#"{"aiApi":{"capabilities":{"bulkUpdates":{"deployments":true}}}}"#,
        r#"{"id":"d0123456789abcde","targetStatus":"DELETED"}"#,
    ]
    .map(str::to_owned)
    .into();
    bodies.push(bare.clone());
    for list in [
        json!({"count": 2, "resources": [{"id": "d2"}]}),
        json!({"count": 1, "resources": [{"id": "d2"}]}),
        json!({"count": 2, "resources": [{"id": "d2"}, entry]}),
    ] {
        bodies.push(list.to_string());
    }
    let without = |field: &str| {
        let mut changed = entry.clone();
        changed.as_object_mut().expect("an object").remove(field);
        changed.to_string()
    };
    let odd = [
        ("createdAt", Value::Null),
        ("ttl", json!("247M")),
        ("ttl", json!("1h")),
        ("ttl", json!(-1)),
        ("lastOperation", json!("UPDATE")),
        ("lastOperation", json!("DELETE")),
        ("lastOperation", json!("OTHER")),
        ("lastOperation", Value::Null),
        ("newField", json!(1)),
    ];
    let odd = odd.map(|(field, value)| {
        let mut changed = entry.clone();
        changed[field] = value;
        changed.to_string()
    });
    let odd = odd.into_iter().chain([
        without("configurationId"),
        without("targetStatus"),
        without("configurationName"),
    ]);
    bodies.push(json!({"count": 9, "resources": []}).to_string());
    bodies.push(json!({"count": 1, "resources": [entry, {"id": "d2"}]}).to_string());
    bodies.push(
        json!({"deployments": [{"id": UNKNOWN_ID, "error": {}}, {"id": ID, "message": "m"}]})
            .to_string(),
    );
    let shown: Vec<String> = [
        "UNKNOWN", "PENDING", "RUNNING", "STOPPING", "STOPPED", "DEAD", "DELETING", "NEW", "",
    ]
    .iter()
    .flat_map(|status| {
        ["RUNNING", "STOPPED", "DELETED", "NEW", ""]
            .map(|target| deployment(status, target).to_string())
    })
    .chain([bare])
    .chain(odd)
    .collect();
    let statuses = [
        200, 200, 201, 202, 202, 400, 401, 403, 404, 409, 410, 412, 429, 500, 503,
    ];
    let mut read = BTreeSet::new();
    for _ in 0..10_000 {
        let mut seen = empty();
        let way = *[Way::Form, Way::Basic, Way::Certificate]
            .choose(&mut random)
            .expect("one");
        let stated_lifetime = random
            .random_bool(0.8)
            .then(|| Duration::from_secs(random.random_range(0..9_000)));
        seen.token = Some(TokenFacts {
            stated_lifetime,
            way,
        });
        seen.clock = Some(random.random_bool(0.8).then(|| random.random_range(-9..9)));
        seen.throttled = vec![random.random_bool(0.5); random.random_range(0..2)];
        let looks = *[0.03, 0.1, 0.5, 1.0].choose(&mut random).expect("one");
        let mut questions: Vec<_> = Question::iter().collect();
        let mut second = 0;
        while !questions.is_empty() {
            let question = questions.swap_remove(random.random_range(0..questions.len()));
            let status = *statuses.choose(&mut random).expect("one");
            let body = bodies.choose(&mut random).expect("one");
            exchange(&mut seen, question, status, body);
            for _ in 0..3 {
                if !random.random_bool(looks) {
                    continue;
                }
                second += random.random_range(0..200);
                let single = match random.random_range(0..4) {
                    0 => reply(*[404, 410, 403, 500].choose(&mut random).expect("one"), ""),
                    _ => reply(200, shown.choose(&mut random).expect("one")),
                };
                let listed = match random.random_range(0..4) {
                    0 => reply(200, r#"{"resources":[]}"#),
                    1 => reply(500, ""),
                    _ => reply(
                        200,
                        &format!(
                            r#"{{"resources":[{}]}}"#,
                            shown.choose(&mut random).expect("one")
                        ),
                    ),
                };
                seen.looks.push(look(second, &single, &listed));
            }
        }
        for point in points() {
            if let Ok(found) = (point.read)(&seen) {
                assert!(
                    point.reading(found.word).is_some(),
                    "{} gives {}",
                    point.id,
                    found.word
                );
                read.insert((point.id, found.word));
            }
        }
    }
    // Nearly all of them are reached: a reading that never comes would be a mistake in the table.
    let all = points().flat_map(|point| {
        point
            .readings
            .iter()
            .map(|reading| (point.id, reading.word))
    });
    let never: Vec<_> = all.filter(|reading| !read.contains(reading)).collect();
    assert!(never.is_empty(), "{never:?} were never read");
}

#[test]
fn a_refusal_counts_only_when_the_state_stayed() {
    let absent = reply(200, r#"{"resources":[]}"#);
    let shown = |status| reply(200, &deployment(status, "RUNNING").to_string());
    let with = |before, after| {
        let mut seen = empty();
        seen.looks.push(look(0, &shown(before), &absent));
        exchange(&mut seen, Question::StopInUnknown, 400, "");
        seen.looks.push(look(1, &shown(after), &absent));
        reading("stop-in-unknown", &seen)
    };
    assert_eq!(with("UNKNOWN", "UNKNOWN"), Ok("400"));
    let moved = with("UNKNOWN", "PENDING").expect_err("it may have been refused in either state");
    assert_eq!(
        moved,
        "HTTP 400, but its state changed at that moment: UNKNOWN, then PENDING"
    );
    assert_eq!(
        reading("stop-in-unknown", &empty()),
        Err("the run did not get so far".to_owned())
    );
}

#[test]
fn what_cannot_be_found_for_longer_than_the_grace_period_is_not_workable() {
    let absent = (reply(404, ""), reply(200, r#"{"resources":[]}"#));
    let found = reply(200, &deployment("UNKNOWN", "RUNNING").to_string());
    let after = |seconds: u64| {
        let mut seen = empty();
        exchange(
            &mut seen,
            Question::Create,
            202,
            &json!({"id": ID}).to_string(),
        );
        seen.looks.push(look(0, &absent.0, &absent.1));
        seen.looks.push(look(seconds, &found, &absent.1));
        (
            reading("visible-by-id", &seen),
            reading("visible-in-list", &seen),
        )
    };
    assert_eq!(after(299).0, Ok("later"));
    assert_eq!(after(301).0, Ok("after-the-grace-period"));
    assert_eq!(after(301).1, Ok("after-the-grace-period"));
    assert_eq!(
        after(299).1,
        Err("it was not seen before the run ended".to_owned())
    );
}

#[test]
fn a_deployment_that_comes_back_and_one_that_is_never_answered_with_404_are_not_workable() {
    let mut seen = empty();
    let list = reply(200, r#"{"resources":[]}"#);
    let stopped = reply(200, &deployment("STOPPED", "DELETED").to_string());
    exchange(&mut seen, Question::Delete, 202, "");
    seen.looks.push(look(0, &reply(404, ""), &list));
    seen.looks.push(look(1, &stopped, &list));
    assert_eq!(reading("stays-gone", &seen), Ok("comes-back"));
    let mut seen = empty();
    exchange(&mut seen, Question::Delete, 202, "");
    seen.looks.push(look(0, &stopped, &list));
    assert_eq!(reading("gone-by-id", &seen), Ok("still-found"));
    seen.looks.push(look(1, &reply(403, "RBAC"), &list));
    assert_eq!(reading("gone-by-id", &seen), Ok("other-refusal"));
}
