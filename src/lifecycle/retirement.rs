//! Whether a hosted model will be gone soon.

use jiff::{SignedDuration, Timestamp};

use crate::aicore::{Model, ModelVersion};

/// How long before its retirement a model is worth a warning.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The version by which AI Core follows the newest one of a model by itself.
pub const LATEST: &str = "latest";

/// What AI Core announces of a model that a deployment runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Whether it is deprecated.
    pub deprecated: bool,
    /// When it is retired, where AI Core gives a date.
    pub retirement: Option<Timestamp>,
}

/// What is announced of a version of a model, where it is worth a warning at `now`. The version `latest` follows every retirement, so it is only
/// told when all versions are deprecated, with the last date of all.
pub fn outlook(
    models: &[Model],
    executable: Option<&str>,
    name: &str,
    version: &str,
    now: Timestamp,
) -> Option<Outlook> {
    let mut named: Vec<&Model> = models.iter().filter(|model| model.name == name).collect();
    let serves =
        |model: &&Model| executable.is_none() || model.executable_id.as_deref() == executable;
    if named.iter().any(serves) {
        named.retain(serves);
    }
    let versions: Vec<&ModelVersion> = named.iter().flat_map(|model| &model.versions).collect();
    let outlook = if version.eq_ignore_ascii_case(LATEST) {
        let all = !versions.is_empty() && versions.iter().all(|version| version.deprecated);
        let dates = versions.iter().map(|version| version.retirement);
        let dates: Option<Vec<Timestamp>> = dates.collect();
        all.then(|| Outlook {
            deprecated: true,
            retirement: dates.and_then(|dates| dates.into_iter().max()),
        })
    } else {
        let found = versions.iter().find(|found| found.name == version);
        found.map(|found| Outlook {
            deprecated: found.deprecated,
            retirement: found.retirement,
        })
    };
    outlook.filter(|outlook| {
        let near = |retirement: Timestamp| retirement.duration_since(now) <= NOTICE;
        outlook.deprecated || outlook.retirement.is_some_and(near)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-05-01T00:00:00Z";

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn version(name: &str, deprecated: bool, retirement: Option<&str>) -> ModelVersion {
        ModelVersion {
            name: name.to_owned(),
            deprecated,
            retirement: retirement.map(time),
        }
    }

    fn model(executable: &str, versions: Vec<ModelVersion>) -> Model {
        Model {
            name: "gpt".to_owned(),
            executable_id: Some(executable.to_owned()),
            versions,
        }
    }

    fn told(models: &[Model], asked: &str) -> Option<Outlook> {
        outlook(models, Some("azure-openai"), "gpt", asked, time(NOW))
    }

    #[test]
    fn a_version_is_told_thirty_days_before_it_is_retired_and_not_earlier() {
        for (date, expected) in [
            ("2026-05-31T00:00:01Z", false),
            ("2026-05-31T00:00:00Z", true),
            ("2026-04-01T00:00:00Z", true),
        ] {
            let models = [model("azure-openai", vec![version("1", false, Some(date))])];
            assert_eq!(told(&models, "1").is_some(), expected, "{date}");
        }
        let models = [model("azure-openai", vec![version("1", false, None)])];
        assert_eq!(told(&models, "1"), None);
    }

    #[test]
    fn a_deprecated_version_is_told_without_a_date_and_another_one_is_not() {
        let versions = vec![version("1", true, None), version("2", false, None)];
        let models = [model("azure-openai", versions)];
        let deprecated = Outlook {
            deprecated: true,
            retirement: None,
        };
        assert_eq!(told(&models, "1"), Some(deprecated));
        assert_eq!(told(&models, "2"), None);
        assert_eq!(told(&models, "3"), None, "a version that is not listed");
        let other = outlook(&models, None, "other", "1", time(NOW));
        assert_eq!(other, None, "a model that is not listed");
    }

    #[test]
    fn the_latest_version_is_told_only_when_all_versions_go() {
        let date = "2026-09-01T00:00:00Z";
        let going = version("1", true, Some("2026-05-02T00:00:00Z"));
        let staying = vec![going.clone(), version("2", false, Some(date))];
        assert_eq!(told(&[model("azure-openai", staying)], LATEST), None);
        let all = [model(
            "azure-openai",
            vec![going, version("2", true, Some(date))],
        )];
        let expected = Outlook {
            deprecated: true,
            retirement: Some(time(date)),
        };
        assert_eq!(told(&all, LATEST), Some(expected));
        assert_eq!(told(&[model("azure-openai", Vec::new())], LATEST), None);
    }

    #[test]
    fn the_model_of_the_own_executable_counts_where_several_serve_it() {
        let models = [
            model("another", vec![version("1", true, None)]),
            model("azure-openai", vec![version("1", false, None)]),
        ];
        assert_eq!(told(&models, "1"), None);
        let elsewhere = told(&models[..1], "1");
        assert!(elsewhere.is_some(), "no executable of that name serves it");
    }
}
